//! Keeps notes by wasi:keyvalue, so that the tests see what a guest sees of it.
//!
//! | payload | reply |
//! |---|---|
//! | `get SPACE KEY` | the value, or `none` |
//! | `set SPACE KEY VALUE` | `ok` |
//! | `try-set SPACE KEY VALUE` | `ok`, or `no`: it recovers |
//! | `fill SPACE KEY BYTES` | `ok`: so many `x` |
//! | `delete SPACE KEY` | `ok` |
//! | `exists SPACE KEY` | `true` or `false` |
//! | `keys SPACE` | all keys, page by page, divided by blanks |
//! | `add SPACE KEY DELTA` | the sum |
//! | `get-many SPACE KEY…` | the values in their order, or `none`, divided by blanks |
//! | `set-many SPACE KEY=VALUE…` | `ok` |
//! | `delete-many SPACE KEY…` | `ok` |
//!
//! What does not work out is the failure `no-such-store`, `access-denied` or `other`.

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "package test:notes; world notes {
        include airssys:wasm/actor@0.1.0;
        include wasi:keyvalue/imports@0.2.0-draft;
    }",
    world: "test:notes/notes",
    generate_all,
});

use exports::airssys::wasm::handler::{Failure, Guest, Message};
use wasi::keyvalue::store::{Bucket, Error, open};
use wasi::keyvalue::{atomics, batch};

struct Notes;
export!(Notes);

impl Guest for Notes {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        let words: Vec<&str> = text.split(' ').collect();
        let [command, space, rest @ ..] = words.as_slice() else { return Err(failure("usage", &text)) };
        let done = open(space).and_then(|bucket| act(&bucket, command, rest));
        match done {
            Ok(reply) => Ok(Some(reply.into_bytes())),
            Err(_) if *command == "try-set" => Ok(Some(b"no".to_vec())),
            Err(Error::NoSuchStore) => Err(failure("no-such-store", space)),
            Err(Error::AccessDenied) => Err(failure("access-denied", space)),
            Err(Error::Other(why)) => Err(failure("other", &why)),
        }
    }
}

fn act(bucket: &Bucket, command: &str, rest: &[&str]) -> Result<String, Error> {
    let ok = |()| "ok".to_owned();
    let many = || rest.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    match (command, rest) {
        ("get", [key]) => Ok(shown(bucket.get(key)?)),
        ("set" | "try-set", [key, value]) => bucket.set(key, value.as_bytes()).map(ok),
        ("fill", [key, bytes]) => bucket.set(key, &vec![b'x'; bytes.parse().expect("a number")]).map(ok),
        ("delete", [key]) => bucket.delete(key).map(ok),
        ("exists", [key]) => Ok(bucket.exists(key)?.to_string()),
        ("keys", []) => keys(bucket),
        ("add", [key, delta]) => {
            Ok(atomics::increment(bucket, key, delta.parse().expect("a number"))?.to_string())
        }
        ("get-many", _) => {
            let pairs = batch::get_many(bucket, &many())?;
            let values: Vec<_> = pairs.into_iter().map(|pair| shown(pair.map(|(_, value)| value))).collect();
            Ok(values.join(" "))
        }
        ("set-many", _) => {
            let pair = |(key, value): (&str, &str)| (key.to_owned(), value.into());
            let pairs: Vec<_> = rest.iter().filter_map(|word| word.split_once('=')).map(pair).collect();
            batch::set_many(bucket, &pairs).map(ok)
        }
        ("delete-many", _) => batch::delete_many(bucket, &many()).map(ok),
        _ => Err(Error::Other(format!("no command {command}"))),
    }
}

fn keys(bucket: &Bucket) -> Result<String, Error> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = bucket.list_keys(cursor)?;
        all.extend(page.keys);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(all.join(" "));
        }
    }
}

fn shown(value: Option<Vec<u8>>) -> String {
    value.map_or("none".to_owned(), |value| String::from_utf8_lossy(&value).into_owned())
}

fn failure(code: &str, text: &str) -> Failure {
    Failure { code: code.to_owned(), text: text.to_owned() }
}
