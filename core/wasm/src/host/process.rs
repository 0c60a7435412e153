//! `airssys:wasm/process`: programs that a guest runs itself, by its own grants and for no longer than its life.

use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_osl::{Command as Program, Output, Process, ProcessError, ProcessExit, Stdin};
use tokio::task::{AbortHandle, spawn_blocking};
use wasmtime::component::Resource;

use super::messaging::bindings::airssys::wasm::process::{Chunk, Command, Exit, Host, HostChild};
use super::messaging::bindings::airssys::wasm::types::Error as Refusal;
use super::programs::{Belongs, NotKept};
use super::state::State;
use crate::types::error::Code;

/// Bytes of one read or write.
const BYTES_MAX: usize = 64 << 10;
/// How long one call of the operating system waits; a wait without bound goes on with the next.
const SLICE: Duration = Duration::from_secs(60);

type Told<T> = wasmtime::Result<Result<T, Refusal>>;

/// A program that a guest holds.
pub struct Child {
    process: Process,
    /// Its number among those that are kept, for whom it belongs to.
    number: u64,
    /// What is left of its output.
    output: u64,
    /// Ends it when it has run for too long.
    alarm: Option<Alarm>,
}

/// A timer that ends with its owner.
struct Alarm {
    timer: AbortHandle,
    rang: Arc<std::sync::atomic::AtomicBool>,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

impl Host for State {
    async fn run(&mut self, command: Command) -> Told<Resource<Child>> {
        let (run_ms, output) = (command.run_ms, command.output_bytes.unwrap_or(u64::MAX));
        if run_ms == Some(0) {
            return Ok(Err(Refusal::InvalidArgument("run-ms: 0 is no time to run".to_owned())));
        }
        let program = Program {
            program: command.program,
            args: command.args,
            env: command.env,
            directory: command.directory.unwrap_or_default(),
            stdin: Stdin::Piped,
        };
        let processes = self.grounds.access.processes.clone();
        let run = move || processes.run(&program, "airssys:wasm/process#run");
        let process = match spawn_blocking(run).await? {
            Ok(process) => process,
            Err(error) => return Ok(Err(self.process_refusal(error))),
        };
        let (ports, belongs) = (self.grounds.ports.clone(), self.belongs());
        let number = match ports.programs.keep(belongs, &process, || ports.lives.lasts(belongs.sender)) {
            Ok(number) => number,
            Err(NotKept::TooMany) => return Ok(Err(other(Code::LimitExceeded))),
            Err(NotKept::Ended) => return Ok(Err(other(Code::ActorStopped))),
        };
        let alarm = run_ms.map(|ms| alarm(process.clone(), Duration::from_millis(ms.into())));
        let child = self.table.push(Child { process, number, output, alarm });
        if child.is_err() {
            // Dropped with what could not be put into the table, it ends.
            ports.programs.forget(number, belongs);
        }
        Ok(Ok(child?))
    }
}

impl HostChild for State {
    async fn write(&mut self, child: Resource<Child>, bytes: Vec<u8>, timeout_ms: Option<u32>) -> Told<u32> {
        if bytes.len() > BYTES_MAX {
            let text = format!("bytes: at most {BYTES_MAX} at a time");
            return Ok(Err(Refusal::InvalidArgument(text)));
        }
        if bytes.is_empty() {
            return Ok(Ok(0));
        }
        self.output(bytes.len())?;
        let bytes = Arc::<[u8]>::from(bytes);
        let written = self.sliced(&child, timeout_ms, move |process, until| {
            process.write_stdin(&bytes, until).map(|count| count as u32)
        });
        written.await
    }

    fn close_stdin(&mut self, child: Resource<Child>) -> wasmtime::Result<()> {
        self.table.get(&child)?.process.close_stdin();
        Ok(())
    }

    async fn read(
        &mut self,
        child: Resource<Child>,
        bytes: u32,
        timeout_ms: Option<u32>,
    ) -> Told<Option<Chunk>> {
        if bytes == 0 {
            return Ok(Err(Refusal::InvalidArgument("bytes: 0 is nothing to read".to_owned())));
        }
        let size = usize::try_from(bytes).unwrap_or(BYTES_MAX).min(BYTES_MAX);
        let read = self.sliced(&child, timeout_ms, move |process, until| {
            let mut buffer = vec![0; size];
            let read = process.read(&mut buffer, until)?;
            Ok(read.map(|(output, count)| {
                buffer.truncate(count);
                (output, buffer)
            }))
        });
        let (output, bytes) = match read.await? {
            Ok(Some(read)) => read,
            Ok(None) => {
                let rang = self.table.get(&child)?.alarm.as_ref().is_some_and(Alarm::has_rung);
                return Ok(if rang { Err(Refusal::Timeout) } else { Ok(None) });
            }
            Err(refusal) => return Ok(Err(refusal)),
        };
        let child = self.table.get_mut(&child)?;
        match child.output.checked_sub(bytes.len() as u64) {
            Some(left) => child.output = left,
            None => {
                child.output = 0;
                child.process.kill();
                return Ok(Err(other(Code::LimitExceeded)));
            }
        }
        Ok(Ok(Some(match output {
            Output::Stdout => Chunk::Stdout(bytes),
            Output::Stderr => Chunk::Stderr(bytes),
        })))
    }

    async fn wait(&mut self, child: Resource<Child>, timeout_ms: Option<u32>) -> Told<Exit> {
        let exit = match self.sliced(&child, timeout_ms, |process, until| process.wait(until)).await? {
            Ok(exit) => exit,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Child { process, alarm, .. } = self.table.get(&child)?;
        // It was cut: said as at each use, with its record.
        if let Err(error @ ProcessError::Denied(_)) = process.alive() {
            return Ok(Err(self.process_refusal(error)));
        }
        if alarm.as_ref().is_some_and(Alarm::has_rung) {
            return Ok(Err(Refusal::Timeout));
        }
        Ok(Ok(match exit {
            ProcessExit::Code(code) => Exit::Code(code),
            ProcessExit::Signal(signal) => Exit::Signal(signal),
            ProcessExit::Lost => Exit::Lost,
        }))
    }

    fn kill(&mut self, child: Resource<Child>) -> wasmtime::Result<()> {
        self.table.get(&child)?.process.kill();
        Ok(())
    }

    fn drop(&mut self, child: Resource<Child>) -> wasmtime::Result<()> {
        let child = self.table.delete(child)?;
        child.process.end();
        self.grounds.ports.programs.forget(child.number, self.belongs());
        Ok(())
    }
}

impl State {
    /// Its programs are its life's alone.
    fn belongs(&self) -> Belongs {
        Belongs { sender: self.living.number, service: self.living.number }
    }

    /// Does it on the blocking pool until it is done or out of time. Whoever kills this guest ends its programs, and with
    /// them what is waited for there.
    async fn sliced<T: Send + 'static>(
        &mut self,
        child: &Resource<Child>,
        timeout_ms: Option<u32>,
        attempt: impl Fn(&Process, Instant) -> Result<T, ProcessError> + Send + Sync + 'static,
    ) -> Told<T> {
        if timeout_ms == Some(0) {
            return Ok(Err(Refusal::InvalidArgument("timeout-ms: 0 is no time to wait".to_owned())));
        }
        let process = self.table.get(child)?.process.clone();
        let wait = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        let end = wait.and_then(|wait| Instant::now().checked_add(wait));
        let attempt = Arc::new(attempt);
        loop {
            let slice = Instant::now() + SLICE;
            let until = end.map_or(slice, |end| end.min(slice));
            let (process, attempt) = (process.clone(), attempt.clone());
            match spawn_blocking(move || attempt(&process, until)).await? {
                Err(ProcessError::TimedOut) if end.is_none_or(|end| Instant::now() < end) => {}
                Ok(done) => return Ok(Ok(done)),
                Err(error) => return Ok(Err(self.process_refusal(error))),
            }
        }
    }

    fn process_refusal(&self, error: ProcessError) -> Refusal {
        let text = error.to_string();
        match error {
            ProcessError::Denied(denial) => {
                self.refusals.note(&denial);
                Refusal::Denied(denial.capability)
            }
            ProcessError::Invalid(_) | ProcessError::NotProgram(_) | ProcessError::TooLarge { .. } => {
                Refusal::InvalidArgument(text)
            }
            ProcessError::NotFound(_) | ProcessError::Ended => other(Code::NotFound),
            ProcessError::TooManyProcesses(_)
            | ProcessError::TooManyStarts { .. }
            | ProcessError::OutputLimit { .. } => other(Code::LimitExceeded),
            ProcessError::TimedOut => Refusal::Timeout,
            ProcessError::Unsupported(_) => other(Code::Unsupported),
            ProcessError::Io(_) => other(Code::Io),
        }
    }
}

impl Alarm {
    fn has_rung(&self) -> bool {
        self.rang.load(std::sync::atomic::Ordering::Acquire)
    }
}

/// Ends the program after this time, if it has not ended by then.
fn alarm(process: Process, after: Duration) -> Alarm {
    let rang = Arc::<std::sync::atomic::AtomicBool>::default();
    let ring = rang.clone();
    let timer = tokio::spawn(async move {
        tokio::time::sleep(after).await;
        if matches!(process.wait(Instant::now()), Err(ProcessError::TimedOut)) {
            ring.store(true, std::sync::atomic::Ordering::Release);
            process.end();
        }
    });
    Alarm { timer: timer.abort_handle(), rang }
}

fn other(code: Code) -> Refusal {
    Refusal::Other(code.name().to_owned())
}
