use super::config::Level;
use super::record::Operation;
use crate::actor_pattern::ActorPattern;

/// A level for some actors and operations.
#[derive(Clone, Debug)]
pub struct Filter {
    actors: ActorPattern,
    /// Empty for all of them.
    operations: Vec<String>,
    level: Level,
}

impl Filter {
    /// For the actors of a pattern such as `tools/*/*`, and the operations of these names (`check`,
    /// `grant`, `connect`…), or all when none is named.
    pub fn new(actors: &str, operations: &[&str], level: Level) -> Result<Self, String> {
        let operations = operations.iter().map(|name| (*name).to_owned()).collect();
        Ok(Self { actors: ActorPattern::parse(actors)?, operations, level })
    }

    fn covers(&self, actor: &str, operation: Operation) -> bool {
        let named = self.operations.is_empty() || self.operations.iter().any(|name| name == operation.name());
        named && self.actors.matches(actor)
    }
}

/// The level that holds for an operation of an actor: of the first filter that covers it.
pub(crate) fn level(filters: &[Filter], default: Level, actor: &str, operation: Operation) -> Level {
    filters.iter().find(|filter| filter.covers(actor, operation)).map_or(default, |filter| filter.level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_filter_that_covers_decides() {
        let filters = [
            Filter::new("tools/*/*", &["check", "connect"], Level::All).unwrap(),
            Filter::new("tools/*/*", &[], Level::Denials).unwrap(),
        ];
        let of = |actor, operation| level(&filters, Level::Default, actor, operation);
        assert_eq!(of("tools/a/0", Operation::Check), Level::All);
        assert_eq!(of("tools/a/0", Operation::Os("connect")), Level::All);
        assert_eq!(of("tools/a/0", Operation::Grant), Level::Denials);
        assert_eq!(of("default/a/0", Operation::Check), Level::Default);
        assert_eq!(of("no id at all", Operation::Check), Level::Default);
        assert!(Filter::new("*", &[], Level::All).is_err());
    }
}
