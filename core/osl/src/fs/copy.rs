//! The content of one file written over another, in steps between which every grant is asked again.

use rustix::io::{pread, pwrite};

use crate::fs::handle::{FileHandle, again, permit_byte_at};
use crate::fs::needs::Act;
use crate::fs::{Files, FsError, OpenOptions};

/// Bytes that one step copies inside the system.
#[cfg(target_os = "linux")]
const STEP_BYTES: u64 = 1 << 20;
/// Bytes of the one buffer where the system does not copy by itself.
const BUFFER_BYTES: u64 = 65_536;
/// Most bytes that are copied from a file that says it has none, as those of `/proc` do.
const UNSIZED_BYTES_MAX: u64 = 16 << 20;

impl Files {
    /// Writes what a file held when the call began over another, made where there is none; how many bytes
    /// that were. Needs `fs.read` of the one and `fs.write` of the other.
    ///
    /// Neither mode nor times nor holes are kept. A revocation or an error leaves what was copied so far.
    pub fn copy(&self, from: &str, to: &str, function: &str) -> Result<u64, FsError> {
        self.copy_while(from, to, function, &|| true)
    }

    /// The same, given up between two steps once it is of no use to anybody.
    pub fn copy_while(
        &self,
        from: &str,
        to: &str,
        function: &str,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<u64, FsError> {
        let (source, target) = self.call(function, |call| {
            call.cover(Act::Copy, from, to)?;
            let (source, _) = call.open(from, OpenOptions::READ)?;
            let (target, _) = call.open(to, OpenOptions { truncate: false, ..OpenOptions::REWRITE })?;
            Ok((source, target))
        })?;
        let (found, over) = (source.metadata()?, target.metadata()?);
        if (found.device, found.inode) == (over.device, over.inode) {
            return Err(FsError::SameFile);
        }
        target.set_len(0)?;
        match found.size {
            0 => by_buffer(&source, &target, (0, UNSIZED_BYTES_MAX), true, goes_on),
            size => inside(&source, &target, size, goes_on),
        }
    }
}

fn lasts(goes_on: &dyn Fn() -> bool) -> Result<(), FsError> {
    if goes_on() { Ok(()) } else { Err(std::io::Error::other("it was given up").into()) }
}

/// Lets the system copy where it can.
#[cfg(target_os = "linux")]
fn inside(
    source: &FileHandle,
    target: &FileHandle,
    size: u64,
    goes_on: &dyn Fn() -> bool,
) -> Result<u64, FsError> {
    use rustix::fs::copy_file_range;
    let mut done = 0;
    while done < size {
        lasts(goes_on)?;
        permit_byte_at(|| Ok(done))?;
        let step = (size - done).min(STEP_BYTES);
        let taken = target.quota().take(step)?;
        let (from, to) = (source.fd()?, target.fd()?);
        let (mut at, mut over) = (done, done);
        match again(|| copy_file_range(&*from, Some(&mut at), &*to, Some(&mut over), step as usize)) {
            // The end, or a file that the system does not copy from.
            Ok(0) => break,
            Ok(copied) => {
                taken.keep(copied as u64);
                done += copied as u64;
            }
            // Across devices, or on one without the call; a true error comes again below.
            Err(_) if done == 0 => break,
            Err(error) => return Err(error),
        }
    }
    by_buffer(source, target, (done, size), false, goes_on)
}

#[cfg(not(target_os = "linux"))]
fn inside(
    source: &FileHandle,
    target: &FileHandle,
    size: u64,
    goes_on: &dyn Fn() -> bool,
) -> Result<u64, FsError> {
    by_buffer(source, target, (0, size), false, goes_on)
}

/// Copies from `done` up to `bytes_max`, or to the end if that comes first.
fn by_buffer(
    source: &FileHandle,
    target: &FileHandle,
    (mut done, bytes_max): (u64, u64),
    all: bool,
    goes_on: &dyn Fn() -> bool,
) -> Result<u64, FsError> {
    let mut buffer = Vec::new();
    while done < bytes_max {
        lasts(goes_on)?;
        buffer.resize((bytes_max - done).min(BUFFER_BYTES) as usize, 0);
        let from = source.fd()?;
        let read = again(|| pread(&*from, &mut buffer[..], done))?;
        if read == 0 {
            return Ok(done);
        }
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            permit_byte_at(|| Ok(done))?;
            let taken = target.quota().take(rest.len() as u64)?;
            let to = target.fd()?;
            let written = again(|| pwrite(&*to, rest, done))?;
            taken.keep(written as u64);
            rest = &rest[written..];
            done += written as u64;
        }
    }
    if all { Err(FsError::TooLarge { bytes_max }) } else { Ok(done) }
}
