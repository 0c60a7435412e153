//! What subscribers of `tracing` see: a span for each turn of an actor, and an event for each notice.

use tracing::span::EnteredSpan;
use tracing::{Level, debug, error, info, warn};

use crate::node::Core;
use crate::notice::Notice;

/// Whether anybody may listen at all; one atomic load where nobody does.
#[inline]
pub(crate) fn is_wanted() -> bool {
    tracing::level_enabled!(Level::ERROR)
}

/// The span `actor` around one turn, with the id of the actor that is polled, at level TRACE.
#[inline]
pub(crate) fn turn(core: &Core) -> Option<EnteredSpan> {
    tracing::level_enabled!(Level::TRACE)
        .then(|| tracing::trace_span!(target: "airssys_rt", "actor", id = %core.id_ref()).entered())
}

/// Tells a notice as an event.
#[cold]
pub(crate) fn tell(notice: &Notice<'_>) {
    match notice {
        Notice::Started { id } => debug!(target: "airssys_rt", %id, "started"),
        Notice::Restarted { id, restarts } => info!(target: "airssys_rt", %id, restarts, "restarted"),
        Notice::Crashed { id, exit, restart_in } => {
            warn!(target: "airssys_rt", %id, %exit, ?restart_in, "crashed");
        }
        Notice::GaveUp { id, child, restarts, period, exit } => {
            error!(target: "airssys_rt", %id, %child, restarts, ?period, %exit, "gave up");
        }
        Notice::Stopped { id, exit, kept, .. } => debug!(target: "airssys_rt", %id, %exit, kept, "stopped"),
        Notice::Removed { id, exit } => debug!(target: "airssys_rt", %id, %exit, "removed"),
        Notice::DeadLetters { id, count } => warn!(target: "airssys_rt", %id, count, "dead letters"),
    }
}
