//! Replies `hello ` and the payload: the first guest of the README.

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Hello;
export!(Hello);

impl Guest for Hello {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        Ok(Some([b"hello ", message.payload.as_slice()].concat()))
    }
}
