//! The process that compiles for a system: this very interpreter, or a command.

use airwasm::CompileHelper;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::raise;

/// Without the user's packages and variables, and without a write to the disk.
const OWN: [&str; 4] = ["-I", "-B", "-m", "airwasm.compile_helper"];

/// `True` is the module of this package, a sequence of texts a command of the caller's.
pub fn command(given: &Bound<'_, PyAny>) -> PyResult<Option<CompileHelper>> {
    let command = match given.extract::<bool>() {
        Ok(false) => return Ok(None),
        Ok(true) => {
            let program = given.py().import("sys")?.getattr("executable")?.extract::<Option<String>>()?;
            program.into_iter().chain(OWN.map(str::to_owned)).collect()
        }
        Err(_) if given.is_instance_of::<PyString>() => {
            return Err(PyTypeError::new_err(
                "compile_helper is a bool or a sequence: program and arguments",
            ));
        }
        Err(_) => given.extract::<Vec<String>>()?,
    };
    Ok(Some(CompileHelper { command, ..CompileHelper::default() }))
}

/// Reads one component from the standard input and writes its code to the standard output.
#[pyfunction]
pub fn _compile_helper(py: Python<'_>) -> PyResult<()> {
    py.detach(airwasm::compile_helper).map_err(|error| raise(py, error))
}
