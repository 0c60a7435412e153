//! `wasi:config/store`: the texts of the actor's own config, which it needs no grant to read.

use wasmtime::component::{ComponentType, Linker, Lower};

use super::state::State;
use crate::engine::Caller;

/// `wasi:config/store.error`. What an actor was given when it was spawned is always there, so none is ever told.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum Error {
    #[component(name = "upstream")]
    #[expect(dead_code, reason = "the type has it")]
    Upstream(String),
    #[component(name = "io")]
    #[expect(dead_code, reason = "the type has it")]
    Io(String),
}

type Answer<T> = wasmtime::Result<(Result<T, Error>,)>;

/// Links it by hand, because the bindings of its crate are private.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut store = linker.instance("wasi:config/store@0.2.0-rc.1")?;
    store.func_wrap("get", |mut context: Caller<'_, State>, (key,): (String,)| get(&mut context, &key))?;
    store.func_wrap("get-all", |mut context: Caller<'_, State>, (): ()| get_all(&mut context))
}

fn get(context: &mut Caller<'_, State>, key: &str) -> Answer<Option<String>> {
    let config = &context.data_mut().called().grounds.config;
    let found = config.iter().find(|(name, _)| name == key);
    Ok((Ok(found.map(|(_, value)| value.clone())),))
}

fn get_all(context: &mut Caller<'_, State>) -> Answer<Vec<(String, String)>> {
    Ok((Ok(context.data_mut().called().grounds.config.to_vec()),))
}
