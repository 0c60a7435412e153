//! The ends of lives, where somebody else looks at the actor at the same moment.

use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

use crate::node::{Node, Overdue};
use crate::queue::Runnable;
use crate::sync::lock;
use crate::{
    Actor, ActorRef, Asked, Caller, Child, Config, Context, Error, Exit, Message, Notice, Observer, Restart,
    Rules, Runtime, Spec,
};

const LONG: Duration = Duration::from_secs(60);

struct Ping;

impl Message for Ping {
    type Reply = ();
    type Error = Error;
}

/// Tells when it is dropped.
struct Quiet(#[allow(dead_code, reason = "held")] mpsc::Sender<()>);

impl Child for Quiet {}

impl Actor for Quiet {
    type Message = Ping;

    async fn handle(&mut self, _: Ping, context: &mut Context<'_, Ping>) -> Result<(), Exit> {
        context.reply(Ok(()));
        Ok(())
    }
}

fn runtime(observer: Option<Observer>) -> (tokio::runtime::Runtime, Runtime) {
    let io = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
    let io = io.expect("a thread");
    let config = Config { workers: 2, io: io.handle().clone(), on_tick: Box::new(|| ()), observer };
    (io, Runtime::start(config).expect("threads"))
}

fn come<T: Send + 'static>(mut asked: Asked<T>) -> T {
    asked.wait_until(Some(Instant::now() + LONG)).expect("it does not hang").expect("no error")
}

fn quiet(runtime: &Runtime, spec: Spec, restart: Restart) -> (ActorRef<Ping>, mpsc::Receiver<()>) {
    let (sender, dropped) = mpsc::channel();
    let sender = Mutex::new(Some(sender));
    let start = move || {
        let sender = lock(&sender).take().expect("one life");
        std::future::ready(Ok(Quiet(sender)))
    };
    let (actor, up) = runtime.spawn_restarted(spec, restart, Rules::default(), start).expect("free");
    come(up);
    (actor, dropped)
}

#[test]
fn a_time_that_is_over_ends_only_the_life_that_it_was_for() {
    let (_io, runtime) = runtime(None);
    let (actor, _held) = quiet(&runtime, Spec::unnamed(), Restart::Permanent);
    let (supervisor, _) = actor.0.core.supervisor().expect("it is permanent");
    Arc::new(Overdue(actor.0.clone())).run();
    Arc::new(Overdue(supervisor.clone())).run();
    come(actor.request(Ping, None, Caller::Waits));
    assert_eq!((actor.status().state, supervisor.status().state), ("running", "running"));
}

#[test]
fn a_life_that_ended_is_dropped_whoever_looks_at_it_meanwhile() {
    let (looks, looking) = mpsc::channel();
    let actor: Arc<OnceLock<ActorRef<Ping>>> = Arc::default();
    let ended = actor.clone();
    let (_io, runtime) = runtime(Some(Box::new(move |notice| {
        if let (Notice::Stopped { .. }, Some(actor)) = (notice, ended.get()) {
            // The thread that looks has it locked when the notice returns.
            let (locked, is_locked) = mpsc::channel();
            looks.send((actor.clone(), locked)).expect("the test listens");
            is_locked.recv().expect("it is locked");
        }
    })));
    let (made, dropped) = quiet(&runtime, Spec::unnamed(), Restart::Permanent);
    assert!(actor.set(made.clone()).is_ok());
    made.kill();
    let (actor, locked) = looking.recv_timeout(LONG).expect("it ends");
    let look = lock(&actor.0.task);
    locked.send(()).expect("the observer listens");
    // Time enough to go past it.
    (0..10_000).for_each(|_| std::thread::yield_now());
    drop(look);
    assert_eq!(dropped.recv_timeout(LONG), Err(mpsc::RecvTimeoutError::Disconnected));
}
