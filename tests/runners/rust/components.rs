//! Steps about components: loading, inspecting, forgetting them.

use airwasm::ComponentHandle;
use airwasm_tests::guest;

use crate::step::{Step, same};
use crate::world::{Fault, Outcome, World};

impl World {
    pub fn load(&mut self, op: &str, step: &mut Step) -> Outcome {
        if op == "load_path" {
            self.system.load(step.need("path").as_ref())?;
        } else if op == "load_bytes" {
            self.system.load_bytes(step.need("text").into_bytes())?;
        } else {
            let name = step.need("component");
            let component = match step.int("bytes") {
                None => self.system.load(&guest(&name))?,
                Some(count) => {
                    let bytes = std::fs::read(guest(&name)).expect("a built guest");
                    let length = if count < 0 { bytes.len() as i64 + count } else { count };
                    self.system
                        .load_bytes(bytes[..usize::try_from(length).expect("within the file")].to_vec())?
                }
            };
            self.components.insert(name, component);
        }
        Ok(())
    }

    pub fn component(&mut self, name: &str) -> Result<ComponentHandle, Fault> {
        if let Some(component) = self.components.get(name) {
            return Ok(*component);
        }
        let component = self.system.load(&guest(name))?;
        self.components.insert(name.to_owned(), component);
        Ok(component)
    }

    pub fn types(&mut self, step: &mut Step) -> Outcome {
        let component = self.component(&step.need("component"))?;
        let text = self.system.types(component, &step.need("language"))?;
        match step.text("expect_part").filter(|part| !text.contains(part)) {
            Some(part) => Err(format!("no {part:?} in {text}").into()),
            None => Ok(()),
        }
    }

    pub fn inspect(&mut self, step: &mut Step) -> Outcome {
        let component = self.component(&step.need("component"))?;
        let info = self.system.inspect(component)?;
        let lists =
            [("import", &info.imports), ("export", &info.exports), ("capability", &info.capabilities)];
        for (key, list) in lists {
            if let Some(part) = step.text(&format!("expect_{key}"))
                && !list.iter().any(|item| item.contains(&part))
            {
                return Err(format!("{key}s are {list:?}").into());
            }
        }
        step.text("expect_capabilities")
            .map_or(Ok(()), |all| same("capabilities", all, info.capabilities.join(" ")))?;
        Ok(step.flag("expect_handler").map_or(Ok(()), |handler| same("handler", handler, info.handler))?)
    }
}
