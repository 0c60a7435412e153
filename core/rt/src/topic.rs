//! Topics, and patterns of topics: `news.tech`, `news.*`, `news.>`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

const TOPIC_BYTES_MAX: usize = 255;
pub(crate) const TOPIC_PARTS_MAX: usize = 32;

/// What is published under: parts of visible ASCII without `*` and `>`, separated by dots; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(Arc<str>);

/// What is subscribed to: a topic in which `*` stands for one part, and a final `>` for one or more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPattern(Arc<str>);

/// Why a text is no [`Topic`] or no [`TopicPattern`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTopic {
    /// The text, at most 100 characters of it.
    pub text: String,
    /// What is wrong, and what to write instead.
    pub reason: &'static str,
}

impl Topic {
    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

impl TopicPattern {
    /// Whether this topic is one of those meant; takes time in proportion to the two lengths.
    pub fn matches(&self, topic: &Topic) -> bool {
        let mut parts = topic.parts();
        for wanted in self.parts() {
            match (wanted, parts.next()) {
                (_, None) => return false,
                (">", Some(_)) => return true,
                ("*", Some(_)) => {}
                (literal, Some(part)) if literal == part => {}
                _ => return false,
            }
        }
        parts.next().is_none()
    }

    /// The one topic it means, if it has no wildcard.
    pub fn exact(&self) -> Option<Topic> {
        // No part of a topic holds these, so wherever they stand they are wildcards.
        (!self.0.contains(['*', '>'])).then(|| Topic(self.0.clone()))
    }

    /// The whole text, in its canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

impl FromStr for Topic {
    type Err = InvalidTopic;

    fn from_str(text: &str) -> Result<Self, InvalidTopic> {
        let flaw = |part: &str| match part.contains(['*', '>']) {
            true => Some("a topic has no wildcards: * and > belong to subscriptions"),
            false => literal_flaw(part),
        };
        check(text, |part, _| flaw(part))?;
        Ok(Self(text.into()))
    }
}

impl FromStr for TopicPattern {
    type Err = InvalidTopic;

    /// A final `**` is another spelling of `>`.
    fn from_str(text: &str) -> Result<Self, InvalidTopic> {
        check(text, |part, last| match part {
            "*" => None,
            ">" | "**" if last => None,
            ">" | "**" => Some("> and ** stand for one or more parts, and only at the end"),
            part if part.contains(['*', '>']) => {
                Some("a wildcard is a whole part: * for one, a final > for the rest")
            }
            part => literal_flaw(part),
        })?;
        let rest = text.strip_suffix("**").map(|start| format!("{start}>").into());
        Ok(Self(rest.unwrap_or_else(|| text.into())))
    }
}

/// Asks `flaw` about each part, and whether that is the last, once the whole is of a size to be looked at.
fn check(text: &str, flaw: impl Fn(&str, bool) -> Option<&'static str>) -> Result<(), InvalidTopic> {
    let count = text.split('.').take(TOPIC_PARTS_MAX + 1).count();
    let reason = if text.is_empty() || text.len() > TOPIC_BYTES_MAX {
        Some("it has 1 to 255 bytes")
    } else if count > TOPIC_PARTS_MAX {
        Some("it has at most 32 parts")
    } else {
        text.split('.').enumerate().find_map(|(at, part)| flaw(part, at + 1 == count))
    };
    let invalid = |reason| InvalidTopic { text: text.chars().take(100).collect(), reason };
    reason.map_or(Ok(()), |reason| Err(invalid(reason)))
}

/// What is wrong with a part that is no wildcard and holds none.
fn literal_flaw(part: &str) -> Option<&'static str> {
    if part.is_empty() {
        Some("no part is empty: one dot stands between two parts, none at the ends")
    } else if !part.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("its parts are visible ASCII, without spaces")
    } else {
        None
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no topic: {}", self.text, self.reason)
    }
}

impl std::error::Error for InvalidTopic {}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(text: &str) -> Topic {
        text.parse().expect("a topic")
    }

    fn pattern(text: &str) -> TopicPattern {
        text.parse().expect("a pattern")
    }

    #[test]
    fn hostile_g9_a_pattern_means_whole_parts_and_no_more() {
        let table = [
            ("news", "news", true),
            ("news", "new", false),
            ("news", "newss", false),
            ("news", "News", false),
            ("news", "news.tech", false),
            ("news.tech", "news", false),
            ("news.tech", "news.tech", true),
            ("news.tech", "news.techno", false),
            ("news.tech", "newsxtech", false),
            ("*", "news", true),
            ("*", "news.tech", false),
            ("news.*", "news", false),
            ("news.*", "news.tech", true),
            ("news.*", "news.tech.rust", false),
            ("news.*", "newspaper.tech", false),
            ("*.tech", "news.tech", true),
            ("*.tech", "tech", false),
            ("*.tech", "a.news.tech", false),
            ("*.*", "news.tech", true),
            ("*.*", "news", false),
            ("*.*", "news.tech.rust", false),
            ("news.*.rust", "news.tech.rust", true),
            ("news.*.rust", "news.rust", false),
            ("news.*.rust", "news.a.b.rust", false),
            (">", "news", true),
            (">", "news.tech.rust", true),
            ("**", "news.tech", true),
            ("news.>", "news", false),
            ("news.>", "news.tech", true),
            ("news.>", "news.tech.rust", true),
            ("news.>", "newspaper.tech", false),
            ("news.**", "news", false),
            ("news.**", "news.tech.rust", true),
            ("*.>", "news", false),
            ("*.>", "news.tech", true),
            ("*.>", "news.tech.rust", true),
            ("*.*.>", "news.tech", false),
            ("*.*.>", "news.tech.rust", true),
            ("*.tech.>", "news.tech.rust", true),
            ("*.tech.>", "news.a.tech.rust", false),
            ("a.a.a.b", "a.a.a.a", false),
            ("*.a.*.b", "a.a.a.a.b", false),
            ("news.[a-z]", "news.t", false),
            ("news.{a,b}", "news.a", false),
            ("news.?", "news.a", false),
            ("news.?", "news.?", true),
            ("$sys/#", "$sys/#", true),
            ("$sys/#", "$sys/x", false),
        ];
        for (text, published, meant) in table {
            assert_eq!(pattern(text).matches(&topic(published)), meant, "{text} and {published}");
        }
    }

    #[test]
    fn hostile_g9_what_is_no_topic_is_refused() {
        let bytes = "a".repeat(256);
        let parts = ["a"; 33].join(".");
        let neither = [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "..",
            "a b",
            " a",
            "a\t",
            "a\n",
            "a\0b",
            "\u{7f}",
            "ä",
            "a.\u{ff0e}.b",
            "\u{200b}",
            &bytes,
            &parts,
        ];
        for text in neither {
            assert!(text.parse::<Topic>().is_err(), "{text:?} was accepted as a topic");
            assert!(text.parse::<TopicPattern>().is_err(), "{text:?} was accepted as a pattern");
        }
        for text in ["*", ">", "**", "a.*", "a.>", "a*", "*a.b", "a>b"] {
            assert!(text.parse::<Topic>().is_err(), "{text:?} was accepted as a topic");
        }
        for text in [
            "a*", "*a", "a*b", "a>", ">a", "***", "a.***", ">.a", "**.a", "a.**.b", "a.>.>", "**.**", "*>",
            ">>",
        ] {
            assert!(text.parse::<TopicPattern>().is_err(), "{text:?} was accepted as a pattern");
        }
    }

    #[test]
    fn the_bounds_are_exact() {
        let longest = "a".repeat(TOPIC_BYTES_MAX);
        let deepest = ["a"; TOPIC_PARTS_MAX].join(".");
        for text in [longest.as_str(), &deepest] {
            assert!(pattern(text).matches(&topic(text)));
        }
        let wild = ["*"; TOPIC_PARTS_MAX - 1].join(".") + ".>";
        assert!(pattern(&wild).matches(&topic(&deepest)));
    }

    #[test]
    fn a_pattern_is_shown_in_one_spelling() {
        for (text, shown) in [("**", ">"), ("a.**", "a.>"), ("a.>", "a.>"), ("*.*", "*.*"), ("a.b", "a.b")] {
            assert_eq!(pattern(text).to_string(), shown);
            assert_eq!(pattern(shown), pattern(text));
        }
        assert_eq!(pattern("a.b").exact(), Some(topic("a.b")));
        assert_eq!((pattern("a.*").exact(), pattern("a.>").exact()), (None, None));
    }

    #[test]
    fn a_refusal_says_what_and_why() {
        let reason = |text: &str| text.parse::<TopicPattern>().expect_err("refused").to_string();
        assert_eq!(
            reason("a.>.b"),
            r#""a.>.b" is no topic: > and ** stand for one or more parts, and only at the end"#
        );
        assert!(reason("a*").contains("a wildcard is a whole part"));
        assert!(reason(&"ä".repeat(1_000)).len() < 400);
    }
}
