//! What follows the ` ; ` of a capability: typed, each family its own.

use std::fmt;
use std::time::Duration;

use crate::endpoint::Protocol;
use crate::name::Name;
use crate::scope::env_pattern::EnvNames;
use crate::text::{self, Word};
use crate::{size, ttl};

/// All parameters there are; those that a family does not know are never set there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Params {
    /// Variables that a program may be given.
    pub env: EnvNames,
    /// Largest size of a region.
    pub max_bytes: Option<u64>,
    /// Names may lead to addresses that are not public.
    pub private: bool,
    /// Both when absent.
    pub proto: Option<Protocol>,
    /// What a namespace may hold.
    pub quota_bytes: Option<u64>,
    pub ttl: Option<Duration>,
}

/// The keys of a family and an example of each, in canonical order; `ttl` fits everywhere.
fn keys(name: Name) -> &'static [(&'static str, &'static str)] {
    const TTL: (&str, &str) = ("ttl", "60s");
    match name {
        Name::NetConnect => &[("private", "yes"), ("proto", "udp"), TTL],
        Name::NetListen => &[("proto", "udp"), TTL],
        Name::Http => &[("private", "yes"), TTL],
        Name::ProcessRun => &[("env", "LANG,TZ"), TTL],
        Name::KvWrite => &[("quota", "10MiB"), TTL],
        Name::RegionCreate => &[("max", "16MiB"), TTL],
        _ => &[TTL],
    }
}

impl Params {
    pub fn parse(name: Name, segments: &[Vec<Word>]) -> Result<Self, String> {
        let mut params = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        for segment in segments {
            if segment.is_empty() {
                return Err("nothing follows the `;`: leave it out, or write for example ; ttl=60s".into());
            }
            for word in segment {
                let Some((key, value)) = word.text.split_once('=') else {
                    return Err(unknown(name, &word.text));
                };
                if !keys(name).iter().any(|(known, _)| *known == key) {
                    return Err(unknown(name, key));
                }
                if seen.contains(&key) {
                    return Err(format!("{key} stands twice: write it once"));
                }
                seen.push(key);
                params.set(key, value)?;
            }
        }
        Ok(params)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match (key, value) {
            ("env", list) => self.env = EnvNames::parse_for_program(list)?,
            ("max", bytes) => self.max_bytes = Some(size::parse(bytes)?),
            ("private", "yes") => self.private = true,
            ("private", _) => return Err("private is yes, or left out".into()),
            ("proto", "tcp") => self.proto = Some(Protocol::Tcp),
            ("proto", "udp") => self.proto = Some(Protocol::Udp),
            ("proto", _) => return Err("proto is tcp or udp, or left out for both".into()),
            ("quota", bytes) => self.quota_bytes = Some(size::parse(bytes)?),
            (_, time) => self.ttl = Some(ttl::parse(time)?),
        }
        Ok(())
    }

    /// Whether these allow all that the others allow.
    pub fn include(&self, other: &Params) -> bool {
        fn within<T: Ord>(wide: Option<T>, narrow: Option<T>) -> bool {
            wide.is_none_or(|wide| narrow.is_some_and(|narrow| narrow <= wide))
        }
        self.env.includes(&other.env)
            && within(self.max_bytes, other.max_bytes)
            && (self.private || !other.private)
            && (self.proto.is_none() || self.proto == other.proto)
            && within(self.quota_bytes, other.quota_bytes)
            && within(self.ttl, other.ttl)
    }
}

fn unknown(name: Name, key: &str) -> String {
    let known = keys(name);
    let example =
        |key: &str| known.iter().find(|(known, _)| *known == key).map_or("", |(_, example)| example);
    if let [(only, value)] = known {
        return format!("{key:?} is no parameter here: the only one is {only}, as in ; {only}={value}");
    }
    match text::nearest(key, known.iter().map(|(known, _)| *known)) {
        Some(near) if near == key => format!("{key} has a value, as in ; {near}={}", example(near)),
        Some(near) => format!("{key:?} is no parameter here: did you mean {near}={}?", example(near)),
        None => {
            let all: Vec<&str> = known.iter().map(|(known, _)| *known).collect();
            format!("{key:?} is no parameter here: there are {}", all.join(", "))
        }
    }
}

/// Each after a ` ; `, sorted.
impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pairs = Vec::new();
        if self.env != EnvNames::default() {
            pairs.push(format!("env={}", self.env));
        }
        pairs.extend(self.max_bytes.map(|bytes| format!("max={}", size::print(bytes))));
        pairs.extend(self.private.then(|| "private=yes".to_owned()));
        pairs.extend(self.proto.map(|proto| format!("proto={proto}")));
        pairs.extend(self.quota_bytes.map(|bytes| format!("quota={}", size::print(bytes))));
        pairs.extend(self.ttl.map(|ttl| format!("ttl={}", ttl::print(ttl))));
        if pairs.is_empty() { Ok(()) } else { write!(f, " ; {}", pairs.join(" ; ")) }
    }
}
