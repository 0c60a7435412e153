//! The actor runtime: mailboxes, activation, workers, restart. No operating system, no WebAssembly.
//!
//! An actor handles its messages one at a time, and is started again by its supervisor when it crashes. The workers of
//! the runtime poll it; a request to one that is idle and quick is handled on the thread that waits for the answer.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use airssys_rt::{
//!     Actor, ActorId, Caller, Child, ChildSpec, Config, Context, Error, Exit, Message, Restart, Runtime, Spec,
//!     SupervisorSpec,
//! };
//!
//! struct Add(u64);
//!
//! impl Message for Add {
//!     type Reply = u64;
//!     type Error = Error;
//! }
//!
//! #[derive(Default)]
//! struct Sum(u64);
//!
//! // Hooks for starts, stops and health checks; all have defaults.
//! impl Child for Sum {}
//!
//! impl Actor for Sum {
//!     type Message = Add;
//!
//!     async fn handle(&mut self, Add(number): Add, context: &mut Context<'_, Add>) -> Result<(), Exit> {
//!         let sum = self.0.checked_add(number);
//!         self.0 = sum.ok_or_else(|| Exit::Crash(Arc::new(std::io::Error::other("too much"))))?;
//!         context.reply(Ok(self.0));
//!         Ok(())
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Timers live on a tokio runtime of yours, which must outlast this one. No actor is polled there.
//!     let io = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
//!     let runtime = Runtime::start(Config {
//!         workers: 2,
//!         io: io.handle().clone(),
//!         on_tick: Box::new(|| ()),
//!         observer: None,
//!     })?;
//!
//!     let (sum, up) = runtime.spawn(Spec::new("sum".parse()?), || async { Ok(Sum::default()) })?;
//!     up.wait()?;
//!     assert_eq!(sum.request(Add(2), None, Caller::Waits).wait()?, 2);
//!
//!     let start = || async { Ok(Sum::default()) };
//!     let (left, right): (ActorId, ActorId) = ("left".parse()?, "right".parse()?);
//!     let spec = SupervisorSpec::new("sums".parse()?)
//!         .child(ChildSpec::actor(Spec::new(left.clone()), Restart::Permanent, start))
//!         .child(ChildSpec::actor(Spec::new(right), Restart::Transient, start));
//!     let (sums, up) = runtime.supervise(spec)?;
//!     up.wait()?;
//!
//!     let left = runtime.lookup::<Add>(&left).ok_or("it is up")?;
//!     left.send(Add(1)).map_err(|refused| refused.error)?;
//!     let crashed = left.request(Add(u64::MAX), None, Caller::Waits).wait();
//!     assert!(matches!(crashed, Err(Error::Crashed(_))));
//!     // The way to it stays valid: the request waits for the restart.
//!     assert_eq!(left.request(Add(3), None, Caller::Waits).wait()?, 3);
//!
//!     sums.stop(Duration::from_secs(5)).wait()?;
//!     Ok(())
//! }
//! ```
//!
//! Where to look on:
//!
//! - **Actors**: [`Actor`], its hooks [`Child`], what a handler may do [`Context`]; [`Stateless`] for a plain async
//!   function.
//! - **Messages**: [`ActorRef::send`], [`ActorRef::request`], [`ActorRef::send_after`], [`ActorRef::send_every`]; the
//!   duty to answer is a [`ReplyTo`]. A mailbox has [`Bounds`] and an [`Overflow`] rule.
//! - **Waits**: a [`Pending`] answer is awaited, blocked on, or delivered to a callback. In a circle it is
//!   [`Error::Cycle`].
//! - **Supervision**: [`SupervisorSpec`] with its [`Rules`], [`ChildSpec`], [`SupervisorRef`], [`Runtime::tree`]. It is
//!   as OTP's. [`Machine`] decides, a pure function of what it is told, with time and chance among that.
//! - **Ends**: [`Exit`], [`Shutdown`]; [`Health`] and [`ErrorRate`] end a life that is not well.
//! - **Watching**: [`Runtime::down`], [`Context::monitor`], [`Context::link`]; a [`Notice`] of whatever happens, for
//!   [`Config::observer`], and for the target `airssys_rt` of `tracing`.
//! - **Many at once**: [`Runtime::topics`], groups by [`Runtime::join`], [`Runtime::broadcast`].
//! - **Accounts**: [`Runtime::counts`], [`Status`], [`Runtime::read_dead_letters`].
//!
//! Actors are polled within the context of the tokio runtime though never on its threads: what it has, timers or
//! sockets, works in them. An actor that blocks its thread needs [`Executor::Callback`].

mod actor;
mod actor_ref;
mod bounds;
mod callbacks;
mod cell;
mod child;
mod context;
mod counts;
mod dead_letters;
mod deadlines;
mod ends;
#[cfg(all(test, not(feature = "loom")))]
mod ends_tests;
mod error;
mod errors;
mod exit;
mod foreign;
mod grace;
mod groups;
mod handle;
mod health;
mod id;
mod id_pattern;
mod life;
mod live;
mod mailbox;
#[cfg(all(test, feature = "loom"))]
mod mailbox_models;
#[cfg(all(test, not(feature = "loom")))]
mod mailbox_tests;
mod name_entries;
mod name_index;
#[cfg(all(test, feature = "loom"))]
mod name_models;
mod names;
mod node;
mod notice;
mod poller;
mod promise;
#[cfg(all(test, feature = "loom"))]
mod promise_models;
mod pubsub;
mod queue;
mod run_state;
#[cfg(all(test, feature = "loom"))]
mod run_state_models;
mod runtime;
mod shared;
mod slots;
mod spec;
mod stopping;
mod supervision;
mod supervisor;
mod supervisor_ref;
mod sync;
mod task;
mod ticker;
mod timer;
mod topic;
mod topic_snapshots;
mod topic_tree;
mod topics;
mod trace;
mod tree;
mod waits;
mod watch;

pub use actor::{Actor, Child, Message, ReplyTo, Stateless};
pub use actor_ref::ActorRef;
pub use bounds::{Bounds, Overflow};
pub use cell::Caller;
pub use child::{ChildSpec, SupervisorSpec, Told};
pub use context::Context;
pub use counts::Counts;
pub use dead_letters::DeadLetter;
pub use error::{Error, Refused};
pub use errors::ErrorRate;
pub use exit::{Abandoned, Cause, Exit, GaveUp, Linked, Panicked, TooManyErrors, Unhealthy};
pub use handle::Handle;
pub use id::{ActorId, InvalidId};
pub use id_pattern::IdPattern;
pub use node::{Shutdown, Status};
pub use notice::Notice;
pub use poller::{current, current_callback, is_inside, mark_inside};
pub use promise::{Broken, Canceller, Pending, Resolver, promise};
pub use pubsub::PubSub;
pub use runtime::{Config, Observer, Runtime, Spawned};
pub use spec::{Executor, Health, Spec};
pub use stopping::Stopped;
pub use supervision::{
    AutoShutdown, Backoff, ChildCounts, ChildKey, ChildRules, ChildState, Fate, GiveUp, Input, Intensity,
    InvalidRules, Machine, Output, Refusal, Restart, Rules, Strategy, Ticket, Token,
};
pub use supervisor_ref::{Asked, SupervisorRef};
pub use task::TaskHandle;
pub use ticker::Ticks;
pub use timer::Timer;
pub use topic::{InvalidTopic, Topic, TopicPattern};
pub use topics::SubscriptionId;
pub use tree::Branch;
pub use watch::{Down, MonitorId, Mourner, Signal};
