//! What one instance may hold and what one message may use.

use std::time::Duration;

use airwasm::UNLIMITED;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;

use crate::errors::argument;

macro_rules! bounds {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* })*) => {$(
        $(#[$doc])*
        #[pyclass(frozen, get_all, eq, module = "airwasm", weakref)]
        #[derive(Clone, Copy, PartialEq)]
        pub struct $name { $($(#[$field_doc])* pub $field: Option<u64>,)* }

        #[pymethods]
        impl $name {
            #[new]
            // One keyword a bound.
            #[allow(clippy::too_many_arguments)]
            #[pyo3(signature = (*, $($field = None),*))]
            fn new($($field: Option<&Bound<'_, PyAny>>),*) -> PyResult<Self> {
                Ok(Self { $($field: bound(stringify!($field), $field)?,)* })
            }

            fn __repr__(&self) -> String {
                let fields = [$(self.$field.map(|value| format!("{}={value}", stringify!($field))),)*];
                format!("{}({})", stringify!($name), fields.into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
        }
    )*};
}

bounds! {
    /// What one instance may hold at once; `None` is the core's default, `UNLIMITED` takes the bound away.
    Limits {
        /// All linear memories together.
        memory_bytes,
        /// All tables together.
        table_elements,
        /// Host resources at once.
        handles,
        /// Messages that wait.
        mailbox_messages,
        /// Payload bytes that wait.
        mailbox_bytes,
        /// One payload, in or out.
        payload_bytes,
        /// Percent of one processor over each 100 ms; a guest that has used it up waits.
        cpu_percent,
        /// Bytes written to files over all lives of an actor. What was overwritten or removed is not given back.
        written_bytes,
        /// All regions that an actor has made and that are not removed.
        region_bytes,
    }

    /// What one message may use; `None` is the core's default, `UNLIMITED` takes the bound away.
    Budget {
        /// Milliseconds that the guest computes.
        cpu_ms,
        /// Milliseconds from the start of handling to its end, asleep or not.
        wall_ms,
        /// Instructions.
        fuel,
        /// Bytes of the reply and of messages sent.
        output_bytes,
        /// Calls into the host.
        host_calls,
    }
}

impl From<Limits> for airwasm::Limits {
    fn from(limits: Limits) -> Self {
        let Limits {
            memory_bytes,
            table_elements,
            handles,
            mailbox_messages,
            mailbox_bytes,
            payload_bytes,
            cpu_percent,
            written_bytes,
            region_bytes,
        } = limits;
        Self {
            memory_bytes,
            table_elements,
            handles,
            mailbox_messages,
            mailbox_bytes,
            payload_bytes,
            cpu_percent,
            written_bytes,
            region_bytes,
        }
    }
}

impl From<Budget> for airwasm::Budget {
    fn from(budget: Budget) -> Self {
        let Budget { cpu_ms, wall_ms, fuel, output_bytes, host_calls } = budget;
        Self { cpu: cpu_ms.map(millis), wall: wall_ms.map(millis), fuel, output_bytes, host_calls }
    }
}

/// Milliseconds as a duration, `UNLIMITED` as the longest.
pub fn millis(ms: u64) -> Duration {
    if ms == UNLIMITED { Duration::MAX } else { Duration::from_millis(ms) }
}

/// A bound; one that no core type holds is `InvalidArgument`, another type a `TypeError`.
pub fn bound(which: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<u64>> {
    number(which, value, "a count from 1 to 2**64 - 1 is needed")
}

/// The same where 0 means something.
pub fn amount(which: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<u64>> {
    number(which, value, "a count from 0 to 2**64 - 1 is needed")
}

fn number(which: &str, value: Option<&Bound<'_, PyAny>>, needed: &str) -> PyResult<Option<u64>> {
    let Some(value) = value else { return Ok(None) };
    match value.extract() {
        Ok(count) => Ok(Some(count)),
        Err(why) if why.is_instance_of::<PyOverflowError>(value.py()) => {
            Err(argument(value.py(), which, needed))
        }
        Err(why) => Err(why),
    }
}
