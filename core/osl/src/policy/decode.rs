//! One file, from nodes to rules: every fault at its line and column.

use std::sync::Arc;

use super::bounds::Bounds;
use super::error::{PolicyError, is_odd};
use super::node::{Entry, Mark, Node, Value};
use super::rule::{ActorReach, Placed, Rule, Ruled};
use super::shape::{self, Key, Unit};
use super::test::PolicyTest;
use crate::actor_pattern::ActorPattern;
use crate::ask::Ask;
use crate::capability::Capability;
use crate::text;

/// What one file says, before the files that it extends are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub name: Arc<str>,
    pub extends: Vec<(Mark, String)>,
    pub sealed: Option<(Mark, bool)>,
    /// Whether it is `strict`.
    pub link: Option<(Mark, bool)>,
    pub rules: Vec<Rule>,
    pub tests: Vec<PolicyTest>,
}

type Result<T> = std::result::Result<T, PolicyError>;

/// A longer key is no misspelling of ours.
const KEY_BYTES_MEANT: usize = 32;

/// A file that holds nothing, or `{}`, says nothing.
pub(super) fn decode(root: Option<&Node>, name: &Arc<str>) -> Result<File> {
    let mut file = File {
        name: name.clone(),
        extends: Vec::new(),
        sealed: None,
        link: None,
        rules: Vec::new(),
        tests: Vec::new(),
    };
    let Some(root) = root.filter(|root| !is_empty(root)) else { return Ok(file) };
    let at = Place(name);
    let fields = at.fields(root, &shape::top(), "a policy")?;
    let version = fields.required("version");
    at.plain(version, "version", |text| match text {
        shape::VERSION => Ok(()),
        _ => Err(format!("version {} is not known: this release reads version 1", text::one_line(text))),
    })?;
    for node in at.list(fields.get("extends"))? {
        file.extends.push((node.mark, at.text(node)?.to_owned()));
    }
    if let Some(node) = fields.get("sealed") {
        file.sealed = Some((node.mark, at.flag(node)?));
    }
    if let Some(node) = fields.get("link") {
        at.plain(node, "link", |text| match shape::LINKS.contains(&text) {
            true => {
                file.link = Some((node.mark, text == "strict"));
                Ok(())
            }
            false => Err(format!("{} is none of {}", text::one_line(text), shape::LINKS.join(", "))),
        })?;
    }
    if let Some(node) = fields.get("defaults") {
        file.rules.push(at.defaults(node)?);
    }
    for node in at.list(fields.get("rules"))? {
        file.rules.push(at.rule(node)?);
    }
    for node in at.list(fields.get("tests"))? {
        file.tests.push(at.test(node)?);
    }
    Ok(file)
}

fn is_empty(root: &Node) -> bool {
    matches!(&root.value, Value::Map(entries) if entries.is_empty()) || root.kind() == "nothing"
}

/// The entries of one map, all of known keys.
struct Fields<'a>(&'a [Entry]);

impl<'a> Fields<'a> {
    fn get(&self, key: &str) -> Option<&'a Node> {
        self.0.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    fn required(&self, key: &str) -> &'a Node {
        self.get(key).expect("a required key was found missing before")
    }
}

/// The file that is read, which every fault names.
struct Place<'f>(&'f Arc<str>);

impl Place<'_> {
    fn fault<T>(&self, mark: Mark, message: impl Into<String>) -> Result<T> {
        Err(PolicyError::new(self.0, mark, message))
    }

    fn fields<'a>(&self, node: &'a Node, keys: &[Key], what: &str) -> Result<Fields<'a>> {
        let names = || keys.iter().map(|key| key.name);
        let Value::Map(entries) = &node.value else {
            let names: Vec<_> = names().collect();
            return self.fault(
                node.mark,
                format!("{what} is a map with the keys {}, not {}", names.join(", "), node.kind()),
            );
        };
        for entry in entries {
            if !names().any(|name| name == entry.key) {
                let error = format!("{what} has no key {}", text::one_line(&entry.key));
                let near = text::nearest(&entry.key, names()).filter(|_| entry.key.len() <= KEY_BYTES_MEANT);
                return Err(PolicyError::new(self.0, entry.mark, error).suggest(near));
            }
        }
        match keys.iter().find(|key| key.required && !entries.iter().any(|entry| entry.key == key.name)) {
            Some(Key { name: "version", .. }) => {
                self.fault(node.mark, "`version` is missing: write `version: 1` first")
            }
            Some(key) => self.fault(node.mark, format!("{what} needs the key `{}`", key.name)),
            None => Ok(Fields(entries)),
        }
    }

    fn list<'a>(&self, node: Option<&'a Node>) -> Result<&'a [Node]> {
        match node.map(|node| (&node.value, node)) {
            None => Ok(&[]),
            Some((Value::List(items), _)) => Ok(items),
            Some((Value::Scalar { .. }, node)) if node.kind() == "nothing" => {
                self.fault(node.mark, "nothing follows the key: leave it out, or write []")
            }
            Some((_, node)) => {
                self.fault(node.mark, format!("a list belongs here, such as [a, b], not {}", node.kind()))
            }
        }
    }

    fn text<'a>(&self, node: &'a Node) -> Result<&'a str> {
        match &node.value {
            Value::Scalar { text, .. } if node.kind() == "a text" => Ok(text),
            _ => self.fault(node.mark, format!("a text belongs here, not {}", node.kind())),
        }
    }

    /// A text without quotes, which `read` understands.
    fn plain<T>(
        &self,
        node: &Node,
        key: &str,
        read: impl FnOnce(&str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        let text = self.text(node)?;
        if matches!(node.value, Value::Scalar { plain: false, .. }) {
            return self.fault(node.mark, format!("`{key}` stands without quotes"));
        }
        read(text).or_else(|why| self.fault(node.mark, why))
    }

    fn flag(&self, node: &Node) -> Result<bool> {
        self.plain(node, "true or false", |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("true or false belongs here, not {}", text::one_line(text))),
        })
    }

    fn defaults(&self, node: &Node) -> Result<Rule> {
        let fields = self.fields(node, &shape::defaults(), "defaults")?;
        self.rule_of(node.mark, None, vec![ActorReach::All], &fields)
    }

    fn rule(&self, node: &Node) -> Result<Rule> {
        let fields = self.fields(node, &shape::rule(), "a rule")?;
        let name = match fields.get("name") {
            None => None,
            Some(name) => Some(self.rule_name(name)?),
        };
        let actors = self.list(Some(fields.required("actors")))?;
        if actors.is_empty() {
            return self.fault(node.mark, "a rule is for somebody: name an actor, or \"*/*/*\" for all");
        }
        let reach = |node: &Node| match ActorPattern::parse(self.text(node)?) {
            Ok(pattern) => Ok(ActorReach::Pattern(pattern)),
            Err(why) => self.fault(node.mark, why),
        };
        let actors = actors.iter().map(reach).collect::<Result<_>>()?;
        self.rule_of(node.mark, name, actors, &fields)
    }

    fn rule_of(
        &self,
        mark: Mark,
        name: Option<Arc<str>>,
        actors: Vec<ActorReach>,
        fields: &Fields<'_>,
    ) -> Result<Rule> {
        let component = fields.get("component").map(|node| self.digest(node)).transpose()?;
        let overrides = fields.get("override").map(|node| self.flag(node)).transpose()?.unwrap_or(false);
        let allow = self.capabilities(fields.get("allow"), name.as_ref())?;
        let deny = self.capabilities(fields.get("deny"), name.as_ref())?;
        let limits = self.bounds(fields.get("limits"), "limits")?;
        let budget = self.bounds(fields.get("budget"), "budget")?;
        Ok(Rule { name, mark, actors, component, overrides, allow, deny, limits, budget })
    }

    fn rule_name(&self, node: &Node) -> Result<Arc<str>> {
        let name = self.text(node)?;
        if name.chars().count() > shape::NAME_CHARS_MAX || name.chars().any(is_odd) {
            return self.fault(
                node.mark,
                format!("a rule's name is one line of at most {} visible characters", shape::NAME_CHARS_MAX),
            );
        }
        Ok(name.into())
    }

    fn digest(&self, node: &Node) -> Result<Arc<str>> {
        let text = self.text(node)?;
        let is_digest = |hex: &str| {
            hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        match text.strip_prefix("sha256:") {
            Some(hex) if is_digest(hex) => Ok(hex.into()),
            _ => self.fault(
                node.mark,
                "a component is named by its digest: sha256: and 64 hexadecimal digits in lower case",
            ),
        }
    }

    fn capabilities(&self, list: Option<&Node>, rule: Option<&Arc<str>>) -> Result<Vec<Placed>> {
        let mut all = Vec::new();
        for node in self.list(list)? {
            let line = self.capability_text(node)?;
            let capabilities =
                Capability::parse(&line).or_else(|why| self.fault(node.mark, why.to_string()))?;
            for capability in capabilities {
                let shown = match &node.value {
                    Value::Scalar { .. } if line.bytes().all(|b| (b' '..=b'~').contains(&b)) => line.clone(),
                    _ => capability.to_string(),
                };
                let (text, file) = (shown.into(), self.0.clone());
                let ruled = Ruled { capability, text, file, line: node.mark.line, rule: rule.cloned() };
                all.push(Placed { mark: node.mark, ruled });
            }
        }
        Ok(all)
    }

    /// The text, or the object form as JSON text.
    fn capability_text(&self, node: &Node) -> Result<String> {
        let Value::Map(entries) = &node.value else { return Ok(self.text(node)?.to_owned()) };
        let mut object = serde_json::Map::new();
        for entry in entries {
            object.insert(entry.key.clone(), self.text(&entry.value)?.into());
        }
        Ok(serde_json::Value::Object(object).to_string())
    }

    fn bounds<T: Bounds>(&self, node: Option<&Node>, what: &str) -> Result<T> {
        let mut all = T::default();
        let Some(node) = node else { return Ok(all) };
        let fields = self.fields(node, &shape::bounds::<T>(), what)?;
        for bound in T::ALL {
            let Some(node) = fields.get(bound.key) else { continue };
            let value = match bound.unit {
                Unit::Count => self.plain(node, bound.key, |text| bound.unit.read(text))?,
                unit => unit.read(self.text(node)?).or_else(|why| self.fault(node.mark, why))?,
            };
            all.set(bound, value);
        }
        Ok(all)
    }

    fn test(&self, node: &Node) -> Result<PolicyTest> {
        let fields = self.fields(node, &shape::test(), "a test")?;
        let actor = self.text(fields.required("actor"))?;
        match ActorPattern::parse(actor) {
            Ok(_) if !actor.contains('*') => {}
            Ok(_) => return self.fault(fields.required("actor").mark, "a test names one actor, without `*`"),
            Err(why) => return self.fault(fields.required("actor").mark, why),
        }
        let (allowed, asked) = match (fields.get("allow"), fields.get("deny")) {
            (Some(asked), None) => (true, asked),
            (None, Some(asked)) => (false, asked),
            _ => return self.fault(node.mark, "a test says either `allow` or `deny`, one of the two"),
        };
        let line = self.text(asked)?;
        let ask = Ask::parse(line).or_else(|why| self.fault(asked.mark, why.to_string()))?;
        Ok(PolicyTest {
            line: node.mark.line,
            actor: actor.to_owned(),
            component: fields.get("component").map(|node| self.digest(node)).transpose()?,
            allowed,
            ask,
        })
    }
}
