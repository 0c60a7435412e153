//! What one instance may hold and what one message may use.

use std::time::Duration;

use airssys_osl::policy::{PolicyBudget, PolicyLimits};

use super::error::{Code, Error, Result};

/// No bound at all, for every field of [`Limits`] and for the counts of [`Budget`].
pub const UNLIMITED: u64 = u64::MAX;

/// Files that an actor has open at once, unless the policy says otherwise.
const FILES: u64 = 64;
/// Sockets that an actor has open at once, unless the policy says otherwise.
const SOCKETS: u64 = 64;
/// Programs that run for an actor at once, unless the policy says otherwise.
const PROCESSES: u64 = 4;

/// What one instance may hold at once; `None` is the default, [`UNLIMITED`] takes the bound away, 0 is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// All linear memories of one instance together; 128 MiB. Each exchange of http runs in an instance of its own, up to
    /// 16 at once; so with `table_elements` and `handles`.
    pub memory_bytes: Option<u64>,
    /// All tables together; 100,000.
    pub table_elements: Option<u64>,
    /// Resources at once, of the host and of the guest's own; 1,024, and at most 100,000.
    pub handles: Option<u64>,
    /// Messages that wait; 1,000.
    pub mailbox_messages: Option<u64>,
    /// Payload bytes that wait; 16 MiB.
    pub mailbox_bytes: Option<u64>,
    /// One payload, in or out; 4 MiB.
    pub payload_bytes: Option<u64>,
    /// Percent of one processor, 1 to 100, over each 100 ms and all lives of the actor; no bound. A guest that has used its
    /// share up waits for the next 100 ms, whatever its budget; its wall time goes on.
    pub cpu_percent: Option<u64>,
    /// Bytes written to files over all lives of an actor; 1 GiB. What was overwritten or removed is not given back.
    pub written_bytes: Option<u64>,
    /// All regions that an actor has made and that are not removed; 16 MiB. They outlive its restarts.
    pub region_bytes: Option<u64>,
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
    /// [`UNLIMITED`], or up to 100.
    pub cpu_percent: u64,
    /// Files open at once.
    pub files: u64,
    /// Sockets open at once.
    pub sockets: u64,
    /// Programs that run at once.
    pub processes: u64,
    pub written_bytes: u64,
    /// All regions of an actor together.
    pub region_bytes: u64,
}

impl ResolvedLimits {
    /// The smaller of each, of these and those of a policy.
    pub(crate) fn within(self, policy: &PolicyLimits) -> Result<Self> {
        if policy.stack_bytes.is_some() {
            let text = "the policy's limit of stack cannot be set in this version: leave it out";
            return Err(Error::new(Code::Unsupported, text).with("which", "stack"));
        }
        let smaller = |own: u64, policy: Option<u64>| own.min(policy.unwrap_or(UNLIMITED));
        Ok(Self {
            memory_bytes: smaller(self.memory_bytes, policy.memory_bytes),
            table_elements: smaller(self.table_elements, policy.table_elements),
            handles: smaller(self.handles, policy.handles),
            mailbox_messages: smaller(self.mailbox_messages, policy.mailbox_messages),
            mailbox_bytes: smaller(self.mailbox_bytes, policy.mailbox_bytes),
            payload_bytes: smaller(self.payload_bytes, policy.payload_bytes),
            cpu_percent: smaller(self.cpu_percent, policy.cpu_percent),
            // No spec sets these, so the policy may raise them as well.
            files: policy.files.unwrap_or(self.files),
            sockets: policy.sockets.unwrap_or(self.sockets),
            processes: policy.processes.unwrap_or(self.processes),
            written_bytes: smaller(self.written_bytes, policy.written_bytes),
            region_bytes: smaller(self.region_bytes, policy.region_bytes),
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
            // No policy says it, for it is of systems that count it.
            fuel: self.fuel,
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
            cpu_percent: percent("cpu_percent", self.cpu_percent)?,
            files: FILES,
            sockets: SOCKETS,
            processes: PROCESSES,
            written_bytes: count("written_bytes", self.written_bytes, 1 << 30)?,
            region_bytes: count("region_bytes", self.region_bytes, 16 << 20)?,
        })
    }
}

/// What one message may use; `None` is the default, [`UNLIMITED`] or `Duration::MAX` takes the bound away, 0 is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Time that the guest computes; 1 s. Of this, `host_calls` and `output_bytes` what others use while they work on a
    /// request of the guest counts as well, and ends this guest, not them.
    pub cpu: Option<Duration>,
    /// Time from the start of handling to its end, asleep or not; 30 s.
    pub wall: Option<Duration>,
    /// Fuel: about one a WebAssembly instruction, the same for the same message in the same state; no bound. Only in a system
    /// with [`Config::fuel`](crate::Config::fuel). What others use for a request of the guest counts as with `cpu`. It is
    /// exceeded by no more than the straight code up to the next function or turn of a loop, and by what others use for the
    /// guest until they pause.
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
    pub fuel: u64,
}

impl Budget {
    pub(crate) fn resolve(&self) -> Result<ResolvedBudget> {
        Ok(ResolvedBudget {
            cpu_ms: count("cpu_ms", self.cpu.map(millis), 1_000)?,
            wall_ms: count("wall_ms", self.wall.map(millis), 30_000)?,
            output_bytes: count("output_bytes", self.output_bytes, 16 << 20)?,
            host_calls: count("host_calls", self.host_calls, 100_000)?,
            fuel: count("fuel", self.fuel, UNLIMITED)?,
        })
    }
}

/// Whole milliseconds, rounded up, so that a short bound never becomes none.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(UNLIMITED)
}

/// At most 100, for a guest runs on one processor at a time.
fn percent(which: &str, given: Option<u64>) -> Result<u64> {
    match count(which, given, UNLIMITED)? {
        percent if percent <= 100 || percent == UNLIMITED => Ok(percent),
        more => Err(Error::argument(which, format!("{more} is more than 100, all of one processor"))),
    }
}

fn count(which: &str, given: Option<u64>, default: u64) -> Result<u64> {
    match given {
        Some(0) => Err(Error::argument(which, "0 is not a bound; leave it out for the default")),
        given => Ok(given.unwrap_or(default)),
    }
}
