//! How an actor is spawned.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::component::Component;
use crate::convert::{text_of, to_json};
use crate::errors::{argument, raise};
use crate::grant::capability_texts;
use crate::limits::{Budget, Limits, bound, millis};
use crate::shared::Shared;

/// The options of a spawn as Python gives them; everything absent is the core's default.
#[derive(Default)]
pub struct Options<'a, 'py> {
    pub name: Option<String>,
    pub grants: Option<&'a Bound<'py, PyAny>>,
    pub limits: Option<&'a Bound<'py, Limits>>,
    pub budget: Option<&'a Bound<'py, Budget>>,
    pub config: Option<&'a Bound<'py, PyAny>>,
    pub restart: Option<String>,
    pub shutdown_ms: Option<&'a Bound<'py, PyAny>>,
}

impl Options<'_, '_> {
    /// Whether there is any.
    pub fn given(&self) -> bool {
        let Options { name, grants, limits, budget, config, restart, shutdown_ms } = self;
        let texts = name.is_some() || restart.is_some();
        let values = [grants, config, shutdown_ms].iter().any(|value| value.is_some());
        texts || values || limits.is_some() || budget.is_some()
    }

    /// The core's spec, yet without a component.
    pub fn spec(self, py: Python<'_>) -> PyResult<airwasm::ActorSpec> {
        let restart = self.restart.map(|text| text.parse()).transpose();
        Ok(airwasm::ActorSpec {
            component: None,
            name: self.name,
            grants: capability_texts(self.grants)?,
            limits: self.limits.map(|limits| (*limits.get()).into()).unwrap_or_default(),
            budget: self.budget.map(|budget| (*budget.get()).into()).unwrap_or_default(),
            config: self.config.map(config_text).transpose()?,
            restart: restart.map_err(|error| raise(py, error))?,
            shutdown: bound("shutdown_ms", self.shutdown_ms)?.map(millis),
            ..Default::default()
        })
    }
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
        signature = (component, name=None, *, grants=None, limits=None, budget=None, config=None, restart=None, shutdown_ms=None),
        text_signature = "(component, name=None, *, grants=(), limits=None, budget=None, config=None, restart=None, shutdown_ms=None)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        component: &Bound<'_, Component>,
        name: Option<String>,
        grants: Option<&Bound<'_, PyAny>>,
        limits: Option<&Bound<'_, Limits>>,
        budget: Option<&Bound<'_, Budget>>,
        config: Option<&Bound<'_, PyAny>>,
        restart: Option<String>,
        shutdown_ms: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let options = Options { name, grants, limits, budget, config, restart, shutdown_ms };
        let component = component.get();
        let spec = airwasm::ActorSpec { component: Some(component.handle), ..options.spec(py)? };
        Ok(Self { shared: component.shared.clone(), spec })
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.ActorSpec {}>", self.spec.name.as_deref().unwrap_or("(unnamed)"))
    }
}
