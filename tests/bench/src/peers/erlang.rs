//! Erlang, where it is installed: one run of the escript for each measurement.

use std::io;
use std::process::{Command, Stdio};

use crate::measure::Contestant;

const NAME: &str = "erlang";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/erlang/bench.escript");

/// Whether it can be run, or why not.
pub fn available() -> Result<(), String> {
    let started = Command::new("erl").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match started {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err("no erl in the PATH".to_owned()),
        Err(error) => Err(format!("erl does not start: {error}")),
    }
}

/// The contestant that runs this part of the script; none where Erlang is not installed.
pub fn contestant(part: &'static str) -> Option<Contestant> {
    available().ok()?;
    Some(Contestant::new(NAME, "", move || {
        let output = Command::new("escript").args([SCRIPT, part]).output().expect("escript comes with erl");
        let text = String::from_utf8_lossy(&output.stdout);
        let values: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
        match values {
            Ok(values) if !values.is_empty() => values,
            _ => panic!("erlang {part}: {text}{}", String::from_utf8_lossy(&output.stderr)),
        }
    }))
}
