//! Runs the programs of wasmtime's tests of WASI 0.2 as actors, and compares what passes with `expected.tsv`.
//!
//! `conformance FOLDER` runs each `*.wasm` of a folder in a process of its own, whose root is a folder that is
//! empty but for `/proc`: the programs take what is preopened for theirs. `unshare -rm` gives the rights for that; `run`
//! makes the folder of programs and does so.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, fs};

use airwasm::{ActorSpec, Budget, Config, Limits, RequestOptions, System};

const EXPECTED: &str = include_str!("expected.tsv");
const GRANTS: [&str; 10] = [
    "fs.read,write,list,delete /**",
    "env *",
    "net.connect 0.0.0.0/0:*",
    "net.connect [::]/0:*",
    "net.connect 0.0.0.0/0:* ; proto=udp",
    "net.connect [::]/0:* ; proto=udp",
    "net.listen 127.0.0.1:*",
    "net.listen [::1]:*",
    "net.listen 127.0.0.1:* ; proto=udp",
    "net.listen [::1]:* ; proto=udp",
];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [folder] => compare(Path::new(folder)),
        [program, root] => {
            let bytes = fs::read(program)?;
            // Files are told apart by what the kernel says of them there.
            let proc = Path::new(root).join("proc");
            fs::create_dir(&proc)?;
            Command::new("mount").args(["--rbind", "/proc"]).arg(proc).status()?;
            std::os::unix::fs::chroot(root)?;
            env::set_current_dir("/")?;
            println!("{}", outcome(name(Path::new(program)), bytes));
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("usage: conformance FOLDER".into()),
    }
}

fn name(program: &Path) -> &str {
    program.file_stem().and_then(|name| name.to_str()).unwrap_or_default()
}

/// `pass`, or what went wrong.
fn outcome(name: &str, bytes: Vec<u8>) -> String {
    match run(name, bytes) {
        Ok(()) => "pass".to_owned(),
        Err(error) => format!("fail\t{}", error.to_string().replace(['\n', '\t'], " ")),
    }
}

fn run(name: &str, bytes: Vec<u8>) -> Result<(), Box<dyn Error>> {
    let system = System::open(Config::default())?;
    let logs = system.events("log")?;
    let minute = Some(Duration::from_secs(60));
    let mut spec = ActorSpec::new(system.load_bytes(bytes)?).name("program");
    for grant in GRANTS {
        spec = spec.grant(grant);
    }
    spec.args = vec![name.to_owned(), "/".to_owned()];
    spec.env = vec![("ERRNO_MODE_UNIX".to_owned(), "1".to_owned())];
    spec.budget = Budget { cpu: minute, wall: minute, ..Budget::default() };
    spec.limits = Limits { handles: Some(100_000), ..Limits::default() };
    let program = system.spawn(spec)?;
    let options = RequestOptions { timeout: minute, ..RequestOptions::default() };
    let ended = system.request(program, b"run", &options);
    system.close(None)?;
    ended.map(drop).map_err(|error| {
        let said: Vec<String> = logs.map(|event| event.to_string()).collect();
        format!("{error}; {}", said.join(" ")).into()
    })
}

fn compare(folder: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let mut programs: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    programs.retain(|path| path.extension().is_some_and(|suffix| suffix == "wasm"));
    programs.sort();
    let expected = expected();
    let (mut passed, mut other) = (0, 0);
    for program in &programs {
        let root = tempfile::tempdir()?;
        let ran = Command::new(env::current_exe()?).arg(program).arg(root.path()).output()?;
        Command::new("umount").arg("-l").arg(root.path().join("proc")).status()?;
        let text = String::from_utf8_lossy(&ran.stdout);
        let found = text.lines().last().unwrap_or("fail\tthe host ended").to_owned();
        let passes = found == "pass";
        passed += u32::from(passes);
        let reason = expected.get(name(program));
        if passes != reason.is_none() {
            other += 1;
            println!("{}\t{found}\texpected: {}", name(program), reason.unwrap_or(&"pass"));
        }
    }
    println!(
        "programs={} passed={passed} expected_failures={} other={other}",
        programs.len(),
        expected.len()
    );
    Ok(ExitCode::from(u8::from(other > 0)))
}

/// What does not pass, and why.
fn expected() -> BTreeMap<&'static str, &'static str> {
    let lines = EXPECTED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).collect()
}
