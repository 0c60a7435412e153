//! kameo: `spawn_with_mailbox` of an unbounded mailbox, `tell(..).try_send()` and `ask(..).send()`.

use std::convert::Infallible;
use std::sync::Arc;

use kameo::Actor;
use kameo::actor::{ActorRef, Spawn};
use kameo::mailbox::unbounded;
use kameo::message::{Context, Message};
use tokio::runtime::Runtime;

use super::{Job, Peer, Value};
use crate::peers::tokio::{run_tasks, runtime, with_ends};
use crate::tally::Tally;

/// The actor of all rows, with what it needs for one of them.
pub struct Worker<T>(T);

impl<T: Send + 'static> Actor for Worker<T> {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(worker: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(worker)
    }
}

impl Message<Value> for Worker<Tally> {
    type Reply = ();

    async fn handle(&mut self, value: Value, _: &mut Context<Self, ()>) {
        self.0.handle(value);
    }
}

/// Answers with what it was asked.
pub struct Echoing;

impl Message<Value> for Worker<Echoing> {
    type Reply = Value;

    async fn handle(&mut self, value: Value, _: &mut Context<Self, Value>) -> Value {
        value
    }
}

struct Running;

impl Message<Job> for Worker<Running> {
    type Reply = ();

    async fn handle(&mut self, job: Job, _: &mut Context<Self, ()>) {
        job.await;
    }
}

fn spawn<T: Send + 'static>(state: T) -> ActorRef<Worker<T>> {
    Worker::spawn_with_mailbox(Worker(state), unbounded())
}

/// kameo on a tokio runtime.
pub struct Kameo(Runtime);

impl Peer for Kameo {
    const NAME: &'static str = "kameo";
    type Sink = ActorRef<Worker<Tally>>;
    type Echo = ActorRef<Worker<Echoing>>;
    type Topic = Vec<Self::Sink>;

    fn open(workers: usize) -> Self {
        Self(runtime(workers))
    }

    fn sink(&self, name: Option<String>, tally: Tally) -> Self::Sink {
        let _runtime = self.0.enter();
        let sink = spawn(tally);
        if let Some(name) = name {
            sink.register(name).expect("a free name");
        }
        sink
    }

    fn send(sink: &Self::Sink, value: Value) {
        sink.tell(value).try_send().expect("it lives");
    }

    fn topic(&self, tallies: Vec<Tally>) -> Self::Topic {
        tallies.into_iter().map(|tally| self.sink(None, tally)).collect()
    }

    fn publish(topic: &Self::Topic, value: Value) {
        topic.iter().for_each(|sink| Self::send(sink, value));
    }

    fn echo(&self) -> Self::Echo {
        let _runtime = self.0.enter();
        spawn(Echoing)
    }

    async fn ask(echo: &Self::Echo, value: Value) -> Value {
        echo.ask(value).send().await.expect("it answers")
    }

    fn ask_blocking(&self, echo: &Self::Echo, value: Value) -> Value {
        self.0.block_on(Self::ask(echo, value))
    }

    fn task(&self, job: Job) {
        run_tasks(&self.0, vec![job]);
    }

    fn actors(&self, jobs: Vec<Job>) {
        self.0.block_on(async {
            let (jobs, ends) = with_ends(jobs);
            jobs.into_iter().for_each(|job| spawn(Running).tell(job).try_send().expect("it lives"));
            ends.await;
        });
    }

    async fn spawn_stop(self: Arc<Self>, name: Option<String>) {
        let actor = spawn(Echoing);
        if let Some(name) = name {
            actor.register(name).expect("a free name");
        }
        actor.stop_gracefully().await.expect("it lives");
        actor.wait_for_shutdown().await;
    }
}
