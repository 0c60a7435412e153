//! The types of the C API. Their text and their order are the header's.
#![allow(non_camel_case_types)]

use std::ffi::{c_char, c_void};

/// What may be said when a system is opened.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_options {
    /// sizeof(airwasm_options).
    pub struct_size: u32,
    /// AIRWASM_THREAD (the default) or AIRWASM_DISPATCH.
    pub completions: u32,
    /// Path of the policy file, as airwasm_policy_load takes it.
    pub policy: *const c_char,
    /// Path of the file that audit records are appended to; without it the last 1,000 are kept in memory.
    pub audit: *const c_char,
    /// Path of the folder for compiled code, made if there is none. It must be this user's alone; without it nothing is kept.
    pub cache_dir: *const c_char,
    /// "hardened" (the default) or "full".
    pub profile: *const c_char,
    /// How often to look whether the policy loaded last has changed, to load it again then; 0: only when asked to.
    pub policy_watch_ms: u64,
    /// How the audit is kept.
    pub audit_options: *const airwasm_audit_options,
    /// Path of the file of the key-value store, made if there is none; without it there is no store. It is this user's
    /// alone, no grant of files reaches it, and nobody else can have it open.
    pub kv: *const c_char,
    /// The absolute path of a program that compiles in a process of its own, within hard limits, and its arguments: the
    /// `airwasm-compile` of this version. What it answers is trusted. None: components are compiled on threads of this process.
    pub compile_helper: *const *const c_char,
    /// How many texts those are.
    pub compile_helper_len: usize,
    /// Not 0: fuel is counted, so that a budget may bound it; all guests run slower then.
    pub fuel: u32,
}

/// How the audit is kept.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_audit_options {
    /// sizeof(airwasm_audit_options).
    pub struct_size: u32,
    /// Not 0: the records are written to the standard error stream as well.
    pub to_stderr: u32,
    /// What is written: "default", which counts allowed messages, keys, clocks, random numbers and stdio and sums them up;
    /// "denials"; or "all".
    pub level: *const c_char,
    /// What happens to decisions while the file cannot be written: "open" (the default) lets them go on and counts what
    /// is lost, "closed" denies everything.
    pub on_failure: *const c_char,
    /// What happens to a record while too many wait to be written: "block" (the default), or "count", which leaves it
    /// out.
    pub on_full: *const c_char,
    /// At which size the file is renamed to .1, that to .2, and so on; 0: never.
    pub rotate_bytes: u64,
    /// How many renamed files stay; AIRWASM_ZERO: none.
    pub rotate_files: u64,
    /// How often what was only counted is written.
    pub summary_ms: u64,
}

/// What one message may use. Time is counted from the start of its handling.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_budget {
    /// sizeof(airwasm_budget).
    pub struct_size: u32,
    /// Time that the guest computes.
    pub cpu_ms: u64,
    /// Time until the answer, asleep or not.
    pub wall_ms: u64,
    /// Fuel, about one an instruction; only in a system that counts it. It is exceeded by no more than the straight code
    /// up to the next function or turn of a loop, and by what others use for the guest until they pause.
    pub fuel: u64,
    /// Bytes of the reply and of messages sent.
    pub output_bytes: u64,
    /// Calls into the host.
    pub host_calls: u64,
}

/// What one instance may hold at once.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_limits {
    /// sizeof(airwasm_limits).
    pub struct_size: u32,
    /// All linear memories together.
    pub memory_bytes: u64,
    /// All tables together.
    pub table_elements: u64,
    /// Host resources, such as open files.
    pub handles: u64,
    /// Messages that wait.
    pub mailbox_messages: u64,
    /// Payload bytes that wait.
    pub mailbox_bytes: u64,
    /// One payload, in or out.
    pub payload_bytes: u64,
    /// Percent of one processor, 1 to 100, over each 100 ms; a guest that has used it up waits.
    pub cpu_percent: u64,
    /// Bytes written to files over all lives of an actor. What was overwritten or removed is not given back.
    pub written_bytes: u64,
    /// All regions that an actor has made and that are not removed.
    pub region_bytes: u64,
}

/// What an actor is made of.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_actor_spec {
    /// sizeof(airwasm_actor_spec).
    pub struct_size: u32,
    /// 0, AIRWASM_PERMANENT, AIRWASM_TRANSIENT or AIRWASM_TEMPORARY.
    pub restart: u32,
    /// What it runs; 0 for airwasm_spawn_host.
    pub component: airwasm_handle,
    /// "namespace/name/instance" or a bare name; NULL: the file's stem and the next free number.
    pub name: *const c_char,
    /// Capabilities as text, such as "fs.read /data/**".
    pub grants: *const *const c_char,
    /// How many grants there are.
    pub grants_len: usize,
    /// What an instance may hold.
    pub limits: *const airwasm_limits,
    /// What a message may use.
    pub budget: *const airwasm_budget,
    /// JSON text for the guest's pre-start.
    pub config: *const c_char,
    /// How long a stop waits before it kills.
    pub shutdown_ms: u64,
    /// Not 0: its end counts for its supervisor's auto_shutdown.
    pub significant: u32,
    /// What becomes of a message that finds the mailbox full: 0 or one of AIRWASM_OVERFLOW_*.
    pub overflow: u32,
    /// How often it is asked how it is, by the guest's health; 0: never.
    pub health_interval_ms: u64,
    /// How many checks in a row may be missed before its life is ended; AIRWASM_ZERO: none.
    pub health_missed: u64,
    /// How many of its answers within error_period_ms may be errors before its life is ended; 0: no bound,
    /// AIRWASM_ZERO: none.
    pub errors_max: u64,
    /// The window of errors_max.
    pub error_period_ms: u64,
    /// What a guest is given as its arguments. No name of a program stands before them.
    pub args: *const *const c_char,
    /// How many arguments there are.
    pub args_len: usize,
    /// Variables as "NAME=value", of which a guest sees those that a live grant covers, such as "env LANG". Nothing is
    /// taken from the environment of the host.
    pub env: *const *const c_char,
    /// How many variables there are.
    pub env_len: usize,
    /// Where its wasi:http/incoming-handler is asked, as "127.0.0.1:8080"; port 0: a free one. Needs the grant
    /// "net.listen" of that address; NULL: it serves no http.
    pub http_listen: *const c_char,
}

/// How long a restart waits.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_backoff {
    /// sizeof(airwasm_backoff).
    pub struct_size: u32,
    /// Before the first restart; AIRWASM_ZERO: it is at once.
    pub initial_ms: u64,
    /// At most.
    pub max_ms: u64,
    /// Growth with each restart in a row, at least 1.
    pub factor: f64,
    /// Share of the delay, up to 1, that is random; AIRWASM_ZERO: none.
    pub jitter: f64,
}

/// One child of a supervisor: a guest or a function has actor set, a supervisor has supervisor set, and never both.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_child {
    /// sizeof(airwasm_child).
    pub struct_size: u32,
    /// What an actor is made of.
    pub actor: *const airwasm_actor_spec,
    /// A supervisor with children of its own.
    pub supervisor: *const airwasm_supervisor_spec,
    /// The function of an actor that has no component; it serves all its lives. Each call that is given the child takes
    /// it over even if it fails, so it is one for each call.
    pub handler: airwasm_handler,
}

/// What a supervisor is made of.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_supervisor_spec {
    /// sizeof(airwasm_supervisor_spec).
    pub struct_size: u32,
    /// 0, AIRWASM_ONE_FOR_ONE, AIRWASM_ONE_FOR_ALL or AIRWASM_REST_FOR_ONE.
    pub strategy: u32,
    /// "namespace/name/instance" or a bare name.
    pub name: *const c_char,
    /// Its children in the order of their starts. None may be NULL; one without handler and supervisor may stand twice.
    pub children: *const *const airwasm_child,
    /// How many children there are.
    pub children_len: usize,
    /// How long a restart waits.
    pub backoff: *const airwasm_backoff,
    /// Restarts that are allowed within period_ms; AIRWASM_ZERO: none.
    pub intensity: u64,
    /// The sliding window of intensity.
    pub period_ms: u64,
    /// What it does when it would have to restart more often: 0 or one of AIRWASM_GIVE_UP_*.
    pub give_up: u32,
    /// Whether it stops with its significant children: 0 or one of AIRWASM_AUTO_SHUTDOWN_*.
    pub auto_shutdown: u32,
    /// Among the children of another: 0, AIRWASM_PERMANENT, AIRWASM_TRANSIENT or AIRWASM_TEMPORARY.
    pub restart: u32,
}

/// How a message is sent.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_send_options {
    /// sizeof(airwasm_send_options).
    pub struct_size: u32,
    /// What the bytes are, as a media type.
    pub content_type: *const c_char,
    /// For airwasm_send_async: see airwasm_wait_options.
    pub asked_by: *const c_char,
}

/// How a request is made.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_request_options {
    /// sizeof(airwasm_request_options).
    pub struct_size: u32,
    /// How long the caller waits. Ends the wait, never the actor.
    pub timeout_ms: u64,
    /// What the bytes are, as a media type.
    pub content_type: *const c_char,
    /// See airwasm_wait_options.
    pub asked_by: *const c_char,
}

/// How an outcome is waited for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_wait_options {
    /// sizeof(airwasm_wait_options).
    pub struct_size: u32,
    /// The id of the actor on whose behalf the host waits: one whose handler keeps its reply until the outcome comes. A
    /// circle of such waits is CYCLE at once; what was asked for happens all the same, but that a message is not sent.
    /// Inside a handler a call that blocks knows it without this.
    pub asked_by: *const c_char,
}

/// A number that names a component, actor, grant, request, subscription or timer; a supervisor's is an actor's. 0 is
/// none. It owns nothing and needs no free; an actor's stays valid over its restarts; a stale one is an error, never a
/// crash.
pub type airwasm_handle = u64;

/// Bytes that the library made: yours, to free with airwasm_bytes_free. Where a function returns them, data is never
/// NULL and data[len] is 0, not counted, so that text prints. This layout is frozen.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_bytes {
    /// The bytes.
    pub data: *const u8,
    /// How many they are.
    pub len: usize,
    /// The library's own.
    pub owner: *mut c_void,
}

/// One thing that happened. It and its texts live as long as the call that they are given to.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_event {
    /// The size that the library gives it.
    pub struct_size: u32,
    /// Counts from 1 in each system; 0 for events.lost, which only its reader sees.
    pub seq: u64,
    /// Wall time, in milliseconds since 1970.
    pub time_unix_ms: i64,
    /// Dotted text, such as "actor.crashed".
    pub kind: *const c_char,
    /// The three-part id of the actor, or "".
    pub actor: *const c_char,
    /// The facts, as a JSON object.
    pub detail: *const c_char,
}

/// A message as a handler sees it. It and what it points to live as long as the call that they are given to.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_message {
    /// The size that the library gives it.
    pub struct_size: u32,
    /// The id of the sending actor; "" if the host itself sent it. Set by the system, never by a guest.
    pub sender: *const c_char,
    /// The id of the actor it was sent to.
    pub to: *const c_char,
    /// What the bytes are, as a media type; NULL if the sender did not say.
    pub content_type: *const c_char,
    /// The bytes: never NULL, and payload[payload_len] is 0.
    pub payload: *const u8,
    /// How many they are.
    pub payload_len: usize,
    /// The topic it was published under; NULL if it was not.
    pub topic: *const c_char,
}

/// How an operation ended: the error, or else the bytes or the handle it was for. The struct lives as long as the
/// call; the error and the bytes are the callee's, who frees them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_outcome {
    /// The size that the library gives it.
    pub struct_size: u32,
    /// NULL is success.
    pub error: *mut super::error::airwasm_error,
    /// A reply or a report; empty where there is none, and free to be freed all the same.
    pub bytes: airwasm_bytes,
    /// A component, an actor or a supervisor; 0 where there is none.
    pub handle: airwasm_handle,
}

/// What is told of events: one at a time, on an airwasm thread, where it may block.
#[repr(C)]
pub struct airwasm_event_callback {
    /// Called for each event.
    pub call: Option<unsafe extern "C" fn(context: *mut c_void, event: *const airwasm_event)>,
    /// Given to both functions.
    pub context: *mut c_void,
    /// May be NULL.
    pub free: Option<unsafe extern "C" fn(context: *mut c_void)>,
}

/// A C function as an actor: called for one message at a time, on an airwasm thread, where it may block. It owns the
/// reply and may keep it to answer later, from any thread; the next message comes when the reply was given.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct airwasm_handler {
    /// Called for each message.
    pub call: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            message: *const airwasm_message,
            reply: *mut super::reply::airwasm_reply,
        ),
    >,
    /// Given to both functions.
    pub context: *mut c_void,
    /// May be NULL.
    pub free: Option<unsafe extern "C" fn(context: *mut c_void)>,
}

/// What is told the outcome of an operation, exactly once, if the call that started it succeeded; never inside that
/// call. With AIRWASM_THREAD it runs on an airwasm thread, possibly before that call returns; with AIRWASM_DISPATCH
/// inside airwasm_dispatch.
#[repr(C)]
pub struct airwasm_completion {
    /// Called once.
    pub call: Option<unsafe extern "C" fn(context: *mut c_void, outcome: *mut airwasm_outcome)>,
    /// Given to both functions.
    pub context: *mut c_void,
    /// May be NULL.
    pub free: Option<unsafe extern "C" fn(context: *mut c_void)>,
}
