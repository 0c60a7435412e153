//! What a checked read of a small file costs, beside the standard library and cap-std alone.
//!
//! `cargo run --release -p airssys-osl --example checked_read`; with a name of a row only that one runs,
//! so that `strace -f -c` counts its calls.

use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use airssys_osl::{Ask, Audit, AuditConfig, Capability, CapabilitySet, Files};
use cap_std::ambient_authority;
use cap_std::fs::Dir;

const FILE_BYTES: usize = 4_096;
const READS: u32 = 20_000;
const ROUNDS: usize = 7;

type Row = (&'static str, Box<dyn Fn(&mut [u8])>);

fn main() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path().canonicalize().expect("it exists");
    std::fs::create_dir(root.join("d")).expect("it is new");
    std::fs::write(root.join("d/f"), [7; FILE_BYTES]).expect("it is new");
    std::os::unix::fs::symlink("f", root.join("d/l")).expect("it is new");
    let only = std::env::args().nth(1);
    let mut rows = rows(root.to_str().expect("it is UTF-8"));
    rows.retain(|(name, _)| only.as_ref().is_none_or(|only| only == name));
    let mut best = vec![Duration::MAX; rows.len()];
    for _ in 0..ROUNDS {
        // In turn, so that a busy moment meets them all.
        for ((_, read), best) in rows.iter().zip(&mut best) {
            *best = (*best).min(time(read));
        }
    }
    for ((name, _), took) in rows.iter().zip(&best) {
        let ratio = took.as_secs_f64() / best[0].as_secs_f64();
        println!("{name:12} {:6} ns {ratio:5.2} x", took.as_nanos() / u128::from(READS));
    }
}

fn time(read: &dyn Fn(&mut [u8])) -> Duration {
    let mut buf = [0; FILE_BYTES];
    let start = Instant::now();
    for _ in 0..READS {
        read(&mut buf);
        black_box(&buf);
    }
    start.elapsed()
}

fn rows(root: &str) -> Vec<Row> {
    let audit = Audit::open(AuditConfig::default()).expect("no file is opened");
    let set = CapabilitySet::new("bench", audit);
    let grant = Capability::parse(&format!("fs.read {root}/**")).expect("a path without wildcards");
    set.grant(1, grant[0].clone(), None).expect("the directory exists");
    let (files, dir) =
        (Files::new(set.clone()), Dir::open_ambient_dir(root, ambient_authority()).expect("it exists"));
    let (path, link) = (format!("{root}/d/f"), format!("{root}/d/l"));
    let (std_path, through) = (path.clone(), files.clone());
    let ask = Ask::FsRead(path.clone());
    let open = files.open(&path, "bench").expect("it is granted");
    vec![
        (
            "std",
            Box::new(move |buf| {
                let file = std::fs::File::open(&std_path).expect("it exists");
                assert_eq!(file.read_at(buf, 0).expect("a file"), FILE_BYTES);
            }),
        ),
        (
            "cap-std",
            Box::new(move |buf| {
                let file = dir.open("d/f").expect("it exists").into_std();
                assert_eq!(file.read_at(buf, 0).expect("a file"), FILE_BYTES);
            }),
        ),
        (
            "checked",
            Box::new(move |buf| {
                let file = files.open(&path, "bench").expect("it is granted");
                assert_eq!(file.read_at(buf, 0).expect("a file"), FILE_BYTES);
            }),
        ),
        (
            "checked-link",
            Box::new(move |buf| {
                let file = through.open(&link, "bench").expect("it is granted");
                assert_eq!(file.read_at(buf, 0).expect("a file"), FILE_BYTES);
            }),
        ),
        // The decision and its audit record, without a file.
        ("decision", Box::new(move |_| drop(set.check(&ask, "bench").expect("it is granted")))),
        (
            "open-handle",
            Box::new(move |buf| {
                assert_eq!(open.read_at(buf, 0).expect("it is granted"), FILE_BYTES);
            }),
        ),
    ]
}
