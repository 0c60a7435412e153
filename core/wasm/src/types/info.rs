//! What a system tells about itself.

use std::time::Duration;

/// What is known of a component before it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentInfo {
    /// SHA-256 of the bytes, as `sha256:<hex>`.
    pub digest: String,
    /// Interfaces and functions it imports, with versions.
    pub imports: Vec<String>,
    /// Interfaces and functions it exports, with versions.
    pub exports: Vec<String>,
    /// Capability families that its imports could ask for, as in `fs.read`.
    pub capabilities: Vec<String>,
    /// Whether it exports `airssys:wasm/handler`, so that it can be sent messages.
    pub handler: bool,
    /// Whether it exports `airssys:wasm/lifecycle`.
    pub lifecycle: bool,
}

/// One grant of an actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantInfo {
    /// The grant, to revoke it.
    pub grant: super::handle::GrantHandle,
    /// The capability in its canonical text form.
    pub capability: String,
    /// What is left of its time, if it has any bound.
    pub ttl: Option<Duration>,
    /// Open resources that were minted from it.
    pub open: u64,
    /// Who gave it: `baseline`, `policy`, `host`, or the id of the actor that handed it on.
    pub given_by: String,
}

/// What an actor or supervisor is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActorStatus {
    /// The three-part id.
    pub id: String,
    /// `starting`, `running`, `restarting`, `stopping`, `stopped` or `abandoned`.
    pub state: String,
    /// Messages that wait.
    pub mailbox_messages: u64,
    /// Messages handed to it, over all restarts.
    pub handled: u64,
    /// How often it was restarted.
    pub restarts: u64,
    /// How its last life ended, as in `shutdown`, if one has.
    pub last_exit: Option<String>,
    /// Time that its code has run, in whole ticks of a millisecond that passed meanwhile.
    pub busy_ms: u64,
    /// Where it serves http, as `127.0.0.1:8080`, while it does.
    pub listening: Option<String>,
}

/// Counters of a system; messages sent = delivered + rejected + dropped + dead letters + those that wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Loaded components.
    pub components: u64,
    /// Live actors.
    pub actors: u64,
    /// Messages that were offered to a mailbox.
    pub sent: u64,
    /// Messages that reached a handler.
    pub delivered: u64,
    /// Messages that a full or closed mailbox refused.
    pub rejected: u64,
    /// Messages that were taken back by a cancel or a deadline before they were handled.
    pub dropped: u64,
    /// Messages whose actor stopped before they were handled.
    pub dead_letters: u64,
    /// Restarts.
    pub restarts: u64,
    /// Denied checks.
    pub denied: u64,
    /// Regions.
    pub regions: u64,
    /// Bytes of all regions together.
    pub region_bytes: u64,
}

/// Memory that actors and the host program share by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionInfo {
    /// The name.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// The three-part id of the actor that made it; absent for one of the host program.
    pub owner: Option<String>,
    /// How often guests have it open.
    pub open: u64,
}

/// What a close had to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseReport {
    /// Actors that stopped in time.
    pub stopped: u64,
    /// Actors that were killed at the deadline.
    pub killed: u64,
    /// Messages that were still queued.
    pub dead_letters: u64,
}
