use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::anchor::Anchor;
use super::clock::Clock;
use super::filter::Filter;

/// What spells that there is no limit.
pub const UNLIMITED: u64 = u64::MAX;

/// Which records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Denials alone.
    Denials,
    /// Denials, changes of the grants and operations of the operating system. Allowed messages, clocks,
    /// random numbers and stdio are counted per grant and summarised.
    #[default]
    Default,
    /// Each decision.
    All,
}

/// What happens to a record while the queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFull {
    /// Whoever makes the record waits: a decision that leaves none is worse than a slow one.
    #[default]
    Block,
    /// The record is left out and counted; the next one that is written says how many were.
    Count,
}

/// What happens to decisions while the file cannot be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// They go on. What was not written is counted, told by the next flush, and by a record as soon as
    /// one can be written.
    #[default]
    Open,
    /// Everything is denied from the moment the failure is known until a record is written again; each
    /// denial, and a retry every second, tries. What was allowed before that moment stays allowed.
    Closed,
}

/// Where records go, apart from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Lines on the standard error stream.
    Stderr,
    /// The last 1,000, for [`Audit::recent`](crate::Audit::recent).
    Memory,
    /// One `tracing` event a record, target `airssys_osl::audit`, for the subscriber in force when the
    /// audit is opened, or the global one.
    Tracing,
}

/// Hears of each anchor, on the audit's thread.
pub type OnAnchor = Arc<dyn Fn(&Anchor) + Send + Sync>;

/// How an [`Audit`](crate::Audit) is kept; the default keeps the last 1,000 records in memory.
#[derive(Clone)]
pub struct AuditConfig {
    /// The file that lines are appended to. Its folder must be the host's alone.
    pub path: Option<PathBuf>,
    /// Further places. Default: none with a file, memory without one.
    pub sinks: Vec<Sink>,
    /// Default: [`Level::Default`].
    pub level: Level,
    /// The first that covers a record decides its level in place of `level`; none leaves out a denial.
    /// Default: none.
    pub filters: Vec<Filter>,
    /// Default: block.
    pub on_full: OnFull,
    /// Default: open.
    pub on_failure: OnFailure,
    /// Records that may wait or be in writing at once. Default: 8,192.
    pub queue_records_max: u64,
    /// A file that would grow past this is renamed to `.1`, and that to `.2`, and so on. Default:
    /// [`UNLIMITED`], for a limit throws evidence away.
    pub rotate_bytes_max: u64,
    /// How many renamed files stay. Default: 8.
    pub rotate_files_max: u32,
    /// How often what was only counted is written. Default: 60 s.
    pub summary_interval: Duration,
    /// Denials of one actor in one second that get a record of their own; the rest are counted and
    /// summarised. Default: 1,000.
    pub denials_per_second_max: u64,
    /// An anchor is made after this many records. Default: 1,000.
    pub anchor_records_max: u64,
    /// An anchor is made so long after a record. Default: 60 s.
    pub anchor_interval: Duration,
    /// Default: none; anchors also go to the file beside the log.
    pub on_anchor: Option<OnAnchor>,
    /// Default: the operating system's.
    pub clock: Clock,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            path: None,
            sinks: Vec::new(),
            level: Level::default(),
            filters: Vec::new(),
            on_full: OnFull::default(),
            on_failure: OnFailure::default(),
            queue_records_max: 8_192,
            rotate_bytes_max: UNLIMITED,
            rotate_files_max: 8,
            summary_interval: Duration::from_secs(60),
            denials_per_second_max: 1_000,
            anchor_records_max: 1_000,
            anchor_interval: Duration::from_secs(60),
            on_anchor: None,
            clock: Clock::default(),
        }
    }
}

impl AuditConfig {
    /// What is wrong with it, in words; also makes the place of the records explicit.
    pub(crate) fn settle(mut self) -> Result<Self, String> {
        let zero = [
            ("queue_records_max", self.queue_records_max == 0),
            ("rotate_bytes_max", self.rotate_bytes_max == 0),
            ("summary_interval", self.summary_interval.is_zero()),
            ("anchor_records_max", self.anchor_records_max == 0),
            ("anchor_interval", self.anchor_interval.is_zero()),
        ];
        if let Some((name, _)) = zero.iter().find(|(_, zero)| *zero) {
            return Err(format!("{name} of an audit is not zero: leave it out for the default"));
        }
        if self.path.is_none() && self.sinks.is_empty() {
            self.sinks.push(Sink::Memory);
        }
        Ok(self)
    }
}

impl fmt::Debug for AuditConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditConfig")
            .field("path", &self.path)
            .field("sinks", &self.sinks)
            .field("level", &self.level)
            .field("on_full", &self.on_full)
            .field("on_failure", &self.on_failure)
            .finish_non_exhaustive()
    }
}
