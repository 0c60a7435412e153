//! How long one that was told to stop is waited for.

use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use crate::runtime::Shared;

/// The end of a stop's grace. A stop may be asked for by several: the earliest end counts.
// Boxed: most nodes are not being stopped.
#[derive(Default)]
pub(crate) struct Grace(Option<Box<(Instant, AbortHandle)>>);

impl Grace {
    /// Calls `kill` after this time, unless an earlier end is set already.
    pub(crate) fn shorten(&mut self, shared: &Shared, grace: Duration, kill: impl FnOnce() + Send + 'static) {
        // An end that no clock can name never comes.
        let Some(at) = Instant::now().checked_add(grace) else { return };
        if self.0.as_ref().is_some_and(|earlier| earlier.0 <= at) {
            return;
        }
        self.disarm();
        self.0 = Some(Box::new((at, shared.after(grace, kill))));
    }

    /// It is not waited for any more.
    pub(crate) fn disarm(&mut self) {
        if let Some(timer) = self.0.take() {
            timer.1.abort();
        }
    }
}
