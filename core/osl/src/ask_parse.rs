//! An ask from its text: a capability text without wildcards.

use std::net::SocketAddr;

use crate::ask::Ask;
use crate::capability::Capability;
use crate::endpoint::{Endpoint, Protocol};
use crate::error::CapabilityError;
use crate::name::Name;
use crate::params::Params;
use crate::scope::{HostPattern, NetPattern, Scope};

impl Ask {
    /// Reads `net.connect 169.254.169.254:80` or `process.run /usr/bin/git push`: one action, one exact
    /// thing. A connection is over TCP unless `; proto=udp` says otherwise, and a name in it is not
    /// resolved; a region without `; max=16MiB` has no bytes.
    pub fn parse(text: &str) -> Result<Ask, CapabilityError> {
        let refuse = |reason: String| CapabilityError::new(text, reason);
        let mut all = Capability::parse(text)?;
        match (all.pop(), all.is_empty()) {
            (Some(one), true) => exact(&one).map_err(refuse),
            _ => Err(refuse("an ask has one action: write a line for each".into())),
        }
    }
}

/// The ask for exactly what a grant of it would allow, for however long; none where that is several things.
pub(crate) fn only(capability: &Capability) -> Option<Ask> {
    exact(&capability.timeless()).ok()
}

fn exact(capability: &Capability) -> Result<Ask, String> {
    let (name, scope, params) = capability.parts();
    let key =
        [(params.ttl.is_some(), "ttl"), (params.quota_bytes.is_some(), "quota"), (params.private, "private")];
    if let Some((_, key)) = key.iter().find(|(set, _)| *set) {
        return Err(format!("{key} belongs to a grant: an ask says only what is wanted now"));
    }
    let wildcard = || "an ask names one exact thing: write it without wildcards and lists".to_owned();
    of_scope(name, scope, params).ok_or_else(wildcard)
}

/// The ask for exactly what the scope reaches, unless that is several things.
fn of_scope(name: Name, scope: &Scope, params: &Params) -> Option<Ask> {
    match scope {
        Scope::None if name == Name::Clock => Some(Ask::Clock),
        Scope::None if name == Name::Random => Some(Ask::Random),
        Scope::None => Some(Ask::Stdio),
        Scope::Path(pattern) => of_text(name, pattern.exact()?),
        Scope::Actor(pattern) => of_text(name, pattern.exact()?),
        Scope::Label(pattern) => of_text(name, pattern.exact()?),
        // What is subscribed to may be a pattern of topics, and is one thing all the same.
        Scope::Topic(pattern) if name == Name::MessageSubscribe || pattern.is_exact() => {
            of_text(name, pattern.to_string())
        }
        Scope::Topic(_) => None,
        Scope::Net(pattern) => {
            let endpoint = endpoint(pattern, params.proto.unwrap_or(Protocol::Tcp))?;
            Some(if name == Name::NetListen { Ask::NetListen(endpoint) } else { Ask::NetConnect(endpoint) })
        }
        Scope::Host(HostPattern::Block(block)) => block.exact().map(|ip| Ask::NetResolve(ip.to_string())),
        Scope::Host(host) => host.is_exact().then(|| Ask::NetResolve(host.to_string())),
        Scope::Http(pattern) => pattern.exact().map(|(method, url)| Ask::Http { method, url }),
        Scope::Program(pattern) => {
            let (program, args) = pattern.exact()?;
            Some(Ask::ProcessRun { program, args, env: params.env.exact()? })
        }
        Scope::Env(names) => match names.exact()?.as_slice() {
            [name] => Some(Ask::Env(name.clone())),
            _ => None,
        },
        Scope::Region(region) if name == Name::RegionCreate => {
            Some(Ask::RegionCreate { name: region.clone(), bytes: params.max_bytes.unwrap_or(0) })
        }
        Scope::Region(region) => of_text(name, region.clone()),
        Scope::Custom(custom) => {
            let name = custom.name.strip_prefix("custom.").unwrap_or(&custom.name).to_owned();
            custom.exact().map(|action| Ask::Custom { name, action: action.to_owned() })
        }
    }
}

fn of_text(name: Name, text: String) -> Option<Ask> {
    let ask = match name {
        Name::FsRead => Ask::FsRead,
        Name::FsList => Ask::FsList,
        Name::FsWrite => Ask::FsWrite,
        Name::FsDelete => Ask::FsDelete,
        Name::FsExec => Ask::FsExec,
        Name::KvRead => Ask::KvRead,
        Name::KvWrite => Ask::KvWrite,
        Name::MessageSend => Ask::MessageSend,
        Name::MessageRequest => Ask::MessageRequest,
        Name::MessageSpawn => Ask::MessageSpawn,
        Name::MessagePublish => Ask::MessagePublish,
        Name::MessageSubscribe => Ask::MessageSubscribe,
        Name::RegionRead => Ask::RegionRead,
        Name::RegionWrite => Ask::RegionWrite,
        _ => return None,
    };
    Some(ask(text))
}

fn endpoint(pattern: &NetPattern, protocol: Protocol) -> Option<Endpoint> {
    let port = pattern.ports.exact()?;
    match &pattern.host {
        HostPattern::Name(name) => Some(Endpoint::named(name, port, protocol)),
        HostPattern::Below(_) => None,
        HostPattern::Block(block) => {
            block.exact().map(|ip| Endpoint::address(SocketAddr::new(ip, port), protocol))
        }
    }
}
