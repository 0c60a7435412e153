use std::fs;
use std::sync::Arc;

use crate::ask::Ask;
use crate::ask_parse;
use crate::capability::Capability;
use crate::path_pattern::PathPattern;
use crate::scope::Scope;

/// A capability that nobody may use, whoever grants it, and which rule says so.
///
/// It holds for the thing by the names that can be told to be its own. A path counts behind links too, and a file that a
/// ban spells out counts under its other names (hard links) when it is opened; but of a file that only a wildcard covers,
/// and of a program, another name is another file: allow no directory in which others can make hard links to it. A host
/// name counts when it is asked for by name, and its address for a minute after the actor looked it up; where a block of
/// addresses is allowed, ban the addresses of the host as well. An address counts for the names that lead there, and one
/// of loopback for the unspecified address. A ban to connect counts for requests of http, which include the connection. What a ban of an actor may touch it cannot
/// hand on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    pub capability: Capability,
    /// As in `policy.yaml:13 fs.read /srv/private/**`.
    pub rule: Arc<str>,
}

impl Ban {
    /// The one path that it spells out.
    pub(crate) fn path(&self) -> Option<String> {
        match self.capability.scope() {
            Scope::Path(pattern) => pattern.exact(),
            _ => None,
        }
    }

    /// Whether its one path leads to this file now.
    #[cfg(unix)]
    pub(crate) fn leads_to(&self, device: u64, inode: u64) -> bool {
        use std::os::unix::fs::MetadataExt;
        let found = self.path().and_then(|path| fs::metadata(path).ok());
        found.is_some_and(|found| (found.dev(), found.ino()) == (device, inode))
    }

    /// Whether something may be open under a grant of this name that a ban of that name refuses from now on.
    pub(crate) fn concerns(ban: &str, grant: &str) -> bool {
        // A program is a file that is executed, and a request makes a connection.
        ban == grant || matches!((ban, grant), ("fs.exec", "process.run") | ("net.connect", "http"))
    }

    /// Whether a ban of that name may refuse something that a grant of this name allows.
    pub(crate) fn meets(ban: &str, grant: &str) -> bool {
        // Who listens looks nothing up and connects to nothing.
        let net = |name: &str| matches!(name, "http" | "net.connect" | "net.resolve");
        // What describes a file is asked for by either.
        let describes = |name: &str| matches!(name, "fs.read" | "fs.list");
        Ban::concerns(ban, grant) || net(ban) && net(grant) || describes(ban) && describes(grant)
    }

    /// Whether it may refuse something of what the capability allows; true more often than that is so.
    pub(crate) fn may_touch(&self, capability: &Capability) -> bool {
        if !Ban::meets(self.capability.name(), capability.name()) {
            return false;
        }
        match (self.capability.scope(), capability.scope()) {
            (Scope::Path(banned), Scope::Path(pattern)) => {
                banned.may_reach_below(&pattern.literal_prefix().join("/"))
            }
            // A name, an address or a program is found out about only when it is used.
            (_, Scope::Net(_) | Scope::Host(_) | Scope::Http(_) | Scope::Program(_)) => true,
            _ => ask_parse::only(capability).is_none_or(|ask| self.capability.forbids(&ask)),
        }
    }

    /// Whether it refuses all that the capability allows; false more often than that is so.
    pub(crate) fn refuses_all(&self, capability: &Capability) -> bool {
        let includes = self.capability.timeless().includes(&capability.timeless());
        // A text without a protocol is more than the one thing that is asked for.
        let is_one = |ask: &Ask| {
            !matches!(ask, Ask::NetConnect(_) | Ask::NetListen(_)) || capability.parts().2.proto.is_some()
        };
        includes
            || ask_parse::only(capability).is_some_and(|ask| is_one(&ask) && self.capability.forbids(&ask))
    }

    /// The same ban of where its path leads now, if a link is in the part of it without wildcards. Of a program only
    /// the directory counts: what a link at its end leads to may be many programs in one.
    pub(crate) fn behind_links(&self) -> Option<Ban> {
        let scope = match self.capability.scope() {
            Scope::Path(pattern) => Scope::Path(path_behind_links(pattern)?),
            Scope::Program(pattern) => Scope::Program(pattern.of(in_real_directory(pattern.program())?)),
            _ => return None,
        };
        let ban = Ban { capability: self.capability.with_scope(scope), rule: self.rule.clone() };
        (ban != *self).then_some(ban)
    }
}

fn path_behind_links(pattern: &PathPattern) -> Option<PathPattern> {
    let prefix = pattern.literal_prefix();
    (1..=prefix.len()).rev().find_map(|depth| {
        let real = fs::canonicalize(format!("/{}", prefix[..depth].join("/"))).ok()?;
        // What is no text no guest can ask for.
        pattern.moved(depth, real.to_str()?)
    })
}

/// The path with its directory as it really is.
pub(crate) fn in_real_directory(path: &str) -> Option<String> {
    let (directory, name) = path.rsplit_once('/')?;
    let real = fs::canonicalize(format!("{directory}/")).ok()?;
    Some(format!("{}/{name}", real.to_str()?.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_meets_what_it_may_refuse() {
        for (ban, grant) in [
            ("net.connect", "http"),
            ("net.resolve", "http"),
            ("http", "net.connect"),
            ("net.listen", "net.listen"),
            ("fs.exec", "process.run"),
            ("fs.list", "fs.read"),
        ] {
            assert!(Ban::meets(ban, grant), "{ban} {grant}");
        }
        for (ban, grant) in [("net.listen", "http"), ("net.connect", "net.listen"), ("fs.write", "fs.read")] {
            assert!(!Ban::meets(ban, grant), "{ban} {grant}");
        }
    }
}
