//! Capabilities and grants.

use std::sync::Arc;

use airwasm::GrantHandle;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::convert::{text_of, to_json};
use crate::shared::{Shared, unpicklable};
use crate::wait::call;

/// A capability by its parts. The core is given the parts; `str()` is its text.
#[pyclass(frozen, eq, hash, module = "airwasm", weakref)]
#[derive(PartialEq, Eq, Hash)]
pub struct Capability {
    text: String,
    object: String,
}

#[pymethods]
impl Capability {
    #[new]
    #[pyo3(signature = (capability, scope = None, **parameters))]
    fn new(
        capability: &Bound<'_, PyString>,
        scope: Option<&Bound<'_, PyString>>,
        parameters: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let parts = PyDict::new(capability.py());
        parts.set_item("capability", capability)?;
        let mut text = capability.to_str()?.to_owned();
        if let Some(scope) = scope {
            parts.set_item("scope", scope)?;
            text = format!("{text} {}", word(scope)?);
        }
        let mut pairs = Vec::new();
        for (key, value) in parameters.into_iter().flat_map(|parameters| parameters.iter()) {
            pairs.push(format!("{}={}", text_of(&key), text_of(&value)));
            parts.set_item(key, value)?;
        }
        pairs.sort();
        for pair in pairs {
            let pair = PyString::new(capability.py(), &pair);
            text = format!("{text} ; {}", word(&pair)?);
        }
        Ok(Self { text, object: to_json(&parts)? })
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.Capability {}>", self.text)
    }
}

/// A part as one word of the text: as it stands, or as a JSON string where a bare word would not hold it.
fn word(part: &Bound<'_, PyString>) -> PyResult<String> {
    let text = part.to_str()?;
    let bare = |c: char| c.is_ascii_graphic() && !matches!(c, ';' | '"' | '\'' | '`');
    if !text.is_empty() && text.chars().all(bare) { Ok(text.to_owned()) } else { to_json(part) }
}

/// What the core is given for a capability: its text, or its parts as JSON.
pub fn capability_text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(capability) = value.cast::<Capability>() {
        return Ok(capability.get().object.clone());
    }
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_str()?.to_owned()),
        Err(_) => Err(PyTypeError::new_err("a capability is a str or an airwasm.Capability")),
    }
}

/// The texts of a sequence of capabilities. A lone `str` is a mistake, not its characters.
pub fn capability_texts(values: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    let Some(values) = values else { return Ok(Vec::new()) };
    if values.is_instance_of::<PyString>() || values.is_instance_of::<Capability>() {
        return Err(PyTypeError::new_err("grants is a sequence of capabilities: put the one into a list"));
    }
    values.try_iter()?.map(|value| capability_text(&value?)).collect()
}

/// One grant of one actor. A name, not an owner: dropping it takes nothing back.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct Grant {
    pub shared: Arc<Shared>,
    pub handle: GrantHandle,
}

impl Grant {
    pub fn new(shared: Arc<Shared>, handle: GrantHandle) -> Self {
        Self { shared, handle }
    }
}

#[pymethods]
impl Grant {
    /// Takes it back; how many open resources that cut.
    pub fn revoke(&self, py: Python<'_>) -> PyResult<u64> {
        call(py, &self.shared, |system| system.revoke(self.handle))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Grant>().is_ok_and(|other| {
            Arc::ptr_eq(&self.shared, &other.get().shared) && self.handle == other.get().handle
        })
    }

    fn __hash__(&self) -> u64 {
        self.handle.raw()
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.Grant {:#x}>", self.handle.raw())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("Grant", "grants belong to the actors of one process"))
    }
}

/// What is known of one grant.
#[pyclass(frozen, get_all, module = "airwasm", weakref)]
pub struct GrantInfo {
    /// The grant, to revoke it.
    grant: Py<Grant>,
    /// The capability in its canonical text form.
    capability: String,
    /// The seconds left, if it has a bound.
    ttl: Option<f64>,
    /// Open resources that were minted from it.
    open: u64,
    /// Who gave it: `baseline`, `policy`, `host`, or the id of the actor that handed it on.
    given_by: String,
}

impl GrantInfo {
    pub fn new(py: Python<'_>, shared: &Arc<Shared>, info: airwasm::GrantInfo) -> PyResult<Self> {
        let grant = Py::new(py, Grant::new(shared.clone(), info.grant))?;
        let ttl = info.ttl.map(|left| left.as_secs_f64());
        Ok(Self { grant, capability: info.capability, ttl, open: info.open, given_by: info.given_by })
    }
}

#[pymethods]
impl GrantInfo {
    fn __repr__(&self) -> String {
        let ttl = self.ttl.map_or_else(|| "None".to_owned(), |ttl| ttl.to_string());
        format!("<airwasm.GrantInfo {:?} ttl={ttl} open={}>", self.capability, self.open)
    }
}
