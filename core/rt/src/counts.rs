//! What became of messages, exactly.

/// What became of messages: sent = delivered + rejected + dropped + dead_letters + those that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Offered.
    pub sent: u64,
    /// Handed to the actor.
    pub delivered: u64,
    /// Refused: full or closed.
    pub rejected: u64,
    /// Removed: the caller gave up first, or a newer message took the place.
    pub dropped: u64,
    /// Still queued when the actor ended for good.
    pub dead_letters: u64,
}

impl Counts {
    /// Adds the counts of another mailbox.
    pub fn add(&mut self, other: &Counts) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.rejected += other.rejected;
        self.dropped += other.dropped;
        self.dead_letters += other.dead_letters;
    }
}
