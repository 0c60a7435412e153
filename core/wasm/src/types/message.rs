//! What a host handler is given.

/// Bytes of a content type.
pub(crate) const CONTENT_TYPE_BYTES_MAX: usize = 256;

/// One message as a host handler sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The id of the sending actor; empty when the host itself sent it. Set by the system, never by a guest.
    pub sender: String,
    /// The id of the actor it was sent to.
    pub to: String,
    /// The bytes.
    pub payload: Vec<u8>,
    /// What the bytes are, as a media type, if the sender said so.
    pub content_type: Option<String>,
    /// The topic it was published under, if it was.
    pub topic: Option<String>,
}

/// How a message is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// What the bytes are, as a media type.
    pub content_type: Option<String>,
}

/// How a request is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestOptions {
    /// How long the caller waits; 5 s if absent, `Duration::MAX` for ever. Ends the wait, never the actor.
    pub timeout: Option<std::time::Duration>,
    /// What the bytes are, as a media type.
    pub content_type: Option<String>,
}
