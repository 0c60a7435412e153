//! The part of YAML that a policy is written in, read into nodes.
//!
//! Refused with a line and a column: anchors, aliases, tags, merge keys, directives, a second document, a key twice, a
//! key that is no text, more than [`DEPTH_MAX`] levels or [`NODES_MAX`] nodes. Before any of it: more than
//! [`FILE_BYTES_MAX`] bytes, a NUL, anything that is not UTF-8. A UTF-8 byte order mark at the start is skipped; lines
//! end with LF, CRLF or CR; a tab indents nothing.

use std::collections::HashSet;
use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, Tag};

use super::error::PolicyError;
use super::node::{Entry, Mark, Node, Value};

pub(super) const FILE_BYTES_MAX: usize = 1 << 20;
pub(super) const DEPTH_MAX: usize = 32;
pub(super) const NODES_MAX: usize = 50_000;

/// Reads the one document of a file; none when it holds nothing but comments.
pub(super) fn read(bytes: &[u8], file: &Arc<str>) -> Result<Option<Node>, PolicyError> {
    let text = decode(bytes, file)?;
    let mut reader = Reader { file, open: Vec::new(), root: None, nodes: 0, documents: 0 };
    for next in Parser::new_from_str_with_options(text, options()) {
        let (event, span) = next.map_err(|error| syntax(&error, file))?;
        reader.event(event, &span)?;
    }
    Ok(reader.root)
}

fn syntax(error: &ScanError, file: &Arc<str>) -> PolicyError {
    let why = match error.kind() {
        ErrorKind::RecursionLimitExceeded => TOO_DEEP.to_owned(),
        _ => format!("this is no YAML: {}", error.info()),
    };
    PolicyError::new(file, mark(error.marker()), why)
}

fn options() -> Options {
    let mut options = Options::default();
    options.disallow_directives = true;
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = 2 * DEPTH_MAX;
    options.block_nesting_limit = 2 * DEPTH_MAX;
    options.emit_comments = false;
    options
}

fn decode<'a>(bytes: &'a [u8], file: &Arc<str>) -> Result<&'a str, PolicyError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(PolicyError::whole(file, format!("a policy file has at most {FILE_BYTES_MAX} bytes")));
    }
    let valid =
        |upto: usize| std::str::from_utf8(&bytes[..upto]).expect("the bytes before a fault are UTF-8");
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let place = end_of(valid(fault.valid_up_to()));
        PolicyError::new(file, place, "this byte is no UTF-8: save the file as UTF-8")
    })?;
    if let Some(at) = text.find('\0') {
        return Err(PolicyError::new(file, end_of(&text[..at]), "a policy holds no NUL"));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Where the character after this text stands.
fn end_of(text: &str) -> Mark {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let line = text.rsplit(['\n', '\r']).next().unwrap_or("");
    Mark { line: count(text.matches(['\n', '\r']).count()), column: count(line.chars().count()) }
}

fn mark(marker: &granit_parser::Marker) -> Mark {
    Mark { line: count(marker.line().saturating_sub(1)), column: count(marker.col()) }
}

/// From 0 to from 1.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX - 1) + 1
}

/// What the parser said so far, as nodes: collections that are not closed yet, outermost first.
struct Reader<'a> {
    file: &'a Arc<str>,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
}

struct Open {
    mark: Mark,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, keys: HashSet<String>, key: Option<(String, Mark)> },
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), PolicyError> {
        let here = mark(span.tag_start().as_ref().unwrap_or(&span.start));
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return self.refuse(here, "a policy is one document: leave out what follows the `---`");
                }
                Ok(())
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => self.refuse(
                here,
                "a policy has no aliases: write the value again, or quote a text that starts with `*`, as in \"*/*/*\"",
            ),
            Event::Anchor(..) => self.refuse(here, ANCHOR),
            Event::Scalar(text, style, anchor, tag) => {
                self.plain(here, anchor, tag.as_deref())?;
                self.scalar(text.into_owned(), style == ScalarStyle::Plain, here)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.plain(here, anchor, tag.as_deref())?;
                self.open(here, Kind::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.plain(here, anchor, tag.as_deref())?;
                self.open(here, Kind::Map { entries: Vec::new(), keys: HashSet::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn refuse<T>(&self, at: Mark, why: impl Into<String>) -> Result<T, PolicyError> {
        Err(PolicyError::new(self.file, at, why))
    }

    /// Counts a node, which has neither anchor nor tag.
    fn plain(&mut self, at: Mark, anchor: usize, tag: Option<&Tag>) -> Result<(), PolicyError> {
        self.nodes += 1;
        match tag {
            Some(tag) => {
                let tag = crate::text::one_line(&tag.original());
                self.refuse(at, format!("a policy has no tags: leave out {tag}, or quote the text"))
            }
            None if anchor > 0 => self.refuse(at, ANCHOR),
            None if self.nodes > NODES_MAX => {
                self.refuse(at, format!("a policy file has at most {NODES_MAX} values"))
            }
            None => Ok(()),
        }
    }

    fn scalar(&mut self, text: String, plain: bool, at: Mark) -> Result<(), PolicyError> {
        let Some(Open { kind: Kind::Map { keys, key: key @ None, .. }, .. }) = self.open.last_mut() else {
            return self.value(Node { mark: at, value: Value::Scalar { text, plain } });
        };
        if text == "<<" {
            return self.refuse(at, "a policy has no merge keys: write the entries out");
        }
        if !keys.insert(text.clone()) {
            let key = crate::text::one_line(&text);
            return self.refuse(at, format!("the key {key} stands twice: write it once"));
        }
        *key = Some((text, at));
        Ok(())
    }

    fn open(&mut self, at: Mark, kind: Kind) -> Result<(), PolicyError> {
        if let Some(Open { kind: Kind::Map { key: None, .. }, .. }) = self.open.last() {
            return self.refuse(at, "a key is a text");
        }
        if self.open.len() == DEPTH_MAX {
            return self.refuse(at, TOO_DEEP);
        }
        self.open.push(Open { mark: at, kind });
        Ok(())
    }

    fn close(&mut self) -> Result<(), PolicyError> {
        let Some(Open { mark, kind }) = self.open.pop() else { return Ok(()) };
        let value = match kind {
            Kind::List(items) => Value::List(items),
            Kind::Map { entries, .. } => Value::Map(entries),
        };
        self.value(Node { mark, value })
    }

    fn value(&mut self, node: Node) -> Result<(), PolicyError> {
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(Kind::List(items)) => items.push(node),
            Some(Kind::Map { entries, key, .. }) => {
                let (key, mark) = key.take().expect("a map's value comes after its key");
                entries.push(Entry { key, mark, value: node });
            }
        }
        Ok(())
    }
}

const TOO_DEEP: &str = "a policy nests at most 32 levels";
const ANCHOR: &str =
    "a policy has no anchors: write the value where it is used, or quote a text that starts with `&`";

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
