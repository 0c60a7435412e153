#![deny(unsafe_code)]
//! Secured operations of the operating system: every one passes a live [`CapabilitySet`] and leaves
//! an audit record. No actors, no WebAssembly.
//!
//! The order of a decision is the same everywhere: an [`Ask`] says exactly what somebody wants to do
//! now, a pure function finds the grant that covers it, one [`Record`], or one count, goes to the [`Audit`], and a
//! [`Guard`] stays with whatever was opened so that a revocation cuts work in flight.

mod actor_pattern;
mod ask;
mod ask_parse;
mod ask_text;
mod audit;
mod ban;
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
mod name;
pub mod net;
mod object;
mod params;
mod parts;
mod path_pattern;
pub mod policy;
mod private_dir;
pub mod process;
mod protected;
mod scope;
mod sequence;
mod set;
mod size;
mod text;
mod ttl;

pub use ask::Ask;
pub use audit::{
    Anchor, Audit, AuditConfig, BadLine, Clock, Decision, Fault, Filter, Level, Moment, OnAnchor, OnFailure,
    OnFull, Operation, Phase, Record, Report, Running, Sink, UNLIMITED, redact, verify, verify_with,
};
pub use ban::Ban;
pub use capability::Capability;
pub use denial::{Denial, DenialKind};
pub use endpoint::{Endpoint, Protocol};
pub use error::CapabilityError;
pub use fs::{Entry, FileHandle, Files, FsError, Kind, Metadata, OpenOptions, SetTime};
pub use grant::Guard;
pub use net::{
    DnsResolver, FixedNames, Listener, NetError, NetLimits, Network, Resolve, ResolveError, TcpStream,
    UdpSocket,
};
pub use object::Capabilities;
pub use private_dir::{PrivateDir, PrivateFile};
pub use process::{
    Command, Output, Process, ProcessError, ProcessExit, ProcessLimits, ProcessSignal, ProcessTotal,
    Processes, Stdin,
};
pub use protected::Protected;
pub use set::{CapabilitySet, GrantInfo};
