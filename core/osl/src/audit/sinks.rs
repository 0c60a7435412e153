use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, dispatcher};

use super::config::Sink;
use super::record::{Decision, Record};

const MEMORY_RECORDS_MAX: usize = 1_000;

/// Where records go apart from the file.
pub(crate) struct Sinks {
    stderr: bool,
    memory: bool,
    tracing: Option<Dispatch>,
}

/// The last records, oldest first.
#[derive(Default)]
pub(crate) struct Memory(Mutex<VecDeque<Record>>);

impl Memory {
    pub fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn keep(&self, records: &[Record]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = &records[records.len().saturating_sub(MEMORY_RECORDS_MAX)..];
        let surplus = (kept.len() + new.len()).saturating_sub(MEMORY_RECORDS_MAX);
        kept.drain(..surplus);
        kept.extend(new.iter().cloned());
    }
}

impl Sinks {
    /// Takes the subscriber that is in force on this thread.
    pub fn new(sinks: &[Sink]) -> Self {
        Self {
            stderr: sinks.contains(&Sink::Stderr),
            memory: sinks.contains(&Sink::Memory),
            tracing: sinks.contains(&Sink::Tracing).then(|| dispatcher::get_default(Dispatch::clone)),
        }
    }

    /// Hands the records on; an error is that of the standard error stream.
    pub fn tell(&self, records: &[Record], memory: &Memory) -> io::Result<()> {
        if self.memory {
            memory.keep(records);
        }
        match &self.tracing {
            // Nobody listened when the audit was opened; a global subscriber may by now.
            Some(dispatch) if dispatch.is::<NoSubscriber>() => records.iter().for_each(event),
            Some(dispatch) => dispatcher::with_default(dispatch, || records.iter().for_each(event)),
            None => {}
        }
        if self.stderr {
            let mut stderr = io::stderr().lock();
            for record in records {
                writeln!(stderr, "{}", record.to_json())?;
            }
        }
        Ok(())
    }
}

fn event(record: &Record) {
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(
                target: "airssys_osl::audit",
                tracing::Level::$level,
                seq = record.seq,
                actor = &*record.actor,
                operation = record.operation.name(),
                capability = &*record.capability,
                function = record.function.as_str(),
                grant = record.grant,
                rule = record.rule.as_deref(),
                id = record.id,
                duration_us = record.duration_us,
                outcome = record.outcome.as_deref(),
                count = record.counts.values().next(),
                "{}",
                if record.decision == Decision::Deny { "denied" } else { "allowed" }
            )
        };
    }
    match record.decision {
        Decision::Deny => event!(WARN),
        Decision::Allow => event!(INFO),
    }
}
