//! On which loops the `async` functions of a tree answer.

use std::sync::Arc;

use airwasm::{ActorHandle, TreeNode};
use pyo3::prelude::*;

use crate::handler::Registration;
use crate::queue::Queue;
use crate::shared::Shared;

/// How a child is found once it was started.
enum Place {
    Named(String),
    /// Its number among its siblings and how many they are, on each level from the top.
    At(Vec<(usize, usize)>),
}

/// The loops of the `async` functions among the children.
#[derive(Default)]
pub struct Homes {
    known: Vec<(Place, Arc<Registration>, Arc<Queue>)>,
    /// Where the child is that is prepared at this moment.
    path: Vec<(usize, usize)>,
}

impl Homes {
    /// One that is `async`, at the place that is prepared at this moment.
    pub fn add(&mut self, name: Option<&str>, registration: Arc<Registration>, home: Arc<Queue>) {
        let place = name.map_or_else(|| Place::At(self.path.clone()), |name| Place::Named(name.to_owned()));
        self.known.push((place, registration, home));
    }

    /// Prepares one of so many children.
    pub fn within<T>(&mut self, number: usize, count: usize, prepare: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push((number, count));
        let prepared = prepare(self);
        self.path.pop();
        prepared
    }

    /// Notes whose they are, once those are there below this top, or it itself. One that has ended meanwhile answers nobody.
    pub fn settle(&self, py: Python<'_>, shared: &Shared, top: ActorHandle) {
        let unnamed = self.known.iter().any(|(place, ..)| matches!(place, Place::At(_)));
        let tree = if unnamed { py.detach(|| shared.system.tree()).unwrap_or_default() } else { Vec::new() };
        let tree = below(&tree, top);
        for (place, registration, home) in &self.known {
            let actor = match place {
                Place::Named(name) => py.detach(|| shared.system.lookup(name)).ok(),
                Place::At(path) => tree.and_then(|tree| at(tree, path)),
            };
            if let Some(actor) = actor {
                registration.belongs_to(actor, Some(home));
            }
        }
    }
}

/// Where an actor is in the tree.
fn below(nodes: &[TreeNode], top: ActorHandle) -> Option<&TreeNode> {
    nodes.iter().find_map(|node| if node.actor == top { Some(node) } else { below(&node.children, top) })
}

/// The actor at the end of a path; `None` where siblings have gone or come, for then the numbers say nothing.
fn at(top: &TreeNode, path: &[(usize, usize)]) -> Option<ActorHandle> {
    let end = path.iter().try_fold(top, |node, (number, count)| {
        if node.children.len() == *count { node.children.get(*number) } else { None }
    });
    end.map(|node| node.actor)
}
