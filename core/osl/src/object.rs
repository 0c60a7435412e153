//! Capabilities and asks as data: a text, or an object of texts.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ask::Ask;
use crate::capability::Capability;
use crate::text::{self, Word};

const OBJECT: &str = r#"{"capability": "fs.read", "scope": "/data/**"}"#;
const PAIRS_MAX: usize = 16;

/// What one text or one object names: `fs.read,list /srv/**` is two capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities(pub Vec<Capability>);

/// The object form: keys and texts, each key once.
pub(crate) struct Object {
    pub pairs: Vec<(String, String)>,
}

impl Object {
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text)
            .map_err(|why| format!("the object form is JSON with texts alone, such as {OBJECT}: {why}"))
    }

    /// The words of the text form: whatever is neither `capability` nor `scope` is a parameter.
    pub fn into_segments(mut self) -> Result<Vec<Vec<Word>>, String> {
        let mut take = |wanted: &str| {
            let at = self.pairs.iter().position(|(key, _)| key == wanted)?;
            Some(self.pairs.remove(at).1)
        };
        let name = take("capability").ok_or_else(|| format!("`capability` is missing, as in {OBJECT}"))?;
        let scope = take("scope");
        let several = matches!(name.as_str(), "http" | "process.run");
        let mut head = vec![Word { text: name, quoted: false }];
        match scope {
            // These name more than one thing, so their scope is split as in the text form.
            Some(scope) if several => {
                let mut segments = text::split(&scope)?;
                if segments.len() > 1 {
                    return Err("parameters are keys of the object, beside `scope`".into());
                }
                head.append(&mut segments[0]);
            }
            Some(text) => head.push(Word { text, quoted: true }),
            None => {}
        }
        let param =
            |(key, value): (String, String)| vec![Word { text: format!("{key}={value}"), quoted: true }];
        Ok(std::iter::once(head).chain(self.pairs.into_iter().map(param)).collect())
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object such as {OBJECT}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if pairs.iter().any(|(other, _)| *other == key) {
                return Err(A::Error::custom(format!("`{key}` stands twice: write it once")));
            }
            if pairs.len() == PAIRS_MAX {
                return Err(A::Error::custom(format!("an object has at most {PAIRS_MAX} keys")));
            }
            pairs.push((key, map.next_value()?));
        }
        Ok(Object { pairs })
    }
}

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherVisitor).map(Self)
    }
}

struct EitherVisitor;

impl<'de> Visitor<'de> for EitherVisitor {
    type Value = Vec<Capability>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a capability such as `fs.read /data/**`, or {OBJECT}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Capability::parse(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Capability::from_object(ObjectVisitor.visit_map(map)?).map_err(A::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Capability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Capabilities(mut all) = Capabilities::deserialize(deserializer)?;
        match (all.pop(), all.is_empty()) {
            (Some(one), true) => Ok(one),
            _ => Err(D::Error::custom("one action stands here: write a line for each")),
        }
    }
}

impl Serialize for Capability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As its text; the address that a name was resolved to is not part of that.
impl Serialize for Ask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.capability_text())
    }
}

impl<'de> Deserialize<'de> for Ask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ask::parse(&text).map_err(D::Error::custom)
    }
}
