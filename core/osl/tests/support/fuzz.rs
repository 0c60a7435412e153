//! Runs a property over a committed corpus and seeded mutations of it: `AIRSSYS_FUZZ` says how many
//! mutations, 10,000 without it.

use std::path::PathBuf;

use super::seeded::{Seeded, count};

const MUTATIONS: u64 = 10_000;
const INPUT_BYTES_MAX: usize = 4_096;

/// Bytes that mean something to one of the parsers.
const MEANINGFUL: &[&str] = &[
    "*",
    "**",
    "?",
    "/",
    "//",
    "..",
    ".",
    "%2e",
    "%2f",
    "%25",
    "%3b",
    "%5c",
    "/../",
    "\\",
    ";",
    " ; ",
    "=",
    ",",
    ":",
    "@",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "#",
    "\0",
    "\n",
    " ",
    "0",
    "0x",
    "127.1",
    "::",
    "::ffff:",
    "xn--",
    "\u{e9}",
    "\u{2460}",
    "-",
    "ttl=",
    "proto=",
    "env=",
    "max=",
    "quota=",
    "private=yes",
    "10MiB",
    "60s",
    "ttl=60s",
    "fs.read",
    "net.connect",
    "http ",
];

/// Calls `property` with each file of `tests/corpus/<name>` and with mutations of them.
pub fn run(name: &str, property: impl Fn(&[u8])) {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!corpus.is_empty(), "{name} has a corpus");
    corpus.iter().for_each(|input| property(input));
    let mut seeded = Seeded::new(name.len() as u64);
    for _ in 0..count("AIRSSYS_FUZZ", MUTATIONS) {
        let mut input = seeded.pick(&corpus);
        for _ in 0..1 + seeded.below(4) {
            mutate(&mut input, &corpus, &mut seeded);
        }
        property(&input);
    }
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], seeded: &mut Seeded) {
    let at = seeded.below(input.len() + 1);
    match seeded.below(6) {
        0 => drop(input.splice(at..at, seeded.pick(MEANINGFUL).bytes())),
        1 => input.insert(at, seeded.below(256) as u8),
        2 if at < input.len() => input[at] ^= 1 << seeded.below(8),
        3 if at < input.len() => drop(input.drain(at..(at + 1 + seeded.below(4)).min(input.len()))),
        4 => {
            let other = seeded.pick(corpus);
            let from = seeded.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        _ => {
            let end = at + seeded.below(input.len() - at + 1);
            let piece = input[at..end].to_vec();
            input.splice(at..at, piece);
        }
    }
    input.truncate(INPUT_BYTES_MAX);
}
