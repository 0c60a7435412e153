//! The form of a message to a service: a JSON object on the first line, and bytes behind it.

use std::time::Duration;

use airssys_osl::nearest;
use serde_json::{Map, Value};

use crate::types::error::{Error, Result};

/// Bytes of the first line.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Lists and objects in it: a short one takes hundreds of times its own bytes once it is read.
const CONTAINERS_MAX: usize = 8;
/// Longer words are not meant for any key.
const WORD_BYTES_MEANT: usize = 64;

/// One operation of a service: its name, its keys besides `op`, and whether bytes follow.
pub(super) struct Operation {
    pub name: &'static str,
    pub keys: &'static [&'static str],
    pub takes_bytes: bool,
}

impl Operation {
    pub(super) const fn new(name: &'static str, keys: &'static [&'static str], takes_bytes: bool) -> Self {
        Self { name, keys, takes_bytes }
    }
}

/// What one message asks for.
pub(super) struct Request {
    fields: Map<String, Value>,
    body: Vec<u8>,
}

impl Request {
    /// Reads a message; nothing is known yet of what it asks for.
    pub(super) fn parse(mut payload: Vec<u8>) -> Result<Self> {
        let line = payload.iter().take(LINE_BYTES_MAX + 1).position(|byte| *byte == b'\n');
        let body = match line {
            Some(end) => payload.split_off(end + 1),
            None => Vec::new(),
        };
        if payload.len() > LINE_BYTES_MAX {
            return Err(Error::argument(
                "line",
                format!("its first line has more than {LINE_BYTES_MAX} bytes"),
            ));
        }
        if containers(&payload) > CONTAINERS_MAX {
            let text = format!("its first line has more than {CONTAINERS_MAX} lists and objects");
            return Err(Error::argument("line", text));
        }
        let fields = serde_json::from_slice(&payload)
            .map_err(|why| Error::argument("line", format!("its first line is not a JSON object: {why}")))?;
        Ok(Self { fields, body })
    }

    /// Which of these operations it is, if it has no key that this one does not take.
    pub(super) fn operation(&mut self, known: &'static [Operation]) -> Result<&'static str> {
        let name = self.text("op")?;
        let Some(operation) = known.iter().find(|operation| operation.name == name) else {
            let names = known.iter().map(|operation| operation.name);
            return Err(Error::argument("op", unknown(&name, names)));
        };
        if let Some(key) = self.fields.keys().find(|key| !operation.keys.contains(&key.as_str())) {
            let text = format!("{} {}", operation.name, unknown(key, operation.keys.iter().copied()));
            return Err(Error::argument(&shortened(key), text));
        }
        if !operation.takes_bytes && !self.body.is_empty() {
            let text =
                format!("{} takes none, but {} follow its first line", operation.name, self.body.len());
            return Err(Error::argument("bytes", text));
        }
        Ok(operation.name)
    }

    /// The bytes behind the first line.
    pub(super) fn body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, key: &str) -> Result<String> {
        self.optional_text(key)?.ok_or_else(|| Error::argument(key, "it is needed, a text"))
    }

    /// A text, if it is there.
    pub(super) fn optional_text(&mut self, key: &str) -> Result<Option<String>> {
        match self.fields.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(key, "a text", &other)),
        }
    }

    /// Whether a flag is set; one that is absent is `default`.
    pub(super) fn flag(&mut self, key: &str, default: bool) -> Result<bool> {
        match self.fields.remove(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(wrong(key, "true or false", &other)),
        }
    }

    /// A count, if it is there.
    pub(super) fn count(&mut self, key: &str) -> Result<Option<u64>> {
        let Some(value) = self.fields.remove(key) else { return Ok(None) };
        value.as_u64().map(Some).ok_or_else(|| wrong(key, "a whole number, 0 or more", &value))
    }

    /// A whole number, if it is there.
    pub(super) fn integer(&mut self, key: &str) -> Result<Option<i64>> {
        let Some(value) = self.fields.remove(key) else { return Ok(None) };
        value.as_i64().map(Some).ok_or_else(|| wrong(key, "a whole number", &value))
    }

    /// A time in milliseconds, if it is there; 0 is none.
    pub(super) fn time(&mut self, key: &str) -> Result<Option<Duration>> {
        match self.count(key)? {
            Some(0) => Err(Error::argument(key, "0 is no time; leave it out for the default")),
            given => Ok(given.map(Duration::from_millis)),
        }
    }

    /// Texts in their order; none if it is absent.
    pub(super) fn texts(&mut self, key: &str) -> Result<Vec<String>> {
        let Some(value) = self.fields.remove(key) else { return Ok(Vec::new()) };
        let Value::Array(items) = value else { return Err(wrong(key, "a list of texts", &value)) };
        items.into_iter().map(|item| text_of(key, "a list of texts", item)).collect()
    }

    /// Names with a text each; none if it is absent.
    pub(super) fn pairs(&mut self, key: &str) -> Result<Vec<(String, String)>> {
        const FORM: &str = "an object with a text for each name";
        let Some(value) = self.fields.remove(key) else { return Ok(Vec::new()) };
        let Value::Object(pairs) = value else { return Err(wrong(key, FORM, &value)) };
        pairs.into_iter().map(|(name, value)| Ok((name, text_of(key, FORM, value)?))).collect()
    }
}

/// How many lists and objects begin in a line of JSON.
fn containers(line: &[u8]) -> usize {
    let (mut found, mut in_text, mut escaped) = (0, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => found += 1,
            _ => {}
        }
    }
    found
}

fn text_of(key: &str, form: &str, value: Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong(key, form, &other)),
    }
}

fn wrong(key: &str, wanted: &str, given: &Value) -> Error {
    let kind = match given {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Error::argument(key, format!("it is {wanted}, and was given {kind}"))
}

/// What is said of a word that is none of these.
fn unknown(word: &str, known: impl Iterator<Item = &'static str> + Clone) -> String {
    let near = nearest(word, known.clone()).filter(|_| word.len() <= WORD_BYTES_MEANT);
    let shown = shortened(word);
    match near {
        Some(near) => format!("does not know {shown:?}: did you mean {near:?}?"),
        None => {
            let all: Vec<_> = known.collect();
            format!("does not know {shown:?}; there is {}", all.join(", "))
        }
    }
}

fn shortened(word: &str) -> String {
    match word.len() > WORD_BYTES_MEANT {
        true => format!("{}…", &word[..word.floor_char_boundary(WORD_BYTES_MEANT)]),
        false => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static KNOWN: [Operation; 2] = [
        Operation { name: "read", keys: &["path", "offset"], takes_bytes: false },
        Operation { name: "write", keys: &["path"], takes_bytes: true },
    ];

    fn refused(payload: &[u8]) -> (String, String) {
        let request = Request::parse(payload.to_vec());
        let error = request.and_then(|mut request| request.operation(&KNOWN)).expect_err("refused");
        (error.text("which").to_owned(), error.message)
    }

    #[test]
    fn a_message_is_a_line_and_bytes() {
        let mut request =
            Request::parse(b"{\"op\":\"write\",\"path\":\"/a\"}\n\n\x00x".to_vec()).expect("read");
        assert_eq!(request.operation(&KNOWN), Ok("write"));
        assert_eq!(request.text("path"), Ok("/a".to_owned()));
        assert_eq!(request.body(), b"\n\x00x");
        let mut request = Request::parse(b"{\"op\":\"read\"}".to_vec()).expect("read");
        assert_eq!(request.operation(&KNOWN), Ok("read"));
        assert_eq!(request.text("path").expect_err("refused").text("which"), "path");
        assert!(request.body().is_empty());
    }

    #[test]
    fn what_is_unknown_is_named_with_the_nearest() {
        let (which, text) = refused(b"{\"op\":\"raed\"}");
        assert!(which == "op" && text.contains("\"raed\": did you mean \"read\"?"), "{text}");
        let (which, text) = refused(b"{\"op\":\"read\",\"ofset\":1}");
        assert!(which == "ofset" && text.contains("did you mean \"offset\"?"), "{text}");
        let (which, text) = refused(b"{\"op\":\"read\",\"sender\":\"default/root/0\"}");
        assert!(which == "sender" && text.contains("there is path, offset"), "{text}");
        assert_eq!(refused(b"{\"op\":\"read\"}\nx").0, "bytes");
        assert_eq!(refused(b"{}").0, "op");
        assert_eq!(refused(b"{\"op\":1}").0, "op");
        let (which, _) = refused(format!("{{\"op\":\"read\",\"{}\":1}}", "k".repeat(10_000)).as_bytes());
        assert!(which.len() < 100, "{which}");
    }

    #[test]
    fn hostile_b10_a_line_that_would_take_much_more_room_than_it_has_bytes_is_refused_before_it_is_read() {
        let nested = format!("{{\"op\":\"run\",\"args\":[{}0]}}", "{\"\":0},".repeat(100_000));
        let (which, text) = refused(nested.as_bytes());
        assert!(which == "line" && text.contains("more than 8"), "{text}");
        let (which, _) = refused(format!("{{{}\"a\":0}}", "\"a\":[],".repeat(9)).as_bytes());
        assert_eq!(which, "line");
        let text = r#"{"op":"read","path":"[[[[[[[[[[{{\"[\\"}"#;
        let mut request = Request::parse(text.as_bytes().to_vec()).expect("texts are no lists");
        assert_eq!(request.operation(&KNOWN), Ok("read"));
        assert_eq!(request.text("path").expect("a path").len(), 15);
    }

    #[test]
    fn hostile_garbage_is_refused_whatever_it_is() {
        let deep = [b"{\"op\":".repeat(200), b"1".to_vec()].concat();
        let long = vec![b' '; LINE_BYTES_MAX + 2];
        let odd: [&[u8]; 9] =
            [b"", b"\n", b"\xff\xfe\n", b"[]\n", b"null", b"{\"op\":\"read\"", b"{} {}\n", &deep, &long];
        for payload in odd {
            let (which, _) = refused(payload);
            assert!(which == "line", "{which}: {:?}", &payload[..payload.len().min(20)]);
        }
    }
}
