//! Runs the programs of wasmtime's tests of WASI 0.2 as actors, and compares what happens with `expected.tsv`.
//!
//! `conformance FOLDER` runs each `*.wasm` of a folder in a process of its own, whose root is a folder that has
//! nothing but what the program's line says and `/proc`: the programs take what is preopened for theirs. `unshare -rm`
//! gives the rights for that; `run` makes the folder of programs and does so.

mod expected;
mod server;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};
use std::{env, fs};

use airwasm::{ActorSpec, Budget, Config, Limits, RequestOptions, System};

use expected::{Expected, Line, Setup};

/// What every program may do, unless its line says otherwise.
const GRANTS: [&str; 14] = [
    "fs.read,write,list,delete /**",
    "env *",
    "net.connect 0.0.0.0/0:*",
    "net.connect [::]/0:*",
    "net.connect 0.0.0.0/0:* ; proto=udp",
    "net.connect [::]/0:* ; proto=udp",
    "net.listen 127.0.0.1:*",
    "net.listen [::1]:*",
    "net.listen 0.0.0.0:*",
    "net.listen [::]:*",
    "net.listen 127.0.0.1:* ; proto=udp",
    "net.listen [::1]:* ; proto=udp",
    "net.listen 0.0.0.0:* ; proto=udp",
    "net.listen [::]:* ; proto=udp",
];
const MINUTE: Duration = Duration::from_secs(60);
const HANDLES: u64 = 100_000;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [folder] => compare(Path::new(folder)),
        [program, root] => {
            let bytes = fs::read(program)?;
            enter(Path::new(root))?;
            println!("{}", outcome(name(Path::new(program)), bytes));
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("usage: conformance FOLDER".into()),
    }
}

/// Makes the folder the root of this process.
fn enter(root: &Path) -> Result<(), Box<dyn Error>> {
    // Files are told apart by what the kernel says of them there.
    let proc = root.join("proc");
    fs::create_dir(&proc)?;
    Command::new("mount").args(["--rbind", "/proc"]).arg(proc).status()?;
    std::os::unix::fs::chroot(root)?;
    Ok(env::set_current_dir("/")?)
}

fn name(program: &Path) -> &str {
    program.file_stem().and_then(|name| name.to_str()).unwrap_or_default()
}

/// `pass`, or what went wrong, in one line.
fn outcome(name: &str, bytes: Vec<u8>) -> String {
    let lines = expected::lines();
    let setup = lines.get(name).map(|line| line.setup.clone()).unwrap_or_default();
    match run(name, bytes, setup) {
        Ok(()) => "pass".to_owned(),
        Err(error) => format!("fail\t{}", error.to_string().replace(['\n', '\t'], " ")),
    }
}

fn run(name: &str, bytes: Vec<u8>, setup: Setup) -> Result<(), Box<dyn Error>> {
    make_files(&setup)?;
    let system = System::open(Config::default())?;
    let logs = system.events("log")?;
    let mut spec = ActorSpec::new(system.load_bytes(bytes)?).name("program");
    spec.grants = setup.grants.unwrap_or_else(|| GRANTS.map(str::to_owned).to_vec());
    spec.args = setup.args.unwrap_or_else(|| vec![name.to_owned(), "/".to_owned()]);
    spec.env = setup.env.unwrap_or_else(|| vec![("ERRNO_MODE_UNIX".to_owned(), "1".to_owned())]);
    if setup.server {
        let to = server::start()?;
        spec.env.push(("HTTP_SERVER".to_owned(), to.to_string()));
        spec.grants.push(format!("http * http://{to}/**"));
    }
    spec.grants.extend(setup.more);
    let wall = setup.wall_ms.map_or(MINUTE, Duration::from_millis);
    spec.budget = Budget { cpu: Some(MINUTE), wall: Some(wall), ..Budget::default() };
    spec.limits = Limits { handles: Some(setup.handles.unwrap_or(HANDLES)), ..Limits::default() };
    let program = system.spawn(spec)?;
    let options = RequestOptions { timeout: Some(MINUTE), ..RequestOptions::default() };
    let ended = system.request(program, b"run", &options);
    system.close(None)?;
    ended.map(drop).map_err(|error| {
        let said: Vec<String> = logs.map(|event| event.to_string()).collect();
        format!("{error}; {}", said.join(" ")).into()
    })
}

fn make_files(setup: &Setup) -> std::io::Result<()> {
    for (path, text) in &setup.files {
        let path = Path::new("/").join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(&path, text)?;
        if let Some(years) = setup.years_before_epoch {
            let at = SystemTime::UNIX_EPOCH - Duration::from_secs(years * 365 * 24 * 3_600);
            fs::File::options().write(true).open(&path)?.set_modified(at)?;
        }
    }
    Ok(())
}

/// Runs all that is expected to run, and prints each line that is not as expected, and the counts.
fn compare(folder: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let mut programs: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    programs.retain(|path| path.extension().is_some_and(|suffix| suffix == "wasm"));
    programs.sort();
    let mut lines = expected::lines();
    let (mut passed, mut failed, mut elsewhere, mut wrong) = (0, 0, 0, 0);
    for program in &programs {
        let line = lines.remove(name(program)).unwrap_or_default();
        if line.expected == Expected::Other {
            elsewhere += 1;
            continue;
        }
        let found = in_a_process(program)?;
        match as_expected(&line, &found) {
            true if line.expected == Expected::Fails => failed += 1,
            true => passed += 1,
            false => {
                wrong += 1;
                println!("{}\t{found}\texpected: {:?} {}", name(program), line.expected, line.seen);
            }
        }
    }
    for missing in lines.keys() {
        wrong += 1;
        println!("{missing}\tis in the list and nowhere else");
    }
    println!(
        "programs={} passed={passed} expected_failures={failed} other_worlds={elsewhere} wrong={wrong}",
        programs.len()
    );
    Ok(ExitCode::from(u8::from(wrong > 0)))
}

fn as_expected(line: &Line, found: &str) -> bool {
    match line.expected {
        Expected::Passes => found == "pass",
        Expected::Traps | Expected::Fails => found != "pass" && found.contains(&line.seen),
        Expected::Other => true,
    }
}

/// What the last line of a process that runs the program says.
fn in_a_process(program: &Path) -> Result<String, Box<dyn Error>> {
    let root = tempfile::tempdir()?;
    let ran = Command::new(env::current_exe()?).arg(program).arg(root.path()).output()?;
    Command::new("umount").arg("-l").arg(root.path().join("proc")).status()?;
    let text = String::from_utf8_lossy(&ran.stdout);
    Ok(text.lines().last().unwrap_or("fail\tthe host ended").to_owned())
}
