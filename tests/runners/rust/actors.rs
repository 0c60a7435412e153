//! Steps that spawn, find and end actors.

use std::time::{Duration, Instant};

use airwasm::{ActorHandle, ActorSpec, HostExecutor};

use crate::behaviours;
use crate::specs::{guest_spec, host_spec, service_spec};
use crate::step::{Step, same};
use crate::supervisors::same_ids;
use crate::world::{Outcome, World};

/// How long `handled` waits.
const HANDLED_WITHIN: Duration = Duration::from_secs(20);

impl World {
    pub fn actor_step(&mut self, op: &str, step: &mut Step) -> Outcome {
        match op {
            "spawn" => {
                let component = Some(self.component(&step.need("component"))?);
                let actor = self.system.spawn(ActorSpec { component, ..guest_spec(step)? })?;
                self.keep_actor(step, actor)
            }
            "spawn_host" => {
                let handler = behaviours::handler(step.need("behaviour"), self.place());
                let (spec, executor) = (host_spec(step)?, HostExecutor::Callback);
                let actor = self.system.spawn_host_deferred(spec, executor, handler)?;
                self.keep_actor(step, actor)
            }
            "spawn_files" => {
                let actor = self.system.spawn_files(service_spec(step)?)?;
                self.keep_actor(step, actor)
            }
            "spawn_processes" => {
                let actor = self.system.spawn_processes(service_spec(step)?)?;
                self.keep_actor(step, actor)
            }
            "lookup" => {
                let actor = self.system.lookup(&step.need("id"))?;
                self.keep_actor(step, actor)
            }
            "list" => {
                let found = self.system.list(step.text("pattern").as_deref())?;
                same_ids(step, found.into_iter().map(|status| status.id))
            }
            "stop" => Ok(self.system.stop(self.actor(step, "to")?, None)?),
            "kill" => Ok(self.system.kill(self.actor(step, "to")?)?),
            "handled" => self.handled(step),
            _ => self.status(step),
        }
    }

    fn keep_actor(&mut self, step: &mut Step, actor: ActorHandle) -> Outcome {
        if let Some(id) = step.text("expect_id") {
            same("id", id, self.system.id(actor)?)?;
        }
        if let Some(alias) = step.text("as") {
            self.actors.insert(alias, actor);
        }
        Ok(())
    }

    fn status(&mut self, step: &mut Step) -> Outcome {
        let status = self.system.status(self.actor(step, "of")?)?;
        step.text("expect_state").map_or(Ok(()), |state| same("state", state, status.state))?;
        let listening = step.text("expect_listening");
        listening.map_or(Ok(()), |at| same("listening", at, status.listening.unwrap_or_default()))?;
        step.count("expect_restarts").map_or(Ok(()), |count| same("restarts", count, status.restarts))?;
        Ok(step.count("expect_handled").map_or(Ok(()), |count| same("handled", count, status.handled))?)
    }

    fn handled(&mut self, step: &mut Step) -> Outcome {
        let actor = self.actor(step, "of")?;
        let expected = step.count("expect_count").expect("expect_count");
        let until = Instant::now() + HANDLED_WITHIN;
        loop {
            let handled = self.system.status(actor)?.handled;
            if handled == expected || Instant::now() >= until {
                return Ok(same("handled", expected, handled)?);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
