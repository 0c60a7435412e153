use std::fmt;
use std::net::IpAddr;
use std::time::Instant;

/// How names become addresses. What it answers is checked by who asks, so it may answer anything.
pub trait Resolve: Send + Sync {
    /// The addresses of a host name, which is in lower case without a last dot; at least one.
    fn resolve(&self, name: &str, deadline: Instant) -> Result<Vec<IpAddr>, ResolveError>;
}

/// Why a name has no addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// There is no such name, or it has no addresses.
    NotFound(String),
    /// Nobody who was asked gave an answer that is one.
    NoAnswer(String),
    Timeout,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResolveError::NotFound(name) => write!(f, "{name} has no addresses"),
            ResolveError::NoAnswer(why) => f.write_str(why),
            ResolveError::Timeout => f.write_str("the name was not resolved before the deadline"),
        }
    }
}

impl std::error::Error for ResolveError {}
