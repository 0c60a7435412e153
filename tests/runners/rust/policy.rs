//! Steps about the policy.

use std::path::Path;

use crate::step::{Step, same};
use crate::world::{Outcome, World};

impl World {
    pub fn policy_step(&mut self, op: &str, step: &mut Step) -> Outcome {
        match op {
            "policy_load" => self.system.policy_load(Path::new(&step.need("path")))?,
            "policy_explain" => {
                let explained = self.system.policy_explain(&step.need("actor"), &step.need("capability"))?;
                step.flag("expect_allowed")
                    .map_or(Ok(()), |expected| same("allowed", expected, explained.allowed))?;
                if step.text("expect_text").is_some_and(|part| !explained.text.contains(&part)) {
                    return Err(format!("the text is {:?}", explained.text).into());
                }
                let line = explained.policy_line.unwrap_or_default();
                step.text("expect_policy_line").map_or(Ok(()), |expected| same("line", expected, line))?;
            }
            "policy_test" => {
                let report = self.system.policy_test()?;
                step.count("expect_passed").map_or(Ok(()), |count| same("passed", count, report.passed))?;
                let failed = report.failed.len() as u64;
                step.count("expect_failed").map_or(Ok(()), |count| same("failed", count, failed))?;
            }
            _ => {
                let actor = self.actor(step, "to")?;
                self.system.check(actor, &step.need("capability"))?;
            }
        }
        Ok(())
    }
}
