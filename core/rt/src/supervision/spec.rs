//! What a supervisor and its children are asked to be: validated data, in OTP's words.

use std::fmt;
use std::time::Duration;

use super::{Backoff, Intensity, Restart};
use crate::exit::Exit;

/// Which children are affected when one of them is to be restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Only itself.
    #[default]
    OneForOne,
    /// All of them.
    OneForAll,
    /// Itself and those that were started after it.
    RestForOne,
}

/// Whether a supervisor stops by itself when its significant children have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoShutdown {
    /// Never; no child may be significant then.
    #[default]
    Never,
    /// With the first one that ended for good.
    AnySignificant,
    /// With the last one that ended for good.
    AllSignificant,
}

/// What a supervisor does when more restarts than its intensity allows would be needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GiveUp {
    /// It stops all children and goes down with [`Exit::Shutdown`], as in OTP.
    #[default]
    Escalate,
    /// It stops all children and starts the static ones anew, the restarts forgotten. When it has to
    /// give up again within one period, it escalates.
    Restart,
    /// The child stays down and is kept, the others go on.
    Ignore,
}

/// How a supervisor treats its children.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whom a restart affects.
    pub strategy: Strategy,
    /// How many restarts are too many.
    pub intensity: Intensity,
    /// How long a restart waits.
    pub backoff: Backoff,
    /// Whether it stops with its significant children.
    pub auto_shutdown: AutoShutdown,
    /// What too many restarts lead to.
    pub give_up: GiveUp,
    /// Children it has at most, dead or alive.
    pub children_max: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            intensity: Intensity::default(),
            backoff: Backoff::default(),
            auto_shutdown: AutoShutdown::default(),
            give_up: GiveUp::default(),
            children_max: 10_000,
        }
    }
}

impl Rules {
    /// Refuses what no supervisor could follow.
    pub fn check(&self) -> Result<(), InvalidRules> {
        if self.intensity.period == Duration::ZERO {
            return Err(InvalidRules::PeriodZero);
        }
        self.backoff.check()
    }
}

/// One child of one supervisor. Never reused, and the order of keys is the order of starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildKey(pub u64);

/// How one child is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildRules {
    /// When it is started again.
    pub restart: Restart,
    /// Whether its end counts for [`AutoShutdown`].
    pub significant: bool,
    /// Added while the supervisor runs: gone when the supervisor is begun anew.
    pub dynamic: bool,
}

impl ChildRules {
    /// Refuses what the supervisor's rules do not allow.
    pub fn check(&self, auto_shutdown: AutoShutdown) -> Result<(), InvalidRules> {
        if !self.significant {
            return Ok(());
        }
        if auto_shutdown == AutoShutdown::Never {
            return Err(InvalidRules::SignificantNeedsAutoShutdown);
        }
        if self.restart == Restart::Permanent {
            return Err(InvalidRules::SignificantAndPermanent);
        }
        Ok(())
    }
}

/// Names one wait; a token that is not waited for any more does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    pub(super) child: ChildKey,
    pub(super) serial: u64,
}

/// Names one request to change a child; it is answered exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Rules that are refused before anything starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidRules {
    /// An intensity needs a period.
    PeriodZero,
    /// The growth of a delay is below one or no number.
    BackoffFactor,
    /// The random share of a delay is outside 0 to 1.
    BackoffJitter,
    /// The first delay is longer than the longest.
    BackoffInitial,
    /// A significant child where nothing follows from it.
    SignificantNeedsAutoShutdown,
    /// A significant child that is always started again.
    SignificantAndPermanent,
    /// A static child that is marked dynamic.
    StaticAndDynamic,
    /// Two children with one key.
    DuplicateKey,
    /// More children than the rules allow.
    TooMany,
    /// A static child for a supervisor that runs.
    Begun,
}

impl fmt::Display for InvalidRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeriodZero => "the restart period is zero",
            Self::BackoffFactor => "the backoff factor is below 1 or not finite",
            Self::BackoffJitter => "the backoff jitter is outside 0 to 1",
            Self::BackoffInitial => "the initial backoff is longer than the longest",
            Self::SignificantNeedsAutoShutdown => "a significant child where auto_shutdown is never",
            Self::SignificantAndPermanent => "a significant child that is permanent",
            Self::StaticAndDynamic => "a static child that is marked dynamic",
            Self::DuplicateKey => "two children with one key",
            Self::TooMany => "more children than the supervisor may have",
            Self::Begun => "a static child for a supervisor that runs",
        })
    }
}

impl std::error::Error for InvalidRules {}

/// Why a request to change a child was refused.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// There is no such child.
    NotFound,
    /// The child is there already, dead or alive.
    AlreadyPresent,
    /// The child runs.
    Running,
    /// The child is about to be started.
    Restarting,
    /// More children, or more unanswered requests, than allowed.
    TooMany,
    /// The child did not start.
    StartFailed(Exit),
    /// The supervisor stops or is down.
    Stopping,
    /// The child's rules do not fit the supervisor's.
    Invalid(InvalidRules),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such child"),
            Self::AlreadyPresent => f.write_str("the child is there already"),
            Self::Running => f.write_str("the child runs"),
            Self::Restarting => f.write_str("the child is about to be started"),
            Self::TooMany => f.write_str("too many children or unanswered requests"),
            Self::StartFailed(exit) => write!(f, "the child did not start: {exit}"),
            Self::Stopping => f.write_str("the supervisor stops or is down"),
            Self::Invalid(rules) => rules.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}
