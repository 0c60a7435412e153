//! Supervisors and their children as JavaScript specifies them.

use std::sync::Arc;

use airwasm::{Backoff, ChildSpec, HostExecutor, Result, SupervisorSpec};
use napi_derive::napi;

use crate::port::Port;
use crate::queue::Queue;
use crate::spec::{SpawnSpec, count, millis};

/// A supervisor with its children in the order of their starts.
#[napi(object, object_to_js = false)]
pub struct SuperviseSpec {
    pub name: String,
    pub strategy: Option<String>,
    pub intensity: Option<f64>,
    pub period_ms: Option<f64>,
    pub backoff: Option<BackoffSpec>,
    pub give_up: Option<String>,
    pub auto_shutdown: Option<String>,
    pub restart: Option<String>,
    pub children: Vec<StartSpec>,
}

/// How long a restart waits.
#[napi(object, object_to_js = false)]
pub struct BackoffSpec {
    pub initial_ms: Option<f64>,
    pub max_ms: Option<f64>,
    pub factor: Option<f64>,
    pub jitter: Option<f64>,
}

/// One child: a supervisor, or else a function if it has the number of a handler, or else a guest.
#[napi(object, object_to_js = false)]
pub struct StartSpec {
    pub supervisor: Option<SuperviseSpec>,
    pub handler: Option<u32>,
    pub actor: Option<SpawnSpec>,
}

impl From<BackoffSpec> for Backoff {
    fn from(spec: BackoffSpec) -> Self {
        Self {
            initial: spec.initial_ms.map(millis),
            max: spec.max_ms.map(millis),
            factor: spec.factor,
            jitter: spec.jitter,
        }
    }
}

impl SuperviseSpec {
    /// The facade's spec, or the first of its parts that is none.
    pub fn into_spec(self, queue: &Arc<Queue>) -> Result<SupervisorSpec> {
        // All of them before the first error is told: a handler is let go of only by the end of its port.
        let children: Vec<_> = self.children.into_iter().map(|child| child.into_spec(queue)).collect();
        Ok(SupervisorSpec {
            name: self.name,
            strategy: self.strategy.map(|text| text.parse()).transpose()?,
            intensity: self.intensity.map(count),
            period: self.period_ms.map(millis),
            backoff: self.backoff.map(Into::into).unwrap_or_default(),
            give_up: self.give_up.map(|text| text.parse()).transpose()?,
            auto_shutdown: self.auto_shutdown.map(|text| text.parse()).transpose()?,
            restart: self.restart.map(|text| text.parse()).transpose()?,
            children: children.into_iter().collect::<Result<_>>()?,
        })
    }
}

impl StartSpec {
    /// The facade's spec, or the first of its parts that is none.
    pub fn into_spec(self, queue: &Arc<Queue>) -> Result<ChildSpec> {
        let port = self.handler.map(|handler| Port::new(queue, handler));
        if let Some(supervisor) = self.supervisor {
            return supervisor.into_spec(queue).map(ChildSpec::Supervisor);
        }
        let spec = self.actor.map(SpawnSpec::into_spec).transpose()?.unwrap_or_default();
        Ok(match port {
            Some(port) => ChildSpec::Host(spec, HostExecutor::Loop, port.into_handler()),
            None => ChildSpec::Guest(spec),
        })
    }
}
