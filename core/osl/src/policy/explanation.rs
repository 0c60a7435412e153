use std::fmt;
use std::sync::Arc;

use super::layer::Layer;
use super::narrow;
use super::resolved::{Resolved, Verdict, matching};
use super::rule::{ActorReach, Rule, Ruled};
use crate::actor_pattern::{self, ActorPattern};
use crate::ask::Ask;
use crate::capability::Capability;

/// Which rule decides an ask, and which line would change that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Who asks, in three parts.
    pub actor: String,
    /// What is asked, in its canonical text.
    pub ask: String,
    /// What is decided.
    pub allowed: bool,
    /// The rule that decides; none when nothing allows it.
    pub rule: Option<Ruled>,
    /// The allow that a deny beats, or that a file which extends its own has narrowed away.
    pub beaten: Option<Ruled>,
    /// What to add where nothing allows it.
    pub hint: Option<Hint>,
}

/// A line that, added to a file, allows exactly what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The file that takes the line.
    pub file: Arc<str>,
    /// Where the rule begins whose `allow` takes the line; none when the line is a rule of its own, under `rules`.
    pub line: Option<u32>,
    /// The name of that rule.
    pub rule: Option<Arc<str>>,
    /// The line.
    pub text: String,
}

/// One line, such as `deny: policy.yaml:13 fs.read /srv/private/** beats policy.yaml:11 fs.read /srv/**`.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.rule, &self.beaten) {
            (Some(rule), _) if self.allowed => return write!(f, "allow: {rule}"),
            (Some(rule), None) => return write!(f, "deny: {rule}"),
            (Some(rule), Some(beaten)) => return write!(f, "deny: {rule} beats {beaten}"),
            (None, None) => write!(f, "deny: nothing allows {} {}", self.actor, self.ask)?,
            (None, Some(narrowed)) => {
                write!(f, "deny: {narrowed} is narrowed by the file that extends it")?;
            }
        }
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// `add to the allow of policy.yaml:9 (web tools): - fs.read /x`.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "add to the allow of {}:{line}", self.file)?,
            None => write!(f, "add to the rules of {}", self.file)?,
        }
        if let Some(rule) = &self.rule {
            write!(f, " ({rule})")?;
        }
        write!(f, ": {}", self.text)
    }
}

pub(super) fn explain(
    layers: &[Layer],
    resolved: &Resolved,
    actor: &str,
    digest: Option<&str>,
    ask: &Ask,
) -> Explanation {
    let mut explanation = Explanation {
        actor: actor_pattern::canonical(actor),
        ask: ask.capability_text(),
        allowed: false,
        rule: None,
        beaten: None,
        hint: None,
    };
    match resolved.decide(ask) {
        Verdict::Allow(rule) => {
            explanation.allowed = true;
            explanation.rule = Some(rule.clone());
        }
        Verdict::Deny(rule, beaten) => {
            explanation.rule = Some(rule.clone());
            explanation.beaten = beaten.cloned();
        }
        Verdict::NotGranted => {
            explanation.beaten = narrowed(layers, actor, digest, ask).cloned();
            explanation.hint = hint(layers, actor, digest, ask);
        }
    }
    explanation
}

/// An allow of this actor that does not count any more.
fn narrowed<'a>(layers: &'a [Layer], actor: &str, digest: Option<&str>, ask: &Ask) -> Option<&'a Ruled> {
    layers
        .iter()
        .flat_map(|layer| matching(layer, actor, digest))
        .flat_map(|rule| &rule.allow)
        .map(|placed| &placed.ruled)
        .find(|ruled| ruled.capability.covers(ask))
}

/// The nearest line: in a rule of the last file that is for this actor, or a rule of its own.
fn hint(layers: &[Layer], actor: &str, digest: Option<&str>, ask: &Ask) -> Option<Hint> {
    let last = layers.last()?;
    let text = ask.capability_text();
    let capability = Capability::parse(&text).ok()?;
    let is_id = ActorPattern::parse(actor).is_ok() && !actor.contains('*');
    if !is_id || !capability.iter().any(|capability| capability.covers(ask)) {
        return None;
    }
    // In a file that extends, a rule takes the line if it overrides, or narrows with it as it does without.
    let takes = |rule: &&Rule| {
        !rule.actors.contains(&ActorReach::All)
            && (last.parents.is_empty()
                || rule.overrides
                || (rule.narrows() && narrow::would_hold(layers, rule, &capability[0])))
    };
    let file = last.name.clone();
    let same_name =
        |rule: &&Rule| rule.allow.iter().any(|placed| placed.ruled.capability.name() == capability[0].name());
    let rules = || matching(last, actor, digest).filter(takes);
    if let Some(rule) = rules().find(same_name).or_else(|| rules().next_back()) {
        let text = format!("- {text}");
        return Some(Hint { file, line: Some(rule.mark.line), rule: rule.name.clone(), text });
    }
    let overrides = if last.parents.is_empty() { "" } else { "override: true, " };
    let quoted = serde_json::Value::from(text);
    let text = format!("- {{ actors: [{}], {overrides}allow: [{quoted}] }}", actor_pattern::canonical(actor));
    Some(Hint { file, line: None, rule: None, text })
}
