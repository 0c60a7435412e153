use std::collections::BTreeSet;
use std::fmt;

use super::error::ProcessError;
use super::limits::ProcessLimits;
use crate::ask::Ask;
use crate::scope::env_pattern;
use crate::scope::program_pattern::{ARGS_BYTES_MAX, ARGS_MAX};

/// What is run: a program with its arguments, each one item that no shell ever sees.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// Its absolute path.
    pub program: String,
    /// Without the program itself, whose path is argument 0.
    pub args: Vec<String>,
    /// All of its environment, names and values.
    pub env: Vec<(String, String)>,
    /// The absolute directory it starts in, as the host sees it; empty for `/`.
    pub directory: String,
    pub stdin: Stdin,
}

/// Where a program's standard input comes from.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Stdin {
    /// It ends at once.
    #[default]
    Empty,
    /// These bytes, and its end.
    Bytes(Vec<u8>),
    /// What [`write_stdin`](super::Process::write_stdin) writes.
    Piped,
}

const ENV_MAX: usize = 256;
const ENV_BYTES_MAX: usize = 131_072;
const PATH_BYTES_MAX: usize = 4_095;

impl Command {
    pub(super) fn ask(&self) -> Ask {
        self.ask_as(&self.program)
    }

    /// The same with another name of the program.
    pub(super) fn ask_as(&self, program: &str) -> Ask {
        Ask::ProcessRun {
            program: program.to_owned(),
            args: self.args.clone(),
            env: self.env.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    pub(super) fn directory(&self) -> &str {
        if self.directory.is_empty() { "/" } else { &self.directory }
    }

    /// Whether any program could be given this; nothing is looked at but the command.
    pub(super) fn validate(&self, limits: &ProcessLimits) -> Result<(), ProcessError> {
        absolute("program", &self.program)?;
        absolute("directory", self.directory())?;
        at_most("arguments", ARGS_MAX, self.args.len())?;
        at_most("bytes of arguments", ARGS_BYTES_MAX, self.args.iter().map(String::len).sum())?;
        if let Some(index) = self.args.iter().position(|arg| arg.contains('\0')) {
            return invalid(format!("argument {} contains a NUL", index + 1));
        }
        at_most("variables", ENV_MAX, self.env.len())?;
        let bytes = self.env.iter().map(|(name, value)| name.len() + value.len()).sum();
        at_most("bytes of variables", ENV_BYTES_MAX, bytes)?;
        self.validate_env()?;
        match &self.stdin {
            Stdin::Bytes(bytes) => at_most("bytes of standard input", limits.stdin_bytes_max, bytes.len()),
            Stdin::Empty | Stdin::Piped => Ok(()),
        }
    }

    fn validate_env(&self) -> Result<(), ProcessError> {
        let mut seen = BTreeSet::new();
        for (name, value) in &self.env {
            if !env_pattern::is_name(name) {
                return invalid(format!("{name:?} is no name of a variable"));
            }
            if !seen.insert(name) {
                return invalid(format!("the variable {name} stands twice"));
            }
            if value.contains('\0') {
                return invalid(format!("the value of {name} contains a NUL"));
            }
        }
        Ok(())
    }
}

/// Without the values of its variables, which may be secrets.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Command { program, args, env, directory, stdin } = self;
        let names: Vec<&str> = env.iter().map(|(name, _)| name.as_str()).collect();
        let mut shown = f.debug_struct("Command");
        shown.field("program", program).field("args", args).field("env", &names);
        shown.field("directory", directory).field("stdin", stdin).finish()
    }
}

/// Without the bytes.
impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stdin::Empty => f.write_str("Empty"),
            Stdin::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Stdin::Piped => f.write_str("Piped"),
        }
    }
}

fn absolute(what: &str, path: &str) -> Result<(), ProcessError> {
    match path {
        _ if !path.starts_with('/') => invalid(format!("the {what} is named by its absolute path")),
        _ if path.contains('\0') => invalid(format!("the path of the {what} contains a NUL")),
        _ => at_most("bytes of a path", PATH_BYTES_MAX, path.len()),
    }
}

fn at_most(what: &'static str, allowed: usize, given: usize) -> Result<(), ProcessError> {
    if given <= allowed {
        return Ok(());
    }
    Err(ProcessError::TooLarge { what, allowed: allowed as u64, given: given as u64 })
}

fn invalid<T>(why: String) -> Result<T, ProcessError> {
    Err(ProcessError::Invalid(why))
}
