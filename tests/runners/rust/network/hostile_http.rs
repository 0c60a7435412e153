//! Requests and responses that two programs could read differently, and servers that never come to an end.

use std::io::Write;
use std::net::SocketAddr;

use super::World;
use super::servers::{self, http, ok, tcp};

/// Why a request that is granted fails.
fn get(world: &mut World, to: SocketAddr) -> String {
    world.grant(&format!("http GET http://{to}/**"));
    world.failure(&format!("send GET http://{to}/"))
}

#[test]
fn hostile_e9_a_redirect_is_another_request() {
    let inside = http(|_| ok("inside"));
    let to = http(move |head| {
        let next = match head.split(' ').nth(1) {
            Some("/away") => format!("http://{inside}/secret"),
            Some("/again") => "LOOP".to_owned(),
            Some("/file") => "file:///etc/passwd".to_owned(),
            _ => return ok("here"),
        };
        let next = next.replace("LOOP", &format!("http://{}/again", host(head)));
        format!("HTTP/1.1 302 Found\r\nlocation: {next}\r\ncontent-length: 0\r\n\r\n").into_bytes()
    });
    let mut world = World::new(&[&format!("http GET http://{to}/**")]);
    assert!(world.told(&format!("send GET http://{to}/away")).starts_with("302\n"), "the host follows none");
    assert_eq!(
        world.denied(&format!("follow http://{to}/away")),
        format!("- http GET http://{inside}/secret")
    );
    assert!(world.failure(&format!("follow http://{to}/again")).contains("too many"));
    assert!(world.ask(&format!("follow http://{to}/file")).is_err());
    world.grant(&format!("http GET http://{inside}/**"));
    assert!(world.told(&format!("follow http://{to}/away")).ends_with("\ninside"));
}

fn host(head: &str) -> &str {
    head.lines().find_map(|line| line.strip_prefix("host: ")).expect("each request has one")
}

#[test]
fn hostile_e10_a_request_that_names_another_host() {
    let to = http(ok);
    let grant = format!("http * http://{to}/v1/**");
    let world = World::new(&[&grant]);
    for target in
        ["http://evil.example/v1/x", "//evil.example/v1/x", "*", "v1/x", "/v1/../admin", "/v1/%2e%2e/admin"]
    {
        assert!(world.ask(&format!("raw http {to} {target}")).is_err(), "{target}");
    }
    let header = |header: &str| world.failure(&format!("send GET http://{to}/v1/x {header}"));
    for name in ["host=evil.example", "transfer-encoding=chunked", "connection=upgrade", "upgrade=h2c"] {
        assert!(header(name).contains("Forbidden"), "{name}");
    }
    assert!(world.ask(&format!("raw http user:word@{to} /v1/x")).is_err());
    // What was decided is what is sent.
    let head = world.told(&format!("raw http {to} /v1/./a/%7euser?x=/../y"));
    assert!(head.contains(&format!("\nGET /v1/a/~user?x=/../y HTTP/1.1\r\nhost: {to}\r\n")), "{head}");
}

#[test]
fn hostile_e10_a_request_whose_length_is_false() {
    let to = http(|_| ok("taken"));
    let world = World::new(&[&format!("http POST http://{to}/**")]);
    for length in ["content-length=3", "content-length=9", "content-length=+5", "content-length=5x"] {
        assert!(world.ask(&format!("send POST http://{to}/ hello {length}")).is_err(), "{length}");
    }
    let twice = format!("send POST http://{to}/ hello content-length=5 content-length=6");
    assert!(world.ask(&twice).is_err());
}

#[test]
fn hostile_e10_a_response_whose_length_is_said_twice() {
    let mut world = World::new(&[]);
    for lengths in [
        "content-length: 4\r\ncontent-length: 5",
        "content-length: 4\r\ntransfer-encoding: chunked",
        "content-length: -1",
        "content-length: 4, 5",
    ] {
        let response = format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\n4\r\nevil\r\n0\r\n\r\n");
        get(&mut world, http(move |_| response.clone().into_bytes()));
    }
    let to = http(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec());
    let failure = get(&mut world, to);
    assert!(failure.contains("HttpResponseIncomplete"), "{failure}");
}

#[test]
fn hostile_e14_a_server_that_says_nothing_or_stops_in_between() {
    let mut world = World::new(&[]);
    for said in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        let to = tcp(move |mut stream| {
            servers::head(&mut stream);
            let _ = stream.write_all(said.as_bytes());
            // Until the other side gives up.
            servers::head(&mut stream);
        });
        world.grant(&format!("http GET http://{to}/**"));
        let failure = world.failure(&format!("hurry 200 http://{to}/"));
        let timeout = failure.contains("ConnectionReadTimeout") || failure.contains("read timeout");
        assert!(timeout, "{said:?}: {failure}");
        world.closes();
    }
}

#[test]
fn hostile_e14_a_head_or_a_body_without_end() {
    let lines = |count: usize| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    let long = "y".repeat(1 << 20);
    let mut world = World::new(&[]);
    for headers in [lines(200), format!("x: {long}\r\n"), lines(1_000_000)] {
        get(&mut world, http(move |_| format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes()));
        world.closes();
    }
    let to = tcp(|mut stream| {
        servers::head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
    });
    let failure = get(&mut world, to);
    assert!(failure.contains("HttpResponseBodySize(Some(67108864))"), "{failure}");
}

#[test]
fn hostile_e14_a_server_that_is_about_to_answer_for_ever() {
    let to = tcp(|mut stream| {
        servers::head(&mut stream);
        while stream.write_all(b"HTTP/1.1 102 Processing\r\nx: y\r\n\r\n").is_ok() {}
    });
    let world = World::new(&[&format!("http GET http://{to}/**")]);
    let failure = world.failure(&format!("hurry 300 http://{to}/"));
    assert!(failure.contains("ConnectionReadTimeout"), "{failure}");
    world.closes();
}

#[test]
fn hostile_e10_a_response_that_is_another_protocol_or_two() {
    let answers = [
        ("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nevil", "101\n"),
        ("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", "204\n"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nevil", "200\n"),
    ];
    for (answer, status) in answers {
        let to = http(move |_| answer.as_bytes().to_vec());
        let world = World::new(&[&format!("http GET http://{to}/**")]);
        let told = world.told(&format!("send GET http://{to}/"));
        assert!(told.starts_with(status) && !told.contains("evil"), "{told}");
        world.closes();
    }
    let world = World::new(&["http GET http://127.0.0.1/**"]);
    for odd in ["x=y\r\nhost:evil", "x=y\nevil:y", "x\r\ny=z", "x:=y"] {
        assert!(world.failure(&format!("send GET http://127.0.0.1/ {odd}")).contains("Invalid"), "{odd:?}");
    }
}

#[test]
fn hostile_e14_a_body_that_unpacks_to_more_stays_packed() {
    let to = http(|_| b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nbomb".to_vec());
    let world = World::new(&[&format!("http GET http://{to}/**")]);
    assert_eq!(world.told(&format!("http://{to}/")), "bomb");
}
