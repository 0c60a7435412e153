//! The baseline grants: clock, random, stdio. WASI cannot refuse the first two but by a trap.

use std::sync::{Arc, Mutex, PoisonError};

use airssys_osl::{Ask, Denial, Guard};
use wasmtime::component::Resource;
use wasmtime_wasi::WasiView;
use wasmtime_wasi::clocks::WasiClocksView;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Duration, Instant};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::{self, Datetime};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::random::WasiRandomCtx;

use super::state::{Refusals, State};
use crate::types::error::Error;

/// The guards of the baseline grants, asked for at their first use and whenever one has died.
#[derive(Clone)]
pub(crate) struct Baseline {
    refusals: Arc<Refusals>,
    // Kept so that a clock that is read a million times is one decision and one audit record.
    guards: Arc<Mutex<[Option<Guard>; 3]>>,
}

impl Baseline {
    pub(crate) fn new(refusals: Arc<Refusals>) -> Self {
        Self { refusals, guards: Arc::default() }
    }

    pub(crate) fn clock(&self) -> Result<(), Denial> {
        self.check(0, &Ask::Clock, "wasi:clocks")
    }

    pub(crate) fn random(&self) -> Result<(), Denial> {
        self.check(1, &Ask::Random, "wasi:random")
    }

    /// `function` is what was called: of the standard streams and of the log.
    pub(crate) fn stdio(&self, function: &str) -> Result<(), Denial> {
        self.check(2, &Ask::Stdio, function)
    }

    fn check(&self, place: usize, ask: &Ask, function: &str) -> Result<(), Denial> {
        let mut guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
        if guards[place].as_ref().is_some_and(|guard| guard.alive().is_ok()) {
            return Ok(());
        }
        guards[place] = Some(self.refusals.check(ask, function)?);
        Ok(())
    }
}

impl State {
    fn clock_granted(&self) -> wasmtime::Result<()> {
        Ok(self.baseline.clock().map_err(Error::from)?)
    }

    fn random_granted(&mut self) -> wasmtime::Result<&mut WasiRandomCtx> {
        self.baseline.random().map_err(Error::from)?;
        Ok(self.ctx().ctx.random())
    }
}

impl wall_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        self.clock_granted()?;
        wall_clock::Host::now(&mut self.clocks())
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        wall_clock::Host::resolution(&mut self.clocks())
    }
}

impl monotonic_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        self.clock_granted()?;
        monotonic_clock::Host::now(&mut self.clocks())
    }

    fn resolution(&mut self) -> wasmtime::Result<Instant> {
        monotonic_clock::Host::resolution(&mut self.clocks())
    }

    fn subscribe_instant(&mut self, when: Instant) -> wasmtime::Result<Resource<DynPollable>> {
        self.clock_granted()?;
        monotonic_clock::Host::subscribe_instant(&mut self.clocks(), when)
    }

    fn subscribe_duration(&mut self, when: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        self.clock_granted()?;
        monotonic_clock::Host::subscribe_duration(&mut self.clocks(), when)
    }
}

impl random::Host for State {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        random::Host::get_random_bytes(self.random_granted()?, len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        random::Host::get_random_u64(self.random_granted()?)
    }
}

impl insecure::Host for State {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        insecure::Host::get_insecure_random_bytes(self.random_granted()?, len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        insecure::Host::get_insecure_random_u64(self.random_granted()?)
    }
}

impl insecure_seed::Host for State {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        insecure_seed::Host::insecure_seed(self.random_granted()?)
    }
}
