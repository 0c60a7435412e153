//! Spawning the actors that do for others what osl can do: files and programs.

use std::future::ready;
use std::sync::Arc;

use airssys_rt::{Cause, ChildSpec, Restart};

use super::actors::{Prepared, check_host_spec};
use super::operation::Operation;
use super::{Inner, System};
use crate::component::{Charter, Service, Trade};
use crate::host::Access;
use crate::types::error::{Error, Result};
use crate::types::handle::ActorHandle;
use crate::types::spec::ActorSpec;

impl System {
    /// Starts a file actor: others ask it to read and write files, each message by the rights of who sent it.
    ///
    /// A message is a JSON object on its first line, and for `write` and `append` the bytes behind that line. Its answer
    /// is a JSON object too, but for `read`, whose answer is the bytes alone.
    ///
    /// | `op` | keys besides (default) | needs | answer |
    /// |---|---|---|---|
    /// | `read` | `path`, `offset` (0), `length` (to the end) | `fs.read` | the bytes, fewer at the end |
    /// | `write` | `path`, `offset` (0), `create`, `create_new`, `truncate` (all false) | `fs.write` | `{"written":5}` |
    /// | `append` | `path`, `create`, `create_new` (both false) | `fs.write` | `{"written":5}` |
    /// | `list` | `path` | `fs.list` | `{"entries":[{"name":"a","kind":"file"}]}` |
    /// | `metadata` | `path`, `follow` (true) | `fs.read` or `fs.list` | `{"kind":"file","size":5,"links":1,"modified_ms":…,"accessed_ms":…,"created_ms":…}` |
    /// | `set_times` | `path`, `accessed_ms`, `modified_ms` (each kept) | `fs.write` | `{}` |
    /// | `create_directory` | `path` | `fs.write` | `{}` |
    /// | `remove_file`, `remove_directory` | `path` | `fs.delete` | `{}` |
    /// | `rename` | `path`, `to` | `fs.read`, `fs.delete`, and of `to` `fs.write` | `{}` |
    /// | `copy` | `path`, `to` | `fs.read`, and of `to` `fs.write` | `{"written":5}` |
    ///
    /// A guest needs `message.request` of this actor to reach it, and for what it asks grants of its own: what this actor
    /// was granted counts only for messages of the host program, its host functions included. A sender that has ended, or
    /// has begun another life since, is denied. `DENIED` names the sender and the line that its policy lacks.
    ///
    /// Up to 16 messages are worked on at once, up to 4 of one guest over all its lives (`LIMIT_EXCEEDED` beyond); what is
    /// sent without waiting for an answer may be done in any order. An unknown operation or key is `INVALID_ARGUMENT`; an
    /// answer longer than the actor's `payload_bytes` is `PAYLOAD_TOO_LARGE`. The policy's limit of `files` is that of the
    /// sender. A copy is given up when its sender or this actor ends.
    pub fn spawn_files(&self, spec: ActorSpec) -> Result<ActorHandle> {
        self.spawn_files_async(spec).wait()
    }

    /// [`spawn_files`](System::spawn_files) without blocking.
    pub fn spawn_files_async(&self, spec: ActorSpec) -> Operation<ActorHandle> {
        self.spawn_service(spec, Trade::Files)
    }

    /// Starts a process actor: others ask it to run programs, each message by the rights of who sent it, as with
    /// [`spawn_files`](System::spawn_files). A program needs `process.run` of itself, its arguments and the names of its
    /// variables, and `fs.exec` of what links lead to.
    ///
    /// | `op` | keys besides (default) | bytes | answer |
    /// |---|---|---|---|
    /// | `run` | `program`, `args` (`[]`), `env` (`{}`), `directory` (`/`), `timeout_ms` (none) | its standard input | `{"exit":{"code":0},"stdout":3,"stderr":4}`, and behind the line the bytes of both |
    /// | `start` | the same but `timeout_ms` | none | `{"process":7}` |
    /// | `read` | `process`, `length` (64 KiB at most), `timeout_ms` | none | `{"stdout":3,"stderr":0,"end":false}` and the bytes; waits for some, `end` is true after the last |
    /// | `write` | `process`, `close` (false), `timeout_ms` | for its standard input | `{"written":5}`, fewer if the time is over |
    /// | `signal` | `process`, `signal`: `hangup`, `interrupt`, `quit`, `kill`, `user1`, `user2`, `terminate`, `stop`, `continue` | none | `{}` |
    /// | `wait` | `process`, `timeout_ms` | none | `{"exit":{"code":0}}`, or `{"signal":9}`, or `{"lost":true}` |
    /// | `end` | `process` | none | `{}`; the number is unknown then |
    ///
    /// A number is its sender's alone: `NOT_FOUND` for all others. A program and all that it started end (SIGTERM, after
    /// 2 s SIGKILL) with its sender's life, with this actor's, with the grant it runs under, and what is run by `run` also
    /// with its `timeout_ms` (`TIMEOUT`) and when its caller has gone. A longer output than an answer may have ends a
    /// `run` with `PAYLOAD_TOO_LARGE`. The policy's limit of `processes` is that of the sender; 16 are kept until `end`.
    pub fn spawn_processes(&self, spec: ActorSpec) -> Result<ActorHandle> {
        self.spawn_processes_async(spec).wait()
    }

    /// [`spawn_processes`](System::spawn_processes) without blocking.
    pub fn spawn_processes_async(&self, spec: ActorSpec) -> Operation<ActorHandle> {
        self.spawn_service(spec, Trade::Processes)
    }

    fn spawn_service(&self, spec: ActorSpec, trade: Trade) -> Operation<ActorHandle> {
        match self.open_inner().and_then(|inner| inner.spawn_service(spec, trade)) {
            Ok(operation) => operation,
            Err(error) => self.failed(error),
        }
    }
}

impl Inner {
    fn spawn_service(self: &Arc<Self>, spec: ActorSpec, trade: Trade) -> Result<Operation<ActorHandle>> {
        let prepared = self.prepare_service(spec, trade, Restart::Temporary)?;
        let resident = prepared.resident.clone();
        let handle = resident.handle;
        let up = self.spawn_alone(prepared)?.map(move |up: Result<()>| up.map(|()| handle));
        Ok(Operation::new(up, Some(resident.id.clone()), &self.tickets))
    }

    /// Checks a service's spec and takes its id.
    pub(super) fn prepare_service(
        &self,
        spec: ActorSpec,
        trade: Trade,
        default: Restart,
    ) -> Result<Prepared> {
        if spec.component.is_some() {
            return Err(Error::argument("component", "a service has none"));
        }
        check_host_spec(&spec)?;
        let (ports, audit) = (self.ports.clone(), self.audit.clone());
        self.prepare(&spec, (trade.stem(), None), default, |resident, rt_spec, restart, (limits, _)| {
            let (id, grants) = (resident.id.clone(), resident.grants.clone());
            let access = Access::new(&grants, &limits, &ports);
            let payload_bytes_max = limits.payload_bytes;
            let charter = Charter { trade, id, grants, access, payload_bytes_max, ports, audit };
            let charter = Arc::new(charter);
            ChildSpec::told(rt_spec, restart, move || ready(Ok::<_, Cause>(Service::start(charter.clone()))))
        })
    }
}
