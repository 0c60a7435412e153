//! The hash chain: each line ends in `,"prev":"…","hash":"…"}`. `hash` is the SHA-256, in hexadecimal,
//! of the line without `,"hash":"…"`, and `prev` is the `hash` of the line before.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::record::Record;

/// Bytes of a hash in hexadecimal.
pub(crate) const HASH_CHARS: usize = 64;
const HASH_KEY: &str = ",\"hash\":\"";
const LINE_END: &str = "\"}";

/// Where a chain has got to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub seq: u64,
    pub hash: String,
}

impl Default for Head {
    /// Before the first line.
    fn default() -> Self {
        Self { seq: 0, hash: "0".repeat(HASH_CHARS) }
    }
}

impl Head {
    /// Numbers the record, and gives its line, without the line's end; the head is then that line's.
    pub fn seal(&mut self, record: &mut Record) -> String {
        self.seq += 1;
        record.seq = self.seq;
        let mut line = record.to_json();
        line.pop();
        line.push_str(",\"prev\":\"");
        line.push_str(&self.hash);
        line.push_str(LINE_END);
        let hash = hex(&Sha256::digest(&line));
        line.truncate(line.len() - 1);
        line.push_str(HASH_KEY);
        line.push_str(&hash);
        line.push_str(LINE_END);
        self.hash = hash;
        line
    }
}

/// What of a line the chain is about.
#[derive(Debug, Deserialize)]
pub(crate) struct Link {
    version: u32,
    pub seq: u64,
    pub operation: String,
    #[serde(default)]
    pub counts: std::collections::BTreeMap<String, u64>,
    pub prev: String,
    pub hash: String,
}

/// Why a line is no link of any chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsealed {
    NoRecord,
    WrongHash,
}

impl Link {
    /// Reads a line, and checks that its hash is that of its content.
    pub fn read(line: &[u8]) -> Result<Self, Unsealed> {
        let link: Link = serde_json::from_slice(line).map_err(|_| Unsealed::NoRecord)?;
        if link.version != 1 {
            return Err(Unsealed::NoRecord);
        }
        let tail = format!("{HASH_KEY}{}{LINE_END}", link.hash);
        let content = line.strip_suffix(tail.as_bytes()).ok_or(Unsealed::WrongHash)?;
        let hash = Sha256::new().chain_update(content).chain_update("}").finalize();
        if hex(&hash) == link.hash { Ok(link) } else { Err(Unsealed::WrongHash) }
    }

    pub fn follows(&self, head: &Head) -> bool {
        self.prev == head.hash && self.seq == head.seq + 1
    }

    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(HASH_CHARS);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::clock::Moment;
    use crate::audit::record::Operation;

    #[test]
    fn a_line_links_to_the_one_before() {
        let now = Moment { wall: std::time::UNIX_EPOCH, monotonic_ns: 5 };
        let mut head = Head::default();
        let start = head.clone();
        let lines: Vec<String> =
            (0..2).map(|_| head.seal(&mut Record::own(now, Operation::Rotate, &[]))).collect();
        let first = Link::read(lines[0].as_bytes()).unwrap();
        let second = Link::read(lines[1].as_bytes()).unwrap();
        assert!(first.follows(&start) && second.follows(&first.head()) && !second.follows(&start));
        assert_eq!(second.head(), head);
        let edited = lines[0].replace("\"monotonic_ns\":5", "\"monotonic_ns\":6");
        assert_eq!(Link::read(edited.as_bytes()).unwrap_err(), Unsealed::WrongHash);
        let spaced = lines[0].replace("\"seq\":1", "\"seq\": 1");
        assert_eq!(Link::read(spaced.as_bytes()).unwrap_err(), Unsealed::WrongHash);
        assert_eq!(Link::read(&lines[0].as_bytes()[..90]).unwrap_err(), Unsealed::NoRecord);
    }
}
