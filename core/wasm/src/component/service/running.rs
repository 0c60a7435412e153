//! A program as one message is about it: waited for in slices, between which it is seen whether anybody still wants it.

use std::time::{Duration, Instant};

use airssys_osl::{Command, Output, Process, ProcessError, ProcessExit};

use super::client::Client;
use crate::host::{KEPT_PROGRAMS_MAX, NotKept};
use crate::types::error::{Code, Error, Result};

/// How soon it is seen that the caller has gone, or the service ends.
const SLICE: Duration = Duration::from_millis(20);

/// A program, and the message that is about it.
pub(super) struct Running<'a> {
    client: &'a Client<'a>,
    process: Process,
    /// Its number, if it ends with the message.
    ends: Option<u64>,
    began: Instant,
    timeout: Option<Duration>,
}

impl<'a> Running<'a> {
    /// Starts a program that ends with this message, unless it is left.
    pub(super) fn start(
        client: &'a Client<'a>,
        command: &Command,
        function: &str,
        timeout: Option<Duration>,
    ) -> Result<Self> {
        let started = client.processes().run(command, function);
        let process = started.map_err(|error| client.process_error(error))?;
        let programs = &client.post().charter.ports.programs;
        let kept = programs.keep(client.belongs(), &process, || client.lasts());
        let number = kept.map_err(|why| match why {
            NotKept::Ended => over(client),
            NotKept::TooMany => Error::new(
                Code::LimitExceeded,
                format!("{KEPT_PROGRAMS_MAX} programs are kept, as many as may: end those that are over"),
            )
            .with("which", "kept_programs")
            .with("allowed", KEPT_PROGRAMS_MAX),
        })?;
        let mut running = Self::found(client, process, timeout);
        running.ends = Some(number);
        Ok(running)
    }

    /// One that was started before, and goes on.
    pub(super) fn found(client: &'a Client<'a>, process: Process, timeout: Option<Duration>) -> Self {
        Self { client, process, ends: None, began: Instant::now(), timeout }
    }

    /// Lets it go on after this message; under which number.
    pub(super) fn leave(mut self) -> u64 {
        self.ends.take().expect("it was started by this message")
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    /// Kills it, for what it did itself.
    pub(super) fn kill(&self) {
        self.process.kill();
    }

    /// What there is of either output, at most so many bytes; none at the end of both.
    pub(super) fn read(&self, bytes_max: u64) -> Result<Option<(Output, Vec<u8>)>> {
        let mut buffer = Vec::new();
        let size = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        buffer.try_reserve_exact(size).map_err(|_| super::no_memory())?;
        buffer.resize(size, 0);
        let read = self.sliced(|until| self.process.read(&mut buffer, until))?;
        Ok(read.map(|(output, count)| {
            buffer.truncate(count);
            (output, buffer)
        }))
    }

    /// Writes all of it, or as much as the program took in time; how much that was.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize> {
        let mut written = 0;
        while written < bytes.len() {
            match self.sliced(|until| self.process.write_stdin(&bytes[written..], until)) {
                Ok(count) => written += count,
                Err(error) if error.code == Code::Timeout && written > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    /// How it ended, waited for: of one that ends with the message when all is gone that it started, so that its place
    /// is free for the next.
    pub(super) fn wait(&self) -> Result<ProcessExit> {
        let exit = self.sliced(|until| match self.ends {
            Some(_) => self.process.wait_all(until),
            None => self.process.wait(until),
        })?;
        match self.process.guard().alive() {
            Ok(()) if !self.client.post().is_closed() => Ok(exit),
            Ok(()) => Err(over(self.client)),
            // It was cut: a read says so as each use does, with its record.
            Err(_) => match self.process.read(&mut [0], Instant::now()) {
                Err(error @ ProcessError::Denied(_)) => Err(self.client.process_error(error)),
                _ => Ok(exit),
            },
        }
    }

    /// Tries it again and again for a slice, until it is done, out of time, or of no use to anybody.
    fn sliced<T>(
        &self,
        mut attempt: impl FnMut(Instant) -> std::result::Result<T, ProcessError>,
    ) -> Result<T> {
        loop {
            let now = Instant::now();
            let end = self.timeout.and_then(|timeout| self.began.checked_add(timeout));
            let until = end.map_or(now + SLICE, |end| end.min(now + SLICE));
            match attempt(until) {
                Err(ProcessError::TimedOut) => {}
                // What ended with the service is told as the service's end.
                _ if !self.client.lasts() => return Err(over(self.client)),
                done => return done.map_err(|error| self.client.process_error(error)),
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                return Err(self.out_of_time());
            }
            if !self.client.lasts() {
                return Err(over(self.client));
            }
            if !self.client.waits() {
                return Err(Error::new(Code::Cancelled, "the caller has gone"));
            }
        }
    }

    fn out_of_time(&self) -> Error {
        let after_ms = self.timeout.unwrap_or_default().as_millis();
        let text = match self.ends {
            Some(_) => format!("the program ran for {after_ms} ms, and was ended"),
            None => format!("{after_ms} ms passed"),
        };
        Error::new(Code::Timeout, text).with("in", "handler")
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.ends {
            self.process.end();
            self.client.post().charter.ports.programs.forget(number, self.client.belongs());
        }
    }
}

/// The error of whoever waits for a program when the service, or the sender itself, ends.
pub(super) fn over(client: &Client<'_>) -> Error {
    let text = match client.post().is_closed() {
        true => "the service has stopped, and its programs with it",
        false => "the sender has ended, and its programs with it",
    };
    Error::new(Code::ActorStopped, text).with("reason", "shutdown")
}
