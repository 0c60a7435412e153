use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::process;

use rustix::fs::{fstat, stat};

use super::command::Command;
use super::error::ProcessError;
use super::limits::ProcessLimits;
use super::program::Program;
use super::tree::Tree;

/// Starts the program in a group of its own, by its path.
pub(super) fn launch(
    tree: &Tree,
    (): (),
    command: &Command,
    program: &Program,
    stdio: [BorrowedFd<'_>; 3],
    limits: &ProcessLimits,
) -> Result<(), ProcessError> {
    if !std::fs::metadata(command.directory()).is_ok_and(|found| found.is_dir()) {
        return Err(ProcessError::NotFound(command.directory().to_owned()));
    }
    // Nothing but its name can be run: at least it still leads to what was looked at.
    let (seen, now) = (fstat(&program.fd)?, stat(&program.path)?);
    if (seen.st_dev, seen.st_ino) != (now.st_dev, now.st_ino) {
        return Err(ProcessError::NotProgram(format!("{} was replaced meanwhile", command.program)));
    }
    let [stdin, stdout, stderr] = stdio.map(|fd| fd.try_clone_to_owned());
    let mut start = process::Command::new(&program.path);
    start.arg0(&command.program).args(&command.args).env_clear().envs(command.env.iter().cloned());
    start.current_dir(command.directory()).process_group(0);
    start.stdin(stdin?).stdout(stdout?).stderr(stderr?);
    let child = start.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            ProcessError::NotProgram(format!("{} may not be executed", command.program))
        }
        _ => error.into(),
    })?;
    tree.set_child(child, limits.grace, limits.run_max);
    Ok(())
}
