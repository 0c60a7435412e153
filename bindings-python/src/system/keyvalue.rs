//! The key-value store, as the host program itself uses it.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::awaitable;
use crate::convert::{payload, to_vec};
use crate::wait::block;

use super::{Awaited, System};

#[pymethods]
impl System {
    /// The value of a key in a namespace of the store, or None. Needs no grant; `Unsupported` without a store.
    fn kv_get<'py>(
        &self,
        py: Python<'py>,
        namespace: &str,
        key: &str,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let value = block(py, &self.shared, |system| system.kv_get_async(namespace, key))?;
        Ok(value.map(|value| PyBytes::new(py, &value)))
    }

    /// `kv_get`, awaited.
    fn kv_get_async<'py>(&self, py: Python<'py>, namespace: &str, key: &str) -> Awaited<'py> {
        let begin = || self.shared.system.kv_get_async(namespace, key);
        awaitable::start(py, &self.shared, begin, |py, value| {
            Ok(value.map_or_else(|| py.None(), |value| PyBytes::new(py, &value).into_any().unbind()))
        })
    }

    /// Puts a value there, over the one that was there; it is on the disk when this returns.
    fn kv_set(&self, py: Python<'_>, namespace: &str, key: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = to_vec(&payload(value)?)?;
        block(py, &self.shared, |system| system.kv_set_async(namespace, key, &value))
    }

    /// `kv_set`, awaited. Cancelled, it may be made all the same.
    fn kv_set_async<'py>(
        &self,
        py: Python<'py>,
        namespace: &str,
        key: &str,
        value: &Bound<'py, PyAny>,
    ) -> Awaited<'py> {
        let value = to_vec(&payload(value)?)?;
        let begin = || self.shared.system.kv_set_async(namespace, key, &value);
        awaitable::start(py, &self.shared, begin, |py, ()| Ok(py.None()))
    }

    /// Takes a key away; whether it was there.
    fn kv_delete(&self, py: Python<'_>, namespace: &str, key: &str) -> PyResult<bool> {
        block(py, &self.shared, |system| system.kv_delete_async(namespace, key))
    }

    /// `kv_delete`, awaited. Cancelled, it may be made all the same.
    fn kv_delete_async<'py>(&self, py: Python<'py>, namespace: &str, key: &str) -> Awaited<'py> {
        let begin = || self.shared.system.kv_delete_async(namespace, key);
        awaitable::start(py, &self.shared, begin, |py, found| {
            Ok(found.into_pyobject(py)?.to_owned().into_any().unbind())
        })
    }

    /// At most 1,000 keys of a namespace in the order in which they first came, and the cursor of the next page, or None.
    #[pyo3(signature = (namespace, cursor = None))]
    fn kv_list(
        &self,
        py: Python<'_>,
        namespace: &str,
        cursor: Option<u64>,
    ) -> PyResult<(Vec<String>, Option<u64>)> {
        let page = block(py, &self.shared, |system| system.kv_list_async(namespace, cursor))?;
        Ok((page.keys, page.cursor))
    }

    /// `kv_list`, awaited.
    #[pyo3(signature = (namespace, cursor = None))]
    fn kv_list_async<'py>(&self, py: Python<'py>, namespace: &str, cursor: Option<u64>) -> Awaited<'py> {
        let begin = || self.shared.system.kv_list_async(namespace, cursor);
        awaitable::start(py, &self.shared, begin, |py, page| {
            Ok((page.keys, page.cursor).into_pyobject(py)?.into_any().unbind())
        })
    }
}
