use super::bounds::{Bounds, PolicyBudget, PolicyLimits};
use super::layer::Layer;
use super::rule::{Rule, Ruled};
use crate::ask::Ask;

/// What a policy says of one actor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// What it gets at its start.
    pub allow: Vec<Ruled>,
    /// What it may not do, whoever allows it.
    pub deny: Vec<Ruled>,
    /// What an instance of it may hold.
    pub limits: PolicyLimits,
    /// What one message to it may use.
    pub budget: PolicyBudget,
    /// Whether grants from code are refused.
    pub sealed: bool,
    /// Whether a guest may import no function that may ask for what nothing grants it.
    pub strict_link: bool,
}

/// What decides an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// The allow.
    Allow(&'a Ruled),
    /// The deny, and the allow that it beats.
    Deny(&'a Ruled, Option<&'a Ruled>),
    /// No rule says anything of it.
    NotGranted,
}

impl Resolved {
    /// A deny beats each allow; what nothing allows is not granted. Of several the first of the file counts.
    pub fn decide(&self, ask: &Ask) -> Verdict<'_> {
        let allow = self.allow.iter().find(|ruled| ruled.capability.covers(ask));
        let deny = self.deny.iter().find(|ruled| ruled.capability.forbids(ask));
        match (deny, allow) {
            (Some(deny), allow) => Verdict::Deny(deny, allow),
            (None, Some(allow)) => Verdict::Allow(allow),
            (None, None) => Verdict::NotGranted,
        }
    }
}

/// The rules of one file that are for the actor; the digest with or without its `sha256:`.
pub(super) fn matching<'a>(
    layer: &'a Layer,
    actor: &str,
    digest: Option<&str>,
) -> impl DoubleEndedIterator<Item = &'a Rule> {
    let digest = digest.map(|digest| digest.strip_prefix("sha256:").unwrap_or(digest));
    layer.rules.iter().filter(move |rule| rule.matches(actor, digest))
}

pub(super) fn resolve(layers: &[Layer], actor: &str, digest: Option<&str>) -> Resolved {
    let mut resolved = Resolved {
        sealed: layers.iter().any(|layer| layer.sealed),
        strict_link: layers.iter().any(|layer| layer.strict_link),
        ..Resolved::default()
    };
    for rule in layers.iter().flat_map(|layer| matching(layer, actor, digest)) {
        resolved.deny.extend(rule.deny.iter().map(|placed| placed.ruled.clone()));
        resolved.limits.tighten(rule.limits);
        resolved.budget.tighten(rule.budget);
    }
    resolved.allow = allows(layers, actor, digest).into_iter().cloned().collect();
    resolved
}

/// What the last file allows the actor, with all that it extends.
pub(super) fn allows<'a>(layers: &'a [Layer], actor: &str, digest: Option<&str>) -> Vec<&'a Ruled> {
    let Some(last) = layers.len().checked_sub(1) else { return Vec::new() };
    // Which files' allows reach the last one: those that it extends, unless its own stand in their place.
    let mut reached = vec![false; layers.len()];
    reached[last] = true;
    for index in (0..=last).rev() {
        if reached[index] && !layers[index].rules.iter().any(|rule| rule.narrows_for(actor)) {
            layers[index].parents.iter().for_each(|parent| reached[*parent] = true);
        }
    }
    let mut allow = Vec::new();
    for (layer, _) in layers.iter().zip(reached).filter(|(_, reached)| *reached) {
        for rule in matching(layer, actor, digest) {
            allow.extend(rule.allow.iter().map(|placed| &placed.ruled));
        }
    }
    allow
}
