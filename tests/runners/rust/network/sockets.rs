//! TCP, UDP and names as the standard library of a guest has them.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, UdpSocket};

use super::World;
use super::dns_stub::{DnsStub, ips};
use super::servers;

/// Reads to the end, and answers in capitals.
fn shouting() -> SocketAddr {
    servers::tcp(|mut stream| {
        let mut buffer = [0; 64];
        let count = stream.read(&mut buffer).unwrap_or(0);
        let _ = stream.write_all(&buffer[..count].to_ascii_uppercase());
    })
}

#[test]
fn a_connection_is_made_where_it_is_granted() {
    let to = shouting();
    let mut world = World::new(&[]);
    let line = world.denied(&format!("tcp {to} hello"));
    assert_eq!(line, format!("- net.connect {to} ; proto=tcp"));
    world.grant(line.trim_start_matches("- "));
    assert_eq!(world.told(&format!("tcp {to} hello")), "HELLO");
    assert_eq!(world.open(), 0, "what the guest let go of is closed");
    world.revoke(line.trim_start_matches("- "));
    world.denied(&format!("tcp {to} hello"));
    let told = ("wasi:sockets/tcp#start-connect".to_owned(), line.trim_start_matches("- ").to_owned());
    assert_eq!(world.denials(), [told.clone(), told], "each is told once");
}

#[test]
fn a_connection_that_nobody_takes_is_no_denial() {
    let world = World::new(&["net.connect 127.0.0.1:*"]);
    let said = world.failure(&format!("tcp 127.0.0.1:{} hello", servers::free_port()));
    assert!(said.contains("refused"), "{said}");
    assert!(world.denials().is_empty());
}

#[test]
fn a_name_is_looked_up_and_pinned_where_it_is_granted() {
    let to = shouting();
    let stub = DnsStub::fixed(&["127.0.0.1"]);
    let grant = format!("net.connect shout.example:{} ; private=yes", to.port());
    let world = World::asking(&[&grant], &stub);
    let line = world.denied(&format!("tcp {to} hello"));
    assert_eq!(line, format!("- net.connect {to} ; proto=tcp"), "nothing led there yet");
    assert_eq!(world.told(&format!("tcp shout.example:{} hello", to.port())), "HELLO");
    assert_eq!(world.told(&format!("tcp {to} again")), "AGAIN", "the name led there a moment ago");
    assert_eq!(world.told("resolve shout.example"), "127.0.0.1");
    assert_eq!(world.denied("resolve other.example"), "- net.resolve other.example");
    assert!(stub.asked().iter().all(|(name, _)| name == "shout.example"));
}

#[test]
fn a_name_that_is_not_there_is_no_denial() {
    let stub = DnsStub::fixed(&[]);
    let world = World::asking(&["net.resolve *.example"], &stub);
    world.failure("resolve gone.example");
    assert!(world.denials().is_empty());
}

#[test]
fn a_guest_listens_where_it_is_granted() {
    let world = World::new(&["net.listen 127.0.0.1:1024-65535"]);
    let on = SocketAddr::from(([127, 0, 0, 1], servers::free_port()));
    let serving = world.begin(&format!("serve {on} 3"));
    for text in ["one", "two", "three"] {
        let mut stream = servers::dial(on);
        stream.write_all(text.as_bytes()).expect("connected");
        stream.shutdown(Shutdown::Write).expect("connected");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("connected");
        assert_eq!(answer, text);
    }
    assert_eq!(super::answered(serving).expect("granted"), "one\ntwo\nthree");
    assert_eq!(world.open(), 0);
}

#[test]
fn what_is_written_arrives_whole_while_the_guest_waits_for_an_answer() {
    const BYTES: usize = 3 << 20;
    let to = servers::tcp(|mut stream| {
        stream.read_exact(&mut vec![0; BYTES]).expect("all of it");
        let _ = stream.write_all(b"all of it");
    });
    let world = World::new(&["net.connect 127.0.0.1:*"]);
    assert_eq!(world.told(&format!("tcp {to} {}", "x".repeat(BYTES))), "all of it");
}

#[test]
fn datagrams_go_where_it_is_granted() {
    let (to, other) = (servers::udp(), servers::udp());
    let world = World::new(&[&format!("net.connect {to} ; proto=udp")]);
    assert_eq!(world.told(&format!("udp {to} hello")), "hello");
    assert_eq!(world.denied(&format!("udp {other} hello")), format!("- net.connect {other} ; proto=udp"));
    let told = world.told(&format!("spread hello {to} {other} {to}"));
    let told: Vec<&str> = told.lines().collect();
    assert_eq!((told[0], told[2]), ("5", "5"), "{told:?}");
    assert_ne!(told[1], "5");
    assert_eq!(world.open(), 0);
    let denial = ("wasi:sockets/udp#send".to_owned(), format!("net.connect {other} ; proto=udp"));
    assert_eq!(world.denials(), [denial.clone(), denial]);
}

#[test]
fn a_guest_hears_datagrams_where_it_is_granted() {
    let world = World::new(&["net.listen 127.0.0.1:* ; proto=udp", "net.connect 127.0.0.1:* ; proto=udp"]);
    let on = SocketAddr::from(([127, 0, 0, 1], servers::free_port()));
    let hearing = world.begin(&format!("hear {on}"));
    let peer = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    peer.set_nonblocking(true).expect("a socket");
    let mut buffer = [0; 64];
    let count = loop {
        // Lost until the guest is there.
        let _ = peer.send_to(b"hello", on);
        match peer.recv(&mut buffer) {
            Ok(count) => break count,
            Err(_) => std::thread::yield_now(),
        }
    };
    assert_eq!(&buffer[..count], b"hello");
    assert_eq!(super::answered(hearing).expect("granted"), "hello");
}

#[test]
fn the_addresses_that_a_name_leads_to_are_told_by_family() {
    let stub =
        DnsStub::new(|_, _, _| super::dns_stub::Reply::Addresses(ips(&["93.184.216.34", "2606:2800::1"])));
    let world = World::asking(&["net.resolve example.com"], &stub);
    assert_eq!(world.told("resolve example.com"), "2606:2800::1\n93.184.216.34");
}

#[test]
fn what_a_guest_sets_of_a_socket_is_never_read_back_as_nothing() {
    let world = World::new(&["net.listen 127.0.0.1:*", "net.connect 127.0.0.1:*"]);
    assert_eq!(world.told("options"), "1000000000 1000000000 1 1 1");
    assert_eq!(world.told("inherit 127.0.0.1:0"), "42 43 64", "a connection keeps what its listener had");
    assert_eq!(world.open(), 0);
}

#[test]
fn a_socket_says_its_port_at_once_where_it_may_listen_and_none_elsewhere() {
    let world = World::new(&["net.listen 0.0.0.0:* ; proto=tcp"]);
    assert_eq!(world.told("local tcp 0.0.0.0:0"), "a port");
    assert_eq!(world.told("local udp 0.0.0.0:0"), "none");
    assert!(world.denials().is_empty(), "nobody asked for anything");
    let world = World::new(&["net.listen 0.0.0.0:* ; proto=udp"]);
    assert_eq!(world.told("local udp 0.0.0.0:0"), "a port");
    assert_eq!(world.told("local tcp 0.0.0.0:0"), "none");
    assert!(world.denials().is_empty(), "nobody asked for anything");
}

#[test]
fn nothing_is_read_after_a_guest_has_shut_its_socket_down() {
    let to = servers::tcp(|mut stream| {
        let _ = stream.write_all(b"too late");
        let _ = stream.read(&mut [0; 1]);
    });
    let world = World::new(&["net.connect 127.0.0.1:*"]);
    assert_eq!(world.told(&format!("deaf {to}")), "closed");
}
