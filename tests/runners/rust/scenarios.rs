//! Runs `tests/scenarios/*.jsonl` through the Rust facade. The format is in `tests/scenarios/README.md`.

mod actors;
mod around;
mod behaviours;
mod children;
mod components;
mod grants;
mod messages;
mod policy;
mod regions;
mod specs;
mod step;
mod supervisors;
mod topics;
mod watching;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Map, Value};

use self::step::Step;
use self::world::World;

#[derive(Default)]
struct Tally {
    scenarios: usize,
    steps: usize,
    failed: usize,
}

fn main() -> ExitCode {
    let only = std::env::args().nth(1).filter(|argument| !argument.starts_with('-'));
    let folder = airwasm_tests::root().join("tests/scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("tests/scenarios is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    let mut tally = Tally::default();
    for file in files {
        run_file(&file, only.as_deref(), &mut tally);
    }
    println!("host=rust scenarios={} steps={} failed={}", tally.scenarios, tally.steps, tally.failed);
    if tally.failed == 0 && tally.scenarios > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether each guest that the scenario needs was made.
fn all_there(scenario: &str, needs: Option<&str>) -> bool {
    let missing =
        needs.unwrap_or_default().split_whitespace().find(|need| !airwasm_tests::guest(need).exists());
    missing.inspect(|guest| println!("skipped: {scenario}: no {guest}")).is_none()
}

fn run_file(file: &Path, only: Option<&str>, tally: &mut Tally) {
    let text = std::fs::read_to_string(file).expect("a readable scenario file");
    let mut scenario: Option<(String, World)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let object = serde_json::from_str::<Map<String, Value>>(line);
        let mut step = Step::new(object.unwrap_or_else(|why| panic!("{}:{number}: {why}", file.display())));
        if let Some(name) = step.text("scenario") {
            let needs = step.text("needs");
            let wanted = only.is_none_or(|only| name.contains(only)) && all_there(&name, needs.as_deref());
            tally.scenarios += usize::from(wanted);
            scenario = wanted.then(|| (name, World::new(needs.is_some())));
            continue;
        }
        let Some((name, world)) = &mut scenario else { continue };
        if world.failed {
            continue;
        }
        tally.steps += 1;
        if let Err(why) = world.run(&mut step) {
            world.failed = true;
            tally.failed += 1;
            println!("{}:{number}: {name}: {why}\n  {line}", file.display());
        }
    }
}
