use std::fmt;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessExit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// Somebody killed its keeper, which would have told; the program died with that.
    Lost,
}

impl fmt::Display for ProcessExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProcessExit::Code(code) => write!(f, "exit {code}"),
            ProcessExit::Signal(signal) => write!(f, "signal {signal}"),
            ProcessExit::Lost => f.write_str("lost"),
        }
    }
}
