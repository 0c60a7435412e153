//! How a system is opened.

use std::path::PathBuf;

/// What a system may be told when it is opened; everything absent is the core's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The policy file. `UNSUPPORTED` in this version.
    pub policy: Option<PathBuf>,
    /// The file that audit records are appended to; without it the last 1,000 are kept in memory.
    pub audit: Option<PathBuf>,
    /// The folder for compiled code. `UNSUPPORTED` in this version.
    pub cache_dir: Option<PathBuf>,
    /// `hardened` (the default: no component-model concurrency) or `full`.
    pub profile: Option<String>,
}
