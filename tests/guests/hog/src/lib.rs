//! Takes as much as it can, for ever, of what its message names.
//!
//! | payload | what it takes |
//! |---|---|
//! | `cpu` | a processor |
//! | `memory` | pages: allocates 16 MiB, writes to each page, gives them back |
//! | `mailbox` | the mailbox of the actor `sink`, with messages of 1 KiB |
//! | `log` | the log, with lines of 100 bytes |
//!
//! What it is refused it asks for again.

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

use std::hint::black_box;

use airssys::wasm::messaging;
use exports::airssys::wasm::handler::{Failure, Guest, Message};

const MEMORY_BYTES: usize = 16 << 20;
const PAGE_BYTES: usize = 4096;

struct Hog;
export!(Hog);

impl Guest for Hog {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let take: fn() = match message.payload.as_slice() {
            b"cpu" => || {
                black_box(0);
            },
            b"memory" => memory,
            b"mailbox" => || {
                let _ = messaging::send("sink", &[0; 1024], None);
            },
            b"log" => || println!("{:x<99}", ""),
            _ => {
                return Err(Failure {
                    code: "usage".to_owned(),
                    text: "cpu, memory, mailbox or log".to_owned(),
                });
            }
        };
        loop {
            take();
        }
    }
}

fn memory() {
    let mut pages = Vec::<u8>::with_capacity(MEMORY_BYTES);
    pages.resize(MEMORY_BYTES, 0);
    pages.iter_mut().step_by(PAGE_BYTES).for_each(|byte| *byte = 1);
    black_box(&pages);
}
