//! What wasmtime says when a call fails, as one of our errors.

use wasmtime::component::ResourceTableError;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::types::error::{Code, Error};

/// The error behind a failed call. Ours come back as they were, the rest is a trap with its kind and backtrace.
pub(super) fn classify(why: &wasmtime::Error) -> Error {
    if let Some(ours) = why.downcast_ref::<Error>() {
        return ours.clone();
    }
    let kind = match (why.downcast_ref::<Trap>(), why.downcast_ref::<I32Exit>()) {
        (Some(trap), _) => kind_of(*trap),
        (None, Some(I32Exit(status))) => format!("exit with status {status}"),
        (None, None) => root(why),
    };
    let backtrace = why.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
    Error::new(Code::Trapped, format!("the guest trapped: {kind}"))
        .with("kind", kind)
        .with("backtrace", backtrace)
}

/// What wasmtime says, in words alone, of a handle too many in the guest's own table.
const HANDLE_REFUSALS: [&str; 2] = [
    "cannot allocate another handle: store handle limit exceeded",
    "cannot lend resource: store handle limit exceeded",
];

/// Whether a call failed for one handle too many, in the guest's own table or in the host's.
pub(super) fn is_out_of_handles(why: &wasmtime::Error) -> bool {
    let is_full = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(ResourceTableError::Full))
    };
    why.chain().any(is_full) || HANDLE_REFUSALS.contains(&root(why).as_str())
}

fn kind_of(trap: Trap) -> String {
    match trap {
        Trap::StackOverflow => "stack overflow".to_owned(),
        Trap::UnreachableCodeReached => "unreachable".to_owned(),
        Trap::MemoryOutOfBounds => "memory out of bounds".to_owned(),
        Trap::IntegerDivisionByZero => "division by zero".to_owned(),
        other => other.to_string().trim_start_matches("wasm trap: ").to_owned(),
    }
}

fn root(why: &wasmtime::Error) -> String {
    why.root_cause().to_string()
}

/// One line a frame, innermost first. Names are the guest's own and may say anything.
fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let name = |frame: &wasmtime::FrameInfo| {
        frame.func_name().map_or_else(|| format!("function {}", frame.func_index()), str::to_owned)
    };
    backtrace.frames().iter().map(name).collect()
}
