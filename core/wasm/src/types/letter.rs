//! The one message type of all actors of a system: bytes in an envelope.

use std::sync::{Arc, Weak};
use std::time::{Instant, SystemTime};

use airssys_osl::{Denial, DenialKind};
use airssys_rt::{ActorId, Broken, Cause, Exit, GaveUp, Linked, Refusal, TooManyErrors, Unhealthy};

use super::error::{Code, Error};
use super::exchange::Exchange;
use super::tab::Tab;

/// The reason of an actor that dropped a message.
pub(crate) const NO_ANSWER: &str = "ended without an answer";

/// A message on its way.
#[derive(Clone)]
pub(crate) struct Letter {
    /// The sending actor; none when the host program itself sent it.
    pub sender: Option<ActorId>,
    /// Which life of the sender it was, by a number of the system; 0 when the host program itself sent it.
    pub life: u64,
    pub payload: Vec<u8>,
    pub content_type: Option<Arc<str>>,
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
    /// Unique among the open requests of a system; 0 for a message that nobody waits for.
    pub correlation: u64,
    pub sent: SystemTime,
    /// What it was published under.
    pub topic: Option<Arc<str>>,
    /// What its handling is charged to: the tab of the guest whose request it is.
    pub tab: Option<Weak<Tab>>,
    /// What somebody asks by http; then nothing else is in it.
    pub exchange: Option<Exchange>,
}

impl Letter {
    /// A letter of the host itself that nobody waits for.
    pub(crate) fn from_host(payload: Vec<u8>, content_type: Option<Arc<str>>) -> Self {
        let sent = SystemTime::now();
        Self {
            sender: None,
            life: 0,
            payload,
            content_type,
            deadline: None,
            correlation: 0,
            sent,
            topic: None,
            tab: None,
            exchange: None,
        }
    }
}

impl airssys_rt::Message for Letter {
    type Reply = Vec<u8>;
    type Error = Error;

    fn size_bytes(&self) -> usize {
        self.payload.len() + self.exchange.as_ref().map_or(0, Exchange::head_bytes)
    }
}

/// The error that a crash was made of, or one that carries its text.
pub(crate) fn cause_error(cause: &Cause) -> Error {
    let (inner, text): (&(dyn std::error::Error + 'static), _) = (&**cause, cause.to_string());
    if let Some(ours) = inner.downcast_ref::<Error>() {
        return ours.clone();
    }
    if inner.is::<Unhealthy>() {
        return Error::new(Code::LimitExceeded, text).with("which", "health_missed");
    }
    if inner.is::<TooManyErrors>() {
        return Error::new(Code::LimitExceeded, text).with("which", "errors_max");
    }
    match inner.downcast_ref::<Linked>() {
        // Its code is what befell the other one.
        Some(Linked { id, exit: Exit::Crash(theirs) }) => {
            Error { message: text, ..cause_error(theirs) }.with("linked", id.to_string())
        }
        _ => Error::new(Code::HandlerRaised, text),
    }
}

impl From<Broken> for Error {
    fn from(_: Broken) -> Self {
        airssys_rt::Error::NoReply.into()
    }
}

impl From<airssys_rt::Error> for Error {
    fn from(error: airssys_rt::Error) -> Self {
        use airssys_rt::Error as Rt;
        let text = error.to_string();
        match error {
            Rt::NotFound => Error::new(Code::ActorNotFound, text),
            Rt::AlreadyExists => Error::new(Code::AlreadyExists, text),
            Rt::Stopped(exit) => stopped(&exit),
            Rt::MailboxFull { messages, bytes } => {
                Error::new(Code::MailboxFull, text).with("messages", messages).with("bytes", bytes)
            }
            Rt::InvalidName(why) => Error::argument("group", why),
            Rt::TooLarge { bytes, allowed } => {
                Error::new(Code::PayloadTooLarge, text).with("allowed", allowed).with("given", bytes)
            }
            Rt::Timeout { handling } => {
                let place = if handling { "handler" } else { "queue" };
                Error::new(Code::Timeout, text).with("in", place)
            }
            Rt::Cancelled => Error::new(Code::Cancelled, text),
            Rt::Crashed(cause) => cause_error(&cause),
            Rt::NoReply => Error::new(Code::ActorStopped, text).with("reason", NO_ANSWER),
            Rt::StartFailed(cause) => cause_error(&cause),
            Rt::Dropped => Error::new(Code::MessageDropped, text),
            Rt::Cycle(ids) => {
                let ids: Vec<_> = ids.iter().map(ActorId::as_str).collect();
                Error::new(Code::Cycle, text).with("ids", ids)
            }
            Rt::TooMany { what, max } => {
                Error::new(Code::LimitExceeded, text).with("which", what).with("allowed", max)
            }
            Rt::InvalidChild { child, .. } => Error::new(Code::InvalidChild, text).with("child", child),
            Rt::Refused(refusal) => refused(&refusal, text),
        }
    }
}

/// What a supervisor refuses.
fn refused(refusal: &Refusal, text: String) -> Error {
    match refusal {
        Refusal::NotFound => Error::new(Code::NotFound, text).with("which", "child"),
        Refusal::AlreadyPresent => Error::new(Code::AlreadyExists, text),
        Refusal::TooMany => Error::new(Code::LimitExceeded, text).with("which", "children"),
        Refusal::StartFailed(exit) => exit_error(exit),
        Refusal::Stopping => Error::new(Code::ActorStopped, text).with("reason", "shutdown"),
        Refusal::Running | Refusal::Restarting | Refusal::Invalid(_) => Error::new(Code::InvalidChild, text),
    }
}

fn exit_error(exit: &Exit) -> Error {
    match exit {
        Exit::Crash(cause) => cause_error(cause),
        other => stopped(other),
    }
}

/// `ACTOR_STOPPED` with the exit reason, or `GAVE_UP`.
pub(crate) fn stopped(exit: &Exit) -> Error {
    let reason = exit.to_string();
    if let Exit::Crash(cause) = exit
        && let Some(GaveUp { restarts, period, last }) =
            (&**cause as &(dyn std::error::Error + 'static)).downcast_ref()
    {
        let period_ms = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        let error = Error::new(Code::GaveUp, format!("the actor was {reason}"));
        return error
            .with("restarts", *restarts)
            .with("period_ms", period_ms)
            .with("cause", last.to_string());
    }
    Error::new(Code::ActorStopped, format!("the actor has stopped: {reason}")).with("reason", reason)
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        let code = match denial.kind {
            DenialKind::NotGranted | DenialKind::Forbidden => Code::Denied,
            DenialKind::Revoked => Code::GrantRevoked,
            DenialKind::Expired => Code::GrantExpired,
            DenialKind::AuditUnavailable => Code::AuditBroken,
        };
        let error = Error::new(code, denial.to_string())
            .with("capability", denial.capability.clone())
            .with("function", denial.function.clone())
            .with("policy_line", denial.policy_line());
        let error = match &denial.rule {
            Some(rule) => error.with("rule", rule.to_string()),
            None => error,
        };
        error.at(denial.actor)
    }
}
