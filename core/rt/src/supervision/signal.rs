//! What a supervisor is told, and what it wants done.

use std::time::Duration;

use super::spec::{ChildKey, ChildRules, Refusal, Ticket, Token};
use crate::exit::Exit;

/// What a supervisor is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// Start the static children left to right; for the first time, or again after [`Output::Down`].
    Begin,
    /// The start of the child succeeded.
    Started(ChildKey),
    /// The start of the child failed.
    Failed(ChildKey, Exit),
    /// The start of the child decided that there is nothing to run: OTP's `ignore`.
    Ignored(ChildKey),
    /// A life that was up ended.
    Exited(ChildKey, Exit),
    /// The wait is over.
    Due(Token),
    /// Stop all children, then go down with this exit. Overtakes everything.
    Stop(Exit),
    /// OTP's `start_child`.
    Add(Ticket, ChildKey, ChildRules),
    /// OTP's `terminate_child`.
    Terminate(Ticket, ChildKey),
    /// OTP's `restart_child`.
    Restart(Ticket, ChildKey),
    /// OTP's `delete_child`.
    Delete(Ticket, ChildKey),
}

/// What a supervisor wants done, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Start the child; answered by `Started`, `Failed` or `Ignored`.
    Begin(ChildKey),
    /// Stop the child in the time its spec allows; answered by `Exited` or `Failed`, always.
    End(ChildKey),
    /// What becomes of the child whose life ended or did not begin.
    Settle(ChildKey, Fate),
    /// Send [`Input::Due`] with this token after this time.
    Wait(Token, Duration),
    /// `Begin` has succeeded.
    Up,
    /// More restarts than allowed would be needed.
    GaveUp {
        /// The child that had to be restarted.
        child: ChildKey,
        /// Restarts within the last period.
        restarts: u64,
        /// Why it ended.
        exit: Exit,
    },
    /// The answer to a request.
    Done(Ticket, Result<(), Refusal>),
    /// Every child is down and nothing runs. When `Up` never came, the start failed.
    Down(Exit),
}

/// What becomes of a child: exactly one for each life that ended and each start that failed, unless
/// [`Output::Down`] comes first, which settles all.
///
/// It may be followed by another one without a life between: `Again` is taken back by `Kept` or `Gone`
/// when a request stops the restart, `Kept` becomes `Gone` when a request deletes the child, and both
/// become `Again` for a static child when the supervisor starts all anew ([`GiveUp::Restart`]).
///
/// [`GiveUp::Restart`]: super::GiveUp::Restart
#[derive(Clone, Debug)]
pub enum Fate {
    /// It is started again: after this time, or after the siblings it is started with.
    Again {
        /// The delay.
        after: Duration,
    },
    /// It stays down; [`Input::Restart`] starts it.
    Kept(Exit),
    /// It is no child any more. Only a static one may come back, so its spec is not thrown away: with the
    /// next `Begin`, or with `Again`.
    Gone(Exit),
}
