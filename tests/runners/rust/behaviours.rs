//! The functions that every host offers as actors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use airwasm::{Code, DeferredHandler, Error, Message, Operation, Reply, System};

/// Where a scenario runs.
#[derive(Clone)]
pub struct Place {
    pub folder: PathBuf,
    pub system: System,
}

/// What a behaviour remembers, over all its lives.
#[derive(Default)]
struct Memory {
    raised: bool,
    topic: String,
    texts: Vec<String>,
}

/// The handler of this behaviour.
pub fn handler(behaviour: String, place: Place) -> DeferredHandler {
    let Place { folder, system } = place;
    if behaviour == "waits" {
        // It keeps its system open until that is closed, as its scenarios do.
        return Box::new(move |message, reply| wait(&system, &message, reply));
    }
    let mut memory = Memory::default();
    Box::new(move |message, reply| behave(&behaviour, &folder, &mut memory, message, reply))
}

/// Returns, and answers once it was told how what it waits for ended.
fn wait(system: &System, message: &Message, reply: Reply) {
    let waits = begin_wait(system, message).map(|waits| (waits, system.asker(Some(&message.to))));
    std::thread::spawn(move || {
        let outcome = waits.and_then(|(waits, asker)| waits(asker?));
        let name = outcome.map_or_else(|error| error.code.name(), |()| "OK");
        reply.settle(Ok(name.into()));
    });
}

type Wait = Box<dyn FnOnce(airwasm::Asker) -> airwasm::Result<()> + Send>;

fn begin_wait(system: &System, message: &Message) -> airwasm::Result<Wait> {
    fn wait<T: Send + 'static>(operation: Operation<T>) -> Wait {
        Box::new(move |asker| operation.asked_by(asker).wait().map(drop))
    }
    let (me, above) = (system.lookup(&message.to)?, system.lookup("top")?);
    let what = message.payload.as_slice();
    if matches!(what, b"delete" | b"restart") {
        drop(system.terminate_child_async(above, me));
    }
    Ok(match what {
        b"stop" => wait(system.stop_async(me, None)),
        b"stop above" => wait(system.stop_async(above, None)),
        b"monitor" => wait(system.monitor_async(me)),
        b"monitor above" => wait(system.monitor_async(above)),
        b"terminate" => wait(system.terminate_child_async(above, me)),
        b"delete" => wait(system.delete_child_async(above, me)),
        b"restart" => wait(system.restart_child_async(above, me)),
        other => panic!("unknown wait {other:?}"),
    })
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
