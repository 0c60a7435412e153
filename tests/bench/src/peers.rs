//! The actor libraries behind one trait, so that a row is written once for all of them.

pub mod actix;
pub mod erlang;
pub mod kameo;
pub mod ours;
pub mod ractor;
pub mod tokio;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, mpsc};

use crate::tally::Tally;

/// What is sent, and answered: the same 64 bytes in every library.
pub type Value = [u8; 64];

/// The value that is sent everywhere.
pub const VALUE: Value = [7; 64];

/// Something to be run as a task or inside of an actor.
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An actor library with a number of workers, in the fastest form that it offers for each operation.
pub trait Peer: Send + Sync + Sized + 'static {
    /// What it is called in the results.
    const NAME: &'static str;
    /// A way to an actor that counts what it is sent.
    type Sink: Clone + Send + Sync + 'static;
    /// A way to an actor that answers with what it was asked.
    type Echo: Clone + Send + Sync + 'static;
    /// Where many sinks are reached at once.
    type Topic: Send + Sync + 'static;

    /// Starts its workers.
    fn open(workers: usize) -> Self;

    /// A new actor with an unbounded mailbox that counts, under this name if there is one.
    fn sink(&self, name: Option<String>, tally: Tally) -> Self::Sink;

    /// Sends one way.
    fn send(sink: &Self::Sink, value: Value);

    /// New sinks that subscribe to what is published.
    fn topic(&self, tallies: Vec<Tally>) -> Self::Topic;

    /// Sends to each subscriber.
    fn publish(topic: &Self::Topic, value: Value);

    /// A new actor that answers.
    fn echo(&self) -> Self::Echo;

    /// Asks, and awaits the answer.
    fn ask(echo: &Self::Echo, value: Value) -> impl Future<Output = Value> + Send;

    /// Asks from a thread outside of the library, and blocks until the answer.
    fn ask_blocking(&self, echo: &Self::Echo, value: Value) -> Value;

    /// Runs the job as a task, and waits for its end.
    fn task(&self, job: Job);

    /// Runs each job inside the message handler of a new actor, and waits for the end of all.
    fn actors(&self, jobs: Vec<Job>);

    /// Spawns an actor, under this name if there is one, stops it, and awaits that it is down. Awaited inside of an actor.
    fn spawn_stop(self: Arc<Self>, name: Option<String>) -> impl Future<Output = ()> + Send;
}

/// Runs the work as a job of this peer, and gives what came of it.
pub fn hand_over<T: Send + 'static>(
    run: impl FnOnce(Job),
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    let (give, take) = mpsc::channel();
    run(Box::pin(async move {
        // The receiver outlives the job, so that there is nothing to do about a failure.
        let _ = give.send(work.await);
    }));
    take.recv().expect("the job has ended")
}
