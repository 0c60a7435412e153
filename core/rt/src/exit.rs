//! Why an actor ended.

use std::fmt;
use std::sync::Arc;

/// What made an actor crash; whoever made it can downcast it again.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why an actor ended, in OTP's words.
#[derive(Clone, Debug)]
pub enum Exit {
    /// It was done.
    Normal,
    /// It was told to stop and did so in time.
    Shutdown,
    /// It was killed: at once, or because it did not stop in time.
    Killed,
    /// It failed.
    Crash(Cause),
}

impl Exit {
    /// Whether a transient actor is started again after this.
    pub fn is_crash(&self) -> bool {
        matches!(self, Exit::Crash(_) | Exit::Killed)
    }
}

/// An exit in less room, for what there are many of; few of them are crashes.
pub(crate) enum SmallExit {
    Normal,
    Shutdown,
    Killed,
    Crash(Box<Cause>),
}

impl From<&Exit> for SmallExit {
    fn from(exit: &Exit) -> Self {
        match exit {
            Exit::Normal => Self::Normal,
            Exit::Shutdown => Self::Shutdown,
            Exit::Killed => Self::Killed,
            Exit::Crash(cause) => Self::Crash(Box::new(cause.clone())),
        }
    }
}

impl From<&SmallExit> for Exit {
    fn from(exit: &SmallExit) -> Self {
        match exit {
            SmallExit::Normal => Self::Normal,
            SmallExit::Shutdown => Self::Shutdown,
            SmallExit::Killed => Self::Killed,
            SmallExit::Crash(cause) => Self::Crash(Arc::clone(cause)),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Normal => f.write_str("normal"),
            Exit::Shutdown => f.write_str("shutdown"),
            Exit::Killed => f.write_str("killed"),
            Exit::Crash(cause) if cause.is::<GaveUp>() => cause.fmt(f),
            Exit::Crash(cause) => write!(f, "crashed: {cause}"),
        }
    }
}

/// The cause of a life that was ended because too many answers were errors.
#[derive(Debug)]
pub struct TooManyErrors {
    /// How many.
    pub errors: u32,
    /// Within which time.
    pub period: std::time::Duration,
}

impl fmt::Display for TooManyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} errors within {} ms", self.errors, self.period.as_millis())
    }
}

impl std::error::Error for TooManyErrors {}

/// The cause of an end for good: the supervisor had restarted as often as it may.
#[derive(Debug)]
pub struct GaveUp {
    /// How often.
    pub restarts: u64,
    /// Within which time.
    pub period: std::time::Duration,
    /// How the last life ended.
    pub last: Exit,
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { restarts, period, last } = self;
        write!(f, "given up after {restarts} restarts within {} ms: {last}", period.as_millis())
    }
}

impl std::error::Error for GaveUp {}

/// The cause of a life that was ended because it missed its health checks.
#[derive(Debug)]
pub struct Unhealthy {
    /// How many it missed in a row.
    pub missed: u32,
    /// What it answered last, if it did.
    pub last: Option<Cause>,
}

impl fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.last, self.missed) {
            (Some(cause), 1) => write!(f, "a health check failed: {cause}"),
            (Some(cause), missed) => write!(f, "{missed} health checks failed: {cause}"),
            (None, 1) => write!(f, "a health check was not answered"),
            (None, missed) => write!(f, "{missed} health checks were not answered"),
        }
    }
}

impl std::error::Error for Unhealthy {}

/// The cause of a life that was ended because that of a linked actor was.
#[derive(Debug)]
pub struct Linked {
    /// The other actor.
    pub id: crate::ActorId,
    /// How its life ended.
    pub exit: Exit,
}

impl fmt::Display for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linked {} ended: {}", self.id, self.exit)
    }
}

impl std::error::Error for Linked {}

/// The cause of a start that cannot be: a callback of an earlier life has not returned.
#[derive(Debug)]
pub struct Abandoned;

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a callback of its life before, which could not be ended, has not returned")
    }
}

impl std::error::Error for Abandoned {}

/// The cause of an actor whose code panicked.
#[derive(Debug)]
pub struct Panicked {
    /// What it said.
    pub text: String,
}

impl Panicked {
    pub(crate) fn cause(payload: &(dyn std::any::Any + Send)) -> Cause {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no text".to_owned());
        Arc::new(Panicked { text })
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.text)
    }
}

impl std::error::Error for Panicked {}
