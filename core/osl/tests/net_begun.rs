//! What an embedder uses that waits elsewhere: connections that are begun, sockets that are bound, routes of requests.

mod support;

use std::net::{TcpListener as Peer, TcpStream as Client};
use std::sync::Arc;

use airssys_osl::{
    Ban, Capability, Connecting, Decision, Denial, DenialKind, FixedNames, NetError, NetLimits, Operation,
    TcpStream,
};
use rustix::event::{PollFd, PollFlags, poll};
use support::dns_stub::ips;
use support::net::{NetWorld, at, ip, soon};

fn peer() -> (Peer, String) {
    let peer = Peer::bind("127.0.0.1:0").unwrap();
    let address = peer.local_addr().unwrap().to_string();
    (peer, address)
}

fn stands(mut connecting: Connecting) -> Result<TcpStream, NetError> {
    while !connecting.is_connected()? {
        let fd = connecting.ready_fd()?;
        poll(&mut [PollFd::new(&fd, PollFlags::OUT)], None).unwrap();
    }
    connecting.finish()
}

fn named(grants: &[&str], name: &str, addresses: &[&str]) -> NetWorld {
    let names = FixedNames::new([(name.to_owned(), ips(addresses))].into(), None);
    NetWorld::with(grants, Arc::new(names), NetLimits::default())
}

#[track_caller]
fn denial<T>(result: Result<T, NetError>) -> Denial {
    match result.err().expect("refused") {
        NetError::Denied(denial) => denial,
        other => panic!("not denied: {other}"),
    }
}

#[test]
fn a_connection_that_is_begun_stands_when_its_peer_takes_it() {
    let (peer, to) = peer();
    let world = NetWorld::new(&["net.connect 127.0.0.1:*"]);
    let stream = stands(world.network.begin_connect(at(&to), "test").unwrap()).unwrap();
    assert_eq!(stream.peer(), peer.local_addr().unwrap());
    assert_eq!(stream.local(), peer.accept().unwrap().1);
    assert_eq!(world.decisions(), [(Decision::Allow, format!("net.connect {to} ; proto=tcp"))]);
    assert_eq!(world.network.open_sockets(), 1);
    drop(stream);
    assert_eq!(world.network.open_sockets(), 0);
}

#[test]
fn a_connection_that_is_begun_is_decided_first() {
    let (peer, to) = peer();
    let world = NetWorld::new(&["net.connect 127.0.0.9:*"]);
    world.assert_not_granted(|| world.network.begin_connect(at(&to), "test"));
    world.assert_not_granted(|| world.network.begin_connect(at("0.0.0.0:80"), "test"));
    assert!(matches!(world.network.begin_connect(at("127.0.0.9:0"), "test"), Err(NetError::PortZero)));
    peer.set_nonblocking(true).unwrap();
    assert!(peer.accept().is_err());
}

#[test]
fn a_connection_that_nobody_takes_says_so() {
    let to = peer().1;
    let world = NetWorld::new(&["net.connect 127.0.0.1:*"]);
    let refused = world.network.begin_connect(at(&to), "test").and_then(stands);
    assert!(matches!(refused, Err(NetError::Io(_))), "{refused:?}");
    assert_eq!(world.network.open_sockets(), 0);
    let result = world.audit.recent().pop().unwrap();
    assert_eq!(
        (result.operation, result.outcome),
        (Operation::Os("connect"), Some(refused.unwrap_err().to_string()))
    );
}

#[test]
fn a_connection_on_its_way_is_cut_with_its_grant() {
    let (_peer, to) = peer();
    let world = NetWorld::new(&["net.connect 127.0.0.1:*"]);
    let mut connecting = world.network.begin_connect(at(&to), "test").unwrap();
    assert_eq!(world.set.revoke(1), Some(1));
    let cut = denial(connecting.is_connected());
    assert_eq!(cut.kind, DenialKind::Revoked);
    assert_eq!(denial(connecting.finish()).kind, DenialKind::Revoked);
    let results = world.audit.recent().into_iter().filter_map(|record| record.outcome);
    assert!(results.eq([cut.to_string()]), "its record ends once, and says why");
}

#[test]
fn a_connection_that_stands_is_not_handed_over_after_the_end_of_its_grant() {
    let (_peer, to) = peer();
    let world = NetWorld::new(&["net.connect 127.0.0.1:*"]);
    let mut connecting = world.network.begin_connect(at(&to), "test").unwrap();
    while !connecting.is_connected().unwrap() {
        poll(&mut [PollFd::new(&connecting.ready_fd().unwrap(), PollFlags::OUT)], None).unwrap();
    }
    assert_eq!(world.set.revoke(1), Some(1));
    let cut = denial(connecting.finish());
    assert_eq!(cut.kind, DenialKind::Revoked);
    assert_eq!(world.network.open_sockets(), 0);
    let results = world.audit.recent().into_iter().filter_map(|record| record.outcome);
    assert!(results.eq([cut.to_string()]), "its record ends once, and says why");
}

#[test]
fn a_bound_socket_takes_nobody_before_it_listens() {
    let world = NetWorld::new(&["net.listen 127.0.0.1:*"]);
    let bound = world.network.bind(ip("127.0.0.1"), 0, "test").unwrap();
    let local = bound.local();
    assert!(Client::connect(local).is_err());
    let listener = bound.listen().unwrap();
    let client = Client::connect(local).unwrap();
    let accepted = listener.accept(soon()).unwrap();
    assert_eq!((listener.local(), accepted.peer()), (local, client.local_addr().unwrap()));
    let other = world.network.bind(ip("127.0.0.1"), 0, "test").unwrap();
    assert_eq!(world.set.revoke(1), Some(3));
    assert_eq!(denial(other.listen()).kind, DenialKind::Revoked);
}

#[test]
fn a_request_goes_where_it_was_decided_in_the_form_that_was_decided() {
    let (peer, _) = peer();
    let port = peer.local_addr().unwrap().port();
    let world = named(&["http GET http://API.example:80/v1/**"], "api.example", &["93.184.216.34"]);
    let route = world.network.http("GET", "HTTP://api.Example.:80/v1/./%7eme?q=/../x#f", "test").unwrap();
    assert_eq!(
        (route.authority(), route.host(), route.path()),
        ("api.example".into(), "api.example".into(), "/v1/~me")
    );
    assert!(!route.is_https());
    assert_eq!(route.addresses(soon()).unwrap().len(), 1);
    let grant = format!("http GET https://[::1]:{port}/**");
    world.grant(2, &grant);
    let route = world.network.http("GET", &format!("https://[::1]:{port}"), "test").unwrap();
    assert_eq!((route.authority(), route.host(), route.path()), (format!("[::1]:{port}"), "::1".into(), "/"));
    assert!(route.is_https());
    let asked: Vec<String> = world.decisions().into_iter().map(|(_, text)| text).collect();
    let own = format!("http GET https://[::1]:{port}/");
    assert_eq!(asked, ["http GET http://api.example/v1/~me", "net.resolve api.example", &own]);
}

#[test]
fn a_request_connects_under_the_grant_that_permits_the_address() {
    let (peer, to) = peer();
    let port = peer.local_addr().unwrap().port();
    let public = format!("http GET http://api.example:{port}/**");
    let world = named(&[&public], "api.example", &["10.0.0.1", "127.0.0.1"]);
    let url = format!("http://api.example:{port}/");
    let route = world.network.http("GET", &url, "test").unwrap();
    let refused = denial(route.addresses(soon()));
    assert_eq!(
        (refused.kind, refused.capability),
        (DenialKind::NotGranted, format!("http GET {url} ; private=yes"))
    );
    world.grant(2, &format!("{public} ; private=yes"));
    let route = world.network.http("GET", &url, "test").unwrap();
    let addresses = route.addresses(soon()).unwrap();
    assert_eq!(addresses.len(), 2);
    let stream = stands(route.begin(&addresses[1]).unwrap()).unwrap();
    assert_eq!((stream.peer(), stream.guard().grant()), (at(&to), 2));
    assert_eq!(world.decisions().pop().unwrap(), (Decision::Allow, format!("net.connect {to} ; proto=tcp")));
    assert_eq!((world.set.revoke(1), world.set.revoke(2)), (Some(0), Some(1)));
    assert_eq!(denial(route.begin(&addresses[1])).kind, DenialKind::Revoked);
    assert_eq!(denial(route.addresses(soon())).kind, DenialKind::Revoked);
}

#[test]
fn hostile_e3_no_name_leads_a_request_around_a_ban_of_an_address() {
    let world = named(
        &["http GET http://api.example/** ; private=yes"],
        "api.example",
        &["10.0.0.1", "10.0.0.2", "::ffff:10.0.0.3"],
    );
    let forbid = |texts: &[&str]| {
        let ban = |text: &&str| Ban {
            capability: Capability::parse(text).unwrap().remove(0),
            rule: format!("policy.yaml:1 {text}").into(),
        };
        world.set.forbid(texts.iter().map(ban).collect())
    };
    let addresses = || world.network.http("GET", "http://api.example/v1", "test").unwrap().addresses(soon());
    forbid(&["http * http://10.0.0.1/**", "http * http://10.0.0.3/v1", "http POST http://10.0.0.2/**"]);
    assert_eq!(addresses().unwrap().len(), 1, "of GET only 10.0.0.2 is left");
    forbid(&["http * http://10.0.0.1/**", "http * http://10.0.0.2/**", "http * http://10.0.0.3/**"]);
    let denied = denial(addresses());
    assert_eq!(denied.kind, DenialKind::Forbidden);
    assert_eq!(denied.rule.as_deref(), Some("policy.yaml:1 http * http://10.0.0.1/**"));
}

#[test]
fn where_a_datagram_may_go_is_decided_before_it_goes() {
    let world = NetWorld::new(&["net.listen 127.0.0.1:* ; proto=udp", "net.connect 127.0.0.1:9 ; proto=udp"]);
    let socket = world.network.udp_bind(ip("127.0.0.1"), 0, "test").unwrap();
    socket.may_send_to(at("127.0.0.1:9")).unwrap();
    world.assert_not_granted(|| socket.may_send_to(at("127.0.0.1:10")));
}
