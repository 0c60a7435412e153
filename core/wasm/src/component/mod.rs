//! From a file to running actors: load, inspect, link by grant, and the actor over an instance.

mod guest;
mod host_actor;
mod load;
mod missing;
mod nearest;
mod progress;
mod served;
mod service;
mod wit;
mod wit_text;

pub(crate) use self::guest::{Blueprint, Guest};
pub use self::host_actor::Reply;
pub(crate) use self::host_actor::{HostActor, SharedHandler};
pub(crate) use self::load::{Loaded, read};
pub(crate) use self::progress::Progress;
pub(crate) use self::service::{Charter, Service, Trade};
