//! Stopped at its budget, and it comes back.

use std::path::PathBuf;
use std::time::Duration;

use airwasm::{ActorSpec, Backoff, Budget, Config, Result, SupervisorSpec, System};

fn main() -> Result<()> {
    let guests = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/guests".to_owned()));
    let system = System::open(Config::default())?;
    let events = system.events("actor.*")?;
    let component = system.load(&guests.join("looper.wasm"))?;
    let budget = Budget { cpu: Some(Duration::from_millis(200)), ..Budget::default() };
    let millis = |count| Some(Duration::from_millis(count));
    let backoff = Backoff { initial: millis(100), max: millis(10_000), ..Backoff::default() };
    let child = ActorSpec::new(component).name("looper").budget(budget);
    system.supervisor(SupervisorSpec::new("tools").backoff(backoff).child(child))?;
    let looper = system.lookup("looper")?;
    let stopped = system.request(looper, b"loop", &Default::default()).expect_err("the guest loops");
    println!("{} {}", stopped.code.name(), stopped.text("which"));
    // The same handle: the request waits for the restart.
    let answer = system.request(looper, b"hi", &Default::default())?;
    println!("{}", String::from_utf8_lossy(&answer));
    for event in events {
        println!("{} {}", event.kind, event.actor.as_deref().unwrap_or_default());
        if event.kind == "actor.restarted" {
            break;
        }
    }
    system.close(None).map(|_report| ())
}
