//! The Node host of airwasm: the native half of the npm package `@airssys/wasm`.
//!
//! JavaScript never sees this module but through `ts/`, which turns its answers into promises. Three rules keep it
//! small:
//!
//! - An answer that is a string is an error: the JSON text of its parts. No value is ever a string.
//! - An answer that is a number, from an operation that may wait, is a ticket: the outcome comes through the
//!   dispatcher that [`host::Host`] was made with, in one batch with all others that are due.
//! - All state belongs to one `Host`, and a `Host` to one JavaScript environment: the main thread has one, each
//!   worker has its own.

#![deny(unsafe_code)]

mod answer;
mod audit;
mod events;
mod host;
mod keyvalue;
mod policy;
mod port;
mod queue;
mod records;
mod regions;
mod spec;
mod supervision;
mod supervisor_spec;
mod system;
mod timers;
mod topics;
mod wake;
mod watching;
