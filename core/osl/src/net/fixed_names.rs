use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::net::{Resolve, ResolveError};
use crate::scope::host_name;

/// Names that the host gives addresses to itself; all others are somebody else's matter, or unknown.
pub struct FixedNames {
    names: BTreeMap<String, Vec<IpAddr>>,
    others: Option<Arc<dyn Resolve>>,
}

impl FixedNames {
    /// The names in any case; one without addresses is unknown, whatever the others say of it.
    pub fn new(names: BTreeMap<String, Vec<IpAddr>>, others: Option<Arc<dyn Resolve>>) -> Self {
        let names = names.into_iter().map(|(name, ips)| (host_name::fold(&name), ips)).collect();
        Self { names, others }
    }
}

impl Resolve for FixedNames {
    fn resolve(&self, name: &str, deadline: Instant) -> Result<Vec<IpAddr>, ResolveError> {
        match (self.names.get(name), &self.others) {
            (Some(addresses), _) if !addresses.is_empty() => Ok(addresses.clone()),
            (None, Some(others)) => others.resolve(name, deadline),
            _ => Err(ResolveError::NotFound(name.to_owned())),
        }
    }
}
