//! The status of an actor is told at every moment, that of its end among them.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};

use airwasm::{ActorHandle, ActorSpec, ActorStatus, RequestOptions, Result, Started, System};

use super::{gated, idle, open};

fn stopped(status: Result<ActorStatus>, last_exit: &str) {
    let status = status.expect("told at every moment");
    assert_eq!((status.state.as_str(), status.last_exit.as_deref()), ("stopped", Some(last_exit)));
}

#[test]
fn whoever_is_told_of_an_end_reads_that_it_has_stopped() {
    let system = open();
    for (last_exit, end) in [("shutdown", stop as fn(&System, ActorHandle)), ("killed", kill)] {
        let actor = idle(&system, "a");
        let (tell, told) = channel();
        let inside = system.clone();
        let monitor = system.monitor_async(actor);
        let started = monitor.start(Box::new(move |_| tell.send(inside.status(actor)).expect("open")));
        assert!(matches!(started, Started::Pending(_)));
        end(&system, actor);
        stopped(told.recv().expect("told"), last_exit);
        stopped(system.status(actor), last_exit);
    }
}

fn stop(system: &System, actor: ActorHandle) {
    system.stop(actor, None).expect("stops");
}

fn kill(system: &System, actor: ActorHandle) {
    system.kill(actor).expect("lives");
}

#[test]
fn whoever_waited_for_an_answer_reads_that_it_has_stopped() {
    let system = open();
    let (handler, begun, leave) = gated();
    let actor = system.spawn_host(ActorSpec::host("a"), handler).expect("starts");
    let (tell, told) = channel();
    let inside = system.clone();
    let asked = system.request_async(actor, b"", &RequestOptions::default());
    let started = asked.start(Box::new(move |_| tell.send(inside.status(actor)).expect("open")));
    assert!(matches!(started, Started::Pending(_)));
    begun.recv().expect("it is being handled");
    system.kill(actor).expect("lives");
    leave.send(()).expect("it waits");
    stopped(told.recv().expect("told"), "killed");
}

/// Tells the status of its actor when it is dropped, which is in the midst of that actor's end.
struct LastWords {
    system: System,
    actor: Arc<OnceLock<ActorHandle>>,
    tell: Sender<Result<ActorStatus>>,
}

impl Drop for LastWords {
    fn drop(&mut self) {
        let actor = self.actor.get().expect("set before the end");
        self.tell.send(self.system.status(*actor)).expect("open");
    }
}

#[test]
fn what_a_handler_holds_is_dropped_when_its_actor_reads_as_stopped() {
    let system = open();
    for (last_exit, end) in [("shutdown", stop as fn(&System, ActorHandle)), ("killed", kill)] {
        let (tell, told) = channel();
        let number = Arc::new(OnceLock::new());
        let words = LastWords { system: system.clone(), actor: number.clone(), tell };
        let handler = move |_| {
            let _held = &words;
            Ok(Vec::new())
        };
        let actor = system.spawn_host(ActorSpec::host("a"), Box::new(handler)).expect("starts");
        number.set(actor).expect("once");
        end(&system, actor);
        stopped(told.recv().expect("told"), last_exit);
    }
}

#[test]
fn the_status_of_one_that_ends_is_never_an_error() {
    const ROUNDS: usize = 2_000;
    let system = open();
    for round in 0..ROUNDS {
        let actor = idle(&system, "a");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut ended = false;
                while !ended {
                    ended = over.load(SeqCst);
                    let state =
                        system.status(actor).unwrap_or_else(|why| panic!("round {round}: {why}")).state;
                    assert!(state == "stopped" || !ended, "{state} after its end");
                }
            });
            let end = system.monitor_async(actor);
            [stop, kill][round % 2](&system, actor);
            assert_eq!(end.wait().expect("ends").id, "default/a/0");
            over.store(true, SeqCst);
        });
    }
}
