//! Whether one capability decides about one ask: as a grant, and as a ban.

use crate::ask::Ask;
use crate::capability::Capability;
use crate::endpoint::Endpoint;
use crate::name::Name;
use crate::params::Params;
use crate::scope::url::Target;
use crate::scope::{Scope, topic_pattern};

/// Whether a grant of the capability allows the ask.
pub(crate) fn allows(capability: &Capability, ask: &Ask) -> bool {
    let (name, scope, params) = capability.parts();
    match (scope, ask) {
        (Scope::Net(pattern), Ask::NetConnect(to)) if name == Name::NetConnect => {
            of_protocol(params, to) && pattern.covers(to, params.private)
        }
        (Scope::Net(pattern), Ask::NetListen(on)) if name == Name::NetListen => {
            of_protocol(params, on) && pattern.covers(on, params.private)
        }
        (Scope::Net(pattern), Ask::NetResolve(host)) if name == Name::NetConnect => {
            pattern.host.resolves(host)
        }
        (Scope::Program(pattern), Ask::ProcessRun { program, args, env }) => {
            pattern.covers(program, args) && params.env.cover_for_program(env)
        }
        (Scope::Topic(pattern), Ask::MessageSubscribe(topics)) if name == Name::MessageSubscribe => {
            pattern.covers(topics)
        }
        (Scope::Region(own), Ask::RegionCreate { name: region, bytes }) if name == Name::RegionCreate => {
            own == region && params.max_bytes.is_none_or(|max| *bytes <= max)
        }
        _ => matches(name, scope, ask),
    }
}

/// Whether a ban of the capability refuses the ask: like `allows`, but nothing that the asker chooses
/// beside the thing itself leads around it.
pub(crate) fn forbids(capability: &Capability, ask: &Ask) -> bool {
    let (name, scope, params) = capability.parts();
    match (scope, ask) {
        (Scope::Net(pattern), Ask::NetConnect(to)) if name == Name::NetConnect => {
            of_protocol(params, to) && pattern.touches(to)
        }
        (Scope::Net(pattern), Ask::NetListen(on)) if name == Name::NetListen => {
            of_protocol(params, on) && pattern.touches_listener(on)
        }
        // A request includes the connection. What a name of it leads to is asked for when that is known.
        (Scope::Net(pattern), Ask::Http { url, .. }) if name == Name::NetConnect => Target::parse(url)
            .is_ok_and(|target| {
                let to = target.endpoint();
                of_protocol(params, &to) && pattern.touches(&to)
            }),
        (Scope::Http(pattern), Ask::Http { method, url }) => {
            Target::parse(url).is_ok_and(|target| pattern.touches(method, &target))
        }
        (Scope::Program(pattern), Ask::ProcessRun { program, args, .. }) => pattern.touches(program, args),
        (Scope::Topic(pattern), Ask::MessageSubscribe(topics)) if name == Name::MessageSubscribe => {
            pattern.overlaps(topics)
        }
        (Scope::Region(own), Ask::RegionCreate { name: region, .. }) if name == Name::RegionCreate => {
            own == region
        }
        _ => matches(name, scope, ask),
    }
}

/// What is the same for both.
fn matches(name: Name, scope: &Scope, ask: &Ask) -> bool {
    match (name, scope, ask) {
        (Name::FsRead, Scope::Path(pattern), Ask::FsRead(path))
        | (Name::FsList, Scope::Path(pattern), Ask::FsList(path))
        | (Name::FsWrite, Scope::Path(pattern), Ask::FsWrite(path))
        | (Name::FsDelete, Scope::Path(pattern), Ask::FsDelete(path))
        | (Name::FsExec, Scope::Path(pattern), Ask::FsExec(path)) => pattern.matches(path),
        (Name::MessageSend, Scope::Actor(pattern), Ask::MessageSend(id))
        | (Name::MessageRequest, Scope::Actor(pattern), Ask::MessageRequest(id))
        | (Name::MessageSpawn, Scope::Actor(pattern), Ask::MessageSpawn(id)) => pattern.matches(id),
        (Name::MessagePublish, Scope::Topic(pattern), Ask::MessagePublish(topic)) => {
            topic_pattern::is_topic(topic) && pattern.covers(topic)
        }
        (Name::NetResolve, Scope::Host(pattern), Ask::NetResolve(host)) => pattern.resolves(host),
        (Name::Http, Scope::Http(pattern), Ask::Http { method, url }) => {
            Target::parse(url).is_ok_and(|target| pattern.covers(method, &target))
        }
        (Name::Env, Scope::Env(names), Ask::Env(name)) => names.covers(name),
        (Name::KvRead, Scope::Label(pattern), Ask::KvRead(space))
        | (Name::KvWrite, Scope::Label(pattern), Ask::KvWrite(space)) => pattern.matches(space),
        (Name::RegionRead, Scope::Region(own), Ask::RegionRead(region))
        | (Name::RegionWrite, Scope::Region(own), Ask::RegionWrite(region)) => own == region,
        (Name::Custom, Scope::Custom(own), Ask::Custom { name, action }) => own.covers(name, action),
        (Name::Clock, _, Ask::Clock) | (Name::Random, _, Ask::Random) | (Name::Stdio, _, Ask::Stdio) => true,
        _ => false,
    }
}

fn of_protocol(params: &Params, endpoint: &Endpoint) -> bool {
    params.proto.is_none_or(|proto| proto == endpoint.protocol())
}
