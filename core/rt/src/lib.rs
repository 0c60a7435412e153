//! The actor runtime: mailboxes, activation, workers, restart. No operating system, no WebAssembly.
//!
//! An actor is a mailbox plus a run state. A push to an idle actor activates it: a worker polls its
//! future, or the caller that waits for the answer does so in place ([`ActorRef::request`]).

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
mod error;
mod errors;
mod exit;
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
mod slots;
mod spec;
mod supervision;
mod supervisor;
mod supervisor_ref;
mod sync;
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
pub use exit::{Cause, Exit, Linked, TooManyErrors, Unhealthy};
pub use handle::Handle;
pub use id::{ActorId, InvalidId};
pub use id_pattern::IdPattern;
pub use node::{Shutdown, Status};
pub use notice::Notice;
pub use poller::{current, current_callback, is_inside, mark_inside};
pub use promise::{Broken, Canceller, Pending, Resolver, promise};
pub use pubsub::PubSub;
pub use runtime::{Config, Observer, Runtime, Spawned, Stopped};
pub use spec::{Executor, Health, Spec};
pub use supervision::{
    AutoShutdown, Backoff, ChildCounts, ChildKey, ChildRules, ChildState, Fate, GiveUp, Input, Intensity,
    InvalidRules, Machine, Output, Refusal, Restart, Rules, Strategy, Ticket, Token,
};
pub use supervisor_ref::{Asked, SupervisorRef};
pub use ticker::Ticks;
pub use timer::Timer;
pub use topic::{InvalidTopic, Topic, TopicPattern};
pub use topics::SubscriptionId;
pub use tree::Branch;
pub use watch::{Down, MonitorId, Mourner, Signal};
