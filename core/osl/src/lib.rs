#![deny(unsafe_code)]
// What only files, network and programs use of the rest.
#![cfg_attr(not(unix), allow(dead_code))]
//! Secured operations of the operating system: every one passes a live [`CapabilitySet`] and leaves
//! an audit record. No actors, no WebAssembly.
//!
//! The order of a decision is the same everywhere: an [`Ask`] says exactly what somebody wants to do
//! now, a pure function finds the grant that covers it, one [`Record`], or one count, goes to the [`Audit`], and a
//! [`Guard`] stays with whatever was opened so that a revocation cuts work in flight, and a [`Permit`] counts it.
//!
//! Files, network and programs are there on Unix only; Linux is what is tested, macOS and FreeBSD are compiled. On
//! Windows the rest is compiled and untested: a grant of `fs.*`, `net.*`, `http` or `process.run` is refused, so its odd
//! names (`CON`, `a.txt::$DATA`, `PROGRA~1`) meet no file. There a policy is not asked who may write it, the audit's
//! files get the rights of their folder, and nobody else can read its log while it is open.

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
#[cfg(unix)]
mod descriptor;
mod endpoint;
mod error;
#[cfg(unix)]
pub mod fs;
#[cfg(not(unix))]
#[path = "fs/unsupported.rs"]
mod fs;
mod glob;
mod grant;
mod grants;
#[cfg(unix)]
mod idempotent;
mod index;
#[cfg(all(unix, feature = "kv"))]
pub mod kv;
mod lineage;
mod name;
#[cfg(unix)]
pub mod net;
mod object;
mod opened;
mod params;
mod parts;
mod path_pattern;
pub mod policy;
mod pool;
#[cfg(unix)]
mod private_dir;
#[cfg(unix)]
pub mod process;
#[cfg_attr(not(unix), path = "protected_portable.rs")]
mod protected;
mod resources;
#[cfg(unix)]
mod retry;
mod scope;
mod sequence;
mod set;
mod size;
mod text;
mod thread_time;
#[cfg(unix)]
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
pub use grant::Guard;
pub use lineage::{HandOnError, Part, Told};
pub use object::Capabilities;
pub use opened::Opened;
pub use pool::{Job, Pool, PoolError, PoolLimits};
pub use protected::Protected;
pub use resources::{
    Acquire, AcquireError, Exhausted, Permit, Resource, ResourceLimits, ResourceManager, Resources,
    SystemLimits, WAITING_MAX, Whose,
};
pub use set::{CapabilitySet, GrantInfo};
pub use text::nearest;
pub use thread_time::ThreadTime;

#[cfg(all(unix, feature = "kv"))]
pub use kv::{Change, Keys, Kv, KvError, Pending, Store, StoreLimits};

#[cfg(unix)]
pub use self::{
    fs::{ENTRIES_MAX, Entry, FileHandle, Files, FsError, Kind, Metadata, OpenOptions, SetTime, Written},
    idempotent::Idempotent,
    net::{
        Bound, Connecting, DnsResolver, FixedNames, HttpAddress, HttpRoute, KeepAlive, Listener, NetError,
        NetLimits, Network, ReadyFd, Resolve, ResolveError, TcpStream, UdpSocket,
    },
    private_dir::{PrivateDir, PrivateFile},
    process::{
        Command, Output, Process, ProcessError, ProcessExit, ProcessLimits, ProcessSignal, Processes, Stdin,
    },
    retry::Retry,
    transience::Transience,
};
