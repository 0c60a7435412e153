//! Memory that actors and the host program share.

use napi::Env;
use napi::bindgen_prelude::{Uint8ArraySlice, Unknown};
use napi_derive::napi;

use crate::answer::Value;
use crate::spec::count;
use crate::system::NativeSystem;

#[napi]
impl NativeSystem {
    #[napi(ts_return_type = "undefined | string")]
    pub fn region_create<'e>(&self, env: &'e Env, name: String, bytes: f64) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.region_create(&name, count(bytes)).map(|()| Value::Nothing))
    }

    #[napi(ts_return_type = "Buffer | string")]
    pub fn region_read<'e>(
        &self,
        env: &'e Env,
        name: String,
        offset: f64,
        bytes: f64,
    ) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.region_read(&name, count(offset), count(bytes)).map(Value::Bytes))
    }

    #[napi(ts_return_type = "undefined | string")]
    pub fn region_write<'e>(
        &self,
        env: &'e Env,
        name: String,
        offset: f64,
        data: Uint8ArraySlice<'_>,
    ) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.region_write(&name, count(offset), &data).map(|()| Value::Nothing))
    }

    #[napi(ts_return_type = "undefined | string")]
    pub fn region_remove<'e>(&self, env: &'e Env, name: String) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.region_remove(&name).map(|()| Value::Nothing))
    }

    #[napi(ts_return_type = "Array<RegionAnswer> | string")]
    pub fn regions<'e>(&self, env: &'e Env) -> napi::Result<Unknown<'e>> {
        self.now(env, |system| system.regions().map(Value::Regions))
    }
}
