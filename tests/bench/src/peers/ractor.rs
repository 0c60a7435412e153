//! ractor: `cast` and an `RpcReplyPort`, without a time limit.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::runtime::Runtime;

use super::{Job, Peer, Value};
use crate::peers::tokio::{run_tasks, runtime, with_ends};
use crate::tally::Tally;

/// Counts what it is sent.
pub struct Counting;

impl Actor for Counting {
    type Msg = Value;
    type State = Tally;
    type Arguments = Tally;

    async fn pre_start(&self, _: ActorRef<Value>, tally: Tally) -> Result<Tally, ActorProcessingErr> {
        Ok(tally)
    }

    async fn handle(
        &self,
        _: ActorRef<Value>,
        value: Value,
        tally: &mut Tally,
    ) -> Result<(), ActorProcessingErr> {
        tally.handle(value);
        Ok(())
    }
}

/// A request on its way.
pub struct Ask(Value, RpcReplyPort<Value>);

/// Answers with what it was asked.
pub struct Echoing;

impl Actor for Echoing {
    type Msg = Ask;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Ask>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Ask>,
        Ask(value, reply): Ask,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        // A caller that is gone needs no answer.
        let _ = reply.send(value);
        Ok(())
    }
}

/// Something to run inside of an actor.
struct Work(Job);

struct Running;

impl Actor for Running {
    type Msg = Work;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Work>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Work>,
        Work(job): Work,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        job.await;
        myself.stop(None);
        Ok(())
    }
}

/// ractor on a tokio runtime.
pub struct Ractor(Runtime);

impl Peer for Ractor {
    const NAME: &'static str = "ractor";
    type Sink = ActorRef<Value>;
    type Echo = ActorRef<Ask>;
    type Topic = Vec<Self::Sink>;

    fn open(workers: usize) -> Self {
        Self(runtime(workers))
    }

    fn sink(&self, name: Option<String>, tally: Tally) -> Self::Sink {
        self.0.block_on(Actor::spawn(name, Counting, tally)).expect("starts").0
    }

    fn send(sink: &Self::Sink, value: Value) {
        sink.cast(value).expect("it lives");
    }

    fn topic(&self, tallies: Vec<Tally>) -> Self::Topic {
        tallies.into_iter().map(|tally| self.sink(None, tally)).collect()
    }

    fn publish(topic: &Self::Topic, value: Value) {
        topic.iter().for_each(|sink| Self::send(sink, value));
    }

    fn echo(&self) -> Self::Echo {
        self.0.block_on(Actor::spawn(None, Echoing, ())).expect("starts").0
    }

    async fn ask(echo: &Self::Echo, value: Value) -> Value {
        let answer = echo.call(|reply| Ask(value, reply), None).await;
        answer.expect("it lives").expect("it answers")
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
            for job in jobs {
                let (worker, _) = Actor::spawn(None, Running, ()).await.expect("starts");
                worker.cast(Work(job)).expect("it lives");
            }
            ends.await;
        });
    }

    async fn spawn_stop(self: Arc<Self>, name: Option<String>) {
        let (actor, task) = Actor::spawn(name, Echoing, ()).await.expect("starts");
        actor.stop(None);
        task.await.expect("no panic");
    }
}
