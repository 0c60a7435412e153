//! Monitors and links.

use super::System;
use super::operation::Operation;
use crate::types::error::{Error, Result};
use crate::types::handle::ActorHandle;
use crate::types::letter::cause_error;
use crate::types::supervisor::Down;

impl System {
    /// Blocks until the life at hand of an actor or supervisor ends, and tells how. `CYCLE` in what must end first.
    pub fn monitor(&self, actor: ActorHandle) -> Result<Down> {
        self.monitor_async(actor).wait()
    }

    /// [`monitor`](System::monitor) without blocking.
    pub fn monitor_async(&self, actor: ActorHandle) -> Operation<Down> {
        let begin = || {
            let inner = self.open_inner()?;
            let resident = inner.directory.resident(actor)?;
            let down = inner.runtime.down(resident.rt_handle()?);
            let down = down.map_err(|error| resident.explain(error))?;
            let seen = down.map(|down| down.map(|down| seen(&down)).map_err(Error::from));
            Ok(Operation::new(seen, Some(resident.id.clone()), &inner.tickets))
        };
        begin().unwrap_or_else(|error| self.failed(error))
    }

    /// Links two actors: when the life of one ends badly, so does that of the other. A link ends with either life.
    pub fn link(&self, one: ActorHandle, other: ActorHandle) -> Result<()> {
        let inner = self.open_inner()?;
        let (first, second) = (inner.directory.resident(one)?, inner.directory.resident(other)?);
        let (from, to) = (first.rt_handle()?, second.rt_handle()?);
        inner.runtime.link(from, to).map_err(|error| {
            // The one that cannot be linked is the one that is down.
            let is_down =
                |handle| inner.runtime.status(handle).is_none_or(|status| status.state == "stopped");
            if is_down(to) { second.explain(error) } else { first.explain(error) }
        })
    }

    /// Undoes a link; nothing if there is none.
    pub fn unlink(&self, one: ActorHandle, other: ActorHandle) -> Result<()> {
        let inner = self.open_inner()?;
        let (first, second) = (inner.directory.resident(one)?, inner.directory.resident(other)?);
        inner.runtime.unlink(first.rt_handle()?, second.rt_handle()?);
        Ok(())
    }
}

fn seen(down: &airssys_rt::Down) -> Down {
    let error = match &down.exit {
        airssys_rt::Exit::Crash(cause) => Some(cause_error(cause)),
        _ => None,
    };
    Down { id: down.id.to_string(), reason: down.exit.to_string(), error, restarting: down.restarting }
}
