//! The policy in force, and what it lets an actor do.

use std::path::Path;

use napi::Env;
use napi::bindgen_prelude::{BigInt, Unknown};
use napi_derive::napi;

use crate::answer::Value;
use crate::system::{NativeSystem, actor_of, nothing};

#[napi]
impl NativeSystem {
    #[napi(ts_return_type = "undefined | number | string")]
    pub fn policy_load<'e>(&self, env: &'e Env, path: String) -> napi::Result<Unknown<'e>> {
        self.begin(env, nothing, |system| Ok(system.policy_load_async(Path::new(&path))))
    }

    #[napi(ts_return_type = "ExplanationAnswer | string")]
    pub fn policy_explain<'e>(
        &self,
        env: &'e Env,
        actor: String,
        capability: String,
    ) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.policy_explain(&actor, &capability).map(Value::Explained))
    }

    #[napi(ts_return_type = "PolicyAnswer | string")]
    pub fn policy_test<'e>(&self, env: &'e Env) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.policy_test().map(Value::Tested))
    }

    #[napi(ts_return_type = "undefined | string")]
    pub fn check<'e>(&self, env: &'e Env, actor: BigInt, capability: String) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.check(actor_of(&actor)?, &capability).map(nothing))
    }
}
