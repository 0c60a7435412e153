//! What a system tells about itself, as plain records.

use pyo3::prelude::*;

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        #[pyclass(frozen, get_all, eq, module = "airwasm", weakref)]
        #[derive(PartialEq)]
        pub struct $name { $($(#[$field_doc])* $field: $kind,)* }

        impl From<airwasm::$name> for $name {
            fn from(facts: airwasm::$name) -> Self {
                Self { $($field: facts.$field,)* }
            }
        }

        #[pymethods]
        impl $name {
            fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
                $crate::info::shown(slf, stringify!($name), &[$(stringify!($field)),*])
            }
        }
    )*};
}

pub(crate) use records;

/// A record with its fields as Python writes them.
pub fn shown(record: &Bound<'_, PyAny>, name: &str, fields: &[&str]) -> PyResult<String> {
    let value = |field: &&str| Ok(format!("{field}={}", record.getattr(*field)?.repr()?));
    let fields = fields.iter().map(value).collect::<PyResult<Vec<_>>>()?;
    Ok(format!("{name}({})", fields.join(", ")))
}

records! {
    /// What an actor or supervisor is doing.
    ActorStatus {
        /// The three-part id.
        id: String,
        /// `starting`, `running`, `restarting`, `stopping`, `stopped` or `abandoned`.
        state: String,
        /// Messages that wait.
        mailbox_messages: u64,
        /// Messages handed to it, over all restarts.
        handled: u64,
        /// How often it was restarted.
        restarts: u64,
        /// How its last life ended, as in `shutdown`, if one has.
        last_exit: Option<String>,
        /// Milliseconds that its code has run.
        busy_ms: u64,
        /// Where it serves http, while it does.
        listening: Option<String>,
    }

    /// Counters of a system; messages sent = delivered + rejected + dropped + dead letters + those that wait.
    Stats {
        /// Loaded components.
        components: u64,
        /// Live actors.
        actors: u64,
        /// Messages that were offered to a mailbox.
        sent: u64,
        /// Messages that reached a handler.
        delivered: u64,
        /// Messages that a full or closed mailbox refused.
        rejected: u64,
        /// Messages that were taken back before they were handled.
        dropped: u64,
        /// Messages whose actor stopped before they were handled.
        dead_letters: u64,
        /// Restarts.
        restarts: u64,
        /// Denied checks.
        denied: u64,
        /// Regions.
        regions: u64,
        /// Bytes of all regions together.
        region_bytes: u64,
    }

    /// Memory that actors and the host program share by its name.
    RegionInfo {
        /// The name.
        name: String,
        /// How many bytes it has.
        bytes: u64,
        /// The three-part id of the actor that made it; `None` for one of the host program.
        owner: Option<String>,
        /// How often guests have it open.
        open: u64,
    }

    /// What a close had to do.
    CloseReport {
        /// Actors that stopped in time.
        stopped: u64,
        /// Actors that were killed at the deadline.
        killed: u64,
        /// Messages that were still queued.
        dead_letters: u64,
    }
}
