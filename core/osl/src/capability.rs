use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::ask::Ask;
use crate::error::CapabilityError;
use crate::name::Name;
use crate::scope::Scope;
use crate::text::{self, Word};
use crate::ttl;

/// One thing that a grant may allow: a name, a scope, and how long at most.
///
/// Its text is `family.action scope ; key=value`; `parse` reads back what `Display` prints. A word
/// with spaces, `;`, quotes or anything but printable ASCII is written as a JSON string.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Capability {
    name: Name,
    scope: Scope,
    ttl: Option<Duration>,
}

const OBJECT: &str = r#"{"capability": "fs.read", "scope": "/data/**"}"#;
const TEXT_BYTES_MAX: usize = 32_768;

impl Capability {
    /// Reads one line: `fs.read,list /srv/**` gives two capabilities, in canonical order. The object form, as JSON
    /// text, has the same parts.
    pub fn parse(text: &str) -> Result<Vec<Capability>, CapabilityError> {
        parse(text).map_err(|reason| CapabilityError::new(text, reason))
    }

    /// How long a grant of it lasts, where its text says so.
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// Family and action, such as `fs.read`.
    pub fn name(&self) -> &str {
        self.name.text()
    }

    /// Whether a grant of it would allow what is asked. Paths must be normal and absolute, ids valid:
    /// anything else is covered by nothing. Allocates nothing.
    pub fn covers(&self, ask: &Ask) -> bool {
        match (self.name, &self.scope, ask) {
            (Name::FsRead, Scope::Path(pattern), Ask::FsRead(path))
            | (Name::FsList, Scope::Path(pattern), Ask::FsList(path)) => pattern.matches(path),
            (Name::MessageSend, Scope::Actor(pattern), Ask::MessageSend(id))
            | (Name::MessageRequest, Scope::Actor(pattern), Ask::MessageRequest(id)) => pattern.matches(id),
            (Name::Clock, _, Ask::Clock) | (Name::Random, _, Ask::Random) | (Name::Stdio, _, Ask::Stdio) => {
                true
            }
            _ => false,
        }
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }
}

fn parse(line: &str) -> Result<Vec<Capability>, String> {
    if line.len() > TEXT_BYTES_MAX {
        return Err(format!("a capability text has at most {TEXT_BYTES_MAX} bytes"));
    }
    let segments = if line.trim_start().starts_with('{') { object(line)? } else { text::split(line)? };
    let (head, params) = segments.split_first().expect("split gives at least one segment");
    let (names, scope) = match head.as_slice() {
        [name] if !name.quoted => (Name::parse_list(&name.text)?, None),
        [name, scope] if !name.quoted => (Name::parse_list(&name.text)?, Some(scope.text.as_str())),
        [] => return Err("nothing is named: write for example fs.read /data/**".into()),
        [_] | [_, _] => return Err("the name stands without quotes, as in fs.read".into()),
        [name, ..] => {
            Name::parse_list(&name.text)?;
            return Err("one line has one scope: write a line for each, or quote a scope with spaces".into());
        }
    };
    let ttl = parse_params(params)?;
    names.into_iter().map(|name| Ok(Capability { name, scope: Scope::parse(name, scope)?, ttl })).collect()
}

/// The object form as JSON text, `{"capability": "fs.read", "scope": "/data/**", "ttl": "60s"}`, in the words of the
/// text form: whatever is neither `capability` nor `scope` is a parameter.
fn object(line: &str) -> Result<Vec<Vec<Word>>, String> {
    let mut parts: BTreeMap<String, String> = serde_json::from_str(line)
        .map_err(|why| format!("the object form is JSON with texts alone, such as {OBJECT}: {why}"))?;
    let name =
        parts.remove("capability").ok_or_else(|| format!("`capability` is missing, as in {OBJECT}"))?;
    let mut head = vec![Word { text: name, quoted: false }];
    head.extend(parts.remove("scope").map(|text| Word { text, quoted: true }));
    let param = |(key, value): (String, String)| vec![Word { text: format!("{key}={value}"), quoted: true }];
    Ok(std::iter::once(head).chain(parts.into_iter().map(param)).collect())
}

fn parse_params(segments: &[Vec<Word>]) -> Result<Option<Duration>, String> {
    let mut ttl = None;
    for segment in segments {
        if segment.is_empty() {
            return Err("nothing follows the `;`: leave it out, or write for example ; ttl=60s".into());
        }
        for word in segment {
            match word.text.split_once('=') {
                Some(("ttl", _)) if ttl.is_some() => return Err("ttl stands twice: write it once".into()),
                Some(("ttl", value)) => ttl = Some(ttl::parse(value)?),
                _ => {
                    return Err(format!(
                        "{:?} is no parameter here: the only one is ttl, as in ; ttl=60s",
                        word.text
                    ));
                }
            }
        }
    }
    Ok(ttl)
}

/// The canonical text: one line of printable ASCII.
impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name.text(), self.scope)?;
        match self.ttl {
            Some(ttl) => write!(f, " ; ttl={}", ttl::print(ttl)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "capability_tests.rs"]
mod tests;
