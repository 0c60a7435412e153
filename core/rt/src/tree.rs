//! A snapshot of who supervises whom.

use std::sync::Arc;

use crate::handle::Handle;
use crate::id::ActorId;
use crate::node::{Node, Status};
use crate::supervision::Restart;

/// One actor or supervisor with those below it.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Its number.
    pub handle: Handle,
    /// Its address.
    pub id: ActorId,
    /// What it is doing.
    pub status: Status,
    /// When its supervisor starts it again; absent at the top.
    pub restart: Option<Restart>,
    /// Its children in the order of their starts.
    pub children: Vec<Branch>,
}

/// The branch at this node; those below it if it only serves them.
pub(crate) fn branch(node: &Arc<dyn Node>) -> Vec<Branch> {
    let children: Vec<_> = node.children().iter().flat_map(branch).collect();
    if node.is_hidden() {
        return children;
    }
    let core = node.core();
    let restart = core.parent.as_ref().map(|parent| parent.restart);
    vec![Branch { handle: core.handle, id: core.id(), status: node.status(), restart, children }]
}

/// A node and all below it.
pub(crate) fn all(node: &Arc<dyn Node>) -> Vec<Arc<dyn Node>> {
    let below = node.children();
    std::iter::once(node.clone()).chain(below.iter().flat_map(all)).collect()
}
