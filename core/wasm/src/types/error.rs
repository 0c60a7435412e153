//! The one error of every host: a stable code to branch on, a sentence to read, detail as data.

use std::fmt;

use serde_json::{Map, Value, json};

/// What every facade operation answers.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! codes {
    ($($variant:ident = $number:literal $name:literal, $doc:literal;)*) => {
        /// The numbered, append-only list of what can go wrong, the same in every language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $doc] $variant = $number,)*
        }

        impl Code {
            /// Every code, in the order of the numbers.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The name without a prefix, as in `DENIED`.
            pub const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// The class name of Python and the variant name of Rust, as in `Denied`.
            pub const fn class(self) -> &'static str {
                match self { $(Code::$variant => stringify!($variant),)* }
            }
        }
    };
}

codes! {
    InvalidArgument = 10 "INVALID_ARGUMENT", "An argument has a value that is not allowed; `which` names it.";
    InvalidHandle = 11 "INVALID_HANDLE", "A handle of another kind, or of another system.";
    Closed = 12 "CLOSED", "The system is closed or closing.";
    Forked = 13 "FORKED", "The system was opened before this process was forked.";
    WouldDeadlock = 14 "WOULD_DEADLOCK", "A blocking call on the very thread that must answer it.";
    Unsupported = 15 "UNSUPPORTED", "This platform or build lacks it.";
    InvalidComponent = 20 "INVALID_COMPONENT", "The bytes are no valid component; `offset` says where.";
    CoreModule = 21 "CORE_MODULE", "A core module where a component is needed.";
    CompileLimit = 22 "COMPILE_LIMIT", "The component is too large, or too dear to compile.";
    ImportMissing = 23 "IMPORT_MISSING", "An import that nobody implements; `import` names it.";
    ExportMissing = 24 "EXPORT_MISSING", "The component lacks the export.";
    TypeMismatch = 25 "TYPE_MISMATCH", "An export or a value has another type than its WIT says.";
    ProfileRequired = 26 "PROFILE_REQUIRED", "The component needs the `full` engine profile.";
    Denied = 30 "DENIED", "The actor lacks a capability; `policy_line` is the line that would allow it.";
    GrantRevoked = 31 "GRANT_REVOKED", "Work in flight was cut because its grant was taken back.";
    GrantExpired = 32 "GRANT_EXPIRED", "Work in flight was cut because its grant ran out.";
    ActorNotFound = 40 "ACTOR_NOT_FOUND", "No actor has this id or number.";
    ActorStopped = 41 "ACTOR_STOPPED", "The actor has stopped; `reason` says why.";
    AlreadyExists = 42 "ALREADY_EXISTS", "The id is taken.";
    NotFound = 43 "NOT_FOUND", "No component, grant or subscription has this number.";
    MailboxFull = 50 "MAILBOX_FULL", "The mailbox is at its bound.";
    PayloadTooLarge = 51 "PAYLOAD_TOO_LARGE", "The payload is over the bound; nothing was copied.";
    MessageDropped = 52 "MESSAGE_DROPPED", "The message was dropped for a newer one.";
    PoolExhausted = 53 "POOL_EXHAUSTED", "As many instances live as may live.";
    Timeout = 60 "TIMEOUT", "The caller's deadline passed; the actor lives on.";
    Cancelled = 61 "CANCELLED", "The caller cancelled; the actor lives on.";
    Cycle = 62 "CYCLE", "The request would wait for itself.";
    Trapped = 70 "TRAPPED", "The guest trapped.";
    Failure = 71 "FAILURE", "The actor's own answer: a failure, not a crash.";
    HandlerRaised = 72 "HANDLER_RAISED", "The host handler raised.";
    StartFailed = 73 "START_FAILED", "The actor did not start; `hook` says where.";
    LimitExceeded = 80 "LIMIT_EXCEEDED", "A limit of the instance was exceeded.";
    BudgetExceeded = 81 "BUDGET_EXCEEDED", "A message used more than its budget.";
    GaveUp = 90 "GAVE_UP", "The supervisor restarted as often as it may.";
    InvalidChild = 91 "INVALID_CHILD", "A child spec is not valid.";
    DeployRefused = 100 "DEPLOY_REFUSED", "The deployment was refused; nothing was stopped.";
    DeployRolledBack = 101 "DEPLOY_ROLLED_BACK", "The deployment was rolled back.";
    PolicyInvalid = 110 "POLICY_INVALID", "The policy file is not valid; the old policy holds.";
    PolicyTestFailed = 111 "POLICY_TEST_FAILED", "A test inside the policy file failed; the old policy holds.";
    AuditBroken = 112 "AUDIT_BROKEN", "The audit log cannot be written or does not verify.";
    Io = 120 "IO", "The operating system refused.";
    Internal = 130 "INTERNAL", "A fault of airwasm itself; please report it.";
    Panic = 131 "PANIC", "A panic was caught at the boundary; please report it.";
}

impl Code {
    /// The number of C and of `error.code` in Python.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// What went wrong, with the actor it went wrong at and the facts as data.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// The stable code.
    pub code: Code,
    /// One sentence, lower case, for people.
    pub message: String,
    /// The three-part id of the actor concerned, if there is one.
    pub actor: Option<String>,
    /// Facts by name; which ones is documented at each code.
    pub detail: Map<String, Value>,
}

impl Error {
    /// An error of this code with this sentence, without actor or detail.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), actor: None, detail: Map::new() }
    }

    /// The same error with one more fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }

    /// The same error at this actor.
    #[must_use]
    pub fn at(mut self, actor: impl fmt::Display) -> Self {
        self.actor = Some(actor.to_string());
        self
    }

    /// `INVALID_ARGUMENT` about the argument `which`.
    pub fn argument(which: &str, why: impl fmt::Display) -> Self {
        Self::new(Code::InvalidArgument, format!("invalid argument {which}: {why}")).with("which", which)
    }

    /// `FAILURE` in the actor's own words: an answer, not a crash. `code` is for programs, `text` for people.
    pub fn failure(code: &str, text: &str) -> Self {
        Self::new(Code::Failure, format!("{code}: {text}")).with("code", code).with("text", text)
    }

    /// `BUDGET_EXCEEDED` of `which`, both figures in the unit of its name.
    pub fn budget(which: &str, allowed: u64, used: u64) -> Self {
        Self::exceeded(Code::BudgetExceeded, "budget", which, allowed, used)
    }

    /// `LIMIT_EXCEEDED` of `which`, both figures in the unit of its name.
    pub fn limit(which: &str, allowed: u64, used: u64) -> Self {
        Self::exceeded(Code::LimitExceeded, "limit", which, allowed, used)
    }

    fn exceeded(code: Code, what: &str, which: &str, allowed: u64, used: u64) -> Self {
        Self::new(code, format!("{what} exceeded: {which} allowed {allowed}, used {used}"))
            .with("which", which)
            .with("allowed", allowed)
            .with("used", used)
    }

    /// The line that a policy or a grant needs to allow what was denied; empty unless denied.
    pub fn policy_line(&self) -> &str {
        self.text("policy_line")
    }

    /// A fact that is a text; empty if there is none of that name.
    pub fn text(&self, key: &str) -> &str {
        self.detail.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A fact that is a count; 0 if there is none of that name.
    pub(crate) fn number(&self, key: &str) -> u64 {
        self.detail.get(key).and_then(Value::as_u64).unwrap_or_default()
    }

    /// The error as the `detail` of an event: its code and facts.
    pub fn to_event_detail(&self) -> Map<String, Value> {
        let mut detail = self.detail.clone();
        detail.insert("code".to_owned(), json!(self.code.name()));
        detail.insert("message".to_owned(), json!(self.message));
        detail
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
