//! The names of capabilities: family and action.

use crate::text;

/// What a grant allows, without its scope. The order is the canonical order of actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Name {
    FsRead,
    FsList,
    MessageSend,
    MessageRequest,
    Clock,
    Random,
    Stdio,
}

const NAMES: &[(Name, &str)] = &[
    (Name::FsRead, "fs.read"),
    (Name::FsList, "fs.list"),
    (Name::MessageSend, "message.send"),
    (Name::MessageRequest, "message.request"),
    (Name::Clock, "clock"),
    (Name::Random, "random"),
    (Name::Stdio, "stdio"),
];

/// Names that are part of the language and that this version cannot grant.
const UNSUPPORTED: &[&str] = &[
    "fs.write",
    "fs.delete",
    "fs.exec",
    "net.connect",
    "net.listen",
    "net.resolve",
    "http",
    "process.run",
    "env",
    "kv.read",
    "kv.write",
    "message.publish",
    "message.subscribe",
    "message.spawn",
    "region.create",
    "region.read",
    "region.write",
];

impl Name {
    pub fn text(self) -> &'static str {
        NAMES.iter().find(|(name, _)| *name == self).expect("every name is in the table").1
    }

    /// Reads `fs.read` or `fs.read,list`: each name once, in canonical order.
    pub fn parse_list(text: &str) -> Result<Vec<Name>, String> {
        let Some((family, actions)) = text.split_once('.') else { return Ok(vec![one(text)?]) };
        let mut names = Vec::new();
        for action in actions.split(',') {
            let name = one(&format!("{family}.{action}"))?;
            if names.contains(&name) {
                return Err(format!("{action} stands twice: write it once"));
            }
            names.push(name);
        }
        names.sort();
        Ok(names)
    }
}

fn one(text: &str) -> Result<Name, String> {
    if let Some((name, _)) = NAMES.iter().find(|(_, known)| *known == text) {
        return Ok(*name);
    }
    if UNSUPPORTED.contains(&text) || text.strip_prefix("custom.").is_some_and(|name| !name.is_empty()) {
        return Err(format!("{text} is not supported yet by this version: leave the line out"));
    }
    let mut known = NAMES.iter().map(|(_, known)| *known).chain(UNSUPPORTED.iter().copied());
    let of_family = known.clone().find(|known| {
        known.strip_prefix(text.trim_end_matches('.')).is_some_and(|rest| rest.starts_with('.'))
    });
    Err(match of_family.or_else(|| text::nearest(text, &mut known)) {
        Some(near) => format!("there is no capability {text:?}: did you mean {near}?"),
        None => format!("there is no capability {text:?}: write for example fs.read /data/**"),
    })
}
