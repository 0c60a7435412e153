//! What capabilities mean, a second time: from the documentation, slow and plain, on the parts that a
//! text is made of. Nothing here parses.

mod bans;
mod draw;
mod words;

use std::net::{IpAddr, SocketAddr};

use airssys_osl::{Ask, Endpoint, Protocol};

pub use bans::forbids;
pub use draw::{draw_ask, draw_capability};

/// A capability in parts.
#[derive(Clone, Debug)]
pub enum Cap {
    /// Family and action, and the parts of the pattern.
    Path(&'static str, Vec<String>),
    Net(&'static str, Host, Ports, Option<Protocol>, bool),
    Resolve(Host),
    Http {
        methods: Vec<&'static str>,
        scheme: &'static str,
        host: Host,
        port: Option<u16>,
        path: Vec<String>,
    },
    /// Program, arguments, whether more may follow, variables.
    Program(&'static str, Vec<String>, bool, Vec<&'static str>),
    Env(Vec<&'static str>),
    Label(&'static str, String),
    Actor(&'static str, [String; 3]),
    Topic(&'static str, Vec<String>),
    Region(&'static str, &'static str, Option<u64>),
    Custom(&'static str, Vec<&'static str>),
    Bare(&'static str),
}

#[derive(Clone, Debug)]
pub enum Host {
    Name(&'static str),
    Below(&'static str),
    Block(&'static str, u32),
}

#[derive(Clone, Copy, Debug)]
pub enum Ports {
    All,
    Range(u16, u16),
}

/// An ask in parts.
#[derive(Clone, Debug)]
pub enum Want {
    Path(&'static str, Vec<String>),
    Net(&'static str, Option<&'static str>, Option<Place>, u16, Protocol),
    Resolve(&'static str),
    Http { method: &'static str, scheme: &'static str, host: &'static str, port: u16, path: Vec<String> },
    Program(&'static str, Vec<String>, Vec<&'static str>),
    Env(&'static str),
    Label(&'static str, &'static str),
    Actor(&'static str, [String; 3]),
    Topic(&'static str, Vec<String>),
    Region(&'static str, &'static str, u64),
    Custom(&'static str, &'static str),
    Bare(&'static str),
}

/// An address, who may be led there by a name, and the IPv4 address it carries.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub ip: &'static str,
    pub reach: Reach,
    pub carries: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reach {
    Anybody,
    WithPrivate,
    Nobody,
}

/// Whether a grant of the capability allows what is wanted.
pub fn covers(cap: &Cap, want: &Want) -> bool {
    match (cap, want) {
        (Cap::Path(name, pattern), Want::Path(action, path)) => name == action && words::names(pattern, path),
        (Cap::Net(name, host, ports, proto, private), Want::Net(action, asked, place, port, protocol)) => {
            name == action
                && ports.contain(*port)
                && proto.is_none_or(|proto| proto == *protocol)
                && reaches(host, *asked, *place, *private)
        }
        (Cap::Net("net.connect", host, ..) | Cap::Resolve(host), Want::Resolve(asked)) => {
            reaches(host, Some(asked), None, false)
        }
        (
            Cap::Http { methods, scheme, host, port, path },
            Want::Http { method, scheme: asked_scheme, host: asked, port: asked_port, path: asked_path },
        ) => {
            let own = if *scheme == "https" { 443 } else { 80 };
            (methods.is_empty() || methods.contains(method))
                && scheme == asked_scheme
                && port.unwrap_or(own) == *asked_port
                && reaches(host, Some(asked), None, false)
                && words::names(path, asked_path)
        }
        (Cap::Program(program, patterns, rest, names), Want::Program(asked, args, env)) => {
            let enough = if *rest { args.len() >= patterns.len() } else { args.len() == patterns.len() };
            program == asked
                && enough
                && patterns.iter().zip(args).all(|(pattern, arg)| words::word(pattern, arg))
                && env.iter().all(|name| !name.starts_with("LD_") && one_of(names, name))
        }
        (Cap::Env(names), Want::Env(name)) => one_of(names, name),
        (Cap::Label(name, pattern), Want::Label(action, label)) => {
            name == action && words::word(pattern, label)
        }
        (Cap::Actor(name, pattern), Want::Actor(action, id)) => {
            name == action && pattern.iter().zip(id).all(|(pattern, part)| words::word(pattern, part))
        }
        (Cap::Topic(name, pattern), Want::Topic(action, topic)) => {
            name == action && words::topic(pattern, topic)
        }
        (Cap::Region(name, own, max), Want::Region(action, region, bytes)) => {
            name == action && own == region && max.is_none_or(|max| *bytes <= max)
        }
        (Cap::Custom(name, actions), Want::Custom(asked, action)) => {
            name == asked && actions.contains(action)
        }
        (Cap::Bare(name), Want::Bare(asked)) => name == asked,
        _ => false,
    }
}

fn one_of(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| words::word(pattern, name))
}

fn reaches(host: &Host, name: Option<&str>, place: Option<Place>, private: bool) -> bool {
    let led = match place.map(|place| place.reach) {
        None | Some(Reach::Anybody) => true,
        Some(Reach::WithPrivate) => private,
        Some(Reach::Nobody) => false,
    };
    let labels = |name: &str| name.split('.').rev().map(str::to_owned).collect::<Vec<_>>();
    match host {
        Host::Name(own) => led && name == Some(own),
        Host::Below(own) => {
            led && name.is_some_and(|name| {
                let (own, name) = (labels(own), labels(name));
                name.len() > own.len() && name.starts_with(&own)
            })
        }
        Host::Block(start, bits) => place.is_some_and(|place| {
            let inside = |ip: &str| {
                let alone = *bits as usize == binary(ip).len();
                let front = &binary(start)[..*bits as usize];
                let unspecified = ip == "0.0.0.0" || ip == "::";
                binary(ip).len() == binary(start).len()
                    && binary(ip).starts_with(front)
                    && (!unspecified || alone)
            };
            inside(place.ip) || place.carries.is_some_and(inside)
        }),
    }
}

fn binary(ip: &str) -> String {
    match ip.parse().expect("the addresses of the model are addresses") {
        IpAddr::V4(ip) => format!("{:032b}", u32::from(ip)),
        IpAddr::V6(ip) => format!("{:0128b}", u128::from(ip)),
    }
}

impl Ports {
    fn contain(self, port: u16) -> bool {
        match self {
            Ports::All => true,
            Ports::Range(low, high) => low <= port && port <= high,
        }
    }
}

/// The capability as text.
pub fn print(cap: &Cap) -> String {
    match cap {
        Cap::Path(name, parts) => format!("{name} /{}", parts.join("/")),
        Cap::Net(name, host, ports, proto, private) => {
            let ports = match ports {
                Ports::All => "*".to_owned(),
                Ports::Range(low, high) if low == high => low.to_string(),
                Ports::Range(low, high) => format!("{low}-{high}"),
            };
            let proto = proto.map_or(String::new(), |proto| format!(" ; proto={proto}"));
            let private = if *private { " ; private=yes" } else { "" };
            format!("{name} {}:{ports}{private}{proto}", print_host(host))
        }
        Cap::Resolve(host) => format!("net.resolve {}", print_host(host)),
        Cap::Http { methods, scheme, host, port, path } => {
            let methods = if methods.is_empty() { "*".to_owned() } else { methods.join(",") };
            let port = port.map_or(String::new(), |port| format!(":{port}"));
            format!("http {methods} {scheme}://{}{port}/{}", print_host(host), path.join("/"))
        }
        Cap::Program(program, args, rest, env) => {
            let args: String = args.iter().map(|arg| format!(" \"{arg}\"")).collect();
            let env = if env.is_empty() { String::new() } else { format!(" ; env={}", env.join(",")) };
            format!("process.run {program}{args}{}{env}", if *rest { " **" } else { "" })
        }
        Cap::Env(names) => format!("env {}", names.join(",")),
        Cap::Label(name, pattern) => format!("{name} {pattern}"),
        Cap::Actor(name, parts) => format!("{name} {}", parts.join("/")),
        Cap::Topic(name, parts) => format!("{name} {}", parts.join(".")),
        Cap::Region(name, region, max) => {
            format!("{name} {region}{}", max.map_or(String::new(), |max| format!(" ; max={max}B")))
        }
        Cap::Custom(name, actions) => format!("custom.{name} {}", actions.join(",")),
        Cap::Bare(name) => (*name).to_owned(),
    }
}

fn print_host(host: &Host) -> String {
    match host {
        Host::Name(name) => (*name).to_owned(),
        Host::Below(name) => format!("*.{name}"),
        Host::Block(start, bits) => {
            let bits_max = binary(start).len() as u32;
            let start = if start.contains(':') { format!("[{start}]") } else { (*start).to_owned() };
            if *bits == bits_max { start } else { format!("{start}/{bits}") }
        }
    }
}

/// What is wanted, as osl is asked for it.
pub fn ask(want: &Want) -> Ask {
    let text = |name: &str| name.to_owned();
    match want {
        Want::Path(name, parts) => of_text(name, format!("/{}", parts.join("/"))),
        Want::Net(name, host, place, port, protocol) => {
            let ip = |place: Place| SocketAddr::new(place.ip.parse().expect("an address"), *port);
            let endpoint = match (host, place) {
                (Some(host), Some(place)) => Endpoint::resolved(host, ip(*place), *protocol),
                (Some(host), None) => Endpoint::named(host, *port, *protocol),
                (None, place) => Endpoint::address(ip(place.expect("name or address")), *protocol),
            };
            if *name == "net.listen" { Ask::NetListen(endpoint) } else { Ask::NetConnect(endpoint) }
        }
        Want::Resolve(host) => Ask::NetResolve(text(host)),
        Want::Http { method, scheme, host, port, path } => Ask::Http {
            method: text(method),
            url: format!("{scheme}://{host}:{port}/{}?a=/../b", path.join("/")),
        },
        Want::Program(program, args, env) => Ask::ProcessRun {
            program: text(program),
            args: args.clone(),
            env: env.iter().map(|name| text(name)).collect(),
        },
        Want::Env(name) => Ask::Env(text(name)),
        Want::Label(name, label) => of_text(name, text(label)),
        Want::Actor(name, parts) => of_text(name, parts.join("/")),
        Want::Topic(name, parts) => of_text(name, parts.join(".")),
        Want::Region("region.create", region, bytes) => {
            Ask::RegionCreate { name: text(region), bytes: *bytes }
        }
        Want::Region(name, region, _) => of_text(name, text(region)),
        Want::Custom(name, action) => Ask::Custom { name: text(name), action: text(action) },
        Want::Bare("clock") => Ask::Clock,
        Want::Bare("random") => Ask::Random,
        Want::Bare(_) => Ask::Stdio,
    }
}

fn of_text(name: &str, text: String) -> Ask {
    match name {
        "fs.read" => Ask::FsRead(text),
        "fs.list" => Ask::FsList(text),
        "fs.write" => Ask::FsWrite(text),
        "fs.delete" => Ask::FsDelete(text),
        "fs.exec" => Ask::FsExec(text),
        "kv.read" => Ask::KvRead(text),
        "kv.write" => Ask::KvWrite(text),
        "message.send" => Ask::MessageSend(text),
        "message.request" => Ask::MessageRequest(text),
        "message.spawn" => Ask::MessageSpawn(text),
        "message.publish" => Ask::MessagePublish(text),
        "message.subscribe" => Ask::MessageSubscribe(text),
        "region.read" => Ask::RegionRead(text),
        "region.write" => Ask::RegionWrite(text),
        other => panic!("{other} has no ask of one text"),
    }
}
