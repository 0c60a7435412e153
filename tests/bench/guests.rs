//! `wasm/fairness-guests-*`: a request that waits in queues beside four guests that never end, in ticks of a millisecond.
//!
//! A guest is asked on the caller's thread and asks another one, so the way there and the way back each wait for a worker.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use airwasm::{ActorHandle, ActorSpec, Budget, Config, RequestOptions, Result, SendOptions, System};

const ENDLESS: usize = 4;
const REQUESTS: usize = 2_000;
/// What a request may wait: two ticks on each of its two ways.
const ALLOWED_MS: f64 = 4.0;
const RESULTS: &str = "target/bench/results.jsonl";

fn spawn(system: &System, component: &str, spec: impl FnOnce(ActorSpec) -> ActorSpec) -> Result<ActorHandle> {
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
    waited.sort_by(f64::total_cmp);
    Ok(waited)
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let waited = measure()?;
    let mut lines = String::new();
    for percent in [50, 99] {
        let (name, ours) = (format!("wasm/fairness-guests-p{percent}"), waited[REQUESTS * percent / 100]);
        let ratio = ALLOWED_MS / ours;
        println!("{name:<26} {:>9} {ours:>9.2} {ALLOWED_MS:>9.2} {ratio:>6.2}x  two ticks a way", "ms");
        writeln!(
            lines,
            r#"{{"name":"{name}","ours":{ours},"peer":{ALLOWED_MS},"peer_name":"two ticks a way","unit":"ms","better":"lower","ratio":{ratio}}}"#
        )?;
    }
    fs::create_dir_all("target/bench")?;
    OpenOptions::new().create(true).append(true).open(RESULTS)?.write_all(lines.as_bytes())?;
    Ok(())
}
