use crate::ask::Ask;
use crate::ban::Ban;
use crate::capability::Capability;
use crate::index::Index;
use crate::scope::{Scope, topic_pattern};

/// All bans of one set.
#[derive(Default)]
pub(crate) struct Bans {
    given: Vec<Ban>,
    /// With those of the same places behind links.
    all: Vec<Ban>,
    /// Their places in `all`.
    index: Index<usize>,
    of_paths: bool,
}

impl Bans {
    /// Bans these. Links in a path of a ban are followed now: it holds for the place that they lead to as well.
    pub fn new(given: Vec<Ban>) -> Self {
        let behind: Vec<Ban> = given.iter().filter_map(Ban::behind_links).collect();
        let all: Vec<Ban> = given.iter().cloned().chain(behind).collect();
        let mut index = Index::default();
        for (at, ban) in all.iter().enumerate() {
            index.insert(&ban.capability, at as u64, &at);
        }
        let of_paths = all.iter().any(|ban| matches!(ban.capability.scope(), Scope::Path(_)));
        Self { given, all, index, of_paths }
    }

    /// As they were given.
    pub fn given(&self) -> &[Ban] {
        &self.given
    }

    /// The first that refuses the ask.
    pub fn of(&self, ask: &Ask) -> Option<&Ban> {
        let forbids = |at: &usize| self.all[*at].capability.forbids(ask);
        let first = match ask {
            ask if is_of_many(ask) => (0..self.all.len()).find(forbids),
            _ => self.index.first(ask, forbids).copied(),
        };
        first.map(|at| &self.all[at])
    }

    /// The first that may refuse something of what the capability allows.
    pub fn touching(&self, capability: &Capability) -> Option<&Ban> {
        self.all.iter().find(|ban| ban.may_touch(capability))
    }

    /// The first that refuses all that the capability allows.
    pub fn of_all(&self, capability: &Capability) -> Option<&Ban> {
        self.all.iter().find(|ban| ban.refuses_all(capability))
    }

    /// Those that spell out one path, and refuse what is asked of that.
    pub fn spelled(&self, asks: impl Fn(&str) -> Vec<Ask>) -> impl Iterator<Item = &Ban> {
        self.all.iter().filter(move |ban| {
            let path = ban.path();
            path.is_some_and(|path| asks(&path).iter().any(|ask| ban.capability.forbids(ask)))
        })
    }

    /// Whether anything is banned by its path.
    pub fn are_of_paths(&self) -> bool {
        self.of_paths
    }

    /// The first that may ban something below this directory.
    pub fn below(&self, directory: &str) -> Option<&Ban> {
        let reaches = |ban: &&Ban| matches!(ban.capability.scope(), Scope::Path(pattern) if pattern.may_reach_below(directory));
        self.all.iter().find(reaches)
    }
}

/// Whether it may meet a ban of its name in more than its literal parts: one of any topic or of any address.
fn is_of_many(ask: &Ask) -> bool {
    match ask {
        Ask::MessageSubscribe(topics) => !topic_pattern::is_topic(topics),
        Ask::NetListen(on) => on.ip().is_some_and(|ip| ip.is_unspecified()),
        _ => false,
    }
}
