//! What one instance may hold and what one message may use.

use std::time::Duration;

use airssys_osl::policy::{PolicyBudget, PolicyLimits};

use super::error::{Code, Error, Result};

/// No bound at all, for every field of [`Limits`] and for the counts of [`Budget`].
pub const UNLIMITED: u64 = u64::MAX;

/// What one instance may hold at once; `None` is the default, [`UNLIMITED`] takes the bound away, 0 is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// All linear memories together; 128 MiB.
    pub memory_bytes: Option<u64>,
    /// All tables together; 100,000.
    pub table_elements: Option<u64>,
    /// Host resources at once; 1,024.
    pub handles: Option<u64>,
    /// Messages that wait; 1,000.
    pub mailbox_messages: Option<u64>,
    /// Payload bytes that wait; 16 MiB.
    pub mailbox_bytes: Option<u64>,
    /// One payload, in or out; 4 MiB.
    pub payload_bytes: Option<u64>,
}

/// [`Limits`] with every default filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResolvedLimits {
    pub memory_bytes: u64,
    pub table_elements: u64,
    pub handles: u64,
    pub mailbox_messages: u64,
    pub mailbox_bytes: u64,
    pub payload_bytes: u64,
    pub sockets: u64,
}

/// Sockets of one actor at once, where a policy does not say less.
const SOCKETS: u64 = 64;

impl ResolvedLimits {
    /// The smaller of each, of these and those of a policy.
    pub(crate) fn within(self, policy: &PolicyLimits) -> Result<Self> {
        let unsupported = [("stack", policy.stack_bytes), ("files", policy.files)];
        if let Some((which, _)) = unsupported.iter().find(|(_, given)| given.is_some()) {
            let text = format!("the policy's limit of {which} cannot be set in this version: leave it out");
            return Err(Error::new(Code::Unsupported, text).with("which", *which));
        }
        let smaller = |own: u64, policy: Option<u64>| own.min(policy.unwrap_or(UNLIMITED));
        Ok(Self {
            memory_bytes: smaller(self.memory_bytes, policy.memory_bytes),
            table_elements: smaller(self.table_elements, policy.table_elements),
            handles: smaller(self.handles, policy.handles),
            mailbox_messages: smaller(self.mailbox_messages, policy.mailbox_messages),
            mailbox_bytes: smaller(self.mailbox_bytes, policy.mailbox_bytes),
            payload_bytes: smaller(self.payload_bytes, policy.payload_bytes),
            sockets: smaller(self.sockets, policy.sockets),
        })
    }
}

impl ResolvedBudget {
    /// The smaller of each, of this and that of a policy.
    pub(crate) fn within(self, policy: &PolicyBudget) -> Self {
        let smaller = |own: u64, policy: Option<u64>| own.min(policy.unwrap_or(UNLIMITED));
        Self {
            cpu_ms: smaller(self.cpu_ms, policy.cpu_ms),
            wall_ms: smaller(self.wall_ms, policy.wall_ms),
            output_bytes: smaller(self.output_bytes, policy.output_bytes),
            host_calls: smaller(self.host_calls, policy.host_calls),
        }
    }
}

impl Limits {
    pub(crate) fn resolve(&self) -> Result<ResolvedLimits> {
        Ok(ResolvedLimits {
            memory_bytes: count("memory_bytes", self.memory_bytes, 128 << 20)?,
            table_elements: count("table_elements", self.table_elements, 100_000)?,
            handles: count("handles", self.handles, 1_024)?,
            mailbox_messages: count("mailbox_messages", self.mailbox_messages, 1_000)?,
            mailbox_bytes: count("mailbox_bytes", self.mailbox_bytes, 16 << 20)?,
            payload_bytes: count("payload_bytes", self.payload_bytes, 4 << 20)?,
            sockets: SOCKETS,
        })
    }
}

/// What one message may use; `None` is the default, [`UNLIMITED`] or `Duration::MAX` takes the bound away, 0 is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Time that the guest computes; 1 s.
    pub cpu: Option<Duration>,
    /// Time from the start of handling to its end, asleep or not; 30 s.
    pub wall: Option<Duration>,
    /// Instructions. `UNSUPPORTED` in this version unless absent.
    pub fuel: Option<u64>,
    /// Bytes of the reply, of messages sent, and of what goes to the network; 16 MiB.
    pub output_bytes: Option<u64>,
    /// Calls into the host; 100,000.
    pub host_calls: Option<u64>,
}

/// [`Budget`] with every default filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResolvedBudget {
    pub cpu_ms: u64,
    pub wall_ms: u64,
    pub output_bytes: u64,
    pub host_calls: u64,
}

impl Budget {
    pub(crate) fn resolve(&self) -> Result<ResolvedBudget> {
        if self.fuel.is_some_and(|fuel| fuel != UNLIMITED) {
            return Err(Error::new(
                Code::Unsupported,
                "budget fuel is not counted in this version: use cpu_ms",
            ));
        }
        Ok(ResolvedBudget {
            cpu_ms: count("cpu_ms", self.cpu.map(millis), 1_000)?,
            wall_ms: count("wall_ms", self.wall.map(millis), 30_000)?,
            output_bytes: count("output_bytes", self.output_bytes, 16 << 20)?,
            host_calls: count("host_calls", self.host_calls, 100_000)?,
        })
    }
}

/// Whole milliseconds, rounded up, so that a short bound never becomes none.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(UNLIMITED)
}

fn count(which: &str, given: Option<u64>, default: u64) -> Result<u64> {
    match given {
        Some(0) => Err(Error::argument(which, "0 is not a bound; leave it out for the default")),
        given => Ok(given.unwrap_or(default)),
    }
}
