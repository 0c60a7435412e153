//! Publish and subscribe, groups, and letters that nobody read.

use airwasm::SubscriptionHandle;
use napi::Env;
use napi::bindgen_prelude::{BigInt, Uint8ArraySlice, Unknown};
use napi_derive::napi;

use crate::answer::Value;
use crate::spec::{raw, send_options};
use crate::system::{NativeSystem, actor_of};

#[napi]
impl NativeSystem {
    #[napi(ts_return_type = "bigint | string")]
    pub fn subscribe<'e>(&self, env: &'e Env, actor: BigInt, pattern: String) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.subscribe(actor_of(&actor)?, &pattern).map(Value::Subscription))
    }

    #[napi(ts_return_type = "undefined | string")]
    pub fn unsubscribe<'e>(&self, env: &'e Env, subscription: BigInt) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| {
            let subscription = SubscriptionHandle::from_raw(raw(&subscription))?;
            system.unsubscribe(subscription).map(|()| Value::Nothing)
        })
    }

    #[napi(ts_return_type = "number | string")]
    pub fn publish<'e>(
        &self,
        env: &'e Env,
        topic: String,
        payload: Uint8ArraySlice<'_>,
        content_type: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| {
            system.publish(&topic, &payload, &send_options(content_type)).map(Value::Count)
        })
    }

    #[napi(ts_return_type = "undefined | string")]
    pub fn join<'e>(&self, env: &'e Env, actor: BigInt, group: String) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.join(actor_of(&actor)?, &group).map(|()| Value::Nothing))
    }

    #[napi(ts_return_type = "boolean | string")]
    pub fn leave<'e>(&self, env: &'e Env, actor: BigInt, group: String) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.leave(actor_of(&actor)?, &group).map(Value::Flag))
    }

    #[napi(ts_return_type = "Array<ActorAnswer> | string")]
    pub fn members<'e>(&self, env: &'e Env, group: String) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.members(&group).map(Value::Actors))
    }

    #[napi(ts_return_type = "number | string")]
    pub fn broadcast<'e>(
        &self,
        env: &'e Env,
        group: String,
        payload: Uint8ArraySlice<'_>,
        content_type: Option<String>,
    ) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| {
            system.broadcast(&group, &payload, &send_options(content_type)).map(Value::Count)
        })
    }

    #[napi(ts_return_type = "Array<DeadLetterAnswer> | string")]
    pub fn dead_letters<'e>(&self, env: &'e Env) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.dead_letters().map(Value::DeadLetters))
    }
}
