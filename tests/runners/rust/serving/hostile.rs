//! Peers that mean harm: requests with two ends, slow ones, many ones, big ones.

use super::*;

#[test]
fn hostile_e10_a_request_of_which_two_programs_could_see_two_ends_is_refused() {
    let world = World::new();
    for (line, lines) in [
        ("POST /count HTTP/1.1", "host: a\r\ncontent-length: 4\r\ncontent-length: 4\r\n"),
        ("POST /count HTTP/1.1", "host: a\r\ncontent-length: 4\r\ncontent-length: 5\r\n"),
        ("POST /count HTTP/1.1", "host: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n"),
        ("POST /count HTTP/1.1", "host: a\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n"),
        ("POST /count HTTP/1.1", "host: a\r\ntransfer-encoding: gzip, chunked\r\n"),
        ("POST /count HTTP/1.1", "host: a\r\ncontent-length: -4\r\n"),
        ("POST /count HTTP/1.1", "host: a\r\ncontent-length : 4\r\n"),
        ("POST /count HTTP/1.1", "host: a\r\ncontent-length: 4\n"),
        ("GET http://b/hello HTTP/1.1", "host: a\r\n"),
        ("GET /hello HTTP/1.1", "host: a\r\nhost: b\r\n"),
        ("GET /hello HTTP/1.1", ""),
        ("GET hello HTTP/1.1", "host: a\r\n"),
    ] {
        let mut peer = world.connect();
        // What a second program could take for a request is answered by nobody.
        peer.send(format!("{line}\r\n{lines}\r\n0\r\n\r\nGET /hello HTTP/1.1\r\nhost: a\r\n\r\n"));
        let (status, _, _) = peer.response();
        assert_eq!(status, 400, "{line} {lines:?}");
        peer.ended();
    }
    assert_eq!(world.system.status(world.actor).expect("a status").handled, 0);
    assert_eq!(world.connect().ask("/hello").0, 200);
}

#[test]
fn hostile_e10_what_follows_chunks_is_no_request() {
    let world = World::new();
    let mut peer = world.connect();
    peer.send("POST /count HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");
    peer.begin("/hello");
    let (status, head, body) = peer.response();
    assert_eq!((status, body.as_str()), (200, "2"));
    assert!(head.contains("connection: close\r\n"), "{head}");
    peer.ended();
}

#[test]
fn requests_that_were_sent_ahead_are_answered_in_their_order() {
    let world = World::new();
    let mut peer = world.connect();
    peer.send("POST /count HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
    peer.begin("/hello");
    peer.begin("/times");
    let bodies: Vec<_> = (0..3).map(|_| peer.response().2).collect();
    assert_eq!(bodies, ["3", "hello", "1"]);
}

#[test]
fn hostile_e14_a_head_that_is_too_big_is_refused() {
    let world = World::new();
    for lines in ["x: y\r\n".repeat(1_000), format!("x: {}\r\n", "y".repeat(100_000))] {
        let mut peer = world.connect();
        peer.send(format!("GET /hello HTTP/1.1\r\nhost: a\r\n{lines}\r\n"));
        let head = peer.read_to("\r\n");
        assert!(head.is_empty() || head.starts_with("HTTP/1.1 4"), "{head}");
    }
    assert_eq!(world.system.status(world.actor).expect("a status").handled, 0);
}

#[test]
fn hostile_e14_peers_that_say_nothing_keep_nobody_from_being_served() {
    let world = World::new();
    let slow: Vec<_> = (0..20)
        .map(|number| {
            let mut peer = world.connect();
            peer.send(&b"GET /hello HTTP/1.1\r\nhost: a\r\nx: y"[..number]);
            peer
        })
        .collect();
    let mut upload = world.connect();
    upload.send("POST /count HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf");
    world.handled(1);
    assert_eq!(world.get("/hello"), (200, "hello".to_owned()));
    drop((slow, upload));
}

#[test]
fn hostile_e14_more_peers_than_may_wait_outside_and_the_audit_is_not_filled() {
    let world = World::new();
    let mut open: Vec<_> = (0..40).map(|_| world.connect()).collect();
    assert_eq!(open[0].ask("/hello").0, 200);
    open[39].begin("/hello");
    open.truncate(40);
    open.drain(..8);
    assert_eq!(open.last_mut().expect("the last").response().2, "hello");
    drop(open);
    let records = world.records();
    let sockets = records.iter().filter(|record| record.to_string().contains("net.listen")).count();
    assert!(sockets <= 8, "{sockets} records");
}

#[test]
fn more_exchanges_than_may_run_take_their_turns_in_order() {
    let world = World::new();
    let mut peers: Vec<_> = (0..24).map(|_| world.connect()).collect();
    for (number, peer) in peers.iter_mut().enumerate() {
        peer.begin("/sleep/20");
        world.handled(number as u64 + 1);
    }
    for peer in &mut peers {
        assert_eq!(peer.response().2, "slept");
    }
}

/// What answers a body of these parts.
fn uploads(world: &World, head: &str, parts: impl Iterator<Item = Vec<u8>>, is_whole: bool) -> (u16, String) {
    let mut peer = world.connect();
    peer.send(format!("POST /count HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n"));
    parts.for_each(|part| peer.send(part));
    if !is_whole {
        peer.0.shutdown(std::net::Shutdown::Write).expect("connected");
    }
    let (status, _, body) = peer.response();
    (status, body)
}

#[test]
fn hostile_e14_a_body_that_is_too_large_ends_with_a_code_of_its_own() {
    const BYTES_MAX: usize = 64 << 20;
    let budget = Budget { cpu: Some(LONG), wall: Some(LONG), ..Budget::default() };
    let world = World::with(|spec| spec.budget(budget));
    let part = vec![b'x'; 1 << 20];
    for (more, answer) in [
        (0, (200, BYTES_MAX.to_string())),
        (1, (400, format!("ErrorCode::HttpRequestBodySize(Some({BYTES_MAX}))"))),
    ] {
        let head = format!("content-length: {}", BYTES_MAX + more);
        let parts = std::iter::repeat_n(part.clone(), BYTES_MAX / part.len()).chain([vec![b'x'; more]]);
        assert_eq!(uploads(&world, &head, parts, true), answer);
    }
}

#[test]
fn hostile_e14_a_body_that_breaks_off_is_not_taken_for_a_whole_one() {
    let world = World::new();
    for (head, part, code) in [
        ("content-length: 100", "half", "ConnectionTerminated"),
        ("transfer-encoding: chunked", "4\r\nhalf\r\n", "ConnectionTerminated"),
        ("transfer-encoding: chunked", "4\r\nha", "ConnectionTerminated"),
        ("transfer-encoding: chunked", "four\r\nhalf\r\n0\r\n\r\n", "HttpProtocolError"),
    ] {
        let answer = uploads(&world, head, [part.into()].into_iter(), false);
        assert_eq!(answer, (400, format!("ErrorCode::{code}")), "{head} {part:?}");
    }
}

#[test]
fn hostile_e14_a_long_query_weighs_as_much_as_any_letter() {
    let limits = airwasm::Limits { payload_bytes: Some(1_000), ..Default::default() };
    let world = World::with(|spec| spec.limits(limits));
    let target = |bytes: usize| format!("/head/x?{}", "q".repeat(bytes));
    assert_eq!(world.get(&target(900)).0, 200);
    assert_eq!(world.get(&target(1_000)).0, 431);
    assert_eq!(world.system.status(world.actor).expect("a status").handled, 1);
}
