//! Sockets that were not meant.

use std::io::Read;

use super::{World, servers};

#[test]
fn hostile_e11_there_is_no_other_kind_of_socket() {
    let world =
        World::new(&["net.connect 0.0.0.0/0:*", "net.connect [::]/0:*", "http * http://127.0.0.1/**"]);
    for to in ["/run/docker.sock:1", "unix:/run/docker.sock:1", "@abstract:1", "file:///etc/passwd:1"] {
        assert!(world.ask(&format!("tcp {to} hello")).is_err(), "{to}");
    }
    for scheme in ["file", "unix", "ftp", "gopher", "data"] {
        let said = world.ask(&format!("raw {scheme} 127.0.0.1 /etc/passwd")).expect_err("no such scheme");
        assert!(said.message.contains("HttpProtocolError") || said.message.contains("scheme"), "{said}");
    }
    // A tunnel is no request, whatever methods are granted.
    world.denied("send CONNECT http://127.0.0.1/");
}

#[test]
fn hostile_e13_listening_where_nothing_was_granted() {
    let port = servers::free_port();
    let world = World::new(&["net.listen 127.0.0.1:1-1023", "net.listen 127.0.0.0/8:1-1023 ; proto=udp"]);
    for on in ["0.0.0.0", "127.0.0.1", "[::]", "[::1]"] {
        world.denied(&format!("serve {on}:{port} 1"));
        world.denied(&format!("hear {on}:{port}"));
    }
    // Any port is a port too, once somebody listens on it.
    assert_eq!(world.denied("serve 0.0.0.0:0 1"), "- net.listen 0.0.0.0:0 ; proto=tcp");
    let world = World::new(&["net.listen 127.0.0.0/8:*"]);
    world.denied(&format!("serve 0.0.0.0:{port} 1"));
    let (_taken, on) = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        (listener, address)
    };
    world.failure(&format!("serve {on} 1"));
}

#[test]
fn an_actor_has_so_many_sockets_and_no_more() {
    let to = servers::tcp(|mut stream| {
        // Holds it until the guest lets go.
        let _ = stream.read(&mut [0]);
    });
    let world = World::new(&["net.connect 127.0.0.1:*"]);
    let told = world.told(&format!("hold {to} 70"));
    assert!(told.starts_with("64 "), "{told}");
    assert_eq!(world.open(), 0);
    assert_eq!(world.told(&format!("hold {to} 64")), "64", "what it let go of is free again");
    let policy = world.folder.path().join("policy.yaml");
    let text = "version: 1\ndefaults:\n  limits: { sockets: 3 }\nrules:\n  - actors: [few]\n    allow: [\"net.connect 127.0.0.1:*\"]\n";
    std::fs::write(&policy, text).expect("written");
    world.system.policy_load(&policy).expect("a policy");
    let component = world.system.load(&airwasm_tests::guest("fetch")).expect("a built guest");
    let few = world.system.spawn(airwasm::ActorSpec::new(component).name("few")).expect("starts");
    let told = world.system.request(few, format!("hold {to} 9").as_bytes(), &Default::default());
    let told = String::from_utf8(told.expect("granted")).expect("text");
    assert!(told.starts_with("3 "), "{told}");
}
