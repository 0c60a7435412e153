//! An actor that is a function of the host language.

use std::sync::{Arc, Mutex, PoisonError};

use airssys_rt::{Actor, ActorId, Child, Context, Exit, Resolver, promise};

use crate::types::error::{Code, Error, Result};
use crate::types::letter::{Letter, NO_ANSWER};
use crate::types::message::Message;

/// The duty to answer one message. Dropped, the caller gets `HANDLER_RAISED`.
pub struct Reply(Resolver<Vec<u8>, Error>);

impl Reply {
    /// Answers with bytes, or an error: `FAILURE` is an answer, any other is a crash of the actor.
    pub fn settle(self, answer: Result<Vec<u8>>) {
        self.0.settle(answer);
    }
}

/// The host's function, shared by all lives of its actor.
pub(crate) type SharedHandler = Arc<Mutex<Box<dyn FnMut(Message, Reply) + Send>>>;

/// One life of a host actor.
pub(crate) struct HostActor {
    pub(crate) id: ActorId,
    pub(crate) handler: SharedHandler,
    pub(crate) payload_bytes_max: u64,
}

impl HostActor {
    fn message(&self, letter: Letter) -> Message {
        Message {
            sender: letter.sender.map(|id| id.to_string()).unwrap_or_default(),
            to: self.id.to_string(),
            payload: letter.payload,
            content_type: letter.content_type.map(|text| text.to_string()),
            topic: letter.topic.map(|text| text.to_string()),
        }
    }
}

impl Child for HostActor {}

impl Actor for HostActor {
    type Message = Letter;

    async fn handle(
        &mut self,
        letter: Letter,
        context: &mut Context<'_, Letter>,
    ) -> std::result::Result<(), Exit> {
        let (duty, answer) = promise::<Vec<u8>, Error>();
        let message = self.message(letter);
        {
            // A handler that panicked before is called again: it is the host's code, and its actor was restarted.
            let mut handler = self.handler.lock().unwrap_or_else(PoisonError::into_inner);
            (*handler)(message, Reply(duty));
        }
        match answer.await {
            Ok(payload) if payload.len() as u64 > self.payload_bytes_max => {
                context.reply(Err(too_large(payload.len(), self.payload_bytes_max).at(&self.id)));
            }
            Ok(payload) => context.reply(Ok(payload)),
            Err(error) if error.code == Code::Failure => context.reply(Err(error.at(&self.id))),
            Err(error) => return Err(Exit::Crash(Arc::new(raised(error).at(&self.id)))),
        }
        Ok(())
    }
}

fn too_large(given: usize, allowed: u64) -> Error {
    let text = format!("the answer has {given} bytes, allowed are {allowed}");
    Error::new(Code::PayloadTooLarge, text).with("allowed", allowed).with("given", given)
}

/// What crashed the handler, or that it dropped its duty.
fn raised(error: Error) -> Error {
    if error.code == Code::HandlerRaised {
        return error;
    }
    if error.text("reason") == NO_ANSWER {
        return Error::new(Code::HandlerRaised, "the handler dropped the message without an answer");
    }
    // Its own code would read as if it were about this request: it is the cause, not the answer.
    let text = format!("the handler raised: {}", error.message);
    let cause =
        serde_json::json!({ "code": error.code.name(), "message": error.message, "detail": error.detail });
    Error::new(Code::HandlerRaised, text).with("cause", cause)
}
