//! The words of supervision, and what is seen of a tree.

use std::str::FromStr;
use std::time::Duration;

use super::error::{Error, Result};
use super::handle::ActorHandle;
use super::info::ActorStatus;
use super::spec::Restart;

macro_rules! words {
    ($name:ident, $which:literal, $doc:literal; $($word:literal $variant:ident $says:literal;)*) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {$(
            #[doc = $says]
            $variant,
        )*}

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($word => Ok($name::$variant),)*
                    other => Err(Error::argument(
                        $which,
                        format!("{other:?} is none of {}", [$($word),*].join(", ")),
                    )),
                }
            }
        }
    };
}

words! { Strategy, "strategy", "Which children are restarted when one of them is, as in OTP.";
    "one_for_one" OneForOne "Only itself.";
    "one_for_all" OneForAll "All of them.";
    "rest_for_one" RestForOne "Itself and those that were started after it.";
}

words! { AutoShutdown, "auto_shutdown", "Whether a supervisor stops with its significant children, as in OTP.";
    "never" Never "It does not.";
    "any_significant" AnySignificant "With the first that ended for good.";
    "all_significant" AllSignificant "With the last that ended for good.";
}

words! { GiveUp, "give_up", "What a supervisor does when more restarts than its intensity allows would be needed.";
    "escalate" Escalate "It stops all children and ends; its own supervisor decides what then.";
    "restart" Restart "It stops all children and starts them anew; when that is too much within a period again, it escalates.";
    "ignore" Ignore "That child stays down, the others go on.";
}

/// How long a restart waits; every absent field is the core's default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backoff {
    /// Before the first restart; 100 ms. `Duration::ZERO` restarts at once.
    pub initial: Option<Duration>,
    /// At most; 30 s.
    pub max: Option<Duration>,
    /// Growth with each restart in a row, at least 1; 2.
    pub factor: Option<f64>,
    /// Share of the delay, 0 to 1, that is random; 0.2.
    pub jitter: Option<f64>,
}

/// One actor or supervisor with those below it.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeNode {
    /// Its number.
    pub actor: ActorHandle,
    /// What it is doing.
    pub status: ActorStatus,
    /// When its supervisor starts it again; absent at the top.
    pub restart: Option<Restart>,
    /// Its children in the order of their starts.
    pub children: Vec<TreeNode>,
}

/// How the life of an actor ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Down {
    /// Its three-part id.
    pub id: String,
    /// `normal`, `shutdown`, `killed`, or what it crashed with.
    pub reason: String,
    /// What it crashed with, if it did.
    pub error: Option<Error>,
    /// Whether it will be started again.
    pub restarting: bool,
}

/// A message that was still queued when its actor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Whose mailbox it was in.
    pub to: String,
    /// The sending actor; empty when the host itself sent it.
    pub sender: String,
    /// The bytes.
    pub payload: Vec<u8>,
    /// What the bytes are, as a media type, if the sender said so.
    pub content_type: Option<String>,
    /// How its actor ended.
    pub reason: String,
}
