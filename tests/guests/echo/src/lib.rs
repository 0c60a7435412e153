//! Replies exactly the payload.

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Echo;
export!(Echo);

impl Guest for Echo {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        Ok(Some(message.payload))
    }
}
