//! The constants of the C API; those of errors and versions are written by the header's generator.

/// No bound at all, for each time and each count in the structs and calls below; 0 or NULL is the core's default.
pub const AIRWASM_UNLIMITED: u64 = u64::MAX;
/// The number 0 where 0 itself is the core's default, as in airwasm_backoff.initial_ms for a restart at once. It is
/// exact as a double too.
pub const AIRWASM_ZERO: u64 = 0x8000_0000_0000_0000;

/// For airwasm_options.completions: completions run on an airwasm thread.
pub const AIRWASM_THREAD: u32 = 0;
/// For airwasm_options.completions: completions run inside airwasm_dispatch.
pub const AIRWASM_DISPATCH: u32 = 1;

/// For .restart of a spec: started again whenever it ends.
pub const AIRWASM_PERMANENT: u32 = 1;
/// For .restart of a spec: started again after a crash.
pub const AIRWASM_TRANSIENT: u32 = 2;
/// For .restart of a spec: never started again.
pub const AIRWASM_TEMPORARY: u32 = 3;

/// For airwasm_actor_spec.overflow: a message that finds the mailbox full is refused with MAILBOX_FULL.
pub const AIRWASM_OVERFLOW_REJECT: u32 = 1;
/// For airwasm_actor_spec.overflow: the oldest message that waits is dropped for it, with MESSAGE_DROPPED.
pub const AIRWASM_OVERFLOW_DROP_OLDEST: u32 = 2;
/// For airwasm_actor_spec.overflow: its sender waits for room, see airwasm_send.
pub const AIRWASM_OVERFLOW_BLOCK: u32 = 3;

/// For airwasm_supervisor_spec.strategy: a child is restarted alone.
pub const AIRWASM_ONE_FOR_ONE: u32 = 1;
/// For airwasm_supervisor_spec.strategy: all children are restarted with it.
pub const AIRWASM_ONE_FOR_ALL: u32 = 2;
/// For airwasm_supervisor_spec.strategy: those that were started after it are restarted with it.
pub const AIRWASM_REST_FOR_ONE: u32 = 3;

/// For airwasm_supervisor_spec.give_up: it stops all children and ends; its own supervisor decides what then.
pub const AIRWASM_GIVE_UP_ESCALATE: u32 = 1;
/// For airwasm_supervisor_spec.give_up: it stops all children and starts them anew, and the next time escalates.
pub const AIRWASM_GIVE_UP_RESTART: u32 = 2;
/// For airwasm_supervisor_spec.give_up: that child stays down, the others go on.
pub const AIRWASM_GIVE_UP_IGNORE: u32 = 3;

/// For airwasm_supervisor_spec.auto_shutdown: it stays whatever ends.
pub const AIRWASM_AUTO_SHUTDOWN_NEVER: u32 = 1;
/// For airwasm_supervisor_spec.auto_shutdown: it stops with the first significant child that ended for good.
pub const AIRWASM_AUTO_SHUTDOWN_ANY_SIGNIFICANT: u32 = 2;
/// For airwasm_supervisor_spec.auto_shutdown: it stops with the last significant child that ended for good.
pub const AIRWASM_AUTO_SHUTDOWN_ALL_SIGNIFICANT: u32 = 3;
