//! The only module that names wasmtime's engine and stores: compile, link, instantiate, call, within bounds.

mod artifact;
mod cache;
mod compile;
mod helper;
mod instance;
mod limiter;
mod meter;
mod scan;
mod trap;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Config, Strategy};

pub(crate) use self::cache::Cache;
pub(crate) use self::compile::{COMPONENT_BYTES_MAX, Item, Onlooker, check_size, digest};
pub use self::helper::compile_helper;
pub(crate) use self::helper::{COMPILE_MS_MAX, Helper};
pub(crate) use self::instance::{Function, Instance};
pub(crate) use self::limiter::Limiter;
pub(crate) use self::meter::Meter;
use crate::types::error::{Code, Error, Result};

/// Bytes of stack that a guest may use.
const STACK_BYTES_MAX: usize = 512 << 10;
/// The fiber's stack: the guest's part and room for host functions on top of it.
const FIBER_BYTES: usize = 2 << 20;

/// The store of whoever called a host function, for as long as it runs.
pub(crate) type Caller<'a, T> = wasmtime::StoreContextMut<'a, T>;

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

/// What of the engine is not the same in all systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub profile: Profile,
    /// Whether it counts fuel, which makes all compiled code slower.
    pub fuel: bool,
}

/// What a store must hold so that the engine can bound it.
pub(crate) trait Bounded: Send + 'static {
    fn limiter(&mut self) -> &mut Limiter;
    fn meter(&self) -> &Arc<Meter>;
    fn table(&mut self) -> &mut ResourceTable;
}

/// Feeds whatever is hashed to a digest.
struct Digesting(Sha256);

impl Hasher for Digesting {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

/// Compiles and instantiates. A clone is the same engine.
#[derive(Clone)]
pub(crate) struct Engine {
    inner: wasmtime::Engine,
    settings: Settings,
    cache: Option<Arc<Cache>>,
    helper: Option<Arc<Helper>>,
}

impl Engine {
    /// An engine with the settings that are not negotiable; each has its reason beside it.
    pub(crate) fn new(settings: Settings, cache: Option<Cache>, helper: Option<Helper>) -> Result<Self> {
        let mut config = Config::new();
        config
            .strategy(Strategy::Cranelift)
            // A host may install its own signal handlers at any time: traps are explicit checks.
            .signals_based_traps(false)
            // A tick stops a guest that computes, so that others have their turn.
            .epoch_interruption(true)
            .consume_fuel(settings.fuel)
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
            .concurrency_support(settings.profile == Profile::Full);
        let inner = wasmtime::Engine::new(&config)
            .map_err(|why| Error::new(Code::Unsupported, format!("no engine on this platform: {why:#}")))?;
        Ok(Self { inner, settings, cache: cache.map(Arc::new), helper: helper.map(Arc::new) })
    }

    /// Whether a budget of fuel means anything.
    pub(crate) fn counts_fuel(&self) -> bool {
        self.settings.fuel
    }

    /// Of this version and all settings that compiled code depends on, from which a digest may go on.
    fn settings_digest(&self) -> Sha256 {
        let mut digest = Digesting(Sha256::new());
        (env!("CARGO_PKG_VERSION"), self.inner.precompile_compatibility_hash()).hash(&mut digest);
        digest.0
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
