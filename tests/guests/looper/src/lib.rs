//! Takes its time.
//!
//! | payload | what happens |
//! |---|---|
//! | `loop` | prints `looping` and loops for ever |
//! | `spin <ms>` | computes for about that many milliseconds, then replies `spun <ms>` |
//! | `sleep <ms>` | prints `sleeping`, sleeps for that many milliseconds, then replies `slept <ms>` |
//! | anything else | replies the payload |

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Looper;
export!(Looper);

impl Guest for Looper {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        if text == "loop" {
            println!("looping");
            loop {
                compute();
            }
        }
        let done = match text.split_once(' ').and_then(|(verb, ms)| Some((verb, ms.parse().ok()?))) {
            Some(("spin", ms)) => {
                spin(Duration::from_millis(ms));
                format!("spun {ms}").into_bytes()
            }
            Some(("sleep", ms)) => {
                println!("sleeping");
                thread::sleep(Duration::from_millis(ms));
                format!("slept {ms}").into_bytes()
            }
            _ => message.payload,
        };
        Ok(Some(done))
    }
}

/// Looks at the clock seldom: each look is a host call, and those have a budget of their own.
fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        compute();
    }
}

/// About a tenth of a millisecond of work that no optimiser removes.
fn compute() {
    (0..100_000_u32).for_each(|n| {
        black_box(n);
    });
}
