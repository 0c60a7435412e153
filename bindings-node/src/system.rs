//! The facade's operations, spelled for `ts/index.ts`.

use std::rc::Rc;
use std::sync::Arc;

use airwasm::{ActorHandle, ComponentHandle, GrantHandle, HostExecutor, Operation, Result, System};
use napi::Env;
use napi::bindgen_prelude::{BigInt, Either, Uint8ArraySlice, Unknown};
use napi_derive::napi;

use crate::answer::{Value, answer, error_text, guard};
use crate::events::NativeEvents;
use crate::host::State;
use crate::port::Port;
use crate::queue::Queue;
use crate::spec::{SpawnSpec, millis, raw, request_options, send_options};

/// One system. Collected without having been closed, it kills its actors. `asked_by` is the id of the actor whose
/// handler asks.
#[napi]
pub struct NativeSystem {
    state: Rc<State>,
    system: System,
    serial: u64,
}

impl NativeSystem {
    pub fn new(state: Rc<State>, system: System, serial: u64) -> Self {
        Self { state, system, serial }
    }

    /// Does what never waits.
    pub fn now<'e>(
        &self,
        env: &'e Env,
        work: impl FnOnce(&System) -> Result<Value>,
    ) -> napi::Result<Unknown<'e>> {
        answer(env, Some(&self.system), || work(&self.system))
    }

    /// Begins what may wait.
    pub fn begin<'e, T: Send + 'static>(
        &self,
        env: &'e Env,
        wrap: fn(T) -> Value,
        start: impl FnOnce(&System) -> Result<Operation<T>>,
    ) -> napi::Result<Unknown<'e>> {
        self.state.begin(env, &self.system, wrap, || start(&self.system))
    }

    /// The same on behalf of the actor of this id, whose handler waits.
    pub fn begin_for<'e, T: Send + 'static>(
        &self,
        env: &'e Env,
        asked_by: Option<String>,
        wrap: fn(T) -> Value,
        start: impl FnOnce(&System) -> Result<Operation<T>>,
    ) -> napi::Result<Unknown<'e>> {
        self.begin(env, wrap, |system| {
            let asker = system.asker(asked_by.as_deref())?;
            Ok(start(system)?.asked_by(asker))
        })
    }

    /// Where the messages for handlers go.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.state.queue
    }
}

impl Drop for NativeSystem {
    fn drop(&mut self) {
        self.state.forget(self.serial);
        let _ = guard(|| {
            self.system.abandon();
            Ok(())
        });
    }
}

/// The value of an operation that has none.
pub fn nothing((): ()) -> Value {
    Value::Nothing
}

/// The handle of an actor or supervisor.
pub fn actor_of(handle: &BigInt) -> Result<ActorHandle> {
    ActorHandle::from_raw(raw(handle))
}

fn component_of(handle: &BigInt) -> Result<ComponentHandle> {
    ComponentHandle::from_raw(raw(handle))
}

#[napi]
impl NativeSystem {
    #[napi(ts_return_type = "ClosedAnswer | number | string")]
    pub fn close<'e>(&self, env: &'e Env, deadline_ms: Option<f64>) -> napi::Result<Unknown<'e>> {
        self.begin(env, Value::Closed, |system| Ok(system.close_async(deadline_ms.map(millis))))
    }

    #[napi(ts_return_type = "boolean | string")]
    pub fn is_closed<'e>(&self, env: &'e Env) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| Ok(Value::Flag(system.is_closed())))
    }

    #[napi(ts_return_type = "LoadedAnswer | number | string")]
    pub fn load<'e>(&self, env: &'e Env, path: String) -> napi::Result<Unknown<'e>> {
        self.begin(env, Value::Component, |system| Ok(system.load_async(path.as_ref())))
    }

    #[napi(ts_return_type = "LoadedAnswer | number | string")]
    pub fn load_bytes<'e>(&self, env: &'e Env, bytes: Uint8ArraySlice<'_>) -> napi::Result<Unknown<'e>> {
        self.begin(env, Value::Component, |system| Ok(system.load_bytes_async(bytes.to_vec())))
    }

    #[napi(ts_return_type = "InfoAnswer | string")]
    pub fn inspect<'e>(&self, env: &'e Env, component: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.inspect(component_of(&component)?).map(Value::Info))
    }

    // As bytes, since a string here is an error.
    #[napi(ts_return_type = "Buffer | string")]
    pub fn types<'e>(&self, env: &'e Env, component: BigInt, language: String) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| {
            Ok(Value::Bytes(system.types(component_of(&component)?, &language)?.into_bytes()))
        })
    }

    #[napi(ts_return_type = "undefined | string")]
    pub fn unload<'e>(&self, env: &'e Env, component: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.unload(component_of(&component)?).map(|()| Value::Nothing))
    }

    #[napi(ts_return_type = "ActorAnswer | number | string")]
    pub fn spawn<'e>(&self, env: &'e Env, spec: SpawnSpec) -> napi::Result<Unknown<'e>> {
        self.begin(env, Value::Actor, |system| Ok(system.spawn_async(spec.into_spec()?)))
    }

    /// `handler` is the number that messages for this actor carry in a batch.
    #[napi(ts_return_type = "ActorAnswer | string")]
    pub fn spawn_host<'e>(&self, env: &'e Env, spec: SpawnSpec, handler: u32) -> napi::Result<Unknown<'e>> {
        let deliver = Port::new(self.queue(), handler).into_handler();
        self.now(env, |system| {
            system.spawn_host_deferred(spec.into_spec()?, HostExecutor::Loop, deliver).map(Value::Actor)
        })
    }

    #[napi(ts_return_type = "ActorAnswer | number | string")]
    pub fn spawn_files<'e>(&self, env: &'e Env, spec: SpawnSpec) -> napi::Result<Unknown<'e>> {
        self.begin(env, Value::Actor, |system| Ok(system.spawn_files_async(spec.into_spec()?)))
    }

    #[napi(ts_return_type = "ActorAnswer | number | string")]
    pub fn spawn_processes<'e>(&self, env: &'e Env, spec: SpawnSpec) -> napi::Result<Unknown<'e>> {
        self.begin(env, Value::Actor, |system| Ok(system.spawn_processes_async(spec.into_spec()?)))
    }

    #[napi(ts_return_type = "undefined | number | string")]
    pub fn stop<'e>(
        &self,
        env: &'e Env,
        actor: BigInt,
        deadline_ms: Option<f64>,
        asked_by: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.begin_for(env, asked_by, nothing, |system| {
            Ok(system.stop_async(actor_of(&actor)?, deadline_ms.map(millis)))
        })
    }

    #[napi(ts_return_type = "undefined | string")]
    pub fn kill<'e>(&self, env: &'e Env, actor: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.kill(actor_of(&actor)?).map(|()| Value::Nothing))
    }

    #[napi(ts_return_type = "ActorAnswer | string")]
    pub fn lookup<'e>(&self, env: &'e Env, id: String) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.lookup(&id).map(Value::Actor))
    }

    #[napi(ts_return_type = "StatusAnswer | string")]
    pub fn status<'e>(&self, env: &'e Env, actor: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.status(actor_of(&actor)?).map(Value::Status))
    }

    #[napi(ts_return_type = "Array<StatusAnswer> | string")]
    pub fn list<'e>(&self, env: &'e Env, pattern: Option<String>) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.list(pattern.as_deref()).map(Value::Statuses))
    }

    #[napi(ts_return_type = "undefined | number | string")]
    pub fn send<'e>(
        &self,
        env: &'e Env,
        actor: BigInt,
        payload: Uint8ArraySlice<'_>,
        content_type: Option<String>,
        asked_by: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.begin_for(env, asked_by, nothing, |system| {
            Ok(system.send_async(actor_of(&actor)?, &payload, &send_options(content_type)))
        })
    }

    #[napi(ts_return_type = "Buffer | number | string")]
    pub fn request<'e>(
        &self,
        env: &'e Env,
        actor: BigInt,
        payload: Uint8ArraySlice<'_>,
        timeout_ms: Option<f64>,
        content_type: Option<String>,
        asked_by: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.begin_for(env, asked_by, Value::Bytes, |system| {
            let options = request_options(timeout_ms, content_type);
            Ok(system.request_async(actor_of(&actor)?, &payload, &options))
        })
    }

    #[napi(ts_return_type = "bigint | string")]
    pub fn grant<'e>(
        &self,
        env: &'e Env,
        actor: BigInt,
        capability: String,
        ttl_ms: Option<f64>,
    ) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| {
            system.grant(actor_of(&actor)?, &capability, ttl_ms.map(millis)).map(Value::Grant)
        })
    }

    #[napi(ts_return_type = "number | string")]
    pub fn revoke<'e>(&self, env: &'e Env, grant: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.revoke(GrantHandle::from_raw(raw(&grant))?).map(Value::Count))
    }

    #[napi(ts_return_type = "Array<GrantAnswer> | string")]
    pub fn grants<'e>(&self, env: &'e Env, actor: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.grants(actor_of(&actor)?).map(Value::Grants))
    }

    #[napi]
    pub fn events(&self, kinds: String) -> Either<NativeEvents, String> {
        match guard(|| self.system.events(&kinds)) {
            Ok(events) => Either::A(NativeEvents::new(Rc::clone(&self.state), self.system.clone(), events)),
            Err(error) => Either::B(error_text(&error)),
        }
    }

    #[napi(ts_return_type = "StatsAnswer | string")]
    pub fn stats<'e>(&self, env: &'e Env) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.stats().map(Value::Stats))
    }
}

/// Compiles one component from the standard input to the standard output, in a process of its own; gives the fault, if
/// there is one.
#[napi(ts_return_type = "string | null")]
pub fn compile_helper() -> Option<String> {
    match std::panic::catch_unwind(airwasm::compile_helper) {
        Ok(outcome) => outcome.err().map(|error| error.to_string()),
        Err(_) => Some("the compiler panicked".to_owned()),
    }
}
