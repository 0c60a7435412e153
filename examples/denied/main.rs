//! Denied, granted for a minute, taken back.

use std::path::PathBuf;
use std::time::Duration;

use airwasm::{ActorSpec, Code, Config, Result, System};

fn main() -> Result<()> {
    let guests = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/guests".to_owned()));
    let folder = std::env::temp_dir().join(format!("airwasm-denied-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a writable temporary folder");
    let note = folder.join("note.txt").display().to_string();
    std::fs::write(&note, "a note").expect("a writable temporary folder");

    let system = System::open(Config::default())?;
    let component = system.load(&guests.join("reader.wasm"))?;
    let reader = system.spawn(ActorSpec::new(component).name("reader"))?;
    match system.request(reader, note.as_bytes(), &Default::default()) {
        Err(e) if e.code == Code::Denied => println!("{e}\n{}", e.policy_line()),
        other => return other.map(|_| ()),
    }
    let grant =
        system.grant(reader, &format!("fs.read {}/**", folder.display()), Some(Duration::from_secs(60)))?;
    let answer = system.request(reader, note.as_bytes(), &Default::default())?;
    println!("{}", String::from_utf8_lossy(&answer));
    println!("{} open files cut", system.revoke(grant)?);
    let again = system.request(reader, note.as_bytes(), &Default::default());
    println!("{}", again.expect_err("denied again"));
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    system.close(None).map(|_report| ())
}
