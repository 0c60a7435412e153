use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;

use super::error::ProcessError;

/// A program that has been opened; it is run by its descriptor, so what takes its name later is not.
pub(super) struct Program {
    pub fd: OwnedFd,
    /// Where it was found, links followed.
    pub path: String,
}

/// Opens what the path leads to, and looks whether it may be run: a regular file, not a script, that
/// neither its group nor others may write.
pub(super) fn open_program(path: &str) -> Result<Program, ProcessError> {
    let fd = open(path, OPEN | OFlags::CLOEXEC, Mode::empty()).map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR => ProcessError::NotFound(path.to_owned()),
        error => error.into(),
    })?;
    let found = fstat(&fd)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return refuse(format!("{path} is no regular file"));
    }
    if found.st_mode & 0o022 != 0 {
        return refuse(format!("others than its owner may write to {path}"));
    }
    let Some(real) = real_path(&fd, path) else {
        return Err(ProcessError::Unsupported("where a program lies cannot be told without /proc"));
    };
    if is_script(&name_of(&fd, path)) {
        return refuse(format!("{path} is a script: run its interpreter with the script as an argument"));
    }
    // Elsewhere libc hands a file of any other format to a shell.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    if !is_binary(&real) {
        return refuse(format!("{path} has no format that this system runs"));
    }
    Ok(Program { fd, path: real })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const OPEN: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const OPEN: OFlags = OFlags::NONBLOCK;

/// ELF or Mach-O.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_binary(path: &str) -> bool {
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    let mach = [0xfeed_face, 0xfeed_facf, 0xcefa_edfe, 0xcffa_edfe, 0xcafe_babe_u32];
    read.is_ok() && (start == *b"\x7fELF" || mach.contains(&u32::from_be_bytes(start)))
}

/// A name that leads to what was opened, as far as the system has one.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn name_of(fd: &OwnedFd, _path: &str) -> String {
    format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(fd))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn real_path(fd: &OwnedFd, path: &str) -> Option<String> {
    rustix::fs::readlink(name_of(fd, path), Vec::new()).ok()?.into_string().ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn name_of(_fd: &OwnedFd, path: &str) -> String {
    path.to_owned()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn real_path(_fd: &OwnedFd, path: &str) -> Option<String> {
    std::fs::canonicalize(path).ok()?.into_os_string().into_string().ok()
}

/// A program that cannot be read is none, as far as anybody can tell; the kernel then says so.
fn is_script(name: &str) -> bool {
    let mut start = [0; 2];
    File::open(name).is_ok_and(|mut file| file.read_exact(&mut start).is_ok() && start == *b"#!")
}

fn refuse<T>(why: String) -> Result<T, ProcessError> {
    Err(ProcessError::NotProgram(why))
}
