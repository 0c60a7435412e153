//! The actor runtime: mailboxes, activation, workers, restart. No operating system, no WebAssembly.
//!
//! An actor is a mailbox plus a run state. A push to an idle actor activates it: a worker polls its
//! future, or the caller that waits for the answer does so in place ([`ActorRef::request`]).

mod actor;
mod actor_ref;
mod callbacks;
mod cell;
mod error;
mod exit;
mod id;
mod life;
mod mailbox;
mod promise;
mod queue;
mod run_state;
mod runtime;
mod supervision;
#[allow(dead_code, unused_imports, reason = "in use once the modules below it are")]
mod sync;
mod ticker;

pub use actor::{Actor, Message, ReplyTo};
pub use actor_ref::ActorRef;
pub use cell::{Caller, Status, current_callback, is_inside, mark_inside};
pub use error::{Error, Refused};
pub use exit::{Cause, Exit};
pub use id::{ActorId, InvalidId};
pub use mailbox::{Bounds, Counts};
pub use promise::{Broken, Canceller, Pending, Resolver, promise};
pub use runtime::{Config, Executor, Notice, Runtime, Spawned, Spec};
pub use supervision::{Backoff, Decision, History, Intensity, Restart, decide};
pub use ticker::Ticks;
