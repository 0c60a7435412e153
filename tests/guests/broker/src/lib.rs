//! Asks for capabilities, hands them on, and uses those of files.
//!
//! | payload | what it does |
//! |---|---|
//! | `list` | replies its grants, one a line: `<capability> by <giver>`, and ` for a time` behind those with a ttl |
//! | `ask <ms> <capability>` | asks for it and replies `granted` |
//! | `asks <n> <capability>` | asks so many times, 1 ms each, and replies how each ended, a case a line |
//! | `hand <actor-id> <capability>` | hands it on and replies the number |
//! | `lend <ms> <actor-id> <capability>` | the same for a time |
//! | `give <actor-id> <capability>` | hands it on and keeps the number for `take`; replies `given` |
//! | `take` | takes back what was given last and replies `taken` |
//! | `take <number>` | takes back that one |
//! | `read <path>` | replies the text of the file |
//! | `hold <path>` | opens the file and keeps it |
//! | `held` | replies the text of the file that is kept |
//! | `trap` | traps |
//!
//! An error comes back as a failure: `code` is the case of `error`, `text` what that case carries.

wit_bindgen::generate!({ path: "../../../wit", world: "broker" });

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Seek};

use airssys::wasm::capability::{self, Giver};
use airssys::wasm::types::Error;
use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Broker;
export!(Broker);

thread_local! {
    static GIVEN: RefCell<Option<u64>> = const { RefCell::new(None) };
    static HELD: RefCell<Option<File>> = const { RefCell::new(None) };
}

impl Guest for Broker {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        let words: Vec<&str> = text.splitn(4, ' ').collect();
        let reply = match words[..] {
            ["list"] => Ok(list()),
            ["ask", ms, ..] => ask(number(ms)?, after(&text, 2)).map(|()| "granted".to_owned()),
            ["asks", count, ..] => Ok(asks(number(count)?, after(&text, 2))),
            ["hand", to, ..] => capability::hand_on(to, after(&text, 2), None).map(|n| n.to_string()),
            ["lend", ms, to, ..] => {
                let ttl_ms = Some(number(ms)?.into());
                capability::hand_on(to, after(&text, 3), ttl_ms).map(|n| n.to_string())
            }
            ["give", to, ..] => capability::hand_on(to, after(&text, 2), None).map(|number| {
                GIVEN.set(Some(number));
                "given".to_owned()
            }),
            ["take"] => {
                let given = GIVEN.take().ok_or_else(|| failure("usage", "nothing was given"))?;
                capability::take_back(given).map(|()| "taken".to_owned())
            }
            ["take", given] => {
                let given = given.parse().map_err(|e| failure("usage", format!("{given}: {e}")))?;
                capability::take_back(given).map(|()| "taken".to_owned())
            }
            ["read", ..] => return io(std::fs::read_to_string(after(&text, 1))),
            ["hold", ..] => return io(hold(after(&text, 1))),
            ["held"] => return io(held()),
            ["trap"] => panic!("asked to"),
            _ => return Err(failure("usage", "no such request")),
        };
        reply.map(|reply| Some(reply.into())).map_err(explain)
    }
}

fn list() -> String {
    let line = |grant: &capability::GrantInfo| {
        let giver = match &grant.giver {
            Giver::Baseline => "baseline",
            Giver::Policy => "policy",
            Giver::Host => "host",
            Giver::Actor(id) => id,
        };
        let time = if grant.ttl_ms.is_some() { " for a time" } else { "" };
        format!("{} by {giver}{time}", grant.capability)
    };
    capability::list().iter().map(line).collect::<Vec<_>>().join("\n")
}

fn ask(ms: u32, capability: &str) -> Result<(), Error> {
    capability::ask(capability, Some(ms))
}

fn asks(count: u32, capability: &str) -> String {
    let case = |_| match ask(1, capability) {
        Ok(()) => "granted".to_owned(),
        Err(error) => explain(error).code,
    };
    (0..count).map(case).collect::<Vec<_>>().join("\n")
}

fn hold(path: &str) -> std::io::Result<String> {
    HELD.set(Some(File::open(path)?));
    Ok("holds".to_owned())
}

fn held() -> std::io::Result<String> {
    HELD.with_borrow_mut(|held| {
        let file = held.as_mut().ok_or(std::io::ErrorKind::NotFound)?;
        let mut text = String::new();
        file.rewind()?;
        file.read_to_string(&mut text)?;
        Ok(text)
    })
}

fn io(done: std::io::Result<String>) -> Result<Option<Vec<u8>>, Failure> {
    done.map(|text| Some(text.into())).map_err(|error| failure("io", error))
}

fn number(word: &str) -> Result<u32, Failure> {
    word.parse().map_err(|e| failure("usage", format!("{word}: {e}")))
}

/// What follows the first `words` words.
fn after(text: &str, words: usize) -> &str {
    text.splitn(words + 1, ' ').nth(words).unwrap_or_default()
}

fn explain(error: Error) -> Failure {
    match error {
        Error::InvalidArgument(why) => failure("invalid-argument", why),
        Error::Denied(capability) => failure("denied", capability),
        Error::ActorNotFound => failure("actor-not-found", ""),
        Error::Other(name) => failure("other", name),
        other => failure("unexpected", other),
    }
}

fn failure(code: &str, text: impl ToString) -> Failure {
    Failure { code: code.to_owned(), text: text.to_string() }
}
