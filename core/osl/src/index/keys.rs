//! The keys of capabilities and of asks. The rule of all: a capability that allows or bans an ask has a key of it.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use crate::actor_pattern;
use crate::ask::Ask;
use crate::capability::Capability;
use crate::endpoint::Endpoint;
use crate::name::Name;
use crate::scope::cidr::{self, Cidr};
use crate::scope::http_pattern::HttpPattern;
use crate::scope::url::{self, Host, Target};
use crate::scope::{HostPattern, Scope, address_class, host_name};

/// A literal part that a capability and an ask have in common.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    name: Name,
    /// What part it is: so many names of a path, so many bits of an address.
    span: u8,
    literal: Literal<'a>,
}

#[derive(Clone, Copy)]
enum Literal<'a> {
    None,
    Text(&'a str),
    Two(&'a str, &'a str),
    Three([&'a str; 3]),
    Address(IpAddr),
}

/// In few steps: two keys with one hash only cost a look too many.
impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u16((self.name as u16) << 8 | u16::from(self.span));
        match self.literal {
            Literal::None => {}
            Literal::Text(text) => state.write(text.as_bytes()),
            Literal::Two(one, other) => {
                [one, other].into_iter().for_each(|text| state.write(text.as_bytes()))
            }
            Literal::Three(parts) => parts.into_iter().for_each(|text| state.write(text.as_bytes())),
            Literal::Address(IpAddr::V4(ip)) => state.write_u32(ip.to_bits()),
            Literal::Address(IpAddr::V6(ip)) => state.write_u128(ip.to_bits()),
        }
    }
}

/// Parts of a path, of a topic or of a host name that count, at most.
const DEPTH_MAX: u8 = 15;
/// Of a URL, behind its whole host.
const URL_DEPTH_MAX: u8 = 7;

// Spans up to `DEPTH_MAX` are so many parts; those of actors are which of the three.
const V4: u8 = 16;
const V6: u8 = 24;
const URL: u8 = 48;
const WHOLE: u8 = 56;
const WITH_NEXT: u8 = 57;
/// Looked at for each ask of the name.
const ALWAYS: u8 = 63;

/// Bits that blocks of addresses differ by; others are filed as wider ones.
const STEP_BITS: u8 = 8;

/// Which spans there are of each name.
pub(super) struct Spans([u64; Name::Custom as usize + 1]);

impl Default for Spans {
    fn default() -> Self {
        Self([0; Name::Custom as usize + 1])
    }
}

impl Spans {
    pub fn mark(&mut self, key: &Key<'_>) {
        self.0[key.name as usize] |= 1 << key.span;
    }

    fn has(&self, name: Name, span: u8) -> bool {
        self.0[name as usize] >> span & 1 == 1
    }

    fn is_empty(&self, name: Name) -> bool {
        self.0[name as usize] == 0
    }

    fn of(&self, name: Name) -> impl Iterator<Item = u8> + use<> {
        let mut left = self.0[name as usize];
        std::iter::from_fn(move || {
            let span = left.trailing_zeros() as u8;
            left &= left.wrapping_sub(1);
            (span < 64).then_some(span)
        })
    }
}

/// The keys that a capability is filed under.
pub(super) fn of_capability(capability: &Capability, mut file: impl FnMut(Key<'_>)) {
    let (name, scope, _) = capability.parts();
    let mut file = |span: u8, literal: Literal<'_>| file(Key { name, span, literal });
    match scope {
        Scope::None => file(ALWAYS, Literal::None),
        Scope::Path(pattern) => {
            let (depth, text) = path(&pattern.literal_prefix(), DEPTH_MAX);
            file(depth, Literal::Text(&text));
        }
        Scope::Actor(pattern) => {
            let parts = pattern.literals();
            let span = (0..3).map(|at| u8::from(parts[at].is_some()) << at).sum();
            file(span, Literal::Three([0, 1, 2].map(|at| parts[at].as_deref().unwrap_or_default())));
        }
        Scope::Net(pattern) => host(&pattern.host, file),
        Scope::Host(pattern) => host(pattern, file),
        Scope::Http(pattern) => http(pattern, file),
        Scope::Program(pattern) => match pattern.first_arg() {
            Some(arg) => file(WITH_NEXT, Literal::Two(pattern.program(), &arg)),
            None => file(WHOLE, Literal::Text(pattern.program())),
        },
        Scope::Env(names) => names.each(|name, open| match open {
            true => file(ALWAYS, Literal::None),
            false => file(WHOLE, Literal::Text(name)),
        }),
        Scope::Topic(pattern) => {
            let (depth, text) = pattern.literal_front(DEPTH_MAX);
            file(depth, Literal::Text(text));
        }
        Scope::Label(pattern) => match pattern.exact() {
            Some(label) => file(WHOLE, Literal::Text(&label)),
            None => file(ALWAYS, Literal::None),
        },
        Scope::Region(region) => file(WHOLE, Literal::Text(region)),
        Scope::Custom(custom) => {
            let name = custom.name.strip_prefix("custom.").unwrap_or(&custom.name);
            custom.actions().for_each(|action| file(WHOLE, Literal::Two(name, action)));
        }
    }
}

/// The first of these names as the text of a path, and how many they are.
fn path(names: &[&str], depth_max: u8) -> (u8, String) {
    let depth = names.len().min(usize::from(depth_max));
    (depth as u8, names[..depth].iter().flat_map(|name| ["/", name]).collect())
}

fn host(host: &HostPattern, mut file: impl FnMut(u8, Literal<'_>)) {
    match host {
        HostPattern::Name(name) | HostPattern::Below(name) => {
            let (depth, tail) = tails(name).last().expect("a name has labels");
            file(depth, Literal::Text(tail));
        }
        HostPattern::Block(block) => of_block(block, file),
    }
}

fn of_block(block: &Cidr, mut file: impl FnMut(u8, Literal<'_>)) {
    let steps = block.prefix_bits() / STEP_BITS;
    let network = cidr::masked(block.network(), steps * STEP_BITS);
    file(family(network) + steps, Literal::Address(network));
}

fn http(pattern: &HttpPattern, mut file: impl FnMut(u8, Literal<'_>)) {
    match &pattern.host {
        HostPattern::Name(name) => {
            let (depth, path) = path(&pattern.literal_prefix(), URL_DEPTH_MAX);
            file(URL + depth, Literal::Two(name, &path));
        }
        other => host(other, file),
    }
}

/// The keys of an ask, of those that there are.
pub(super) fn of_ask(ask: &Ask, spans: &Spans, mut visit: impl FnMut(Key<'_>)) {
    let mut visit = |name: Name, span: u8, literal: Literal<'_>| {
        if spans.has(name, span) {
            visit(Key { name, span, literal });
        }
    };
    let name = name_of(ask);
    if spans.is_empty(name) && !matches!(ask, Ask::NetResolve(_) | Ask::Http { .. }) {
        return;
    }
    visit(name, ALWAYS, Literal::None);
    match ask {
        Ask::FsRead(path)
        | Ask::FsList(path)
        | Ask::FsWrite(path)
        | Ask::FsDelete(path)
        | Ask::FsExec(path) => {
            fronts(path, b'/').for_each(|(depth, front)| visit(name, depth, Literal::Text(front)));
        }
        Ask::NetConnect(endpoint) | Ask::NetListen(endpoint) => of_endpoint(name, endpoint, visit),
        Ask::NetResolve(asked) => {
            // A grant to connect covers resolving the name.
            [Name::NetConnect, Name::NetResolve]
                .into_iter()
                .for_each(|name| of_host(name, asked, &mut visit));
        }
        Ask::Http { url, .. } => of_url(url, visit),
        Ask::ProcessRun { program, args, .. } => {
            visit(name, WHOLE, Literal::Text(program));
            args.first().into_iter().for_each(|arg| visit(name, WITH_NEXT, Literal::Two(program, arg)));
        }
        Ask::MessageSend(id) | Ask::MessageRequest(id) | Ask::MessageSpawn(id) => {
            of_actor(name, id, spans, visit)
        }
        Ask::MessagePublish(topics) | Ask::MessageSubscribe(topics) => {
            visit(name, 0, Literal::Text(""));
            fronts(topics, b'.').for_each(|(dots, front)| visit(name, dots + 1, Literal::Text(front)));
        }
        Ask::Env(text)
        | Ask::KvRead(text)
        | Ask::KvWrite(text)
        | Ask::RegionRead(text)
        | Ask::RegionWrite(text) => {
            visit(name, WHOLE, Literal::Text(text));
        }
        Ask::RegionCreate { name: region, .. } => visit(name, WHOLE, Literal::Text(region)),
        Ask::Custom { name: custom, action } => visit(name, WHOLE, Literal::Two(custom, action)),
        Ask::Clock | Ask::Random | Ask::Stdio => {}
    }
}

fn name_of(ask: &Ask) -> Name {
    match ask {
        Ask::FsRead(_) => Name::FsRead,
        Ask::FsList(_) => Name::FsList,
        Ask::FsWrite(_) => Name::FsWrite,
        Ask::FsDelete(_) => Name::FsDelete,
        Ask::FsExec(_) => Name::FsExec,
        Ask::NetConnect(_) => Name::NetConnect,
        Ask::NetListen(_) => Name::NetListen,
        Ask::NetResolve(_) => Name::NetResolve,
        Ask::Http { .. } => Name::Http,
        Ask::ProcessRun { .. } => Name::ProcessRun,
        Ask::Env(_) => Name::Env,
        Ask::KvRead(_) => Name::KvRead,
        Ask::KvWrite(_) => Name::KvWrite,
        Ask::MessageSend(_) => Name::MessageSend,
        Ask::MessageRequest(_) => Name::MessageRequest,
        Ask::MessagePublish(_) => Name::MessagePublish,
        Ask::MessageSubscribe(_) => Name::MessageSubscribe,
        Ask::MessageSpawn(_) => Name::MessageSpawn,
        Ask::RegionCreate { .. } => Name::RegionCreate,
        Ask::RegionRead(_) => Name::RegionRead,
        Ask::RegionWrite(_) => Name::RegionWrite,
        Ask::Clock => Name::Clock,
        Ask::Random => Name::Random,
        Ask::Stdio => Name::Stdio,
        Ask::Custom { .. } => Name::Custom,
    }
}

fn of_endpoint(name: Name, endpoint: &Endpoint, mut visit: impl FnMut(Name, u8, Literal<'_>)) {
    // It is folded, or no name at all.
    let host = endpoint.name().into_iter().flat_map(tails);
    host.for_each(|(depth, tail)| visit(name, depth, Literal::Text(tail)));
    endpoint.ip().into_iter().for_each(|ip| of_address(name, ip, &mut visit));
}

fn of_host(name: Name, asked: &str, mut visit: impl FnMut(Name, u8, Literal<'_>)) {
    match (asked.parse::<IpAddr>(), host_name::canonical(asked)) {
        (Ok(ip), _) => of_address(name, ip.to_canonical(), visit),
        (_, Ok(host)) => tails(&host).for_each(|(depth, tail)| visit(name, depth, Literal::Text(tail))),
        _ => {}
    }
}

fn of_url(asked: &str, mut visit: impl FnMut(Name, u8, Literal<'_>)) {
    let Ok(target) = Target::parse(asked) else { return };
    // A ban to connect refuses a request.
    for name in [Name::Http, Name::NetConnect] {
        match &target.host {
            Host::Name(host) => {
                tails(host).for_each(|(depth, tail)| visit(name, depth, Literal::Text(tail)));
            }
            Host::Address(ip) => of_address(name, *ip, &mut visit),
        }
    }
    let Host::Name(host) = &target.host else { return };
    // A ban may touch the path without its parameters.
    let bare = url::without_parameters(&target.path);
    for path in [Some(&*target.path), bare.as_deref()].into_iter().flatten() {
        fronts(path, b'/')
            .take_while(|(depth, _)| *depth <= URL_DEPTH_MAX)
            .for_each(|(depth, front)| visit(Name::Http, URL + depth, Literal::Two(host, front)));
    }
}

/// The blocks around the address, around the one embedded in it, and around loopback where the unspecified one leads.
fn of_address(name: Name, ip: IpAddr, mut visit: impl FnMut(Name, u8, Literal<'_>)) {
    let embedded = address_class::embedded(ip).map(IpAddr::from);
    let loopback =
        [Some(ip), embedded].into_iter().flatten().find(IpAddr::is_unspecified).map(cidr::loopback);
    for ip in [Some(ip), embedded, loopback].into_iter().flatten() {
        let bits = if ip.is_ipv4() { 32 } else { 128 };
        for steps in 0..=bits / STEP_BITS {
            let network = cidr::masked(ip, steps * STEP_BITS);
            visit(name, family(ip) + steps, Literal::Address(network));
        }
    }
}

fn of_actor(name: Name, id: &str, spans: &Spans, mut visit: impl FnMut(Name, u8, Literal<'_>)) {
    let Some(parts) = actor_pattern::three_parts(id) else { return };
    for span in spans.of(name) {
        let literal = |at: usize| if span >> at & 1 == 1 { parts[at] } else { "" };
        visit(name, span, Literal::Three([0, 1, 2].map(literal)));
    }
}

fn family(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { V4 } else { V6 }
}

/// The text before each separator, and the whole of it, each with the number of separators in it.
fn fronts(text: &str, separator: u8) -> impl Iterator<Item = (u8, &str)> {
    let is_end = move |at: &usize| text.as_bytes().get(*at).is_none_or(|byte| *byte == separator);
    let ends = (0..=text.len()).filter(is_end);
    (0..=DEPTH_MAX).zip(ends).map(|(separators, end)| (separators, &text[..end]))
}

/// The last labels of a name, one and more, each with their number.
fn tails(name: &str) -> impl Iterator<Item = (u8, &str)> {
    let is_start = |at: &usize| *at == 0 || name.as_bytes()[at - 1] == b'.';
    let starts = (0..=name.len()).rev().filter(is_start);
    (1..=DEPTH_MAX).zip(starts).map(|(labels, start)| (labels, &name[start..]))
}
