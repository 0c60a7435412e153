//! What a mailbox may hold, and what becomes of what it may not.

/// What a mailbox may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Messages that wait.
    pub messages_max: u64,
    /// Bytes that wait, by [`Message::size_bytes`](crate::Message::size_bytes).
    pub bytes_max: u64,
    /// Bytes of one message.
    pub message_bytes_max: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { messages_max: 1_000, bytes_max: 16 << 20, message_bytes_max: u64::MAX }
    }
}

/// What becomes of a message that finds the mailbox full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// It comes back to its sender.
    #[default]
    Reject,
    /// The oldest one that waits is dropped for it.
    DropOldest,
    /// Its sender waits for room, up to its deadline; an actor that sends to itself is refused.
    Block,
}
