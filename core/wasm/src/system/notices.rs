//! What the runtime notices becomes events, and the directory follows.

use std::sync::Arc;
use std::time::Duration;

use airssys_rt::{ActorId, Exit, Notice};
use serde_json::{Map, Value, json};

use super::directory::Directory;
use super::{Grants, Inner};
use crate::host::hub::Hub;
use crate::types::event::detail;
use crate::types::letter::cause_error;

/// Called by the runtime before it answers anybody, so that a caller that sees an error can read its event.
pub(super) fn observer(
    directory: Arc<Directory>,
    hub: Arc<Hub>,
    grants: Grants,
) -> Box<dyn Fn(Notice<'_>) + Send + Sync> {
    Box::new(move |notice| {
        match &notice {
            Notice::Stopped { id, exit, kept: false, .. } => forget(&directory, &grants, id, exit),
            Notice::Removed { id, exit } => forget(&directory, &grants, id, exit),
            _ => {}
        }
        tell(&hub, &notice);
    })
}

/// The actor is gone: its id is free, its grants and regions are no more.
fn forget(directory: &Directory, grants: &Grants, id: &ActorId, exit: &Exit) {
    let Some(resident) = directory.leave(id, exit) else { return };
    resident.regions.end();
    // What it handed on ends with it, and nothing more is given to it from here on.
    resident.grants.close();
    for (_, grant) in resident.given() {
        grants.remove(&grant.raw());
    }
}

impl Inner {
    /// The same for an actor that never reached the runtime.
    pub(super) fn forget(&self, id: &ActorId, exit: &Exit) {
        forget(&self.directory, &self.grants, id, exit);
    }
}

fn tell(hub: &Hub, notice: &Notice<'_>) {
    match notice {
        Notice::Started { id } => hub.tell("actor.started", Some(id.as_str()), Map::new),
        Notice::Restarted { id, restarts } => {
            hub.tell("actor.restarted", Some(id.as_str()), || detail("restarts", *restarts));
        }
        Notice::Crashed { id, exit, restart_in } => hub.tell("actor.crashed", Some(id.as_str()), || {
            let mut facts = exit_facts(exit);
            if let Some(after) = restart_in {
                facts.insert("restart_in_ms".to_owned(), json!(millis(*after)));
            }
            facts
        }),
        Notice::GaveUp { id, child, restarts, period, exit } => {
            hub.tell("supervisor.gave_up", Some(id.as_str()), || {
                let mut facts = exit_facts(exit);
                facts.insert("child".to_owned(), json!(child.as_str()));
                facts.insert("restarts".to_owned(), json!(restarts));
                facts.insert("period_ms".to_owned(), json!(millis(*period)));
                facts
            });
        }
        Notice::Stopped { id, exit, was_up: true, .. } => {
            hub.tell("actor.stopped", Some(id.as_str()), || detail("reason", exit.to_string()));
        }
        Notice::Stopped { was_up: false, .. } | Notice::Removed { .. } => {}
        // Each of them is told by whoever keeps it.
        Notice::DeadLetters { .. } => {}
    }
}

/// Whole milliseconds, where a time beyond all clocks is the longest.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn exit_facts(exit: &Exit) -> Map<String, Value> {
    match exit {
        Exit::Crash(cause) => cause_error(cause).to_event_detail(),
        other => detail("reason", other.to_string()),
    }
}
