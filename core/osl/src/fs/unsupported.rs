//! In place of files, network and programs where they cannot be kept safe: no grant of them is given.

use std::env::consts::OS;

use crate::capability::Capability;

/// The directory that a grant holds open: there is none.
pub(crate) enum Base {}

impl Base {
    /// Refuses a grant of what there are no operations for.
    pub fn of(capability: &Capability) -> Result<Option<Self>, String> {
        let family = capability.name().split('.').next().unwrap_or_default();
        let what = match family {
            "fs" => "files",
            "net" | "http" => "the network",
            "process" => "programs",
            _ => return Ok(None),
        };
        Err(format!("it is not supported on {OS}: {what} can be used on Unix only"))
    }

    pub fn real_path(&self) -> Option<String> {
        match *self {}
    }

    pub fn depth(&self) -> usize {
        match *self {}
    }
}
