//! What the audit tells of the network: each operation by its start and its result, and the end of what it opened.

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use airssys_osl::{
    Audit, AuditConfig, Decision, FixedNames, Level, NetError, NetLimits, Network, Operation, Phase, Record,
    ResourceLimits, Resources,
};
use support::log::actor;
use support::net::{NetWorld, ip, past, soon};

/// Records of operations, as their name, phase and outcome.
fn steps(audit: &Audit) -> Vec<(String, Option<Phase>, String)> {
    let of_system = |record: &Record| matches!(record.operation, Operation::Os(_));
    let text = |record: Record| {
        (record.operation.name().to_owned(), record.phase, record.outcome.unwrap_or_default())
    };
    audit.recent().into_iter().filter(of_system).map(text).collect()
}

fn step(name: &str, phase: Phase, outcome: &str) -> (String, Option<Phase>, String) {
    (name.to_owned(), Some(phase), outcome.to_owned())
}

#[test]
fn a_connection_has_a_start_a_result_and_an_end_with_its_bytes() {
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = peer.local_addr().unwrap().port();
    let world = NetWorld::new(&["net.connect 127.0.0.1:*"]);
    let stream = world.network.connect("127.0.0.1", port, soon(), "start-connect").unwrap();
    let mut other = peer.accept().unwrap().0;
    stream.write_all(b"question", soon()).unwrap();
    other.read_exact(&mut [0; 8]).unwrap();
    other.write_all(b"answer").unwrap();
    let mut left = 6;
    while left > 0 {
        left -= stream.read(&mut [0; 6], soon()).unwrap();
    }
    let before = world.audit.recent();
    drop(stream);
    let records = world.audit.recent();
    let [.., start, result, end] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(records.len(), before.len() + 1, "the end comes with the last handle");
    for record in [start, result, end] {
        assert_eq!(*record.capability, *format!("net.connect 127.0.0.1:{port} ; proto=tcp"));
        assert_eq!((record.function.as_str(), record.decision), ("start-connect", Decision::Allow));
        assert_eq!((record.id, record.grant), (start.id, Some(1)));
        assert_eq!(record.duration_us.is_some(), record.phase == Some(Phase::Result));
    }
    assert!(start.id.is_some());
    assert_eq!(
        steps(&world.audit),
        [
            step("connect", Phase::Start, ""),
            step("connect", Phase::Result, "ok"),
            step("close", Phase::Result, "ok"),
        ]
    );
    assert!(result.counts.is_empty());
    assert_eq!(end.counts.clone().into_iter().collect::<Vec<_>>(), [("bytes_in", 6), ("bytes_out", 8)]);
    assert_eq!(world.set.grants()[0].allowed, 1);
}

#[test]
fn what_fails_has_its_error_as_result_and_no_end() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let names = Arc::new(FixedNames::new(Default::default(), None));
    let world =
        NetWorld::with(&["net.connect 127.0.0.1:*", "net.resolve *.example"], names, NetLimits::default());
    let Err(NetError::Io(refused)) = world.network.connect("127.0.0.1", unused, soon(), "") else {
        panic!("somebody listens")
    };
    assert!(world.network.connect("127.0.0.1", unused, past(), "").is_err());
    assert!(world.network.resolve("a.example", soon(), "").is_err());
    let none = Resources::new(ResourceLimits { sockets_max: 0, ..ResourceLimits::default() });
    let full = world.network.clone().with_resources(none).connect("127.0.0.1", unused, soon(), "");
    let expected = [
        ("connect", refused.to_string()),
        ("connect", "the deadline passed".to_owned()),
        ("resolve", "a.example has no addresses".to_owned()),
        ("connect", full.unwrap_err().to_string()),
    ];
    let both =
        |(name, outcome): (&str, String)| [step(name, Phase::Start, ""), step(name, Phase::Result, &outcome)];
    assert_eq!(steps(&world.audit), expected.into_iter().flat_map(both).collect::<Vec<_>>());
}

#[test]
fn a_listener_and_a_datagram_socket_have_an_end_and_what_is_accepted_has_no_record() {
    let world = NetWorld::new(&["net.listen 127.0.0.1:*", "net.connect 127.0.0.1:*"]);
    let listener = world.network.listen(ip("127.0.0.1"), 0, "").unwrap();
    let client = std::net::TcpStream::connect(listener.local()).unwrap();
    drop((listener.accept(soon()).unwrap(), client));
    drop(listener);
    let datagrams = world.network.udp_bind(ip("127.0.0.1"), 0, "").unwrap();
    datagrams.send_to(b"abc", datagrams.local(), soon()).unwrap();
    drop(datagrams);
    let both = |name: &str| {
        [step(name, Phase::Start, ""), step(name, Phase::Result, "ok"), step("close", Phase::Result, "ok")]
    };
    assert_eq!(steps(&world.audit), [both("listen"), both("bind")].concat());
    assert_eq!(world.audit.recent().last().unwrap().counts["bytes_out"], 3);
}

#[test]
fn the_end_of_a_connection_that_was_cut_says_so() {
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let world = NetWorld::new(&["net.connect 127.0.0.1:*"]);
    let port = peer.local_addr().unwrap().port();
    let stream = world.network.udp_connect("127.0.0.1", port, soon(), "").unwrap();
    world.set.revoke(1);
    drop(stream);
    assert_eq!(steps(&world.audit).pop(), Some(step("close", Phase::Result, "its grant has ended")));
}

#[test]
fn a_level_that_leaves_out_what_is_allowed_leaves_all_of_it_out() {
    let audit = Audit::open(AuditConfig { level: Level::Denials, ..AuditConfig::default() }).unwrap();
    let set = actor(&audit, "a/b/0", &["net.listen 127.0.0.1:*"]);
    let names = Arc::new(FixedNames::new(Default::default(), None));
    let network = Network::new(set.clone(), names, NetLimits::default());
    drop(network.listen(ip("127.0.0.1"), 0, "").unwrap());
    assert!(network.listen(ip("127.0.0.2"), 0, "").is_err());
    let decisions: Vec<Decision> = audit.recent().iter().map(|record| record.decision).collect();
    assert_eq!(decisions, [Decision::Deny]);
    assert_eq!(set.grants()[0].allowed, 1, "it is counted all the same");
}
