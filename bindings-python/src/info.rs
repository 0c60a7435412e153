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
            fn __repr__(&self) -> String {
                let fields = [$(format!("{}={:?}", stringify!($field), self.$field),)*];
                format!("{}({})", stringify!($name), fields.join(", "))
            }
        }
    )*};
}

records! {
    /// What an actor is doing.
    ActorStatus {
        /// The three-part id.
        id: String,
        /// `starting`, `running`, `restarting`, `stopping` or `stopped`.
        state: String,
        /// Messages that wait.
        mailbox_messages: u64,
        /// Messages handled, over all restarts.
        handled: u64,
        /// How often it was restarted.
        restarts: u64,
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
