//! Steps about what is around the actors: events, counters, files, the end.

use std::time::Duration;

use airwasm::{CompileHelper, Config, System};

use crate::step::{Step, same};
use crate::world::{Fault, Outcome, World};

impl World {
    pub fn event(&mut self, step: &mut Step) -> Outcome {
        let kind = step.need("kind");
        let of = match step.text("of") {
            None => None,
            Some(name) if name.contains('/') => Some(name),
            Some(name) => Some(self.actors.get(&name).map_or(Ok(name), |actor| self.system.id(*actor))?),
        };
        let within = Duration::from_millis(step.count("within_ms").unwrap_or(5_000));
        let until = std::time::Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(std::time::Instant::now());
            let next = self.events.next_async().wait_for(left);
            let Some(Ok(Some(event))) = next else { return Err(format!("no event {kind} of {of:?}").into()) };
            if event.kind == kind && (of.is_none() || event.actor == of) {
                let Some(key) = step.text("expect_key") else { return Ok(()) };
                let got = event
                    .detail
                    .get(&key)
                    .map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
                return Ok(same(&key, Some(step.need("expect_value")), got)?);
            }
        }
    }

    pub fn stat(&mut self, step: &mut Step) -> Outcome {
        let stats = self.system.stats()?;
        let name = step.need("name");
        let got = match name.as_str() {
            "components" => stats.components,
            "actors" => stats.actors,
            "sent" => stats.sent,
            "delivered" => stats.delivered,
            "rejected" => stats.rejected,
            "dropped" => stats.dropped,
            "dead_letters" => stats.dead_letters,
            "restarts" => stats.restarts,
            "denied" => stats.denied,
            "regions" => stats.regions,
            "region_bytes" => stats.region_bytes,
            other => return Err(format!("no counter {other}").into()),
        };
        Ok(same(&name, step.count("expect_count").expect("expect_count"), got)?)
    }

    pub fn file(&mut self, op: &str, step: &mut Step) -> Outcome {
        let path = std::path::PathBuf::from(step.need("path"));
        std::fs::create_dir_all(path.parent().expect("a path in the folder")).expect("a writable folder");
        match op {
            "file" => std::fs::write(&path, step.need("text")),
            _ => std::os::unix::fs::symlink(step.need("target"), &path),
        }
        .map_err(|why| Fault::Expectation(why.to_string()))
    }

    pub fn keys(&mut self, op: &str, step: &mut Step) -> Outcome {
        let space = step.need("namespace");
        if op == "kv_list" {
            let keys = self.system.kv_list(&space, None)?.keys.join(" ");
            return Ok(same("keys", step.need("expect_ids"), keys)?);
        }
        let key = step.need("key");
        match op {
            "kv_set" => Ok(self.system.kv_set(&space, &key, step.need("text").as_bytes())?),
            "kv_delete" => {
                Ok(same("found", step.flag("expect_found"), Some(self.system.kv_delete(&space, &key)?))?)
            }
            _ => {
                let value = self.system.kv_get(&space, &key)?;
                let text = value.map(|value| String::from_utf8_lossy(&value).into_owned());
                Ok(same("value", step.text("expect_text"), text)?)
            }
        }
    }

    /// Closes the system and opens another one.
    pub fn reopen(&mut self, step: &mut Step) -> Outcome {
        self.system.close(None)?;
        let helper = CompileHelper { command: airwasm_tests::compile_helper(), ..CompileHelper::default() };
        self.system = System::open(Config {
            kv: step.text("kv").map(Into::into),
            fuel: step.flag("counts_fuel").unwrap_or_default(),
            compile_helper: step.flag("helper").unwrap_or_default().then_some(helper),
            ..Config::default()
        })?;
        self.events = self.system.events("*")?;
        self.components.clear();
        self.actors.clear();
        self.grants.clear();
        Ok(())
    }

    pub fn close(&mut self, step: &mut Step) -> Outcome {
        let report = self.system.close(None)?;
        step.count("expect_stopped").map_or(Ok(()), |count| same("stopped", count, report.stopped))?;
        step.count("expect_dead_letters")
            .map_or(Ok(()), |count| same("dead letters", count, report.dead_letters))?;
        Ok(())
    }
}
