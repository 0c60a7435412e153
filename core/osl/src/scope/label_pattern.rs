//! Short names of our own: namespaces of keys, regions, custom capabilities and their actions.

use std::fmt;

use crate::glob::{self, Token};

const LABEL_BYTES_MAX: usize = 63;
const LABEL: &str = "1 to 63 letters, digits, `-`, `_` and `.`, the first a letter or a digit";

/// A name, with `*` for any run of its characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LabelPattern(Vec<Token>);

impl LabelPattern {
    pub fn parse(text: &str) -> Result<Self, String> {
        let bare = text.replace('*', "a");
        if !is_label(&bare) {
            return Err(format!("{text:?} is no name: use {LABEL}; `*` stands for any run of them"));
        }
        let mut tokens: Vec<Token> =
            text.chars().map(|c| if c == '*' { Token::Run } else { Token::Char(c) }).collect();
        tokens.dedup_by(|a, b| *a == Token::Run && *b == Token::Run);
        Ok(Self(tokens))
    }

    /// At most 63 × 63 steps.
    pub fn matches(&self, name: &str) -> bool {
        is_label(name) && glob::matches(&self.0, name)
    }

    /// Exact.
    pub fn includes(&self, other: &LabelPattern) -> bool {
        glob::includes(&self.0, &other.0)
    }

    pub fn exact(&self) -> Option<String> {
        glob::literal(&self.0)
    }
}

impl fmt::Display for LabelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        glob::print(&self.0, f)
    }
}

/// Reads a name without a wildcard.
pub(crate) fn label(text: &str) -> Result<String, String> {
    if is_label(text) { Ok(text.to_owned()) } else { Err(format!("{text:?} is no name: use {LABEL}")) }
}

/// Whether the text is such a name.
pub(crate) fn is_label(text: &str) -> bool {
    text.len() <= LABEL_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
