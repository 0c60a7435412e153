//! An exchange that ends in the middle: what was revoked or killed in each of its phases leaves nothing open.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use airwasm::Code;

use super::dns_stub::{DnsStub, Reply, ips};
use super::{World, answered, refused, servers};

/// A name server that says nothing until it is let go, and then that the name is here.
fn hesitant() -> (DnsStub, Sender<()>) {
    let (open, gate) = channel();
    let gate = Mutex::new(gate);
    let stub = DnsStub::new(move |_, _, _| {
        // Open for good when the other end is gone.
        let _ = gate.lock().expect("no panic").recv();
        Reply::Addresses(ips(&["127.0.0.1"]))
    });
    (stub, open)
}

/// Where the system answers nobody any more: its queue of connections is full. Full as long as the sockets live.
fn blackhole() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let to = listener.local_addr().expect("bound");
    let dial = || TcpStream::connect_timeout(&to, Duration::from_millis(100)).ok();
    let waiting = std::iter::from_fn(dial).collect();
    (to, listener, waiting)
}

/// Says so when it has heard this, and waits for the end.
fn listens_until(heard: &'static [u8], then: &'static [u8]) -> (SocketAddr, Receiver<()>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let to = servers::tcp(move |mut stream| {
        let mut all: Vec<u8> = Vec::new();
        while !all.windows(heard.len()).any(|part| part == heard) {
            let mut piece = [0; 512];
            match stream.read(&mut piece) {
                Ok(count @ 1..) => all.extend(&piece[..count]),
                _ => return,
            }
        }
        let _ = stream.write_all(then);
        let _ = tell.lock().expect("no panic").send(());
        let _ = stream.read(&mut [0; 64]);
    });
    (to, told)
}

/// What a TLS client says first.
const HELLO: &[u8] = &[22, 3, 1];
const HEAD: &[u8] = b"\r\n\r\n";
const HALF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";

#[test]
fn a_lookup_ends_and_tells_nothing() {
    for (grant, ask) in [
        ("http GET http://slow.example/** ; private=yes", "http://slow.example/"),
        ("net.connect slow.example:80 ; private=yes", "resolve slow.example"),
    ] {
        let (stub, gate) = hesitant();
        let world = World::asking(&[grant], &stub);
        let asking = world.begin(ask);
        while stub.asked().is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(world.revoke(grant), 0, "a question is nothing that is open");
        drop(gate);
        refused(answered(asking), Code::GrantRevoked);
        assert_eq!(world.denials().len(), 1);
    }
}

#[test]
fn a_connection_on_its_way_ends() {
    let (to, _listener, _waiting) = blackhole();
    for (grant, ask) in [
        (format!("http GET http://{to}/**"), format!("http://{to}/")),
        (format!("net.connect {to}"), format!("tcp {to} hello")),
    ] {
        let world = World::new(&[&grant]);
        let asking = world.begin(&ask);
        while world.open() == 0 {
            std::thread::yield_now();
        }
        assert_eq!(world.revoke(&grant), 1);
        refused(answered(asking), Code::GrantRevoked);
        let records = world.records();
        let results: Vec<_> = records.iter().filter(|record| record["operation"] == "connect").collect();
        let [_, result] = results.as_slice() else { panic!("{results:?}") };
        assert!(result["outcome"].as_str().is_some_and(|why| why.contains("revoked")), "{result}");
    }
}

#[test]
fn a_handshake_and_a_body_end() {
    for (scheme, heard, then) in [("https", HELLO, &b""[..]), ("http", HEAD, HALF)] {
        let (to, told) = listens_until(heard, then);
        let grant = format!("http GET {scheme}://{to}/**");
        let world = World::new(&[&grant]);
        let asking = world.begin(&format!("{scheme}://{to}/"));
        told.recv().expect("it begins");
        assert_eq!(world.revoke(&grant), 1);
        refused(answered(asking), Code::GrantRevoked);
        assert_eq!(world.denials().len(), 1);
    }
}

#[test]
fn a_bound_socket_that_waits_for_datagrams_ends() {
    let grant = "net.listen 127.0.0.1:* ; proto=udp";
    let world = World::new(&[grant]);
    let hearing = world.begin(&format!("hear 127.0.0.1:{}", servers::free_port()));
    while world.open() == 0 {
        std::thread::yield_now();
    }
    assert_eq!(world.revoke(grant), 1);
    refused(answered(hearing), Code::GrantRevoked);
    assert_eq!(world.denials().len(), 1);
}

/// Set in a process that does one thing alone.
const ROLE: &str = "AIRWASM_HOSTILE_ALONE";

fn is_alone() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Runs a test of this file in a process of its own.
fn alone(name: &str) {
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    let output = child.args(["--exact", &format!("hostile_phases::{name}")]).env(ROLE, "1").output();
    let output = output.expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("Linux").count()
}

/// Whether a world has come as far as a phase.
type Reached<'a> = &'a dyn Fn(&World) -> bool;

#[test]
fn hostile_b5_whoever_is_killed_in_the_middle_leaves_nothing_open() {
    if !is_alone() {
        return alone("hostile_b5_whoever_is_killed_in_the_middle_leaves_nothing_open");
    }
    let (stub, open) = hesitant();
    let mut gate = Some(open);
    let (lost, _listener, _waiting) = blackhole();
    let (shy, by_tls) = listens_until(HELLO, b"");
    let (mute, by_head) = listens_until(HEAD, b"");
    let (slow, by_body) = listens_until(HEAD, HALF);
    let begun = |world: &World| world.open() > 0;
    let asked = |_: &World| !stub.asked().is_empty();
    let told = |told: &Receiver<()>| told.recv().is_ok();
    let (by_tls, by_head, by_body) =
        (|_: &World| told(&by_tls), |_: &World| told(&by_head), |_: &World| told(&by_body));
    let phases: [(String, Reached<'_>); 7] = [
        ("http://slow.example/".to_owned(), &asked),
        (format!("http://{lost}/"), &begun),
        (format!("tcp {lost} hello"), &begun),
        (format!("https://{shy}/"), &by_tls),
        (format!("http://{mute}/"), &by_head),
        (format!("http://{slow}/"), &by_body),
        (format!("hear 127.0.0.1:{}", servers::free_port()), &begun),
    ];
    let mut world = World::asking(&[], &stub);
    let component = world.system.load(&airwasm_tests::guest("fetch")).expect("a built guest");
    // Its first life makes what all lives share.
    world.system.spawn(airwasm::ActorSpec::new(component).name("first")).expect("starts");
    let before = descriptors();
    for (number, (ask, is_begun)) in phases.into_iter().enumerate() {
        let spec = airwasm::ActorSpec::new(component).name(&format!("n{number}"));
        world.actor = world.system.spawn(spec).expect("starts");
        for grant in ["net.connect 127.0.0.1:*", "net.listen 127.0.0.1:* ; proto=udp"] {
            world.grant(grant);
        }
        if let Some((scheme, rest)) = ask.split_once("://") {
            let private = if rest.contains("example") { " ; private=yes" } else { "" };
            world.grant(&format!("http GET {scheme}://{rest}**{private}"));
        }
        let asking = world.begin(&ask);
        while !is_begun(&world) {
            std::thread::yield_now();
        }
        world.system.kill(world.actor).expect("lives");
        assert!(answered(asking).is_err(), "{ask}");
        // The lookup's thread ends with the answer.
        drop(gate.take());
        while descriptors() > before {
            std::thread::yield_now();
        }
    }
}

#[test]
fn hostile_e14_timers_go_on_while_no_descriptor_is_left() {
    if !is_alone() {
        return alone("hostile_e14_timers_go_on_while_no_descriptor_is_left");
    }
    let (lost, _listener, _waiting) = blackhole();
    let world = World::new(&[&format!("http GET http://{lost}/**")]);
    // One is left, which becomes the socket: nothing is, to wait for it.
    let free = fs::File::open("/dev/null").expect("it can be read").as_raw_fd();
    let limit = format!("--nofile={}:", free + 1);
    let limited = Command::new("prlimit").args(["--pid", &std::process::id().to_string(), &limit]).status();
    let Ok(limited) = limited else { return eprintln!("skipped: there is no prlimit on this machine") };
    assert!(limited.success());
    let _asking = world.begin(&format!("http://{lost}/"));
    while world.open() == 0 {
        std::thread::yield_now();
    }
    let ttl = Some(Duration::from_millis(1));
    let grant = world.system.grant(world.actor, "net.connect 127.0.0.9:*", ttl).expect("can be granted");
    while world.system.grants(world.actor).expect("lives").iter().any(|info| info.grant == grant) {
        std::thread::yield_now();
    }
}
