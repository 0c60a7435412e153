//! `wasm/http-get`: a GET of a server on loopback through our checks, and through plain wasmtime-wasi-http.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Instant;
use std::{io, thread};

use airwasm::{Config, RequestOptions, System};

use crate::fairness::spawn;
use crate::plain::Plain;
use crate::report::{Row, in_turns};

const ROUNDS: usize = 15;
const REQUESTS: usize = 50;
const BODY: &str = "hello";

pub fn rows() -> Result<Vec<Row>, Box<dyn Error>> {
    let url = format!("http://{}/x", serve()?);
    let system = System::open(Config::default())?;
    let grant = format!("http GET {url}");
    let fetch = spawn(&system, "fetch.wasm", |spec| spec.name("fetch").grant(&grant))?;
    let folder = tempfile::tempdir()?;
    let mut plain = Plain::new("fetch.wasm", folder.path())?;
    let (ours, peer) = in_turns(
        ROUNDS,
        || timed(|| Ok(system.request(fetch, url.as_bytes(), &RequestOptions::default())?)),
        || timed(|| plain.request(url.as_bytes())),
    )?;
    system.close(None)?;
    Ok(vec![Row { name: "wasm/http-get", unit: "us", ours, peer, peer_name: "wasmtime-wasi-http" }])
}

/// Answers each connection once; it ends with the program.
fn serve() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", BODY.len());
            // A client that has gone is of no interest.
            let _ = (&stream).write_all((head + BODY).as_bytes());
        }
    });
    Ok(address)
}

/// Microseconds of one of many.
fn timed(mut get: impl FnMut() -> Result<Vec<u8>, Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let began = Instant::now();
    for _ in 0..REQUESTS {
        let body = get()?;
        assert_eq!(body, BODY.as_bytes(), "what the server said");
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / REQUESTS as f64)
}
