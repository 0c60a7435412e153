//! What the network of an actor does with its grants, on loopback.

mod support;

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, TcpListener as Peer};
use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_osl::{
    Decision, Denial, DenialKind, Exhausted, FixedNames, KeepAlive, NetError, NetLimits, Network, Resolve,
    ResolveError, ResourceLimits, Resources,
};
use support::dns_stub::ips;
use support::net::{NetWorld, at, ip, past, soon, while_asleep};

const LOCAL: &str = "net.connect 127.0.0.0/8:*";

fn names(table: &[(&str, &[&str])]) -> Arc<FixedNames> {
    let names = table.iter().map(|(name, addresses)| (name.to_string(), ips(addresses))).collect();
    Arc::new(FixedNames::new(names, None))
}

fn named(grants: &[&str], table: &[(&str, &[&str])]) -> NetWorld {
    NetWorld::with(grants, names(table), NetLimits::default())
}

fn peer() -> (Peer, u16) {
    let peer = Peer::bind("127.0.0.1:0").unwrap();
    let port = peer.local_addr().unwrap().port();
    (peer, port)
}

/// A port that nothing listens on, as long as the listener is kept from listening elsewhere.
fn dead_port() -> u16 {
    peer().1
}

#[track_caller]
fn denial<T: std::fmt::Debug>(result: Result<T, NetError>) -> Denial {
    match result {
        Err(NetError::Denied(denial)) => denial,
        other => panic!("not denied: {other:?}"),
    }
}

#[test]
fn a_connection_carries_bytes_both_ways_and_counts_them() {
    let world = NetWorld::new(&[LOCAL]);
    let (peer, port) = peer();
    let stream = world.network.connect("127.0.0.1", port, soon(), "test").unwrap();
    let (mut other, from) = peer.accept().unwrap();
    assert_eq!((stream.peer(), stream.local()), (peer.local_addr().unwrap(), from));
    stream.set_nodelay(true).unwrap();
    let minute = Duration::from_secs(60);
    stream.set_keepalive(Some(KeepAlive { idle: minute, interval: minute, count: 3 })).unwrap();
    stream.set_keepalive(None).unwrap();
    stream.set_hop_limit(42).unwrap();
    stream.set_buffers(Some(1_024), Some(1_024)).unwrap();
    stream.write_all(b"question", soon()).unwrap();
    let mut buf = [0; 64];
    other.read_exact(&mut buf[..8]).unwrap();
    other.write_all(b"answer").unwrap();
    let mut got = Vec::new();
    while got.len() < 6 {
        let count = stream.read(&mut buf, soon()).unwrap();
        got.extend(&buf[..count]);
    }
    assert_eq!((got.as_slice(), stream.bytes_in(), stream.bytes_out()), (&b"answer"[..], 6, 8));
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(other.read(&mut buf).unwrap(), 0);
    drop(other);
    assert_eq!(stream.read(&mut buf, soon()).unwrap(), 0);
    let text = format!("net.connect 127.0.0.1:{port} ; proto=tcp");
    assert_eq!(world.decisions(), [(Decision::Allow, text)]);
    assert_eq!(world.checks()[0].rule.as_deref(), Some(LOCAL));
}

#[test]
fn a_connection_closes_with_its_last_handle() {
    let world = NetWorld::new(&[LOCAL]);
    let (peer, port) = peer();
    let stream = world.network.connect("127.0.0.1", port, soon(), "test").unwrap();
    let clone = stream.clone();
    let mut other = peer.accept().unwrap().0;
    drop(stream);
    assert_eq!((world.network.open_sockets(), world.set.grants()[0].open), (1, 1));
    drop(clone);
    assert_eq!((world.network.open_sockets(), world.set.grants()[0].open), (0, 0));
    assert_eq!(other.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_name_leads_to_its_address_and_both_are_recorded() {
    let (peer, port) = peer();
    let grant = format!("net.connect *.example.com:{port} ; private=yes");
    let world = named(&[&grant], &[("db.example.com", &["127.0.0.1"])]);
    let stream = world.network.connect("DB.Example.com.", port, soon(), "test").unwrap();
    assert_eq!(stream.peer(), peer.local_addr().unwrap());
    let allowed =
        ["net.resolve db.example.com".to_owned(), format!("net.connect 127.0.0.1:{port} ; proto=tcp")];
    assert_eq!(world.decisions(), allowed.map(|text| (Decision::Allow, text)));
    let unknown = world.network.connect("x.example.com", port, soon(), "test");
    assert_eq!(unknown.unwrap_err().to_string(), "x.example.com has no addresses");
    world.assert_not_granted(|| world.network.connect("db.example.com", port + 1, soon(), "test"));
    world.assert_not_granted(|| world.network.udp_connect("127.0.0.1", port, soon(), "test"));
}

#[test]
fn a_lookup_pins_its_addresses_to_the_name() {
    let (peer, port) = peer();
    let grant = format!("net.connect db.example:{port} ; private=yes ; proto=tcp");
    let table: &[(&str, &[&str])] = &[("db.example", &["127.0.0.1"])];
    let world = named(&[&grant], table);
    let connect = |host: &str, port| world.network.connect(host, port, soon(), "test");
    world.assert_not_granted(|| connect("127.0.0.1", port));
    assert_eq!(world.network.resolve("DB.example.", soon(), "test").unwrap(), ips(&["127.0.0.1"]));
    for host in ["127.0.0.1", "::ffff:127.0.0.1"] {
        assert_eq!(connect(host, port).unwrap().peer(), peer.local_addr().unwrap());
    }
    world.assert_not_granted(|| connect("127.0.0.1", port + 1));
    world.assert_not_granted(|| connect("127.0.0.2", port));
    world.assert_not_granted(|| world.network.udp_connect("127.0.0.1", port, soon(), "test"));
    let neighbour = named(&[&grant], table);
    neighbour.assert_not_granted(|| neighbour.network.connect("127.0.0.1", port, soon(), "test"));
    world.set.revoke(1).unwrap();
    world.assert_not_granted(|| connect("127.0.0.1", port));
}

#[test]
fn looking_up_alone_lets_nobody_connect_and_tells_of_public_addresses_only() {
    let table: &[(&str, &[&str])] =
        &[("a.example", &["93.184.216.34", "10.0.0.1", "::ffff:1.1.1.1"]), ("inside.example", &["10.0.0.1"])];
    let world = named(&["net.resolve *.example"], table);
    let resolve = |name: &str| world.network.resolve(name, soon(), "test");
    assert_eq!(resolve("a.example").unwrap(), ips(&["93.184.216.34", "1.1.1.1"]));
    world.assert_not_granted(|| resolve("inside.example"));
    world.assert_not_granted(|| resolve("a.other"));
    world.assert_not_granted(|| resolve("127.0.0.1"));
    world.assert_not_granted(|| world.network.connect("93.184.216.34", 443, past(), "test"));
    world.assert_not_granted(|| world.network.connect("a.example", 443, past(), "test"));
    world.grant(2, "net.resolve 127.0.0.0/8");
    assert_eq!(resolve("127.0.0.9").unwrap(), ips(&["127.0.0.9"]), "nobody is asked about an address");
}

#[test]
fn several_addresses_are_tried_in_order() {
    let (peer, port) = peer();
    let grant = format!("net.connect db.example:{port} ; private=yes");
    let addresses = ["127.0.0.3", "127.0.0.2", "127.0.0.1"];
    let world = named(&[&grant], &[("db.example", &addresses)]);
    let stream = world.network.connect("db.example", port, soon(), "test").unwrap();
    assert_eq!(stream.peer(), peer.local_addr().unwrap());
    let tried: Vec<String> = world.decisions().into_iter().skip(1).map(|(_, text)| text).collect();
    let texts = addresses.map(|ip| format!("net.connect {ip}:{port} ; proto=tcp"));
    assert_eq!(tried, texts);
    drop((stream, peer));
    assert_eq!(world.network.open_sockets(), 0);
    assert!(matches!(world.network.connect("db.example", port, soon(), "test"), Err(NetError::Io(_))));
    assert_eq!(world.network.open_sockets(), 0);
}

#[test]
fn the_end_of_a_grant_cuts_what_was_made_under_it() {
    let world = NetWorld::new(&[LOCAL, "net.listen 127.0.0.1:*", "net.connect 127.0.0.0/8:1"]);
    let (peer, port) = peer();
    let stream = world.network.connect("127.0.0.1", port, soon(), "test").unwrap();
    let mut other = peer.accept().unwrap().0;
    other.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // Whatever holds the descriptor: the connection itself has ended.
    let held = stream.ready_fd().unwrap();
    let ended = while_asleep(
        || stream.read(&mut [0; 8], soon()),
        || {
            assert_eq!(world.set.revoke(1), Some(1));
            assert_eq!(other.read(&mut [0; 8]).unwrap(), 0);
        },
    );
    drop(held);
    assert_eq!(denial(ended).kind, DenialKind::Revoked);
    for _ in 0..2 {
        let kind = |denial: Denial| denial.kind;
        assert_eq!(kind(world.assert_denied(|| stream.write(b"x", soon()))), DenialKind::Revoked);
        assert_eq!(kind(world.assert_denied(|| stream.try_read(&mut [0; 8]))), DenialKind::Revoked);
        assert_eq!(kind(world.assert_denied(|| stream.set_nodelay(true))), DenialKind::Revoked);
        assert_eq!(kind(world.assert_denied(|| stream.shutdown(Shutdown::Both))), DenialKind::Revoked);
        assert!(stream.ready_fd().is_err());
    }
    assert_eq!(world.set.grants().len(), 2, "and nothing else");
}

#[test]
fn a_connection_that_is_cut_never_looks_as_if_its_peer_had_closed_it() {
    let (peer, port) = peer();
    for round in 0..200 {
        let world = NetWorld::new(&[LOCAL]);
        let stream = world.network.connect("127.0.0.1", port, soon(), "test").unwrap();
        let _other = peer.accept().unwrap();
        let reading = round % 2 == 0;
        let (tell, begun) = std::sync::mpsc::channel();
        let ended = std::thread::scope(|scope| {
            let using = scope.spawn(|| {
                loop {
                    let _ = tell.send(());
                    match if reading { stream.try_read(&mut [0; 8]) } else { stream.try_write(b"") } {
                        Ok(None) if reading => {}
                        // Nothing is sent, and a connection that was shut down refuses even that.
                        Ok(Some(0)) if !reading => {}
                        ended => return ended,
                    }
                }
            });
            begun.recv().unwrap();
            assert_eq!(world.set.revoke(1), Some(1));
            using.join().unwrap()
        });
        assert_eq!(denial(ended).kind, DenialKind::Revoked);
    }
}

#[test]
fn the_end_of_a_grant_cuts_listeners_and_what_they_accepted() {
    let world = NetWorld::new(&["net.listen 127.0.0.1:*"]);
    let listener = world.network.listen(ip("127.0.0.1"), 0, "test").unwrap();
    let mut client = std::net::TcpStream::connect(listener.local()).unwrap();
    let accepted = listener.accept(soon()).unwrap();
    let bound = world.network.udp_bind(ip("127.0.0.1"), 0, "test").unwrap();
    let (receiver, udp) = (bound.clone(), bound.local());
    std::thread::scope(|scope| {
        let receiving = scope.spawn(move || receiver.recv_from(&mut [0; 8], soon()));
        let ended = while_asleep(|| listener.accept(soon()), || assert_eq!(world.set.revoke(1), Some(3)));
        assert_eq!(denial(ended).kind, DenialKind::Revoked);
        assert_eq!(denial(receiving.join().unwrap()).kind, DenialKind::Revoked);
    });
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
    assert_eq!(denial(accepted.read(&mut [0; 8], soon())).kind, DenialKind::Revoked);
    // The ports are free while the dead handles are still held.
    std::net::UdpSocket::bind(udp).unwrap();
    assert!(std::net::TcpStream::connect(listener.local()).is_err());
}

#[test]
fn the_end_of_a_grant_cuts_a_connection_that_is_being_made() {
    // Nobody accepts, and the queue of who waits for that is full.
    let full = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None);
    let full = full.unwrap();
    rustix::net::bind(&full, &at("127.0.0.1:0")).unwrap();
    rustix::net::listen(&full, 0).unwrap();
    let to: std::net::SocketAddr = rustix::net::getsockname(&full).unwrap().try_into().unwrap();
    let world = NetWorld::new(&[LOCAL, "net.connect 127.0.0.2:1"]);
    let connect = || world.network.connect("127.0.0.1", to.port(), soon(), "test");
    let fillers: Vec<_> = (0..64)
        .map_while(|_| std::net::TcpStream::connect_timeout(&to, Duration::from_millis(500)).ok())
        .collect();
    assert!(fillers.len() < 64);
    let ended = while_asleep(connect, || assert_eq!(world.set.revoke(1), Some(1)));
    assert_eq!(denial(ended).kind, DenialKind::Revoked);
    assert_eq!(world.network.open_sockets(), 0);
}

#[test]
fn a_ttl_that_nobody_ends_cuts_all_the_same() {
    let (_peer, port) = peer();
    // On a machine so busy that the ttl ends before there is a connection, the next one is longer.
    let ended = (0..10).find_map(|doubled| {
        let world = NetWorld::new(&[&format!("net.connect 127.0.0.1:* ; ttl={}ms", 100 << doubled)]);
        let stream = world.network.connect("127.0.0.1", port, soon(), "test").ok()?;
        Some(denial(stream.read(&mut [0; 8], soon())).kind)
    });
    assert_eq!(ended, Some(DenialKind::Expired));
}

#[test]
fn waiting_ends_at_the_deadline_and_at_the_longest_wait() {
    let (peer, port) = peer();
    let limits = NetLimits { wait_max: Duration::from_millis(1), ..NetLimits::default() };
    let world = NetWorld::limited(&[LOCAL, "net.listen 127.0.0.1:*"], limits);
    let hasty = NetWorld::new(&[LOCAL]);
    let stream = hasty.network.connect("127.0.0.1", port, soon(), "test").unwrap();
    assert!(matches!(stream.read(&mut [0; 8], past()), Err(NetError::Timeout)));
    let listener = world.network.listen(ip("127.0.0.1"), 0, "test").unwrap();
    assert!(matches!(listener.accept(soon()), Err(NetError::Timeout)));
    assert_eq!(world.network.open_sockets(), 1, "a wait in vain keeps no place");
    assert!(matches!(hasty.network.connect("127.0.0.1", port, past(), "test"), Err(NetError::Timeout)));
    drop(peer);
}

#[test]
fn who_waits_by_readiness_is_told_at_once() {
    let world = NetWorld::new(&[LOCAL, "net.listen 127.0.0.1:*"]);
    let listener = world.network.listen(ip("127.0.0.1"), 0, "test").unwrap();
    assert!(listener.try_accept().unwrap().is_none());
    let stream = world.network.connect("127.0.0.1", listener.local().port(), soon(), "test").unwrap();
    wait_readable(&listener.ready_fd().unwrap());
    let accepted = listener.try_accept().unwrap().unwrap();
    assert_eq!((accepted.peer(), accepted.local()), (stream.local(), stream.peer()));
    assert_eq!(accepted.try_read(&mut [0; 8]).unwrap(), None);
    assert_eq!(stream.try_write(b"x").unwrap(), Some(1));
    wait_readable(&accepted.ready_fd().unwrap());
    assert_eq!(accepted.try_read(&mut [0; 8]).unwrap(), Some(1));
    let chunk = vec![0; 1 << 20];
    while stream.try_write(&chunk).unwrap().is_some() {}
}

fn wait_readable(fd: &impl std::os::fd::AsFd) {
    let mut fds = [rustix::event::PollFd::new(fd, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut fds, None).unwrap();
}

#[test]
fn a_free_port_is_chosen_within_the_grant() {
    let (taken, port) = peer();
    let high = port.checked_add(3).unwrap();
    let world = NetWorld::new(&[&format!("net.listen 127.0.0.1:{port}-{high} ; proto=tcp")]);
    let listen = |port| world.network.listen(ip("127.0.0.1"), port, "test");
    let listener = listen(0).unwrap();
    assert!((port + 1..=high).contains(&listener.local().port()), "{:?}", listener.local());
    let text = format!("net.listen {} ; proto=tcp", listener.local());
    assert_eq!(world.decisions(), [(Decision::Allow, text)]);
    world.assert_not_granted(|| listen(high + 1));
    world.assert_not_granted(|| world.network.udp_bind(ip("127.0.0.1"), 0, "test"));
    world.assert_not_granted(|| world.network.listen(ip("127.0.0.2"), 0, "test"));
    let mut all = vec![listener];
    let full = loop {
        match listen(0) {
            Ok(listener) => all.push(listener),
            Err(error) => break error,
        }
    };
    assert!(matches!(full, NetError::Io(_)), "{full}");
    assert!(all.len() <= 3);
    drop(taken);
    assert_eq!(listen(0).unwrap().local().port(), port);

    let one = NetWorld::new(&[&format!("net.listen 127.0.0.1:{port}")]);
    one.assert_not_granted(|| one.network.listen(ip("127.0.0.1"), 0, "test"));
    let any = NetWorld::new(&["net.listen 127.0.0.1:0"]);
    let listener = any.network.listen(ip("127.0.0.1"), 0, "test").unwrap();
    assert_ne!(listener.local().port(), 0);
}

#[test]
fn datagrams_go_where_a_grant_says_and_come_from_anywhere() {
    let friend = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let (to, other) = (friend.local_addr().unwrap(), stranger.local_addr().unwrap());
    let connect = format!("net.connect 127.0.0.1:{} ; proto=udp", to.port());
    let world = NetWorld::new(&["net.listen 127.0.0.1:* ; proto=udp", &connect]);
    let socket = world.network.udp_bind(ip("127.0.0.1"), 0, "test").unwrap();
    for _ in 0..3 {
        assert_eq!(socket.send_to(b"hello", to, soon()).unwrap(), 5);
    }
    assert_eq!(world.checks().len(), 2, "one for the socket, one for the destination");
    let refused = world.assert_not_granted(|| socket.send_to(b"hello", other, soon()));
    assert_eq!(refused, format!("net.connect {other} ; proto=udp"));
    assert!(matches!(socket.send_to(b"x", at("127.0.0.1:0"), soon()), Err(NetError::PortZero)));
    let mut buf = [0; 3];
    assert_eq!(friend.recv_from(&mut buf).unwrap().1, socket.local());
    stranger.send_to(b"", socket.local()).unwrap();
    assert_eq!(socket.recv_from(&mut buf, soon()).unwrap(), (0, other));
    stranger.send_to(b"hello", socket.local()).unwrap();
    assert_eq!(socket.recv_from(&mut buf, soon()).unwrap(), (3, other), "cut to the buffer");
    assert_eq!((socket.bytes_in(), socket.bytes_out()), (3, 15));
    assert_eq!(socket.try_recv_from(&mut buf).unwrap(), None);
    world.set.revoke(2).unwrap();
    world.assert_not_granted(|| socket.try_send_to(b"hello", to));
}

#[test]
fn a_connected_datagram_socket_hears_its_peer_alone() {
    let friend = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let (to, other) = (friend.local_addr().unwrap(), stranger.local_addr().unwrap());
    let grant = format!("net.connect time.example:{} ; private=yes ; proto=udp", to.port());
    let world = named(&[&grant], &[("time.example", &["127.0.0.1"])]);
    let socket = world.network.udp_connect("time.example", to.port(), soon(), "test").unwrap();
    assert_eq!(socket.peer(), Some(to));
    stranger.send_to(b"spoofed", socket.local()).unwrap();
    socket.send_to(b"hello", to, soon()).unwrap();
    friend.send_to(b"good", socket.local()).unwrap();
    let mut buf = [0; 16];
    assert_eq!(socket.recv_from(&mut buf, soon()).unwrap(), (4, to));
    assert!(matches!(socket.send_to(b"x", other, soon()), Err(NetError::Io(_))));
    world.set.revoke(1).unwrap();
    assert_eq!(denial(socket.recv_from(&mut buf, soon())).kind, DenialKind::Revoked);
}

#[test]
fn an_actor_has_so_many_sockets() {
    let limits = ResourceLimits { sockets_max: 2, ..ResourceLimits::default() };
    let grants = [LOCAL, "net.listen 127.0.0.1:*", "net.resolve *.example"];
    let world = NetWorld::with(&grants, names(&[("a.example", &["1.1.1.1"])]), NetLimits::default());
    let world = NetWorld { network: world.network.with_resources(Resources::new(limits)), ..world };
    let (_peer, port) = peer();
    let listener = world.network.listen(ip("127.0.0.1"), 0, "test").unwrap();
    let stream = world.network.clone().connect("127.0.0.1", port, soon(), "test").unwrap();
    let full = world.network.connect("127.0.0.1", port, soon(), "test").unwrap_err();
    assert_eq!(full.to_string(), "2 sockets are open, as many of this actor as may");
    for full in [
        world.network.udp_connect("127.0.0.1", port, soon(), "test").map(drop),
        world.network.udp_bind(ip("127.0.0.1"), 0, "test").map(drop),
        listener.accept(soon()).map(drop),
        world.network.resolve("a.example", soon(), "test").map(drop),
    ] {
        assert!(matches!(full, Err(NetError::TooManySockets(Exhausted { allowed: 2, .. }))), "{full:?}");
    }
    world.assert_not_granted(|| world.network.connect("192.0.2.1", port, soon(), "test"));
    drop(stream);
    world.network.resolve("a.example", soon(), "test").unwrap();
    world.network.connect("127.0.0.1", port, soon(), "test").unwrap();
}

#[test]
fn sockets_over_ipv6_are_of_ipv6_alone() {
    let world = NetWorld::new(&["net.listen [::1]:*", "net.listen [::]:*", "net.connect [::1]:*"]);
    let listener = match world.network.listen(ip("::1"), 0, "test") {
        Err(NetError::Io(error)) => return eprintln!("no IPv6 here: {error}"),
        listener => listener.unwrap(),
    };
    let stream = world.network.connect("::1", listener.local().port(), soon(), "test").unwrap();
    assert_eq!(stream.peer(), listener.local());
    let everywhere = world.network.listen(ip("::"), 0, "test").unwrap();
    let over_v4 = std::net::TcpStream::connect(("127.0.0.1", everywhere.local().port()));
    assert!(over_v4.is_err(), "`::` is no grant of IPv4");
}

#[test]
fn a_grant_that_ends_during_the_lookup_says_so() {
    let world = NetWorld::new(&[]);
    let set = world.set.clone();
    let ending = Ending(move || set.revoke(1).is_some());
    let network = Network::new(world.set.clone(), Arc::new(ending), NetLimits::default());
    for text in ["net.connect a.example:1 ; private=yes", "net.connect b.example:1"] {
        world.grant(1, text);
        let name = if text.contains("a.example") { "a.example" } else { "b.example" };
        let ended = world.assert_denied(|| match name {
            "a.example" => network.connect(name, 1, soon(), "test").map(drop),
            _ => network.resolve(name, soon(), "test").map(drop),
        });
        assert_eq!(ended.kind, DenialKind::Revoked);
    }
}

/// Ends a grant while a name is looked up.
struct Ending<F>(F);

impl<F: Fn() -> bool + Send + Sync> Resolve for Ending<F> {
    fn resolve(&self, _: &str, _: Instant) -> Result<Vec<IpAddr>, ResolveError> {
        assert!((self.0)());
        Ok(ips(&["127.0.0.1"]))
    }
}

#[test]
fn of_a_name_with_many_addresses_some_are_looked_at() {
    let many: Vec<String> =
        (0..1_000).map(|number| format!("1.1.{}.{}", number / 200, number % 200)).collect();
    let many: Vec<&str> = many.iter().flat_map(|ip| [ip.as_str(); 2]).collect();
    let world = named(&["net.resolve a.example"], &[("a.example", &many)]);
    let found = world.network.resolve("a.example", soon(), "test").unwrap();
    assert_eq!(found.len(), 16);
    assert_eq!(found[..3], ips(&["1.1.0.0", "1.1.0.1", "1.1.0.2"]), "each once");
}

#[test]
fn a_table_of_the_host_stands_before_other_resolvers() {
    let others = names(&[("a.example", &["10.0.0.1"]), ("b.example", &["1.1.1.1"])]);
    let table = [("A.example", ips(&["1.0.0.1"])), ("gone.example", Vec::new())];
    let table = table.map(|(name, addresses)| (name.to_owned(), addresses)).into();
    let resolver = Arc::new(FixedNames::new(table, Some(others)));
    let world = NetWorld::with(&["net.resolve *.example"], resolver, NetLimits::default());
    let resolve = |name: &str| world.network.resolve(name, soon(), "test");
    assert_eq!(resolve("a.example").unwrap(), ips(&["1.0.0.1"]));
    assert_eq!(resolve("b.example").unwrap(), ips(&["1.1.1.1"]));
    assert!(matches!(resolve("gone.example"), Err(NetError::Resolve(_))));
}

#[test]
fn a_refused_port_is_an_error_of_the_system() {
    let world = NetWorld::new(&[LOCAL]);
    let error = world.network.connect("127.0.0.1", dead_port(), soon(), "test").unwrap_err();
    let NetError::Io(error) = error else { panic!("{error}") };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(matches!(world.network.connect("127.0.0.1", 0, soon(), "test"), Err(NetError::PortZero)));
}
