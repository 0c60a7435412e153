//! `wasm/file-*`: what a guest reads of a file through our checks, and through plain wasmtime-wasi.

use std::error::Error;
use std::fs;
use std::time::Instant;

use airwasm::{Config, RequestOptions, System};

use crate::fairness::spawn;
use crate::plain::Plain;
use crate::report::{Row, in_turns};

const FILE_BYTES: usize = 64 << 10;
const ROUNDS: usize = 15;
const READS: usize = 200;
const PEER: &str = "wasmtime-wasi";

pub fn rows() -> Result<Vec<Row>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().canonicalize()?.join("file");
    fs::write(&path, vec![b'x'; FILE_BYTES])?;
    let path = path.to_str().ok_or("a folder whose name is no text")?.to_owned();
    let system = System::open(Config::default())?;
    let grant = format!("fs.read {path}");
    let files = spawn(&system, "files.wasm", |spec| spec.name("files").grant(&grant))?;
    let mut plain = Plain::new("files.wasm", folder.path())?;
    let ours = |text: &str| -> Result<Vec<u8>, Box<dyn Error>> {
        Ok(system.request(files, text.as_bytes(), &RequestOptions::default())?)
    };
    let mut rows = Vec::new();
    let (opened, kept) = (format!("read {path}"), "get");
    ours(&format!("open {path}"))?;
    plain.request(b"open /file")?;
    for (name, of_ours, of_peer) in
        [("wasm/file-open-read-64k", opened.as_str(), "read /file"), ("wasm/file-read-64k", kept, kept)]
    {
        let (ours, peer) =
            in_turns(ROUNDS, || timed(|| ours(of_ours)), || timed(|| plain.request(of_peer.as_bytes())))?;
        rows.push(Row { name, unit: "us", ours, peer, peer_name: PEER });
    }
    system.close(None)?;
    Ok(rows)
}

/// Microseconds of one of many.
fn timed(mut read: impl FnMut() -> Result<Vec<u8>, Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let began = Instant::now();
    for _ in 0..READS {
        let content = read()?;
        assert_eq!(content.len(), FILE_BYTES, "the whole file");
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / READS as f64)
}
