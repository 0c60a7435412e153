//! The files of the audit, which no grant reaches whatever their names are now.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use super::disk;
use crate::protected::Protected;

/// Opens a file of the audit, which may create it. Whoever finds it meanwhile waits to be told whose it is.
pub(crate) fn open(protected: &Protected, path: &Path) -> io::Result<(File, Metadata)> {
    let file = protected.open(|| disk::open(path))?;
    let metadata = disk::describe(&file)?;
    Ok((file, metadata))
}
