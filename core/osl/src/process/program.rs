use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fstat, open, readlink};
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
    let fd = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(|error| match error {
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
    let name = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let unknown = ProcessError::Unsupported("where a program lies cannot be told without /proc");
    let Ok(real) = readlink(&name, Vec::new()) else { return Err(unknown) };
    if is_script(&name) {
        let line = "run its interpreter with the script as an argument";
        return refuse(format!("{path} is a script: {line}"));
    }
    let path = real.into_string().map_err(|_| ProcessError::NotProgram("its name is not UTF-8".into()))?;
    Ok(Program { fd, path })
}

/// A program that cannot be read is none, as far as anybody can tell; the kernel then says so.
fn is_script(name: &str) -> bool {
    let mut start = [0; 2];
    File::open(name).is_ok_and(|mut file| file.read_exact(&mut start).is_ok() && start == *b"#!")
}

/// What the program's directory is; only its handle reaches the program.
pub(super) fn open_directory(path: &str) -> Result<OwnedFd, ProcessError> {
    open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(|error| match error
    {
        Errno::NOENT | Errno::NOTDIR => ProcessError::NotFound(path.to_owned()),
        error => error.into(),
    })
}

fn refuse<T>(why: String) -> Result<T, ProcessError> {
    Err(ProcessError::NotProgram(why))
}
