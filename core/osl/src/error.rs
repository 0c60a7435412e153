use std::fmt;

use crate::text;

/// A capability text that is not accepted: which text, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapabilityError {
    pub text: String,
    pub reason: String,
}

/// Longest piece of a refused text that an error repeats.
const SHOWN_CHARS_MAX: usize = 200;

impl CapabilityError {
    pub(crate) fn new(text: &str, reason: impl Into<String>) -> Self {
        let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
        if shown.len() < text.len() {
            shown.push_str("...");
        }
        Self { text: shown, reason: reason.into() }
    }
}

impl fmt::Display for CapabilityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capability {}: {}", text::one_line(&self.text), self.reason)
    }
}

impl std::error::Error for CapabilityError {}
