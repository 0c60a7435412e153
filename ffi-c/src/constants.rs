//! The constants of the C API; those of errors and versions are written by the header's generator.

/// No bound at all, for each time and each count in the structs and calls below; 0 or NULL is the core's default.
pub const AIRWASM_UNLIMITED: u64 = u64::MAX;

/// For airwasm_options.completions: completions run on an airwasm thread.
pub const AIRWASM_THREAD: u32 = 0;
/// For airwasm_options.completions: completions run inside airwasm_dispatch.
pub const AIRWASM_DISPATCH: u32 = 1;

/// For airwasm_actor_spec.restart: started again whenever it ends.
pub const AIRWASM_PERMANENT: u32 = 1;
/// For airwasm_actor_spec.restart: started again after a crash.
pub const AIRWASM_TRANSIENT: u32 = 2;
/// For airwasm_actor_spec.restart: never started again.
pub const AIRWASM_TEMPORARY: u32 = 3;
