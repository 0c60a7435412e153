//! What the specs of the facade mean to the runtime.

use std::time::Duration;

use airssys_rt::{Bounds, ErrorRate, Health, Intensity, Shutdown, Spec};

use super::supervisor_spec::SupervisorSpec;
use crate::types::error::{Error, Result};
use crate::types::limits::{ResolvedLimits, UNLIMITED};
use crate::types::spec::{ActorSpec, Overflow, Restart};
use crate::types::supervisor::{AutoShutdown, Backoff, GiveUp, Strategy};

const HEALTH_MISSED: u32 = 2;
const ERROR_PERIOD: Duration = Duration::from_millis(10_000);

/// All of a spec but the id.
pub(super) fn checked(spec: &ActorSpec, limits: &ResolvedLimits) -> Result<Spec> {
    let nonzero = |which, given: Option<Duration>| match given {
        Some(Duration::ZERO) => Err(Error::argument(which, "0 is no time; leave it out for the default")),
        given => Ok(given),
    };
    let interval = nonzero("health_interval_ms", spec.health_interval)?;
    let period = nonzero("error_period_ms", spec.error_period)?.unwrap_or(ERROR_PERIOD);
    let missed_max = small_count("health_missed", spec.health_missed)?.unwrap_or(HEALTH_MISSED);
    let errors_max = small_count("errors_max", spec.errors_max)?.filter(|count| *count != u32::MAX);
    Ok(Spec {
        bounds: Bounds {
            messages_max: limits.mailbox_messages,
            bytes_max: limits.mailbox_bytes,
            message_bytes_max: limits.payload_bytes,
        },
        overflow: spec.overflow.map_or(airssys_rt::Overflow::Reject, overflow),
        shutdown: spec.shutdown.map_or_else(Shutdown::default, Shutdown::After),
        health: interval.map(|interval| Health { interval, missed_max }),
        error_rate: errors_max.map(|errors_max| ErrorRate { errors_max, period }),
        ..Spec::unnamed()
    })
}

/// A number that counts what happens; without a bound it is the largest.
fn small_count(which: &str, given: Option<u64>) -> Result<Option<u32>> {
    let small = |count| match count {
        UNLIMITED => Ok(u32::MAX),
        count => u32::try_from(count).map_err(|_| {
            Error::argument(which, format!("{count} is not 0 to {}, nor without a bound", u32::MAX))
        }),
    };
    given.map(small).transpose()
}

pub(super) fn restart(wanted: Restart) -> airssys_rt::Restart {
    match wanted {
        Restart::Permanent => airssys_rt::Restart::Permanent,
        Restart::Transient => airssys_rt::Restart::Transient,
        Restart::Temporary => airssys_rt::Restart::Temporary,
    }
}

/// The word for what a runtime calls a restart type.
pub(super) fn restart_seen(seen: airssys_rt::Restart) -> Restart {
    match seen {
        airssys_rt::Restart::Permanent => Restart::Permanent,
        airssys_rt::Restart::Transient => Restart::Transient,
        airssys_rt::Restart::Temporary => Restart::Temporary,
    }
}

fn overflow(wanted: Overflow) -> airssys_rt::Overflow {
    match wanted {
        Overflow::Reject => airssys_rt::Overflow::Reject,
        Overflow::DropOldest => airssys_rt::Overflow::DropOldest,
        Overflow::Block => airssys_rt::Overflow::Block,
    }
}

/// The rules of a supervisor with every default filled in.
pub(super) fn rules(spec: &SupervisorSpec) -> Result<airssys_rt::Rules> {
    let defaults = airssys_rt::Rules::default();
    let strategy = match spec.strategy {
        Some(Strategy::OneForAll) => airssys_rt::Strategy::OneForAll,
        Some(Strategy::RestForOne) => airssys_rt::Strategy::RestForOne,
        Some(Strategy::OneForOne) | None => airssys_rt::Strategy::OneForOne,
    };
    let auto_shutdown = match spec.auto_shutdown {
        Some(AutoShutdown::AnySignificant) => airssys_rt::AutoShutdown::AnySignificant,
        Some(AutoShutdown::AllSignificant) => airssys_rt::AutoShutdown::AllSignificant,
        Some(AutoShutdown::Never) | None => airssys_rt::AutoShutdown::Never,
    };
    let give_up = match spec.give_up {
        Some(GiveUp::Restart) => airssys_rt::GiveUp::Restart,
        Some(GiveUp::Ignore) => airssys_rt::GiveUp::Ignore,
        Some(GiveUp::Escalate) | None => airssys_rt::GiveUp::Escalate,
    };
    let intensity = Intensity {
        restarts_max: small_count("intensity", spec.intensity)?.unwrap_or(defaults.intensity.restarts_max),
        period: spec.period.unwrap_or(defaults.intensity.period),
    };
    let backoff = backoff(&spec.backoff, defaults.backoff);
    Ok(airssys_rt::Rules { strategy, intensity, backoff, auto_shutdown, give_up, ..defaults })
}

fn backoff(spec: &Backoff, defaults: airssys_rt::Backoff) -> airssys_rt::Backoff {
    let initial = spec.initial.unwrap_or(defaults.initial);
    airssys_rt::Backoff {
        initial,
        // A long first delay alone is no contradiction.
        max: spec.max.unwrap_or(defaults.max.max(initial)),
        factor: spec.factor.unwrap_or(defaults.factor),
        jitter: spec.jitter.unwrap_or(defaults.jitter),
        ..defaults
    }
}
