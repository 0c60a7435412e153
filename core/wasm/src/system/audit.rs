//! The audit log: opened as the options say, and verified.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use airssys_osl::{Audit, AuditConfig, Level, OnFailure, OnFull, Sink};

use super::System;
use crate::types::config::AuditOptions;
use crate::types::error::{Code, Error, Result};
use crate::types::limits::UNLIMITED;
use crate::types::policy::AuditReport;

impl System {
    /// Follows the hash chain of an audit log through all its files. `AUDIT_BROKEN` with the first line that is not as it
    /// was written; `IO` if it cannot be read.
    pub fn audit_verify(path: &Path) -> Result<AuditReport> {
        let report = airssys_osl::verify(path).map_err(|why| {
            Error::new(Code::Io, format!("audit log {}: {why}", path.display()))
                .with("errno", why.raw_os_error().unwrap_or_default())
                .with("path", path.display().to_string())
        })?;
        if let Some(bad) = &report.bad {
            return Err(Error::new(Code::AuditBroken, bad.to_string())
                .with("file", bad.file.display().to_string())
                .with("line", bad.line)
                .with("records", report.records));
        }
        Ok(AuditReport {
            files: report.files,
            records: report.records,
            first_seq: report.first_seq,
            last_seq: report.last_seq,
            last_hash: report.last_hash,
            torn_lines: report.torn_lines,
            partial_tail: report.partial_tail,
        })
    }
}

/// Opens the log, or keeps records in memory where there is no path.
pub(super) fn open(path: Option<PathBuf>, options: AuditOptions) -> Result<Arc<Audit>> {
    let shown = path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let config = config(path, options)?;
    Audit::open(config).map_err(|why| {
        Error::new(Code::Io, format!("audit log {shown}: {why}"))
            .with("errno", why.raw_os_error().unwrap_or_default())
            .with("path", shown)
    })
}

fn config(path: Option<PathBuf>, options: AuditOptions) -> Result<AuditConfig> {
    let mut config = AuditConfig::default();
    let levels = [("default", Level::Default), ("denials", Level::Denials), ("all", Level::All)];
    config.level = word("audit_level", options.level, &levels)?.unwrap_or(config.level);
    let failures = [("open", OnFailure::Open), ("closed", OnFailure::Closed)];
    config.on_failure = word("audit_on_failure", options.on_failure, &failures)?.unwrap_or(config.on_failure);
    let full = [("block", OnFull::Block), ("count", OnFull::Count)];
    config.on_full = word("audit_on_full", options.on_full, &full)?.unwrap_or(config.on_full);
    let bytes = options.rotate_bytes.unwrap_or(config.rotate_bytes_max);
    let files = options.rotate_files.unwrap_or(config.rotate_files_max.into());
    let interval = options.summary_interval.unwrap_or(config.summary_interval);
    let absent = "0 is none: leave it out for the default";
    for (which, zero) in [("audit_rotate_bytes", bytes == 0), ("audit_summary_ms", interval.is_zero())] {
        if zero {
            return Err(Error::argument(which, absent));
        }
    }
    config.rotate_bytes_max = bytes;
    config.rotate_files_max = match files {
        UNLIMITED => u32::MAX,
        files => u32::try_from(files).map_err(|_| {
            Error::argument("audit_rotate_files", format!("{files} is more than {}", u32::MAX))
        })?,
    };
    config.summary_interval = interval;
    if options.stderr {
        config.sinks = match path {
            Some(_) => vec![Sink::Stderr],
            None => vec![Sink::Stderr, Sink::Memory],
        };
    }
    config.path = path;
    Ok(config)
}

/// What one of a few words means.
fn word<T: Copy>(which: &str, given: Option<String>, words: &[(&str, T)]) -> Result<Option<T>> {
    let Some(given) = given else { return Ok(None) };
    match words.iter().find(|(word, _)| *word == given) {
        Some((_, meaning)) => Ok(Some(*meaning)),
        None => {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            Err(Error::argument(which, format!("{given:?} is none of {}", known.join(", "))))
        }
    }
}
