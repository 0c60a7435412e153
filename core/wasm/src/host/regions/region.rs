//! One region: its bytes under one lock, so that each call is one step for all others.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use airssys_osl::DenialKind;

use super::pages::{Pages, inside};
use super::table::Owner;
use crate::types::error::{Code, Error, Result};

/// Bytes that one step copies at most, so that the lock is held for some tens of microseconds.
pub(crate) const COPY_BYTES_MAX: usize = 256 << 10;

/// Memory that actors share; nobody else's code runs under its lock.
pub(crate) struct Region {
    pub(super) name: Arc<str>,
    pub(super) bytes: u64,
    /// The actor that made it; absent for the host program.
    pub(super) owner: Option<Owner>,
    /// How often guests have it open.
    pub(super) open: AtomicU64,
    /// Gone once it is removed.
    pages: RwLock<Option<Pages>>,
}

/// Why a step was not done.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The right to it has ended.
    Ended(DenialKind),
    Refused(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Refused(error)
    }
}

type Step<T> = std::result::Result<T, Trouble>;
/// Whether the right to a step still holds; asked under the lock.
pub(super) type Right<'a> = &'a dyn Fn() -> std::result::Result<(), DenialKind>;

impl Region {
    pub(super) fn new(name: Arc<str>, bytes: u64, owner: Option<Owner>) -> Result<Self> {
        let pages = RwLock::new(Some(Pages::zeroed(bytes)?));
        Ok(Self { name, bytes, owner, open: AtomicU64::new(0), pages })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// `INVALID_ARGUMENT` unless so many bytes at `offset` are inside.
    pub(crate) fn check_inside(&self, offset: u64, bytes: u64) -> Result<()> {
        inside(self.bytes, offset, bytes).map(|_| ())
    }

    /// Fills `into` with what stands at `offset`.
    pub(crate) fn read(&self, offset: u64, into: &mut [u8], right: Right<'_>) -> Step<()> {
        check_copy(into.len())?;
        // A step that panicked has changed no more than bytes.
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        right().map_err(Trouble::Ended)?;
        Ok(pages.as_ref().ok_or_else(|| removed(&self.name))?.read(offset, into)?)
    }

    pub(crate) fn write(&self, offset: u64, from: &[u8], right: Right<'_>) -> Step<()> {
        check_copy(from.len())?;
        self.change(right, |pages| pages.write(offset, from))
    }

    /// Replaces the number at `offset` by what `change` makes of it, if anything; what it was.
    pub(crate) fn update(
        &self,
        offset: u64,
        right: Right<'_>,
        change: impl FnOnce(u64) -> Option<u64>,
    ) -> Step<u64> {
        self.change(right, |pages| {
            let mut word = [0; 8];
            pages.read(offset, &mut word)?;
            let before = u64::from_le_bytes(word);
            if let Some(after) = change(before) {
                pages.write(offset, &after.to_le_bytes())?;
            }
            Ok(before)
        })
    }

    fn change<T>(&self, right: Right<'_>, run: impl FnOnce(&mut Pages) -> Result<T>) -> Step<T> {
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        right().map_err(Trouble::Ended)?;
        Ok(run(pages.as_mut().ok_or_else(|| removed(&self.name))?)?)
    }

    /// Returns when no step is under way that began before.
    pub(crate) fn settle(&self) {
        drop(self.pages.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Gives the memory back; whoever has it open finds it gone.
    pub(super) fn free(&self) {
        let pages = self.pages.write().unwrap_or_else(PoisonError::into_inner).take();
        // Without the lock: to give back much takes a while.
        drop(pages);
    }
}

/// Counts as an opening as long as it lasts.
pub(crate) struct Opening(pub(crate) Arc<Region>);

impl Opening {
    pub(crate) fn new(region: Arc<Region>) -> Self {
        region.open.fetch_add(1, Relaxed);
        Self(region)
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

/// `LIMIT_EXCEEDED` for more than one step copies.
pub(super) fn check_copy(bytes: usize) -> Result<()> {
    match bytes <= COPY_BYTES_MAX {
        true => Ok(()),
        false => Err(Error::limit("copy_bytes", COPY_BYTES_MAX as u64, bytes as u64)),
    }
}

/// The error of a region that is not there, or not any more.
pub(super) fn removed(name: &str) -> Error {
    Error::new(Code::NotFound, format!("no region is called {name}"))
}
