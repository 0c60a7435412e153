//! Bounds, ends and refusals of the facade: what has no room, what makes room, and what is left, in exact numbers.

mod capabilities;
mod caps;
mod closing;
mod files;
mod host_specs;
mod monitors;
mod payloads;
mod policies;
mod programs;
mod regions;
mod services;
mod starts;
mod status;
mod timers;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use airwasm::{ActorHandle, ActorSpec, Config, Error, HostHandler, Message, Result, System};

/// Longer than any test lasts.
const HOUR: Duration = Duration::from_secs(3_600);

fn open() -> System {
    System::open(Config::default()).expect("a system")
}

/// A host actor that answers with nothing.
fn idle(system: &System, name: &str) -> ActorHandle {
    system.spawn_host(ActorSpec::host(name), Box::new(|_| Ok(Vec::new()))).expect("starts")
}

fn refused<T>(outcome: Result<T>) -> Error {
    outcome.err().expect("refused")
}

/// A handler that tells of each message, and then waits for leave to return.
fn gated() -> (HostHandler, Receiver<Message>, Sender<()>) {
    let ((tell, told), (leave, left)) = (channel(), channel::<()>());
    let handler = move |message| {
        // The test may be over: then nobody reads, and nobody waits.
        let _ = tell.send(message);
        let _ = left.recv();
        Ok(Vec::new())
    };
    (Box::new(handler), told, leave)
}

/// The first success, where another thread has still to give back what was held.
fn eventually<T>(mut attempt: impl FnMut() -> Result<T>) -> T {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        std::thread::yield_now();
    }
}
