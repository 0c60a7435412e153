use std::fmt;

use crate::glob::{self, Token};

/// Which actors a message grant reaches: three parts, `*` inside each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ActorPattern([Vec<Token>; 3]);

const PART_BYTES_MAX: usize = 63;

impl ActorPattern {
    /// Reads `namespace/name/instance`, or a bare name, which is `default/name/0`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(parts) = three_parts(text) else {
            return Err("an actor is namespace/name/instance, or a bare name for default/name/0".into());
        };
        if text.contains('*') && !text.contains('/') {
            return Err(format!(
                "a bare name takes no `*`: write default/{text}/0, or */{text}/* for all of that name"
            ));
        }
        let mut read = [Vec::new(), Vec::new(), Vec::new()];
        for (part, tokens) in parts.into_iter().zip(&mut read) {
            if part.is_empty() || part.len() > PART_BYTES_MAX || !part.starts_with(|c| first(c) || c == '*') {
                return Err("each part is 1 to 63 characters and starts with a letter, a digit or `*`".into());
            }
            if let Some(odd) = part.chars().find(|c| !(later(*c) || *c == '*')) {
                return Err(format!(
                    "{odd:?} is in no actor id: use a-z, 0-9, `-`, `_`, `.`, and `*` for any run of them"
                ));
            }
            *tokens = part.chars().map(|c| if c == '*' { Token::Run } else { Token::Char(c) }).collect();
            tokens.dedup_by(|a, b| *a == Token::Run && *b == Token::Run);
        }
        Ok(Self(read))
    }

    /// Whether the id, in either form, is a valid one that the pattern covers. Allocates nothing.
    pub fn matches(&self, id: &str) -> bool {
        three_parts(id).is_some_and(|parts| {
            self.0.iter().zip(parts).all(|(tokens, part)| valid(part) && glob::matches(tokens, part))
        })
    }
}

impl ActorPattern {
    /// Whether it covers all that the other covers; exact.
    pub fn includes(&self, other: &ActorPattern) -> bool {
        self.0.iter().zip(&other.0).all(|(wide, narrow)| glob::includes(wide, narrow))
    }

    /// Whether some id may be covered by both; never a wrong no.
    pub fn overlaps(&self, other: &ActorPattern) -> bool {
        let open = |part: &Vec<Token>| part.contains(&Token::Run);
        self.0
            .iter()
            .zip(&other.0)
            .all(|(a, b)| (open(a) && open(b)) || glob::includes(a, b) || glob::includes(b, a))
    }

    /// Its parts, where they are without a wildcard.
    pub fn literals(&self) -> [Option<String>; 3] {
        [0, 1, 2].map(|at| glob::literal(&self.0[at]))
    }

    /// The one id that it covers, if it has no wildcard.
    pub fn exact(&self) -> Option<String> {
        let parts: Option<Vec<String>> = self.literals().into_iter().collect();
        parts.map(|parts| parts.join("/"))
    }
}

/// The id with its three parts; a text that is no id comes back as it is.
pub(crate) fn canonical(id: &str) -> String {
    match three_parts(id) {
        Some(parts) if parts.iter().all(|part| valid(part)) => parts.join("/"),
        _ => id.to_owned(),
    }
}

pub(crate) fn three_parts(text: &str) -> Option<[&str; 3]> {
    // Byte by byte, which is the quickest for texts as short as these.
    let slash = |from: usize| text.bytes().skip(from).position(|byte| byte == b'/').map(|at| from + at);
    let Some(first) = slash(0) else { return Some(["default", text, "0"]) };
    let second = slash(first + 1)?;
    slash(second + 1).is_none().then(|| [&text[..first], &text[first + 1..second], &text[second + 1..]])
}

fn valid(part: &str) -> bool {
    part.len() <= PART_BYTES_MAX && part.starts_with(first) && part.bytes().all(|byte| later(byte.into()))
}

fn first(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn later(c: char) -> bool {
    first(c) || matches!(c, '-' | '_' | '.')
}

impl fmt::Display for ActorPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, tokens) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            for token in tokens {
                match token {
                    Token::Char(c) => write!(f, "{c}")?,
                    Token::One | Token::Run => f.write_str("*")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actor_patterns() {
        let table = [
            ("db", "db", true),
            ("db", "default/db/0", true),
            ("db", "default/db/1", false),
            ("default/db/0", "db", true),
            ("tools/*/*", "tools/fetch/0", true),
            ("tools/*/*", "tools2/fetch/0", false),
            ("tools/*/*", "tools/a/b/c", false),
            ("tools/*/*", "tools/fetch", false),
            ("tools/*/*", "tools//0", false),
            ("tools/*/*", "tools/a b/0", false),
            ("tools/*/*", "tools/A/0", false),
            ("tools/*/*", "tools/-a/0", false),
            ("tools/*/*", "tools/*/*", false),
            ("tools/f*h/0", "tools/fetch/0", true),
            ("tools/f*h/0", "tools/f/h/0", false),
            ("*/*/*", "x", true),
            ("*/*/*", "", false),
        ];
        for (pattern, id, want) in table {
            assert_eq!(ActorPattern::parse(pattern).unwrap().matches(id), want, "{pattern} {id}");
        }
        for bad in ["", "a/b", "a/b/c/d", "a*", "*", "A", "a/?/0", "a//0", "-a", "a/b/c\n", &"a".repeat(64)] {
            assert!(ActorPattern::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(ActorPattern::parse("db").unwrap().to_string(), "default/db/0");
        assert_eq!(ActorPattern::parse("a/**b/0").unwrap().to_string(), "a/*b/0");
    }
}
