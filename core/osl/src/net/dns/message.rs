//! The few messages of DNS (RFC 1035) that a question for the addresses of a name needs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses are asked for, with the number of the record that holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4 = 1,
    V6 = 28,
}

/// What a server said to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// None where the name has none of this family, or does not exist.
    Addresses(Vec<IpAddr>),
    /// It did not fit: to be asked for over TCP.
    Truncated,
    /// The server could not or would not, with its code.
    Failed(u8),
}

const CNAME: u16 = 5;
const INTERNET: u16 = 1;
/// Aliases that lead from the name to its addresses.
const ALIASES_MAX: usize = 8;
/// Records of one answer that are looked at.
const RECORDS_MAX: usize = 128;
/// Of a name with its length bytes.
const NAME_BYTES_MAX: usize = 255;

/// The question for one name, which is a host name in lower case without a last dot.
pub(crate) fn query(id: u16, name: &str, family: Family) -> Vec<u8> {
    // Recursion is desired; one question and nothing else.
    let mut message = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message[..2].copy_from_slice(&id.to_be_bytes());
    message.extend(wire(name));
    message.extend((family as u16).to_be_bytes());
    message.extend(INTERNET.to_be_bytes());
    message
}

/// What the message says to the question; nothing when it is no answer to it, or is not well formed.
pub(crate) fn answer(message: &[u8], id: u16, name: &str, family: Family) -> Option<Answer> {
    let mut reader = Reader { message, at: 0 };
    let (got_id, flags, questions) = (reader.number()?, reader.number()?, reader.number()?);
    let records = usize::from(reader.number()?).min(RECORDS_MAX);
    reader.skip(4)?;
    let is_standard_answer = flags & 0xf800 == 0x8000;
    if got_id != id || !is_standard_answer || questions != 1 {
        return None;
    }
    let asked = (wire(name), family as u16, INTERNET);
    if (reader.name()?, reader.number()?, reader.number()?) != asked {
        return None;
    }
    match (flags & 0x0200 != 0, (flags & 0xf) as u8) {
        (true, _) => Some(Answer::Truncated),
        (false, 0) => {
            let records: Option<Vec<Record>> = (0..records).map(|_| reader.record(family)).collect();
            Some(Answer::Addresses(follow(&records?, asked.0)))
        }
        // There is no such name.
        (false, 3) => Some(Answer::Addresses(Vec::new())),
        (false, code) => Some(Answer::Failed(code)),
    }
}

/// The addresses at the end of the aliases; none when there are too many of those.
fn follow(records: &[Record], mut name: Vec<u8>) -> Vec<IpAddr> {
    for _ in 0..=ALIASES_MAX {
        let own = || records.iter().filter(|record| record.owner == name);
        let addresses: Vec<IpAddr> = own().filter_map(|record| record.address()).collect();
        let alias = own().find_map(|record| record.alias());
        match alias {
            Some(alias) if addresses.is_empty() => name = alias.to_vec(),
            _ => return addresses,
        }
    }
    Vec::new()
}

struct Record {
    owner: Vec<u8>,
    data: Data,
}

enum Data {
    Address(IpAddr),
    Alias(Vec<u8>),
    Other,
}

impl Record {
    fn address(&self) -> Option<IpAddr> {
        if let Data::Address(ip) = self.data { Some(ip) } else { None }
    }

    fn alias(&self) -> Option<&[u8]> {
        if let Data::Alias(name) = &self.data { Some(name) } else { None }
    }
}

/// A name as it stands in a message: labels behind their lengths, and a zero.
fn wire(name: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).expect("a label of a host name is short"));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let bytes = self.message.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(bytes)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    fn number(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A name in lower case. A pointer leads to before the part it ends, so that none leads in circles.
    fn name(&mut self) -> Option<Vec<u8>> {
        let mut name = Vec::new();
        let mut after = None;
        let mut part = self.at;
        loop {
            let length = self.take(1)?[0];
            match length {
                0 => break,
                1..=63 => {
                    name.push(length);
                    name.extend(self.take(usize::from(length))?.iter().map(u8::to_ascii_lowercase));
                }
                0xc0..=0xff => {
                    let target = usize::from(length & 0x3f) << 8 | usize::from(self.take(1)?[0]);
                    if target >= part {
                        return None;
                    }
                    after.get_or_insert(self.at);
                    (self.at, part) = (target, target);
                }
                _ => return None,
            }
            if name.len() >= NAME_BYTES_MAX {
                return None;
            }
        }
        self.at = after.unwrap_or(self.at);
        name.push(0);
        Some(name)
    }

    fn record(&mut self, family: Family) -> Option<Record> {
        let owner = self.name()?;
        let (kind, class) = (self.number()?, self.number()?);
        // How long it may be kept is of no use to who asks anew each time.
        self.skip(4)?;
        let length = usize::from(self.number()?);
        let end = self.at.checked_add(length)?;
        let data = match (kind, class) {
            (CNAME, INTERNET) => Data::Alias(self.name()?),
            (kind, INTERNET) if kind == family as u16 => Data::Address(self.address(family)?),
            _ => {
                self.skip(length)?;
                Data::Other
            }
        };
        (self.at == end).then_some(Record { owner, data })
    }

    fn address(&mut self, family: Family) -> Option<IpAddr> {
        Some(match family {
            Family::V4 => Ipv4Addr::from(<[u8; 4]>::try_from(self.take(4)?).ok()?).into(),
            Family::V6 => Ipv6Addr::from(<[u8; 16]>::try_from(self.take(16)?).ok()?).into(),
        })
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
