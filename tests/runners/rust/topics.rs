//! Steps about topics, groups, timers, and letters that nobody read.

use airwasm::{DeadLetter, SendOptions};

use crate::specs::millis;
use crate::step::{Step, same};
use crate::supervisors::same_ids;
use crate::world::{Outcome, World};

impl World {
    pub fn topic_step(&mut self, op: &str, step: &mut Step) -> Outcome {
        let options = SendOptions::default();
        match op {
            "subscribe" => {
                let actor = self.actor(step, "to")?;
                let subscription = self.system.subscribe(actor, &step.need("pattern"))?;
                if let Some(alias) = step.text("as") {
                    self.subscriptions.insert(alias, subscription);
                }
            }
            "unsubscribe" => self.system.unsubscribe(self.subscriptions[&step.need("subscription")])?,
            _ => {
                let (topic, text) = (step.need("topic"), step.need("text"));
                same_count(step, self.system.publish(&topic, text.as_bytes(), &options)?)?;
            }
        }
        Ok(())
    }

    pub fn group(&mut self, op: &str, step: &mut Step) -> Outcome {
        let group = step.need("group");
        match op {
            "join" => self.system.join(self.actor(step, "to")?, &group)?,
            "leave" => {
                let left = self.system.leave(self.actor(step, "to")?, &group)?;
                step.flag("expect_left").map_or(Ok(()), |expected| same("left", expected, left))?;
            }
            "members" => {
                let members = self.system.members(&group)?;
                let ids = members.into_iter().map(|member| self.system.id(member));
                return same_ids(step, ids.collect::<airwasm::Result<Vec<_>>>()?.into_iter());
            }
            _ => {
                let (text, options) = (step.need("text"), SendOptions::default());
                same_count(step, self.system.broadcast(&group, text.as_bytes(), &options)?)?;
            }
        }
        Ok(())
    }

    pub fn timer(&mut self, op: &str, step: &mut Step) -> Outcome {
        if op == "cancel_timer" {
            let cancelled = self.system.cancel_timer(self.timers[&step.need("timer")])?;
            let expected = step.flag("expect_cancelled");
            return Ok(expected.map_or(Ok(()), |expected| same("cancelled", expected, cancelled))?);
        }
        let (actor, text, options) = (self.actor(step, "to")?, step.need("text"), SendOptions::default());
        let mut time = |key| millis(step, key).unwrap_or_else(|| panic!("{key} is missing"));
        let timer = match op {
            "send_after" => self.system.send_after(actor, text.as_bytes(), time("delay_ms"), &options)?,
            _ => self.system.send_every(actor, text.as_bytes(), time("period_ms"), &options)?,
        };
        if let Some(alias) = step.text("as") {
            self.timers.insert(alias, timer);
        }
        Ok(())
    }

    pub fn dead_letters(&mut self, step: &mut Step) -> Outcome {
        let letters = self.system.dead_letters()?;
        same_count(step, letters.len() as u64)?;
        let DeadLetter { payload, reason, sender, .. } = letters.into_iter().next().unwrap_or(DeadLetter {
            to: String::new(),
            sender: String::new(),
            payload: Vec::new(),
            content_type: None,
            reason: String::new(),
        });
        let text = String::from_utf8_lossy(&payload).into_owned();
        for (key, got) in [("expect_text", text), ("expect_reason", reason), ("expect_sender", sender)] {
            step.text(key).map_or(Ok(()), |expected| same(key, expected, got))?;
        }
        Ok(())
    }
}

fn same_count(step: &mut Step, got: u64) -> Result<(), String> {
    step.count("expect_count").map_or(Ok(()), |expected| same("count", expected, got))
}
