//! Addresses: `namespace/name/instance`.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub(crate) const PART_BYTES_MAX: usize = 63;

/// The address of an actor, three parts, each `[a-z0-9][a-z0-9-_.]{0,62}`; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActorId(Arc<str>);

/// Why a text is no [`ActorId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidId {
    /// The text, at most 100 characters of it.
    pub text: String,
    /// What is wrong, and what to write instead.
    pub reason: &'static str,
}

impl ActorId {
    /// The id of these three parts.
    pub fn new(namespace: &str, name: &str, instance: &str) -> Result<Self, InvalidId> {
        format!("{namespace}/{name}/{instance}").parse()
    }

    /// The id of an actor that was given none.
    pub(crate) fn unnamed(number: u64) -> Self {
        Self(format!("unnamed/actor/{number}").into())
    }

    /// The text without a copy.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// The whole text, always three parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl InvalidId {
    pub(crate) fn new(text: &str, reason: &'static str) -> Self {
        Self { text: text.chars().take(100).collect(), reason }
    }
}

impl FromStr for ActorId {
    type Err = InvalidId;

    /// Three parts, or a bare name, which means `default/name/0`.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = |reason| InvalidId::new(text, reason);
        let well_formed = text.splitn(4, '/').all(is_part);
        match text.splitn(4, '/').count() {
            _ if !well_formed => {
                Err(invalid("each part is 1 to 63 of a-z 0-9 - _ . and starts with a letter or digit"))
            }
            1 => Ok(Self(["default/", text, "/0"].concat().into())),
            3 => Ok(Self(text.into())),
            _ => Err(invalid("an id is namespace/name/instance or a bare name")),
        }
    }
}

// A table of ids is searched by text; an id hashes and compares as its text does.
impl Borrow<str> for ActorId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

pub(crate) fn is_part(part: &str) -> bool {
    part.len() <= PART_BYTES_MAX
        && part.as_bytes().first().is_some_and(|byte| is_alphanumeric(*byte))
        && part.bytes().all(is_part_byte)
}

pub(crate) fn is_part_byte(byte: u8) -> bool {
    is_alphanumeric(byte) || b"-_.".contains(&byte)
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no actor id: {}", self.text, self.reason)
    }
}

impl std::error::Error for InvalidId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_means_the_default_namespace_and_instance_0() {
        assert_eq!("hello".parse::<ActorId>().expect("valid").as_str(), "default/hello/0");
        assert_eq!("a/b/c".parse::<ActorId>().expect("valid").as_str(), "a/b/c");
    }

    #[test]
    fn anything_else_is_refused() {
        let long = "a".repeat(64);
        let cases = ["", "/", "a/b", "a/b/c/d", "A", "a b", "-a", "a//b", "ä", "a/b/", "a\n", "a\0", &long];
        for text in cases {
            assert!(text.parse::<ActorId>().is_err(), "{text:?} was accepted");
        }
    }
}
