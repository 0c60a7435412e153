//! Raw tokio: a task as the actor, an unbounded channel as its mailbox, a oneshot as the way back.

use std::sync::{Arc, LazyLock};

use dashmap::DashMap;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{Job, Peer, Value};
use crate::tally::Tally;

/// A registry as one would write it by hand.
static NAMES: LazyLock<DashMap<String, mpsc::UnboundedSender<Value>>> = LazyLock::new(DashMap::new);

/// Deeper than what is ever published at once.
const BROADCAST_VALUES_MAX: usize = 1_024;

/// tokio's own scheduler: a current-thread runtime is its fastest with one worker.
pub fn runtime(workers: usize) -> Runtime {
    let mut builder = match workers {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(workers).enable_time().build().expect("threads")
}

/// Runs all jobs as tasks of this runtime, and waits for them.
pub fn run_tasks(runtime: &Runtime, jobs: Vec<Job>) {
    runtime.block_on(async {
        let tasks: Vec<_> = jobs.into_iter().map(tokio::spawn).collect();
        for task in tasks {
            task.await.expect("no panic");
        }
    });
}

/// The same jobs, and something that is done when all of them have ended.
pub fn with_ends(jobs: Vec<Job>) -> (Vec<Job>, impl Future<Output = ()>) {
    let (over, mut ends) = mpsc::channel::<()>(1);
    let wrap = |job: Job| -> Job {
        let over = over.clone();
        Box::pin(async move {
            job.await;
            drop(over);
        })
    };
    (jobs.into_iter().map(wrap).collect(), async move {
        ends.recv().await;
    })
}

/// Raw tokio.
pub struct Tokio(Runtime);

/// A request on its way.
pub struct Ask(Value, oneshot::Sender<Value>);

impl Peer for Tokio {
    const NAME: &'static str = "tokio";
    type Sink = mpsc::UnboundedSender<Value>;
    type Echo = mpsc::UnboundedSender<Ask>;
    type Topic = Vec<Self::Sink>;

    fn open(workers: usize) -> Self {
        Self(runtime(workers))
    }

    fn sink(&self, name: Option<String>, mut tally: Tally) -> Self::Sink {
        let (sender, mut mailbox) = mpsc::unbounded_channel();
        self.0.spawn(async move {
            while let Some(value) = mailbox.recv().await {
                tally.handle(value);
            }
        });
        if let Some(name) = name {
            NAMES.insert(name, sender.clone());
        }
        sender
    }

    fn send(sink: &Self::Sink, value: Value) {
        sink.send(value).expect("it lives");
    }

    fn topic(&self, tallies: Vec<Tally>) -> Self::Topic {
        tallies.into_iter().map(|tally| self.sink(None, tally)).collect()
    }

    fn publish(topic: &Self::Topic, value: Value) {
        topic.iter().for_each(|sink| Self::send(sink, value));
    }

    fn echo(&self) -> Self::Echo {
        let (sender, mut mailbox) = mpsc::unbounded_channel();
        self.0.spawn(async move {
            while let Some(Ask(value, reply)) = mailbox.recv().await {
                // A caller that is gone needs no answer.
                let _ = reply.send(value);
            }
        });
        sender
    }

    async fn ask(echo: &Self::Echo, value: Value) -> Value {
        let (reply, answer) = oneshot::channel();
        // An actor that is gone drops the way back, which the next line sees.
        let _ = echo.send(Ask(value, reply));
        answer.await.expect("it answers")
    }

    fn ask_blocking(&self, echo: &Self::Echo, value: Value) -> Value {
        self.0.block_on(Self::ask(echo, value))
    }

    fn task(&self, job: Job) {
        run_tasks(&self.0, vec![job]);
    }

    fn actors(&self, jobs: Vec<Job>) {
        run_tasks(&self.0, jobs);
    }

    async fn spawn_stop(self: Arc<Self>, name: Option<String>) {
        let (sender, mut mailbox) = mpsc::unbounded_channel::<Value>();
        let task = tokio::spawn(async move { while mailbox.recv().await.is_some() {} });
        match name {
            Some(name) => {
                NAMES.insert(name.clone(), sender);
                NAMES.remove(&name);
            }
            None => drop(sender),
        }
        task.await.expect("no panic");
    }
}

/// The same with tokio's broadcast channel in the place of many channels.
pub struct Broadcast(Tokio);

impl Broadcast {
    /// Starts the workers.
    pub fn open(workers: usize) -> Self {
        Self(Tokio::open(workers))
    }

    /// Tasks that count what is published.
    pub fn topic(&self, tallies: Vec<Tally>) -> broadcast::Sender<Value> {
        let (sender, _) = broadcast::channel(BROADCAST_VALUES_MAX);
        for mut tally in tallies {
            let mut mailbox = sender.subscribe();
            self.0.0.spawn(async move {
                while let Ok(value) = mailbox.recv().await {
                    tally.handle(value);
                }
            });
        }
        sender
    }

    /// Runs the job as a task.
    pub fn task(&self, job: Job) {
        self.0.task(job);
    }
}
