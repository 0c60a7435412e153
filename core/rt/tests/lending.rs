//! A thread that blocks for an answer goes on with the actor that owes it, and loses nothing by that.

mod common;

use std::future::ready;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use airssys_rt::Caller::{Busy, Waits};
use airssys_rt::{Actor, ActorRef, Child, Context, Error, Executor, Exit, Message, Pending, Runtime, Spec};
use common::{begun, eventually, id, runtime, soon};
use tokio::sync::Semaphore;

/// Who handles it at its end, after the gate or at once.
#[derive(Debug)]
enum Who {
    AfterTheGate,
    AtOnce,
    /// Its thread blocks until this one has opened its gate.
    Blocking(Peer),
    /// After the answer of this one.
    After(Peer),
}

#[derive(Clone)]
struct Peer(ActorRef<Who>);

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.id())
    }
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
        let asked = match message {
            Who::AtOnce => Ok(thread::current().id()),
            Who::AfterTheGate => {
                self.0.acquire().await.expect("never closed").forget();
                Ok(thread::current().id())
            }
            Who::Blocking(peer) => ask(&peer.0, Who::AfterTheGate).wait(),
            Who::After(peer) => ask(&peer.0, Who::AtOnce).await,
        };
        context.reply(asked);
        Ok(())
    }
}

fn spawn(runtime: &Runtime, name: &str) -> (ActorRef<Who>, Arc<Semaphore>) {
    spawn_on(runtime, name, Executor::Any)
}

fn spawn_on(runtime: &Runtime, name: &str, executor: Executor) -> (ActorRef<Who>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let own = gate.clone();
    let start = move || ready(Ok(Handler(own.clone())));
    let (actor, up) = runtime.spawn(Spec { executor, ..Spec::new(id(name)) }, start).expect("a free name");
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

#[test]
fn only_what_is_waited_for_runs_on_the_thread_that_waits() {
    let (_io, runtime) = runtime(None);
    let (callback, _) = spawn_on(&runtime, "callback", Executor::Callback);
    let (lent, gate) = spawn(&runtime, "lent");
    for round in 0..500 {
        let blocked = callback.request(Who::Blocking(Peer(lent.clone())), soon(), Busy);
        begun(&lent, 2 * round + 1);
        // On the blocked thread this would be a circle, which it is not.
        let behind = lent.request(Who::After(Peer(callback.clone())), soon(), Busy);
        gate.add_permits(1);
        blocked.wait().expect("an answer");
        behind.wait().expect("an answer");
    }
    runtime.kill_all();
    runtime.end();
}

#[test]
fn what_is_stopped_while_it_is_lent_has_its_grace_and_no_more() {
    let (_io, runtime) = runtime(None);
    for round in 0..200 {
        let (actor, gate) = spawn(&runtime, &format!("handler-{round}"));
        let pending = ask(&actor, Who::AfterTheGate);
        thread::scope(|scope| {
            scope.spawn(|| gate.add_permits(usize::from(round % 2 == 0)));
            let stopped = scope.spawn(|| actor.stop(std::time::Duration::from_millis(1)).wait());
            let _ = pending.wait();
            stopped.join().expect("no panic").expect("it is down");
        });
    }
    runtime.kill_all();
    runtime.end();
}
