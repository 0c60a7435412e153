//! Steps about supervisors and their children.

use airwasm::{ActorSpec, TreeNode};

use crate::children::{Declaration, Top};
use crate::specs::{guest_spec, host_spec, millis, supervisor_spec};
use crate::step::{Step, same};
use crate::world::{Fault, Outcome, World};

impl World {
    pub fn supervisor_step(&mut self, op: &str, step: &mut Step) -> Outcome {
        match op {
            "supervisor" => self.supervisor(step),
            "child" => self.declare(step),
            "start_child" => self.start_child(step),
            "children" => self.children(step),
            "tree" => self.tree(step),
            _ => self.about_child(op, step),
        }
    }

    fn supervisor(&mut self, step: &mut Step) -> Outcome {
        let top = top(step, "children")?;
        let alias = step.text("as");
        let spec = self.declared.supervisor(&top, &self.place());
        let supervisor = self.system.supervisor(spec)?;
        if let Some(alias) = alias {
            self.actors.insert(alias, supervisor);
        }
        top.children.iter().try_for_each(|child| self.name_live(child))
    }

    fn declare(&mut self, step: &mut Step) -> Outcome {
        let alias = step.need("as");
        let declaration = if let Some(component) = step.text("component") {
            let component = Some(self.component(&component)?);
            let spec = guest_spec(step)?;
            Declaration::Guest(supervised(ActorSpec { component, ..spec }, step))
        } else if let Some(behaviour) = step.text("behaviour") {
            let spec = host_spec(step)?;
            Declaration::Host(supervised(spec, step), behaviour)
        } else {
            Declaration::Supervisor(Box::new(top(step, "supervisor_of")?))
        };
        self.declared.add(alias, declaration);
        Ok(())
    }

    fn start_child(&mut self, step: &mut Step) -> Outcome {
        let supervisor = self.actor(step, "supervisor")?;
        let child = step.need("child");
        let spec = self.declared.child(&child, &self.place());
        self.system.start_child(supervisor, spec)?;
        self.name_live(&child)
    }

    /// From here on the aliases of a child and of those below it name the live actors.
    fn name_live(&mut self, child: &str) -> Outcome {
        for (alias, name) in self.declared.names(child) {
            self.actors.insert(alias, self.system.lookup(&name)?);
        }
        Ok(())
    }

    fn about_child(&mut self, op: &str, step: &mut Step) -> Outcome {
        let supervisor = self.actor(step, "supervisor")?;
        let child = self.actor(step, "child")?;
        let done = match op {
            "terminate_child" => self.system.terminate_child(supervisor, child),
            "restart_child" => self.system.restart_child(supervisor, child),
            _ => self.system.delete_child(supervisor, child),
        };
        Ok(done?)
    }

    fn children(&mut self, step: &mut Step) -> Outcome {
        let supervisor = self.actor(step, "of")?;
        let children = self.system.children(supervisor)?;
        same_ids(step, children.into_iter().map(|child| child.id))
    }

    fn tree(&mut self, step: &mut Step) -> Outcome {
        Ok(same("tree", step.need("expect_tree"), shown(&self.system.tree()?))?)
    }
}

/// What the ids of a list are expected to be.
pub fn same_ids(step: &mut Step, ids: impl Iterator<Item = String>) -> Outcome {
    Ok(same("ids", step.need("expect_ids"), ids.collect::<Vec<_>>().join(" "))?)
}

fn top(step: &mut Step, key: &str) -> Result<Top, Fault> {
    let children = step.text(key).unwrap_or_default();
    let children = children.split_whitespace().map(str::to_owned).collect();
    Ok(Top { spec: supervisor_spec(step)?, children })
}

fn supervised(spec: ActorSpec, step: &mut Step) -> ActorSpec {
    let significant = step.flag("significant").unwrap_or_default();
    ActorSpec { significant, shutdown: millis(step, "shutdown_ms"), ..spec }
}

fn shown(nodes: &[TreeNode]) -> String {
    let node = |node: &TreeNode| {
        let below = match node.children.is_empty() {
            true => String::new(),
            false => format!("({})", shown(&node.children)),
        };
        format!("{}[{}]{below}", node.status.id, node.status.state)
    };
    nodes.iter().map(node).collect::<Vec<_>>().join(" ")
}
