//! A Rust function as an actor: a guest asks it for a row.

use std::collections::HashMap;
use std::path::PathBuf;

use airwasm::{ActorSpec, Config, Error, Result, System};

fn main() -> Result<()> {
    let guests = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/guests".to_owned()));
    let system = System::open(Config::default())?;
    let rows = HashMap::from([(b"42".to_vec(), b"Ada".to_vec())]);
    let look_up = move |message: airwasm::Message| {
        rows.get(&message.payload).cloned().ok_or_else(|| Error::failure("not-found", "no such row"))
    };
    system.spawn_host(ActorSpec::host("db"), Box::new(look_up))?;
    let component = system.load(&guests.join("relay.wasm"))?;
    let report = system.spawn(ActorSpec::new(component).name("report").grant("message.request db"))?;
    let answer = system.request(report, b"default/db/0 42", &Default::default())?;
    println!("{}", String::from_utf8_lossy(&answer));
    system.close(None).map(|_report| ())
}
