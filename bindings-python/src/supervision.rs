//! What is seen of supervision: the tree, the end of a life, letters that nobody read.

use std::sync::Arc;

use airwasm::Restart;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::actor::{self, Actor};
use crate::convert::to_bytes;
use crate::errors::raise;
use crate::info::{ActorStatus, shown};
use crate::shared::Shared;

/// One actor or supervisor with those below it.
#[pyclass(frozen, get_all, module = "airwasm", weakref)]
pub struct TreeNode {
    /// The actor or supervisor.
    actor: Py<Actor>,
    /// What it is doing.
    status: Py<ActorStatus>,
    /// When its supervisor starts it again; `None` at the top.
    restart: Option<&'static str>,
    /// Its children in the order of their starts.
    children: Vec<Py<TreeNode>>,
}

impl TreeNode {
    pub fn new(py: Python<'_>, shared: &Arc<Shared>, node: airwasm::TreeNode) -> PyResult<Py<Self>> {
        let airwasm::TreeNode { actor, status, restart, children } = node;
        let below = children.into_iter().map(|child| TreeNode::new(py, shared, child));
        let children = below.collect::<PyResult<Vec<_>>>()?;
        let actor = actor::known(py, shared, actor, status.id.clone())?;
        let (status, restart) = (Py::new(py, ActorStatus::from(status))?, restart.map(word));
        Py::new(py, Self { actor, status, restart, children })
    }
}

fn word(restart: Restart) -> &'static str {
    match restart {
        Restart::Permanent => "permanent",
        Restart::Transient => "transient",
        Restart::Temporary => "temporary",
    }
}

#[pymethods]
impl TreeNode {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, "TreeNode", &["actor", "status", "restart", "children"])
    }
}

/// How the life of an actor ended.
#[pyclass(frozen, get_all, module = "airwasm", weakref)]
pub struct Down {
    /// Its three-part id.
    id: String,
    /// `normal`, `shutdown`, `killed`, or what it crashed with.
    reason: String,
    /// What it crashed with, if it did.
    error: Option<Py<PyAny>>,
    /// Whether it will be started again.
    restarting: bool,
}

impl Down {
    pub fn new(py: Python<'_>, down: airwasm::Down) -> Self {
        let airwasm::Down { id, reason, error, restarting } = down;
        let error = error.map(|error| raise(py, error).into_value(py).into_any());
        Self { id, reason, error, restarting }
    }
}

#[pymethods]
impl Down {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, "Down", &["id", "reason", "error", "restarting"])
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.error)
    }
}

/// A message that was still queued when its actor ended.
#[pyclass(frozen, get_all, module = "airwasm", weakref)]
pub struct DeadLetter {
    /// Whose mailbox it was in.
    to: String,
    /// The id of the sending actor; empty when the host itself sent it.
    sender: String,
    /// The bytes.
    payload: Py<PyBytes>,
    /// What the bytes are, as a media type, if the sender said so.
    content_type: Option<String>,
    /// How its actor ended.
    reason: String,
}

impl DeadLetter {
    pub fn all(py: Python<'_>, letters: Vec<airwasm::DeadLetter>) -> PyResult<Vec<Self>> {
        letters.into_iter().map(|letter| Self::new(py, letter)).collect()
    }

    fn new(py: Python<'_>, letter: airwasm::DeadLetter) -> PyResult<Self> {
        let airwasm::DeadLetter { to, sender, payload, content_type, reason } = letter;
        Ok(Self { to, sender, payload: to_bytes(py, &payload)?.unbind(), content_type, reason })
    }
}

#[pymethods]
impl DeadLetter {
    fn __repr__(&self, py: Python<'_>) -> String {
        let bytes = self.payload.as_bytes(py).len();
        format!("<airwasm.DeadLetter to {:?}, {bytes} bytes, {}>", self.to, self.reason)
    }
}
