//! The key-value store, as the host program itself uses it.

use napi::Env;
use napi::bindgen_prelude::{Uint8ArraySlice, Unknown};
use napi_derive::napi;

use crate::answer::Value;
use crate::system::{NativeSystem, nothing};

#[napi]
impl NativeSystem {
    #[napi(ts_return_type = "Buffer | null | number | string")]
    pub fn kv_get<'e>(&self, env: &'e Env, namespace: String, key: String) -> napi::Result<Unknown<'e>> {
        self.begin(env, Value::Found, |system| Ok(system.kv_get_async(&namespace, &key)))
    }

    #[napi(ts_return_type = "undefined | number | string")]
    pub fn kv_set<'e>(
        &self,
        env: &'e Env,
        namespace: String,
        key: String,
        value: Uint8ArraySlice<'_>,
    ) -> napi::Result<Unknown<'e>> {
        self.begin(env, nothing, |system| Ok(system.kv_set_async(&namespace, &key, &value)))
    }

    #[napi(ts_return_type = "boolean | number | string")]
    pub fn kv_delete<'e>(&self, env: &'e Env, namespace: String, key: String) -> napi::Result<Unknown<'e>> {
        self.begin(env, Value::Flag, |system| Ok(system.kv_delete_async(&namespace, &key)))
    }

    #[napi(ts_return_type = "KeysAnswer | number | string")]
    pub fn kv_list<'e>(
        &self,
        env: &'e Env,
        namespace: String,
        cursor: Option<f64>,
    ) -> napi::Result<Unknown<'e>> {
        let cursor = cursor.map(|cursor| cursor as u64);
        self.begin(env, Value::Keys, |system| Ok(system.kv_list_async(&namespace, cursor)))
    }
}
