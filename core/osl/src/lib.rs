#![deny(unsafe_code)]
//! Secured operations of the operating system: every one passes a live [`CapabilitySet`] and leaves
//! an audit record. No actors, no WebAssembly.
//!
//! The order of a decision is the same everywhere: an [`Ask`] says exactly what somebody wants to do
//! now, a pure function finds the grant that covers it, one [`Record`] goes to the [`Audit`], and a
//! [`Guard`] stays with whatever was opened so that a revocation cuts work in flight.

mod actor_pattern;
mod ask;
mod ask_parse;
mod ask_text;
mod audit;
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
mod object;
mod params;
mod parts;
mod path_pattern;
pub mod process;
mod queue;
mod record;
mod scope;
mod sequence;
mod set;
mod size;
mod stamp;
mod text;
mod ttl;

pub use ask::Ask;
pub use audit::{Audit, AuditConfig};
pub use capability::Capability;
pub use denial::{Denial, DenialKind};
pub use endpoint::{Endpoint, Protocol};
pub use error::CapabilityError;
pub use fs::{Entry, FileHandle, Files, FsError, Kind, Metadata};
pub use grant::Guard;
pub use object::Capabilities;
pub use process::{
    Command, Output, Process, ProcessError, ProcessExit, ProcessLimits, ProcessSignal, ProcessTotal,
    Processes, Stdin,
};
pub use record::{Decision, Operation, Record};
pub use set::{CapabilitySet, GrantInfo};
