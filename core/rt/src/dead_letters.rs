//! Messages that were still queued when their actor ended, for those who want to see them.

use std::any::{Any, TypeId};
use std::collections::VecDeque;
use std::sync::Arc;

use dashmap::DashMap;

use crate::actor::Message;
use crate::error::Error;
use crate::exit::Exit;
use crate::id::ActorId;
use crate::mailbox::Envelope;
use crate::node::Core;

/// A message that was still queued when its actor ended.
#[derive(Debug)]
pub struct DeadLetter<'a, M> {
    /// Whose mailbox it was in.
    pub id: &'a ActorId,
    /// How that actor ended.
    pub exit: &'a Exit,
    /// The message.
    pub message: &'a M,
}

type Reader<M> = Box<dyn Fn(DeadLetter<'_, M>) + Send + Sync>;

/// One reader for each type of message.
#[derive(Default)]
pub(crate) struct DeadLetters(DashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl DeadLetters {
    /// Shows dead letters of this type to `reader` from now on, instead of an earlier one.
    pub(crate) fn read<M: Message>(&self, reader: Reader<M>) {
        self.0.insert(TypeId::of::<M>(), Arc::new(reader));
    }

    /// Shows what is left of a mailbox, then tells the callers.
    pub(crate) fn tell<M: Message>(&self, core: &Core, left: VecDeque<Envelope<M>>, exit: &Exit) {
        if left.is_empty() {
            return;
        }
        // Cloned out, so that no lock is held while others' code runs.
        let reader = self.0.get(&TypeId::of::<M>()).map(|entry| entry.value().clone());
        let reader = reader.as_ref().and_then(|reader| reader.downcast_ref::<Reader<M>>());
        let id = core.id();
        for mut envelope in left {
            if let Some(reader) = reader {
                reader(DeadLetter { id: &id, exit, message: &envelope.message });
            }
            envelope.reply.settle(Err(Error::Stopped(exit.clone()).into()));
        }
    }
}
