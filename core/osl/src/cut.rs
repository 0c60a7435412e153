/// What was opened or started under a grant, and ends with it whoever still holds it.
pub(crate) trait Cut: Send + Sync {
    /// Ends it at once, also under a call that is using it. May be called again.
    fn cut(&self);
}
