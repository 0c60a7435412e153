use std::pin::Pin;
use std::task::{Context, Poll};

use super::book::Place;
use super::permit::wake;
use super::{AcquireError, Exhausted, Permit, Resource, Resources, WAITING_MAX};

/// A permit to come: see [`Resources::acquire`].
#[must_use = "nobody waits before it is polled"]
pub struct Acquire {
    resources: Resources,
    resource: Resource,
    /// Its number in the queue, from the first poll that did not lead to a permit until one that does.
    ticket: Option<u64>,
}

impl Acquire {
    pub(super) fn new(resources: Resources, resource: Resource) -> Self {
        Self { resources, resource, ticket: None }
    }

    fn permit(&self) -> Permit {
        Permit { actor: self.resources.actor.clone(), resource: self.resource }
    }

    /// Takes one, or a place in the queue.
    fn begin(&mut self, context: &Context<'_>) -> Poll<Result<Permit, AcquireError>> {
        // A waker is code of others, so it is neither cloned nor dropped under the lock.
        let mut waker = Some(context.waker().clone());
        let actor = &self.resources.actor;
        let place = actor.book(self.resource).enqueue(actor.key, &mut waker, WAITING_MAX);
        match place {
            Place::Taken => Poll::Ready(Ok(self.permit())),
            Place::Waits(ticket) => {
                self.ticket = Some(ticket);
                Poll::Pending
            }
            Place::Never(whose) => {
                let full = Exhausted { resource: self.resource, whose, allowed: 0 };
                Poll::Ready(Err(AcquireError::Exhausted(full)))
            }
            Place::NoRoom => {
                let (resource, waiting_max) = (self.resource, WAITING_MAX);
                Poll::Ready(Err(AcquireError::TooManyWaiting { resource, waiting_max }))
            }
        }
    }
}

impl Future for Acquire {
    type Output = Result<Permit, AcquireError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(ticket) = self.ticket else { return self.begin(context) };
        let mut waker = context.waker().clone();
        let actor = &self.resources.actor;
        // The one before it comes back in its place, and is dropped after the lock.
        let waits = actor.book(self.resource).swap_waker(actor.key, ticket, &mut waker);
        if waits {
            return Poll::Pending;
        }
        self.ticket = None;
        Poll::Ready(Ok(self.permit()))
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let actor = &self.resources.actor;
        let (given_up, woken) = actor.book(self.resource).give_up(actor.key, ticket);
        drop(given_up);
        wake(woken);
    }
}
