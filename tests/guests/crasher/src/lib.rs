//! Dies in every way a guest can.
//!
//! | payload | what happens |
//! |---|---|
//! | `ping` | replies `pong` |
//! | `count` | replies how many messages this instance was given, this one included: 1 after a restart |
//! | `fail` | the failure `refused`, which is no crash |
//! | `boom` | panics |
//! | `abort` | traps without a word |
//! | `deep` | recurses until the stack ends |
//! | `grow` | allocates until the memory ends |
//! | `mutter` | prints `mutter ` without a newline, complains `hm ` likewise, and replies `pong` |

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

use std::hint::black_box;
use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Crasher;
export!(Crasher);

static HANDLED: AtomicU64 = AtomicU64::new(0);

impl Guest for Crasher {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let handled = HANDLED.fetch_add(1, Relaxed) + 1;
        match message.payload.as_slice() {
            b"ping" => reply("pong"),
            b"count" => reply(handled),
            b"fail" => Err(failure("refused", "asked to fail")),
            b"boom" => panic!("boom"),
            b"abort" => process::abort(),
            b"deep" => reply(deep(black_box(u64::MAX))),
            b"grow" => reply(grow()),
            b"mutter" => mutter(),
            _ => Err(failure("usage", "one of: ping count fail boom abort deep grow mutter")),
        }
    }
}

/// Too deep for any stack. Neither a tail call nor an accumulator, so it stays a recursion.
#[inline(never)]
fn deep(left: u64) -> u64 {
    if left == 0 { 1 } else { deep(left - 1).rotate_left(1) ^ left }
}

/// Keeps everything it allocates, a mebibyte at a time.
fn grow() -> usize {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1 << 20]));
        if kept.len() == usize::MAX {
            return kept.len();
        }
    }
}

fn mutter() -> Result<Option<Vec<u8>>, Failure> {
    print!("mutter ");
    eprint!("hm ");
    match io::stdout().flush() {
        Ok(()) => reply("pong"),
        Err(error) => Err(failure("io", &error.to_string())),
    }
}

fn reply(text: impl ToString) -> Result<Option<Vec<u8>>, Failure> {
    Ok(Some(text.to_string().into_bytes()))
}

fn failure(code: &str, text: &str) -> Failure {
    Failure { code: code.to_owned(), text: text.to_owned() }
}
