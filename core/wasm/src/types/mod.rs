//! Plain data that crosses the API boundary: ids, errors, messages, specs, limits, events.

pub mod config;
pub(crate) mod cpu_share;
pub mod error;
pub mod event;
pub(crate) mod exchange;
pub mod handle;
pub mod info;
pub mod kv;
pub(crate) mod letter;
pub mod limits;
pub mod message;
pub mod policy;
pub mod spec;
pub mod supervisor;
pub(crate) mod tab;
