//! Words of a capability text: how they are split, and how an odd one is quoted.
//!
//! A line made here survives being pasted after `- ` in a YAML policy: it is one line of printable
//! ASCII, and holds neither `: ` nor ` #`, which would end a plain YAML scalar.

use std::borrow::Cow;
use std::fmt::Write;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub text: String,
    pub quoted: bool,
}

/// Splits a text into segments at each unquoted `;`, and each segment into words.
pub(crate) fn split(text: &str) -> Result<Vec<Vec<Word>>, String> {
    let mut segments = vec![Vec::new()];
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(' ');
        let Some(first) = rest.chars().next() else { return Ok(segments) };
        if first == ';' {
            segments.push(Vec::new());
            rest = &rest[1..];
            continue;
        }
        let (word, after) = if first == '"' { quoted_word(rest)? } else { bare_word(rest)? };
        segments.last_mut().expect("a segment is pushed before the loop").push(word);
        rest = after;
    }
}

fn quoted_word(rest: &str) -> Result<(Word, &str), String> {
    let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let text = match stream.next() {
        Some(Ok(text)) => text,
        _ => return Err("the quoted word is not a JSON string, such as \"/a b\"".into()),
    };
    let after = &rest[stream.byte_offset()..];
    if !(after.is_empty() || after.starts_with([' ', ';'])) {
        return Err("a quoted word ends with its quote; put a space or `;` after it".into());
    }
    Ok((Word { text, quoted: true }, after))
}

fn bare_word(rest: &str) -> Result<(Word, &str), String> {
    let end = rest.find([' ', ';']).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    if let Some(odd) = word.chars().find(|c| !is_bare(*c)) {
        let whole = json_string(word);
        return Err(format!("{:?} stands only in a quoted word: write {whole}", odd));
    }
    Ok((Word { text: word.to_owned(), quoted: false }, after))
}

fn is_bare(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, ';' | '"' | '\'' | '`')
}

/// The word as it stands in a capability text: itself, or a JSON string when anything in it is odd.
pub(crate) fn word(text: &str) -> String {
    // A bare word that ends with `:` or starts with `#` means something else to YAML.
    let plain =
        !text.is_empty() && text.chars().all(is_bare) && !text.ends_with(':') && !text.starts_with('#');
    if plain { text.to_owned() } else { json_string(text) }
}

/// Longest word of a text that came from a guest; the mark makes a cut one no valid pattern.
const WORD_BYTES_MAX: usize = 8_192;
pub(crate) const CUT: &str = "[cut]";

/// The text, cut where it is too long to be shown.
pub(crate) fn bounded(asked: &str) -> Cow<'_, str> {
    if asked.len() <= WORD_BYTES_MAX {
        return Cow::Borrowed(asked);
    }
    Cow::Owned(format!("{}{CUT}", &asked[..asked.floor_char_boundary(WORD_BYTES_MAX)]))
}

/// A text for a message: on one line whatever it contains.
pub(crate) fn one_line(text: &str) -> String {
    if text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        format!("`{text}`")
    } else {
        json_string(text)
    }
}

/// A JSON string in printable ASCII. `:` and `#` are escaped too, for the sake of YAML.
fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ':' | '#' => escape_unit(&mut out, c as u16),
            ' '..='~' => out.push(c),
            _ => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    escape_unit(&mut out, *unit);
                }
            }
        }
    }
    out.push('"');
    out
}

fn escape_unit(out: &mut String, unit: u16) {
    write!(out, "\\u{unit:04x}").expect("writing to a String does not fail");
}

/// Puts a backslash before each character of `special`, so that a pattern reads it as itself.
pub(crate) fn escape(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The candidate that differs least from `text`, if it is near enough to be meant.
pub fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let best = candidates.map(|name| (distance(text, name), name)).min()?;
    (best.0 <= 1 + text.len() / 3).then_some(best.1)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_words_read_back() {
        for text in [
            "/a",
            "a b",
            "",
            "x\n- fs.read /",
            "é😀",
            "a:",
            "#a",
            "a: b #c",
            "\"",
            "\\",
            "a;b",
            "\u{202e}x",
            "it's",
        ] {
            let printed = word(text);
            assert!(
                printed.is_ascii()
                    && !printed.contains('\n')
                    && !printed.contains(": ")
                    && !printed.contains(" #")
            );
            let parsed = split(&printed).expect("a printed word parses");
            assert_eq!((parsed.len(), parsed[0].len()), (1, 1), "{printed}");
            assert_eq!(parsed[0][0].text, text);
        }
    }

    #[test]
    fn splits_at_semicolons_outside_quotes() {
        let segments = split(r#"a "b;c" ; d=e;f"#).unwrap();
        let texts: Vec<Vec<&str>> =
            segments.iter().map(|s| s.iter().map(|w| w.text.as_str()).collect()).collect();
        assert_eq!(texts, vec![vec!["a", "b;c"], vec!["d=e"], vec!["f"]]);
        for bad in ["\"a", "\"a\"b", "a\tb", "é", "a'b", "\"\\x\"", "\"\\ud800\""] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nearest_name() {
        let names = ["fs.read", "net.connect", "clock"];
        assert_eq!(nearest("fs.raed", names.into_iter()), Some("fs.read"));
        assert_eq!(nearest("entirely.else", names.into_iter()), None);
    }
}
