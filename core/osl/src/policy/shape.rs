//! The file format as data: what the reader refuses by and the JSON Schema is printed from.

use super::bounds::{Bounds, PolicyBudget, PolicyLimits};
use super::units;
use crate::size;

/// What stands at a place of the file.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Version,
    /// `strict` or `lazy`.
    Link,
    Flag,
    Text(Text),
    Number(Unit),
    /// A text of a capability, or the object with the same parts.
    Capability,
    List(&'static Shape),
    Map(fn() -> Vec<Key>),
}

/// Texts that differ in what they name.
#[derive(Clone, Copy)]
pub(super) enum Text {
    File,
    RuleName,
    ActorPattern,
    Actor,
    Digest,
    Ask,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    Time,
    Count,
}

/// One key of a map.
pub(super) struct Key {
    pub name: &'static str,
    pub required: bool,
    pub shape: Shape,
    pub doc: &'static str,
}

/// The version of the format that this release reads.
pub(super) const VERSION: &str = "1";

/// What may stand at `link`; the first is what holds if nothing does.
pub(super) const LINKS: [&str; 2] = ["lazy", "strict"];

/// The longest name of a rule.
pub(super) const NAME_CHARS_MAX: usize = 200;
const BYTES_MAX: u64 = 1 << 40;
const TIME_MS_MAX: u64 = 24 * 3_600_000;
pub(super) const COUNT_MAX: u64 = 1_000_000_000;

impl Unit {
    /// Reads a bound: more than 0, and not more than anybody could mean.
    pub fn read(self, text: &str) -> Result<u64, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        if !digits.is_empty() && digits.bytes().all(|digit| digit == b'0') {
            return Err("0 is not a bound: leave the key out for the default".into());
        }
        let (value, max, shown) = match self {
            Unit::Bytes => (size::parse(text)?, BYTES_MAX, "1024GiB"),
            Unit::Time => (units::millis(text)?, TIME_MS_MAX, "24h"),
            Unit::Count => (units::count(text)?, COUNT_MAX, "1000000000"),
        };
        if value > max { Err(format!("{text} is out of range: at most {shown}")) } else { Ok(value) }
    }
}

fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, required: false, shape, doc }
}

fn required(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, required: true, shape, doc }
}

/// A group of bounds.
pub(super) fn bounds<T: Bounds>() -> Vec<Key> {
    T::ALL.iter().map(|bound| key(bound.key, Shape::Number(bound.unit), bound.doc)).collect()
}

const CAPABILITIES: Shape = Shape::List(&Shape::Capability);
const LIMITS: Shape = Shape::Map(bounds::<PolicyLimits>);
const BUDGET: Shape = Shape::Map(bounds::<PolicyBudget>);

pub(super) fn top() -> Vec<Key> {
    vec![
        required("version", Shape::Version, "The version of this format."),
        key("extends", Shape::List(&Shape::Text(Text::File)), "Files that this one narrows, relative to it."),
        key("sealed", Shape::Flag, "Whether grants from code are refused."),
        key("link", Shape::Link, "Whether a guest may import what nothing grants it."),
        key("defaults", Shape::Map(defaults), "What holds for every actor."),
        key("rules", Shape::List(&Shape::Map(rule)), "All that match add up; a deny beats an allow."),
        key("tests", Shape::List(&Shape::Map(test)), "What must be allowed or denied."),
    ]
}

pub(super) fn defaults() -> Vec<Key> {
    vec![
        key("limits", LIMITS, "The smallest of each counts."),
        key("budget", BUDGET, "The smallest of each counts."),
        key("deny", CAPABILITIES, "What no actor may do."),
    ]
}

pub(super) fn rule() -> Vec<Key> {
    vec![
        key("name", Shape::Text(Text::RuleName), "What the rule is called in explanations."),
        required("actors", Shape::List(&Shape::Text(Text::ActorPattern)), "Whom the rule is for."),
        key("component", Shape::Text(Text::Digest), "The one artefact that the rule is for."),
        key("override", Shape::Flag, "Whether it may allow what the files it extends do not."),
        key("allow", CAPABILITIES, "What they may do."),
        key("deny", CAPABILITIES, "What they may not do, whatever else allows it."),
        key("limits", LIMITS, "The smallest of each counts."),
        key("budget", BUDGET, "The smallest of each counts."),
    ]
}

pub(super) fn test() -> Vec<Key> {
    vec![
        required("actor", Shape::Text(Text::Actor), "Who asks."),
        key("component", Shape::Text(Text::Digest), "The artefact that it runs."),
        key("allow", Shape::Text(Text::Ask), "What it must be allowed: an exact capability."),
        key("deny", Shape::Text(Text::Ask), "What it must be denied: an exact capability."),
    ]
}
