//! A guest asks for what it lacks, and the host decides.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use airwasm::{ActorSpec, Config, Events, Result, System};

/// Approves this one, for a minute.
fn decide(system: &System, asked: Events, approved: &str) -> Result<()> {
    for event in asked {
        if event.detail["capability"] == approved {
            let actor = system.lookup(event.actor.as_deref().unwrap_or_default())?;
            system.grant(actor, approved, Some(Duration::from_secs(60)))?;
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let guests = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/guests".to_owned()));
    let folder = std::env::temp_dir().join(format!("airwasm-approve-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a writable temporary folder");
    let note = folder.join("note.txt");
    std::fs::write(&note, "a note").expect("a writable temporary folder");
    let (note, approved) = (note.display(), format!("fs.read {}", note.display()));

    let system = System::open(Config::default())?;
    let asked = system.events("capability.asked")?;
    thread::scope(|scope| {
        let deciding = scope.spawn(|| decide(&system, asked, &approved));
        let component = system.load(&guests.join("broker.wasm"))?;
        let broker = system.spawn(ActorSpec::new(component).name("broker"))?;
        for text in [format!("ask 20000 fs.read {note}"), format!("read {note}")] {
            let answer = system.request(broker, text.as_bytes(), &Default::default())?;
            println!("{}", String::from_utf8_lossy(&answer));
        }
        let refused = system.request(broker, b"ask 100 fs.read /etc/passwd", &Default::default());
        println!("{}", refused.expect_err("nobody approves it"));
        system.close(None)?;
        deciding.join().expect("it does not panic")
    })?;
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    Ok(())
}
