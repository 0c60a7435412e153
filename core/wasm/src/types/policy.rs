//! What a policy says, as plain data.

use std::fmt;
use std::path::PathBuf;

/// Which rule of the policy decides what an actor asks for; printed, one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the policy allows it.
    pub allowed: bool,
    /// As in `deny: policy.yaml:13 fs.read /srv/private/** beats policy.yaml:11 fs.read /srv/**`.
    pub text: String,
    /// The rule that decides, as in `policy.yaml:13 fs.read /srv/private/**`; none where nothing allows it.
    pub rule: Option<String>,
    /// The allow that a deny beats.
    pub beaten: Option<String>,
    /// The line that would allow it where nothing does, to be pasted into the policy.
    pub policy_line: Option<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What became of the tests of the policy in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyReport {
    /// How many held.
    pub passed: u64,
    /// One line for each that does not hold, in the order of the file.
    pub failed: Vec<String>,
}

/// What an audit log that is whole consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// The log and the files it was renamed to, the oldest first.
    pub files: Vec<PathBuf>,
    /// Records in them.
    pub records: u64,
    /// The number of the first record; over 1 if older files are gone.
    pub first_seq: u64,
    /// The number of the last record.
    pub last_seq: u64,
    /// The hash of the last record: kept elsewhere, it shows later that nothing up to it was cut off.
    pub last_hash: String,
    /// Unfinished lines that the log itself tells of.
    pub torn_lines: u64,
    /// Whether the last line is unfinished: a process was killed, or is writing now.
    pub partial_tail: bool,
}
