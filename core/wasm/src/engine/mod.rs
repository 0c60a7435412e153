//! The only module that names wasmtime's engine and stores: compile, link, instantiate, call, within bounds.

mod artifact;
mod cache;
mod compile;
mod instance;
mod limiter;
mod meter;
mod scan;
mod trap;

use std::sync::Arc;

use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Config, Strategy};

pub(crate) use self::cache::Cache;
pub(crate) use self::compile::{COMPONENT_BYTES_MAX, Item, check_size, digest};
pub(crate) use self::instance::{Function, Instance};
pub(crate) use self::limiter::Limiter;
pub(crate) use self::meter::Meter;
use crate::types::error::{Code, Error, Result};

/// Bytes of stack that a guest may use.
const STACK_BYTES_MAX: usize = 512 << 10;
/// The fiber's stack: the guest's part and room for host functions on top of it.
const FIBER_BYTES: usize = 2 << 20;

/// Whether component-model concurrency is compiled in: it makes every call 3.5 times dearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Hardened,
    Full,
}

impl Profile {
    pub(crate) fn parse(text: Option<&str>) -> Result<Self> {
        match text {
            None | Some("hardened") => Ok(Profile::Hardened),
            Some("full") => Ok(Profile::Full),
            Some(other) => Err(Error::argument("profile", format!("{other:?} is none of hardened, full"))),
        }
    }
}

/// What a store must hold so that the engine can bound it.
pub(crate) trait Bounded: Send + 'static {
    fn limiter(&mut self) -> &mut Limiter;
    fn meter(&self) -> &Arc<Meter>;
    fn table(&mut self) -> &mut ResourceTable;
}

/// Compiles and instantiates. A clone is the same engine.
#[derive(Clone)]
pub(crate) struct Engine {
    inner: wasmtime::Engine,
    profile: Profile,
    cache: Option<Arc<Cache>>,
}

impl Engine {
    /// An engine with the settings that are not negotiable; each has its reason beside it.
    pub(crate) fn new(profile: Profile, cache: Option<Cache>) -> Result<Self> {
        let mut config = Config::new();
        config
            .strategy(Strategy::Cranelift)
            // A host may install its own signal handlers at any time: traps are explicit checks.
            .signals_based_traps(false)
            // A tick stops a guest that computes, so that others have their turn.
            .epoch_interruption(true)
            .max_wasm_stack(STACK_BYTES_MAX)
            .async_stack_size(FIBER_BYTES)
            .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20))
            // Debug information of a hostile guest is never parsed, whatever the host's environment says.
            .debug_info(false)
            .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable)
            // Bounds are checked explicitly, so wide reservations and guards would only use up address space.
            .memory_reservation(1 << 20)
            .memory_reservation_for_growth(1 << 20)
            .memory_guard_size(64 << 10)
            .wasm_component_model(true)
            .wasm_multi_memory(true)
            // Compiled in because an advisory concerns builds without; off because no guest of ours needs them.
            .wasm_gc(false)
            .wasm_function_references(false)
            .wasm_threads(false)
            .wasm_memory64(false)
            .wasm_exceptions(false)
            .wasm_stack_switching(false)
            .concurrency_support(profile == Profile::Full);
        let inner = wasmtime::Engine::new(&config)
            .map_err(|why| Error::new(Code::Unsupported, format!("no engine on this platform: {why:#}")))?;
        Ok(Self { inner, profile, cache: cache.map(Arc::new) })
    }

    /// One tick has passed: a guest that computes yields.
    pub(crate) fn tick(&self) -> Box<dyn Fn() + Send> {
        let engine = self.inner.weak();
        Box::new(move || {
            if let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
            }
        })
    }

    /// An empty linker.
    pub(crate) fn linker<T: 'static>(&self) -> Linker<T> {
        Linker::new(&self.inner)
    }
}
