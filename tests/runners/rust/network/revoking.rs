//! A revocation cuts what is open: the guest sees an error, the audit one denial, the host how many it cut.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use airwasm::Code;

use super::{World, answered, refused, servers};

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

#[test]
fn a_read_that_waits_ends() {
    let (listener, to) = listener();
    let world = World::new(&["net.connect 127.0.0.0/8:*"]);
    let reading = world.begin(&format!("tcp {to} hello"));
    let (mut peer, _) = listener.accept().expect("it connects");
    peer.read_exact(&mut [0; 5]).expect("it writes");
    assert_eq!(world.open(), 1);
    assert_eq!(world.revoke("net.connect 127.0.0.0/8:*"), 1);
    refused(answered(reading), Code::GrantRevoked);
    assert_eq!(peer.read(&mut [0]).expect("an end"), 0);
    assert_eq!(world.denials().len(), 1);
}

#[test]
fn a_listener_that_waits_ends() {
    let world = World::new(&["net.listen 127.0.0.1:*"]);
    let on = SocketAddr::from(([127, 0, 0, 1], servers::free_port()));
    let serving = world.begin(&format!("serve {on} 9"));
    // One that is accepted, and never says anything.
    let mut peer = servers::dial(on);
    while world.open() < 2 {
        std::thread::yield_now();
    }
    assert_eq!(world.revoke("net.listen 127.0.0.1:*"), 2);
    refused(answered(serving), Code::GrantRevoked);
    assert!(matches!(peer.read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn a_wait_for_a_datagram_ends() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let to = silent.local_addr().expect("bound");
    let world = World::new(&["net.connect 127.0.0.1:* ; proto=udp"]);
    let waiting = world.begin(&format!("udp {to} hello"));
    silent.recv_from(&mut [0; 8]).expect("it sends");
    assert_eq!(world.revoke("net.connect 127.0.0.1:* ; proto=udp"), 1);
    refused(answered(waiting), Code::GrantRevoked);
    assert_eq!(world.denials().len(), 1);
}

#[test]
fn an_exchange_of_http_ends_before_and_within_its_body() {
    for said in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        let (listener, to) = listener();
        let grant = format!("http GET http://{to}/**");
        let world = World::new(&[&grant]);
        let reading = world.begin(&format!("http://{to}/slow"));
        let (mut peer, _) = listener.accept().expect("it connects");
        assert!(servers::head(&mut peer).starts_with("GET /slow HTTP/1.1\r\n"));
        peer.write_all(said.as_bytes()).expect("connected");
        assert_eq!(world.revoke(&grant), 1);
        refused(answered(reading), Code::GrantRevoked);
        assert_eq!(peer.read(&mut [0]).expect("an end"), 0);
        world.denied(&format!("http://{to}/slow"));
        assert_eq!(world.denials().len(), 2);
    }
}

#[test]
fn what_runs_out_is_cut_as_well() {
    let (listener, to) = listener();
    let world = World::new(&[]);
    let ttl = Some(Duration::from_millis(300));
    world.system.grant(world.actor, "net.connect 127.0.0.1:*", ttl).expect("can be granted");
    let reading = world.begin(&format!("tcp {to} hello"));
    let (mut peer, _) = listener.accept().expect("it connects");
    refused(answered(reading), Code::GrantExpired);
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).expect("an end");
    assert_eq!(rest, b"hello");
}

#[test]
fn what_is_granted_again_works_again() {
    let to = servers::http(|_| servers::ok("here"));
    let grant = format!("http GET http://{to}/**");
    let mut world = World::new(&[&grant]);
    assert_eq!(world.told(&format!("http://{to}/")), "here");
    world.closes();
    assert_eq!(world.revoke(&grant), 0, "nothing is open between two requests");
    world.denied(&format!("http://{to}/"));
    world.grant(&grant);
    assert_eq!(world.told(&format!("http://{to}/")), "here");
}

#[test]
fn the_end_of_an_actor_closes_its_connections() {
    let (listener, to) = listener();
    let world = World::new(&["net.connect 127.0.0.1:*"]);
    let reading = world.begin(&format!("tcp {to} hello"));
    let (mut peer, _) = listener.accept().expect("it connects");
    peer.read_exact(&mut [0; 5]).expect("it writes");
    world.system.kill(world.actor).expect("lives");
    assert!(answered(reading).is_err());
    assert_eq!(peer.read(&mut [0]).expect("an end"), 0);
}
