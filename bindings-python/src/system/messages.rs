//! Messages, timers, topics and groups.

use crate::actor::Actor;
use crate::convert::payload;
use crate::subscription::Subscription;
use crate::supervision::DeadLetter;
use crate::timer::Timer;
use crate::wait::call;
use airwasm::SendOptions;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{Any, Awaited, System};

#[pymethods]
impl System {
    /// `actor.send()`.
    #[pyo3(signature = (actor, payload, *, content_type = None))]
    fn send(
        &self,
        py: Python<'_>,
        actor: &Bound<'_, Actor>,
        payload: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<()> {
        self.shared.own(actor)?.send(py, payload, content_type)
    }

    /// `actor.send_async()`.
    #[pyo3(signature = (actor, payload, *, content_type = None))]
    fn send_async<'py>(
        &self,
        py: Python<'py>,
        actor: &Bound<'py, Actor>,
        payload: &Bound<'py, PyAny>,
        content_type: Option<String>,
    ) -> Awaited<'py> {
        self.shared.own(actor)?.send_async(py, payload, content_type)
    }

    /// `actor.request()`.
    #[pyo3(signature = (actor, payload, *, timeout = None, content_type = None))]
    fn request<'py>(
        &self,
        py: Python<'py>,
        actor: &Bound<'py, Actor>,
        payload: &Bound<'py, PyAny>,
        timeout: Any<'_, 'py>,
        content_type: Option<String>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.shared.own(actor)?.request(py, payload, timeout, content_type)
    }

    /// `actor.request_async()`.
    #[pyo3(signature = (actor, payload, *, timeout = None, content_type = None))]
    fn request_async<'py>(
        &self,
        py: Python<'py>,
        actor: &Bound<'py, Actor>,
        payload: &Bound<'py, PyAny>,
        timeout: Any<'_, 'py>,
        content_type: Option<String>,
    ) -> Awaited<'py> {
        self.shared.own(actor)?.request_async(py, payload, timeout, content_type)
    }

    /// `actor.send_after()`.
    #[pyo3(signature = (actor, payload, delay, *, content_type = None))]
    fn send_after(
        &self,
        py: Python<'_>,
        actor: &Bound<'_, Actor>,
        payload: &Bound<'_, PyAny>,
        delay: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<Timer> {
        self.shared.own(actor)?.send_after(py, payload, delay, content_type)
    }

    /// `actor.send_every()`.
    #[pyo3(signature = (actor, payload, period, *, content_type = None))]
    fn send_every(
        &self,
        py: Python<'_>,
        actor: &Bound<'_, Actor>,
        payload: &Bound<'_, PyAny>,
        period: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<Timer> {
        self.shared.own(actor)?.send_every(py, payload, period, content_type)
    }

    /// `timer.cancel()`.
    fn cancel_timer(&self, py: Python<'_>, timer: &Bound<'_, Timer>) -> PyResult<bool> {
        self.shared.own(timer)?.cancel(py)
    }

    /// `actor.subscribe()`.
    fn subscribe(&self, py: Python<'_>, actor: &Bound<'_, Actor>, pattern: &str) -> PyResult<Subscription> {
        self.shared.own(actor)?.subscribe(py, pattern)
    }

    /// `subscription.unsubscribe()`.
    fn unsubscribe(&self, py: Python<'_>, subscription: &Bound<'_, Subscription>) -> PyResult<()> {
        self.shared.own(subscription)?.unsubscribe(py)
    }

    /// Sends a message to each subscription whose pattern matches; how many mailboxes took it.
    #[pyo3(signature = (topic, payload, *, content_type = None))]
    fn publish(
        &self,
        py: Python<'_>,
        topic: &str,
        payload: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<u64> {
        let (bytes, options) = (self::payload(payload)?, SendOptions { content_type });
        let bytes = bytes.as_bytes();
        call(py, &self.shared, |system| system.publish(topic, bytes, &options))
    }

    /// `actor.join()`.
    fn join(&self, py: Python<'_>, actor: &Bound<'_, Actor>, group: &str) -> PyResult<()> {
        self.shared.own(actor)?.join(py, group)
    }

    /// `actor.leave()`.
    fn leave(&self, py: Python<'_>, actor: &Bound<'_, Actor>, group: &str) -> PyResult<bool> {
        self.shared.own(actor)?.leave(py, group)
    }

    /// The members of a group in the order in which they joined.
    fn members(&self, py: Python<'_>, group: &str) -> PyResult<Vec<Actor>> {
        let members = call(py, &self.shared, |system| system.members(group))?;
        members.into_iter().map(|member| Actor::new(py, self.shared.clone(), member)).collect()
    }

    /// Sends a message to each member of a group; how many mailboxes took it.
    #[pyo3(signature = (group, payload, *, content_type = None))]
    fn broadcast(
        &self,
        py: Python<'_>,
        group: &str,
        payload: &Bound<'_, PyAny>,
        content_type: Option<String>,
    ) -> PyResult<u64> {
        let (bytes, options) = (self::payload(payload)?, SendOptions { content_type });
        let bytes = bytes.as_bytes();
        call(py, &self.shared, |system| system.broadcast(group, bytes, &options))
    }

    /// Takes the messages that were still queued when their actors ended, oldest first.
    fn dead_letters(&self, py: Python<'_>) -> PyResult<Vec<DeadLetter>> {
        DeadLetter::all(py, call(py, &self.shared, |system| system.dead_letters())?)
    }
}
