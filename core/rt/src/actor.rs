//! What an actor is to its author.

use std::future::Future;

use crate::context::Context;
use crate::error::Error;
use crate::exit::{Cause, Exit};
use crate::promise::{Resolver, Waiter};
use crate::watch::Signal;

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

/// Something that is started and stopped. The hooks run in the order in which they stand here, messages between the second
/// and the third; with an error of the first or a crash in the second it has not started. Another exit of the second ends it
/// in order, after it was up.
pub trait Child: Send + 'static {
    /// The first of a life, whose messages wait.
    fn pre_start(&mut self) -> impl Future<Output = Result<(), Cause>> + Send {
        async { Ok(()) }
    }

    /// After that and before its first message; it is up, and whoever started it is answered, once this is done.
    fn post_start(&mut self) -> impl Future<Output = Result<(), Exit>> + Send {
        async { Ok(()) }
    }

    /// After its last message. Not called after a crash or a kill.
    fn pre_stop(&mut self, reason: &Exit) -> impl Future<Output = ()> + Send {
        let _ = reason;
        async {}
    }

    /// The last call before it is dropped. Not called after a crash or a kill.
    fn post_stop(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Asked where its spec has a [`Health`](crate::Health): an error, or no answer in time, is a missed check.
    fn health(&mut self) -> impl Future<Output = Result<(), Cause>> + Send {
        async { Ok(()) }
    }
}

/// Something with a mailbox. It handles one message at a time and is dropped when its life ends.
pub trait Actor: Child {
    /// What it can be sent.
    type Message: Message;

    /// Handles one message; answers by `context.reply`, or takes the duty to answer elsewhere. `Err(Exit::Normal)` ends
    /// it because it is done; any other exit ends it as it says.
    fn handle(
        &mut self,
        message: Self::Message,
        context: &mut Context<'_, Self::Message>,
    ) -> impl Future<Output = Result<(), Exit>> + Send;

    /// Told of the end of an actor that it monitors, or is linked to while it traps exits. These overtake messages.
    fn signal(
        &mut self,
        signal: Signal,
        context: &mut Context<'_, Self::Message>,
    ) -> impl Future<Output = Result<(), Exit>> + Send {
        let _ = (signal, context);
        async { Ok(()) }
    }
}

/// A plain async function as an actor: one message in, the answer out.
pub struct Stateless<M, F>(F, std::marker::PhantomData<fn(M)>);

impl<M: Message, F> Stateless<M, F> {
    /// The actor that answers each message by this function; it ends never by itself.
    pub fn new<R>(function: F) -> Self
    where
        F: FnMut(M) -> R + Send + 'static,
        R: Future<Output = Result<M::Reply, M::Error>> + Send,
    {
        Self(function, std::marker::PhantomData)
    }
}

impl<M: Message, F: Send + 'static> Child for Stateless<M, F> {}

impl<M, F, R> Actor for Stateless<M, F>
where
    M: Message,
    F: FnMut(M) -> R + Send + 'static,
    R: Future<Output = Result<M::Reply, M::Error>> + Send,
{
    type Message = M;

    async fn handle(&mut self, message: M, context: &mut Context<'_, M>) -> Result<(), Exit> {
        let answer = (self.0)(message).await;
        context.reply(answer);
        Ok(())
    }
}

/// The duty to answer one message; empty for one that was only sent. It may travel; dropped unsettled, the caller gets
/// `NoReply`.
pub struct ReplyTo<M: Message>(Option<Resolver<M::Reply, M::Error>>);

impl<M: Message> ReplyTo<M> {
    pub(crate) fn new(resolver: Option<Resolver<M::Reply, M::Error>>) -> Self {
        Self(resolver)
    }

    /// A duty that nobody waits for.
    pub fn none() -> Self {
        Self(None)
    }

    /// Answers. What was settled before stays as it is.
    pub fn settle(&mut self, answer: Result<M::Reply, M::Error>) {
        if let Some(resolver) = self.0.take() {
            resolver.settle(answer);
        }
    }

    /// Takes the duty away, to be settled later and elsewhere.
    #[must_use]
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

    /// Whether there is a duty at all.
    pub(crate) fn is_request(&self) -> bool {
        self.0.is_some()
    }

    /// Who waits for the answer, if there is one to give.
    pub(crate) fn waiter(&self) -> Option<Waiter<M::Reply, M::Error>> {
        self.0.as_ref().map(Resolver::waiter)
    }

    pub(crate) fn mark_handling(&self) {
        if let Some(resolver) = &self.0 {
            resolver.mark_handling();
        }
    }
}
