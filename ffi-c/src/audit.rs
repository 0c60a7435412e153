//! Exports: the audit log.

use std::ffi::c_char;
use std::path::Path;

use airwasm::System;

use crate::error::airwasm_error;
use crate::guard::guard;
use crate::types::airwasm_bytes;
use crate::{json, raw};

/// Follows the hash chain of the audit log at path through all its files. report is what they hold, as JSON: {"files":
/// ["audit.log"],"records":7,"first_seq":1,"last_seq":7,"last_hash":"...","torn_lines":0,"partial_tail":false}; the
/// first line that is not as it was written is AUDIT_BROKEN, with file and line. It needs no system, reads every byte,
/// and has no _async twin.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_audit_verify(
    path: *const c_char,
    report: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(report, "report", raw::NO_BYTES)?;
        let report = System::audit_verify(Path::new(&raw::text(path, "path")?))?;
        out.set(raw::give_bytes(json::audit_report(&report)));
        Ok(())
    })
}
