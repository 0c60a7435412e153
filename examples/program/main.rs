//! A guest runs a program: denied, granted, run, taken back.

use std::path::PathBuf;

use airwasm::{ActorSpec, Code, Config, Result, System};

const RUN: &str = r#"processes {"op":"run","program":"/usr/bin/printf","args":["hello %s\n","world"]}"#;

fn main() -> Result<()> {
    let guests = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/guests".to_owned()));
    let system = System::open(Config::default())?;
    // Runs programs for others, each by the grants of who asks; it has none itself.
    system.spawn_processes(ActorSpec::host("processes"))?;
    // The guest `relay` passes on what it is told: to whom, and what.
    let relay = system.load(&guests.join("relay.wasm"))?;
    let tool = system.spawn(ActorSpec::new(relay).name("tool").grant("message.request processes"))?;
    let ask = || system.request(tool, RUN.as_bytes(), &Default::default());
    match ask() {
        Err(e) if e.code == Code::Denied => println!("{e}\n{}", e.policy_line()),
        other => return other.map(|_| ()),
    }
    let grant = system.grant(tool, "process.run /usr/bin/printf **", None)?;
    println!("{}", String::from_utf8_lossy(&ask()?));
    println!("{} programs cut", system.revoke(grant)?);
    println!("{} again", ask().expect_err("denied again").code.name());
    system.close(None).map(|_report| ())
}
