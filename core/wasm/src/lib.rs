//! WebAssembly components as supervised actors with permissions that can be taken back.
//!
//! [`System`] is the whole API: open one, load a component, spawn an actor, send it messages, grant it what it
//! needs and no more.

#![deny(unsafe_code)]

mod component;
mod engine;
mod fork;
mod host;
pub mod system;
pub mod types;

pub use engine::compile_helper;
pub use system::{
    Asker, ChildSpec, Completion, DeferredHandler, Events, HostExecutor, HostHandler, Operation, Reply,
    Started, SupervisorSpec, System,
};
pub use types::config::{AuditOptions, CompileHelper, Config, NetworkOptions};
pub use types::error::{Code, Error, Result};
pub use types::event::Event;
pub use types::handle::{
    ActorHandle, ComponentHandle, GrantHandle, RequestHandle, SubscriptionHandle, TimerHandle,
};
pub use types::info::{ActorStatus, CloseReport, ComponentInfo, GrantInfo, RegionInfo, Stats};
pub use types::kv::KvKeys;
pub use types::limits::{Budget, Limits, UNLIMITED};
pub use types::message::{Message, RequestOptions, SendOptions};
pub use types::policy::{AuditReport, Explanation, PolicyReport};
pub use types::spec::{ActorSpec, Overflow, Restart};
pub use types::supervisor::{AutoShutdown, Backoff, DeadLetter, Down, GiveUp, Strategy, TreeNode};
