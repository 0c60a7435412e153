//! Memory that actors and the host program share.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{payload, to_bytes};
use crate::info::RegionInfo;
use crate::limits::amount;
use crate::wait::call;

use super::System;

/// A count of bytes; one that no core type holds is `InvalidArgument`.
fn bytes_of(which: &str, value: &Bound<'_, PyAny>) -> PyResult<u64> {
    Ok(amount(which, Some(value))?.unwrap_or_default())
}

#[pymethods]
impl System {
    /// Makes a region of so many bytes, all 0.
    fn region_create(&self, py: Python<'_>, name: &str, bytes: &Bound<'_, PyAny>) -> PyResult<()> {
        let bytes = bytes_of("bytes", bytes)?;
        call(py, &self.shared, |system| system.region_create(name, bytes))
    }

    /// Copies so many bytes from `offset` of a region; each 256 KiB are one step.
    fn region_read<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        offset: &Bound<'py, PyAny>,
        bytes: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (offset, bytes) = (bytes_of("offset", offset)?, bytes_of("bytes", bytes)?);
        to_bytes(py, &call(py, &self.shared, |system| system.region_read(name, offset, bytes))?)
    }

    /// `region_read` that fills a writable buffer of bytes: a `bytearray`, a `memoryview`.
    fn region_read_into(
        &self,
        py: Python<'_>,
        name: &str,
        offset: &Bound<'_, PyAny>,
        buffer: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let offset = bytes_of("offset", offset)?;
        let into = PyBuffer::<u8>::get(buffer).ok().filter(|buffer| !buffer.readonly());
        let into = into.ok_or_else(|| PyTypeError::new_err("a writable buffer of bytes is needed"))?;
        let len = into.len_bytes() as u64;
        // By way of bytes of our own, for others may write to the buffer while the GIL is free.
        let read = call(py, &self.shared, |system| system.region_read(name, offset, len))?;
        into.copy_from_slice(py, &read)
    }

    /// Copies bytes to `offset` of a region; each 256 KiB are one step.
    fn region_write(
        &self,
        py: Python<'_>,
        name: &str,
        offset: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (offset, data) = (bytes_of("offset", offset)?, payload(data)?);
        let data = data.as_bytes();
        call(py, &self.shared, |system| system.region_write(name, offset, data))
    }

    /// Removes a region, whoever has it open.
    fn region_remove(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        call(py, &self.shared, |system| system.region_remove(name))
    }

    /// All regions, in the order of their names.
    fn regions(&self, py: Python<'_>) -> PyResult<Vec<RegionInfo>> {
        let regions = call(py, &self.shared, |system| system.regions())?;
        Ok(regions.into_iter().map(Into::into).collect())
    }
}
