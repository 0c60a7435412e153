//! How a supervisor and its children are specified.

use std::sync::Arc;
use std::time::Duration;

use airwasm::{AutoShutdown, ChildSpec, GiveUp, Restart, Strategy};
use pyo3::exceptions::{PyRecursionError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::handler;
use crate::homes::Homes;
use crate::limits::{amount, bound, millis};
use crate::shared::Shared;
use crate::spec::{ActorSpec, Given, HostSpec, each_option, unexpected, word};

/// Specs below each other; the core allows fewer.
const DEPTH_MAX: usize = 200;

/// How long a restart waits; `None` is the core's default.
#[pyclass(frozen, get_all, eq, module = "airwasm", weakref)]
#[derive(Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Milliseconds before the first restart; 0 restarts at once.
    initial_ms: Option<u64>,
    /// At most so many milliseconds.
    max_ms: Option<u64>,
    /// Growth with each restart in a row.
    factor: Option<f64>,
    /// Share of the delay, 0 to 1, that is random.
    jitter: Option<f64>,
}

#[pymethods]
impl Backoff {
    #[new]
    #[pyo3(signature = (*, initial_ms = None, max_ms = None, factor = None, jitter = None))]
    fn new(
        initial_ms: Given<'_, '_>,
        max_ms: Given<'_, '_>,
        factor: Option<f64>,
        jitter: Option<f64>,
    ) -> PyResult<Self> {
        let (initial_ms, max_ms) = (amount("initial_ms", initial_ms)?, amount("max_ms", max_ms)?);
        Ok(Self { initial_ms, max_ms, factor, jitter })
    }

    fn __repr__(&self) -> String {
        let Self { initial_ms, max_ms, factor, jitter } = self;
        let times = [("initial_ms", initial_ms), ("max_ms", max_ms)];
        let times = times.into_iter().filter_map(|(name, ms)| Some(format!("{name}={}", (*ms)?)));
        let rates = [("factor", factor), ("jitter", jitter)];
        let rates = rates.into_iter().filter_map(|(name, rate)| Some(format!("{name}={:?}", (*rate)?)));
        format!("Backoff({})", times.chain(rates).collect::<Vec<_>>().join(", "))
    }
}

impl From<Backoff> for airwasm::Backoff {
    fn from(backoff: Backoff) -> Self {
        let Backoff { initial_ms, max_ms, factor, jitter } = backoff;
        Self { initial: initial_ms.map(millis), max: max_ms.map(millis), factor, jitter }
    }
}

/// How a supervisor acts; everything absent is the core's default.
#[derive(Clone, Copy, Default)]
struct Rules {
    strategy: Option<Strategy>,
    intensity: Option<u64>,
    period: Option<Duration>,
    backoff: airwasm::Backoff,
    give_up: Option<GiveUp>,
    auto_shutdown: Option<AutoShutdown>,
    /// Of one that is a child.
    restart: Option<Restart>,
}

impl Rules {
    fn new(options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut rules = Self::default();
        each_option(options, |key, value| {
            match key {
                "strategy" => rules.strategy = word(value)?,
                "intensity" => rules.intensity = amount(key, value)?,
                "period_ms" => rules.period = bound(key, value)?.map(millis),
                "backoff" => rules.backoff = backoff(value)?,
                "give_up" => rules.give_up = word(value)?,
                "auto_shutdown" => rules.auto_shutdown = word(value)?,
                "restart" => rules.restart = word(value)?,
                _ => return Err(unexpected()),
            }
            Ok(())
        })?;
        Ok(rules)
    }
}

fn backoff(value: Given<'_, '_>) -> PyResult<airwasm::Backoff> {
    let backoff = value.map(|value| value.cast::<Backoff>()).transpose()?;
    Ok(backoff.map(|backoff| (*backoff.get()).into()).unwrap_or_default())
}

/// What a supervisor is made of, to be a child of another. It can be used more than once.
#[pyclass(frozen, module = "airwasm", weakref)]
pub struct SupervisorSpec {
    name: String,
    rules: Rules,
    children: Vec<Child>,
    depth: usize,
}

/// One child, as it was given.
enum Child {
    Guest(Py<ActorSpec>),
    Host(Py<HostSpec>),
    Supervisor(Py<SupervisorSpec>),
}

impl Child {
    fn of(spec: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(guest) = spec.cast::<ActorSpec>() {
            return Ok(Child::Guest(guest.clone().unbind()));
        }
        if let Ok(host) = spec.cast::<HostSpec>() {
            return Ok(Child::Host(host.clone().unbind()));
        }
        match spec.cast::<SupervisorSpec>() {
            Ok(supervisor) => Ok(Child::Supervisor(supervisor.clone().unbind())),
            Err(_) => {
                Err(PyTypeError::new_err("a child is an airwasm.ActorSpec, HostSpec or SupervisorSpec"))
            }
        }
    }

    fn depth(&self) -> usize {
        if let Child::Supervisor(supervisor) = self { supervisor.get().depth } else { 0 }
    }

    fn prepare(&self, py: Python<'_>, shared: &Arc<Shared>, homes: &mut Homes) -> PyResult<ChildSpec> {
        match self {
            Child::Guest(guest) => Ok(ChildSpec::Guest(shared.own(guest.bind(py))?.spec.clone())),
            Child::Host(host) => {
                let HostSpec { handler, spec } = host.get();
                let deferred = handler::deferred(shared, handler.bind(py))?;
                if let Some(home) = deferred.home {
                    homes.add(spec.name.as_deref(), deferred.registration, home);
                }
                Ok(ChildSpec::Host(spec.clone(), deferred.executor, deferred.handler))
            }
            Child::Supervisor(below) => Ok(below.get().prepare(py, shared, homes)?.into()),
        }
    }
}

/// What the core is given for a child, and the loops of what is `async` in it.
pub fn prepare_child(spec: &Bound<'_, PyAny>, shared: &Arc<Shared>) -> PyResult<(ChildSpec, Homes)> {
    let mut homes = Homes::default();
    let child = Child::of(spec)?.prepare(spec.py(), shared, &mut homes)?;
    Ok((child, homes))
}

#[pymethods]
impl SupervisorSpec {
    #[new]
    #[pyo3(
        signature = (name, children=None, **options),
        text_signature = "(name, children=(), *, strategy=None, intensity=None, period_ms=None, backoff=None, give_up=None, auto_shutdown=None, restart=None)"
    )]
    fn new(name: String, children: Given<'_, '_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        if children.is_some_and(|children| children.is_instance_of::<PyString>()) {
            return Err(PyTypeError::new_err("children is a sequence of specs"));
        }
        let given = children.map(|children| children.try_iter()).transpose()?;
        let children = given.into_iter().flatten().map(|child| Child::of(&child?));
        let children = children.collect::<PyResult<Vec<_>>>()?;
        let depth = 1 + children.iter().map(Child::depth).max().unwrap_or_default();
        if depth > DEPTH_MAX {
            return Err(PyRecursionError::new_err("too many specs of supervisors in each other"));
        }
        Ok(Self { name, rules: Rules::new(options)?, children, depth })
    }

    fn __repr__(&self) -> String {
        format!("<airwasm.SupervisorSpec {}>", self.name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.children.iter().try_for_each(|child| match child {
            Child::Guest(guest) => visit.call(guest),
            Child::Host(host) => visit.call(host),
            Child::Supervisor(supervisor) => visit.call(supervisor),
        })
    }
}

impl SupervisorSpec {
    /// That of one that has none above it, so that nobody restarts it.
    pub fn top(name: String, children: Given<'_, '_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        each_option(options, |key, _| if key == "restart" { Err(unexpected()) } else { Ok(()) })?;
        Self::new(name, children, options)
    }

    /// What the core is given; the loops of what is `async` in it are noted.
    pub fn prepare(
        &self,
        py: Python<'_>,
        shared: &Arc<Shared>,
        homes: &mut Homes,
    ) -> PyResult<airwasm::SupervisorSpec> {
        let Rules { strategy, intensity, period, backoff, give_up, auto_shutdown, restart } = self.rules;
        let name = self.name.clone();
        let children = self.children.iter().enumerate().map(|(number, child)| {
            homes.within(number, self.children.len(), |homes| child.prepare(py, shared, homes))
        });
        let children = children.collect::<PyResult<Vec<_>>>()?;
        Ok(airwasm::SupervisorSpec {
            name,
            strategy,
            intensity,
            period,
            backoff,
            give_up,
            auto_shutdown,
            restart,
            children,
        })
    }
}
