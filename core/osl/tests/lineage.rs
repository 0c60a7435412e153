//! Grants that are handed on: what may be, how they end, and what their records say.

mod support;

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use airssys_osl::{
    Ask, Ban, Capability, CapabilitySet, DenialKind, Files, HandOnError, Operation, Part, Told,
};
use support::World;

fn capability(text: &str) -> Capability {
    Capability::parse(text).unwrap().remove(0)
}

fn part(id: u64, text: &str, ttl: Option<Duration>, told: Told) -> Part {
    Part { id, capability: capability(text), ttl, told }
}

fn hand(from: &CapabilitySet, to: &CapabilitySet, id: u64, text: &str) -> Result<(), HandOnError> {
    from.hand_on(to, part(id, text, None, Box::new(|_, _| {})), "test").map(|_| ())
}

fn denied(outcome: Result<(), HandOnError>) -> DenialKind {
    match outcome {
        Err(HandOnError::Denied(denial)) => denial.kind,
        other => panic!("not denied: {other:?}"),
    }
}

fn another(world: &World, name: &str) -> CapabilitySet {
    CapabilitySet::new(name, world.audit.clone())
}

#[test]
fn only_what_one_live_grant_covers_wholly_is_handed_on() {
    let world = World::new(&[
        "env A,B",
        "env C",
        "net.connect *.example.com:443 ; proto=tcp",
        "kv.write notes ; quota=10MiB",
        "process.run /usr/bin/git log ** ; env=LANG",
        "clock ; ttl=60s",
    ]);
    let to = another(&world, "default/to/0");
    let covered = [
        "env A",
        "env A,B",
        "net.connect a.example.com:443 ; proto=tcp",
        "net.resolve a.example.com",
        "kv.write notes ; quota=1MiB",
        "process.run /usr/bin/git log --oneline",
        "process.run /usr/bin/git log ** ; env=LANG",
        // For as long as there is of it.
        "clock",
        "clock ; ttl=1h",
    ];
    for (id, text) in (100..).zip(covered) {
        hand(&world.set, &to, id, text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    let more = [
        "env A,C",
        "env A*",
        "net.connect a.example.com:443",
        "net.connect a.example.com:443 ; proto=udp",
        "net.connect a.example.com:443 ; private=yes ; proto=tcp",
        "net.connect *.com:443 ; proto=tcp",
        "kv.write notes",
        "kv.write notes ; quota=11MiB",
        "process.run /usr/bin/git **",
        "process.run /usr/bin/git log ** ; env=LANG,TZ",
        "random",
    ];
    for (id, text) in (200..).zip(more) {
        assert_eq!(denied(hand(&world.set, &to, id, text)), DenialKind::NotGranted, "{text}");
    }
    let left = to.grants().into_iter().filter(|grant| grant.text.starts_with("clock"));
    assert!(left.into_iter().all(|grant| grant.ttl_left.is_some_and(|left| left <= Duration::from_secs(60))));
    world.set.revoke(1);
    assert_eq!(denied(hand(&world.set, &to, 300, "env A")), DenialKind::NotGranted, "no longer");
}

#[test]
fn the_end_of_a_grant_ends_all_below_it_cuts_what_is_open_and_is_told_once() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("a", "content");
    let (second, third) = (another(&world, "default/b/0"), another(&world, "default/c/0"));
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = |name: &'static str| -> Told {
        let told = told.clone();
        Box::new(move |kind, cut| told.lock().unwrap().push((name, kind, cut)))
    };
    let text = format!("fs.read {path}");
    world.set.hand_on(&second, part(10, &text, None, teller("b")), "test").unwrap();
    second.hand_on(&third, part(20, &text, None, teller("c")), "test").unwrap();
    let file = Files::new(third.clone()).open(&path, "test").unwrap();
    assert_eq!((third.grants()[0].open, second.grants()[0].open), (1, 0));
    assert_eq!(world.set.revoke(1), Some(1));
    assert!(file.read_at(&mut [0; 8], 0).is_err());
    assert_eq!(*told.lock().unwrap(), [("c", DenialKind::Revoked, 1), ("b", DenialKind::Revoked, 1)]);
    assert!(second.grants().is_empty() && third.grants().is_empty());
    assert_eq!(third.check(&Ask::FsRead(path), "").unwrap_err().kind, DenialKind::NotGranted);
    let line = |operation| {
        let of = world.audit.recent().into_iter().filter(|record| record.operation == operation);
        of.map(|record| (record.actor, record.grant, record.giver, record.parent)).collect::<Vec<_>>()
    };
    let [a, b, c] = ["default/fetch/0", "default/b/0", "default/c/0"].map(Arc::<str>::from);
    let handed = [(b.clone(), Some(10), Some(a.clone()), Some(1)), (c, Some(20), Some(b), Some(10))];
    assert_eq!(line(Operation::Grant)[1..], handed);
    assert_eq!(line(Operation::Revoke).len(), 3);
    assert_eq!(line(Operation::Revoke).iter().filter(|record| handed.contains(record)).count(), 2);
}

#[test]
fn what_is_taken_back_alone_ends_without_a_word_and_its_giver_keeps_the_grant() {
    let world = World::new(&["env A"]);
    let to = another(&world, "default/to/0");
    let count = Arc::new(AtomicU64::new(0));
    let counts = count.clone();
    let told: Told = Box::new(move |_, _| {
        counts.fetch_add(1, Ordering::Relaxed);
    });
    world.set.hand_on(&to, part(10, "env A", None, told), "test").unwrap();
    assert_eq!(to.grants()[0].giver.as_deref(), Some("default/fetch/0"));
    assert_eq!(to.revoke(10), Some(0));
    assert_eq!(world.set.revoke(1), Some(0));
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[test]
fn the_end_of_an_actor_takes_back_what_it_handed_on_and_it_gets_nothing_more() {
    let world = World::new(&["env A", "env B"]);
    let to = another(&world, "default/to/0");
    hand(&world.set, &to, 10, "env A").unwrap();
    hand(&to, &another(&world, "default/third/0"), 11, "env A").unwrap();
    world.set.close();
    assert!(to.grants().is_empty() && !to.is_live(10));
    assert_eq!(denied(hand(&world.set, &to, 12, "env B")), DenialKind::NotGranted);
    let giver = another(&world, "default/giver/0");
    giver.grant(30, capability("env A"), None).unwrap();
    assert!(matches!(hand(&giver, &world.set, 31, "env A"), Err(HandOnError::Ended)));
    assert!(world.set.grant(32, capability("env A"), None).is_err());
}

#[test]
fn hostile_what_a_ban_of_the_giver_may_touch_is_not_handed_on_and_a_new_ban_takes_it_back() {
    let world = World::new(&["fs.read /srv/**", "env A,B", "net.connect 10.0.0.0/8:*"]);
    let to = another(&world, "default/to/0");
    let ban = |text: &str| Ban { capability: capability(text), rule: format!("p:1 {text}").into() };
    world.set.forbid(vec![ban("fs.read /srv/private/**"), ban("env B"), ban("net.connect 10.1.0.0/16:*")]);
    for text in
        ["fs.read /srv/**", "fs.read /srv/private/x", "env B", "env A,B", "net.connect 10.2.0.0/16:80"]
    {
        assert_eq!(denied(hand(&world.set, &to, 10, text)), DenialKind::Forbidden, "{text}");
    }
    hand(&world.set, &to, 11, "fs.read /srv/public/**").unwrap();
    hand(&world.set, &to, 12, "env A").unwrap();
    let all = ["fs.read /srv/private/**", "env B", "net.connect 10.1.0.0/16:*", "fs.read /srv/public/x"];
    world.set.forbid(all.map(ban).to_vec());
    let left: Vec<_> = to.grants().into_iter().map(|grant| grant.text).collect();
    assert_eq!(left, ["env A"]);
}

#[test]
fn hostile_d3_what_is_handed_on_lies_below_the_directory_of_the_giver_whatever_took_its_place() {
    let world = World::empty();
    world.write("data/sub/note", "mine");
    world.write("outside/note", "not mine");
    world.grant(1, "fs.read {}/data/**");
    let to = another(&world, "default/to/0");
    std::fs::rename(world.path("data/sub"), world.path("data/old")).unwrap();
    symlink(world.path("outside"), world.path("data/sub")).unwrap();
    let text = format!("fs.read {}/**", world.path("data/sub"));
    hand(&world.set, &to, 10, &text).unwrap();
    let read = Files::new(to).open(&world.path("data/sub/note"), "test");
    assert!(read.is_err(), "{read:?}");
}

#[test]
fn hostile_no_more_than_may_be_and_no_deeper() {
    let world = World::new(&["env A"]);
    let sets: Vec<_> = (0..9).map(|at| another(&world, &format!("default/s{at}/0"))).collect();
    hand(&world.set, &sets[0], 100, "env A").unwrap();
    for at in 0..7 {
        hand(&sets[at], &sets[at + 1], 101 + at as u64, "env A").unwrap();
    }
    assert!(matches!(hand(&sets[7], &sets[8], 200, "env A"), Err(HandOnError::TooMany { allowed: 8, .. })));
    for id in 0..63 {
        hand(&world.set, &sets[8], 300 + id, "env A").unwrap();
    }
    assert!(matches!(
        hand(&world.set, &sets[8], 400, "env A"),
        Err(HandOnError::TooMany { allowed: 64, .. })
    ));
    sets[8].revoke(300).unwrap();
    hand(&world.set, &sets[8], 400, "env A").unwrap();
    assert!(matches!(hand(&sets[8], &sets[8], 400, "env A"), Err(HandOnError::Invalid(_))), "taken");
}

#[test]
fn what_is_handed_on_while_its_grant_ends_never_outlives_it() {
    for _ in 0..500 {
        let world = World::new(&["env A"]);
        let (b, c) = (another(&world, "default/b/0"), another(&world, "default/c/0"));
        hand(&world.set, &b, 10, "env A").unwrap();
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                let _ = hand(&b, &c, 20, "env A");
            });
            start.wait();
            world.set.revoke(1);
        });
        assert!(b.grants().is_empty() && c.grants().is_empty());
        assert!(c.check(&Ask::Env("A".into()), "").is_err());
    }
}

fn forbid(world: &World, texts: &[&str]) {
    let text = |text: &&str| text.replace("{}", &world.path(""));
    let ban = |text: String| Ban { capability: capability(&text), rule: format!("p:1 {text}").into() };
    world.set.forbid(texts.iter().map(text).map(ban).collect());
}

/// A world with a directory `srv`, to which a link `var2` leads.
fn linked(grants: &[&str]) -> World {
    let world = World::empty();
    world.write("srv/private/note", "secret");
    world.link("srv", "var2");
    grants.iter().fold(1, |id, grant| world.grant_from(id, grant));
    world
}

#[test]
fn hostile_d3_a_ban_of_a_place_by_another_name_is_not_handed_past() {
    // The grant begins behind the link, or the ban does.
    for (granted, banned) in [("var2", "srv"), ("srv", "var2"), ("var2", "var2")] {
        let world = linked(&[&format!("fs.read {{}}/{granted}/**")]);
        let to = another(&world, "default/to/0");
        forbid(&world, &[&format!("fs.read {{}}/{banned}/private/**")]);
        for below in ["/**", "/*/note", "/private", "/private/**", "/private/note"] {
            let text = format!("fs.read {}{below}", world.path(granted));
            assert_eq!(denied(hand(&world.set, &to, 10, &text)), DenialKind::Forbidden, "{text}");
        }
        hand(&world.set, &to, 11, &format!("fs.read {}/public/**", world.path(granted))).unwrap();
    }
}

#[test]
fn hostile_d3_a_ban_of_where_the_giver_has_its_directory_by_now_is_not_handed_past() {
    let world = linked(&["fs.read {}/srv/**"]);
    std::fs::rename(world.path("srv"), world.path("moved")).unwrap();
    forbid(&world, &["fs.read {}/moved/private/**"]);
    let to = another(&world, "default/to/0");
    let text = format!("fs.read {}", world.path("srv/private/note"));
    assert_eq!(denied(hand(&world.set, &to, 10, &text)), DenialKind::Forbidden);
}

#[test]
fn hostile_d3_a_new_ban_by_another_name_takes_back_what_was_handed_on() {
    let bans = ["fs.read {}/var2/private/**", "fs.list {}/var2/private/**", "fs.list {}/srv/private/**"];
    for (ban, granted) in bans.iter().flat_map(|ban| [(ban, "srv"), (ban, "var2")]) {
        let world = linked(&[&format!("fs.read {{}}/{granted}/**")]);
        let note = world.path(&format!("{granted}/private/note"));
        let (to, third) = (another(&world, "default/to/0"), another(&world, "default/third/0"));
        hand(&world.set, &to, 10, &format!("fs.read {note}")).unwrap();
        hand(&to, &third, 11, &format!("fs.read {note}")).unwrap();
        let file = Files::new(third.clone()).open(&note, "test").unwrap();
        forbid(&world, &[ban]);
        assert!(to.grants().is_empty() && third.grants().is_empty(), "{ban} of {granted}");
        assert!(file.read_at(&mut [0; 8], 0).is_err());
        assert_eq!(denied(hand(&world.set, &to, 12, &format!("fs.read {note}"))), DenialKind::Forbidden);
    }
}

#[test]
fn what_describes_a_file_is_not_handed_past_a_ban_of_the_other_way_to_describe_it() {
    for (granted, banned) in [("fs.read", "fs.list"), ("fs.list", "fs.read")] {
        let world = World::new(&[&format!("{granted} {{}}/**"), "fs.write {}/**"]);
        let to = another(&world, "default/to/0");
        let of = |action: &str, name: &str| format!("{action} {}", world.path(name));
        hand(&world.set, &to, 10, &of(granted, "private/pay")).unwrap();
        hand(&world.set, &to, 11, &of("fs.write", "private/pay")).unwrap();
        forbid(&world, &[&format!("{banned} {{}}/private/**")]);
        let left: Vec<_> = to.grants().into_iter().map(|grant| grant.id).collect();
        assert_eq!(left, [11], "{banned}");
        assert_eq!(denied(hand(&world.set, &to, 12, &of(granted, "private/pay"))), DenialKind::Forbidden);
        hand(&world.set, &to, 13, &of(granted, "public/pay")).unwrap();
        hand(&world.set, &to, 14, &of("fs.write", "private/other")).unwrap();
    }
}
