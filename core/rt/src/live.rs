//! One life of an actor as a future: start, messages one at a time, stop.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use crate::actor::Actor;
use crate::cell::{Cell, Ended, Next};
use crate::context::Context;
use crate::exit::{Cause, Exit, Panicked};

pub(crate) async fn live<A: Actor>(
    cell: Arc<Cell<A::Message>>,
    start: impl Future<Output = Result<A, Cause>>,
) -> Ended {
    let mut actor = match start.await {
        Ok(actor) => actor,
        Err(cause) => return Ended::new(Exit::Crash(cause)),
    };
    if let Err(cause) = actor.pre_start().await {
        return end(actor, Exit::Crash(cause));
    }
    cell.up();
    let exit = match actor.post_start().await {
        Ok(()) => serve(&cell, &mut actor).await,
        Err(exit) => exit,
    };
    if matches!(exit, Exit::Shutdown | Exit::Normal) {
        cell.mailbox.close(&exit);
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
        let done = match poll_fn(|context| cell.poll_next(context)).await {
            Next::Stop => return Exit::Shutdown,
            Next::Message { message, asked } => {
                context.open(asked);
                Caught { inner: actor.handle(message, &mut context) }.await
            }
            Next::Signal(signal) => Caught { inner: actor.signal(signal, &mut context) }.await,
            Next::Check => {
                let health = async { Ok(cell.checked(&actor.health().await)) };
                Caught { inner: health }.await
            }
        };
        match done {
            Ok(()) => context.close(),
            // The duty stays where it is: the caller is told after the observer.
            Err(exit) => return exit,
        }
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

    fn poll(self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let inner = self.project().inner;
        catch_unwind(AssertUnwindSafe(|| inner.poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(Exit::Crash(Panicked::cause(&*panic)))))
    }
}
