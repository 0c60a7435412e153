//! The options of JavaScript as the facade's plain data. Types were checked in `ts/options.ts`; what a value may be
//! is the core's business.

use std::collections::BTreeMap;
use std::time::Duration;

use airwasm::{
    ActorSpec, AuditOptions, Budget, CompileHelper, ComponentHandle, Config, Limits, RequestOptions, Result,
    SendOptions,
};
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

/// How a system is opened.
#[napi(object, object_to_js = false)]
pub struct OpenSpec {
    pub policy: Option<String>,
    pub policy_watch_ms: Option<f64>,
    pub audit: Option<String>,
    pub audit_options: Option<AuditSpec>,
    pub cache_dir: Option<String>,
    pub profile: Option<String>,
    pub kv: Option<String>,
    pub fuel: Option<bool>,
    /// A program and its arguments.
    pub compile_helper: Option<Vec<String>>,
}

/// How the audit is kept.
#[napi(object, object_to_js = false)]
pub struct AuditSpec {
    pub level: Option<String>,
    pub on_failure: Option<String>,
    pub on_full: Option<String>,
    pub rotate_bytes: Option<f64>,
    pub rotate_files: Option<f64>,
    pub summary_ms: Option<f64>,
    pub stderr: Option<bool>,
}

/// How an actor is spawned.
#[napi(object, object_to_js = false)]
pub struct SpawnSpec {
    pub component: Option<BigInt>,
    pub name: Option<String>,
    pub grants: Option<Vec<String>>,
    pub limits: Option<LimitsSpec>,
    pub budget: Option<BudgetSpec>,
    /// JSON text.
    pub config: Option<String>,
    pub restart: Option<String>,
    pub shutdown_ms: Option<f64>,
    pub significant: Option<bool>,
    pub overflow: Option<String>,
    pub health_interval_ms: Option<f64>,
    pub health_missed: Option<f64>,
    pub errors_max: Option<f64>,
    pub error_period_ms: Option<f64>,
    pub args: Option<Vec<String>>,
    pub env: Option<BTreeMap<String, String>>,
    pub http_listen: Option<String>,
}

/// What an instance may hold; `Infinity` takes a bound away.
#[napi(object, object_to_js = false)]
pub struct LimitsSpec {
    pub memory_bytes: Option<f64>,
    pub table_elements: Option<f64>,
    pub handles: Option<f64>,
    pub mailbox_messages: Option<f64>,
    pub mailbox_bytes: Option<f64>,
    pub payload_bytes: Option<f64>,
    pub cpu_percent: Option<f64>,
    pub written_bytes: Option<f64>,
    pub region_bytes: Option<f64>,
}

/// What a message may use; `Infinity` takes a bound away.
#[napi(object, object_to_js = false)]
pub struct BudgetSpec {
    pub cpu_ms: Option<f64>,
    pub wall_ms: Option<f64>,
    pub fuel: Option<f64>,
    pub output_bytes: Option<f64>,
    pub host_calls: Option<f64>,
}

/// Milliseconds as a duration; what no duration can hold, `Infinity` first of all, is the longest one.
pub fn millis(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or(Duration::MAX)
}

/// A count as the facade's integer. `Infinity` becomes `UNLIMITED`, for the conversion saturates.
pub fn count(number: f64) -> u64 {
    number as u64
}

/// A handle as the facade's integer; one that is out of range names nothing.
pub fn raw(handle: &BigInt) -> u64 {
    match handle.get_u64() {
        (_, value, true) => value,
        _ => 0,
    }
}

/// How a message is sent.
pub fn send_options(content_type: Option<String>) -> SendOptions {
    SendOptions { content_type }
}

/// How a request is made.
pub fn request_options(timeout_ms: Option<f64>, content_type: Option<String>) -> RequestOptions {
    RequestOptions { timeout: timeout_ms.map(millis), content_type }
}

impl From<OpenSpec> for Config {
    fn from(spec: OpenSpec) -> Self {
        Self {
            policy: spec.policy.map(Into::into),
            policy_watch: spec.policy_watch_ms.map(millis),
            audit: spec.audit.map(Into::into),
            audit_options: spec.audit_options.map(Into::into).unwrap_or_default(),
            cache_dir: spec.cache_dir.map(Into::into),
            profile: spec.profile,
            kv: spec.kv.map(Into::into),
            fuel: spec.fuel.unwrap_or_default(),
            compile_helper: spec
                .compile_helper
                .map(|command| CompileHelper { command, ..CompileHelper::default() }),
            ..Self::default()
        }
    }
}

impl From<AuditSpec> for AuditOptions {
    fn from(spec: AuditSpec) -> Self {
        Self {
            level: spec.level,
            on_failure: spec.on_failure,
            on_full: spec.on_full,
            rotate_bytes: spec.rotate_bytes.map(count),
            rotate_files: spec.rotate_files.map(count),
            summary_interval: spec.summary_ms.map(millis),
            stderr: spec.stderr.unwrap_or_default(),
        }
    }
}

impl From<LimitsSpec> for Limits {
    fn from(spec: LimitsSpec) -> Self {
        Self {
            memory_bytes: spec.memory_bytes.map(count),
            table_elements: spec.table_elements.map(count),
            handles: spec.handles.map(count),
            mailbox_messages: spec.mailbox_messages.map(count),
            mailbox_bytes: spec.mailbox_bytes.map(count),
            payload_bytes: spec.payload_bytes.map(count),
            cpu_percent: spec.cpu_percent.map(count),
            written_bytes: spec.written_bytes.map(count),
            region_bytes: spec.region_bytes.map(count),
        }
    }
}

impl From<BudgetSpec> for Budget {
    fn from(spec: BudgetSpec) -> Self {
        Self {
            cpu: spec.cpu_ms.map(millis),
            wall: spec.wall_ms.map(millis),
            fuel: spec.fuel.map(count),
            output_bytes: spec.output_bytes.map(count),
            host_calls: spec.host_calls.map(count),
        }
    }
}

impl SpawnSpec {
    /// The facade's spec, or the first of its parts that is none.
    pub fn into_spec(self) -> Result<ActorSpec> {
        Ok(ActorSpec {
            component: self.component.map(|handle| ComponentHandle::from_raw(raw(&handle))).transpose()?,
            name: self.name,
            grants: self.grants.unwrap_or_default(),
            limits: self.limits.map(Into::into).unwrap_or_default(),
            budget: self.budget.map(Into::into).unwrap_or_default(),
            config: self.config,
            restart: self.restart.map(|text| text.parse()).transpose()?,
            shutdown: self.shutdown_ms.map(millis),
            significant: self.significant.unwrap_or_default(),
            overflow: self.overflow.map(|text| text.parse()).transpose()?,
            health_interval: self.health_interval_ms.map(millis),
            health_missed: self.health_missed.map(count),
            errors_max: self.errors_max.map(count),
            error_period: self.error_period_ms.map(millis),
            args: self.args.unwrap_or_default(),
            env: self.env.unwrap_or_default().into_iter().collect(),
            http_listen: self.http_listen,
        })
    }
}
