//! Patterns of addresses: `tools/worker-*/*`.

use std::fmt;
use std::str::FromStr;

use crate::id::{ActorId, InvalidId, PART_BYTES_MAX, is_part, is_part_byte};

/// Which actors are meant: `namespace/name/instance`, where a `*` stands for any characters of its part, also for none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdPattern(Box<str>);

impl IdPattern {
    /// Whether this is the id of one of those meant; takes time in proportion to the two lengths.
    pub fn matches(&self, id: &ActorId) -> bool {
        self.matches_text(id.as_str())
    }

    /// The same for the text of an id, all three parts of it.
    pub(crate) fn matches_text(&self, id: &str) -> bool {
        self.0.split('/').zip(id.split('/')).all(|(pattern, part)| part_matches(pattern, part))
    }

    /// The whole text, always three parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has no `*`, so that it means one id at most.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }
}

impl FromStr for IdPattern {
    type Err = InvalidId;

    /// Three parts; a bare name, which means `default/name/0`; or `*`, which means every actor.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text == "*" {
            return Ok(Self("*/*/*".into()));
        }
        let parts: Vec<&str> = text.splitn(4, '/').collect();
        match parts.iter().find_map(|part| flaw(part)) {
            Some(reason) => Err(InvalidId::new(text, reason)),
            None if parts.len() == 1 => Ok(Self(format!("default/{text}/0").into())),
            None if parts.len() == 3 => Ok(Self(text.into())),
            None => Err(InvalidId::new(
                text,
                "a pattern is namespace/name/instance, a bare name, or * for every actor",
            )),
        }
    }
}

/// What is wrong with a part of a pattern.
fn flaw(part: &str) -> Option<&'static str> {
    let wild = part.contains('*');
    if part.contains("**") {
        Some("** has no meaning in an id: write * in each part")
    } else if wild
        && part.len() <= PART_BYTES_MAX
        && part.bytes().all(|byte| byte == b'*' || is_part_byte(byte))
    {
        None
    } else if wild || !is_part(part) {
        Some("each part is 1 to 63 of a-z 0-9 - _ . * and starts with a letter, a digit or *")
    } else {
        None
    }
}

/// Whether a part is what its pattern says: each piece between two stars at its first place after the one before.
fn part_matches(pattern: &str, part: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == part;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut left) = part.strip_prefix(start).and_then(|part| part.strip_suffix(end)) else {
        return false;
    };
    middle.split('*').all(|piece| match left.find(piece) {
        Some(at) => {
            left = &left[at + piece.len()..];
            true
        }
        None => false,
    })
}

impl fmt::Display for IdPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> IdPattern {
        text.parse().expect("a pattern")
    }

    #[test]
    fn hostile_g9_a_star_stays_in_its_part() {
        let table = [
            ("*", "a/b/c", true),
            ("*/*/*", "a/b/c", true),
            ("b", "default/b/0", true),
            ("b", "default/b/1", false),
            ("b", "a/b/0", false),
            ("b*", "default/bee/0", true),
            ("b*", "default/bee/1", false),
            ("*b", "default/b/0", true),
            ("a/b/c", "a/b/c", true),
            ("a/b/c", "a/b/cc", false),
            ("a/*/c", "a/b/c", true),
            ("a/*/c", "a/b/d", false),
            ("a/b/*", "ab/b/c", false),
            ("a*/b/c", "ab/b/c", true),
            ("a*/b/c", "a/b/c", true),
            ("a*/b/c", "ba/b/c", false),
            ("*a/b/c", "ba/b/c", true),
            ("*a*/b/c", "bab/b/c", true),
            ("*a*/b/c", "bbb/b/c", false),
            ("a*a/b/c", "a/b/c", false),
            ("a*a/b/c", "aa/b/c", true),
            ("a*b*c/b/c", "a1b2c/b/c", true),
            ("a*b*c/b/c", "abc/b/c", true),
            ("a*b*c/b/c", "acb/b/c", false),
            ("a*b*a*b*c/b/c", "abab-c/b/c", true),
            ("a*b*a*b*c/b/c", "abb-c/b/c", false),
            ("*aab/b/c", "aaab/b/c", true),
            ("a.b/b/c", "axb/b/c", false),
            ("*.txt/b/c", "a.txt/b/c", true),
            ("*.txt/b/c", "atxt/b/c", false),
        ];
        for (text, id, meant) in table {
            let id: ActorId = id.parse().expect("an id");
            assert_eq!(pattern(text).matches(&id), meant, "{text} and {id}");
        }
    }

    #[test]
    fn hostile_a12_many_stars_cost_no_more_than_the_text_is_long() {
        let hog = format!("a/{}b/c", "a*".repeat(31));
        let id: ActorId = format!("a/{}/c", "a".repeat(63)).parse().expect("an id");
        assert!(!pattern(&hog).matches(&id));
    }

    #[test]
    fn a_pattern_without_a_star_is_an_id() {
        for text in ["a/b/c", "b", "a1/b-_./0"] {
            let id: ActorId = text.parse().expect("an id");
            assert_eq!(pattern(text).as_str(), id.as_str());
            assert!(pattern(text).matches(&id) && pattern(text).is_exact());
        }
        assert!(!pattern("*").is_exact());
        assert_eq!(pattern("*").to_string(), "*/*/*");
    }

    #[test]
    fn anything_else_is_refused() {
        let long = "*".to_owned() + &"a".repeat(63);
        let cases = [
            "", "/", "a/b", "*/*", "a/b/c/d", "*/*/*/*", "**", "a/**", "a/b/**", "A*", "a b*", "-a", "a//b",
            "ä*", "a/b/", "a\n*", "a\0*", "?", "[a]", "{a,b}", "\\*", &long,
        ];
        for text in cases {
            let refused = text.parse::<IdPattern>();
            assert_eq!(refused.is_err(), text != "{text:?} gave {refused:?}");
        }
        let reason = "a/**".parse::<IdPattern>().expect_err("refused").to_string();
        assert!(reason.contains("**") && reason.contains("write * in each part"), "{reason}");
    }
}
