use std::sync::Arc;

use crate::ask::Ask;
use crate::capability::Capability;

/// A capability that nobody may use, whoever grants it, and which rule says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    pub capability: Capability,
    /// As in `policy.yaml:13 fs.read /srv/private/**`.
    pub rule: Arc<str>,
}

impl Ban {
    /// The first of the bans that refuses the ask.
    pub(crate) fn of<'a>(bans: &'a [Ban], ask: &Ask) -> Option<&'a Ban> {
        bans.iter().find(|ban| ban.capability.forbids(ask))
    }
}
