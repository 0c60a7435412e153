//! What bounds a server, for any number of peers.

use std::time::Duration;

/// Lines of a request's head.
pub(super) const HEADERS_MAX: usize = 100;
/// Bytes of a request's head, and of what is read ahead of the guest.
pub(super) const HEAD_BYTES_MAX: usize = 32 << 10;
/// How long a peer may take for a head, and be silent before it.
pub(super) const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes of a request's body. Those of a response are output of the guest, which has a budget.
pub(super) const BODY_BYTES_MAX: u64 = 64 << 20;
/// How long a peer may send nothing of a body, or take nothing of a response.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(10);
/// How long an exchange may last, from its head to the last byte of its response.
pub(super) const EXCHANGE_TIME_MAX: Duration = Duration::from_secs(120);
/// How long a request waits for room in a mailbox that has its senders wait.
pub(super) const ROOM_TIME_MAX: Duration = Duration::from_secs(5);
/// How long what is written already may take to leave when the server stops.
pub(super) const LAST_BYTES_TIME_MAX: Duration = Duration::from_millis(250);
/// Exchanges of one actor that run at once; more wait in the order in which they came, one for each connection.
pub(crate) const EXCHANGES_MAX: usize = 16;
/// How soon it is tried again to take a connection that could not be taken.
pub(super) const AGAIN: Duration = Duration::from_millis(50);
