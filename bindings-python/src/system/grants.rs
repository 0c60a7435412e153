//! What actors may do: grants, the policy, its record.

use crate::actor::Actor;
use crate::audit::AuditReport;
use crate::awaitable;
use crate::errors::raise;
use crate::grant::{Grant, GrantInfo, capability_text};
use crate::policy::{Explanation, PolicyReport};
use crate::wait::{block, call};
use pyo3::prelude::*;
use std::path::PathBuf;

use super::{Any, Awaited, System};

#[pymethods]
impl System {
    /// `actor.grant()`.
    #[pyo3(signature = (actor, capability, *, ttl = None))]
    fn grant(
        &self,
        py: Python<'_>,
        actor: &Bound<'_, Actor>,
        capability: &Bound<'_, PyAny>,
        ttl: Any,
    ) -> PyResult<Grant> {
        self.shared.own(actor)?.grant(py, capability, ttl)
    }

    /// `grant.revoke()`.
    fn revoke(&self, py: Python<'_>, grant: &Bound<'_, Grant>) -> PyResult<u64> {
        self.shared.own(grant)?.revoke(py)
    }

    /// `actor.grants()`.
    fn grants(&self, py: Python<'_>, actor: &Bound<'_, Actor>) -> PyResult<Vec<GrantInfo>> {
        self.shared.own(actor)?.grants(py)
    }

    /// `actor.check()`.
    fn check(&self, py: Python<'_>, actor: &Bound<'_, Actor>, capability: &Bound<'_, PyAny>) -> PyResult<()> {
        self.shared.own(actor)?.check(py, capability)
    }

    /// Puts a policy in force for all actors at once, those that live included; at an error the one before stays. What it
    /// denies is cut, what it no longer allows is revoked. With `policy_watch` it is watched from now on.
    fn policy_load(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        block(py, &self.shared, |system| system.policy_load_async(&path))
    }

    /// `policy_load`, awaited. Cancelling ends the wait, not the loading.
    fn policy_load_async<'py>(&self, py: Python<'py>, path: PathBuf) -> Awaited<'py> {
        let begin = || self.shared.system.policy_load_async(&path);
        awaitable::start(py, &self.shared, begin, |py, ()| Ok(py.None()))
    }

    /// Which rule of the policy decides what an actor of this id may do; its `str()` is one line. Grants from code are
    /// not looked at.
    fn policy_explain(&self, actor: &str, capability: &Bound<'_, PyAny>) -> PyResult<Explanation> {
        let py = capability.py();
        let text = capability_text(capability)?;
        call(py, &self.shared, |system| system.policy_explain(actor, &text)).map(Into::into)
    }

    /// Runs the tests of the policy in force; only tells what became of them.
    fn policy_test(&self, py: Python<'_>) -> PyResult<PolicyReport> {
        call(py, &self.shared, |system| system.policy_test()).map(Into::into)
    }

    /// Follows the hash chain of an audit log; `AuditBroken` with the first line that is not as it was written.
    #[staticmethod]
    fn audit_verify(py: Python<'_>, path: PathBuf) -> PyResult<AuditReport> {
        let verified = py.detach(|| airwasm::System::audit_verify(&path));
        verified.map(Into::into).map_err(|error| raise(py, error))
    }
}
