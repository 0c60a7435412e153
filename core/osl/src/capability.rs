use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::ask::Ask;
use crate::covers;
use crate::error::CapabilityError;
use crate::name::Name;
use crate::object::Object;
use crate::params::Params;
use crate::scope::Scope;
use crate::text::{self, Word};

/// One thing that a grant may allow: a name, a scope, and parameters such as how long at most.
///
/// Its text is `family.action scope ; key=value`; `parse` reads back what `Display` prints. A word
/// with spaces, `;`, quotes or anything but printable ASCII is written as a JSON string.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Capability {
    name: Name,
    scope: Scope,
    params: Params,
}

const TEXT_BYTES_MAX: usize = 32_768;

impl Capability {
    /// Reads one line: `fs.read,list /srv/**` gives two capabilities, in canonical order. The object form, as JSON
    /// text, has the same parts.
    pub fn parse(text: &str) -> Result<Vec<Capability>, CapabilityError> {
        parse(text).map_err(|reason| CapabilityError::new(text, reason))
    }

    /// How long a grant of it lasts, where its text says so.
    pub fn ttl(&self) -> Option<Duration> {
        self.params.ttl
    }

    /// What a namespace may hold after a write under it, where its text says so.
    pub fn quota_bytes(&self) -> Option<u64> {
        self.params.quota_bytes
    }

    /// Family and action, such as `fs.read`.
    pub fn name(&self) -> &str {
        match &self.scope {
            Scope::Custom(custom) => &custom.name,
            _ => self.name.text(),
        }
    }

    /// Whether a grant of it would allow what is asked. Paths must be normal and absolute, ids and names
    /// valid: anything else is covered by nothing. Allocates nothing, but for URLs that are not normal.
    pub fn covers(&self, ask: &Ask) -> bool {
        covers::allows(self, ask)
    }

    /// Whether a `deny` of it refuses what is asked. It is wider than `covers`: what a name leads to, the
    /// variables of a program, the size of a region make no difference, a subscription is refused when one of
    /// its topics is, and a request of http when the connection to its host is.
    pub fn forbids(&self, ask: &Ask) -> bool {
        covers::forbids(self, ask)
    }

    /// Whether a connection that it allows may go to this address: for a name a public one, with
    /// `private=yes` also one of the own machine or network.
    pub fn permits_address(&self, address: IpAddr) -> bool {
        self.scope.permits(address, self.params.private)
    }

    /// Whether it allows all that the other allows, for as long.
    ///
    /// True is certain. False may be wrong for a few pairs that are equal in other words: a `?` beside a
    /// `*`, a part `*` beside `**`, a block of IPv6 addresses that embed IPv4.
    pub fn includes(&self, other: &Capability) -> bool {
        let resolves = self.name == Name::NetConnect && other.name == Name::NetResolve;
        let params = if resolves {
            // Of a connection's parameters only the time says anything about its name.
            Params { ttl: self.params.ttl, ..Params::default() }.include(&other.params)
        } else {
            self.params.include(&other.params)
        };
        (self.name == other.name || resolves) && params && self.scope.includes(&other.scope)
    }

    /// The same rights in fewer capabilities: drops each that another one includes. Of equal ones the
    /// first stays.
    pub fn union(capabilities: Vec<Capability>) -> Vec<Capability> {
        let mut kept: Vec<Capability> = Vec::new();
        for capability in capabilities {
            if kept.iter().any(|other| other.includes(&capability)) {
                continue;
            }
            kept.retain(|other| !capability.includes(other));
            kept.push(capability);
        }
        kept
    }

    /// The same without a bound of time.
    pub(crate) fn timeless(&self) -> Capability {
        Self { params: Params { ttl: None, ..self.params.clone() }, ..self.clone() }
    }

    pub(crate) fn with_scope(&self, scope: Scope) -> Capability {
        Self { scope, ..self.clone() }
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(crate) fn parts(&self) -> (Name, &Scope, &Params) {
        (self.name, &self.scope, &self.params)
    }

    pub(crate) fn from_object(object: Object) -> Result<Vec<Capability>, String> {
        let object_bytes: usize = object.pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
        if object_bytes > TEXT_BYTES_MAX {
            return Err(too_long());
        }
        build(&object.into_segments()?)
    }
}

fn parse(line: &str) -> Result<Vec<Capability>, String> {
    if line.len() > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    if line.trim_start().starts_with('{') {
        return Capability::from_object(Object::from_json(line)?);
    }
    build(&text::split(line)?)
}

fn too_long() -> String {
    format!("a capability text has at most {TEXT_BYTES_MAX} bytes")
}

/// The capabilities of a head, which is a name and its scope, and of parameters.
fn build(segments: &[Vec<Word>]) -> Result<Vec<Capability>, String> {
    let (head, params) = segments.split_first().expect("split gives at least one segment");
    let Some((name, scope)) = head.split_first() else {
        return Err("nothing is named: write for example fs.read /data/**".into());
    };
    if name.quoted {
        return Err("the name stands without quotes, as in fs.read".into());
    }
    let capability = |known: Name| {
        let scope = Scope::parse(known, &name.text, scope)?;
        let params = Params::parse(known, params)?;
        if params.private && !scope.is_by_name() {
            return Err("private=yes is for names: an address leads to itself, so leave it out".to_owned());
        }
        Ok(Capability { name: known, scope, params })
    };
    Name::parse_list(&name.text)?.into_iter().map(capability).collect()
}

/// The canonical text: one line of printable ASCII.
impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.name(), self.scope, self.params)
    }
}

#[cfg(test)]
#[path = "capability_tests.rs"]
mod tests;
