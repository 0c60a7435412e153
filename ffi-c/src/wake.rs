//! The descriptor of `AIRWASM_DISPATCH`: readable while completions wait.

use std::io::{Read, Write};

use airwasm::{Code, Error, Result};

/// Set and clear are called with the queue locked, and in turn, so it holds one signal at most and never blocks.
#[derive(Debug)]
pub(crate) struct Wake {
    #[cfg(target_os = "linux")]
    event: std::fs::File,
    #[cfg(all(unix, not(target_os = "linux")))]
    pair: (std::os::unix::net::UnixStream, std::os::unix::net::UnixStream),
}

fn io(error: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("no descriptor for completions: {error}"))
        .with("errno", error.raw_os_error())
}

#[cfg(target_os = "linux")]
impl Wake {
    pub(crate) fn new() -> Result<Self> {
        crate::raw::eventfd().map(|event| Self { event }).map_err(|error| io(&error))
    }

    pub(crate) fn fd(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(&self.event)
    }

    // An event descriptor takes 8 bytes at once or refuses; it cannot refuse one signal.
    pub(crate) fn set(&self) {
        let _ = (&self.event).write(&1_u64.to_ne_bytes());
    }

    pub(crate) fn clear(&self) {
        let _ = (&self.event).read(&mut [0; 8]);
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
impl Wake {
    pub(crate) fn new() -> Result<Self> {
        let pair = std::os::unix::net::UnixStream::pair().and_then(|pair| {
            pair.0.set_nonblocking(true)?;
            pair.1.set_nonblocking(true)?;
            Ok(pair)
        });
        pair.map(|pair| Self { pair }).map_err(|error| io(&error))
    }

    pub(crate) fn fd(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(&self.pair.0)
    }

    // An empty socket takes one byte.
    pub(crate) fn set(&self) {
        let _ = (&self.pair.1).write(&[1]);
    }

    pub(crate) fn clear(&self) {
        let _ = (&self.pair.0).read(&mut [0; 8]);
    }
}

#[cfg(not(unix))]
impl Wake {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {})
    }

    pub(crate) fn fd(&self) -> i32 {
        -1
    }

    pub(crate) fn set(&self) {}

    pub(crate) fn clear(&self) {}
}
