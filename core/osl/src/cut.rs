/// What was opened or begun under a grant, and ends with it.
pub(crate) trait Cut: Send + Sync {
    /// Ends it now, whoever holds it, and waits for no use of it but where the host's own end of it does. Called once for
    /// each grant that it is tied to and that ends, so it may have ended before; no lock is held.
    fn cut(&self);
}
