//! A process that compiles for this one, within limits that the kernel holds it to: what the two tell each other.
//!
//! In: the magic, a byte of settings, the digest of version and settings, the component to the end. Out: the magic, what
//! became of it, the digest of the helper's own, the code or the words to the end; and exit 0.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_osl::{
    Ask, Audit, Capability, CapabilitySet, Command, Output, Process, ProcessError, ProcessExit,
    ProcessLimits, Processes, ResourceLimits, ResourceManager, Stdin, SystemLimits,
};
use sha2::Digest;

use super::compile::{COMPONENT_BYTES_MAX, precompile};
use super::{Engine, Profile, Settings};
use crate::types::config::CompileHelper;
use crate::types::error::{Code, Error, Result};
use crate::types::limits::millis;

/// How long one component may compile, as time of a processor.
pub(crate) const COMPILE_MS_MAX: u64 = 60_000;
/// Of time that passes, as much as of a processor's: the rest it waits.
const WAITS_MAX: u32 = 10;
const MEMORY_BYTES_MAX: u64 = 2 << 30;
const HELPERS_MAX: usize = 256;
/// How often it is asked whether anybody still waits.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Validators and compilers recurse, as deep as the bounds of the scan let them.
const STACK_BYTES: usize = 8 << 20;
/// Bytes of what it says of itself that are kept.
const WORDS_BYTES_MAX: usize = 2_048;

const MAGIC: &[u8; 8] = b"airwasm1";
const DIGEST_BYTES: usize = 32;
const HEAD_BYTES: usize = MAGIC.len() + 1 + DIGEST_BYTES;
const COMPILED: u8 = 0;
const REFUSED: u8 = 1;
const MISMATCH: u8 = 2;

/// How it is run.
pub(crate) struct Helper {
    processes: Processes,
    command: Command,
    cpu: Duration,
    memory_bytes: u64,
}

/// What it has said so far.
#[derive(Default)]
struct Said {
    out: Vec<u8>,
    words: Vec<u8>,
}

impl Helper {
    /// Takes the one right that it needs: to run this command.
    pub(crate) fn new(given: CompileHelper, audit: &Arc<Audit>) -> Result<Self> {
        let wrong = |why: &str| Error::argument("compile_helper", why);
        let mut args = given.command;
        if args.is_empty() {
            return Err(wrong("a command is a program and its arguments"));
        }
        let program = args.remove(0);
        let cpu = given.cpu.unwrap_or(Duration::from_millis(COMPILE_MS_MAX));
        let memory_bytes = given.memory_bytes.unwrap_or(MEMORY_BYTES_MAX);
        if cpu.is_zero() || memory_bytes == 0 {
            return Err(wrong("0 is not a bound; leave it out for the default"));
        }
        if cpu > Duration::from_millis(COMPILE_MS_MAX) {
            return Err(wrong("a component compiles for at most 60 s of a processor"));
        }
        let real = std::fs::canonicalize(&program).ok().and_then(|path| path.to_str().map(str::to_owned));
        let Some(real) = real.filter(|_| Path::new(&program).is_absolute()) else {
            return Err(wrong(&format!("{program:?} is not the absolute path of a program")));
        };
        let ask = Ask::ProcessRun { program: program.clone(), args: args.clone(), env: Vec::new() };
        let set = CapabilitySet::new("airwasm/compile/0", audit.clone());
        for (id, ask) in (1..).zip([ask, Ask::FsExec(real)]) {
            let granted = Capability::parse(&ask.capability_text())
                .and_then(|all| all.into_iter().try_for_each(|one| set.grant(id, one, None)));
            granted.map_err(|why| wrong(&why.to_string()))?;
        }
        let limits = ProcessLimits {
            starts_per_second_max: 1_000,
            output_bytes_max: memory_bytes,
            stdin_bytes_max: usize::try_from(COMPONENT_BYTES_MAX).unwrap_or(usize::MAX) + HEAD_BYTES,
            grace: Duration::ZERO,
            run_max: Some(cpu.saturating_mul(WAITS_MAX + 1)),
            // Of the file system it needs nothing: what it writes goes to its output.
            file_bytes_max: Some(0),
            memory_bytes_max: Some(memory_bytes),
            cpu_seconds_max: Some(millis(cpu).div_ceil(1_000)),
            ..ProcessLimits::default()
        };
        // Counted apart from what actors run.
        let system = SystemLimits {
            processes_max: HELPERS_MAX,
            starts_per_second_max: 1_000,
            ..SystemLimits::default()
        };
        let own = ResourceLimits { processes_max: HELPERS_MAX, ..ResourceLimits::default() };
        let resources = ResourceManager::new(system).actor(own);
        let processes = Processes::new(set, limits).with_resources(resources);
        Ok(Self { processes, command: Command { program, args, ..Command::default() }, cpu, memory_bytes })
    }

    /// The code of a component that was scanned. Ends with the process, at its limits, or when nobody waits any more.
    pub(super) fn compile(
        &self,
        engine: &Engine,
        bytes: &[u8],
        is_given_up: &dyn Fn() -> bool,
    ) -> Result<Vec<u8>> {
        let digest = engine.settings_digest().finalize();
        let input = [MAGIC.as_slice(), &[engine.settings.byte()], &digest, bytes].concat();
        let command = Command { stdin: Stdin::Bytes(input), ..self.command.clone() };
        let process = self.processes.run(&command, "airwasm#compile").map_err(|why| match why {
            ProcessError::Unsupported(_) => Error::new(Code::Unsupported, format!("compile helper: {why}")),
            _ => broken(why.to_string()),
        })?;
        let said = self.listen(&process, is_given_up);
        // Whatever it said or did: with the answer it is over.
        let exit = said.and_then(|said| self.exit_of(&process, is_given_up).map(|exit| (said, exit)));
        process.kill();
        let (said, exit) = exit?;
        match exit {
            ProcessExit::Code(0) => understand(said.out, &digest),
            other => Err(self.died(other, &said)),
        }
    }

    fn listen(&self, process: &Process, is_given_up: &dyn Fn() -> bool) -> Result<Said> {
        let until = Instant::now() + self.cpu.saturating_mul(WAITS_MAX);
        let (mut said, mut buffer) = (Said::default(), vec![0; 1 << 16]);
        loop {
            let now = Instant::now();
            if is_given_up() {
                return Err(given_up());
            }
            if now >= until {
                return Err(self.limit("compile_ms", millis(self.cpu), "it took too long"));
            }
            match process.read(&mut buffer, now + LOOK_EVERY) {
                Ok(None) => return Ok(said),
                Ok(Some((Output::Stdout, count))) => {
                    said.out.extend_from_slice(&buffer[..count]);
                    if !said.out.iter().zip(MAGIC).all(|(one, other)| one == other) {
                        return Err(broken("its output is none of a compile helper".to_owned()));
                    }
                }
                Ok(Some((Output::Stderr, count))) => {
                    let room = WORDS_BYTES_MAX.saturating_sub(said.words.len());
                    said.words.extend_from_slice(&buffer[..count.min(room)]);
                }
                Err(ProcessError::TimedOut) => {}
                Err(ProcessError::OutputLimit { .. }) => {
                    return Err(self.limit("memory_bytes", self.memory_bytes, "its output is too long"));
                }
                Err(why) => return Err(broken(why.to_string())),
            }
        }
    }

    /// It has closed its outputs, so it ends, or is not waited for any longer than it may compute.
    fn exit_of(&self, process: &Process, is_given_up: &dyn Fn() -> bool) -> Result<ProcessExit> {
        let until = Instant::now() + self.cpu;
        loop {
            if is_given_up() {
                return Err(given_up());
            }
            match process.wait(until.min(Instant::now() + LOOK_EVERY)) {
                Ok(exit) => return Ok(exit),
                Err(ProcessError::TimedOut) if Instant::now() < until => {}
                Err(_) => return Err(self.limit("compile_ms", millis(self.cpu), "it did not end")),
            }
        }
    }

    fn died(&self, exit: ProcessExit, said: &Said) -> Error {
        match exit {
            ProcessExit::Signal(libc::SIGXCPU) => {
                self.limit("compile_ms", millis(self.cpu), "it used up its time of a processor")
            }
            // Rust aborts when it gets no memory; the system kills.
            ProcessExit::Signal(libc::SIGABRT | libc::SIGKILL) => {
                self.limit("memory_bytes", self.memory_bytes, "it ran out of memory")
            }
            ProcessExit::Signal(_) => {
                self.limit("memory_bytes", self.memory_bytes, &format!("it died: {exit}"))
            }
            _ => {
                let words = String::from_utf8_lossy(&said.words);
                broken(format!("{exit}: {}", words.trim()))
            }
        }
    }

    fn limit(&self, which: &str, allowed: u64, what: &str) -> Error {
        let text = format!("compile limit: {which} allowed {allowed}; of the compile helper: {what}");
        Error::new(Code::CompileLimit, text).with("which", which).with("allowed", allowed)
    }
}

fn given_up() -> Error {
    Error::new(Code::Cancelled, "nobody waits for the component any more")
}

/// The code in the helper's answer, or what it says instead.
fn understand(mut out: Vec<u8>, digest: &[u8]) -> Result<Vec<u8>> {
    if out.len() < HEAD_BYTES {
        return Err(broken("its answer is cut short".to_owned()));
    }
    let body = out.split_off(HEAD_BYTES);
    let words = || String::from_utf8_lossy(&body[..body.len().min(WORDS_BYTES_MAX)]).into_owned();
    let same = &out[MAGIC.len() + 1..] == digest;
    match out[MAGIC.len()] {
        COMPILED if same => Ok(body),
        REFUSED if same => Err(Error::new(Code::InvalidComponent, words())),
        COMPILED | REFUSED | MISMATCH => {
            let text = format!(
                "the compile helper is of another version, or compiles with other settings: {}",
                words()
            );
            Err(Error::new(Code::Unsupported, text).with("which", "compile_helper"))
        }
        _ => Err(broken("its answer means nothing".to_owned())),
    }
}

/// The error of a helper that does not do its work.
pub(super) fn broken(why: String) -> Error {
    Error::new(Code::Internal, format!("the compile helper is broken: {why}"))
}

impl Settings {
    fn byte(self) -> u8 {
        u8::from(self.profile == Profile::Full) | u8::from(self.fuel) << 1
    }

    fn from_byte(byte: u8) -> Self {
        let profile = if byte & 1 == 0 { Profile::Hardened } else { Profile::Full };
        Self { profile, fuel: byte & 2 != 0 }
    }
}

/// The helper's side: compiles what comes by the standard input, and answers by the standard output. A program whose `main` is
/// this may be the command of [`Config::compile_helper`](crate::Config::compile_helper).
pub fn compile_helper() -> Result<()> {
    let io = |why: std::io::Error| Error::new(Code::Io, format!("compile helper: {why}"));
    let mut input = Vec::new();
    let input_bytes_max = COMPONENT_BYTES_MAX + HEAD_BYTES as u64;
    std::io::stdin().lock().take(input_bytes_max).read_to_end(&mut input).map_err(io)?;
    if input.len() < HEAD_BYTES || !input.starts_with(MAGIC) {
        let text = "no request on the standard input: this program is run by airwasm, to compile for it";
        return Err(Error::argument("stdin", text));
    }
    // The stack of whoever calls may be small.
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || answer(&input));
    let answered = thread.map_err(io)?.join();
    let (head, body) = answered.map_err(|_| Error::new(Code::Panic, "the compiler panicked"))??;
    let mut out = std::io::stdout().lock();
    [head, body].iter().try_for_each(|part| out.write_all(part)).and_then(|()| out.flush()).map_err(io)
}

/// The head and the body of the answer.
fn answer(input: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let (head, component) = input.split_at(HEAD_BYTES);
    let engine = Engine::new(Settings::from_byte(head[MAGIC.len()]), None, None)?;
    let digest = engine.settings_digest().finalize();
    let (outcome, body) = if head[MAGIC.len() + 1..] != *digest {
        (MISMATCH, format!("it is {}", env!("CARGO_PKG_VERSION")).into_bytes())
    } else {
        match precompile(&engine, component) {
            Ok(code) => (COMPILED, code),
            Err(error) => (REFUSED, error.message.into_bytes()),
        }
    };
    Ok(([MAGIC.as_slice(), &[outcome], &digest].concat(), body))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use airssys_osl::AuditConfig;

    use super::*;

    #[test]
    fn hostile_a11_a_helper_that_closes_its_outputs_and_hangs_is_left_as_soon_as_nobody_waits() {
        let command = ["/bin/sh", "-c", "exec sleep 1000 >&- 2>&-"].map(str::to_owned).to_vec();
        let audit = Audit::open(AuditConfig::default()).expect("an audit");
        let given = CompileHelper { command, ..CompileHelper::default() };
        let helper = Helper::new(given, &audit).expect("a helper");
        let process = helper.processes.run(&helper.command, "test").expect("runs");
        let said = helper.listen(&process, &|| false).expect("it says nothing, and closes its outputs");
        assert!(said.out.is_empty());
        let looks = std::cell::Cell::new(0);
        // Somebody waits at first, and then gives up: the 60 s that it may compute are not waited for.
        let is_given_up = || looks.replace(looks.get() + 1) > 0;
        let error = helper.exit_of(&process, &is_given_up).expect_err("it hangs");
        assert_eq!((error.code, looks.get()), (Code::Cancelled, 2));
        process.kill();
        assert!(process.wait(Instant::now() + helper.cpu).is_ok(), "it is ended");
    }
}
