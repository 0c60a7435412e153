//! The JSON Schema of the file format, printed from the same tables that the reader refuses by.

use serde_json::{Map, Value, json};

use super::shape::{self, Key, Shape, Text, Unit};

/// The schema (draft 2020-12), for editors. It knows the shape and the units; the core knows the rest.
pub fn policy_schema() -> String {
    let mut schema = map(&shape::top());
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".into(), "airwasm policy".into());
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema has text keys alone");
    text.push('\n');
    text
}

fn map(keys: &[Key]) -> Map<String, Value> {
    let described = |key: &Key| {
        let mut value = value(key.shape);
        value["description"] = key.doc.into();
        (key.name.to_owned(), value)
    };
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("additionalProperties".into(), false.into());
    schema.insert("properties".into(), keys.iter().map(described).collect::<Map<_, _>>().into());
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema
}

fn value(shape: Shape) -> Value {
    match shape {
        Shape::Version => json!({ "const": 1 }),
        Shape::Link => json!({ "enum": shape::LINKS }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Text(Text::Digest) => json!({ "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" }),
        Shape::Text(Text::RuleName) => json!({ "type": "string", "maxLength": shape::NAME_CHARS_MAX }),
        Shape::Text(Text::ActorPattern | Text::Actor | Text::File | Text::Ask) => json!({ "type": "string" }),
        Shape::Number(Unit::Bytes) => json!({ "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)$" }),
        Shape::Number(Unit::Time) => json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$" }),
        Shape::Number(Unit::Count) => json!({ "type": "integer", "minimum": 1, "maximum": shape::COUNT_MAX }),
        Shape::Capability => json!({ "oneOf": [
            { "type": "string" },
            {
                "type": "object",
                "required": ["capability"],
                "properties": { "capability": { "type": "string" }, "scope": { "type": "string" } },
                "additionalProperties": { "type": "string" },
            },
        ] }),
        Shape::List(&item) => json!({ "type": "array", "items": value(item) }),
        Shape::Map(keys) => map(&keys()).into(),
    }
}
