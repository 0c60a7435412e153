//! The C API of airwasm: the facade, spelled for C. `include/airwasm.h` is generated from this crate.
//!
//! Each export is one call of `guard`, which lets no panic out; each pointer is checked in `raw`, which holds every
//! unsafe block. `#[unsafe(no_mangle)]` stands only in the modules of exports.
#![deny(unsafe_code)]

mod completions;
mod convert;
mod convert_tree;
mod guard;
mod json;
mod wake;

#[allow(unsafe_code, reason = "the one module with unsafe blocks")]
mod raw;

pub mod constants;
pub mod types;

#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod actor;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod audit;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod component;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod error;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod event;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod grant;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod keyvalue;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod message;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod policy;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod region;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod reply;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod service;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod supervisor;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod system;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod timer;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod topic;
#[allow(unsafe_code, reason = "exports are #[unsafe(no_mangle)]")]
pub mod watching;
