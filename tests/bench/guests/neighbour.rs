//! `wasm/neighbour-*`: a request of an echo guest alone, and beside eight hogs; at most three times as long is the goal.

use std::error::Error;
use std::time::{Duration, Instant};

use airwasm::{
    ActorHandle, ActorSpec, Budget, Config, RequestOptions, Result, SendOptions, System, UNLIMITED,
};

use crate::fairness::spawn;
use crate::report::{Row, percentile};

const REQUESTS: usize = 20_000;
/// Between two requests, so that each finds the machine as the hogs have it.
const PAUSE: Duration = Duration::from_micros(200);
const HOGS: [&[u8]; 8] = [b"cpu", b"cpu", b"memory", b"memory", b"mailbox", b"mailbox", b"log", b"log"];

pub fn rows() -> std::result::Result<Vec<Row>, Box<dyn Error>> {
    let system = System::open(Config::default())?;
    let echo = spawn(&system, "echo.wasm", |spec| spec.name("echo"))?;
    let mut alone = measure(&system, echo)?;
    spawn(&system, "echo.wasm", |spec| spec.name("sink"))?;
    let budget = Budget {
        cpu: Some(Duration::MAX),
        wall: Some(Duration::MAX),
        output_bytes: Some(UNLIMITED),
        host_calls: Some(UNLIMITED),
        ..Budget::default()
    };
    for what in HOGS {
        let hog = spawn(&system, "hog.wasm", |spec| ActorSpec { budget, ..spec }.grant("message.send sink"))?;
        system.send(hog, what, &SendOptions::default())?;
    }
    let mut beside = measure(&system, echo)?;
    system.close(Some(Duration::from_millis(1)))?;
    let mut row = |name, percent| Row {
        name,
        unit: "us",
        ours: percentile(&mut beside, percent),
        peer: percentile(&mut alone, percent),
        peer_name: "the same, alone",
    };
    Ok(vec![row("wasm/neighbour-hogs-p50", 50), row("wasm/neighbour-hogs-p99", 99)])
}

fn measure(system: &System, echo: ActorHandle) -> Result<Vec<f64>> {
    let mut waited = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        std::thread::sleep(PAUSE);
        let began = Instant::now();
        system.request(echo, b"x", &RequestOptions::default())?;
        waited.push(began.elapsed().as_secs_f64() * 1e6);
    }
    Ok(waited)
}
