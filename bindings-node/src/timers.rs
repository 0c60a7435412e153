//! Messages that are sent later, or again and again.

use airwasm::TimerHandle;
use napi::Env;
use napi::bindgen_prelude::{BigInt, Uint8ArraySlice, Unknown};
use napi_derive::napi;

use crate::answer::Value;
use crate::spec::{millis, raw, send_options};
use crate::system::{NativeSystem, actor_of};

#[napi]
impl NativeSystem {
    #[napi(ts_return_type = "bigint | string")]
    pub fn send_after<'e>(
        &self,
        env: &'e Env,
        actor: BigInt,
        payload: Uint8ArraySlice<'_>,
        delay_ms: f64,
        content_type: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| {
            let options = send_options(content_type);
            system.send_after(actor_of(&actor)?, &payload, millis(delay_ms), &options).map(Value::Timer)
        })
    }

    #[napi(ts_return_type = "bigint | string")]
    pub fn send_every<'e>(
        &self,
        env: &'e Env,
        actor: BigInt,
        payload: Uint8ArraySlice<'_>,
        period_ms: f64,
        content_type: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| {
            let options = send_options(content_type);
            system.send_every(actor_of(&actor)?, &payload, millis(period_ms), &options).map(Value::Timer)
        })
    }

    #[napi(ts_return_type = "boolean | string")]
    pub fn cancel_timer<'e>(&self, env: &'e Env, timer: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.cancel_timer(TimerHandle::from_raw(raw(&timer))?).map(Value::Flag))
    }
}
