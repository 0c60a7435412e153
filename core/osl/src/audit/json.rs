//! JSON of which no character ends a line or turns the direction of the text.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

/// The value on one line, without the line's end.
pub(crate) fn line(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, OneLine);
    value.serialize(&mut serializer).expect("it holds only texts, numbers and lists of them");
    String::from_utf8(bytes).expect("the formatter writes whole characters")
}

struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        // Nearly every text.
        if text.bytes().all(|byte| byte < 0x7f) {
            return out.write_all(text.as_bytes());
        }
        let mut rest = text;
        while let Some(at) = rest.find(is_hidden) {
            let hidden = rest[at..].chars().next().expect("one was found there");
            out.write_all(&rest.as_bytes()[..at])?;
            write!(out, "\\u{:04x}", u32::from(hidden))?;
            rest = &rest[at + hidden.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: io::Write + ?Sized>(
        &mut self,
        out: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        CompactFormatter.write_char_escape(out, escape)
    }
}

/// What some reader takes for the end of a line, or what changes how the rest of it looks.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_escaped_and_reads_back() {
        let text = "a\n\u{85}\u{2028}\u{202e}é😀\u{7f}\"\\";
        let line = line(&text);
        assert_eq!(line, r#""a\n\u0085\u2028\u202eé😀\u007f\"\\""#);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
