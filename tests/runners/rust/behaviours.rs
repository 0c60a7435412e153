//! The functions that every host offers as actors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use airwasm::{Code, DeferredHandler, Error, Message, Reply};

/// What a behaviour remembers, over all its lives.
#[derive(Default)]
struct Memory {
    raised: bool,
    topic: String,
    texts: Vec<String>,
}

/// The handler of this behaviour; `folder` is the scenario's own.
pub fn handler(behaviour: String, folder: PathBuf) -> DeferredHandler {
    let mut memory = Memory::default();
    Box::new(move |message, reply| behave(&behaviour, &folder, &mut memory, message, reply))
}

fn behave(behaviour: &str, folder: &Path, memory: &mut Memory, message: Message, reply: Reply) {
    if behaviour == "later" {
        std::thread::spawn(move || reply.settle(Ok(b"later".to_vec())));
        return;
    }
    let crash = || Err(Error::new(Code::HandlerRaised, "raised on purpose"));
    reply.settle(match behaviour {
        "upper" => Ok(message.payload.to_ascii_uppercase()),
        "sender" => Ok(message.sender.into_bytes()),
        "fail" => Err(Error::failure("refused", "asked to fail")),
        "raise" => crash(),
        "raise_once" if !std::mem::replace(&mut memory.raised, true) => crash(),
        "raise_once" => Ok(b"ok".to_vec()),
        "none" => Ok(Vec::new()),
        "topic" => {
            memory.topic = message.topic.unwrap_or(std::mem::take(&mut memory.topic));
            Ok(memory.topic.clone().into_bytes())
        }
        "hold" => {
            hold(folder);
            Ok(b"held".to_vec())
        }
        "collect" => {
            let before = memory.texts.join(",");
            memory.texts.push(String::from_utf8_lossy(&message.payload).into_owned());
            Ok(before.into_bytes())
        }
        other => panic!("unknown behaviour {other}"),
    });
}

/// Waits for the file `go`, or until the scenario and its folder are gone.
fn hold(folder: &Path) {
    while folder.exists() && !folder.join("go").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
}
