use std::fmt;
use std::sync::Arc;

use crate::ban::Ban;
#[cfg(unix)]
use crate::fs::climbs;

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DenialKind {
    /// No grant covers it.
    NotGranted,
    /// The grant it was opened under has been taken back.
    Revoked,
    /// The grant that covers it has outlived its ttl.
    Expired,
    /// A ban refuses it, whoever grants it.
    Forbidden,
    /// The audit cannot record it, and is told to deny what it cannot record.
    AuditUnavailable,
}

/// Why something is not allowed, before it is recorded.
pub(crate) struct Refusal {
    pub kind: DenialKind,
    /// What is said of it in the record: the rule of a ban, or why a grant that covers it does not do.
    pub rule: Option<Arc<str>>,
}

impl Refusal {
    pub fn because(kind: DenialKind, rule: impl Into<Arc<str>>) -> Self {
        Self { kind, rule: Some(rule.into()) }
    }
}

impl From<DenialKind> for Refusal {
    fn from(kind: DenialKind) -> Self {
        Self { kind, rule: None }
    }
}

impl From<&Ban> for Refusal {
    fn from(ban: &Ban) -> Self {
        Self::because(DenialKind::Forbidden, ban.rule.clone())
    }
}

/// A refusal: who asked for what, in which WIT function (empty when none is known).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub kind: DenialKind,
    /// The canonical text of exactly what was asked.
    pub capability: String,
    pub function: String,
    pub actor: String,
    /// The rule that refuses it, where a ban does.
    pub rule: Option<Arc<str>>,
}

impl Denial {
    /// Whether what was asked for is a path above `/`, where nothing can be granted.
    #[cfg(unix)]
    pub fn is_above_root(&self) -> bool {
        let file = self.capability.strip_prefix("fs.").and_then(|asked| asked.split_once(' '));
        file.is_some_and(|(_, path)| climbs(path))
    }

    /// The line that, in the `allow` list of a policy, would allow exactly this; empty where no line would.
    pub fn policy_line(&self) -> String {
        match self.kind {
            DenialKind::Forbidden => String::new(),
            _ => format!("- {}", self.capability),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Denial { actor, capability, .. } = self;
        match self.kind {
            DenialKind::NotGranted => write!(f, "denied: {actor} asked for {capability}"),
            DenialKind::Revoked => write!(f, "denied: the grant of {capability} to {actor} was revoked"),
            DenialKind::Expired => write!(f, "denied: the grant of {capability} to {actor} has expired"),
            DenialKind::Forbidden => {
                let rule = self.rule.as_deref().unwrap_or("a ban");
                write!(f, "denied: {actor} asked for {capability}, which {rule} denies")
            }
            DenialKind::AuditUnavailable => {
                write!(f, "denied: {actor} asked for {capability}, and the audit log cannot be written")
            }
        }
    }
}

impl std::error::Error for Denial {}
