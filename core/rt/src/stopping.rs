//! Stopping whole trees by a deadline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::exit::Exit;
use crate::node::{Ending, Node};
use crate::promise::Done;

/// How long those that are killed are waited for.
const KILLED_GONE: Duration = Duration::from_secs(5);

/// What became of those that were stopped together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// Those that ended in time, supervisors among them.
    pub stopped: u64,
    /// Those that were killed at the deadline.
    pub killed: u64,
}

impl Stopped {
    pub(crate) fn add(&mut self, other: Stopped) {
        self.stopped += other.stopped;
        self.killed += other.killed;
    }
}

/// Stops one tree, and kills it at the deadline.
pub(crate) async fn stop_root(root: Arc<dyn Node>, deadline: Instant) -> Stopped {
    // What was down before is not what this has stopped.
    let mut nodes = crate::tree::all(&root);
    nodes.retain(|node| !node.is_stopped());
    let (done, mut down) = Done::promise::<Error>();
    let grace = deadline.saturating_duration_since(Instant::now());
    root.clone().stop(Ending::Stop(None), Some(done));
    if tokio::time::timeout(grace, &mut down).await.is_err() {
        root.end(Ending::Kill);
        // One that cannot be told is gone all the same: nobody waits for ever.
        let _ = tokio::time::timeout(KILLED_GONE, down).await;
    }
    let mut stopped = Stopped::default();
    for node in nodes.iter().filter(|node| !node.is_hidden()) {
        match node.status().last_exit {
            Some(Exit::Killed) => stopped.killed += 1,
            _ => stopped.stopped += 1,
        }
    }
    stopped
}
