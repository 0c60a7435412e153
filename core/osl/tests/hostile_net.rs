//! Group E of the hostile cases: ways out onto the network.
//!
//! Loopback plays both parts. For a name with `private=yes` it is a place that may be reached, and then
//! `0.0.0.0`, which is the machine itself and which no name may lead to, is the place that may not. Where
//! an address has to be public it is decided about and not connected to: the deadline has passed.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener as Peer, TcpStream as Client};
use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_osl::{
    Ask, Ban, Capability, Decision, DenialKind, FixedNames, HttpRoute, NetError, NetLimits, TcpStream,
};
use rustix::net::{AddressFamily, SocketType, sockopt};
use support::dns_stub::{A, DnsStub, Reply, ips};
use support::net::{NetWorld, at, ip, past, soon};

fn peer() -> (Peer, u16) {
    let peer = Peer::bind("127.0.0.1:0").unwrap();
    let port = peer.local_addr().unwrap().port();
    (peer, port)
}

const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.255.0.9",
    "169.254.169.254",
    "10.0.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",
    "::1",
    "::",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
];

#[test]
fn hostile_e1_a_granted_name_that_leads_inside() {
    for address in INSIDE {
        let stub = DnsStub::fixed(&[address]);
        let world = NetWorld::asking(&["net.connect example.com:443"], &stub);
        world.assert_not_granted(|| world.network.connect("example.com", 443, soon(), "test"));
        let rule = world.checks().pop().unwrap().rule.unwrap();
        assert!(rule.contains("the name leads to "), "{rule}");
        world.assert_not_granted(|| world.network.udp_connect("example.com", 443, soon(), "test"));
        world.assert_not_granted(|| world.network.resolve("example.com", soon(), "test"));
        world.assert_not_granted(|| world.network.connect(address, 443, soon(), "test"));
        assert_eq!(world.network.open_sockets(), 0);
    }
}

#[test]
fn hostile_e1_nobody_is_asked_about_a_name_that_is_not_granted() {
    let stub = DnsStub::fixed(&["93.184.216.34"]);
    let world = NetWorld::asking(&["net.connect example.com:443"], &stub);
    world.assert_not_granted(|| world.network.connect("secret.evil.io", 443, soon(), "test"));
    world.assert_not_granted(|| world.network.connect("example.com", 80, soon(), "test"));
    world.assert_not_granted(|| world.network.resolve("secret.evil.io", soon(), "test"));
    assert!(stub.asked().is_empty(), "a question is a message to whoever runs the name");
}

/// The first answers to the questions of both families, and the later ones.
fn rebinding(first: &'static str, later: &'static str) -> DnsStub {
    let firsts = std::sync::Mutex::new(std::collections::HashSet::new());
    DnsStub::new(move |_, kind, _| {
        let is_first = firsts.lock().unwrap().insert(kind);
        Reply::Addresses(ips(&[if is_first { first } else { later }]))
    })
}

#[test]
fn hostile_e2_a_name_that_is_rebound_after_the_check() {
    let (peer, port) = peer();
    let stub = rebinding("127.0.0.1", "0.0.0.0");
    let world = NetWorld::asking(&[&format!("net.connect example.com:{port} ; private=yes")], &stub);
    let stream = world.network.connect("example.com", port, soon(), "test").unwrap();
    assert_eq!(stream.peer(), peer.local_addr().unwrap());
    assert_eq!(stub.asked().iter().filter(|(_, kind)| *kind == A).count(), 1, "asked once, and never again");
    world.assert_not_granted(|| world.network.connect("example.com", port, soon(), "test"));
}

#[test]
fn hostile_e2_a_lookup_and_a_connection_apart() {
    let (_peer, port) = peer();
    let stub = rebinding("93.184.216.34", "127.0.0.1");
    let world = NetWorld::asking(&[&format!("net.connect example.com:{port}")], &stub);
    let resolve = || world.network.resolve("example.com", soon(), "test");
    let connect = |host: &str| world.network.connect(host, port, past(), "test");
    assert_eq!(resolve().unwrap(), ips(&["93.184.216.34"]));
    world.assert_not_granted(resolve);
    world.assert_not_granted(|| connect("127.0.0.1"));
    // What was checked stays reachable, by its address.
    assert!(matches!(connect("93.184.216.34"), Err(NetError::Timeout)));
    assert_eq!(world.decisions().pop().unwrap().0, Decision::Allow);
}

#[test]
fn hostile_e3_an_answer_that_mixes_what_may_be_reached_with_what_may_not() {
    let stub = DnsStub::fixed(&["10.0.0.1", "93.184.216.34", "::1", "169.254.169.254", "2606:2800:220::1"]);
    let world = NetWorld::asking(&["net.connect example.com:443"], &stub);
    let tried = world.network.connect("example.com", 443, past(), "test");
    assert!(matches!(tried, Err(NetError::Timeout)), "no time even to ask");
    let told = world.network.resolve("example.com", soon(), "test").unwrap();
    assert_eq!(told, ips(&["93.184.216.34", "2606:2800:220::1"]));

    let (peer, port) = peer();
    let stub = DnsStub::fixed(&["0.0.0.0", "224.0.0.1", "127.0.0.1", "255.255.255.255", "::"]);
    let world = NetWorld::asking(&[&format!("net.connect example.com:{port} ; private=yes")], &stub);
    let stream = world.network.connect("example.com", port, soon(), "test").unwrap();
    assert_eq!(stream.peer(), peer.local_addr().unwrap());
    let allow = |text: String| (Decision::Allow, text);
    let asked = allow("net.resolve example.com".into());
    let reached = allow(format!("net.connect 127.0.0.1:{port} ; proto=tcp"));
    assert_eq!(world.decisions(), [asked, reached], "the others were not even tried");
}

/// An actor that may send requests to these hosts at the port, and is banned from some connections.
fn requesting(hosts: &[(&str, &[&str])], port: u16, banned: &[&str]) -> NetWorld {
    let table = hosts.iter().map(|(name, addresses)| ((*name).to_owned(), ips(addresses))).collect();
    let world = NetWorld::with(&[], Arc::new(FixedNames::new(table, None)), NetLimits::default());
    for (at, (host, addresses)) in hosts.iter().enumerate() {
        let private = if addresses.is_empty() { "" } else { " ; private=yes" };
        world.grant(at as u64 + 1, &format!("http GET http://{host}:{port}/**{private}"));
    }
    world.set.forbid(banned.iter().map(|text| ban(text)).collect());
    world
}

fn ban(text: &str) -> Ban {
    Ban { capability: Capability::parse(text).unwrap().remove(0), rule: text.into() }
}

fn route(world: &NetWorld, host: &str, port: u16) -> Result<HttpRoute, NetError> {
    Ok(world.network.http("GET", &format!("http://{host}:{port}/"), "test")?)
}

/// Asserts that it is refused, and by which ban.
#[track_caller]
fn assert_banned<T>(world: &NetWorld, rule: &str, call: impl FnOnce() -> Result<T, NetError>) {
    let denial = world.assert_denied(|| call().map(drop));
    assert_eq!((denial.kind, denial.rule.as_deref()), (DenialKind::Forbidden, Some(rule)));
    assert!(denial.capability.starts_with("http GET http://"), "{denial}");
}

#[test]
fn hostile_e1_a_request_to_a_name_that_leads_where_connecting_is_banned() {
    let (peer, port) = peer();
    let rule = format!("net.connect 127.0.0.9:{port}");
    let hosts: &[(&str, &[&str])] =
        &[("mixed.test", &["127.0.0.9", "127.0.0.1"]), ("meta.test", &["127.0.0.9", "::ffff:127.0.0.9"])];
    let world = requesting(hosts, port, &[&rule]);
    let meta = route(&world, "meta.test", port).unwrap();
    assert_banned(&world, &rule, || meta.addresses(soon()));
    // Of a name that leads elsewhere too, the rest is left.
    let mixed = route(&world, "mixed.test", port).unwrap();
    let addresses = mixed.addresses(soon()).unwrap();
    assert_eq!(addresses.len(), 1);
    let connecting = mixed.begin(&addresses[0]).unwrap();
    peer.accept().unwrap();
    // A ban that comes later cuts it, and what was decided before.
    let rule = format!("net.connect 127.0.0.0/8:{port}");
    assert_eq!(world.set.forbid(vec![ban(&rule)]), 1);
    assert!(matches!(connecting.finish(), Err(NetError::Denied(_))));
    let denial = world.assert_denied(|| mixed.begin(&addresses[0]));
    assert_eq!(denial.kind, DenialKind::Revoked);
    assert_banned(&world, &rule, || mixed.addresses(soon()));
}

#[test]
fn hostile_e1_a_request_to_a_name_that_connecting_to_is_banned() {
    let (_peer, port) = peer();
    let rule = format!("net.connect named.test:{port}");
    let world = requesting(&[("named.test", &["127.0.0.1"]), ("127.0.0.1", &[])], port, &[&rule]);
    world.grant(9, "net.connect named.test:9 ; private=yes");
    assert_banned(&world, &rule, || route(&world, "named.test", port));
    let asked = world.decisions();
    assert!(!asked.iter().any(|(_, text)| text == "net.resolve named.test"), "{asked:?}");
    // As for a connection, its address counts as its own for a minute after the actor looked it up.
    let literal = route(&world, "127.0.0.1", port).unwrap();
    assert_eq!(literal.addresses(soon()).unwrap().len(), 1);
    world.network.resolve("named.test", soon(), "test").unwrap();
    assert_banned(&world, &rule, || literal.addresses(soon()));
}

#[test]
fn hostile_e6_the_unspecified_address_reaches_loopback() {
    let (_peer, port) = peer();
    let grants = [format!("net.connect 0.0.0.0/0:{port}"), format!("net.connect [::]/0:{port}")];
    let world = NetWorld::new(&grants.each_ref().map(String::as_str));
    for host in ["0.0.0.0", "::", "::ffff:0.0.0.0"] {
        world.assert_not_granted(|| world.network.connect(host, port, soon(), "test"));
        world.assert_not_granted(|| world.network.udp_connect(host, port, soon(), "test"));
    }
    for host in ["0", "0x0", "00.0.0.0", "0.0.0", ""] {
        world.assert_not_granted(|| world.network.connect(host, port, soon(), "test"));
    }
}

#[test]
fn hostile_e7_names_that_look_like_the_granted_one() {
    let stub = DnsStub::fixed(&["93.184.216.34"]);
    let world = NetWorld::asking(&["net.connect *.example.com:443"], &stub);
    for name in ["a.example.com", "a.b.example.com", "A.EXAMPLE.com.", "xn--bcher-kva.example.com"] {
        assert_eq!(world.network.resolve(name, soon(), "test").unwrap(), ips(&["93.184.216.34"]), "{name}");
    }
    assert!(stub.asked().iter().any(|(name, _)| name == "a.example.com"));
    let asked = stub.asked().len();
    for name in [
        "example.com",
        "EXAMPLE.com.",
        "evilexample.com",
        "example.com.evil.io",
        "a.example.com..",
        "a..example.com",
        ".example.com",
        "*.example.com",
        "a_b.example.com",
        "-a.example.com",
        "a.example.com\0",
        "a.example.com ",
        "a.example.com:443",
        "a.ex\u{430}mple.com",
        "a\u{3002}example.com",
        "2130706433",
        "0x7f.1",
        "127.1",
        "\u{2460}\u{2461}\u{2466}.0.0.1",
    ] {
        world.assert_not_granted(|| world.network.connect(name, 443, soon(), "test"));
        world.assert_not_granted(|| world.network.resolve(name, soon(), "test"));
    }
    assert_eq!(stub.asked().len(), asked, "and nobody was asked about one of them");
}

#[test]
fn hostile_e11_there_is_no_other_kind_of_socket() {
    for text in [
        "net.unix /run/docker.sock",
        "net.raw 1.2.3.4",
        "net.icmp 1.2.3.4",
        "net.connect unix:/run/docker.sock",
        "net.connect /run/docker.sock:1",
        "net.connect \"\\u0000abstract:1\"",
        "net.connect 127.0.0.1:80 ; proto=icmp",
        "net.connect 127.0.0.1:80 ; proto=raw",
        "net.listen 127.0.0.1:80 ; proto=unix",
    ] {
        assert!(Ask::parse(text).is_err(), "{text}");
    }
    let world = NetWorld::new(&["net.connect 0.0.0.0/0:*", "net.connect [::]/0:*", "net.connect *.sock:*"]);
    for host in ["/run/docker.sock", "unix:/run/docker.sock", "\0abstract", "@abstract", "file:///x", "[::1]"]
    {
        world.assert_not_granted(|| world.network.connect(host, 80, soon(), "test"));
        world.assert_not_granted(|| world.network.udp_connect(host, 80, soon(), "test"));
    }
}

#[test]
fn hostile_e13_listening_where_nothing_was_granted() {
    let (_taken, port) = peer();
    let world = NetWorld::new(&["net.listen 127.0.0.0/8:*", "net.listen 0.0.0.0/0:8080-8090"]);
    for (address, port) in
        [("0.0.0.0", 0), ("0.0.0.0", 8080), ("::", 0), ("::", 8080), ("::1", 0), ("1.1.1.1", 80)]
    {
        world.assert_not_granted(|| world.network.listen(ip(address), port, "test"));
        world.assert_not_granted(|| world.network.udp_bind(ip(address), port, "test"));
    }
    let taken = world.network.listen(ip("127.0.0.1"), port, "test").unwrap_err();
    assert!(matches!(taken, NetError::Io(_)), "a port of somebody else is not shared: {taken}");
    let everywhere = NetWorld::new(&["net.listen 0.0.0.0:*"]);
    assert_eq!(everywhere.network.listen(ip("0.0.0.0"), 0, "test").unwrap().local().ip(), ip("0.0.0.0"));
}

#[test]
fn hostile_e13_a_free_port_is_no_way_around_a_ban() {
    for grant in ["127.0.0.1:0", "127.0.0.1:*", "0.0.0.0:0"] {
        let world = NetWorld::new(&[&format!("net.listen {grant}")]);
        let address = ip(grant.split(':').next().unwrap());
        for rule in ["net.listen 127.0.0.0/8:*", "net.listen 127.0.0.0/8:1-65535"] {
            world.set.forbid(vec![ban(rule)]);
            let denial = world.assert_denied(|| world.network.listen(address, 0, "test"));
            assert_eq!((denial.kind, denial.rule.as_deref()), (DenialKind::Forbidden, Some(rule)), "{grant}");
            world.assert_denied(|| world.network.udp_bind(address, 0, "test"));
        }
    }
}

#[test]
fn hostile_e13_nobody_shares_a_port() {
    let world = NetWorld::new(&["net.listen 127.0.0.1:*"]);
    let listener = world.network.listen(ip("127.0.0.1"), 0, "test").unwrap();
    let datagrams = world.network.udp_bind(ip("127.0.0.1"), 0, "test").unwrap();
    assert!(!sockopt::socket_reuseport(listener.ready_fd().unwrap()).unwrap());
    assert!(!sockopt::socket_reuseport(datagrams.ready_fd().unwrap()).unwrap());
    assert!(!sockopt::socket_reuseaddr(datagrams.ready_fd().unwrap()).unwrap());
    let kinds = [(SocketType::STREAM, listener.local()), (SocketType::DGRAM, datagrams.local())];
    for (kind, address) in kinds {
        for address in [address, at(&format!("0.0.0.0:{}", address.port()))] {
            let thief = rustix::net::socket(AddressFamily::INET, kind, None).unwrap();
            sockopt::set_socket_reuseport(&thief, true).unwrap();
            sockopt::set_socket_reuseaddr(&thief, true).unwrap();
            let stolen = rustix::net::bind(&thief, &address).is_ok()
                && (kind == SocketType::DGRAM || rustix::net::listen(&thief, 1).is_ok());
            assert!(!stolen, "{kind:?} {address}");
        }
    }
    assert!(world.network.listen(ip("127.0.0.1"), listener.local().port(), "test").is_err());
    assert!(world.network.udp_bind(ip("127.0.0.1"), datagrams.local().port(), "test").is_err());
}

#[test]
fn hostile_e13_a_flood_of_connections() {
    let limits = NetLimits { accepted_max: 3, ..NetLimits::default() };
    let world = NetWorld::limited(&["net.listen 127.0.0.1:*"], limits);
    let listener = world.network.listen(ip("127.0.0.1"), 0, "test").unwrap();
    let clients: Vec<Client> = (0..20).map(|_| Client::connect(listener.local()).unwrap()).collect();
    let mut accepted: Vec<TcpStream> = (0..3).map(|_| listener.accept(soon()).unwrap()).collect();
    for _ in 0..10 {
        let full = listener.accept(soon()).unwrap_err();
        assert!(matches!(full, NetError::TooManyAccepted { accepted_max: 3 }), "{full}");
    }
    assert_eq!(world.network.open_sockets(), 4);
    accepted.pop();
    accepted.push(listener.accept(soon()).unwrap());
    assert!(listener.try_accept().is_err());
    assert_eq!(world.checks().len(), 1, "whoever floods does not fill the audit");
    drop((accepted, listener, clients));
    assert_eq!(world.network.open_sockets(), 0);
}

#[test]
fn hostile_e14_a_peer_that_trickles_or_never_ends() {
    let (peer, port) = peer();
    let limits = NetLimits { received_bytes_max: Some(100), ..NetLimits::default() };
    let world = NetWorld::limited(&["net.connect 127.0.0.1:*"], limits);
    let stream = world.network.connect("127.0.0.1", port, soon(), "test").unwrap();
    let mut other = peer.accept().unwrap().0;
    // One deadline for all that is read: a byte now and then does not move it.
    let deadline = Instant::now() + Duration::from_millis(100);
    let (mut buf, mut bytes) = ([0; 64], 0);
    let slow = loop {
        if bytes < 50 {
            other.write_all(b"x").unwrap();
        }
        match stream.read(&mut buf, deadline) {
            Ok(count) => bytes += count,
            Err(error) => break error,
        }
    };
    assert!(matches!(slow, NetError::Timeout), "{slow}");
    let endless = std::thread::spawn(move || while other.write_all(&[0; 4_096]).is_ok() {});
    let too_much = loop {
        match stream.read(&mut buf, soon()) {
            Ok(count) => bytes += count,
            Err(error) => break error,
        }
    };
    assert!(matches!(too_much, NetError::TooManyBytes { received_bytes_max: 100 }), "{too_much}");
    assert_eq!((bytes, stream.bytes_in()), (100, 100));
    drop(stream);
    endless.join().unwrap();
}

#[test]
fn hostile_e14_a_peer_that_never_takes_what_is_written() {
    let (peer, port) = peer();
    let world = NetWorld::new(&["net.connect 127.0.0.1:*"]);
    let stream = world.network.connect("127.0.0.1", port, soon(), "test").unwrap();
    let mut other = peer.accept().unwrap().0;
    let chunk = vec![0; 1 << 20];
    while stream.try_write(&chunk).unwrap().is_some() {}
    let deadline = Instant::now() + Duration::from_millis(50);
    assert!(matches!(stream.write_all(&chunk, deadline), Err(NetError::Timeout)));
    other.read_exact(&mut [0; 8]).unwrap();
    assert!(stream.bytes_out() > 0);
}

#[test]
fn hostile_e14_a_name_server_that_says_nothing() {
    let stub = DnsStub::new(|_, _, _| Reply::Silence);
    let resolver = Arc::new(airssys_osl::DnsResolver::new(vec![stub.address; 3]));
    let limits = NetLimits { wait_max: Duration::from_millis(20), ..NetLimits::default() };
    let world = NetWorld::with(&["net.connect example.com:443"], resolver, limits);
    let connected = world.network.connect("example.com", 443, soon(), "test");
    assert!(matches!(connected, Err(NetError::Timeout)), "{connected:?}");
}

/// Set in the process that plays the guest's host.
const ROLE: &str = "AIRSSYS_HOSTILE_E15_SERVER";

#[test]
fn hostile_e15_the_environment_of_the_host_changes_no_name() {
    if let Ok(server) = std::env::var(ROLE) {
        return in_a_hostile_environment(&server);
    }
    let (peer, port) = peer();
    let stub = DnsStub::new(move |name, _, _| match name {
        "granted.example" => Reply::Addresses(ips(&["127.0.0.1"])),
        _ => Reply::Code(3),
    });
    let dir = tempfile::tempdir().unwrap();
    let aliases = dir.path().join("aliases");
    std::fs::write(&aliases, "granted evil.example\ngranted.example evil.example\n").unwrap();
    // Nobody must come this way.
    let proxy = Peer::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let name = "hostile_e15_the_environment_of_the_host_changes_no_name";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name]).env(ROLE, format!("{} {port}", stub.address));
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        child.env(variable, &url);
    }
    child.env("RES_OPTIONS", "ndots:15 timeout:60 attempts:9 debug").env("LOCALDOMAIN", "evil.example");
    child.env("HOSTALIASES", &aliases).env("RESOLV_HOST_CONF", &aliases);
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    peer.set_nonblocking(true).unwrap();
    peer.accept().expect("the connection came straight here");
    assert!(proxy.accept().is_err(), "nobody took the proxy");
    let known = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    for (asked, _) in stub.asked() {
        assert!(!asked.contains("evil"), "{asked}");
        assert!(asked == "granted.example" || known.contains(&asked), "{asked}");
    }
}

fn in_a_hostile_environment(server: &str) {
    let (server, port) = server.split_once(' ').unwrap();
    let port = port.parse().unwrap();
    let grants = [format!("net.connect granted.example:{port} ; private=yes")];
    let resolver = Arc::new(airssys_osl::DnsResolver::new(vec![at(server)]));
    let world = NetWorld::with(&grants.each_ref().map(String::as_str), resolver, NetLimits::default());
    let stream = world.network.connect("granted.example", port, soon(), "test").unwrap();
    assert_eq!(stream.peer(), at(&format!("127.0.0.1:{port}")));
    // A name that the host's own file knows is asked for like any other.
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    let known = lines.flat_map(|line| line.split_ascii_whitespace().skip(1));
    for (at, name) in known.filter(|name| !name.ends_with("localhost")).enumerate() {
        let Ok(granted) = airssys_osl::Capability::parse(&format!("net.resolve {name}")) else { continue };
        world.set.grant(at as u64 + 10, granted[0].clone(), None).unwrap();
        let found = world.network.resolve(name, soon(), "test");
        assert!(matches!(found, Err(NetError::Resolve(_))), "{name}: {found:?}");
    }
}
