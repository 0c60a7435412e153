//! What host functions ask of the system, which alone knows all actors and who gave which grant.

use std::time::Duration;

use airssys_osl::{Capability, CapabilitySet, Denial};
use airssys_rt::ActorId;

use crate::types::info::GrantInfo;

type Do<A, T> = Box<dyn Fn(A) -> T + Send + Sync>;

/// One system's, from its opening on.
pub(crate) struct Desk {
    /// The live grants of the actor that holds this set.
    pub(crate) grants: Do<CapabilitySet, Vec<GrantInfo>>,
    /// Whether anybody may be granted this now.
    pub(crate) grantable: Do<Capability, Result<(), Ungrantable>>,
    /// Under which number.
    pub(crate) hand_on: Do<Handing, Result<u64, NotHanded>>,
    /// The number of a grant that the holder of this set handed on; whether there was one.
    pub(crate) take_back: Do<(CapabilitySet, u64), bool>,
}

/// What one actor hands on to another.
pub(crate) struct Handing {
    pub(crate) giver: CapabilitySet,
    pub(crate) to: ActorId,
    pub(crate) capability: Capability,
    pub(crate) ttl: Option<Duration>,
    pub(crate) function: &'static str,
}

/// Why nobody is granted something.
pub(crate) enum Ungrantable {
    /// The policy is sealed.
    Sealed,
    /// This version has no use for it.
    Unsupported,
}

/// Why something was not handed on.
pub(crate) enum NotHanded {
    Sealed,
    Unsupported,
    Denied(Denial),
    NoActor,
    TooMany,
    Invalid(String),
}
