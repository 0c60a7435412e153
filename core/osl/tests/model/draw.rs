//! Random capabilities and asks over small alphabets, so that they meet often.

use airssys_osl::Protocol;

use super::{Cap, Host, Place, Ports, Reach, Want};
use crate::support::seeded::Seeded;

const PATHS: &[&str] = &["fs.read", "fs.list", "fs.write", "fs.delete", "fs.exec"];
const NETS: &[&str] = &["net.connect", "net.connect", "net.listen"];
const LABELS: &[&str] = &["kv.read", "kv.write"];
const ACTORS: &[&str] = &["message.send", "message.request", "message.spawn"];
const TOPICS: &[&str] = &["message.publish", "message.subscribe"];
const REGIONS: &[&str] = &["region.create", "region.create", "region.read", "region.write"];
const BARE: &[&str] = &["clock", "random", "stdio"];
const GLOBS: &[&str] = &["a", "ab", "b", "*", "a*", "*b", "?", "a?", "*a*", "**"];
const NAMES: &[&str] = &["a", "ab", "b", "ba", "aab"];
const HOSTS: &[&str] = &["x", "a.x", "b.x", "a.b.x", "ba.x", "x.y"];
const PORTS: &[u16] = &[1, 79, 80, 81, 443, 65_535];
const METHODS: &[&str] = &["GET", "HEAD", "PUT"];
const VARIABLES: &[&str] = &["LANG", "TZ", "APP_A", "APP_", "APP", "LD_A"];
const VARIABLE_PATTERNS: &[&str] = &["LANG", "TZ", "APP_*", "APP*", "L*", "*"];
const ACTIONS: &[&str] = &["charge", "refund", "list"];
const BLOCKS: &[(&str, u32)] = &[
    ("0.0.0.0", 0),
    ("0.0.0.0", 32),
    ("10.0.0.0", 8),
    ("10.0.0.1", 32),
    ("10.0.0.0", 31),
    ("93.184.0.0", 16),
    ("127.0.0.0", 8),
    ("::", 0),
    ("::", 128),
    ("64:ff9b::", 96),
    ("2606:4700::", 32),
];

const fn place(ip: &'static str, reach: Reach) -> Place {
    Place { ip, reach, carries: None }
}

const fn carrier(ip: &'static str, reach: Reach, carries: &'static str) -> Place {
    Place { ip, reach, carries: Some(carries) }
}

/// By hand, after the registries of IANA.
const PLACES: &[Place] = &[
    place("93.184.216.34", Reach::Anybody),
    place("2606:4700::1", Reach::Anybody),
    place("10.0.0.1", Reach::WithPrivate),
    place("10.0.0.2", Reach::WithPrivate),
    place("127.0.0.1", Reach::WithPrivate),
    place("169.254.169.254", Reach::WithPrivate),
    place("100.64.0.1", Reach::WithPrivate),
    place("fd00::1", Reach::WithPrivate),
    place("::1", Reach::WithPrivate),
    place("0.0.0.0", Reach::Nobody),
    place("::", Reach::Nobody),
    place("224.0.0.1", Reach::Nobody),
    place("ff02::1", Reach::Nobody),
    place("192.0.2.1", Reach::Nobody),
    carrier("64:ff9b::5db8:d822", Reach::Anybody, "93.184.216.34"),
    carrier("64:ff9b::a00:1", Reach::WithPrivate, "10.0.0.1"),
    carrier("2002:a00:1::1", Reach::WithPrivate, "10.0.0.1"),
    carrier("::10.0.0.1", Reach::WithPrivate, "10.0.0.1"),
];

fn words(seeded: &mut Seeded, from: &[&str], length_max: usize) -> Vec<String> {
    seeded.some(from, length_max).into_iter().map(str::to_owned).collect()
}

fn host(seeded: &mut Seeded, blocks: bool) -> Host {
    let bound = if blocks { 3 } else { 2 };
    match seeded.below(bound) {
        0 => Host::Name(seeded.pick(HOSTS)),
        1 => Host::Below(seeded.pick(HOSTS)),
        _ => block(seeded),
    }
}

fn block(seeded: &mut Seeded) -> Host {
    let (start, bits) = seeded.pick(BLOCKS);
    Host::Block(start, bits)
}

fn ports(seeded: &mut Seeded) -> Ports {
    let (one, other) = (seeded.pick(PORTS), seeded.pick(PORTS));
    match seeded.below(3) {
        0 => Ports::All,
        1 => Ports::Range(one, one),
        _ => Ports::Range(one.min(other), one.max(other)),
    }
}

fn protocol(seeded: &mut Seeded) -> Protocol {
    seeded.pick(&[Protocol::Tcp, Protocol::Udp])
}

/// `**` and what else is a whole part; an empty last part in a URL.
fn url_path(seeded: &mut Seeded, from: &[&str]) -> Vec<String> {
    let mut path: Vec<String> =
        words(seeded, from, 4).into_iter().filter(|part| !part.contains('?')).collect();
    if path.is_empty() || seeded.chance(4) {
        path.push(String::new());
    }
    path
}

pub fn draw_capability(seeded: &mut Seeded) -> Cap {
    match seeded.below(12) {
        0 => Cap::Path(seeded.pick(PATHS), words(seeded, GLOBS, 4)),
        1 => {
            let name = seeded.pick(NETS);
            let host = if name == "net.listen" { block(seeded) } else { host(seeded, true) };
            let private = !matches!(host, Host::Block(..)) && seeded.chance(2);
            let proto = seeded.chance(2).then(|| protocol(seeded));
            Cap::Net(name, host, ports(seeded), proto, private)
        }
        2 => Cap::Resolve(host(seeded, false)),
        3 => Cap::Http {
            methods: if seeded.chance(3) { Vec::new() } else { seeded.subset(METHODS, 3) },
            scheme: seeded.pick(&["http", "https"]),
            host: host(seeded, false),
            port: seeded.chance(2).then(|| seeded.pick(&[80, 443])),
            path: url_path(seeded, GLOBS),
        },
        4 => {
            let args = words(seeded, GLOBS, 3).into_iter().filter(|arg| arg != "**").collect();
            let env = if seeded.chance(2) { Vec::new() } else { seeded.subset(VARIABLE_PATTERNS, 2) };
            Cap::Program(seeded.pick(&["/bin/a", "/bin/b"]), args, seeded.chance(2), env)
        }
        5 => Cap::Env(seeded.subset(VARIABLE_PATTERNS, 2)),
        6 => Cap::Label(seeded.pick(LABELS), words(seeded, &["a", "ab", "*", "b*"], 2).concat()),
        7 => {
            let mut part = || words(seeded, &["a", "ab", "*", "b*", "*b"], 1).concat();
            let parts = [part(), part(), part()];
            Cap::Actor(seeded.pick(ACTORS), parts)
        }
        8 => Cap::Topic(seeded.pick(TOPICS), topic(seeded)),
        9 => {
            let name = seeded.pick(REGIONS);
            let max = (name == "region.create" && seeded.chance(2)).then(|| 1 + seeded.below(4) as u64);
            Cap::Region(name, seeded.pick(NAMES), max)
        }
        10 => Cap::Custom(seeded.pick(NAMES), seeded.subset(ACTIONS, 2)),
        _ => Cap::Bare(seeded.pick(BARE)),
    }
}

fn topic(seeded: &mut Seeded) -> Vec<String> {
    let mut parts = words(seeded, &["a", "b", "*"], 3);
    if seeded.chance(3) {
        parts.push("**".to_owned());
    }
    parts
}

/// An ask of the same family as the capability, mostly.
pub fn draw_ask(seeded: &mut Seeded, like: &Cap) -> Want {
    match like {
        Cap::Path(name, _) => {
            let name = if seeded.chance(8) { seeded.pick(PATHS) } else { name };
            Want::Path(name, words(seeded, NAMES, 4))
        }
        Cap::Net("net.connect", ..) if seeded.chance(6) => Want::Resolve(seeded.pick(HOSTS)),
        Cap::Net("net.connect", ..) if seeded.chance(6) => Want::Http {
            method: seeded.pick(METHODS),
            scheme: seeded.pick(&["http", "https"]),
            host: seeded.pick(HOSTS),
            port: seeded.pick(PORTS),
            path: url_path(seeded, NAMES),
        },
        Cap::Net(name, ..) => {
            let asked = (*name == "net.connect" && seeded.chance(2)).then(|| seeded.pick(HOSTS));
            let place = (asked.is_none() || seeded.chance(2)).then(|| seeded.pick(PLACES));
            Want::Net(name, asked, place, seeded.pick(PORTS), protocol(seeded))
        }
        Cap::Resolve(_) => Want::Resolve(seeded.pick(HOSTS)),
        // Four things must agree before the path counts, so most of them do.
        Cap::Http { methods, scheme, host, port, .. } => Want::Http {
            method: methods.first().copied().unwrap_or_else(|| seeded.pick(METHODS)),
            scheme: if seeded.chance(8) { seeded.pick(&["http", "https"]) } else { scheme },
            host: match host {
                Host::Name(name) if !seeded.chance(8) => name,
                _ => seeded.pick(HOSTS),
            },
            port: match port {
                Some(port) if !seeded.chance(8) => *port,
                None if !seeded.chance(8) => {
                    if *scheme == "https" {
                        443
                    } else {
                        80
                    }
                }
                _ => seeded.pick(&[80, 443]),
            },
            path: url_path(seeded, NAMES),
        },
        Cap::Program(..) => {
            let args = words(seeded, &["a", "ab", "b", "", "*"], 3);
            let args = if seeded.chance(4) { Vec::new() } else { args };
            let env = if seeded.chance(2) { Vec::new() } else { seeded.subset(VARIABLES, 2) };
            Want::Program(seeded.pick(&["/bin/a", "/bin/b"]), args, env)
        }
        Cap::Env(_) => Want::Env(seeded.pick(VARIABLES)),
        Cap::Label(..) => Want::Label(seeded.pick(LABELS), seeded.pick(NAMES)),
        Cap::Actor(..) => {
            let mut part = || seeded.pick(NAMES).to_owned();
            let parts = [part(), part(), part()];
            Want::Actor(seeded.pick(ACTORS), parts)
        }
        // One publishes to a topic, but subscribes to patterns too.
        Cap::Topic("message.subscribe", _) => Want::Topic("message.subscribe", topic(seeded)),
        Cap::Topic(..) => Want::Topic(seeded.pick(&["message.publish"]), words(seeded, &["a", "b"], 4)),
        Cap::Region(name, ..) => Want::Region(
            name,
            seeded.pick(NAMES),
            if *name == "region.create" { seeded.below(6) as u64 } else { 0 },
        ),
        Cap::Custom(..) => Want::Custom(seeded.pick(NAMES), seeded.pick(ACTIONS)),
        Cap::Bare(_) => Want::Bare(seeded.pick(BARE)),
    }
}
