//! JSON of which no character ends a line or turns the direction of the text.

use std::collections::BTreeMap;
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

/// Appends the members of an object, one after the other.
pub(crate) struct Members<'a>(&'a mut Vec<u8>);

impl<'a> Members<'a> {
    /// Begins the object with its first member.
    pub fn begin(out: &'a mut Vec<u8>, key: &str, value: u64) -> Self {
        out.push(b'{');
        let mut members = Self(out);
        members.name(key);
        number(members.0, value);
        members
    }

    pub fn number(&mut self, key: &str, value: u64) {
        self.0.push(b',');
        self.name(key);
        number(self.0, value);
    }

    pub fn text(&mut self, key: &str, value: &str) {
        self.0.push(b',');
        self.name(key);
        text(self.0, value);
    }

    /// An object of numbers.
    pub fn numbers(&mut self, key: &str, values: &BTreeMap<&'static str, u64>) {
        self.0.push(b',');
        self.name(key);
        for (index, (key, value)) in values.iter().enumerate() {
            self.0.push(if index == 0 { b'{' } else { b',' });
            self.name(key);
            number(self.0, *value);
        }
        self.0.extend_from_slice(if values.is_empty() { b"{}" } else { b"}" });
    }

    pub fn end(self) {
        self.0.push(b'}');
    }

    /// A key of ours, which needs no escapes.
    fn name(&mut self, key: &str) {
        self.0.push(b'"');
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    let is_odd = |byte: u8| !(0x20..0x7f).contains(&byte) || byte == b'"' || byte == b'\\';
    // Without a way out of the loop it takes many bytes at a time.
    if text.bytes().fold(false, |odd, byte| odd | is_odd(byte)) {
        return out.extend_from_slice(line(&text).as_bytes());
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return out.extend_from_slice(&digits[start..]);
        }
    }
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

    #[test]
    fn members_are_those_of_any_other_writer() {
        let odd: String = ('\0'..='\u{a0}').collect();
        let mut out = Vec::new();
        let mut members = Members::begin(&mut out, "a", 0);
        members.number("b", u64::MAX);
        members.text("c", &odd);
        members.text("d", "");
        members.numbers("e", &BTreeMap::from([("f", 10), ("g", 9)]));
        members.numbers("h", &BTreeMap::new());
        members.end();
        let want =
            serde_json::json!({"a": 0, "b": u64::MAX, "c": odd, "d": "", "e": {"f": 10, "g": 9}, "h": {}});
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), want);
        assert!(out.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte >= 0xa0));
    }
}
