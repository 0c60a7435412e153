#![deny(unsafe_code)]
//! Secured operations of the operating system: every one passes a live [`CapabilitySet`] and leaves
//! an audit record. No actors, no WebAssembly.
//!
//! The order of a decision is the same everywhere: an [`Ask`] says exactly what somebody wants to do
//! now, a pure function finds the grant that covers it, one [`Record`], or one count, goes to the [`Audit`], and a
//! [`Guard`] stays with whatever was opened so that a revocation cuts work in flight, and a [`Permit`] counts it.

mod actor_pattern;
mod ask;
mod ask_parse;
mod ask_text;
mod audit;
mod ban;
mod bans;
mod capability;
mod covers;
mod cut;
mod denial;
mod descriptor;
mod endpoint;
mod error;
pub mod fs;
mod glob;
mod grant;
mod grants;
mod idempotent;
mod index;
mod name;
pub mod net;
mod object;
mod params;
mod parts;
mod path_pattern;
pub mod policy;
mod pool;
mod private_dir;
pub mod process;
mod protected;
mod resources;
mod retry;
mod scope;
mod sequence;
mod set;
mod size;
mod text;
mod transience;
mod ttl;

pub use ask::Ask;
pub use audit::{
    Anchor, Audit, AuditConfig, AuditCounts, BadLine, Clock, Decision, Decisions, Fault, Filter, Level,
    Moment, OnAnchor, OnFailure, OnFull, Operation, Phase, Record, Report, Running, Sink, UNLIMITED, redact,
    verify, verify_with,
};
pub use ban::Ban;
pub use capability::Capability;
pub use denial::{Denial, DenialKind};
pub use endpoint::{Endpoint, Protocol};
pub use error::CapabilityError;
pub use fs::{Entry, FileHandle, Files, FsError, Kind, Metadata, OpenOptions, SetTime};
pub use grant::Guard;
pub use idempotent::Idempotent;
pub use net::{
    Bound, Connecting, DnsResolver, FixedNames, HttpAddress, HttpRoute, Listener, NetError, NetLimits,
    Network, ReadyFd, Resolve, ResolveError, TcpStream, UdpSocket,
};
pub use object::Capabilities;
pub use pool::{Job, Pool, PoolError, PoolLimits};
pub use private_dir::{PrivateDir, PrivateFile};
pub use process::{
    Command, Output, Process, ProcessError, ProcessExit, ProcessLimits, ProcessSignal, Processes, Stdin,
};
pub use protected::Protected;
pub use resources::{
    Acquire, AcquireError, Exhausted, Permit, Resource, ResourceLimits, ResourceManager, Resources,
    SystemLimits, WAITING_MAX, Whose,
};
pub use retry::Retry;
pub use set::{CapabilitySet, GrantInfo};
pub use text::nearest;
pub use transience::Transience;
