//! A handler of JavaScript as the core holds it.

use std::sync::Arc;

use airwasm::{DeferredHandler, Message, Reply};

use crate::queue::{Item, Queue};

/// The end of a handler in Rust; JavaScript is told when the core lets go of it.
pub struct Port {
    queue: Arc<Queue>,
    handler: u32,
}

impl Port {
    /// The way to the handler that JavaScript gave this number.
    pub fn new(queue: &Arc<Queue>, handler: u32) -> Self {
        Self { queue: Arc::clone(queue), handler }
    }

    /// What the core calls with each message.
    pub fn into_handler(self) -> DeferredHandler {
        Box::new(move |message, reply| self.deliver(message, reply))
    }

    fn deliver(&self, message: Message, reply: Reply) {
        self.queue.push(Item::Message { handler: self.handler, message, reply });
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.queue.push(Item::HandlerGone { handler: self.handler });
    }
}
