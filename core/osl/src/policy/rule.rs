use std::fmt;
use std::sync::Arc;

use super::bounds::{PolicyBudget, PolicyLimits};
use super::node::Mark;
use crate::actor_pattern::ActorPattern;
use crate::capability::Capability;

/// One capability of a policy, with the rule and the line that say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruled {
    /// What is allowed or denied.
    pub capability: Capability,
    /// The entry as it is written, which may name several actions.
    pub text: Arc<str>,
    /// The file as it was named.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    /// The name of the rule, where it has one.
    pub rule: Option<Arc<str>>,
}

/// `policy.yaml:11 fs.read,list /srv/docs/**`.
impl fmt::Display for Ruled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.file, self.line, self.text)
    }
}

/// One rule of a file; its `defaults` are one too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub name: Option<Arc<str>>,
    pub mark: Mark,
    pub actors: Vec<ActorReach>,
    pub component: Option<Arc<str>>,
    /// Its allows join what its file extends, in place of narrowing it.
    pub overrides: bool,
    pub allow: Vec<Placed>,
    pub deny: Vec<Placed>,
    pub limits: PolicyLimits,
    pub budget: PolicyBudget,
}

/// An entry of a rule, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub mark: Mark,
    pub ruled: Ruled,
}

impl Rule {
    pub fn matches(&self, actor: &str, digest: Option<&str>) -> bool {
        self.component.as_deref().is_none_or(|component| digest == Some(component)) && self.reaches(actor)
    }

    /// Whether its allows stand in place of those that its file extends.
    pub fn narrows(&self) -> bool {
        !self.overrides && !self.allow.is_empty()
    }

    /// The same for one actor, whatever component it runs: another artefact than the rule's gets less, not more.
    pub fn narrows_for(&self, actor: &str) -> bool {
        self.narrows() && self.reaches(actor)
    }

    fn reaches(&self, actor: &str) -> bool {
        self.actors.iter().any(|reach| reach.matches(actor))
    }
}

/// Which actors one pattern of a rule reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ActorReach {
    /// Whoever asks, even under an id that is none: what `defaults` say.
    All,
    Pattern(ActorPattern),
}

impl ActorReach {
    pub fn matches(&self, actor: &str) -> bool {
        match self {
            ActorReach::All => true,
            ActorReach::Pattern(pattern) => pattern.matches(actor),
        }
    }

    /// Whether it reaches every actor that `other` does.
    pub fn includes(&self, other: &ActorReach) -> bool {
        match (self, other) {
            (ActorReach::All, _) => true,
            (ActorReach::Pattern(_), ActorReach::All) => false,
            (ActorReach::Pattern(ours), ActorReach::Pattern(theirs)) => ours.includes(theirs),
        }
    }

    /// Whether some actor may be reached by both; never a wrong no.
    pub fn overlaps(&self, other: &ActorReach) -> bool {
        match (self, other) {
            (ActorReach::Pattern(ours), ActorReach::Pattern(theirs)) => ours.overlaps(theirs),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_include_and_overlap() {
        let reach = |text: &str| ActorReach::Pattern(ActorPattern::parse(text).unwrap());
        let table = [
            // ours, theirs, includes, overlaps
            ("tools/*/*", "tools/fetch/*", true, true),
            ("tools/fetch/*", "tools/*/*", false, true),
            ("tools/fetch/0", "tools/fetch/0", true, true),
            ("tools/fetch/0", "tools/fetch/1", false, false),
            ("tools/f*/0", "tools/*h/0", false, true),
            ("tools/f*h/0", "tools/fet*h/0", true, true),
            ("*/*/*", "tools/*/0", true, true),
            ("db", "default/db/*", false, true),
            ("a/*/*", "b/*/*", false, false),
        ];
        for (ours, theirs, includes, overlaps) in table {
            assert_eq!(reach(ours).includes(&reach(theirs)), includes, "{ours} includes {theirs}");
            assert_eq!(reach(ours).overlaps(&reach(theirs)), overlaps, "{ours} overlaps {theirs}");
            assert_eq!(reach(theirs).overlaps(&reach(ours)), overlaps, "{theirs} overlaps {ours}");
        }
    }
}
