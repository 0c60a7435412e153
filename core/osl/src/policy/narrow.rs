//! The proof, at load, that a file which extends others allows no more than they do.

use super::error::PolicyError;
use super::layer::Layer;
use super::rule::{ActorReach, Placed, Rule};
use crate::capability::Capability;

/// Comparisons of one file with what it extends.
const STEPS_MAX: u32 = 5_000_000;

/// Refuses the first allow of `layer` that is not shown to be within what `below`, the files before it, allow the same
/// actors. A rule that overrides is left alone.
pub(super) fn check(layer: &Layer, below: &[Layer]) -> Result<(), PolicyError> {
    if layer.parents.is_empty() {
        return Ok(());
    }
    let mut proof = Proof { below, steps: 0 };
    for rule in layer.rules.iter().filter(|rule| rule.narrows()) {
        for placed in &rule.allow {
            let within = proof.holds(layer, rule, &placed.ruled.capability);
            if proof.steps > STEPS_MAX {
                let why = "too many rules to compare with the files that this one extends: split it";
                return Err(PolicyError::whole(&layer.name, why));
            }
            if !within {
                return Err(PolicyError::new(&layer.name, placed.mark, refusal(layer, below, placed)));
            }
        }
    }
    Ok(())
}

/// Whether the last file could take one more allow in a rule that narrows.
pub(super) fn would_hold(layers: &[Layer], rule: &Rule, capability: &Capability) -> bool {
    let (last, below) = layers.split_last().expect("a rule is in a file");
    Proof { below, steps: 0 }.holds(last, rule, capability)
}

fn refusal(layer: &Layer, below: &[Layer], placed: &Placed) -> String {
    let parents: Vec<&str> = layer.parents.iter().map(|parent| &*below[*parent].name).collect();
    format!(
        "{} is more than {} allows these actors: narrow it, or say `override: true` in the rule",
        placed.ruled.capability,
        parents.join(" or ")
    )
}

/// One allow for one pattern of actors.
struct Asked<'a> {
    rule: &'a Rule,
    reach: &'a ActorReach,
    capability: &'a Capability,
}

struct Proof<'a> {
    below: &'a [Layer],
    steps: u32,
}

impl Proof<'_> {
    /// Whether the files that `layer` extends allow the capability to all actors of the rule.
    fn holds(&mut self, layer: &Layer, rule: &Rule, capability: &Capability) -> bool {
        rule.actors.iter().all(|reach| {
            let asked = Asked { rule, reach, capability };
            layer.parents.iter().any(|parent| self.granted(*parent, &asked))
        })
    }

    /// Whether the file at `index`, with all that it extends, surely allows what is asked to all of these actors.
    fn granted(&mut self, index: usize, asked: &Asked<'_>) -> bool {
        let layer = &self.below[index];
        let mut narrowed = false;
        for rule in layer.rules.iter().filter(|rule| !rule.allow.is_empty()) {
            self.steps = self.steps.saturating_add(1);
            if asked.is_within(rule) && self.any_includes(&rule.allow, asked) {
                return true;
            }
            narrowed |= rule.narrows() && asked.may_meet(rule);
        }
        // For some of these actors the allows of this file stand in place of those that it extends.
        let decided = narrowed || self.steps > STEPS_MAX;
        !decided && layer.parents.iter().any(|parent| self.granted(*parent, asked))
    }

    fn any_includes(&mut self, allow: &[Placed], asked: &Asked<'_>) -> bool {
        allow.iter().any(|parent| {
            self.steps = self.steps.saturating_add(1);
            parent.ruled.capability.includes(asked.capability)
        })
    }
}

impl Asked<'_> {
    /// Whether the rule is for all of these actors.
    fn is_within(&self, rule: &Rule) -> bool {
        (rule.component.is_none() || rule.component == self.rule.component)
            && rule.actors.iter().any(|reach| reach.includes(self.reach))
    }

    /// Whether the rule may be for one of these actors, whatever component it runs.
    fn may_meet(&self, rule: &Rule) -> bool {
        rule.actors.iter().any(|reach| reach.overlaps(self.reach))
    }
}
