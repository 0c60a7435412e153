use super::shape::Unit;

/// What a policy lets one instance hold at once; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyLimits {
    /// All linear memories together.
    pub memory_bytes: Option<u64>,
    /// The stack of the guest.
    pub stack_bytes: Option<u64>,
    /// All tables together.
    pub table_elements: Option<u64>,
    /// Host resources at once.
    pub handles: Option<u64>,
    /// Messages that wait.
    pub mailbox_messages: Option<u64>,
    /// Payload bytes that wait.
    pub mailbox_bytes: Option<u64>,
    /// One payload, in or out.
    pub payload_bytes: Option<u64>,
    /// Open files.
    pub files: Option<u64>,
    /// Open sockets.
    pub sockets: Option<u64>,
    /// Running processes.
    pub processes: Option<u64>,
    /// Percent of one processor.
    pub cpu_percent: Option<u64>,
    /// Bytes written to files, over all lives of an actor.
    pub written_bytes: Option<u64>,
    /// All regions that an actor has made.
    pub region_bytes: Option<u64>,
}

/// What a policy lets one message use; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyBudget {
    /// Time that the guest computes.
    pub cpu_ms: Option<u64>,
    /// Time from the start of handling to its end.
    pub wall_ms: Option<u64>,
    /// Bytes of the reply and of messages sent.
    pub output_bytes: Option<u64>,
    /// Calls into the host.
    pub host_calls: Option<u64>,
}

/// One bound of a group `T`: its key in the file, what it counts, and where it is kept.
pub(super) struct Bound<T: 'static> {
    pub key: &'static str,
    pub unit: Unit,
    pub doc: &'static str,
    slot: fn(&mut T) -> &mut Option<u64>,
}

/// A group of bounds, of which the smallest of each counts.
pub(super) trait Bounds: Copy + Default + 'static {
    /// The keys of the file, one for each field.
    const ALL: &'static [Bound<Self>];

    /// Keeps the smaller of each.
    fn tighten(&mut self, mut other: Self) {
        for bound in Self::ALL {
            let given = *(bound.slot)(&mut other);
            let slot = (bound.slot)(self);
            *slot = [*slot, given].into_iter().flatten().min();
        }
    }

    fn set(&mut self, bound: &Bound<Self>, value: u64) {
        *(bound.slot)(self) = Some(value);
    }
}

impl Bounds for PolicyLimits {
    #[rustfmt::skip]
    const ALL: &'static [Bound<Self>] = &[
        Bound { key: "memory", unit: Unit::Bytes, doc: "All linear memories together.", slot: |l| &mut l.memory_bytes },
        Bound { key: "stack", unit: Unit::Bytes, doc: "The stack of the guest.", slot: |l| &mut l.stack_bytes },
        Bound { key: "table_elements", unit: Unit::Count, doc: "All tables together.", slot: |l| &mut l.table_elements },
        Bound { key: "handles", unit: Unit::Count, doc: "Host resources at once.", slot: |l| &mut l.handles },
        Bound { key: "mailbox", unit: Unit::Count, doc: "Messages that wait.", slot: |l| &mut l.mailbox_messages },
        Bound { key: "mailbox_bytes", unit: Unit::Bytes, doc: "Payload bytes that wait.", slot: |l| &mut l.mailbox_bytes },
        Bound { key: "payload", unit: Unit::Bytes, doc: "One payload, in or out.", slot: |l| &mut l.payload_bytes },
        Bound { key: "files", unit: Unit::Count, doc: "Open files.", slot: |l| &mut l.files },
        Bound { key: "sockets", unit: Unit::Count, doc: "Open sockets.", slot: |l| &mut l.sockets },
        Bound { key: "processes", unit: Unit::Count, doc: "Running processes.", slot: |l| &mut l.processes },
        Bound { key: "cpu_percent", unit: Unit::Count, doc: "Percent of one processor over each 100 ms.", slot: |l| &mut l.cpu_percent },
        Bound { key: "written", unit: Unit::Bytes, doc: "Bytes written to files, over all lives of an actor.", slot: |l| &mut l.written_bytes },
        Bound { key: "region_bytes", unit: Unit::Bytes, doc: "All regions that an actor has made, together.", slot: |l| &mut l.region_bytes },
    ];
}

impl Bounds for PolicyBudget {
    #[rustfmt::skip]
    const ALL: &'static [Bound<Self>] = &[
        Bound { key: "cpu", unit: Unit::Time, doc: "Time that the guest computes.", slot: |b| &mut b.cpu_ms },
        Bound { key: "wall", unit: Unit::Time, doc: "Time from the start of handling to its end.", slot: |b| &mut b.wall_ms },
        Bound { key: "output", unit: Unit::Bytes, doc: "Bytes of the reply and of messages sent.", slot: |b| &mut b.output_bytes },
        Bound { key: "host_calls", unit: Unit::Count, doc: "Calls into the host.", slot: |b| &mut b.host_calls },
    ];
}
