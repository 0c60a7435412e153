//! Supervisors, their children, and the tree of all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use airssys_rt::{ActorId, Branch, Exit, Handle, SupervisorRef};

use super::actors::Prepared;
use super::directory::{Resident, Way};
use super::operation::{Operation, as_ours};
use super::rt_spec;
use super::supervisor_spec::{ChildSpec, SupervisorSpec};
use super::{Inner, System};
use crate::types::error::{Code, Error, Result};
use crate::types::handle::ActorHandle;
use crate::types::info::ActorStatus;
use crate::types::supervisor::TreeNode;

/// Supervisors below each other.
const DEPTH_MAX: usize = 32;
/// A supervisor holds no payload of its own.
const NO_PAYLOAD: u64 = 0;

impl System {
    /// Makes a supervisor and starts its children left to right. Blocks until all are up; if one does not start, those
    /// before it are stopped. Nothing is started if a spec is wrong or an id taken.
    pub fn supervisor(&self, spec: SupervisorSpec) -> Result<ActorHandle> {
        self.supervisor_async(spec).wait()
    }

    /// [`supervisor`](System::supervisor) without blocking.
    pub fn supervisor_async(&self, spec: SupervisorSpec) -> Operation<ActorHandle> {
        let begin = || {
            let inner = self.open_inner()?;
            let entered = Entered::default();
            inner.supervise(spec, &entered).inspect_err(|_| inner.forget_all(&entered))
        };
        begin().unwrap_or_else(|error| self.failed(error))
    }

    /// The children of a supervisor in the order of their starts.
    pub fn children(&self, supervisor: ActorHandle) -> Result<Vec<ActorStatus>> {
        let inner = self.open_inner()?;
        let resident = inner.directory.resident(supervisor)?;
        let children = resident.supervisor()?.children();
        Ok(children.into_iter().map(|(_, id, found)| inner.status(&id, found)).collect())
    }

    /// Adds a child and starts it. Blocks until it is up; one that does not start is not added.
    pub fn start_child(&self, supervisor: ActorHandle, child: ChildSpec) -> Result<ActorHandle> {
        self.start_child_async(supervisor, child).wait()
    }

    /// [`start_child`](System::start_child) without blocking.
    pub fn start_child_async(&self, supervisor: ActorHandle, child: ChildSpec) -> Operation<ActorHandle> {
        let begin = || {
            let inner = self.open_inner()?;
            let resident = inner.directory.resident(supervisor)?;
            let entered = Entered::default();
            let started = inner.start_child(resident.supervisor()?, child, &entered);
            started.inspect_err(|_| inner.forget_all(&entered))
        };
        begin().unwrap_or_else(|error| self.failed(error))
    }

    /// Stops a child by its own shutdown time; nobody restarts it. It is kept for `restart_child`, unless it is temporary.
    /// In the child's own handler, or below it, the stop begins and the wait is `CYCLE`.
    pub fn terminate_child(&self, supervisor: ActorHandle, child: ActorHandle) -> Result<()> {
        self.terminate_child_async(supervisor, child).wait()
    }

    /// [`terminate_child`](System::terminate_child) without blocking.
    pub fn terminate_child_async(&self, supervisor: ActorHandle, child: ActorHandle) -> Operation<()> {
        self.about_child(supervisor, child, SupervisorRef::terminate_child)
    }

    /// Starts a child that was stopped. Blocks until it is up.
    pub fn restart_child(&self, supervisor: ActorHandle, child: ActorHandle) -> Result<()> {
        self.restart_child_async(supervisor, child).wait()
    }

    /// [`restart_child`](System::restart_child) without blocking.
    pub fn restart_child_async(&self, supervisor: ActorHandle, child: ActorHandle) -> Operation<()> {
        self.about_child(supervisor, child, SupervisorRef::restart_child)
    }

    /// Removes a child that was stopped; its id is free again.
    pub fn delete_child(&self, supervisor: ActorHandle, child: ActorHandle) -> Result<()> {
        self.delete_child_async(supervisor, child).wait()
    }

    /// [`delete_child`](System::delete_child) without blocking.
    pub fn delete_child_async(&self, supervisor: ActorHandle, child: ActorHandle) -> Operation<()> {
        self.about_child(supervisor, child, SupervisorRef::delete_child)
    }

    fn about_child(
        &self,
        supervisor: ActorHandle,
        child: ActorHandle,
        act: fn(&SupervisorRef, Handle) -> airssys_rt::Asked<()>,
    ) -> Operation<()> {
        let begin = || {
            let inner = self.open_inner()?;
            let resident = inner.directory.resident(supervisor)?;
            let child = inner.directory.resident(child)?;
            let asked = act(resident.supervisor()?, child.rt_handle()?);
            Ok(Operation::new(as_ours(asked), Some(child.id.clone()), &inner.tickets))
        };
        begin().unwrap_or_else(|error| self.failed(error))
    }

    /// Who supervises whom: the top in the order of the starts, each with those below it.
    pub fn tree(&self) -> Result<Vec<TreeNode>> {
        let inner = self.open_inner()?;
        let handles: HashMap<ActorId, ActorHandle> = inner.directory.handles();
        Ok(inner.runtime.tree().into_iter().filter_map(|branch| node(inner, branch, &handles)).collect())
    }
}

fn node(inner: &Inner, branch: Branch, handles: &HashMap<ActorId, ActorHandle>) -> Option<TreeNode> {
    let actor = *handles.get(&branch.id)?;
    let children = branch.children.into_iter().filter_map(|below| node(inner, below, handles)).collect();
    let restart = branch.restart.map(rt_spec::restart_seen);
    Some(TreeNode { actor, status: inner.status(&branch.id, branch.status), restart, children })
}

/// The ids that were taken for a tree, to be given back if it is refused.
#[derive(Default)]
pub(super) struct Entered(Mutex<Vec<Arc<Resident>>>);

impl Entered {
    fn note(&self, resident: &Arc<Resident>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(resident.clone());
    }

    fn take(&self) -> Vec<Arc<Resident>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn forget_all(&self, entered: &Entered) {
        for resident in entered.take().into_iter().rev() {
            self.forget(&resident.id, &Exit::Normal);
        }
    }

    fn supervise(&self, spec: SupervisorSpec, entered: &Entered) -> Result<Operation<ActorHandle>> {
        let (resident, rt_spec) = self.prepare_supervisor(spec, entered, 0)?;
        let at = |error| Error::from(error).at(&resident.id);
        let (_, up) = self.runtime.supervise(rt_spec).map_err(at)?;
        self.find_supervisors(entered);
        let handle = resident.handle;
        let up = as_ours(up).map(move |up: Result<()>| up.map(|()| handle));
        Ok(Operation::new(up, Some(resident.id.clone()), &self.tickets))
    }

    fn start_child(
        &self,
        supervisor: &SupervisorRef,
        child: ChildSpec,
        entered: &Entered,
    ) -> Result<Operation<ActorHandle>> {
        let (resident, child) = self.prepare_child(child, entered, 0)?;
        let at = |error| Error::from(error).at(&resident.id);
        let (_, up) = supervisor.start_child(child).map_err(at)?;
        self.find_supervisors(entered);
        let handle = resident.handle;
        let up = as_ours(up).map(move |up: Result<()>| up.map(|()| handle));
        Ok(Operation::new(up, Some(resident.id.clone()), &self.tickets))
    }

    /// Notes the way to each supervisor that the runtime has made of a spec.
    fn find_supervisors(&self, entered: &Entered) {
        for resident in entered.take() {
            if resident.way.get().is_none() {
                let made = self.runtime.find(&resident.id).and_then(|handle| self.runtime.supervisor(handle));
                // One that did not start is gone already: the answer that it is waited for says why.
                if let Some(supervisor) = made {
                    // Set once: nobody else has this resident yet.
                    let _ = resident.way.set(Way::Supervisor(supervisor));
                }
            }
        }
    }

    /// Takes the ids of a whole tree.
    fn prepare_supervisor(
        &self,
        spec: SupervisorSpec,
        entered: &Entered,
        depth: usize,
    ) -> Result<(Arc<Resident>, airssys_rt::SupervisorSpec)> {
        let invalid = |text: String| Error::new(Code::InvalidChild, text).with("child", spec.name.as_str());
        if depth >= DEPTH_MAX {
            return Err(invalid(format!(
                "{}: more than {DEPTH_MAX} supervisors below each other",
                spec.name
            )));
        }
        let id = spec.name.parse::<ActorId>().map_err(|why| Error::argument("name", why))?;
        let rules = rt_spec::rules(&spec)?;
        let resident = self.take_id(id.clone(), Duration::from_millis(5_000), NO_PAYLOAD, None, None)?;
        entered.note(&resident);
        let mut rt_spec = airssys_rt::SupervisorSpec::new(id).rules(rules);
        for child in spec.children {
            let (_, child) = self.prepare_child(child, entered, depth + 1)?;
            rt_spec = rt_spec.child(child);
        }
        Ok((resident, rt_spec))
    }

    fn prepare_child(
        &self,
        child: ChildSpec,
        entered: &Entered,
        depth: usize,
    ) -> Result<(Arc<Resident>, airssys_rt::ChildSpec)> {
        let always = airssys_rt::Restart::Permanent;
        let prepared = match child {
            ChildSpec::Guest(spec) => self.prepare_guest(spec, always)?,
            ChildSpec::Host(spec, executor, handler) => self.prepare_host(spec, executor, handler, always)?,
            ChildSpec::Supervisor(spec) => {
                let restart = spec.restart.map_or(always, rt_spec::restart);
                let (resident, spec) = self.prepare_supervisor(spec, entered, depth)?;
                return Ok((resident, airssys_rt::ChildSpec::supervisor(spec, restart)));
            }
        };
        let Prepared { resident, child, .. } = prepared;
        entered.note(&resident);
        Ok((resident, child))
    }
}
