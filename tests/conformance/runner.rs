//! Runs the programs of wasmtime's tests of WASI 0.2 as actors, and compares what happens with `expected.tsv`.
//!
//! `conformance FOLDER` runs each `actors/*.wasm` of a folder in a process of its own, whose root is a folder that has
//! nothing but what the program's line says and `/proc`: the programs take what is preopened for theirs. Those that are
//! asked by http are served as they are, from `programs`. `unshare -rm` gives the rights for that; `run` makes the
//! folder and does so.

mod asks;
#[path = "../../core/osl/tests/support/dns_stub.rs"]
#[allow(dead_code)] // the tests of osl use the rest
mod dns_stub;
mod expected;
mod server;

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};
use std::{env, fs};

use airwasm::{
    ActorHandle, ActorSpec, Budget, Config, Event, Limits, NetworkOptions, RequestOptions, System,
};

use dns_stub::DnsStub;
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
/// The bucket that a program means by no name.
const NAMESPACE: &str = "default";

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
    let store = setup.kv.as_ref().map(|_| PathBuf::from("/kv"));
    let names = setup.names.then(|| DnsStub::fixed(&["93.184.216.34"]));
    let name_servers = names.iter().map(|stub| stub.address).collect();
    let network = NetworkOptions { name_servers, ..NetworkOptions::default() };
    let system = System::open(Config { kv: store, network, ..Config::default() })?;
    for (key, value) in setup.kv.iter().flatten() {
        system.kv_set(NAMESPACE, key, value.as_bytes())?;
    }
    let logs = system.events("log,http.failed")?;
    let server = if setup.server { Some(server::start()?) } else { None };
    let mut spec = ActorSpec::new(system.load_bytes(bytes)?).name("program");
    fit(&mut spec, name, &setup, server);
    let program = system.spawn(spec)?;
    let ended = match setup.asks.is_empty() {
        true => told(&system, program),
        false => asked(&system, program, &setup, server),
    };
    system.close(None)?;
    let logs: Vec<Event> = logs.collect();
    let ended = ended.and_then(|()| written(&setup, &logs));
    ended.map_err(|error| {
        let said: Vec<String> = logs.iter().map(Event::to_string).collect();
        format!("{error}; {}", said.join(" ")).into()
    })
}

/// Gives the actor what its program finds.
fn fit(spec: &mut ActorSpec, name: &str, setup: &Setup, server: Option<SocketAddr>) {
    spec.grants = setup.grants.clone().unwrap_or_else(|| GRANTS.map(str::to_owned).to_vec());
    spec.args = setup.args.clone().unwrap_or_else(|| vec![name.to_owned(), "/".to_owned()]);
    spec.env = setup.env.clone().unwrap_or_else(|| vec![("ERRNO_MODE_UNIX".to_owned(), "1".to_owned())]);
    if let Some(to) = server {
        spec.env.push(("HTTP_SERVER".to_owned(), to.to_string()));
        spec.grants.push(format!("http * http://{to}/**"));
    }
    spec.grants.extend(setup.more.iter().cloned());
    spec.config.clone_from(&setup.config);
    spec.http_listen = (!setup.asks.is_empty()).then(|| "127.0.0.1:0".to_owned());
    let wall = setup.wall_ms.map_or(MINUTE, Duration::from_millis);
    spec.budget = Budget { cpu: Some(MINUTE), wall: Some(wall), ..Budget::default() };
    spec.limits = Limits { handles: Some(setup.handles.unwrap_or(HANDLES)), ..Limits::default() };
}

/// Runs it as what it is: a program with an end.
fn told(system: &System, program: ActorHandle) -> Result<(), Box<dyn Error>> {
    let options = RequestOptions { timeout: Some(MINUTE), ..RequestOptions::default() };
    system.request(program, b"run", &options)?;
    Ok(())
}

/// Asks it what its line says, in that order.
fn asked(
    system: &System,
    program: ActorHandle,
    setup: &Setup,
    server: Option<SocketAddr>,
) -> Result<(), Box<dyn Error>> {
    let listening = system.status(program)?.listening.ok_or("it does not listen")?.parse()?;
    setup.asks.iter().try_for_each(|ask| ask.at(listening, server))
}

/// Whether it wrote what its line says.
fn written(setup: &Setup, logs: &[Event]) -> Result<(), Box<dyn Error>> {
    for (stream, wanted) in [("stdout", &setup.stdout), ("stderr", &setup.stderr)] {
        let lines = logs.iter().filter(|event| event.detail.get("stream").is_some_and(|name| name == stream));
        let text: String =
            lines.map(|event| format!("{}\n", event.detail["text"].as_str().unwrap_or(""))).collect();
        if wanted.as_ref().is_some_and(|wanted| *wanted != text) {
            return Err(format!("{stream}: {text:?}").into());
        }
    }
    Ok(())
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
    let mut programs: Vec<PathBuf> = fs::read_dir(folder.join("actors"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
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
        let served = folder.join("programs").join(program.file_name().unwrap_or_default());
        let found = in_a_process(if line.setup.asks.is_empty() { program } else { &served })?;
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
