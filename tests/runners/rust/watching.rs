//! Steps about monitors and links.

use crate::step::{Step, same};
use crate::world::{Outcome, World};

impl World {
    pub fn watching(&mut self, op: &str, step: &mut Step) -> Outcome {
        match op {
            "monitor_start" => {
                let actor = self.actor(step, "of")?;
                self.monitors.insert(step.need("as"), self.system.monitor_async(actor));
                Ok(())
            }
            "monitor_await" => self.monitor_await(step),
            _ => {
                let (one, other) = (self.actor(step, "of")?, self.actor(step, "to")?);
                let done = match op {
                    "link" => self.system.link(one, other),
                    _ => self.system.unlink(one, other),
                };
                Ok(done?)
            }
        }
    }

    fn monitor_await(&mut self, step: &mut Step) -> Outcome {
        let name = step.need("monitor");
        let Some(monitor) = self.monitors.remove(&name) else {
            return Err(format!("no monitor {name}").into());
        };
        let down = monitor.wait()?;
        step.text("expect_reason").map_or(Ok(()), |reason| same("reason", reason, down.reason))?;
        let restarting = step.flag("expect_restarting");
        restarting.map_or(Ok(()), |expected| same("restarting", expected, down.restarting))?;
        let code = down.error.map(|error| error.code.name());
        Ok(step.text("expect_code").map_or(Ok(()), |expected| same("code", Some(expected.as_str()), code))?)
    }
}
