//! One life of an actor as a future: start, messages one at a time, stop.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use crate::actor::{Actor, Message};
use crate::cell::{Cell, Ended, Urgent};
use crate::context::Context;
use crate::exit::{Cause, Exit, Panicked};
use crate::mailbox::Envelope;

pub(crate) async fn live<A: Actor>(
    cell: Arc<Cell<A::Message>>,
    start: impl Future<Output = Result<A, Cause>>,
) -> Ended {
    let mut actor = match start.await {
        Ok(actor) => actor,
        Err(cause) => return Ended::new(Exit::Crash(cause)),
    };
    if cell.is_abandoned() {
        // It was killed while it started: no hook is called any more.
        return end(actor, Exit::Killed);
    }
    if let Err(cause) = actor.pre_start().await {
        return end(actor, Exit::Crash(cause));
    }
    let begun = actor.post_start().await;
    if let Err(exit @ Exit::Crash(_)) = begun {
        return end(actor, exit);
    }
    if !cell.up() {
        return end(actor, Exit::Killed);
    }
    let exit = match begun {
        Ok(()) => serve(&cell, &mut actor).await,
        Err(exit) => exit,
    };
    if matches!(exit, Exit::Shutdown | Exit::Normal) {
        cell.close(&exit);
        actor.pre_stop(&exit).await;
        actor.post_stop().await;
    }
    end(actor, exit)
}

fn end<A: Actor>(actor: A, exit: Exit) -> Ended {
    Ended { exit, remains: Some(Box::new(actor)) }
}

/// Handles one thing after the other until the life is to end.
async fn serve<A: Actor>(cell: &Arc<Cell<A::Message>>, actor: &mut A) -> Exit {
    let mut context = Context::new(cell);
    loop {
        let done = match cell.next_urgent() {
            Some(Urgent::Stop) => return Exit::Shutdown,
            Some(Urgent::Signal(signal)) => Caught { inner: actor.signal(signal, &mut context) }.await,
            Some(Urgent::Check) => {
                let health = async {
                    let answer = actor.health().await;
                    cell.checked(&answer);
                    Ok(())
                };
                Caught { inner: health }.await
            }
            Some(Urgent::Kill) => {
                Rest::of(cell).await;
                continue;
            }
            None => {
                // Made in a block of its own, so that the future does not keep a second copy of the message.
                let handling = {
                    let Some(Envelope { message, reply }) = cell.next_message() else {
                        Rest::of(cell).await;
                        continue;
                    };
                    context.open(reply);
                    actor.handle(message, &mut context)
                };
                Caught { inner: handling }.await
            }
        };
        match done {
            Ok(()) => context.close(),
            // The duty stays where it is: the caller is told after the observer.
            Err(exit) => return exit,
        }
    }
}

/// Lets the poll end: there is nothing to do, or the turn is used up.
struct Rest<'a, M: Message> {
    cell: &'a Cell<M>,
    rested: bool,
}

impl<'a, M: Message> Rest<'a, M> {
    fn of(cell: &'a Cell<M>) -> Self {
        Self { cell, rested: false }
    }
}

impl<M: Message> Future for Rest<'_, M> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.rested, true) {
            return Poll::Ready(());
        }
        if self.cell.goes_on() {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

pin_project_lite::pin_project! {
    /// A future whose panic becomes the exit of its actor, while the message it handled is still at hand.
    struct Caught<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future<Output = Result<(), Exit>>> Future for Caught<F> {
    type Output = Result<(), Exit>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let inner = self.project().inner;
        catch_unwind(AssertUnwindSafe(|| inner.poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(Exit::Crash(Panicked::cause(&*panic)))))
    }
}
