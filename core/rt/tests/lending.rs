//! A thread that blocks for an answer goes on with the actor that owes it, and loses nothing by that.

mod common;

use std::future::ready;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use airssys_rt::Caller::Waits;
use airssys_rt::{Actor, ActorRef, Child, Context, Error, Exit, Message, Pending, Runtime, Spec};
use common::{begun, eventually, id, runtime, soon};
use tokio::sync::Semaphore;

/// Who handles it at its end, after the gate or at once.
#[derive(Debug)]
enum Who {
    AfterTheGate,
    AtOnce,
}

impl Message for Who {
    type Reply = thread::ThreadId;
    type Error = Error;
}

struct Handler(Arc<Semaphore>);

impl Child for Handler {}

impl Actor for Handler {
    type Message = Who;

    async fn handle(&mut self, message: Who, context: &mut Context<'_, Who>) -> Result<(), Exit> {
        if let Who::AfterTheGate = message {
            self.0.acquire().await.expect("never closed").forget();
        }
        context.reply(Ok(thread::current().id()));
        Ok(())
    }
}

fn spawn(runtime: &Runtime, name: &str) -> (ActorRef<Who>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let own = gate.clone();
    let start = move || ready(Ok(Handler(own.clone())));
    let (actor, up) = runtime.spawn(Spec::new(id(name)), start).expect("a free name");
    up.wait().expect("starts");
    (actor, gate)
}

fn ask(actor: &ActorRef<Who>, message: Who) -> Pending<thread::ThreadId, Error> {
    actor.request(message, soon(), Waits)
}

#[test]
fn a_thread_that_blocks_goes_on_with_what_it_waits_for() {
    let (_io, runtime) = runtime(None);
    let (actor, gate) = spawn(&runtime, "handler");
    let (mut rounds, me) = (0, thread::current().id());
    // Whether it blocks already when the gate opens is the system's to say.
    eventually("its own thread", || {
        rounds += 1;
        let (actor, gate) = (actor.clone(), gate.clone());
        thread::scope(|scope| {
            let pending = ask(&actor, Who::AfterTheGate);
            scope.spawn(|| {
                begun(&actor, rounds);
                thread::yield_now();
                gate.add_permits(1);
            });
            pending.wait().expect("an answer") == me
        })
    });
    runtime.kill_all();
    runtime.end();
}

#[test]
fn who_stops_waiting_takes_nothing_along() {
    let (_io, runtime) = runtime(None);
    let (actor, gate) = spawn(&runtime, "handler");
    for round in 0..2_000 {
        let mut pending = ask(&actor, Who::AfterTheGate);
        thread::scope(|scope| {
            scope.spawn(|| gate.add_permits(1));
            let until = Instant::now() + std::time::Duration::from_micros(round % 50);
            let _ = pending.wait_until(Some(until));
        });
        drop(pending);
        ask(&actor, Who::AtOnce).wait().expect("it goes on");
    }
    runtime.kill_all();
    runtime.end();
}

#[test]
fn what_is_killed_while_a_thread_waits_for_it_ends() {
    let (_io, runtime) = runtime(None);
    for round in 0..200 {
        let (actor, gate) = spawn(&runtime, &format!("handler-{round}"));
        let pending = ask(&actor, Who::AfterTheGate);
        thread::scope(|scope| {
            scope.spawn(|| gate.add_permits(1));
            scope.spawn(|| actor.kill());
            let answer = pending.wait();
            assert!(matches!(answer, Ok(_) | Err(Error::Stopped(Exit::Killed))), "{answer:?}");
        });
        eventually("stopped", || actor.exit().is_some());
    }
    runtime.kill_all();
    runtime.end();
}
