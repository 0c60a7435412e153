use std::fmt;
use std::io;

use crate::denial::Denial;
use crate::resources::Exhausted;

/// Why a program could not be run, or could not be talked to.
#[derive(Debug)]
pub enum ProcessError {
    Denied(Denial),
    /// The command cannot be given to any program; which part, and why.
    Invalid(String),
    TooLarge {
        /// What there is too much of, with its unit.
        what: &'static str,
        allowed: u64,
        given: u64,
    },
    /// No such program or directory.
    NotFound(String),
    /// Something is there, but it is not run; why.
    NotProgram(String),
    /// As many programs run as may: of this actor, or of all.
    TooManyProcesses(Exhausted),
    /// More starts in a second than may be.
    TooManyStarts {
        starts_per_second_max: u32,
    },
    /// The program was killed because it had more output.
    OutputLimit {
        output_bytes_max: u64,
    },
    /// The deadline passed; nothing is lost.
    TimedOut,
    /// The program has ended, or its standard input is closed.
    Ended,
    /// This system cannot run programs as is promised here; what it lacks.
    Unsupported(&'static str),
    Io(io::Error),
}

impl From<Denial> for ProcessError {
    fn from(denial: Denial) -> Self {
        ProcessError::Denied(denial)
    }
}

impl From<io::Error> for ProcessError {
    fn from(error: io::Error) -> Self {
        ProcessError::Io(error)
    }
}

impl From<rustix::io::Errno> for ProcessError {
    fn from(error: rustix::io::Errno) -> Self {
        ProcessError::Io(error.into())
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProcessError::Denied(denial) => denial.fmt(f),
            ProcessError::Invalid(why) => write!(f, "invalid command: {why}"),
            ProcessError::TooLarge { what, allowed, given } => {
                write!(f, "{given} {what}, and at most {allowed} may be")
            }
            ProcessError::NotFound(what) => write!(f, "no such file or directory: {what}"),
            ProcessError::NotProgram(why) => write!(f, "not a program to run: {why}"),
            ProcessError::TooManyProcesses(full) => full.fmt(f),
            ProcessError::TooManyStarts { starts_per_second_max } => {
                write!(f, "more than {starts_per_second_max} programs started in a second")
            }
            ProcessError::OutputLimit { output_bytes_max } => {
                write!(f, "the program was killed: its output had more than {output_bytes_max} bytes")
            }
            ProcessError::TimedOut => f.write_str("the deadline passed"),
            ProcessError::Ended => f.write_str("the program has ended or closed its input"),
            ProcessError::Unsupported(what) => write!(f, "programs cannot be run here: {what}"),
            ProcessError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProcessError {}
