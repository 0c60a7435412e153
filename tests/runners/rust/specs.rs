//! Specs of actors and supervisors as the keys of a step say them.

use std::time::Duration;

use airwasm::{ActorSpec, Backoff, Budget, Limits, SupervisorSpec};

use crate::step::Step;
use crate::world::Fault;

type Parsed<T> = Result<T, Fault>;

pub fn millis(step: &mut Step, key: &str) -> Option<Duration> {
    step.count(key).map(Duration::from_millis)
}

fn word<T: std::str::FromStr<Err = airwasm::Error>>(step: &mut Step, key: &str) -> Parsed<Option<T>> {
    Ok(step.text(key).map(|text| text.parse()).transpose()?)
}

/// The keys that guests and functions of the host share.
pub fn host_spec(step: &mut Step) -> Parsed<ActorSpec> {
    let limits = Limits { mailbox_messages: step.count("mailbox_messages"), ..Limits::default() };
    let errors_max = step.count("errors_max");
    let health_missed = step.count("health_missed");
    let health_interval = millis(step, "health_interval_ms");
    let (restart, overflow) = (word(step, "restart")?, word(step, "overflow")?);
    let name = step.text("name");
    Ok(ActorSpec {
        name,
        restart,
        overflow,
        errors_max,
        health_interval,
        health_missed,
        limits,
        ..ActorSpec::default()
    })
}

/// The keys of an actor that does for others what the operating system does.
pub fn service_spec(step: &mut Step) -> Parsed<ActorSpec> {
    let grants = step.text("grant").unwrap_or_default();
    Ok(ActorSpec {
        name: step.text("name"),
        restart: word(step, "restart")?,
        grants: grants.lines().map(str::to_owned).collect(),
        limits: Limits { payload_bytes: step.count("payload_bytes"), ..Limits::default() },
        ..ActorSpec::default()
    })
}

/// The keys of a guest, its component apart.
pub fn guest_spec(step: &mut Step) -> Parsed<ActorSpec> {
    let spec = host_spec(step)?;
    let mut lines = |key| {
        let text = step.text(key).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (grants, args) = (lines("grant"), lines("args"));
    let variable = |line: String| {
        let (name, value) = line.split_once('=').expect("a line of env is NAME=value");
        (name.to_owned(), value.to_owned())
    };
    let env = lines("env").into_iter().map(variable).collect();
    Ok(ActorSpec {
        grants,
        args,
        env,
        config: step.text("config"),
        http_listen: step.text("http_listen"),
        budget: Budget {
            cpu: millis(step, "cpu_ms"),
            wall: millis(step, "wall_ms"),
            host_calls: step.count("host_calls"),
            output_bytes: step.count("output_bytes"),
            fuel: step.count("fuel"),
        },
        limits: Limits {
            memory_bytes: step.count("memory_bytes"),
            handles: step.count("handles"),
            payload_bytes: step.count("payload_bytes"),
            cpu_percent: step.count("cpu_percent"),
            written_bytes: step.count("written_bytes"),
            region_bytes: step.count("region_bytes"),
            ..spec.limits
        },
        ..spec
    })
}

/// The keys of a supervisor, its children apart.
pub fn supervisor_spec(step: &mut Step) -> Parsed<SupervisorSpec> {
    Ok(SupervisorSpec {
        name: step.need("name"),
        strategy: word(step, "strategy")?,
        intensity: step.count("intensity"),
        period: millis(step, "period_ms"),
        backoff: Backoff { initial: millis(step, "initial_ms"), ..Backoff::default() },
        give_up: word(step, "give_up")?,
        auto_shutdown: word(step, "auto_shutdown")?,
        restart: word(step, "restart")?,
        children: Vec::new(),
    })
}
