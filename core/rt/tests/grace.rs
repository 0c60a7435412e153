//! The time that a stop gives, to one that has nothing else to do when it is told.

mod common;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use airssys_rt::{Actor, ActorRef, Child, Context, Error, Exit, Message, Spec};
use common::{World, answer, id};

const AT_ONCE: Duration = Duration::from_millis(1);
const NEVER: Duration = Duration::from_secs(3_600);

struct Nothing;

impl Message for Nothing {
    type Reply = ();
    type Error = Error;
}

/// What keeps the actor from stopping.
#[derive(Clone)]
enum Keeps {
    ItsWait,
    ItsThread(Arc<Mutex<mpsc::Receiver<()>>>),
}

struct Stubborn {
    keeps: Keeps,
    stops: mpsc::Sender<()>,
}

impl Child for Stubborn {
    async fn pre_stop(&mut self, _: &Exit) {
        self.stops.send(()).expect("the test listens");
        match &self.keeps {
            Keeps::ItsWait => std::future::pending().await,
            // An error is the sign.
            Keeps::ItsThread(held) => drop(held.lock().expect("test lock").recv()),
        }
    }
}

impl Actor for Stubborn {
    type Message = Nothing;

    async fn handle(&mut self, _: Nothing, _: &mut Context<'_, Nothing>) -> Result<(), Exit> {
        Ok(())
    }
}

/// One that is up, and a sign when it begins to stop.
fn stubborn(world: &World, keeps: &Keeps) -> (ActorRef<Nothing>, mpsc::Receiver<()>) {
    let (stops, stopping) = mpsc::channel();
    let keeps = keeps.clone();
    let start = move || std::future::ready(Ok(Stubborn { keeps: keeps.clone(), stops: stops.clone() }));
    let (actor, up) = world.runtime.spawn(Spec::new(id("one")), start).expect("free");
    answer(up).expect("starts");
    (actor, stopping)
}

#[test]
fn hostile_h7_one_that_waits_in_its_stop_hook_is_killed_when_its_time_is_over() {
    let world = World::new();
    let (actor, _stopping) = stubborn(&world, &Keeps::ItsWait);
    answer(actor.stop(AT_ONCE)).expect("it is down");
    assert!(matches!(actor.exit(), Some(Exit::Killed)));
}

#[test]
fn hostile_h7_one_that_keeps_its_worker_in_its_stop_hook_is_abandoned_when_its_time_is_over() {
    let world = World::new();
    let (release, held) = mpsc::channel();
    let (actor, _stopping) = stubborn(&world, &Keeps::ItsThread(Arc::new(Mutex::new(held))));
    answer(actor.stop(AT_ONCE)).expect("it is down for all others");
    assert!(matches!(actor.exit(), Some(Exit::Killed)));
    assert!(world.runtime.find(&id("one")).is_none(), "its name is free");
    drop(release);
}

#[test]
fn of_two_stops_the_one_that_gives_less_time_counts() {
    let world = World::new();
    for graces in [[AT_ONCE, NEVER], [NEVER, AT_ONCE]] {
        let (actor, stopping) = stubborn(&world, &Keeps::ItsWait);
        let first = actor.stop(graces[0]);
        stopping.recv_timeout(common::LONG).expect("it stops");
        let second = actor.stop(graces[1]);
        answer(first).expect("it is down");
        answer(second).expect("it is down");
        assert!(matches!(actor.exit(), Some(Exit::Killed)));
    }
}

#[test]
fn a_stop_whose_time_cannot_be_told_has_no_end() {
    let world = World::new();
    let (actor, stopping) = stubborn(&world, &Keeps::ItsWait);
    let stopped = actor.stop(Duration::MAX);
    stopping.recv_timeout(common::LONG).expect("it stops");
    actor.kill();
    answer(stopped).expect("it is down");
}
