//! What an actor is to its author.

use std::future::Future;

use crate::error::Error;
use crate::exit::Exit;
use crate::promise::{Canceller, Resolver};

/// What an actor can be sent.
pub trait Message: Sized + Send + 'static {
    /// What a request of it is answered with.
    type Reply: Send + 'static;
    /// What a request of it can fail with; the runtime's own errors become one of these.
    type Error: From<Error> + From<crate::Broken> + Send + 'static;

    /// Its weight against the mailbox's bound in bytes.
    fn size_bytes(&self) -> usize {
        size_of::<Self>()
    }
}

/// Something with a mailbox. It handles one message at a time and is dropped when it ends.
pub trait Actor: Send + 'static {
    /// What it can be sent.
    type Message: Message;

    /// Handles one message and settles `reply`, or takes it to answer later. An error ends the actor: it crashed.
    fn handle(
        &mut self,
        message: Self::Message,
        reply: &mut ReplyTo<Self::Message>,
    ) -> impl Future<Output = Result<(), Exit>> + Send;

    /// Called once after it was registered and before its first message. An error ends the actor.
    fn post_start(&mut self) -> impl Future<Output = Result<(), Exit>> + Send {
        async { Ok(()) }
    }

    /// Called when it was told to stop, after its last message; its mailbox is closed by then.
    fn stop(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// The duty to answer one message; empty for a message that was only sent. Dropped unsettled, the caller gets `NoReply`.
pub struct ReplyTo<M: Message>(Option<Resolver<M::Reply, M::Error>>);

impl<M: Message> ReplyTo<M> {
    pub(crate) fn new(resolver: Option<Resolver<M::Reply, M::Error>>) -> Self {
        Self(resolver)
    }

    /// Answers. What was settled or taken before stays as it is.
    pub fn settle(&mut self, answer: Result<M::Reply, M::Error>) {
        if let Some(resolver) = self.0.take() {
            resolver.settle(answer);
        }
    }

    /// Takes the duty away, to be settled later and elsewhere.
    pub fn take(&mut self) -> ReplyTo<M> {
        Self(self.0.take())
    }

    /// Whether somebody waits for an answer.
    pub fn is_wanted(&self) -> bool {
        self.0.as_ref().is_some_and(|resolver| !resolver.is_abandoned())
    }

    /// Whether the message was a request whose caller has given up.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.as_ref().is_some_and(Resolver::is_abandoned)
    }

    /// A way to fail the caller while the handler has the duty in its hands.
    pub(crate) fn canceller(&self) -> Option<Canceller<M::Reply, M::Error>> {
        self.0.as_ref().and_then(Resolver::canceller)
    }

    pub(crate) fn mark_handling(&self) {
        if let Some(resolver) = &self.0 {
            resolver.mark_handling();
        }
    }
}
