//! How the audit is kept, and what a log of it consists of.

use std::path::PathBuf;

use pyo3::prelude::*;

use crate::info::{records, shown};
use crate::limits::{amount, bound, millis};
use crate::spec::Given;

records! {
    /// What an audit log that is whole consists of.
    AuditReport {
        /// The log and the files it was renamed to, the oldest first.
        files: Vec<PathBuf>,
        /// Records in them.
        records: u64,
        /// The number of the first record; over 1 if older files are gone.
        first_seq: u64,
        /// The number of the last record.
        last_seq: u64,
        /// The hash of the last record: kept elsewhere, it shows later that nothing up to it was cut off.
        last_hash: String,
        /// Unfinished lines that the log itself tells of.
        torn_lines: u64,
        /// Whether the last line is unfinished: a process was killed, or is writing now.
        partial_tail: bool,
    }
}

/// How the audit is kept; `None` is the core's default.
#[pyclass(frozen, get_all, eq, module = "airwasm", weakref)]
#[derive(PartialEq)]
pub struct AuditOptions {
    /// What is written: `default`, `denials` or `all`.
    level: Option<String>,
    /// What happens to decisions while the file cannot be written: `open` lets them go on, `closed` denies everything.
    on_failure: Option<String>,
    /// What happens to a record while too many wait to be written: `block`, or `count`, which leaves it out.
    on_full: Option<String>,
    /// Bytes at which the file is renamed to `.1`, that to `.2`, and so on.
    rotate_bytes: Option<u64>,
    /// Renamed files that stay.
    rotate_files: Option<u64>,
    /// Milliseconds between two records of what is only counted.
    summary_ms: Option<u64>,
    /// Writes the records to the standard error stream as well.
    stderr: bool,
}

#[pymethods]
impl AuditOptions {
    #[new]
    #[pyo3(signature = (*, level = None, on_failure = None, on_full = None, rotate_bytes = None, rotate_files = None, summary_ms = None, stderr = false))]
    fn new(
        level: Option<String>,
        on_failure: Option<String>,
        on_full: Option<String>,
        rotate_bytes: Given<'_, '_>,
        rotate_files: Given<'_, '_>,
        summary_ms: Given<'_, '_>,
        stderr: bool,
    ) -> PyResult<Self> {
        let (rotate_bytes, rotate_files) =
            (bound("rotate_bytes", rotate_bytes)?, amount("rotate_files", rotate_files)?);
        let summary_ms = bound("summary_ms", summary_ms)?;
        Ok(Self { level, on_failure, on_full, rotate_bytes, rotate_files, summary_ms, stderr })
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let fields =
            ["level", "on_failure", "on_full", "rotate_bytes", "rotate_files", "summary_ms", "stderr"];
        shown(slf, "AuditOptions", &fields)
    }
}

impl From<&AuditOptions> for airwasm::AuditOptions {
    fn from(options: &AuditOptions) -> Self {
        Self {
            level: options.level.clone(),
            on_failure: options.on_failure.clone(),
            on_full: options.on_full.clone(),
            rotate_bytes: options.rotate_bytes,
            rotate_files: options.rotate_files,
            summary_interval: options.summary_ms.map(millis),
            stderr: options.stderr,
        }
    }
}
