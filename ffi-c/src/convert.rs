//! C structs as the facade's: 0 and NULL are absent, `AIRWASM_UNLIMITED` is the longest time or the largest count.

use std::ffi::c_char;
use std::path::PathBuf;
use std::time::Duration;

use airwasm::{
    ActorSpec, Asker, AuditOptions, Budget, CompileHelper, ComponentHandle, Config, Error, Limits, Overflow,
    RequestOptions, Restart, Result, SendOptions, System,
};

use crate::constants::{
    AIRWASM_OVERFLOW_BLOCK, AIRWASM_OVERFLOW_DROP_OLDEST, AIRWASM_OVERFLOW_REJECT, AIRWASM_PERMANENT,
    AIRWASM_TEMPORARY, AIRWASM_TRANSIENT, AIRWASM_UNLIMITED, AIRWASM_ZERO,
};
use crate::raw;
use crate::types::{
    airwasm_actor_spec, airwasm_audit_options, airwasm_budget, airwasm_limits, airwasm_options,
    airwasm_request_options, airwasm_send_options, airwasm_wait_options,
};

pub(crate) fn time(ms: u64) -> Option<Duration> {
    match ms {
        0 => None,
        AIRWASM_ZERO => Some(Duration::ZERO),
        AIRWASM_UNLIMITED => Some(Duration::MAX),
        ms => Some(Duration::from_millis(ms)),
    }
}

/// A count that may be 0.
pub(crate) fn count_or_zero(given: u64) -> Option<u64> {
    match given {
        0 => None,
        AIRWASM_ZERO => Some(0),
        given => Some(given),
    }
}

/// What one of the constants of a field means.
pub(crate) fn word<T: Copy>(given: u32, which: &str, words: &[(u32, T)]) -> Result<Option<T>> {
    if given == 0 {
        return Ok(None);
    }
    let found = words.iter().find(|(number, _)| *number == given).map(|(_, word)| *word);
    found.map(Some).ok_or_else(|| Error::argument(which, format!("{given} is none of its constants")))
}

fn count(given: u64) -> Option<u64> {
    (given != 0).then_some(given)
}

pub(crate) fn config(options: Option<airwasm_options>) -> Result<Config> {
    let Some(options) = options else { return Ok(Config::default()) };
    Ok(Config {
        policy: raw::optional_text(options.policy, "policy")?.map(PathBuf::from),
        policy_watch: time(options.policy_watch_ms),
        audit: raw::optional_text(options.audit, "audit")?.map(PathBuf::from),
        audit_options: raw::optional_sized(options.audit_options, "audit_options")?
            .map_or(Ok(AuditOptions::default()), audit_options)?,
        cache_dir: raw::optional_text(options.cache_dir, "cache_dir")?.map(PathBuf::from),
        profile: raw::optional_text(options.profile, "profile")?,
        kv: raw::optional_text(options.kv, "kv")?.map(PathBuf::from),
        fuel: options.fuel != 0,
        compile_helper: compile_helper(&options)?,
        ..Config::default()
    })
}

fn compile_helper(options: &airwasm_options) -> Result<Option<CompileHelper>> {
    let command = raw::texts(options.compile_helper, options.compile_helper_len, "compile_helper")?;
    Ok((!command.is_empty()).then(|| CompileHelper { command, ..CompileHelper::default() }))
}

fn audit_options(given: airwasm_audit_options) -> Result<AuditOptions> {
    Ok(AuditOptions {
        level: raw::optional_text(given.level, "audit_level")?,
        on_failure: raw::optional_text(given.on_failure, "audit_on_failure")?,
        on_full: raw::optional_text(given.on_full, "audit_on_full")?,
        rotate_bytes: count_or_zero(given.rotate_bytes),
        rotate_files: count_or_zero(given.rotate_files),
        summary_interval: time(given.summary_ms),
        stderr: given.to_stderr != 0,
    })
}

/// The spec of a guest; without a component it is for the core to refuse, or a host actor's.
pub(crate) fn actor_spec(spec: *const airwasm_actor_spec) -> Result<ActorSpec> {
    let spec = raw::sized(spec, "spec")?;
    let component = (spec.component != 0).then(|| ComponentHandle::from_raw(spec.component)).transpose()?;
    Ok(ActorSpec {
        component,
        name: raw::optional_text(spec.name, "name")?,
        grants: raw::texts(spec.grants, spec.grants_len, "grants")?,
        limits: raw::optional_sized(spec.limits, "limits")?.map_or(Limits::default(), limits),
        budget: raw::optional_sized(spec.budget, "budget")?.map_or(Budget::default(), budget),
        config: raw::optional_text(spec.config, "config")?,
        restart: restart(spec.restart)?,
        shutdown: time(spec.shutdown_ms),
        significant: spec.significant != 0,
        overflow: overflow(spec.overflow)?,
        health_interval: time(spec.health_interval_ms),
        health_missed: count_or_zero(spec.health_missed),
        errors_max: count_or_zero(spec.errors_max),
        error_period: time(spec.error_period_ms),
        args: raw::texts(spec.args, spec.args_len, "args")?,
        env: raw::texts(spec.env, spec.env_len, "env")?
            .iter()
            .map(|text| variable(text))
            .collect::<Result<_>>()?,
        http_listen: raw::optional_text(spec.http_listen, "http_listen")?,
    })
}

/// A variable as it stands in an environment of C.
fn variable(text: &str) -> Result<(String, String)> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| Error::argument("env", format!("{text:?} is no NAME=value")))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn limits(given: airwasm_limits) -> Limits {
    Limits {
        memory_bytes: count(given.memory_bytes),
        table_elements: count(given.table_elements),
        handles: count(given.handles),
        mailbox_messages: count(given.mailbox_messages),
        mailbox_bytes: count(given.mailbox_bytes),
        payload_bytes: count(given.payload_bytes),
        cpu_percent: count(given.cpu_percent),
        written_bytes: count(given.written_bytes),
        region_bytes: count(given.region_bytes),
    }
}

fn budget(given: airwasm_budget) -> Budget {
    Budget {
        cpu: time(given.cpu_ms),
        wall: time(given.wall_ms),
        fuel: count(given.fuel),
        output_bytes: count(given.output_bytes),
        host_calls: count(given.host_calls),
    }
}

pub(crate) fn restart(given: u32) -> Result<Option<Restart>> {
    let words = [
        (AIRWASM_PERMANENT, Restart::Permanent),
        (AIRWASM_TRANSIENT, Restart::Transient),
        (AIRWASM_TEMPORARY, Restart::Temporary),
    ];
    word(given, "restart", &words)
}

fn overflow(given: u32) -> Result<Option<Overflow>> {
    let words = [
        (AIRWASM_OVERFLOW_REJECT, Overflow::Reject),
        (AIRWASM_OVERFLOW_DROP_OLDEST, Overflow::DropOldest),
        (AIRWASM_OVERFLOW_BLOCK, Overflow::Block),
    ];
    word(given, "overflow", &words)
}

pub(crate) fn send_options(options: *const airwasm_send_options) -> Result<SendOptions> {
    let Some(options) = raw::optional_sized(options, "options")? else { return Ok(SendOptions::default()) };
    Ok(SendOptions { content_type: raw::optional_text(options.content_type, "content_type")? })
}

/// On whose behalf a send waits.
pub(crate) fn sender(system: &System, options: *const airwasm_send_options) -> Result<Asker> {
    raw::optional_sized(options, "options")?
        .map_or(Ok(Asker::default()), |options| asker(system, options.asked_by))
}

pub(crate) fn request_options(
    system: &System,
    options: *const airwasm_request_options,
) -> Result<(RequestOptions, Asker)> {
    let Some(options) = raw::optional_sized(options, "options")? else { return Ok(Default::default()) };
    let content_type = raw::optional_text(options.content_type, "content_type")?;
    let asker = asker(system, options.asked_by)?;
    Ok((RequestOptions { timeout: time(options.timeout_ms), content_type }, asker))
}

pub(crate) fn wait_options(system: &System, options: *const airwasm_wait_options) -> Result<Asker> {
    raw::optional_sized(options, "options")?
        .map_or(Ok(Asker::default()), |options| asker(system, options.asked_by))
}

fn asker(system: &System, asked_by: *const c_char) -> Result<Asker> {
    system.asker(raw::optional_text(asked_by, "asked_by")?.as_deref())
}
