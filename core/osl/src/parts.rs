//! Patterns of names between separators, as in a path: `a/*/**`.

use std::fmt;

use crate::glob::{self, SPECIAL, Token};
use crate::{sequence, text};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Literal(String),
    /// One name that is not empty.
    Glob(Vec<Token>),
    /// `**`: any number of parts, none included. Never two in a row.
    AnyParts,
}

/// Whether the pattern covers the names. The steps are at most parts × names, each pair once, and
/// within a pair tokens × characters: together at most the tokens of the pattern × the characters of
/// the names.
pub(crate) fn matches<'a>(pattern: &[Part], names: impl Iterator<Item = &'a str> + Clone) -> bool {
    sequence::matches(pattern, names, is_any, Part::matches)
}

/// The parts before the first wildcard.
pub(crate) fn literal_prefix(pattern: &[Part]) -> Vec<&str> {
    let literals = pattern.iter().map_while(|part| match part {
        Part::Literal(name) => Some(name.as_str()),
        Part::Glob(_) | Part::AnyParts => None,
    });
    literals.collect()
}

/// Whether `wide` covers all that `narrow` does: never wrongly true.
///
/// Exact but for two pairs of patterns that it may hold apart though they are equal: where `wide` has
/// a `?` beside a `*`, and where it has a part `*` beside a part `**`.
pub(crate) fn includes(wide: &[Part], narrow: &[Part]) -> bool {
    sequence::matches(wide, narrow.iter(), is_any, |part, other| match (part, other) {
        (part, Part::Literal(name)) => part.matches(name),
        (Part::Glob(wide), Part::Glob(narrow)) => glob::includes(wide, narrow),
        _ => false,
    })
}

fn is_any(part: &Part) -> bool {
    *part == Part::AnyParts
}

impl Part {
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Part::Literal(literal) => literal == name,
            Part::Glob(tokens) => !name.is_empty() && glob::matches(tokens, name),
            Part::AnyParts => false,
        }
    }

    pub fn glob_chars(&self) -> usize {
        if let Part::Glob(tokens) = self { tokens.len() } else { 0 }
    }

    pub fn wildcards(&self) -> usize {
        match self {
            Part::Literal(_) => 0,
            Part::AnyParts => 1,
            Part::Glob(tokens) => tokens.iter().filter(|t| !matches!(t, Token::Char(_))).count(),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Literal(name) => f.write_str(&text::escape(name, SPECIAL)),
            Part::Glob(tokens) => glob::print(tokens, f),
            Part::AnyParts => f.write_str("**"),
        }
    }
}
