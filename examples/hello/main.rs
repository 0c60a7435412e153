//! Load a component, spawn it, ask it.

use std::path::PathBuf;

use airwasm::{ActorSpec, Config, Result, System};

fn main() -> Result<()> {
    let guests = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/guests".to_owned()));
    let system = System::open(Config::default())?;
    let component = system.load(&guests.join("hello.wasm"))?;
    let hello = system.spawn(ActorSpec::new(component).name("hello"))?;
    let answer = system.request(hello, b"world", &Default::default())?;
    println!("{}", String::from_utf8_lossy(&answer));
    system.close(None).map(|_report| ())
}
