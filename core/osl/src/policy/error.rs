use std::fmt;
use std::sync::Arc;

use super::node::Mark;

/// Why a policy file is refused: where, what, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The file as it was named.
    pub file: Arc<str>,
    /// From 1; 0 when the file as a whole is meant.
    pub line: u32,
    /// In characters, from 1; 0 when the file as a whole is meant.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

/// Longest message that repeats pieces of the file.
const MESSAGE_CHARS_MAX: usize = 1_000;

impl PolicyError {
    pub(super) fn new(file: &Arc<str>, mark: Mark, message: impl Into<String>) -> Self {
        let message: String = message.into().chars().take(MESSAGE_CHARS_MAX).collect();
        Self { file: file.clone(), line: mark.line, column: mark.column, message, suggestion: None }
    }

    /// The file as a whole.
    pub(super) fn whole(file: &Arc<str>, message: impl Into<String>) -> Self {
        Self::new(file, Mark::default(), message)
    }

    pub(super) fn suggest(mut self, suggestion: Option<&str>) -> Self {
        self.suggestion = suggestion.map(str::to_owned);
        self
    }
}

/// One line: `policy.yaml:12:7: unknown key dney: did you mean deny?`.
impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, ": did you mean {suggestion}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PolicyError {}

/// Whether a character would break a line or turn its direction where a text is shown.
pub(super) fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
