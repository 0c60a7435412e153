//! What is served, and beside what.

use super::*;

#[test]
fn each_request_has_a_fresh_instance_and_a_connection_may_carry_many() {
    let world = World::new();
    let mut peer = world.connect();
    for _ in 0..3 {
        assert_eq!(peer.ask("/times"), (200, "1".to_owned()));
    }
    assert_eq!(peer.ask("/none").0, 404);
    let (status, head) = peer.ask("/head?a=b");
    assert_eq!((status, head.as_str()), (404, "nothing is here"));
    assert_eq!(peer.ask("/head/x?a=b"), (200, "GET\n/head/x?a=b\na".to_owned()));
}

#[test]
fn a_body_goes_in_and_out_as_it_comes() {
    let world = World::new();
    let mut peer = world.connect();
    peer.send("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    peer.read_to("\r\n\r\n");
    assert_eq!(peer.read_to("first\r\n"), "5\r\nfirst\r\n", "before the rest was sent");
    peer.send("4\r\nrest\r\n0\r\n\r\n");
    assert_eq!(peer.read_to("0\r\n\r\n"), "4\r\nrest\r\n0\r\n\r\n");
    peer.ended();
}

#[test]
fn a_big_body_is_read_and_another_sent() {
    let world = World::new();
    let mut peer = world.connect();
    let bytes = 8 << 20;
    peer.send(format!("POST /count HTTP/1.1\r\nhost: a\r\ncontent-length: {bytes}\r\n\r\n"));
    peer.send(vec![b'x'; bytes]);
    let (status, _, body) = peer.response();
    assert_eq!((status, body), (200, bytes.to_string()));
    assert_eq!(peer.ask(&format!("/bytes/{}", 4 << 20)).1.len(), 4 << 20);
}

#[test]
fn a_head_and_a_request_without_a_body_are_answered_in_form() {
    let world = World::new();
    let mut peer = world.connect();
    peer.send("HEAD /hello HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(peer.read_to("\r\n\r\n").starts_with("HTTP/1.1 200"));
    assert_eq!(peer.ask("/hello"), (200, "hello".to_owned()));
    let mut old = world.connect();
    old.send("GET /hello HTTP/1.0\r\n\r\n");
    assert!(old.read_to("hello").starts_with("HTTP/1.0 200"));
    old.ended();
}

#[test]
fn messages_are_answered_while_an_exchange_lasts() {
    let world = World::new();
    let mut peer = world.connect();
    peer.begin("/sleep/500");
    world.handled(1);
    assert_eq!(world.told("a message"), "a message");
    assert_eq!(peer.response().2, "slept");
}

#[test]
fn a_guest_that_has_answered_may_go_on() {
    let world = World::new();
    assert_eq!(world.get("/after"), (200, "first".to_owned()));
    world.system.stop(world.actor, Some(LONG)).expect("it ends by itself");
}

#[test]
fn an_exchange_acts_by_the_grants_of_its_actor() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "found").expect("written");
    let world = World::new();
    let target = format!("/read{}", path.display());
    assert_eq!(world.get(&target).0, 403);
    world.system.grant(world.actor, &format!("fs.read {}", path.display()), None).expect("granted");
    assert_eq!(world.get(&target), (200, "found".to_owned()));
}

#[test]
fn whoever_may_not_listen_or_cannot_serve_does_not_start() {
    let system = System::open(Config::default()).expect("a system");
    let component = system.load(&guest("serve")).expect("a built guest");
    let spec = ActorSpec::new(component).http_listen("127.0.0.1:8080");
    let error = system.spawn(spec).expect_err("not granted");
    assert_eq!((error.code, error.text("hook")), (Code::StartFailed, "listen"));
    assert_eq!(error.policy_line(), "- net.listen 127.0.0.1:8080 ; proto=tcp");
    for wrong in ["8080", "localhost:8080", "127.0.0.1", ""] {
        let error = system.spawn(ActorSpec::new(component).http_listen(wrong)).expect_err("no address");
        assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, "http_listen"));
    }
    let hello = system.load(&guest("hello")).expect("a built guest");
    let error = system.spawn(ActorSpec::new(hello).http_listen("127.0.0.1:0")).expect_err("no export");
    assert_eq!(error.code, Code::ExportMissing);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound");
    let spec = ActorSpec::new(component).grant(LISTEN).http_listen(&port.to_string());
    assert_eq!(system.spawn(spec).expect_err("taken").code, Code::StartFailed);
}

#[test]
fn the_audit_tells_what_listened_and_how_many_came() {
    let world = World::new();
    let port = world.listening().expect("it listens").port();
    for _ in 0..3 {
        world.get("/hello");
    }
    let records = world.records();
    let of = |operation: &str| {
        records.iter().filter(|record| record["operation"] == operation).collect::<Vec<_>>()
    };
    let listened = of("listen");
    assert!(!listened.is_empty(), "{records:?}");
    assert!(listened.iter().all(|it| it.to_string().contains(&format!("127.0.0.1:{port}"))));
    let closed = of("close");
    assert_eq!(closed.len(), 1, "{closed:?}");
    assert_eq!(closed[0]["counts"]["accepted"], 3);
}
