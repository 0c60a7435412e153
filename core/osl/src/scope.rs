//! What a capability reaches: one pattern for each kind of resource.

pub(crate) mod address_class;
pub(crate) mod cidr;
mod custom_actions;
pub(crate) mod env_pattern;
pub(crate) mod host_name;
mod host_pattern;
pub(crate) mod http_pattern;
pub(crate) mod label_pattern;
mod net_pattern;
mod port_range;
pub(crate) mod program_pattern;
pub(crate) mod topic_pattern;
pub(crate) mod url;

use std::fmt;
use std::net::IpAddr;

use crate::actor_pattern::ActorPattern;
use crate::name::Name;
use crate::path_pattern::PathPattern;
use crate::text::{self, Word};
use custom_actions::CustomActions;
use env_pattern::EnvNames;
pub(crate) use host_pattern::HostPattern;
use http_pattern::HttpPattern;
use label_pattern::LabelPattern;
pub(crate) use net_pattern::NetPattern;
use program_pattern::ProgramPattern;
use topic_pattern::TopicPattern;

/// What a capability reaches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    None,
    Path(PathPattern),
    Actor(ActorPattern),
    Net(NetPattern),
    Host(HostPattern),
    Http(HttpPattern),
    Program(ProgramPattern),
    Env(EnvNames),
    Topic(TopicPattern),
    /// A namespace of keys.
    Label(LabelPattern),
    /// The exact name of a region.
    Region(String),
    Custom(CustomActions),
}

impl Scope {
    /// Reads the words behind the name; `full` is the name as it was written.
    pub fn parse(name: Name, full: &str, words: &[Word]) -> Result<Self, String> {
        let written = if name == Name::Custom { full } else { name.text() };
        match name {
            Name::Clock | Name::Random | Name::Stdio if words.is_empty() => return Ok(Scope::None),
            Name::Clock | Name::Random | Name::Stdio => {
                return Err(format!("{written} has no scope: write {written} alone"));
            }
            _ if words.is_empty() => {
                return Err(format!("it names what it reaches, as in {written} {}", name.example()));
            }
            Name::Http => return HttpPattern::parse(words).map(Scope::Http),
            Name::ProcessRun => return ProgramPattern::parse(words).map(Scope::Program),
            _ => {}
        }
        let [word] = words else {
            return Err("one line has one scope: write a line for each, or quote a scope with spaces".into());
        };
        let word = word.text.as_str();
        match name {
            Name::FsRead | Name::FsList | Name::FsWrite | Name::FsDelete | Name::FsExec => {
                PathPattern::parse(word).map(Scope::Path)
            }
            Name::NetConnect | Name::NetListen => endpoints(name, word).map(Scope::Net),
            Name::NetResolve => HostPattern::parse(word).map(Scope::Host),
            Name::Env => EnvNames::parse(word).map(Scope::Env),
            Name::KvRead | Name::KvWrite => LabelPattern::parse(word).map(Scope::Label),
            Name::MessageSend | Name::MessageRequest | Name::MessageSpawn => {
                ActorPattern::parse(word).map(Scope::Actor)
            }
            Name::MessagePublish | Name::MessageSubscribe => TopicPattern::parse(word).map(Scope::Topic),
            Name::RegionCreate | Name::RegionRead | Name::RegionWrite => {
                label_pattern::label(word).map(Scope::Region)
            }
            Name::Custom => CustomActions::parse(full, word).map(Scope::Custom),
            Name::Http | Name::ProcessRun | Name::Clock | Name::Random | Name::Stdio => {
                unreachable!("read above")
            }
        }
    }

    /// Whether it reaches all that the other does: never wrongly true; each pattern says where it is exact.
    pub fn includes(&self, other: &Scope) -> bool {
        match (self, other) {
            (Scope::None, Scope::None) => true,
            (Scope::Path(wide), Scope::Path(narrow)) => wide.includes(narrow),
            (Scope::Actor(wide), Scope::Actor(narrow)) => wide.includes(narrow),
            (Scope::Net(wide), Scope::Net(narrow)) => wide.includes(narrow),
            // A grant to connect covers resolving the name.
            (Scope::Net(NetPattern { host, .. }) | Scope::Host(host), Scope::Host(narrow)) => {
                host.includes(narrow)
            }
            (Scope::Http(wide), Scope::Http(narrow)) => wide.includes(narrow),
            (Scope::Program(wide), Scope::Program(narrow)) => wide.includes(narrow),
            (Scope::Env(wide), Scope::Env(narrow)) => wide.includes(narrow),
            (Scope::Topic(wide), Scope::Topic(narrow)) => wide.includes(narrow),
            (Scope::Label(wide), Scope::Label(narrow)) => wide.includes(narrow),
            (Scope::Region(wide), Scope::Region(narrow)) => wide == narrow,
            (Scope::Custom(wide), Scope::Custom(narrow)) => wide.includes(narrow),
            _ => false,
        }
    }

    /// Whether hosts are reached by name.
    pub fn is_by_name(&self) -> bool {
        match self {
            Scope::Net(NetPattern { host, .. }) | Scope::Http(HttpPattern { host, .. }) => {
                !matches!(host, HostPattern::Block(_))
            }
            _ => false,
        }
    }

    /// Whether a connection under this scope may go to the address.
    pub fn permits(&self, ip: IpAddr, private: bool) -> bool {
        match self {
            Scope::Net(pattern) => pattern.permits(ip, private),
            Scope::Http(pattern) => pattern.permits(ip, private),
            _ => false,
        }
    }
}

fn endpoints(name: Name, word: &str) -> Result<NetPattern, String> {
    let pattern = NetPattern::parse(word)?;
    match (name, &pattern.host) {
        (Name::NetConnect, _) if pattern.ports.exact() == Some(0) => {
            Err("nothing listens on port 0: write the port to connect to".into())
        }
        (Name::NetListen, HostPattern::Name(_) | HostPattern::Below(_)) => {
            Err("one listens on an address, not on a name: write for example 127.0.0.1:8080".into())
        }
        _ => Ok(pattern),
    }
}

/// The scope as it follows the name: with a space before it, or nothing.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut word = |pattern: &dyn fmt::Display| write!(f, " {}", text::word(&pattern.to_string()));
        match self {
            Scope::None => Ok(()),
            Scope::Path(pattern) => word(pattern),
            Scope::Actor(pattern) => word(pattern),
            Scope::Net(pattern) => word(pattern),
            Scope::Host(pattern) => word(pattern),
            Scope::Env(names) => word(names),
            Scope::Topic(pattern) => word(pattern),
            Scope::Label(pattern) => word(pattern),
            Scope::Region(name) => word(name),
            Scope::Custom(custom) => word(custom),
            // These quote their words themselves.
            Scope::Http(pattern) => write!(f, " {pattern}"),
            Scope::Program(pattern) => write!(f, " {pattern}"),
        }
    }
}
