//! How serving ends: by a stop in order, by a kill at once, by the end of the grant.

use super::*;

#[test]
fn a_stop_lets_open_exchanges_end_and_lets_nobody_else_in() {
    let world = World::new();
    let address = world.listening().expect("it listens");
    let (mut peer, mut idle) = (world.connect(), world.connect());
    assert_eq!(idle.ask("/hello").0, 200);
    peer.begin("/sleep/300");
    world.handled(2);
    world.system.stop(world.actor, Some(LONG)).expect("stops");
    assert_eq!(peer.response().2, "slept");
    peer.ended();
    idle.ended();
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(world.listening(), None);
}

#[test]
fn a_stop_waits_no_longer_than_it_may_and_for_no_half_head() {
    let world = World::new();
    let mut slow = world.connect();
    slow.send("GET / HTTP/1.1\r\n");
    let mut peer = world.connect();
    peer.begin("/sleep/60000");
    world.handled(1);
    world.system.stop(world.actor, Some(Duration::from_millis(100))).expect("is killed");
    peer.ended();
    slow.ended();
}

#[test]
fn a_kill_and_a_close_cut_at_once() {
    for close in [false, true] {
        let world = World::new();
        let mut peer = world.connect();
        peer.begin("/sleep/60000");
        world.handled(1);
        match close {
            true => drop(world.system.close(Some(Duration::from_millis(100))).expect("closes")),
            false => world.system.kill(world.actor).expect("lives"),
        }
        // Its head was not sent, so there may be time to say so.
        let (status, _, _) = peer.response();
        assert!(status == 503 || status == 0, "{status}");
        peer.ended();
    }
}

#[test]
fn hostile_d18_a_revocation_cuts_the_listener_and_what_it_let_in_and_the_actor_lives() {
    let world = World::with(|spec| spec.restart(airwasm::Restart::Permanent));
    let address = world.listening().expect("it listens");
    let mut peer = world.connect();
    peer.begin("/sleep/60000");
    world.handled(1);
    assert!(world.system.revoke(world.grant()).expect("was granted") >= 2, "the listener and the connection");
    peer.ended();
    until(|| world.listening().is_none());
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(world.told("it lives"), "it lives");
    world.system.grant(world.actor, LISTEN, None).expect("granted");
    let options = RequestOptions { timeout: Some(LONG), ..RequestOptions::default() };
    world.system.request(world.actor, b"trap", &options).expect_err("its next life begins");
    world.event("actor.restarted");
    assert_eq!(world.get("/hello"), (200, "hello".to_owned()));
    let denied = world.records().into_iter().any(|record| record["decision"] == "deny");
    assert!(denied, "the audit shows it");
}

#[test]
fn a_restart_binds_the_same_port_again() {
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port");
    let world = World::with(|spec| spec.restart(airwasm::Restart::Permanent).http_listen(&port.to_string()));
    let mut peer = world.connect();
    peer.begin("/sleep/60000");
    world.handled(1);
    let options = RequestOptions { timeout: Some(LONG), ..RequestOptions::default() };
    world.system.request(world.actor, b"trap", &options).expect_err("its next life begins");
    // There may be time to say so.
    let (status, _, _) = peer.response();
    assert!(status == 503 || status == 0, "{status}");
    peer.ended();
    world.event("actor.restarted");
    assert_eq!(world.listening(), Some(port));
    assert_eq!(world.get("/hello").0, 200);
}

#[test]
fn hostile_d18_a_listener_that_was_revoked_gives_its_port_and_its_sockets_back() {
    /// Of the 64 that one actor may have open, as many as one listener takes.
    const ACCEPTED_MAX: usize = 32;
    let world = World::with(|spec| spec.restart(airwasm::Restart::Permanent));
    let serve_all = || {
        let mut peers: Vec<_> = (0..ACCEPTED_MAX).map(|_| world.connect()).collect();
        // Each in its turn, and all stay open.
        assert!(peers.iter_mut().all(|peer| peer.ask("/hello").0 == 200));
        peers
    };
    let address = world.listening().expect("it listens");
    let mut peers = serve_all();
    assert_eq!(world.system.revoke(world.grant()).expect("was granted"), 1 + ACCEPTED_MAX as u64);
    peers.iter_mut().for_each(Peer::ended);
    until(|| std::net::TcpListener::bind(address).is_ok());
    world.system.grant(world.actor, LISTEN, None).expect("granted");
    let options = RequestOptions { timeout: Some(LONG), ..RequestOptions::default() };
    world.system.request(world.actor, b"trap", &options).expect_err("its next life begins");
    world.event("actor.restarted");
    drop(serve_all());
}
