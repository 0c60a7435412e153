/// What a host wants of a program that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// SIGTERM, and after the grace SIGKILL.
    End,
    Kill,
    /// A signal to the program's group.
    Signal(i32),
}
