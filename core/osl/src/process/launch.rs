use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use super::command::Command;
use super::error::ProcessError;
use super::limits::ProcessLimits;
use super::program::Program;
use super::spawn::{self, Plan, Stack, Strings};
use super::tree::Tree;
use super::wire::{Report, Stage};

/// Starts the keeper of the tree, and waits until the program runs.
pub(super) fn launch(
    tree: &Tree,
    control: UnixStream,
    command: &Command,
    program: &Program,
    stdio: [BorrowedFd<'_>; 3],
    limits: &ProcessLimits,
) -> Result<(), ProcessError> {
    let directory = open_directory(command.directory())?;
    let host = pidfd_open(getpid(), PidfdFlags::empty())
        .map_err(|_| ProcessError::Unsupported("it needs pidfds, as Linux 5.4 has them"))?;
    let args = [&command.program].into_iter().chain(&command.args).cloned();
    let args = Strings::new(c_strings(args)?);
    let env = command.env.iter().map(|(name, value)| format!("{name}={value}"));
    let env = Strings::new(c_strings(env)?);
    let keeper = spawn::start(&Plan {
        program: program.fd.as_fd(),
        args: &args,
        env: &env,
        stack: &Stack::new(),
        stdio,
        directory: directory.as_fd(),
        control: control.as_fd(),
        host: host.as_fd(),
        grace: limits.grace,
        run_max: limits.run_max,
        file_bytes_max: limits.file_bytes_max,
        user_tasks_max: limits.user_tasks_max,
        memory_bytes_max: limits.memory_bytes_max,
        cpu_seconds_max: limits.cpu_seconds_max,
    })?;
    tree.set_keeper(keeper);
    drop(control);
    match tree.first_report() {
        Some(Report::Started) => Ok(()),
        other => {
            // The keeper ends by itself after any other report; and if it died, all is over as well.
            tree.watch();
            tree.ending().set_gone();
            Err(failure(other, command))
        }
    }
}

/// What the program's directory is; only its handle reaches the program.
fn open_directory(path: &str) -> Result<OwnedFd, ProcessError> {
    let opened = open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    opened.map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR => ProcessError::NotFound(path.to_owned()),
        error => error.into(),
    })
}

fn failure(report: Option<Report>, command: &Command) -> ProcessError {
    let Some(Report::Failed(stage, number)) = report else {
        return ProcessError::Io(io::Error::other("the program's keeper died"));
    };
    let error = Errno::from_raw_os_error(number);
    let program = &command.program;
    match (stage, error) {
        (Stage::Directory, Errno::ACCESS) => {
            ProcessError::NotFound(format!("{} may not be entered", command.directory()))
        }
        (Stage::Execute, Errno::ACCESS) => ProcessError::NotProgram(format!("{program} may not be executed")),
        (Stage::Execute, Errno::NOEXEC) => {
            ProcessError::NotProgram(format!("{program} has no format that this system runs"))
        }
        (Stage::Execute, Errno::NOENT) => {
            ProcessError::NotProgram(format!("{program} names an interpreter that is not there"))
        }
        (Stage::Execute, Errno::TOOBIG) => {
            ProcessError::Invalid("arguments and variables are longer than this system takes".into())
        }
        _ => error.into(),
    }
}

fn c_strings(texts: impl Iterator<Item = String>) -> Result<Vec<CString>, ProcessError> {
    let nul = |_| ProcessError::Invalid("a NUL is in no argument and no variable".into());
    texts.map(|text| CString::new(text).map_err(nul)).collect()
}
