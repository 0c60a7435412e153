use std::net::IpAddr;
use std::time::Instant;

use crate::fs::{Entry, Files, FsError, Metadata};
use crate::net::{NetError, Network, TcpStream};
use crate::transience::Transience;

/// An operation that may be done twice: it changes nothing, and sends nothing but questions. Only these can be
/// [retried](crate::Retry); what writes, appends, listens or runs a program has none.
///
/// Each attempt is the whole operation, decided and recorded anew. Those of the network end at the deadline of the retry;
/// one of a file ends when the disk has answered.
pub struct Idempotent<T, E> {
    attempt: Box<dyn FnMut(Instant) -> Result<T, E> + Send>,
    transience: fn(&E) -> Transience,
}

impl<T, E> Idempotent<T, E> {
    fn new(
        transience: fn(&E) -> Transience,
        attempt: impl FnMut(Instant) -> Result<T, E> + Send + 'static,
    ) -> Self {
        Self { attempt: Box::new(attempt), transience }
    }

    /// Does it once, before the deadline.
    pub(crate) fn attempt(&mut self, deadline: Instant) -> Result<T, E> {
        (self.attempt)(deadline)
    }

    pub(crate) fn transience(&self, error: &E) -> Transience {
        (self.transience)(error)
    }
}

impl Idempotent<Vec<u8>, FsError> {
    /// [`Files::read_all`].
    pub fn read(files: &Files, path: &str, bytes_max: u64, function: &str) -> Self {
        let (files, path, function) = (files.clone(), path.to_owned(), function.to_owned());
        Self::new(FsError::transience, move |_| files.read_all(&path, bytes_max, &function))
    }
}

impl Idempotent<Metadata, FsError> {
    /// [`Files::metadata`].
    pub fn metadata(files: &Files, path: &str, follow: bool, function: &str) -> Self {
        let (files, path, function) = (files.clone(), path.to_owned(), function.to_owned());
        Self::new(FsError::transience, move |_| files.metadata(&path, follow, &function))
    }
}

impl Idempotent<Vec<Entry>, FsError> {
    /// [`Files::list`].
    pub fn list(files: &Files, path: &str, function: &str) -> Self {
        let (files, path, function) = (files.clone(), path.to_owned(), function.to_owned());
        Self::new(FsError::transience, move |_| files.list(&path, &function))
    }
}

impl Idempotent<Vec<IpAddr>, NetError> {
    /// [`Network::resolve`].
    pub fn resolve(network: &Network, host: &str, function: &str) -> Self {
        let (network, host, function) = (network.clone(), host.to_owned(), function.to_owned());
        Self::new(NetError::transience, move |deadline| network.resolve(&host, deadline, &function))
    }
}

impl Idempotent<TcpStream, NetError> {
    /// [`Network::connect`]: nothing is sent over a connection that was not made.
    pub fn connect(network: &Network, host: &str, port: u16, function: &str) -> Self {
        let (network, host, function) = (network.clone(), host.to_owned(), function.to_owned());
        Self::new(NetError::transience, move |deadline| network.connect(&host, port, deadline, &function))
    }
}
