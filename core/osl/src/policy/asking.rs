//! An ask written as a capability without wildcards, as in the tests of a policy.

use crate::actor_pattern::{self, ActorPattern};
use crate::ask::Ask;
use crate::capability::Capability;
use crate::error::CapabilityError;
use crate::path_pattern::{self, PathPattern};
use crate::scope::Scope;

/// Reads `fs.read /srv/docs/guide.md`. The one place where a policy reads an ask.
pub(super) fn parse_ask(text: &str) -> Result<Ask, CapabilityError> {
    let refuse = |reason: &str| Err(CapabilityError::new(text, reason));
    let mut capabilities = Capability::parse(text)?;
    let Some(capability) = capabilities.pop().filter(|_| capabilities.is_empty()) else {
        return refuse("one thing is asked at a time: write one action");
    };
    let exact = match capability.scope() {
        Scope::None => Some(String::new()),
        Scope::Path(pattern) => exact_path(pattern),
        Scope::Actor(pattern) => exact_actor(pattern),
    };
    let Some(exact) = exact else {
        return refuse("what is asked has no wildcards: name one, such as fs.read /data/file.txt");
    };
    if capability.ttl().is_some() {
        return refuse("what is asked has no ttl: leave it out");
    }
    Ok(match capability.name() {
        "fs.read" => Ask::FsRead(exact),
        "fs.list" => Ask::FsList(exact),
        "message.send" => Ask::MessageSend(exact),
        "message.request" => Ask::MessageRequest(exact),
        "clock" => Ask::Clock,
        "random" => Ask::Random,
        "stdio" => Ask::Stdio,
        _ => return refuse("this cannot be asked yet: leave it out"),
    })
}

fn exact_path(pattern: &PathPattern) -> Option<String> {
    let path: String = pattern.literal_prefix().iter().flat_map(|part| ["/", part]).collect();
    let path = if path.is_empty() { "/".to_owned() } else { path };
    (crate::text::escape(&path, path_pattern::SPECIAL) == pattern.to_string()).then_some(path)
}

fn exact_actor(pattern: &ActorPattern) -> Option<String> {
    let id = pattern.to_string();
    (!id.contains('*')).then(|| actor_pattern::canonical(&id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_exact() {
        for line in ["fs.read /a/b", "fs.list /", r"fs.read /a\*", "message.send default/db/0", "clock"] {
            assert_eq!(parse_ask(line).unwrap().capability_text(), line);
        }
        for line in
            ["fs.read /a/*", "fs.read /**", "fs.read,list /a", "message.send */*/*", "fs.read /a ; ttl=1s"]
        {
            assert!(parse_ask(line).is_err(), "{line}");
        }
    }
}
