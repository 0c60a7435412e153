//! Monitors and links.

use napi::Env;
use napi::bindgen_prelude::{BigInt, Unknown};
use napi_derive::napi;

use crate::answer::Value;
use crate::system::{NativeSystem, actor_of};

#[napi]
impl NativeSystem {
    #[napi(ts_return_type = "DownAnswer | number | string")]
    pub fn monitor<'e>(
        &self,
        env: &'e Env,
        actor: BigInt,
        asked_by: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.begin_for(env, asked_by, Value::Down, |system| Ok(system.monitor_async(actor_of(&actor)?)))
    }

    #[napi(ts_return_type = "undefined | string")]
    pub fn link<'e>(&self, env: &'e Env, one: BigInt, other: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.link(actor_of(&one)?, actor_of(&other)?).map(|()| Value::Nothing))
    }

    #[napi(ts_return_type = "undefined | string")]
    pub fn unlink<'e>(&self, env: &'e Env, one: BigInt, other: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.unlink(actor_of(&one)?, actor_of(&other)?).map(|()| Value::Nothing))
    }
}
