//! What the process actor does: it runs programs for those who ask, each program its sender's alone.

use airssys_osl::{Command, Output, Process, ProcessExit, ProcessSignal, Stdin};
use serde_json::{Value, json};

use super::client::Client;
use super::request::{Operation, Request};
use super::running::{Running, over};
use super::{answer, no_memory, too_long};
use crate::types::error::{Code, Error, Result};

/// Bytes that a `read` gives at most, unless it says.
const READ_BYTES: u64 = 65_536;
/// And whatever it says.
const READ_BYTES_MAX: u64 = 1 << 20;
/// Room in an answer for what stands before the bytes.
const FACTS_BYTES: u64 = 128;

/// All operations and their keys; the documentation of `System::spawn_processes` says what they mean.
static OPERATIONS: [Operation; 7] = [
    Operation::new("run", &["program", "args", "env", "directory", "timeout_ms"], true),
    Operation::new("start", &["program", "args", "env", "directory"], false),
    Operation::new("read", &["process", "length", "timeout_ms"], false),
    Operation::new("write", &["process", "close", "timeout_ms"], true),
    Operation::new("signal", &["process", "signal"], false),
    Operation::new("wait", &["process", "timeout_ms"], false),
    Operation::new("end", &["process"], false),
];

static SIGNALS: [(&str, ProcessSignal); 9] = [
    ("hangup", ProcessSignal::Hangup),
    ("interrupt", ProcessSignal::Interrupt),
    ("quit", ProcessSignal::Quit),
    ("kill", ProcessSignal::Kill),
    ("user1", ProcessSignal::User1),
    ("user2", ProcessSignal::User2),
    ("terminate", ProcessSignal::Terminate),
    ("stop", ProcessSignal::Stop),
    ("continue", ProcessSignal::Continue),
];

/// Does what a message asks for.
pub(super) fn serve(client: &Client<'_>, mut request: Request) -> Result<Vec<u8>> {
    match request.operation(&OPERATIONS)? {
        "run" => run(client, &mut request),
        "start" => start(client, &mut request),
        "read" => read(client, &mut request),
        "write" => write(client, &mut request),
        "signal" => signal(client, &mut request),
        "wait" => wait(client, &mut request),
        _ => end(client, &mut request),
    }
}

/// Runs a program to its end, which comes early if its caller has gone.
fn run(client: &Client<'_>, request: &mut Request) -> Result<Vec<u8>> {
    let timeout = request.time("timeout_ms")?;
    let bytes = request.body();
    let stdin = if bytes.is_empty() { Stdin::Empty } else { Stdin::Bytes(bytes) };
    let command = command(request, stdin)?;
    let running = Running::start(client, &command, "processes#run", timeout)?;
    let mut outputs = [Vec::new(), Vec::new()];
    while let Some((output, bytes)) = running.read(READ_BYTES)? {
        let into = &mut outputs[usize::from(output == Output::Stderr)];
        into.try_reserve(bytes.len()).map_err(|_| no_memory())?;
        into.extend_from_slice(&bytes);
        let allowed = client.answer_bytes_max();
        if outputs.iter().map(|output| output.len() as u64).sum::<u64>() + FACTS_BYTES > allowed {
            running.kill();
            return Err(too_long(allowed));
        }
    }
    let exit = running.wait()?;
    let [stdout, stderr] = outputs;
    let facts = json!({ "exit": shown(exit), "stdout": stdout.len(), "stderr": stderr.len() });
    answer(&facts, &[&stdout, &stderr])
}

/// Starts a program that goes on; its number is its sender's alone.
fn start(client: &Client<'_>, request: &mut Request) -> Result<Vec<u8>> {
    let command = command(request, Stdin::Piped)?;
    let running = Running::start(client, &command, "processes#start", None)?;
    match client.waits() {
        true => answer(&json!({ "process": running.leave() }), &[]),
        // Nobody would know its number.
        false => Err(Error::new(Code::Cancelled, "the caller has gone")),
    }
}

/// What there is of either output, waited for; none at the end of both.
fn read(client: &Client<'_>, request: &mut Request) -> Result<Vec<u8>> {
    let most = client.answer_bytes_max().saturating_sub(FACTS_BYTES).max(1);
    let length = request.count("length")?.unwrap_or(READ_BYTES);
    if length == 0 {
        return Err(Error::argument("length", "0 is nothing to read; leave it out for the default"));
    }
    let running = found(client, request)?;
    match running.read(length.min(most).min(READ_BYTES_MAX))? {
        Some((Output::Stdout, bytes)) => {
            answer(&json!({ "stdout": bytes.len(), "stderr": 0, "end": false }), &[&bytes])
        }
        Some((Output::Stderr, bytes)) => {
            answer(&json!({ "stdout": 0, "stderr": bytes.len(), "end": false }), &[&bytes])
        }
        None => answer(&json!({ "stdout": 0, "stderr": 0, "end": true }), &[]),
    }
}

/// Writes to the standard input: all of it, or what the program took in time.
fn write(client: &Client<'_>, request: &mut Request) -> Result<Vec<u8>> {
    let close = request.flag("close", false)?;
    let bytes = request.body();
    let running = found(client, request)?;
    let written = running.write(&bytes)?;
    if close && written == bytes.len() {
        running.process().close_stdin();
    }
    answer(&json!({ "written": written }), &[])
}

fn signal(client: &Client<'_>, request: &mut Request) -> Result<Vec<u8>> {
    let name = request.text("signal")?;
    let Some((_, signal)) = SIGNALS.iter().find(|(known, _)| *known == name) else {
        let all = SIGNALS.map(|(name, _)| name).join(", ");
        return Err(Error::argument("signal", format!("it is none of {all}")));
    };
    let running = found(client, request)?;
    let sent = running.process().signal(*signal);
    sent.map_err(|error| client.process_error(error))?;
    answer(&json!({}), &[])
}

fn wait(client: &Client<'_>, request: &mut Request) -> Result<Vec<u8>> {
    let exit = found(client, request)?.wait()?;
    answer(&json!({ "exit": shown(exit) }), &[])
}

/// Ends a program and all it started, if it has not ended; its number is unknown from here on.
fn end(client: &Client<'_>, request: &mut Request) -> Result<Vec<u8>> {
    let number = process_number(request)?;
    let forgotten = client.post().charter.ports.programs.forget(number, client.belongs());
    forgotten.ok_or_else(|| unknown(number))?.end();
    answer(&json!({}), &[])
}

fn command(request: &mut Request, stdin: Stdin) -> Result<Command> {
    Ok(Command {
        program: request.text("program")?,
        args: request.texts("args")?,
        env: request.pairs("env")?,
        directory: request.optional_text("directory")?.unwrap_or_default(),
        stdin,
    })
}

/// The program that a message is about; for the others it is as if there were none of that number.
fn found<'a>(client: &'a Client<'a>, request: &mut Request) -> Result<Running<'a>> {
    let number = process_number(request)?;
    let timeout = request.time("timeout_ms")?;
    let process: Option<Process> = client.post().charter.ports.programs.get(number, client.belongs());
    let process = process.ok_or_else(|| if client.lasts() { unknown(number) } else { over(client) })?;
    Ok(Running::found(client, process, timeout))
}

fn process_number(request: &mut Request) -> Result<u64> {
    request
        .count("process")?
        .ok_or_else(|| Error::argument("process", "it is needed, a number that start gave"))
}

fn unknown(number: u64) -> Error {
    Error::new(Code::NotFound, format!("no program of the sender has the number {number}"))
        .with("which", "process")
}

fn shown(exit: ProcessExit) -> Value {
    match exit {
        ProcessExit::Code(code) => json!({ "code": code }),
        ProcessExit::Signal(signal) => json!({ "signal": signal }),
        ProcessExit::Lost => json!({ "lost": true }),
    }
}
