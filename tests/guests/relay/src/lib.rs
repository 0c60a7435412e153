//! Talks to other actors.
//!
//! | payload | what it does |
//! |---|---|
//! | `<actor-id> <text>` | requests that actor with `<text>` and replies what it answered |
//! | `within <ms> <actor-id> <text>` | the same, but waits no longer than that |
//! | `send <actor-id> <text>` | sends it and replies `sent` |
//! | `self` | replies its own id |
//! | `sender` | replies who sent this message |
//!
//! An error comes back as a failure: `code` is the case of `error`, `text` what that case carries.

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

use airssys::wasm::messaging;
use airssys::wasm::types::Error;
use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Relay;
export!(Relay);

impl Guest for Relay {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        let words: Vec<&str> = text.splitn(4, ' ').collect();
        let reply = match words[..] {
            ["self"] => Ok(messaging::self_id().into()),
            ["sender"] => Ok(message.sender.into()),
            ["send", to, ..] => messaging::send(to, after(&text, 2), None).map(|()| b"sent".to_vec()),
            ["within", ms, to, ..] => match ms.parse() {
                Ok(ms) => messaging::request(to, after(&text, 3), Some(ms)),
                Err(e) => return Err(failure("usage", format!("{ms}: {e}"))),
            },
            [to, ..] => messaging::request(to, after(&text, 1), None),
            [] => Ok(Vec::new()),
        };
        reply.map(Some).map_err(explain)
    }
}

/// What follows the first `words` words.
fn after(text: &str, words: usize) -> &[u8] {
    text.splitn(words + 1, ' ').nth(words).unwrap_or_default().as_bytes()
}

fn explain(error: Error) -> Failure {
    match error {
        Error::InvalidArgument(why) => failure("invalid-argument", why),
        Error::Denied(capability) => failure("denied", capability),
        Error::ActorNotFound => failure("actor-not-found", ""),
        Error::ActorStopped(reason) => failure("actor-stopped", reason),
        Error::MailboxFull => failure("mailbox-full", ""),
        Error::PayloadTooLarge(allowed) => failure("payload-too-large", allowed),
        Error::MessageDropped => failure("message-dropped", ""),
        Error::Timeout => failure("timeout", ""),
        Error::Cycle => failure("cycle", ""),
        Error::Failure(theirs) => failure("failure", format!("{}: {}", theirs.code, theirs.text)),
        Error::Crashed(name) => failure("crashed", name),
        Error::Other(text) => failure("other", text),
    }
}

fn failure(code: &str, text: impl ToString) -> Failure {
    Failure { code: code.to_owned(), text: text.to_string() }
}
