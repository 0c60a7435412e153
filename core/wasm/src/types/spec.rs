//! How an actor is spawned.

use std::str::FromStr;
use std::time::Duration;

use super::error::{Error, Result};
use super::handle::ComponentHandle;
use super::limits::{Budget, Limits};

/// When an actor that ended is started again, as in OTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    Permanent,
    /// Only after a crash.
    Transient,
    /// Never.
    Temporary,
}

impl FromStr for Restart {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "permanent" => Ok(Restart::Permanent),
            "transient" => Ok(Restart::Transient),
            "temporary" => Ok(Restart::Temporary),
            other => Err(Error::argument(
                "restart",
                format!("{other:?} is none of permanent, transient, temporary"),
            )),
        }
    }
}

/// What an actor is made of; everything absent is the core's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ActorSpec {
    /// The component it runs; absent for a host actor.
    pub component: Option<ComponentHandle>,
    /// `namespace/name/instance`, or a bare name; absent: the file's stem and the next free number.
    pub name: Option<String>,
    /// Capabilities as text, `fs.read /data/**`.
    pub grants: Vec<String>,
    /// What an instance may hold.
    pub limits: Limits,
    /// What a message may use.
    pub budget: Budget,
    /// JSON text for the guest's `pre-start`.
    pub config: Option<String>,
    /// Among the children of a supervisor `permanent` if absent. Outside `temporary`; any other makes it the only child
    /// of a supervisor of its own.
    pub restart: Option<Restart>,
    /// How long a stop waits before it kills; 5 s.
    pub shutdown: Option<Duration>,
    /// Whether its end counts for its supervisor's `auto_shutdown`.
    pub significant: bool,
    /// What becomes of a message that finds the mailbox full; `reject` if absent.
    pub overflow: Option<Overflow>,
    /// How often it is asked how it is, by the guest's `health`; never if absent. A check that is not answered well
    /// before the next one is missed.
    pub health_interval: Option<Duration>,
    /// How many checks in a row may be missed before its life is ended; 2. Up to 4,294,967,295, or `UNLIMITED`.
    pub health_missed: Option<u64>,
    /// How many of its answers within `error_period` may be errors before its life is ended; no bound if absent. Up to
    /// 4,294,967,295, or `UNLIMITED`.
    pub errors_max: Option<u64>,
    /// The window of `errors_max`; 10 s.
    pub error_period: Option<Duration>,
    /// What a guest is given as its arguments. No name of a program stands before them.
    pub args: Vec<String>,
    /// Names and values of a guest's environment, of which it sees those that a live grant covers, `env LANG,APP_*`.
    /// Nothing is taken from the environment of the host.
    pub env: Vec<(String, String)>,
    /// Where its `wasi:http/incoming-handler` is asked, as `127.0.0.1:8080`; port 0 is a free one. Needs the grant
    /// `net.listen` of that address. Each request runs in an instance of its own.
    pub http_listen: Option<String>,
}

/// What becomes of a message that finds the mailbox full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// It is refused with `MAILBOX_FULL`.
    Reject,
    /// The oldest one that waits is dropped for it; its caller gets `MESSAGE_DROPPED`.
    DropOldest,
    /// Its sender waits for room: a `send` up to 5 s, a `request` up to its deadline. An actor is refused by itself.
    Block,
}

impl FromStr for Overflow {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "reject" => Ok(Overflow::Reject),
            "drop_oldest" => Ok(Overflow::DropOldest),
            "block" => Ok(Overflow::Block),
            other => {
                Err(Error::argument("overflow", format!("{other:?} is none of reject, drop_oldest, block")))
            }
        }
    }
}

impl ActorSpec {
    /// The spec of a guest of this component.
    pub fn new(component: ComponentHandle) -> Self {
        Self { component: Some(component), ..Self::default() }
    }

    /// The spec of a host actor of this name.
    pub fn host(name: &str) -> Self {
        Self::default().name(name)
    }

    /// The same spec under this name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The same spec with one more capability.
    #[must_use]
    pub fn grant(mut self, capability: &str) -> Self {
        self.grants.push(capability.to_owned());
        self
    }

    /// The same spec with these limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same spec with this budget.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// The same spec with this JSON text for `pre-start`.
    #[must_use]
    pub fn config(mut self, json: &str) -> Self {
        self.config = Some(json.to_owned());
        self
    }

    /// The same spec with one more argument.
    #[must_use]
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// The same spec with one more variable; a grant decides whether the guest sees it.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same spec, serving http on this address; a grant decides whether it may.
    #[must_use]
    pub fn http_listen(mut self, address: &str) -> Self {
        self.http_listen = Some(address.to_owned());
        self
    }

    /// The same spec with this answer to a full mailbox.
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = Some(overflow);
        self
    }

    /// The same spec; its end counts for its supervisor's `auto_shutdown`.
    #[must_use]
    pub fn significant(mut self) -> Self {
        self.significant = true;
        self
    }

    /// The same spec with this restart type.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = Some(restart);
        self
    }
}
