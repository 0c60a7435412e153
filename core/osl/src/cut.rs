/// What was opened or begun under a grant, and ends with it.
pub(crate) trait Cut: Send + Sync {
    /// Ends it now, without waiting, whoever holds it; called at most once, with no lock held.
    fn cut(&self);
}
