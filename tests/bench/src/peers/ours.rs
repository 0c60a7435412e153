//! airssys-rt: everything that the rows want of it, here and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use airssys_rt::{
    Actor, ActorId, ActorRef, Bounds, Caller, Cause, Child, Config, Context, Error, Exit, Handle, Message,
    PubSub, Runtime, Spec, Topic,
};

use super::{Job, Peer, Value};
use crate::peers::tokio::{run_tasks, runtime, with_ends};
use crate::tally::Tally;

const UNBOUNDED: Bounds = Bounds { messages_max: u64::MAX, bytes_max: u64::MAX, message_bytes_max: u64::MAX };
/// How a task asks: it runs on an event loop that others share.
const TASK: Caller = Caller::Loop;
const GRACE: Duration = Duration::from_secs(60);

/// A value that is only sent.
#[derive(Clone)]
pub struct Tell(Value);

impl Message for Tell {
    type Reply = ();
    type Error = Error;
}

struct Counting(Tally);

impl Child for Counting {}

impl Actor for Counting {
    type Message = Tell;

    async fn handle(&mut self, Tell(value): Tell, _: &mut Context<'_, Tell>) -> Result<(), Exit> {
        self.0.handle(value);
        Ok(())
    }
}

/// A value that is to be answered.
pub struct Ask(Value);

impl Message for Ask {
    type Reply = Value;
    type Error = Error;
}

#[derive(Clone, Copy)]
struct Echoing;

impl Child for Echoing {}

impl Actor for Echoing {
    type Message = Ask;

    async fn handle(&mut self, Ask(value): Ask, context: &mut Context<'_, Ask>) -> Result<(), Exit> {
        context.reply(Ok(value));
        Ok(())
    }
}

struct Work(Job);

impl Message for Work {
    type Reply = ();
    type Error = Error;
}

struct Running;

impl Child for Running {}

impl Actor for Running {
    type Message = Work;

    async fn handle(&mut self, Work(job): Work, _: &mut Context<'_, Work>) -> Result<(), Exit> {
        job.await;
        Ok(())
    }
}

/// airssys-rt, with a tokio runtime for its timers and one for callers.
pub struct Ours {
    runtime: Runtime,
    /// Where callers are that ask from a task.
    callers: tokio::runtime::Runtime,
    _io: tokio::runtime::Runtime,
    /// Actors that `spawn_stop` has seen started.
    lives: AtomicU64,
    topics: AtomicU64,
}

impl Ours {
    fn spawn<A: Actor>(
        &self,
        name: Option<&str>,
        start: impl Fn() -> A + Send + Sync + 'static,
    ) -> ActorRef<A::Message> {
        let spec = Spec { bounds: UNBOUNDED, ..Self::spec(name) };
        let start = move || std::future::ready(Ok::<_, Cause>(start()));
        let spawned = self.runtime.spawn(spec, start);
        // The answer that it is up is not waited for: its mailbox takes messages from the beginning.
        spawned.unwrap_or_else(|error| panic!("not spawned: {error}")).0
    }

    fn spec(name: Option<&str>) -> Spec {
        name.map_or_else(Spec::unnamed, |name| Spec::new(id(name)))
    }

    /// Asks an actor that has to answer from its queue, never in place.
    pub async fn ask_queued(echo: &ActorRef<Ask>, value: Value) -> Value {
        echo.request(Ask(value), None, Caller::Busy).await.expect("it answers")
    }

    /// The number of the live actor of this name.
    pub fn lookup(&self, id: &ActorId) -> Option<Handle> {
        self.runtime.find(id)
    }

    /// Spawns an actor, has it answer, stops it, and awaits that it is down.
    pub async fn life(self: Arc<Self>, value: Value) -> Value {
        let actor = self.spawn(None, || Echoing);
        let answer = Self::ask(&actor, value).await;
        actor.stop(GRACE).await.expect("stops");
        answer
    }

    /// A way to the actor of this number.
    pub fn actor(&self, handle: Handle) -> Option<ActorRef<Tell>> {
        self.runtime.actor(handle)
    }

    /// Stops all of these, and waits until they are down.
    pub fn stop(&self, sinks: Vec<ActorRef<Tell>>) {
        let stops: Vec<_> = sinks.iter().map(|sink| sink.stop(GRACE)).collect();
        stops.into_iter().for_each(|stop| stop.wait().expect("stops"));
    }
}

/// The address that this name stands for.
pub fn id(name: &str) -> ActorId {
    name.parse().expect("a valid name")
}

impl Peer for Ours {
    const NAME: &'static str = "ours";
    type Sink = ActorRef<Tell>;
    type Echo = ActorRef<Ask>;
    type Topic = (Arc<PubSub<Tell>>, Topic);

    fn open(workers: usize) -> Self {
        let io =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("io");
        let config = Config { workers, io: io.handle().clone(), on_tick: Box::new(|| ()), observer: None };
        let ours = Runtime::start(config).expect("threads");
        Self {
            runtime: ours,
            callers: runtime(workers),
            _io: io,
            lives: AtomicU64::new(0),
            topics: AtomicU64::new(0),
        }
    }

    fn sink(&self, name: Option<String>, tally: Tally) -> Self::Sink {
        self.spawn(name.as_deref(), move || Counting(tally.clone()))
    }

    fn send(sink: &Self::Sink, value: Value) {
        assert!(sink.send(Tell(value)).is_ok(), "it lives and takes any number");
    }

    fn topic(&self, tallies: Vec<Tally>) -> Self::Topic {
        let topics = self.runtime.topics::<Tell>();
        let number = self.topics.fetch_add(1, Relaxed);
        let topic: Topic = format!("bench.{number}").parse().expect("a topic");
        for tally in tallies {
            let pattern = topic.as_str().parse().expect("a pattern");
            topics.subscribe(pattern, &self.sink(None, tally)).expect("there is room");
        }
        (topics, topic)
    }

    fn publish(topic: &Self::Topic, value: Value) {
        topic.0.publish(&topic.1, &Tell(value));
    }

    fn echo(&self) -> Self::Echo {
        self.spawn(None, || Echoing)
    }

    async fn ask(echo: &Self::Echo, value: Value) -> Value {
        echo.request(Ask(value), None, TASK).await.expect("it answers")
    }

    fn ask_blocking(&self, echo: &Self::Echo, value: Value) -> Value {
        echo.request(Ask(value), None, Caller::Waits).wait().expect("it answers")
    }

    fn task(&self, job: Job) {
        run_tasks(&self.callers, vec![job]);
    }

    fn actors(&self, jobs: Vec<Job>) {
        let (jobs, ends) = with_ends(jobs);
        for job in jobs {
            let sent = self.spawn(None, || Running).send(Work(job));
            sent.unwrap_or_else(|refused| panic!("not sent: {}", refused.error));
        }
        self.callers.block_on(ends);
    }

    async fn spawn_stop(self: Arc<Self>, name: Option<String>) {
        let lives = self.lives.load(Relaxed);
        let counting = self.clone();
        let actor = self.spawn(name.as_deref(), move || {
            counting.lives.fetch_add(1, Relaxed);
            Echoing
        });
        actor.stop(GRACE).await.expect("stops");
        assert!(self.lives.load(Relaxed) > lives, "it was stopped before it was started");
    }
}
