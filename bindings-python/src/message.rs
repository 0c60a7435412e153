//! What a handler is given.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::to_bytes;

/// One message to a handler.
#[pyclass(frozen, get_all, module = "airwasm", weakref)]
pub struct Message {
    /// The id of the sending actor; empty when the host itself sent it.
    sender: String,
    /// The id of the actor it was sent to.
    to: String,
    /// The bytes.
    payload: Py<PyBytes>,
    /// What the bytes are, as a media type, if the sender said so.
    content_type: Option<String>,
    /// The topic it was published under, if it was.
    topic: Option<String>,
}

impl Message {
    pub fn new(py: Python<'_>, message: airwasm::Message) -> PyResult<Self> {
        let airwasm::Message { sender, to, payload, content_type, topic } = message;
        Ok(Self { sender, to, payload: to_bytes(py, &payload)?.unbind(), content_type, topic })
    }
}

#[pymethods]
impl Message {
    fn __repr__(&self, py: Python<'_>) -> String {
        let bytes = self.payload.as_bytes(py).len();
        format!("<airwasm.Message from {:?} to {:?}, {bytes} bytes>", self.sender, self.to)
    }
}
