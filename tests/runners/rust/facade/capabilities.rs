//! What guests ask for and hand on, where something else happens at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use airwasm::{ActorHandle, ActorSpec, Code, ComponentHandle, Operation, RequestOptions, Result, System};
use airwasm_tests::guest;

use crate::{HOUR, eventually, idle, open};

/// Actors of one component, which is compiled once.
struct Brokers<'a>(&'a System, ComponentHandle);

impl<'a> Brokers<'a> {
    fn new(system: &'a System) -> Self {
        Self(system, system.load(&guest("broker")).expect("loads"))
    }

    fn spawn(&self, name: &str, grants: &[&str]) -> ActorHandle {
        let (system, component) = (self.0, Some(self.1));
        let spec = grants.iter().fold(ActorSpec::default().name(name), |spec, text| spec.grant(text));
        system.spawn(ActorSpec { component, ..spec }).expect("starts")
    }
}

fn begin(system: &System, actor: ActorHandle, text: &str) -> Operation<Vec<u8>> {
    let options = RequestOptions { timeout: Some(HOUR), ..RequestOptions::default() };
    system.request_async(actor, text.as_bytes(), &options)
}

fn ask(system: &System, actor: ActorHandle, text: &str) -> Result<String> {
    begin(system, actor, text).wait().map(|bytes| String::from_utf8(bytes).expect("text"))
}

/// Grants of the actor that another one handed on.
fn received(system: &System, actor: ActorHandle) -> usize {
    system.grants(actor).expect("lives").iter().filter(|grant| grant.given_by.contains('/')).count()
}

#[test]
fn what_is_handed_on_while_its_grant_is_revoked_is_denied_or_ends_with_it() {
    let system = open();
    let brokers = Brokers::new(&system);
    let giver = brokers.spawn("giver", &["message.send taker"]);
    let taker = brokers.spawn("taker", &[]);
    for _ in 0..200 {
        let grant = system.grant(giver, "env LANG", None).expect("granted");
        let handed = begin(&system, giver, "hand taker env LANG");
        system.revoke(grant).expect("revoked");
        if let Err(error) = handed.wait() {
            assert!(matches!(error.code, Code::Denied | Code::GrantRevoked), "{error}");
        }
        assert_eq!(received(&system, taker), 0);
    }
}

#[test]
fn what_is_handed_on_while_the_receiver_ends_leaves_nothing_behind() {
    let system = open();
    let brokers = Brokers::new(&system);
    let giver = brokers.spawn("giver", &["message.send taker", "env LANG"]);
    for _ in 0..50 {
        let taker = brokers.spawn("taker", &[]);
        let handed = begin(&system, giver, "hand taker env LANG");
        system.kill(taker).expect("lives");
        if let Err(error) = handed.wait() {
            assert!(error.message.contains("actor-not-found"), "{error}");
        }
        eventually(|| match system.lookup("taker") {
            Ok(_) => Err(airwasm::Error::failure("lives", "taker")),
            Err(_) => Ok(()),
        });
    }
    // More than may be handed on at once: those of the actors that have ended do not count.
    let taker = brokers.spawn("taker", &[]);
    ask(&system, giver, "hand taker env LANG").expect("handed on");
    assert_eq!(received(&system, taker), 1);
}

#[test]
fn an_ask_that_is_answered_as_its_time_ends_is_granted_or_denied_and_nothing_else() {
    let system = open();
    let brokers = Brokers::new(&system);
    let actor = brokers.spawn("asker", &[]);
    for _ in 0..50 {
        let asked = begin(&system, actor, "ask 1 env LANG");
        let grant = system.grant(actor, "env LANG", None).expect("granted");
        match asked.wait() {
            Ok(answer) => assert_eq!(answer, b"granted"),
            Err(error) => {
                let limited = error.message.contains("LIMIT_EXCEEDED");
                assert!(error.code == Code::Denied || limited, "{error}");
            }
        }
        assert_eq!(ask(&system, actor, "ask 1 env LANG").expect("covered"), "granted");
        system.revoke(grant).expect("revoked");
    }
}

#[test]
fn a_file_that_is_read_while_its_grant_is_taken_back_up_the_line_is_cut() {
    let (system, folder) = (open(), tempfile::tempdir().expect("a folder"));
    let brokers = Brokers::new(&system);
    let path = folder.path().canonicalize().expect("it is there").join("note");
    std::fs::write(&path, "note").expect("written");
    let text = format!("fs.read {}", path.display());
    let first = brokers.spawn("first", &["message.send second"]);
    let second = brokers.spawn("second", &["message.send third"]);
    let third = brokers.spawn("third", &[]);
    let done = Arc::new(AtomicBool::new(false));
    let reading = {
        let (system, done, path) = (system.clone(), done.clone(), path.display().to_string());
        thread::spawn(move || {
            while !done.load(Relaxed) {
                if let Err(error) = ask(&system, third, &format!("read {path}")) {
                    assert!(matches!(error.code, Code::Denied | Code::GrantRevoked), "{error}");
                }
            }
        })
    };
    for _ in 0..20 {
        let grant = system.grant(first, &text, None).expect("granted");
        ask(&system, first, &format!("hand second {text}")).expect("handed on");
        ask(&system, second, &format!("hand third {text}")).expect("handed on");
        assert_eq!(received(&system, third), 1);
        system.revoke(grant).expect("revoked");
        assert_eq!((received(&system, second), received(&system, third)), (0, 0));
    }
    done.store(true, Relaxed);
    reading.join().expect("only denials");
}

#[test]
fn hostile_no_more_is_handed_on_than_may_be_and_what_is_taken_back_makes_room() {
    let system = open();
    let brokers = Brokers::new(&system);
    let giver = brokers.spawn("giver", &["message.send taker", "env LANG"]);
    let taker = brokers.spawn("taker", &[]);
    let numbers: Vec<String> =
        (0..64).map(|_| ask(&system, giver, "hand taker env LANG").expect("handed on")).collect();
    let refused = ask(&system, giver, "hand taker env LANG").expect_err("as many as may be");
    assert!(refused.message.contains("LIMIT_EXCEEDED"), "{refused}");
    ask(&system, giver, &format!("take {}", numbers[7])).expect("taken back");
    ask(&system, giver, "hand taker env LANG").expect("handed on");
    // The receiver has them, but may not take them back.
    let foreign = ask(&system, taker, &format!("take {}", numbers[0])).expect_err("not its own");
    assert!(foreign.message.contains("NOT_FOUND"), "{foreign}");
    assert_eq!(received(&system, taker), 64);
    system.kill(giver).expect("lives");
    eventually(|| match received(&system, taker) {
        0 => Ok(()),
        left => Err(airwasm::Error::failure("left", &left.to_string())),
    });
}

#[test]
fn hostile_a_grant_is_handed_on_so_often_and_no_deeper() {
    let system = open();
    let brokers = Brokers::new(&system);
    let names: Vec<String> = (0..10).map(|at| format!("b{at}")).collect();
    let actors: Vec<ActorHandle> =
        names.iter().map(|name| brokers.spawn(name, &["message.send default/*/*"])).collect();
    let grant = system.grant(actors[0], "env LANG", None).expect("granted");
    for at in 0..8 {
        ask(&system, actors[at], &format!("hand {} env LANG", names[at + 1])).expect("handed on");
    }
    let refused = ask(&system, actors[8], "hand b9 env LANG").expect_err("too deep");
    assert!(refused.message.contains("LIMIT_EXCEEDED"), "{refused}");
    system.revoke(grant).expect("revoked");
    assert!(actors.iter().all(|actor| received(&system, *actor) == 0));
}

#[test]
fn a_grant_whose_time_is_over_before_it_is_noted_is_not_kept() {
    let system = open();
    let actor = idle(&system, "a");
    let before = system.grants(actor).expect("lives");
    for _ in 0..100 {
        let grant = system.grant(actor, "env LANG", Some(Duration::from_nanos(1))).expect("granted");
        assert_eq!(system.grants(actor).expect("lives"), before);
        assert_eq!(system.revoke(grant).expect_err("it has ended").code, Code::NotFound);
    }
}
