//! Runs programs itself. Words are divided by tabs, so that an argument may have anything else in it.
//!
//! | payload | what it does |
//! |---|---|
//! | `run`, program, arguments | runs it to its end and replies how it ended and what it wrote: `code 0` and both outputs behind |
//! | `within`, ms, program, arguments | the same with that much time |
//! | `capped`, bytes, program, arguments | the same with that much output |
//! | `env`, `NAME=value`, program, arguments | the same with that variable |
//! | `nul`, program | with an argument that contains a NUL |
//! | `many`, n, bytes, program | with so many arguments of so many bytes |
//! | `start`, program, arguments | starts it, keeps it and replies `started` |
//! | `start-within`, ms, program, arguments | the same with that much time |
//! | `write`, text | writes it to the one that was started last and replies how much it took |
//! | `close` | ends its standard input |
//! | `read` | replies what there is of its output, `end` at the end |
//! | `wait`, ms | replies how it ended |
//! | `kill`, `drop` | kills it, or lets it go, and replies `done` |
//! | `flood`, n, program, arguments | starts it so many times, lets each go, and replies how many were refused |
//! | `hoard`, n, program, arguments | the same, but keeps all |
//! | `trap` | traps |
//!
//! An error comes back as a failure: `code` is the case of `error`, `text` what that case carries.

wit_bindgen::generate!({ path: "../../../wit", world: "runner" });

use std::cell::RefCell;

use airssys::wasm::process::{self, Child, Chunk, Command, Exit};
use airssys::wasm::types::Error;
use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Runner;
export!(Runner);

thread_local! {
    static STARTED: RefCell<Vec<Child>> = const { RefCell::new(Vec::new()) };
}

impl Guest for Runner {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload).into_owned();
        let words: Vec<&str> = text.split('\t').collect();
        let reply = match words[..] {
            ["run", program, ref args @ ..] => run(&command(program, args)),
            ["within", ms, program, ref args @ ..] => {
                run(&Command { run_ms: Some(number(ms)?), ..command(program, args) })
            }
            ["capped", bytes, program, ref args @ ..] => {
                run(&Command { output_bytes: Some(number(bytes)?.into()), ..command(program, args) })
            }
            ["env", pair, program, ref args @ ..] => {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let env = vec![(name.to_owned(), value.to_owned())];
                run(&Command { env, ..command(program, args) })
            }
            ["nul", program] => run(&command(program, &["a\0b"])),
            ["many", count, bytes, program] => {
                let arg = "x".repeat(number(bytes)? as usize);
                let args = vec![arg.as_str(); number(count)? as usize];
                run(&command(program, &args))
            }
            ["start", program, ref args @ ..] => start(&command(program, args)),
            ["start-within", ms, program, ref args @ ..] => {
                start(&Command { run_ms: Some(number(ms)?), ..command(program, args) })
            }
            ["flood", count, program, ref args @ ..] => {
                Ok(flood(number(count)?, &command(program, args), false))
            }
            ["hoard", count, program, ref args @ ..] => {
                Ok(flood(number(count)?, &command(program, args), true))
            }
            ["trap"] => panic!("asked to"),
            _ => STARTED.with_borrow_mut(|started| {
                let child = started.last().ok_or_else(|| failure("usage", "nothing was started"))?;
                match words[..] {
                    ["write", text] => Ok(child.write(text.as_bytes(), Some(20_000)).map(|n| n.to_string())),
                    ["close"] => Ok(Ok(done(child.close_stdin()))),
                    ["read"] => Ok(read(child)),
                    ["wait", ms] => Ok(child.wait(Some(number(ms)?)).map(ended)),
                    ["kill"] => Ok(Ok(done(child.kill()))),
                    ["drop"] => Ok(Ok(done(drop(started.pop())))),
                    _ => Err(failure("usage", "no such request")),
                }
            })?,
        };
        reply.map(|reply| Some(reply.into())).map_err(explain)
    }
}

fn command(program: &str, args: &[&str]) -> Command {
    Command {
        program: program.to_owned(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        env: Vec::new(),
        directory: None,
        run_ms: None,
        output_bytes: None,
    }
}

fn start(command: &Command) -> Result<String, Error> {
    let child = process::run(command)?;
    STARTED.with_borrow_mut(|started| started.push(child));
    Ok("started".to_owned())
}

fn run(command: &Command) -> Result<String, Error> {
    let child = process::run(command)?;
    child.close_stdin();
    let mut output = Vec::new();
    while let Some(chunk) = child.read(65_536, None)? {
        match chunk {
            Chunk::Stdout(bytes) | Chunk::Stderr(bytes) => output.extend(bytes),
        }
    }
    let exit = ended(child.wait(None)?);
    Ok(format!("{exit}\n{}", String::from_utf8_lossy(&output)))
}

fn read(child: &Child) -> Result<String, Error> {
    Ok(match child.read(4_096, Some(20_000))? {
        Some(Chunk::Stdout(bytes) | Chunk::Stderr(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        None => "end".to_owned(),
    })
}

/// How many of so many starts were refused.
fn flood(count: u32, command: &Command, keep: bool) -> String {
    let mut kept = Vec::new();
    let mut refused = 0;
    for _ in 0..count {
        match process::run(command) {
            Ok(child) if keep => kept.push(child),
            Ok(child) => drop(child),
            Err(_) => refused += 1,
        }
    }
    format!("{refused} refused")
}

fn ended(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("code {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::Lost => "lost".to_owned(),
    }
}

fn done((): ()) -> String {
    "done".to_owned()
}

fn number(word: &str) -> Result<u32, Failure> {
    word.parse().map_err(|e| failure("usage", format!("{word}: {e}")))
}

fn explain(error: Error) -> Failure {
    match error {
        Error::InvalidArgument(why) => failure("invalid-argument", why),
        Error::Denied(capability) => failure("denied", capability),
        Error::Timeout => failure("timeout", ""),
        Error::Other(name) => failure("other", name),
        other => failure("unexpected", other),
    }
}

fn failure(code: &str, text: impl ToString) -> Failure {
    Failure { code: code.to_owned(), text: text.to_string() }
}
