//! Shows which hooks were called. Each is remembered, and also printed for the two that no message follows.
//!
//! | config begins with | the hook that it names next, or `pre-start` |
//! |---|---|
//! | `refuse` | fails with `refused`, if it can |
//! | `trap` | panics |
//! | `loop` | loops for ever |
//!
//! With `sick` in it `health` fails with `sick`, with `stuck` it loops for ever.
//!
//! `log` replies the hooks so far, as in `pre-start,post-start`; `config` replies the config; anything else is
//! echoed.

wit_bindgen::generate!({ path: "../../../wit", world: "managed-actor" });

use std::hint::spin_loop;
use std::io::Write;
use std::sync::Mutex;

use exports::airssys::wasm::{handler, lifecycle};
use handler::{Failure, Message};

struct Managed;
export!(Managed);

static HOOKS: Mutex<Vec<&str>> = Mutex::new(Vec::new());
static CONFIG: Mutex<String> = Mutex::new(String::new());

impl lifecycle::Guest for Managed {
    fn pre_start(config: Option<String>) -> Result<(), Failure> {
        *locked(&CONFIG) = config.unwrap_or_default();
        called("pre-start", "");
        told("pre-start")
    }

    fn post_start() -> Result<(), Failure> {
        called("post-start", "");
        told("post-start")
    }

    fn pre_stop(reason: String) {
        called("pre-stop", &reason);
        let _ = told("pre-stop");
    }

    fn post_stop() {
        called("post-stop", "");
        let _ = told("post-stop");
    }

    fn health() -> Result<(), Failure> {
        told("health")?;
        while locked(&CONFIG).contains("stuck") {
            spin_loop();
        }
        match locked(&CONFIG).contains("sick") {
            true => Err(Failure { code: "sick".to_owned(), text: "the config says so".to_owned() }),
            false => Ok(()),
        }
    }
}

impl handler::Guest for Managed {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        Ok(Some(match message.payload.as_slice() {
            b"log" => locked(&HOOKS).join(",").into(),
            b"config" => locked(&CONFIG).clone().into(),
            _ => message.payload,
        }))
    }
}

fn called(hook: &'static str, detail: &str) {
    locked(&HOOKS).push(hook);
    // Not println!, which panics where `stdio` was taken away.
    let _ = writeln!(std::io::stdout(), "{}", format!("{hook} {detail}").trim_end());
}

/// Does what the config says of this hook.
fn told(hook: &str) -> Result<(), Failure> {
    let config = locked(&CONFIG).trim_matches('"').to_owned();
    let (how, which) = config.split_once(' ').unwrap_or((&config, "pre-start"));
    match how {
        _ if which != hook => Ok(()),
        "refuse" => Err(Failure { code: "refused".to_owned(), text: "the config says so".to_owned() }),
        "trap" => panic!("the config says so"),
        "loop" => loop {
            spin_loop();
        },
        _ => Ok(()),
    }
}

fn locked<T>(state: &'static Mutex<T>) -> std::sync::MutexGuard<'static, T> {
    state.lock().expect("a guest has one thread, and a panic ends it")
}
