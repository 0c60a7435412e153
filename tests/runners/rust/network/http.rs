//! Requests of http as a guest makes them by `wasi:http`.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use super::dns_stub::DnsStub;
use super::servers::{http, https, ok, tcp};
use super::{World, servers};

#[test]
fn a_request_is_made_where_it_is_granted() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = seen.clone();
    let to = http(move |head| {
        log.lock().expect("no panic").push(head.to_owned());
        ok("users")
    });
    let mut world = World::new(&[]);
    let line = world.denied(&format!("http://{to}/v1/users?page=1"));
    assert_eq!(line, format!("- http GET http://{to}/v1/users"));
    world.grant(&format!("http GET http://{to}/v1/**"));
    assert_eq!(world.told(&format!("http://{to}/v1/users?page=1")), "users");
    assert_eq!(world.denied(&format!("http://{to}/v2")), format!("- http GET http://{to}/v2"));
    assert_eq!(
        world.denied(&format!("send POST http://{to}/v1/users x")),
        format!("- http POST http://{to}/v1/users")
    );
    world.closes();
    let heads = seen.lock().expect("no panic").clone();
    assert_eq!(heads, [format!("GET /v1/users?page=1 HTTP/1.1\r\nhost: {to}\r\n\r\n")]);
    assert!(world.denials().iter().all(|(function, _)| function == "wasi:http/outgoing-handler#handle"));
}

#[test]
fn a_body_goes_and_comes_whole() {
    let to = tcp(|mut stream| {
        let head = servers::head(&mut stream);
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(5, |length| length.parse().expect("a number"))];
        match length {
            Some(_) => stream.read_exact(&mut body).expect("all of it"),
            None => {
                let mut all = Vec::new();
                while !all.ends_with(b"0\r\n\r\n") {
                    let mut piece = [0; 64];
                    let count = stream.read(&mut piece).expect("connected");
                    all.extend(&piece[..count]);
                }
                assert_eq!(all, b"5\r\nhello\r\n0\r\n\r\n");
                body = b"hello".to_vec();
            }
        }
        let _ = stream.write_all(&ok(&format!("{} bytes", body.len())));
    });
    let world = World::new(&[&format!("http POST http://{to}/**")]);
    assert!(world.told(&format!("send POST http://{to}/ hello")).ends_with("\n5 bytes"));
    assert!(world.told(&format!("send POST http://{to}/ hello content-length=5")).ends_with("\n5 bytes"));
}

#[test]
fn a_name_is_looked_up_once_and_reached_only_where_the_grant_says_private() {
    let to = http(|_| ok("here"));
    let stub = DnsStub::fixed(&["127.0.0.1"]);
    let url = format!("http://api.example:{}/", to.port());
    let mut world = World::asking(&[&format!("http GET {url}**")], &stub);
    assert_eq!(world.denied(&url), format!("- http GET {url} ; private=yes"));
    let asked = stub.asked().len();
    assert_eq!(asked, 2, "once for each family");
    world.grant(&format!("http GET {url}** ; private=yes"));
    assert_eq!(world.told(&url), "here");
    assert_eq!(stub.asked().len(), 2 * asked);
}

#[test]
fn https_trusts_whom_the_host_says_and_nobody_else() {
    let to = https(|head| ok(if head.contains("host: tls.example") { "by name" } else { "by address" }));
    let stub = DnsStub::fixed(&["127.0.0.1"]);
    let (named, literal) = (format!("https://tls.example:{}/", to.port()), format!("https://{to}/"));
    let wrong = format!("https://other.example:{}/", to.port());
    let grants = [
        format!("http GET {named}** ; private=yes"),
        format!("http GET {literal}**"),
        format!("http GET {wrong}** ; private=yes"),
    ];
    let mut world = World::asking(&grants.each_ref().map(String::as_str), &stub);
    assert_eq!(world.told(&named), "by name");
    assert_eq!(world.told(&literal), "by address");
    assert!(world.failure(&wrong).contains("TlsCertificateError"), "of another name");
    let config = airwasm::Config {
        network: airwasm::NetworkOptions { name_servers: vec![stub.address], tls_roots: None },
        ..airwasm::Config::default()
    };
    world.system = airwasm::System::open(config).expect("a system");
    let component = world.system.load(&airwasm_tests::guest("fetch")).expect("a built guest");
    world.actor = world.system.spawn(airwasm::ActorSpec::new(component).name("fetch")).expect("starts");
    world.grant(&grants[0]);
    assert!(world.failure(&named).contains("TlsCertificateError"), "of nobody whom browsers trust");
}

#[test]
fn a_body_under_tls_that_somebody_cut_is_not_whole() {
    let to = servers::under_tls(|mut stream| {
        servers::head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhalf");
    });
    let world = World::new(&[&format!("http GET https://{to}/**")]);
    let failure = world.failure(&format!("https://{to}/"));
    assert!(failure.contains("HttpResponseIncomplete"), "{failure}");
}

#[test]
fn a_connection_that_is_reset_was_terminated() {
    let to = servers::tcp(|mut stream| {
        // What is left unread as it closes resets the connection.
        let _ = stream.read_exact(&mut [0]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
    });
    let world = World::new(&[&format!("http GET http://{to}/**")]);
    let failure = world.failure(&format!("http://{to}/"));
    assert!(failure.contains("ConnectionTerminated"), "{failure}");
}

#[test]
fn no_tls_session_is_resumed_by_which_a_server_knows_an_actor_again() {
    let seen: Arc<Mutex<Vec<_>>> = Arc::default();
    let log = seen.clone();
    let to = servers::under_tls(move |mut stream| {
        servers::head(&mut stream);
        log.lock().expect("no panic").push(stream.conn.handshake_kind());
        let _ = stream.write_all(&ok("here"));
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    let world = World::new(&[&format!("http GET https://{to}/**")]);
    for _ in 0..2 {
        assert_eq!(world.told(&format!("https://{to}/")), "here");
    }
    let full = Some(tokio_rustls::rustls::HandshakeKind::Full);
    assert_eq!(*seen.lock().expect("no panic"), [full, full]);
}

#[test]
fn plain_text_is_no_tls() {
    let to = tcp(|mut stream| {
        let _ = stream.write_all(&ok("here"));
    });
    let world = World::new(&[&format!("http GET https://{to}/**")]);
    assert!(world.failure(&format!("https://{to}/")).contains("TlsProtocolError"));
    assert_eq!(world.denied(&format!("http://{to}/")), format!("- http GET http://{to}/"));
}

#[test]
fn roots_that_are_none_open_no_system() {
    let folder = tempfile::tempdir().expect("a folder");
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .expect("written");
    let other = folder.path().join("other.txt");
    std::fs::write(&other, "no certificate").expect("written");
    let invalid = airwasm::Code::InvalidArgument;
    for (path, code) in [(roots, invalid), (other, invalid), ("/none".into(), airwasm::Code::Io)] {
        let network = airwasm::NetworkOptions { tls_roots: Some(path), ..Default::default() };
        let config = airwasm::Config { network, ..Default::default() };
        assert_eq!(airwasm::System::open(config).err().expect("refused").code, code);
    }
}

#[test]
fn what_a_guest_sends_counts_as_its_output() {
    let to = tcp(|mut stream| {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
    });
    let world = World::new(&[&format!("http POST http://{to}/**")]);
    let error = world.ask(&format!("upload http://{to}/ {}", 20 << 20)).expect_err("more than 16 MiB");
    assert!(
        error.message.contains("HttpRequestBodySize") || error.code == airwasm::Code::BudgetExceeded,
        "{error}"
    );
}
