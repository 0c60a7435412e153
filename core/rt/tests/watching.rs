//! Monitors and links: who is told when a life ends, and who ends with it.

mod common;

use std::sync::mpsc;

use airssys_rt::Caller::Waits;
use airssys_rt::{
    Actor, ActorRef, Cause, Child, Context, Down, Error, Exit, Handle, Message, MonitorId, Mourner, Restart,
    Signal, Spec, promise,
};
use common::{Ask, Log, World, answer, at_once, begun, crash, echo, eventually, id, soon};

/// What a [`Watcher`] is asked to do; it answers with the number of the monitor, or zero.
#[derive(Debug)]
enum Watch {
    Monitor(Handle),
    Demonitor(Handle, MonitorId),
    Link(Handle),
    Unlink(Handle),
    Trap(bool),
    Crash,
    Nothing,
    /// Let go of the thread until the other end is dropped.
    Wait(tokio::sync::oneshot::Receiver<()>),
}

impl Message for Watch {
    type Reply = Option<MonitorId>;
    type Error = Error;
}

struct Watcher {
    name: String,
    log: Log,
}

impl Child for Watcher {}

impl Actor for Watcher {
    type Message = Watch;

    async fn handle(&mut self, message: Watch, context: &mut Context<'_, Watch>) -> Result<(), Exit> {
        let result = match message {
            Watch::Monitor(other) => context.monitor(other).map(Some),
            Watch::Demonitor(other, monitor) => Ok(context.demonitor(other, monitor).then_some(monitor)),
            Watch::Link(other) => context.link(other).map(|()| None),
            Watch::Unlink(other) => {
                context.unlink(other);
                Ok(None)
            }
            Watch::Trap(trap) => {
                context.trap_exits(trap);
                Ok(None)
            }
            Watch::Crash => return Err(common::boom()),
            Watch::Nothing => Ok(None),
            Watch::Wait(until) => {
                let _ = until.await;
                self.log.note(format!("{} waited", self.name));
                Ok(None)
            }
        };
        context.reply(result);
        Ok(())
    }

    async fn signal(&mut self, signal: Signal, _: &mut Context<'_, Watch>) -> Result<(), Exit> {
        self.log.note(match signal {
            Signal::Down { id, exit, .. } => format!("{} down {} {exit}", self.name, common::short(&id)),
            Signal::Exit { id, exit } => format!("{} exit {} {exit}", self.name, common::short(&id)),
        });
        Ok(())
    }
}

fn watcher(world: &World, name: &str) -> ActorRef<Watch> {
    watcher_as(world, name, Restart::Temporary)
}

fn watcher_as(world: &World, name: &str, restart: Restart) -> ActorRef<Watch> {
    let (log, own) = (world.log.clone(), name.to_owned());
    let start = move || {
        let watcher = Watcher { name: own.clone(), log: log.clone() };
        async move { Ok::<_, Cause>(watcher) }
    };
    let (actor, up) =
        world.runtime.spawn_restarted(Spec::new(id(name)), restart, at_once(1_000), start).expect("free");
    answer(up).expect("starts");
    actor
}

fn does(actor: &ActorRef<Watch>, what: Watch) -> Result<Option<MonitorId>, Error> {
    answer(actor.request(what, soon(), Waits))
}

fn logged(world: &World, line: &str) {
    eventually(line, || world.log.lines().iter().any(|it| it == line));
}

fn count(world: &World, line: &str) -> usize {
    world.log.lines().iter().filter(|it| *it == line).count()
}

#[test]
fn a_monitor_is_told_once_and_before_the_messages_that_wait() {
    let world = World::new();
    let (watcher, other) = (watcher(&world, "w"), world.plain("other"));
    does(&watcher, Watch::Monitor(other.handle())).expect("it lives");
    let (tell, told) = mpsc::channel();
    let mourner = move |down: Down| tell.send(down).expect("open");
    world.runtime.monitor(other.handle(), Box::new(mourner)).expect("it lives");
    let (open, gate) = tokio::sync::oneshot::channel();
    let held = watcher.request(Watch::Wait(gate), soon(), Waits);
    begun(&watcher, 2);
    let (second, after) = tokio::sync::oneshot::channel();
    let queued = watcher.request(Watch::Wait(after), soon(), Waits);
    drop(second);
    crash(&other);
    told.recv_timeout(common::LONG).expect("told after the actor");
    drop(open);
    answer(held).expect("answer");
    answer(queued).expect("answer");
    let lines = world.log.lines();
    assert_eq!(lines[1..], ["w waited", "w down other crashed: boom", "w waited"]);
}

#[test]
fn a_monitor_of_each_kind_of_end_is_told_of_it() {
    let world = World::new();
    let watcher = watcher(&world, "w");
    type End = fn(&ActorRef<Ask>);
    let ends: [(&str, End); 4] = [
        ("normal", |actor| drop(answer(actor.request(Ask::Done, soon(), Waits)))),
        ("shutdown", |actor| answer(actor.stop(common::LONG)).expect("stops")),
        ("killed", |actor| actor.kill()),
        ("crashed: boom", crash),
    ];
    for (number, (exit, end)) in ends.into_iter().enumerate() {
        let other = world.plain(&format!("o-{number}"));
        does(&watcher, Watch::Monitor(other.handle())).expect("it lives");
        end(&other);
        logged(&world, &format!("w down o-{number} {exit}"));
        assert!(matches!(
            does(&watcher, Watch::Monitor(other.handle())),
            Err(Error::NotFound | Error::Stopped(_))
        ));
    }
    assert!(does(&watcher, Watch::Nothing).is_ok(), "a monitor harms nobody");
}

#[test]
fn a_monitor_that_was_undone_tells_nothing() {
    let world = World::new();
    let (watcher, other) = (watcher(&world, "w"), world.plain("other"));
    let handle = other.handle();
    let one = does(&watcher, Watch::Monitor(handle)).expect("it lives").expect("a number");
    let two = does(&watcher, Watch::Monitor(handle)).expect("it lives").expect("a number");
    assert_eq!(does(&watcher, Watch::Demonitor(handle, one)).expect("answer"), Some(one));
    assert_eq!(does(&watcher, Watch::Demonitor(handle, one)).expect("answer"), None, "it is used up");
    crash(&other);
    logged(&world, "w down other crashed: boom");
    does(&watcher, Watch::Nothing).expect("all signals come first");
    assert_eq!(count(&world, "w down other crashed: boom"), 1);
    assert_eq!(does(&watcher, Watch::Demonitor(handle, two)).expect("answer"), None);
}

#[test]
fn a_host_that_monitors_is_told_whether_the_actor_comes_back() {
    let world = World::new();
    let actor = world.spawn("one", Restart::Permanent, airssys_rt::Bounds::default());
    let watch = || {
        let (tell, told) = mpsc::channel();
        let mourner = move |down: Down| tell.send(down).expect("open");
        world.runtime.monitor(actor.handle(), Box::new(mourner)).expect("it lives");
        told
    };
    let (first, undone) = (watch(), watch());
    let (resolver, pending) = promise::<Down, Error>();
    let monitor = world.runtime.monitor(actor.handle(), Box::new(resolver)).expect("it lives");
    drop(pending);
    assert!(world.runtime.demonitor(actor.handle(), monitor));
    crash(&actor);
    let down = first.recv_timeout(common::LONG).expect("told");
    assert!(down.restarting && matches!(down.exit, Exit::Crash(_)));
    assert!(undone.recv_timeout(common::LONG).is_ok());
    assert_eq!(echo(&actor, 1).expect("the second life"), 1_001);
    let second = watch();
    answer(actor.stop(common::LONG)).expect("stops");
    let down = second.recv_timeout(common::LONG).expect("told");
    assert!(!down.restarting && matches!(down.exit, Exit::Shutdown));
    assert!(first.recv().is_err(), "a monitor is used up by one end");
}

#[test]
fn monitors_that_nobody_waits_for_make_room() {
    struct GivenUp;
    impl Mourner for GivenUp {
        fn tell(self: Box<Self>, _: Down) {}
        fn is_wanted(&self) -> bool {
            false
        }
    }
    let world = World::new();
    let actor = world.plain("one");
    for _ in 0..50_000 {
        world.runtime.monitor(actor.handle(), Box::new(GivenUp)).expect("those before have given up");
    }
    let wanted = |_: Down| ();
    let taken =
        (0..20_000).take_while(|_| world.runtime.monitor(actor.handle(), Box::new(wanted)).is_ok()).count();
    assert!((9_900..=10_000).contains(&taken), "{taken}");
    let full = world.runtime.monitor(actor.handle(), Box::new(wanted));
    assert!(matches!(full, Err(Error::TooMany { max: 10_000, .. })), "as many as there may be");
}

#[test]
fn a_crash_goes_along_a_chain_of_links() {
    let world = World::new();
    let chain: Vec<_> = (0..50).map(|number| watcher(&world, &format!("l-{number}"))).collect();
    for pair in chain.windows(2) {
        does(&pair[0], Watch::Link(pair[1].handle())).expect("both live");
    }
    let bystander = watcher(&world, "bystander");
    assert!(does(&chain[25], Watch::Crash).is_err());
    eventually("all have ended", || world.runtime.len() == 1);
    for actor in &chain {
        assert!(matches!(actor.exit(), Some(Exit::Crash(_))));
    }
    assert!(does(&bystander, Watch::Nothing).is_ok());
}

#[test]
fn an_end_without_a_crash_ends_no_linked_actor() {
    let world = World::new();
    let (one, other, third) = (watcher(&world, "one"), watcher(&world, "other"), world.plain("third"));
    does(&one, Watch::Link(other.handle())).expect("both live");
    does(&one, Watch::Link(third.handle())).expect("both live");
    answer(other.stop(common::LONG)).expect("stops");
    drop(answer(third.request(Ask::Done, soon(), Waits)));
    eventually("gone", || !world.is_there("third"));
    assert!(does(&one, Watch::Nothing).is_ok());
    assert_eq!(one.status().state, "running");
}

#[test]
fn who_traps_exits_is_told_and_lives() {
    let world = World::new();
    let (trapper, crashes, stops) =
        (watcher(&world, "t"), watcher(&world, "crashes"), watcher(&world, "stops"));
    does(&trapper, Watch::Trap(true)).expect("answer");
    for other in [&crashes, &stops] {
        does(other, Watch::Link(trapper.handle())).expect("both live");
    }
    assert!(does(&crashes, Watch::Crash).is_err());
    logged(&world, "t exit crashes crashed: boom");
    answer(stops.stop(common::LONG)).expect("stops");
    logged(&world, "t exit stops shutdown");
    assert!(does(&trapper, Watch::Nothing).is_ok());
    let third = watcher(&world, "third");
    does(&third, Watch::Link(trapper.handle())).expect("both live");
    does(&trapper, Watch::Trap(false)).expect("answer");
    assert!(does(&third, Watch::Crash).is_err());
    eventually("it ends too", || !world.is_there("t"));
    assert!(matches!(trapper.exit(), Some(Exit::Crash(cause)) if cause.to_string().contains("third")));
}

#[test]
fn links_that_were_undone_end_nobody() {
    let world = World::new();
    let (one, other) = (watcher(&world, "one"), watcher(&world, "other"));
    for (from, to) in [(&one, &other), (&other, &one), (&one, &one)] {
        does(from, Watch::Link(to.handle())).expect("both live");
    }
    does(&other, Watch::Unlink(one.handle())).expect("answer");
    assert!(does(&one, Watch::Crash).is_err());
    eventually("gone", || !world.is_there("one"));
    assert!(does(&other, Watch::Nothing).is_ok());
    assert!(matches!(does(&other, Watch::Link(one.handle())), Err(Error::NotFound | Error::Stopped(_))));
}

#[test]
fn a_link_is_used_up_by_the_end_of_one_life() {
    let world = World::new();
    let other = watcher(&world, "other");
    let actor = world.spawn("one", Restart::Permanent, airssys_rt::Bounds::default());
    does(&other, Watch::Trap(true)).expect("answer");
    world.runtime.link(actor.handle(), other.handle()).expect("both live");
    crash(&actor);
    logged(&world, "other exit one crashed: boom");
    assert_eq!(echo(&actor, 1).expect("the second life"), 1_001);
    crash(&actor);
    assert_eq!(echo(&actor, 1).expect("the third life"), 2_001);
    does(&other, Watch::Nothing).expect("all signals come first");
    assert_eq!(count(&world, "other exit one crashed: boom"), 1);
}

#[test]
fn a_monitor_ends_with_the_life_that_made_it() {
    let world = World::new();
    let target = world.plain("t");
    let eye = watcher_as(&world, "eye", Restart::Permanent);
    for _ in 0..3 {
        does(&eye, Watch::Monitor(target.handle())).expect("room");
        assert!(matches!(does(&eye, Watch::Crash), Err(Error::Crashed(_))));
    }
    does(&eye, Watch::Nothing).expect("its fourth life");
    let down = world.runtime.down(target.handle()).expect("it lives");
    answer(target.stop(common::LONG)).expect("stops");
    answer(down).expect("those before it have been told");
    does(&eye, Watch::Nothing).expect("signals come before messages");
    assert_eq!(world.log.lines().iter().filter(|line| line.starts_with("eye")).count(), 0);
    let last = world.plain("u");
    does(&eye, Watch::Monitor(last.handle())).expect("room");
    answer(last.stop(common::LONG)).expect("stops");
    logged(&world, "eye down u shutdown");
}

#[test]
fn monitors_of_lives_that_are_over_make_room() {
    let world = World::new();
    let target = world.plain("t");
    for _ in 0..9_900 {
        world.runtime.monitor(target.handle(), Box::new(|_: Down| ())).expect("room");
    }
    let eye = watcher_as(&world, "eye", Restart::Permanent);
    for round in 0..200 {
        let monitor = does(&eye, Watch::Monitor(target.handle()));
        assert!(monitor.is_ok(), "{round}: {monitor:?}");
        assert!(matches!(does(&eye, Watch::Crash), Err(Error::Crashed(_))));
    }
}

#[test]
fn an_answer_that_was_made_of_another_gives_that_one_up() {
    let world = World::new();
    let target = world.plain("t");
    for _ in 0..20_000 {
        let down = world.runtime.down(target.handle()).expect("those before have given up");
        drop(down.map(|down: Result<Down, Error>| down.map(|down| down.restarting)));
    }
    let down = world.runtime.down(target.handle()).expect("there is room");
    let down = down.map(|down: Result<Down, Error>| down.map(|down| down.restarting));
    let twice = down.map(|restarting: Result<bool, Error>| restarting.map(|restarting| !restarting));
    answer(target.stop(common::LONG)).expect("stops");
    assert!(answer(twice).expect("one that is kept is answered"));
}
