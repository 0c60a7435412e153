//! The hooks of a life: their order, and what becomes of a life where one fails.

mod common;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use airssys_rt::Caller::Waits;
use airssys_rt::{
    Actor, ActorRef, Cause, Child, Context, Error, ErrorRate, Executor, Exit, Health, Message, Restart,
    Rules, Spec,
};
use common::{Log, World, answer, at_once, eventually, id, soon};

/// Where a life fails, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Flaw {
    #[default]
    None,
    Error(&'static str),
    Panic(&'static str),
}

impl Flaw {
    fn strike(self, hook: &str) -> Result<(), Cause> {
        match self {
            Flaw::Error(at) if at == hook => Err(std::sync::Arc::new(Error::Cancelled)),
            Flaw::Panic(at) if at == hook => panic!("in {hook}"),
            _ => Ok(()),
        }
    }
}

#[derive(Debug)]
enum Do {
    Answer,
    AnswerError,
    AnswerErrorAndHang,
    Finish,
    Ask,
}

impl Message for Do {
    type Reply = ();
    type Error = Error;
}

struct Hooked {
    flaw: Flaw,
    log: Log,
}

impl Hooked {
    fn hook(&self, hook: &str) -> Result<(), Cause> {
        self.log.note(hook);
        self.flaw.strike(hook)
    }
}

impl Child for Hooked {
    async fn pre_start(&mut self) -> Result<(), Cause> {
        self.hook("pre_start")
    }

    async fn post_start(&mut self) -> Result<(), Exit> {
        self.hook("post_start").map_err(Exit::Crash)
    }

    async fn pre_stop(&mut self, reason: &Exit) {
        self.log.note(format!("for {reason}"));
        let _ = self.hook("pre_stop");
    }

    async fn post_stop(&mut self) {
        let _ = self.hook("post_stop");
    }

    async fn health(&mut self) -> Result<(), Cause> {
        match self.flaw {
            Flaw::Error("hang") => std::future::pending().await,
            flaw => flaw.strike("health"),
        }
    }
}

impl Drop for Hooked {
    fn drop(&mut self) {
        self.log.note("drop");
    }
}

impl Actor for Hooked {
    type Message = Do;

    async fn handle(&mut self, message: Do, context: &mut Context<'_, Do>) -> Result<(), Exit> {
        self.log.note("handle");
        match message {
            Do::Answer => context.reply(Ok(())),
            Do::AnswerError => context.reply(Err(Error::Cancelled)),
            Do::AnswerErrorAndHang => {
                context.reply(Err(Error::Cancelled));
                std::future::pending::<()>().await;
            }
            Do::Finish => return Err(Exit::Normal),
            Do::Ask => self.flaw.strike("handle").map_err(Exit::Crash)?,
        }
        Ok(())
    }
}

/// Comes up when it is told to.
#[derive(Clone)]
struct Held {
    log: Log,
    wait: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl Child for Held {
    async fn post_start(&mut self) -> Result<(), Exit> {
        self.log.note("post_start begins");
        // An error is the sign too.
        let _ = self.wait.lock().expect("test lock").recv();
        self.log.note("post_start ends");
        Ok(())
    }
}

impl Actor for Held {
    type Message = Do;

    async fn handle(&mut self, _: Do, context: &mut Context<'_, Do>) -> Result<(), Exit> {
        self.log.note("handle");
        context.reply(Ok(()));
        Ok(())
    }
}

type Started = (ActorRef<Do>, Result<(), Error>);

/// Only its first life has the flaw.
fn start(world: &World, spec: Spec, restart: Restart, rules: Rules, flaw: Flaw) -> Started {
    let (log, lives) = (world.log.clone(), std::sync::atomic::AtomicU32::new(0));
    let start = move || {
        let first = lives.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        let hooked = Hooked { flaw: if first { flaw } else { Flaw::None }, log: log.clone() };
        async move { Ok::<_, Cause>(hooked) }
    };
    let (actor, up) = world.runtime.spawn_restarted(spec, restart, rules, start).expect("free");
    (actor, answer(up))
}

fn one(world: &World, restart: Restart, flaw: Flaw) -> Started {
    start(world, Spec::new(id("one")), restart, at_once(1), flaw)
}

fn does(actor: &ActorRef<Do>, what: Do) -> Result<(), Error> {
    answer(actor.request(what, soon(), Waits))
}

#[test]
fn hooks_run_in_order_around_the_messages() {
    let world = World::new();
    let (actor, up) = one(&world, Restart::Permanent, Flaw::None);
    up.expect("starts");
    does(&actor, Do::Answer).expect("answer");
    answer(actor.stop(common::LONG)).expect("stops");
    let hooks = ["pre_start", "post_start", "handle", "for shutdown", "pre_stop", "post_stop", "drop"];
    assert_eq!(world.log.lines(), hooks);
    assert_eq!(world.notices(), ["started", "stopped shutdown"]);
}

#[test]
fn an_actor_that_is_done_stops_with_its_hooks() {
    let world = World::new();
    let (actor, up) = one(&world, Restart::Transient, Flaw::None);
    up.expect("starts");
    assert!(matches!(does(&actor, Do::Finish), Err(Error::Stopped(Exit::Normal))));
    eventually("down", || world.runtime.is_empty());
    assert_eq!(world.notices()[..2], ["started", "stopped normal"]);
    assert_eq!(world.log.lines()[2..], ["handle", "for normal", "pre_stop", "post_stop", "drop"]);
}

#[test]
fn a_first_start_that_fails_in_a_hook_is_the_answer_of_spawn() {
    for (flaw, hooks) in [
        (Flaw::Error("pre_start"), &["pre_start", "drop"] as &[_]),
        (Flaw::Panic("pre_start"), &["pre_start", "drop"]),
        (Flaw::Error("post_start"), &["pre_start", "post_start", "drop"]),
        (Flaw::Panic("post_start"), &["pre_start", "post_start", "drop"]),
    ] {
        let world = World::new();
        let (_, up) = one(&world, Restart::Permanent, flaw);
        assert!(matches!(up, Err(Error::StartFailed(_))), "{flaw:?}: {up:?}");
        assert_eq!(world.log.lines(), hooks, "no other hook is called");
        assert!(
            world.notices().last().is_some_and(|line| line.ends_with("at its start")),
            "{:?}",
            world.notices()
        );
    }
}

#[test]
fn an_actor_is_up_once_its_hook_after_the_start_is_done() {
    let world = World::new();
    let (go, wait) = mpsc::channel::<()>();
    let held = Held { log: world.log.clone(), wait: Arc::new(Mutex::new(wait)) };
    let spec = Spec { executor: Executor::Callback, ..Spec::new(id("held")) };
    let (actor, up) =
        world.runtime.spawn(spec, move || std::future::ready(Ok::<_, Cause>(held.clone()))).expect("free");
    let asked = actor.request(Do::Answer, soon(), Waits);
    assert_eq!(world.logged(1), ["post_start begins"]);
    assert_eq!((actor.status().state, world.notices().len()), ("starting", 0));
    go.send(()).expect("it waits");
    answer(up).expect("starts");
    assert_eq!(
        world.log.lines()[..2],
        ["post_start begins", "post_start ends"],
        "spawn is answered after that"
    );
    answer(asked).expect("what was asked meanwhile has waited");
    assert_eq!(world.log.lines()[2..], ["handle"]);
    assert_eq!(world.notices(), ["started"]);
}

#[test]
fn a_handler_that_fails_ends_the_life_and_tells_the_caller() {
    for flaw in [Flaw::Error("handle"), Flaw::Panic("handle")] {
        let world = World::new();
        let (actor, up) = one(&world, Restart::Permanent, flaw);
        up.expect("starts");
        assert!(matches!(does(&actor, Do::Ask), Err(Error::Crashed(_))), "{flaw:?}");
        does(&actor, Do::Answer).expect("its second life");
        let hooks = ["pre_start", "post_start", "handle", "drop", "pre_start", "post_start", "handle"];
        assert_eq!(world.log.lines(), hooks, "{flaw:?}");
    }
}

#[test]
fn a_stop_hook_that_panics_does_not_hold_up_the_stop() {
    for flaw in [Flaw::Panic("pre_stop"), Flaw::Panic("post_stop")] {
        let world = World::new();
        let (actor, up) = one(&world, Restart::Permanent, flaw);
        up.expect("starts");
        answer(actor.stop(common::LONG)).expect("is down");
        assert!(
            world.notices().last().is_some_and(|line| line.starts_with("stopped")),
            "{:?}",
            world.notices()
        );
        eventually("nothing is left", || world.runtime.is_empty());
        assert_eq!(world.log.lines().last().map(String::as_str), Some("drop"));
    }
}

#[test]
fn a_kill_calls_no_hook() {
    let world = World::new();
    let (actor, up) = one(&world, Restart::Permanent, Flaw::None);
    up.expect("starts");
    actor.kill();
    eventually("down", || world.notices() == ["started", "stopped killed"]);
    assert_eq!(world.logged(3), ["pre_start", "post_start", "drop"]);
}

#[test]
fn a_life_that_misses_its_health_checks_is_ended_and_comes_back() {
    // A panic may take longer than two checks to be reported, so there only the panic may end the life.
    for (flaw, missed_max) in
        [(Flaw::Error("health"), 1), (Flaw::Error("hang"), 1), (Flaw::Panic("health"), u32::MAX)]
    {
        let world = World::new();
        let health = Some(Health { interval: Duration::from_millis(2), missed_max });
        let spec = Spec { health, ..Spec::new(id("one")) };
        let (actor, up) = start(&world, spec, Restart::Permanent, at_once(1_000), flaw);
        up.expect("starts");
        eventually("back", || world.notices().iter().any(|line| line == "restarted 1"));
        let exit = actor.status().last_exit.expect("its first life has ended");
        let expected = if flaw == Flaw::Panic("health") { "panicked" } else { "2 health checks" };
        assert!(world.notices()[1].contains(expected), "{exit}: {:?}", world.notices());
        does(&actor, Do::Answer).expect("it goes on");
    }
}

#[test]
fn more_errors_than_allowed_end_the_life() {
    let world = World::new();
    let error_rate = Some(ErrorRate { errors_max: 2, period: Duration::from_secs(3_600) });
    let spec = Spec { error_rate, ..Spec::new(id("one")) };
    let (actor, up) = start(&world, spec, Restart::Permanent, at_once(1), Flaw::None);
    up.expect("starts");
    for _ in 0..3 {
        assert!(matches!(does(&actor, Do::AnswerError), Err(Error::Cancelled)));
    }
    does(&actor, Do::Answer).expect("its second life");
    assert_eq!(world.notices(), ["started", "crashed: 3 errors within 3600000 ms", "restarted 1"]);
}

#[test]
fn more_errors_than_allowed_end_a_life_that_hangs_after_the_last_one() {
    let world = World::new();
    let error_rate = Some(ErrorRate { errors_max: 0, period: Duration::from_secs(3_600) });
    let spec = Spec { error_rate, ..Spec::new(id("one")) };
    let (actor, up) = start(&world, spec, Restart::Permanent, at_once(1), Flaw::None);
    up.expect("starts");
    assert!(matches!(does(&actor, Do::AnswerErrorAndHang), Err(Error::Cancelled)));
    // Asked nothing more before: that would wake it.
    eventually("back", || world.notices().len() == 3);
    does(&actor, Do::Answer).expect("its second life");
    assert_eq!(world.notices(), ["started", "crashed: 1 errors within 3600000 ms", "restarted 1"]);
}

#[test]
fn a_start_that_was_abandoned_and_ends_late_is_not_announced() {
    let world = World::new();
    let (release, block) = mpsc::channel::<()>();
    let (tell, begun) = mpsc::channel();
    let (block, log) = (Arc::new(Mutex::new(block)), world.log.clone());
    let start = move || {
        let (block, tell, log) = (block.clone(), tell.clone(), log.clone());
        async move {
            tell.send(()).expect("the test listens");
            // An error is the sign.
            let _ = block.lock().expect("test lock").recv();
            Ok::<_, Cause>(Hooked { flaw: Flaw::None, log })
        }
    };
    let spec = Spec { executor: Executor::Callback, ..Spec::new(id("one")) };
    let (actor, up) = world.runtime.spawn(spec, start).expect("free");
    begun.recv_timeout(common::LONG).expect("begins");
    actor.kill();
    assert!(answer(up).is_err());
    drop(release);
    eventually("it ends", || world.log.lines().iter().any(|line| line == "drop"));
    assert_eq!(world.notices(), ["stopped killed at its start"]);
}
