//! The hash chain: each line ends in `,"prev":"…","hash":"…"}`. `hash` is the SHA-256, in hexadecimal,
//! of the line without `,"hash":"…"`, and `prev` is the `hash` of the line before.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::record::Record;

/// Bytes of a hash in hexadecimal.
pub(crate) const HASH_CHARS: usize = 64;
const PREV_KEY: &str = ",\"prev\":\"";
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

/// Where a chain has got to; by default, before its first line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub seq: u64,
    pub hash: Hash,
}

impl Default for Hash {
    fn default() -> Self {
        Self([b'0'; HASH_CHARS])
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
        out.extend_from_slice(PREV_KEY.as_bytes());
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
    pub counts: BTreeMap<String, u64>,
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

/// Whether the line is the first part of one that may follow the head, as far as it goes; of none whose number
/// is not known, of any line.
pub(crate) fn is_beginning(line: &[u8], head: Option<&Head>) -> bool {
    let Some(head) = head else { return is_cut(line) };
    let start = format!("{{\"version\":1,\"seq\":{},\"time\":\"", head.seq + 1);
    agrees(line, start.as_bytes()) && is_cut(line) && is_sealed_so_far(line, head)
}

/// Whether the line is a record but for its end.
fn is_cut(line: &[u8]) -> bool {
    !line.is_empty() && serde_json::from_slice::<Line>(line).is_err_and(|why| why.is_eof())
}

/// Whether it links to the head and has its own hash, as far as it goes.
fn is_sealed_so_far(line: &[u8], head: &Head) -> bool {
    // A quote within a text has a backslash before it, so these stand nowhere else.
    let Some(prev) = find(line, PREV_KEY) else { return true };
    let content = prev + PREV_KEY.len() + HASH_CHARS;
    let hash = match line.get(..content + 1) {
        Some(content) => Hash::of(&[content, b"}"].concat()),
        None => Hash::default(),
    };
    let end = [PREV_KEY, head.hash.as_str(), "\"", HASH_KEY, hash.as_str(), LINE_END].concat();
    agrees(&line[prev..], end.as_bytes())
}

fn find(line: &[u8], key: &str) -> Option<usize> {
    line.windows(key.len()).position(|window| window == key.as_bytes())
}

/// Whether they are the same as far as both go.
fn agrees(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// All that a line may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read is asked")]
struct Line {
    version: u32,
    seq: u64,
    time: String,
    monotonic_ns: u64,
    actor: String,
    operation: String,
    id: Option<u64>,
    phase: Option<String>,
    capability: String,
    function: String,
    decision: String,
    grant: Option<u64>,
    rule: Option<String>,
    giver: Option<String>,
    parent: Option<u64>,
    duration_us: Option<u64>,
    outcome: Option<String>,
    #[serde(default)]
    counts: BTreeMap<String, u64>,
    prev: String,
    hash: String,
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
    #[test]
    fn hostile_l6_each_first_part_of_the_next_line_is_a_beginning_and_nothing_else() {
        let now = Moment { wall: std::time::UNIX_EPOCH, monotonic_ns: 5 };
        let (mut head, mut line) = (Head::default(), Vec::new());
        head.seal(&mut Record::own(now, Operation::Rotate, &[]), &mut Vec::new());
        let before = head;
        let mut record = Record::own(now, Operation::Torn, &[("lines", 1)]);
        record.outcome = Some("é\",\"prev\":\"".into());
        head.seal(&mut record, &mut line);
        assert!(Link::read(&line).unwrap().follows(&before));
        for end in 1..line.len() {
            assert!(is_beginning(&line[..end], Some(&before)), "{end}");
            assert!(is_beginning(&line[..end], None), "{end}");
            // Of a number of which the first digit is the same, no digit may follow.
            assert!(!is_beginning(&line[..end], Some(&head)) || end < 20, "{end}");
            let mut odd = line[..end].to_vec();
            odd.push(b'\x01');
            assert!(!is_beginning(&odd, Some(&before)), "{end}");
        }
        let text = String::from_utf8(line).unwrap();
        for (from, to) in [
            ("\"actor\"", "\"who\""),
            ("\"monotonic_ns\":5", "\"monotonic_ns\":6"),
            (",\"prev\":\"", ",\"prev\":\"0"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert!(
                changed != text && !is_beginning(&changed.as_bytes()[..changed.len() - 1], Some(&before)),
                "{to}"
            );
        }
        for odd in ["garbage", "{", "", "{}", "{\"version\":1,\"seq\":2,\"time\":7", "[1"] {
            let beginning = "{\"version".starts_with(odd) && !odd.is_empty();
            assert_eq!(is_beginning(odd.as_bytes(), Some(&before)), beginning, "{odd}");
        }
    }
}
