//! Shares memory of the host. What it has opened stays open from message to message, under its name.
//!
//! | payload | what it does |
//! |---|---|
//! | `create <name> <bytes>` | makes and opens it |
//! | `open <name> read\|write\|read-write` | opens it |
//! | `opens <name> <count>` | opens it to read so many times besides, and replies how many there are |
//! | `close <name>` | closes it |
//! | `remove <name>` | removes it |
//! | `size <name>` | replies its bytes |
//! | `read <name> <offset> <len>` | replies what is there, zeros as `.` |
//! | `write <name> <offset> <text>` | writes that |
//! | `fill <name> <offset> <len>` | writes so many `x` |
//! | `load <name> <offset>` | replies the number there |
//! | `store <name> <offset> <value>` | sets it |
//! | `swap <name> <offset> <expected> <new>` | compares and exchanges; replies what it was |
//! | `add <name> <offset> <value>` | adds to it; replies what it was |
//! | `count <name> <offset> <times>` | adds 1 so many times |
//! | `crash` | traps |
//!
//! What has no reply of its own is answered `ok`. An error comes back as a failure: `code` is the case of `error`,
//! `text` what that case carries.

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

use std::cell::RefCell;
use std::collections::BTreeMap;

use airssys::wasm::regions::{self, Access, Error, Limit, Region};
use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Regions;
export!(Regions);

thread_local! {
    static OPEN: RefCell<BTreeMap<String, Region>> = const { RefCell::new(BTreeMap::new()) };
    static BESIDES: RefCell<Vec<Region>> = const { RefCell::new(Vec::new()) };
}

impl Guest for Regions {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        let words: Vec<&str> = text.split(' ').collect();
        let reply = match words[..] {
            ["crash"] => panic!("asked to"),
            ["create", name, bytes] => regions::create(name, number(bytes)?).map(|region| keep(name, region)),
            ["open", name, access] => regions::open(name, accessed(access)?).map(|region| keep(name, region)),
            ["opens", name, count] => opens(name, number(count)?),
            ["close", name] => {
                OPEN.with_borrow_mut(|open| open.remove(name));
                Ok(done())
            }
            ["remove", name] => regions::remove(name).map(|()| done()),
            [operation, name, ..] => {
                return OPEN.with_borrow(|open| match open.get(name) {
                    Some(region) => used(region, operation, &words[2..]),
                    None => Err(failure("usage", format!("{name} is not open"))),
                });
            }
            _ => return Err(failure("usage", text)),
        };
        reply.map(Some).map_err(explain)
    }
}

/// Does something with an open region.
fn used(region: &Region, operation: &str, words: &[&str]) -> Result<Option<Vec<u8>>, Failure> {
    let at = words.first().map_or(Ok(0), |word| number(word))?;
    let value = |place: usize| words.get(place).map_or(Ok(0), |word| number(word));
    let reply = match operation {
        "size" => Ok(region.size().to_string().into()),
        "read" => region
            .read(at, value(1)? as u32)
            .map(|bytes| bytes.into_iter().map(|byte| if byte == 0 { b'.' } else { byte }).collect()),
        "write" => region.write(at, words[1..].join(" ").as_bytes()).map(|()| done()),
        "fill" => region.write(at, &vec![b'x'; value(1)? as usize]).map(|()| done()),
        "load" => region.load(at).map(|word| word.to_string().into()),
        "store" => region.store(at, value(1)?).map(|()| done()),
        "swap" => region.compare_exchange(at, value(1)?, value(2)?).map(|word| word.to_string().into()),
        "add" => region.add(at, value(1)?).map(|word| word.to_string().into()),
        "count" => (0..value(1)?).try_for_each(|_| region.add(at, 1).map(drop)).map(|()| done()),
        _ => return Err(failure("usage", operation)),
    };
    reply.map(Some).map_err(explain)
}

fn keep(name: &str, region: Region) -> Vec<u8> {
    OPEN.with_borrow_mut(|open| open.insert(name.to_owned(), region));
    done()
}

fn opens(name: &str, count: u64) -> Result<Vec<u8>, Error> {
    BESIDES.with_borrow_mut(|besides| {
        for _ in 0..count {
            besides.push(regions::open(name, Access::Read)?);
        }
        Ok(besides.len().to_string().into())
    })
}

fn done() -> Vec<u8> {
    b"ok".to_vec()
}

fn number(word: &str) -> Result<u64, Failure> {
    word.parse().map_err(|why| failure("usage", format!("{word}: {why}")))
}

fn accessed(word: &str) -> Result<Access, Failure> {
    match word {
        "read" => Ok(Access::Read),
        "write" => Ok(Access::Write),
        "read-write" => Ok(Access::ReadWrite),
        _ => Err(failure("usage", word)),
    }
}

fn explain(error: Error) -> Failure {
    match error {
        Error::Denied(capability) => failure("denied", capability),
        Error::NotFound => failure("not-found", ""),
        Error::AlreadyExists => failure("already-exists", ""),
        Error::InvalidArgument(why) => failure("invalid-argument", why),
        Error::LimitExceeded(Limit { which, allowed, used }) => {
            failure("limit-exceeded", format!("{which} allowed {allowed}, used {used}"))
        }
    }
}

fn failure(code: &str, text: impl ToString) -> Failure {
    Failure { code: code.to_owned(), text: text.to_string() }
}
