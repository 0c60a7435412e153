//! Steps about grants.

use std::time::Duration;

use crate::step::{Step, same};
use crate::world::{Outcome, World};

impl World {
    pub fn grant(&mut self, op: &str, step: &mut Step) -> Outcome {
        match op {
            "grant" => {
                let actor = self.actor(step, "to")?;
                let ttl = step.count("ttl_ms").map(Duration::from_millis);
                let grant = self.system.grant(actor, &step.need("capability"), ttl)?;
                if let Some(alias) = step.text("as") {
                    self.grants.insert(alias, grant);
                }
            }
            "revoke" => {
                let cut = self.system.revoke(self.grants[&step.need("grant")])?;
                step.count("expect_cut").map_or(Ok(()), |expected| same("cut", expected, cut))?;
            }
            _ => {
                let actor = self.actor(step, "of")?;
                let grants = self.system.grants(actor)?;
                let givers: Vec<_> = grants.iter().map(|grant| grant.given_by.clone()).collect();
                let texts: Vec<_> = grants.into_iter().map(|grant| grant.capability).collect();
                if step.text("expect_grant").is_some_and(|text| !texts.contains(&text)) {
                    return Err(format!("grants are {texts:?}").into());
                }
                if step.text("expect_given_by").is_some_and(|text| !givers.contains(&text)) {
                    return Err(format!("givers are {givers:?}").into());
                }
                step.count("expect_count")
                    .map_or(Ok(()), |count| same("grants", count, texts.len() as u64))?;
            }
        }
        Ok(())
    }
}
