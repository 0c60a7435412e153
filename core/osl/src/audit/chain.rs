//! The hash chain: each line ends in `,"prev":"…","hash":"…"}`. `hash` is the SHA-256, in hexadecimal,
//! of the line without `,"hash":"…"`, and `prev` is the `hash` of the line before.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::record::Record;

/// Bytes of a hash in hexadecimal.
pub(crate) const HASH_CHARS: usize = 64;
const HASH_KEY: &str = ",\"hash\":\"";
const LINE_END: &str = "\"}";

/// A SHA-256 in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hash([u8; HASH_CHARS]);

impl Hash {
    fn of(bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; HASH_CHARS];
        for (pair, byte) in text.chunks_exact_mut(2).zip(Sha256::digest(bytes)) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }
}

/// Where a chain has got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub seq: u64,
    pub hash: Hash,
}

impl Default for Head {
    /// Before the first line.
    fn default() -> Self {
        Self { seq: 0, hash: Hash([b'0'; HASH_CHARS]) }
    }
}

impl Head {
    /// Numbers the record, and appends its line, without the line's end; the head is then that line's.
    pub fn seal(&mut self, record: &mut Record, out: &mut Vec<u8>) {
        self.seq += 1;
        record.seq = self.seq;
        let start = out.len();
        record.write_json(out);
        out.pop();
        out.extend_from_slice(b",\"prev\":\"");
        out.extend_from_slice(&self.hash.0);
        out.extend_from_slice(LINE_END.as_bytes());
        self.hash = Hash::of(&out[start..]);
        out.pop();
        out.extend_from_slice(HASH_KEY.as_bytes());
        out.extend_from_slice(&self.hash.0);
        out.extend_from_slice(LINE_END.as_bytes());
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
    /// Not of the line: what `read` made of it.
    #[serde(skip)]
    head: Head,
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
        let head = Head { seq: link.seq, hash: Hash::of(&[content, b"}"].concat()) };
        if head.hash.as_str() == link.hash { Ok(Self { head, ..link }) } else { Err(Unsealed::WrongHash) }
    }

    pub fn follows(&self, head: &Head) -> bool {
        self.prev == head.hash.as_str() && self.seq == head.seq + 1
    }

    pub fn head(&self) -> Head {
        self.head
    }
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
        let start = head;
        let mut seal = |_| {
            let mut line = Vec::new();
            head.seal(&mut Record::own(now, Operation::Rotate, &[]), &mut line);
            String::from_utf8(line).unwrap()
        };
        let lines = [0, 1].map(&mut seal);
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
