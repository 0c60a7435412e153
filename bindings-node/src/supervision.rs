//! Supervisors, their children, and the tree of all.

use napi::Env;
use napi::bindgen_prelude::{BigInt, Unknown};
use napi_derive::napi;

use crate::answer::Value;
use crate::supervisor_spec::{StartSpec, SuperviseSpec};
use crate::system::{NativeSystem, actor_of, nothing};

#[napi]
impl NativeSystem {
    #[napi(ts_return_type = "ActorAnswer | number | string")]
    pub fn supervisor<'e>(&self, env: &'e Env, spec: SuperviseSpec) -> napi::Result<Unknown<'e>> {
        self.begin(env, Value::Actor, |system| Ok(system.supervisor_async(spec.into_spec(self.queue())?)))
    }

    #[napi(ts_return_type = "Array<StatusAnswer> | string")]
    pub fn children<'e>(&self, env: &'e Env, supervisor: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.children(actor_of(&supervisor)?).map(Value::Statuses))
    }

    #[napi(ts_return_type = "ActorAnswer | number | string")]
    pub fn start_child<'e>(
        &self,
        env: &'e Env,
        supervisor: BigInt,
        child: StartSpec,
        asked_by: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.begin_for(env, asked_by, Value::Actor, |system| {
            let child = child.into_spec(self.queue())?;
            Ok(system.start_child_async(actor_of(&supervisor)?, child))
        })
    }

    #[napi(ts_return_type = "undefined | number | string")]
    pub fn terminate_child<'e>(
        &self,
        env: &'e Env,
        supervisor: BigInt,
        child: BigInt,
        asked_by: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.begin_for(env, asked_by, nothing, |system| {
            Ok(system.terminate_child_async(actor_of(&supervisor)?, actor_of(&child)?))
        })
    }

    #[napi(ts_return_type = "undefined | number | string")]
    pub fn restart_child<'e>(
        &self,
        env: &'e Env,
        supervisor: BigInt,
        child: BigInt,
        asked_by: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.begin_for(env, asked_by, nothing, |system| {
            Ok(system.restart_child_async(actor_of(&supervisor)?, actor_of(&child)?))
        })
    }

    #[napi(ts_return_type = "undefined | number | string")]
    pub fn delete_child<'e>(
        &self,
        env: &'e Env,
        supervisor: BigInt,
        child: BigInt,
        asked_by: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.begin_for(env, asked_by, nothing, |system| {
            Ok(system.delete_child_async(actor_of(&supervisor)?, actor_of(&child)?))
        })
    }

    #[napi(ts_return_type = "Array<TreeAnswer> | string")]
    pub fn tree<'e>(&self, env: &'e Env) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.tree().map(Value::Tree))
    }
}
