//! How an actor is spawned.

use std::str::FromStr;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

use crate::component::Component;
use crate::convert::{text_of, to_json};
use crate::errors::{argument, raise};
use crate::grant::capability_texts;
use crate::handler::check_callable;
use crate::limits::{Budget, Limits, amount, bound, millis};
use crate::shared::Shared;

/// An option as Python gives it.
pub type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// Hands each option to what knows it; one that is `None` is absent. What is wrong with a type says with which.
pub fn each_option<'py>(
    options: Option<&Bound<'py, PyDict>>,
    mut set: impl FnMut(&str, Given<'_, 'py>) -> PyResult<()>,
) -> PyResult<()> {
    for (key, value) in options.into_iter().flat_map(|options| options.iter()) {
        let (py, key) = (value.py(), key.extract::<String>()?);
        set(&key, Some(&value).filter(|value| !value.is_none())).map_err(|why| {
            if !why.get_type(py).is(py.get_type::<PyTypeError>()) {
                return why;
            }
            PyTypeError::new_err(format!("argument '{key}': {}", text_of(why.value(py))))
        })?;
    }
    Ok(())
}

/// What to say of an option that nothing knows.
pub fn unexpected() -> PyErr {
    PyTypeError::new_err("there is no such option")
}

/// One of the core's words.
pub fn word<T: FromStr<Err = airwasm::Error>>(value: Given<'_, '_>) -> PyResult<Option<T>> {
    let Some(value) = value else { return Ok(None) };
    value.extract::<String>()?.parse().map(Some).map_err(|error| raise(value.py(), error))
}

/// The core's spec of these options, yet without a component.
pub fn actor_spec(name: Option<String>, options: Option<&Bound<'_, PyDict>>) -> PyResult<airwasm::ActorSpec> {
    let mut spec = airwasm::ActorSpec { name, ..Default::default() };
    each_option(options, |key, value| {
        match key {
            "grants" => spec.grants = capability_texts(value)?,
            "limits" => spec.limits = limits(value)?,
            "budget" => spec.budget = budget(value)?,
            "args" => spec.args = texts(value)?,
            "env" => spec.env = variables(value)?,
            "http_listen" => spec.http_listen = value.map(|value| value.extract()).transpose()?,
            "config" => spec.config = value.map(config_text).transpose()?,
            "restart" => spec.restart = word(value)?,
            "shutdown_ms" => spec.shutdown = bound(key, value)?.map(millis),
            "significant" => spec.significant = flag(value)?,
            "overflow" => spec.overflow = word(value)?,
            "health_interval_ms" => spec.health_interval = bound(key, value)?.map(millis),
            "health_missed" => spec.health_missed = amount(key, value)?,
            "errors_max" => spec.errors_max = amount(key, value)?,
            "error_period_ms" => spec.error_period = bound(key, value)?.map(millis),
            _ => return Err(unexpected()),
        }
        Ok(())
    })?;
    Ok(spec)
}

/// The core's spec of a guest: of its component and options, or of an `ActorSpec`, which has them.
pub fn guest_spec(
    shared: &Arc<Shared>,
    component: &Bound<'_, PyAny>,
    name: Option<String>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<airwasm::ActorSpec> {
    if let Ok(spec) = component.cast::<ActorSpec>() {
        if name.is_some() || options.is_some_and(|options| !options.is_empty()) {
            return Err(PyTypeError::new_err("an ActorSpec says it all: put the options into it"));
        }
        return Ok(shared.own(spec)?.spec.clone());
    }
    let handle = shared.own(component.cast::<Component>()?)?.handle;
    Ok(airwasm::ActorSpec { component: Some(handle), ..actor_spec(name, options)? })
}

/// The same for a function, which takes nothing that a guest is made with.
pub fn host_spec(name: Option<String>, options: Option<&Bound<'_, PyDict>>) -> PyResult<airwasm::ActorSpec> {
    each_option(options, |key, _| {
        if matches!(key, "config" | "args" | "env" | "http_listen") { Err(unexpected()) } else { Ok(()) }
    })?;
    actor_spec(name, options)
}

fn flag(value: Given<'_, '_>) -> PyResult<bool> {
    value.map_or(Ok(false), |value| value.extract())
}

/// Texts in their order; one text alone is none of them.
fn texts(value: Given<'_, '_>) -> PyResult<Vec<String>> {
    value.map_or(Ok(Vec::new()), |value| value.extract())
}

/// Names and values of a mapping.
fn variables(value: Given<'_, '_>) -> PyResult<Vec<(String, String)>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    value.cast::<PyMapping>()?.items()?.iter().map(|pair| pair.extract()).collect()
}

fn limits(value: Given<'_, '_>) -> PyResult<airwasm::Limits> {
    let limits = value.map(|value| value.cast::<Limits>()).transpose()?;
    Ok(limits.map(|limits| (*limits.get()).into()).unwrap_or_default())
}

fn budget(value: Given<'_, '_>) -> PyResult<airwasm::Budget> {
    let budget = value.map(|value| value.cast::<Budget>()).transpose()?;
    Ok(budget.map(|budget| (*budget.get()).into()).unwrap_or_default())
}

/// The JSON text of a config; a value that JSON cannot hold is `InvalidArgument`.
fn config_text(config: &Bound<'_, PyAny>) -> PyResult<String> {
    to_json(config).map_err(|why| {
        let error = argument(config.py(), "config", &text_of(why.value(config.py())));
        error.set_cause(config.py(), Some(why));
        error
    })
}

/// What an actor is made of.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct ActorSpec {
    pub shared: Arc<Shared>,
    pub spec: airwasm::ActorSpec,
}

#[pymethods]
impl ActorSpec {
    #[new]
    #[pyo3(
        signature = (component, name=None, **options),
        text_signature = "(component, name=None, *, grants=(), limits=None, budget=None, config=None, args=(), env=None, http_listen=None, restart=None, shutdown_ms=None, significant=False, overflow=None, health_interval_ms=None, health_missed=None, errors_max=None, error_period_ms=None)"
    )]
    fn new(
        component: &Bound<'_, Component>,
        name: Option<String>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let component = component.get();
        let spec = airwasm::ActorSpec { component: Some(component.handle), ..actor_spec(name, options)? };
        Ok(Self { shared: component.shared.clone(), spec })
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.ActorSpec {}>", self.spec.name.as_deref().unwrap_or("(unnamed)"))
    }
}

/// What an actor that is a function is made of, to be a child of a supervisor. An `async` function runs on the loop
/// that runs where the child is started, or on one of the system's own.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct HostSpec {
    pub handler: Py<PyAny>,
    pub spec: airwasm::ActorSpec,
}

#[pymethods]
impl HostSpec {
    #[new]
    #[pyo3(
        signature = (handler, name=None, **options),
        text_signature = "(handler, name=None, *, grants=(), limits=None, budget=None, restart=None, shutdown_ms=None, significant=False, overflow=None, health_interval_ms=None, health_missed=None, errors_max=None, error_period_ms=None)"
    )]
    fn new(
        handler: &Bound<'_, PyAny>,
        name: Option<String>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        check_callable(handler)?;
        Ok(Self { handler: handler.clone().unbind(), spec: host_spec(name, options)? })
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.HostSpec {}>", self.spec.name.as_deref().unwrap_or("(unnamed)"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.handler)
    }
}
