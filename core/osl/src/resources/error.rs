use std::fmt;

use super::Resource;

/// As many of a resource are open as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    pub resource: Resource,
    /// Whose limit it is.
    pub whose: Whose,
    pub allowed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Actor,
    /// That of all actors together.
    System,
}

/// Why a wait for a permit ended without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcquireError {
    /// None may ever be open, so nobody waits for it.
    Exhausted(Exhausted),
    /// As many of this actor wait already as may.
    TooManyWaiting { resource: Resource, waiting_max: usize },
    /// The deadline passed.
    Timeout { resource: Resource },
}

impl Resource {
    fn many(self) -> &'static str {
        match self {
            Resource::File => "files are open",
            Resource::Socket => "sockets are open",
            Resource::Process => "programs run",
        }
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.whose {
            Whose::Actor => "of this actor",
            Whose::System => "of all actors",
        };
        write!(f, "{} {}, as many {whose} as may", self.allowed, self.resource.many())
    }
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AcquireError::Exhausted(full) => full.fmt(f),
            AcquireError::TooManyWaiting { waiting_max, .. } => {
                write!(f, "{waiting_max} of this actor wait already, as many as may")
            }
            AcquireError::Timeout { resource } => {
                write!(f, "as many {} as may, and none ended before the deadline", resource.many())
            }
        }
    }
}

impl std::error::Error for Exhausted {}
impl std::error::Error for AcquireError {}
