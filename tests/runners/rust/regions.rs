//! Steps about regions.

use crate::step::{Step, same};
use crate::world::{Outcome, World};

impl World {
    pub fn region(&mut self, op: &str, step: &mut Step) -> Outcome {
        if op == "regions" {
            let regions = self.system.regions()?.into_iter();
            let shown = regions.map(|region| {
                let owner = region.owner.as_deref().unwrap_or("-").to_owned();
                format!("{}[{} {owner} {}]", region.name, region.bytes, region.open)
            });
            return Ok(same("regions", step.need("expect_regions"), shown.collect::<Vec<_>>().join(" "))?);
        }
        let name = step.need("region");
        let offset = step.count("offset").unwrap_or_default();
        match op {
            "region_create" => self.system.region_create(&name, step.count("bytes").expect("bytes"))?,
            "region_write" => self.system.region_write(&name, offset, step.need("text").as_bytes())?,
            "region_remove" => self.system.region_remove(&name)?,
            _ => {
                let bytes = step.count("bytes").expect("bytes");
                let read = self.system.region_read(&name, offset, bytes)?;
                let mut filled = vec![0xFF; read.len()];
                self.system.region_read_into(&name, offset, &mut filled)?;
                same("both ways to read", &read, &filled)?;
                let text = String::from_utf8_lossy(&read).replace('\0', ".");
                step.text("expect_text").map_or(Ok(()), |expected| same("text", expected, text))?;
            }
        }
        Ok(())
    }
}
