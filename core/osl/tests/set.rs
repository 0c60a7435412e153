//! Decisions of a capability set, and what the audit says of them.

mod support;

use std::time::Duration;

use airssys_osl::{Ask, Ban, Capability, CapabilitySet, Decision, DenialKind, Operation};
use support::{World, assert_one_denial};

fn ask(id: &str) -> Ask {
    Ask::MessageRequest(id.to_owned())
}

#[test]
fn denies_by_default_with_one_record_each() {
    let world = World::empty();
    let asks = [
        Ask::Clock,
        Ask::Random,
        Ask::Stdio,
        ask("db"),
        Ask::MessageSend("db".into()),
        Ask::FsRead("/etc/passwd".into()),
        Ask::FsWrite("/x".into()),
        Ask::parse("net.connect 1.2.3.4:80").unwrap(),
        Ask::Http { method: "GET".into(), url: "https://a.example/".into() },
        Ask::Env("HOME".into()),
    ];
    for (index, ask) in asks.iter().enumerate() {
        let denial = world.set.check(ask, "wit").unwrap_err();
        assert_eq!((denial.kind, denial.function.as_str()), (DenialKind::NotGranted, "wit"));
        assert_eq!(denial.policy_line(), format!("- {}", ask.capability_text()));
        assert_one_denial(&world.checks()[index..], &denial);
    }
    let denial = world.set.check(&asks[5], "").unwrap_err();
    assert_eq!(denial.to_string(), "denied: default/fetch/0 asked for fs.read /etc/passwd");
}

#[test]
fn a_change_is_seen_by_every_holder() {
    let world = World::empty();
    let other: CapabilitySet = world.set.clone();
    world.grant(7, "message.request db");
    let guard = other.check(&ask("db"), "").unwrap();
    assert_eq!((guard.alive(), guard.grant()), (Ok(()), 7));
    assert!(other.check(&Ask::MessageSend("db".into()), "").is_err(), "another action");
    assert!(other.check(&ask("db2"), "").is_err(), "another actor");
    assert_eq!(world.set.revoke(7), Some(0));
    assert_eq!(guard.alive(), Err(DenialKind::Revoked));
    assert!(other.check(&ask("db"), "").is_err());
    assert_eq!(world.set.revoke(7), None);
    let changes: Vec<_> =
        world.audit.recent().into_iter().filter(|r| r.operation != Operation::Check).collect();
    let seen: Vec<_> = changes.iter().map(|r| (r.operation, r.grant, &*r.capability, r.decision)).collect();
    let text = "message.request default/db/0";
    assert_eq!(
        seen,
        [
            (Operation::Grant, Some(7), text, Decision::Allow),
            (Operation::Revoke, Some(7), text, Decision::Allow)
        ]
    );
}

#[test]
fn a_grant_past_its_ttl_is_dead_before_anybody_says_so() {
    let world = World::empty();
    let capability = Capability::parse("clock ; ttl=1h").unwrap().remove(0);
    world.set.grant(1, capability, Some(Duration::from_nanos(1))).unwrap();
    let denial = world.set.check(&Ask::Clock, "").unwrap_err();
    assert_eq!(denial.kind, DenialKind::Expired);
    assert_eq!(world.set.grants()[0].ttl_left, Some(Duration::ZERO));
    assert_eq!(world.set.expire(1), Some(0));
    assert_eq!(world.audit.recent().last().unwrap().operation, Operation::Expire);
    assert_eq!(world.set.check(&Ask::Clock, "").unwrap_err().kind, DenialKind::NotGranted);
}

#[test]
fn the_shorter_ttl_counts_and_a_live_grant_covers_for_a_dead_one() {
    let world = World::empty();
    world.grant(1, "clock ; ttl=60s");
    world
        .set
        .grant(2, Capability::parse("random ; ttl=1h").unwrap().remove(0), Some(Duration::from_secs(60)))
        .unwrap();
    world.set.grant(3, Capability::parse("stdio").unwrap().remove(0), Some(Duration::MAX)).unwrap();
    let left: Vec<_> = world.set.grants().iter().map(|grant| grant.ttl_left).collect();
    for ttl in &left[..2] {
        assert!(ttl.is_some_and(|ttl| ttl > Duration::ZERO && ttl <= Duration::from_secs(60)));
    }
    assert_eq!(left[2], None);
    let anybody = Capability::parse("message.send */*/*").unwrap().remove(0);
    world.set.grant(4, anybody, Some(Duration::from_nanos(1))).unwrap();
    let send = Ask::MessageSend("db".into());
    assert_eq!(world.set.check(&send, "").unwrap_err().kind, DenialKind::Expired);
    world.grant(5, "message.send db");
    assert_eq!(world.set.check(&send, "").unwrap().grant(), 5);
}

#[test]
fn grant_ids_are_unique_and_zero_grants_nothing() {
    let world = World::new(&["clock"]);
    let random = Capability::parse("random").unwrap().remove(0);
    assert!(world.set.grant(1, random.clone(), None).unwrap_err().to_string().contains("taken"));
    assert!(world.set.grant(2, random, Some(Duration::ZERO)).is_err());
    let grants = world.set.grants();
    assert_eq!((grants.len(), grants[0].text.as_str()), (1, "clock"));
}

#[test]
fn hostile_d1_asks_that_are_not_normal_are_covered_by_nothing() {
    let world = World::new(&["fs.read /data/**"]);
    for path in ["/data/../etc/passwd", "/data//x", "/data/", "data/x", "/data/./x", ""] {
        assert!(world.set.check(&Ask::FsRead(path.into()), "").is_err(), "{path}");
    }
    assert!(world.set.check(&Ask::FsRead("/data/x".into()), "").is_ok());
}

fn capability(text: &str) -> Capability {
    Capability::parse(text).unwrap().remove(0)
}

#[test]
fn a_text_that_leaves_a_bound_or_a_protocol_open_is_held_only_if_all_of_it_is() {
    use DenialKind::NotGranted;
    let table = [
        ("region.create r ; max=1MiB", "region.create r", Err(NotGranted)),
        ("region.create r ; max=1MiB", "region.create r ; max=2MiB", Err(NotGranted)),
        ("region.create r ; max=1MiB", "region.create r ; max=1MiB", Ok(())),
        ("region.create r ; max=1MiB", "region.create r ; max=1KiB", Ok(())),
        ("region.create r", "region.create r", Ok(())),
        ("net.listen 127.0.0.1:80 ; proto=tcp", "net.listen 127.0.0.1:80", Err(NotGranted)),
        ("net.listen 127.0.0.1:80 ; proto=tcp", "net.listen 127.0.0.1:80 ; proto=udp", Err(NotGranted)),
        ("net.listen 127.0.0.1:80 ; proto=tcp", "net.listen 127.0.0.1:80 ; proto=tcp", Ok(())),
        ("net.listen 127.0.0.1:80", "net.listen 127.0.0.1:80", Ok(())),
        ("net.connect 10.0.0.1:80 ; proto=tcp", "net.connect 10.0.0.1:80", Err(NotGranted)),
        ("net.connect 10.0.0.1:80", "net.connect 10.0.0.1:80", Ok(())),
    ];
    for (granted, asked, held) in table {
        let world = World::new(&[granted]);
        assert_eq!(world.set.holds(&capability(asked)), held, "{asked} of {granted}");
        assert_eq!(world.checks(), [], "nothing is recorded");
    }
}

#[test]
fn a_ban_with_a_protocol_refuses_what_is_asked_for_that_one_alone() {
    use DenialKind::Forbidden;
    let table = [
        ("; proto=udp", "", Ok(())),
        ("; proto=tcp", "", Ok(())),
        ("; proto=udp", "; proto=tcp", Ok(())),
        ("; proto=tcp", "; proto=tcp", Err(Forbidden)),
        ("; proto=udp", "; proto=udp", Err(Forbidden)),
        ("", "; proto=tcp", Err(Forbidden)),
        ("", "", Err(Forbidden)),
    ];
    for thing in ["net.connect 10.0.0.1:80", "net.listen 127.0.0.1:80"] {
        for (banned, asked, held) in table {
            let world = World::new(&[thing]);
            let ban = capability(&format!("{thing} {banned}"));
            world.set.forbid(vec![Ban { capability: ban, rule: "policy.yaml:1".into() }]);
            assert_eq!(world.set.holds(&capability(&format!("{thing} {asked}"))), held, "{banned}: {asked}");
        }
    }
}
