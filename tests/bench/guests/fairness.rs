//! `wasm/fairness-guests-*`: a request that waits in queues beside four guests that never end, in ticks of a millisecond.
//!
//! A guest is asked on the caller's thread and asks another one, so the way there and the way back each wait for a worker.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use airwasm::{ActorHandle, ActorSpec, Budget, Config, RequestOptions, Result, SendOptions, System};

use crate::report::{Row, percentile};

const ENDLESS: usize = 4;
const REQUESTS: usize = 2_000;
/// What a request may wait: two ticks on each of its two ways.
const ALLOWED_MS: f64 = 4.0;

pub fn spawn(
    system: &System,
    component: &str,
    spec: impl FnOnce(ActorSpec) -> ActorSpec,
) -> Result<ActorHandle> {
    let component = system.load(&Path::new("target/guests").join(component))?;
    system.spawn(spec(ActorSpec::new(component)))
}

fn measure() -> Result<Vec<f64>> {
    let system = System::open(Config::default())?;
    spawn(&system, "echo.wasm", |spec| spec.name("echo"))?;
    let relay = spawn(&system, "relay.wasm", |spec| spec.name("relay").grant("message.request echo"))?;
    for _ in 0..ENDLESS {
        let budget = Budget { cpu: Some(Duration::MAX), wall: Some(Duration::MAX), ..Budget::default() };
        let looper = spawn(&system, "looper.wasm", |spec| ActorSpec { budget, ..spec })?;
        system.send(looper, b"loop", &SendOptions::default())?;
    }
    let mut waited = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let began = Instant::now();
        system.request(relay, b"default/echo/0 x", &RequestOptions::default())?;
        waited.push(began.elapsed().as_secs_f64() * 1e3);
    }
    system.close(Some(Duration::from_millis(1)))?;
    Ok(waited)
}

pub fn rows() -> std::result::Result<Vec<Row>, Box<dyn Error>> {
    let mut waited = measure()?;
    let mut row = |name, percent| Row {
        name,
        unit: "ms",
        ours: percentile(&mut waited, percent),
        peer: ALLOWED_MS,
        peer_name: "two ticks a way",
    };
    Ok(vec![row("wasm/fairness-guests-p50", 50), row("wasm/fairness-guests-p99", 99)])
}
