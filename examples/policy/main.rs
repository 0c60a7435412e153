//! A policy file: what it denies, why, its own tests, and loaded again.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use airwasm::{ActorSpec, Config, System};

fn write(policy: &Path, docs: &Path, deny: &str) -> std::io::Result<()> {
    let docs = docs.display();
    let text = format!(
        r#"
version: 1
rules:
  - name: readers
    actors: [tools/reader/*]
    allow: ["fs.read {docs}/**"]
    deny: {deny}
tests:
  - {{ actor: tools/reader/0, allow: "fs.read {docs}/guide.md" }}
"#
    );
    fs::write(policy, text)
}

fn main() -> Result<(), Box<dyn Error>> {
    let guests = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/guests".to_owned()));
    let folder = std::env::temp_dir().canonicalize()?.join(format!("airwasm-policy-{}", std::process::id()));
    let (policy, docs) = (folder.join("policy.yaml"), folder.join("docs"));
    let pay = docs.join("private/pay.txt");
    fs::create_dir_all(docs.join("private"))?;
    fs::write(&pay, "what everybody earns")?;
    write(&policy, &docs, &format!(r#"["fs.read {}/private/**"]"#, docs.display()))?;
    let asked = pay.display().to_string();

    let system = System::open(Config { policy: Some(policy.clone()), ..Config::default() })?;
    let component = system.load(&guests.join("reader.wasm"))?;
    let reader = system.spawn(ActorSpec::new(component).name("tools/reader/0"))?;
    if let Err(denied) = system.request(reader, asked.as_bytes(), &Default::default()) {
        println!("{denied}\nby {}", denied.text("rule"));
    }
    println!("{}", system.policy_explain("tools/reader/0", &format!("fs.read {asked}"))?);
    let report = system.policy_test()?;
    println!("{} {:?}", report.passed, report.failed);

    write(&policy, &docs, "[]")?;
    system.policy_load(&policy)?; // All or nothing, and for those that live.
    let read = system.request(reader, asked.as_bytes(), &Default::default())?;
    println!("{}", String::from_utf8_lossy(&read));
    system.close(None)?;
    fs::remove_dir_all(folder)?;
    Ok(())
}
