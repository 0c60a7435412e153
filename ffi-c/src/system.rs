//! Exports: versions, systems, completions that are dispatched.
#![allow(non_camel_case_types)]

use std::ffi::{CStr, c_char, c_int};
use std::sync::Arc;

use airwasm::{CloseReport, System};

use crate::completions::{Answer, Completions};
use crate::constants::{AIRWASM_DISPATCH, AIRWASM_THREAD};
use crate::error::airwasm_error;
use crate::guard::{guard, guard_or};
use crate::types::{airwasm_bytes, airwasm_completion, airwasm_handle, airwasm_options};
use crate::wake::Wake;
use crate::{convert, json, raw};

/// One world of components, actors and grants. Any thread may use it; airwasm_system_free is the last call on it.
#[derive(Clone)]
pub struct airwasm_system(Arc<Inner>);

struct Inner {
    core: System,
    completions: Arc<Completions>,
    /// The process that opened it; in a forked child none of its threads lives.
    process: u32,
}

impl airwasm_system {
    pub(crate) fn core(&self) -> &System {
        &self.0.core
    }

    pub(crate) fn completions(&self) -> &Arc<Completions> {
        &self.0.completions
    }

    fn is_forked(&self) -> bool {
        self.0.process != std::process::id()
    }
}

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("a version holds no 0"),
};

/// The version of the library that runs, such as "0.1.0"; AIRWASM_VERSION is the header's. Never freed.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The same as a number: major * 10000 + minor * 100 + patch.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_version_number() -> u32 {
    guard_or(0, || {
        let parts = env!("CARGO_PKG_VERSION").split(['.', '-', '+']).take(3);
        parts.fold(0, |number, part| number * 100 + part.parse::<u32>().unwrap_or_default())
    })
}

/// Opens a system. options may be NULL. *system is yours: airwasm_close ends its work, airwasm_system_free its life.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_open(
    options: *const airwasm_options,
    system: *mut *mut airwasm_system,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(system, "system", std::ptr::null_mut())?;
        let options = raw::optional_sized(options, "options")?;
        let wake = match options.map_or(AIRWASM_THREAD, |options| options.completions) {
            AIRWASM_THREAD => None,
            AIRWASM_DISPATCH => Some(Wake::new()?),
            other => {
                let why = format!("{other} is neither AIRWASM_THREAD nor AIRWASM_DISPATCH");
                return Err(airwasm::Error::argument("completions", why));
            }
        };
        let core = System::open(convert::config(options)?)?;
        let completions = Completions::new(core.clone(), wake);
        out.set(raw::give(airwasm_system(Arc::new(Inner {
            core,
            completions,
            process: std::process::id(),
        }))));
        Ok(())
    })
}

/// Stops every actor in at most deadline_ms, then kills; idempotent. report (may be NULL) says how it went, as JSON:
/// {"stopped":2,"killed":0,"dead_letters":0}. Every later call but airwasm_system_free and airwasm_dispatch is
/// CLOSED. Inside a handler it is WOULD_DEADLOCK.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_close(
    system: *mut airwasm_system,
    deadline_ms: u64,
    report: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let report = raw::optional_out(report, "report", raw::NO_BYTES)?;
        let closed = raw::system(system)?.core().close(convert::time(deadline_ms))?;
        report.set_with(|| raw::give_bytes(json::close_report(&closed)));
        Ok(())
    })
}

/// airwasm_close that does not wait: outcome->bytes is the report. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_close_async(
    system: *mut airwasm_system,
    deadline_ms: u64,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let (completion, system) = (completion.check("completion")?, raw::system(system)?);
        let answer = |report: CloseReport| Answer::Bytes(json::close_report(&report));
        let operation = system.core().close_async(convert::time(deadline_ms));
        system.completions().start(operation, answer, completion, &request)
    })
}

/// Frees a system; NULL is fine. It is the last call on it, from any thread. One that was not closed is killed
/// without waiting. With AIRWASM_DISPATCH it first runs every completion that did not run yet; those without an
/// answer are told CLOSED. In a forked child it does nothing: what belongs to the parent is left alone.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_system_free(system: *mut airwasm_system) {
    guard_or((), || match raw::take_system(system) {
        Some(system) if system.is_forked() => std::mem::forget(system),
        Some(system) => {
            system.core().abandon();
            system.completions().end();
        }
        None => {}
    });
}

/// Counters as JSON: {"components":1,"actors":2,"sent":3,...}; sent = delivered + rejected + dropped + dead_letters +
/// those that wait.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_stats(
    system: *mut airwasm_system,
    stats: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(stats, "stats", raw::NO_BYTES)?;
        let stats = raw::system(system)?.core().stats()?;
        out.set(raw::give_bytes(json::stats(&stats)));
        Ok(())
    })
}

/// With AIRWASM_DISPATCH the descriptor that is readable while completions wait: for poll, select or epoll, never to
/// be read or closed, and gone with the system. -1 with AIRWASM_THREAD, for NULL, and on Windows.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_completion_fd(system: *mut airwasm_system) -> c_int {
    guard_or(-1, || {
        raw::system(system).ok().and_then(|system| system.completions().wake().map(Wake::fd)).unwrap_or(-1)
    })
}

/// Runs the completions that wait, on this thread, and returns how many; it never waits itself. A completion may
/// call any function, this one and airwasm_system_free included. 0 with AIRWASM_THREAD, for NULL, and in a forked
/// child.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_dispatch(system: *mut airwasm_system) -> usize {
    guard_or(0, || match raw::system(system).cloned() {
        Ok(system) if !system.is_forked() => system.completions().dispatch(),
        _ => 0,
    })
}

/// Frees what a function returned in *bytes and zeroes it, so that a second time is harmless; NULL and zeroed bytes
/// are fine.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_bytes_free(bytes: *mut airwasm_bytes) {
    guard_or((), || raw::free_bytes(bytes));
}
