//! Memory that actors and the host program share, for the host program.

use super::System;
use crate::host::{COPY_BYTES_MAX, Region, Trouble};
use crate::types::error::{Code, Error, Result};
use crate::types::info::RegionInfo;

impl System {
    /// Makes a region of so many bytes, all 0, under a name of 1 to 63 letters, digits, `-`, `_` and `.`. It is the host
    /// program's until it is removed; guests need `region.read` or `region.write` of the name. A system has up to 1,024
    /// regions of 1 GiB together.
    pub fn region_create(&self, name: &str, bytes: u64) -> Result<()> {
        self.open_inner()?.ports.regions.create(name, bytes, None).map(|_| ())
    }

    /// Copies `bytes` bytes from `offset` of a region, an actor's or the host program's; `INVALID_ARGUMENT` if a part is
    /// outside. Each 256 KiB from there on are one step: what a write of no more puts there is seen whole or not at all.
    pub fn region_read(&self, name: &str, offset: u64, bytes: u64) -> Result<Vec<u8>> {
        let region = self.open_inner()?.ports.regions.get(name)?;
        region.check_inside(offset, bytes)?;
        let (mut into, len) = (Vec::new(), usize::try_from(bytes).unwrap_or(usize::MAX));
        into.try_reserve_exact(len).map_err(|_| no_memory(bytes))?;
        into.resize(len, 0);
        read(&region, offset, &mut into).map(|()| into)
    }

    /// [`region_read`](System::region_read) that fills the caller's bytes.
    pub fn region_read_into(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<()> {
        let region = self.open_inner()?.ports.regions.get(name)?;
        region.check_inside(offset, into.len() as u64)?;
        read(&region, offset, into)
    }

    /// Copies bytes to `offset` of a region; nothing, and `INVALID_ARGUMENT`, if a part is outside. Each 256 KiB are one
    /// step, as with [`region_read`](System::region_read).
    pub fn region_write(&self, name: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        let region = self.open_inner()?.ports.regions.get(name)?;
        region.check_inside(offset, bytes.len() as u64)?;
        let mut at = offset;
        for part in bytes.chunks(COPY_BYTES_MAX) {
            region.write(at, part, &|| Ok(())).map_err(error)?;
            at += part.len() as u64;
        }
        Ok(())
    }

    /// Removes a region, whoever has it open: its name is free, its memory is given back, and each use of it is
    /// `NOT_FOUND`.
    pub fn region_remove(&self, name: &str) -> Result<()> {
        self.open_inner()?.ports.regions.remove(name, None)
    }

    /// All regions, in the order of their names.
    pub fn regions(&self) -> Result<Vec<RegionInfo>> {
        Ok(self.open_inner()?.ports.regions.list())
    }
}

fn read(region: &Region, offset: u64, into: &mut [u8]) -> Result<()> {
    let mut at = offset;
    for part in into.chunks_mut(COPY_BYTES_MAX) {
        region.read(at, part, &|| Ok(())).map_err(error)?;
        at += part.len() as u64;
    }
    Ok(())
}

/// The host program has no grant that could end.
fn error(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Refused(error) => error,
        Trouble::Ended(kind) => {
            Error::new(Code::Internal, format!("no grant was asked for, and yet: {kind:?}"))
        }
    }
}

fn no_memory(bytes: u64) -> Error {
    let text = format!("no memory for a copy of {bytes} bytes");
    Error::new(Code::LimitExceeded, text).with("which", "host_memory").with("allowed", 0).with("used", bytes)
}
