//! The names of capabilities: family and action.

use crate::text;

/// What a grant allows, without its scope. The order is the canonical order of actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Name {
    FsRead,
    FsList,
    FsWrite,
    FsDelete,
    FsExec,
    NetConnect,
    NetListen,
    NetResolve,
    Http,
    ProcessRun,
    Env,
    KvRead,
    KvWrite,
    MessageSend,
    MessageRequest,
    MessagePublish,
    MessageSubscribe,
    MessageSpawn,
    RegionCreate,
    RegionRead,
    RegionWrite,
    Clock,
    Random,
    Stdio,
    /// Its text is in the scope.
    Custom,
}

/// The name, its text, and a scope that suits it, for messages.
const NAMES: &[(Name, &str, &str)] = &[
    (Name::FsRead, "fs.read", "/data/**"),
    (Name::FsList, "fs.list", "/data/**"),
    (Name::FsWrite, "fs.write", "/data/out/*"),
    (Name::FsDelete, "fs.delete", "/tmp/job/**"),
    (Name::FsExec, "fs.exec", "/opt/bin/*"),
    (Name::NetConnect, "net.connect", "api.example.com:443"),
    (Name::NetListen, "net.listen", "127.0.0.1:8080"),
    (Name::NetResolve, "net.resolve", "*.example.com"),
    (Name::Http, "http", "GET https://api.example.com/v1/**"),
    (Name::ProcessRun, "process.run", "/usr/bin/git log **"),
    (Name::Env, "env", "LANG,TZ"),
    (Name::KvRead, "kv.read", "notes"),
    (Name::KvWrite, "kv.write", "notes"),
    (Name::MessageSend, "message.send", "tools/*/*"),
    (Name::MessageRequest, "message.request", "tools/*/*"),
    (Name::MessagePublish, "message.publish", "news.*"),
    (Name::MessageSubscribe, "message.subscribe", "news.**"),
    (Name::MessageSpawn, "message.spawn", "tools/worker/*"),
    (Name::RegionCreate, "region.create", "scratch"),
    (Name::RegionRead, "region.read", "scratch"),
    (Name::RegionWrite, "region.write", "scratch"),
    (Name::Clock, "clock", ""),
    (Name::Random, "random", ""),
    (Name::Stdio, "stdio", ""),
    (Name::Custom, "custom.", "charge,refund"),
];

impl Name {
    /// Family and action; for a custom one only the family with its dot.
    pub fn text(self) -> &'static str {
        self.row().1
    }

    /// A scope as one would write it.
    pub fn example(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Name, &'static str, &'static str) {
        NAMES.iter().find(|row| row.0 == self).expect("every name is in the table")
    }

    /// Reads `fs.read` or `fs.read,list`: each name once, in canonical order.
    pub fn parse_list(text: &str) -> Result<Vec<Name>, String> {
        let Some((family, actions)) = text.split_once('.') else { return Ok(vec![one(text)?]) };
        if family == "custom" {
            return Ok(vec![Name::Custom]);
        }
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
    if let Some((name, ..)) = NAMES.iter().find(|row| row.1 == text) {
        return Ok(*name);
    }
    if text == "custom" {
        return Err("a custom capability has a name, as in custom.billing charge".into());
    }
    let mut known = NAMES.iter().map(|row| row.1).filter(|known| !known.ends_with('.'));
    let of_family = known.clone().find(|known| {
        known.strip_prefix(text.trim_end_matches('.')).is_some_and(|rest| rest.starts_with('.'))
    });
    Err(match of_family.or_else(|| text::nearest(text, &mut known)) {
        Some(near) => format!("there is no capability {text:?}: did you mean {near}?"),
        None => format!("there is no capability {text:?}: write for example fs.read /data/**"),
    })
}
