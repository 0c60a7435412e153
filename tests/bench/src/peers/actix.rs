//! actix: `do_send`, actors in turn on its arbiters, each of which is one thread.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use actix::{Actor, ActorContext, Addr, Arbiter, ArbiterHandle, Context, Handler, Message, MessageResult};
use actix::{ResponseFuture, System};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{Job, Peer, VALUE, Value};
use crate::peers::tokio::{runtime, with_ends};
use crate::tally::Tally;

/// A value that is only sent.
pub struct Tell(Value);

impl Message for Tell {
    type Result = ();
}

/// Counts what it is sent.
pub struct Counting(Tally);

impl Actor for Counting {
    type Context = Context<Self>;
}

impl Handler<Tell> for Counting {
    type Result = ();

    fn handle(&mut self, Tell(value): Tell, _: &mut Context<Self>) {
        self.0.handle(value);
    }
}

/// A value that is to be answered.
pub struct Ask(Value);

impl Message for Ask {
    type Result = Value;
}

/// Answers with what it was asked.
pub struct Echoing;

impl Actor for Echoing {
    type Context = Context<Self>;
}

impl Handler<Ask> for Echoing {
    type Result = MessageResult<Ask>;

    fn handle(&mut self, Ask(value): Ask, _: &mut Context<Self>) -> MessageResult<Ask> {
        MessageResult(value)
    }
}

struct Work(Job);

impl Message for Work {
    type Result = ();
}

struct Running;

impl Actor for Running {
    type Context = Context<Self>;
}

impl Handler<Work> for Running {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Work(job): Work, _: &mut Context<Self>) -> ResponseFuture<()> {
        job
    }
}

/// Stops at its first message; what it holds is dropped when it is down.
struct Stopping {
    _down: oneshot::Sender<()>,
}

impl Actor for Stopping {
    type Context = Context<Self>;
}

impl Handler<Tell> for Stopping {
    type Result = ();

    fn handle(&mut self, _: Tell, context: &mut Context<Self>) {
        context.stop();
    }
}

/// actix with so many arbiters.
pub struct Actix {
    arbiters: Vec<ArbiterHandle>,
    /// The arbiter of the next actor, by its number.
    next: AtomicUsize,
    system: System,
    thread: Option<JoinHandle<()>>,
    /// Where callers block that ask from outside.
    callers: Runtime,
}

impl Actix {
    fn arbiter(&self) -> &ArbiterHandle {
        &self.arbiters[self.next.fetch_add(1, Relaxed) % self.arbiters.len()]
    }
}

impl Peer for Actix {
    const NAME: &'static str = "actix";
    type Sink = Addr<Counting>;
    type Echo = Addr<Echoing>;
    type Topic = Vec<Self::Sink>;

    fn open(workers: usize) -> Self {
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runner = System::new();
            let others = (1..workers).map(|_| Arbiter::new().handle());
            let arbiters: Vec<_> =
                std::iter::once(System::current().arbiter().clone()).chain(others).collect();
            tell.send((System::current(), arbiters)).expect("the opener waits");
            runner.run().expect("runs until it is stopped");
        });
        let (system, arbiters) = told.recv().expect("starts");
        let callers = runtime(2);
        Self { arbiters, next: AtomicUsize::new(0), system, thread: Some(thread), callers }
    }

    fn sink(&self, _: Option<String>, tally: Tally) -> Self::Sink {
        Counting::start_in_arbiter(self.arbiter(), |_| Counting(tally))
    }

    fn send(sink: &Self::Sink, value: Value) {
        sink.do_send(Tell(value));
    }

    fn topic(&self, tallies: Vec<Tally>) -> Self::Topic {
        tallies.into_iter().map(|tally| self.sink(None, tally)).collect()
    }

    fn publish(topic: &Self::Topic, value: Value) {
        topic.iter().for_each(|sink| Self::send(sink, value));
    }

    fn echo(&self) -> Self::Echo {
        Echoing::start_in_arbiter(self.arbiter(), |_| Echoing)
    }

    async fn ask(echo: &Self::Echo, value: Value) -> Value {
        echo.send(Ask(value)).await.expect("it answers")
    }

    fn ask_blocking(&self, echo: &Self::Echo, value: Value) -> Value {
        self.callers.block_on(Self::ask(echo, value))
    }

    fn task(&self, job: Job) {
        let (jobs, ends) = with_ends(vec![job]);
        jobs.into_iter().for_each(|job| assert!(self.arbiter().spawn(job), "the arbiter lives"));
        self.callers.block_on(ends);
    }

    fn actors(&self, jobs: Vec<Job>) {
        let (jobs, ends) = with_ends(jobs);
        for job in jobs {
            Running::start_in_arbiter(self.arbiter(), |_| Running).do_send(Work(job));
        }
        self.callers.block_on(ends);
    }

    async fn spawn_stop(self: Arc<Self>, _: Option<String>) {
        let (down, is_down) = oneshot::channel();
        let actor = Stopping { _down: down }.start();
        actor.do_send(Tell(VALUE));
        // Dropped and never sent.
        let _ = is_down.await;
    }
}

impl Drop for Actix {
    fn drop(&mut self) {
        self.system.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
    }
}
