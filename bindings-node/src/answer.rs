//! What goes back to JavaScript: a value, or the JSON text of an error.

use std::panic::{AssertUnwindSafe, catch_unwind};

use airwasm::{
    ActorHandle, ActorStatus, CloseReport, Code, ComponentHandle, ComponentInfo, Error, Event, GrantHandle,
    GrantInfo, Stats, System,
};
use napi::Env;
use napi::bindgen_prelude::{BufferSlice, Null, ToNapiValue, Unknown};
use napi_derive::napi;
use serde_json::json;

/// What an operation gave.
pub enum Value {
    Nothing,
    Flag(bool),
    Count(u64),
    Bytes(Vec<u8>),
    Component(ComponentHandle),
    Info(ComponentInfo),
    Actor(ActorHandle),
    Status(ActorStatus),
    Statuses(Vec<ActorStatus>),
    Grant(GrantHandle),
    Grants(Vec<GrantInfo>),
    Stats(Stats),
    Closed(CloseReport),
    /// `None` ends the stream.
    Event(Option<Event>),
}

/// A loaded component.
#[napi(object, object_from_js = false)]
pub struct LoadedAnswer {
    pub handle: u64,
    pub digest: String,
}

/// An actor.
#[napi(object, object_from_js = false)]
pub struct ActorAnswer {
    pub handle: u64,
    pub id: String,
}

/// `ComponentInfo`.
#[napi(object, object_from_js = false)]
pub struct InfoAnswer {
    pub digest: String,
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    pub capabilities: Vec<String>,
    pub handler: bool,
    pub lifecycle: bool,
}

/// `ActorStatus`.
#[napi(object, object_from_js = false)]
pub struct StatusAnswer {
    pub id: String,
    pub state: String,
    pub mailbox_messages: f64,
    pub handled: f64,
    pub restarts: f64,
}

/// `GrantInfo`.
#[napi(object, object_from_js = false)]
pub struct GrantAnswer {
    pub grant: u64,
    pub capability: String,
    pub ttl_ms: Option<f64>,
    pub open: f64,
}

/// `Stats`.
#[napi(object, object_from_js = false)]
pub struct StatsAnswer {
    pub components: f64,
    pub actors: f64,
    pub sent: f64,
    pub delivered: f64,
    pub rejected: f64,
    pub dropped: f64,
    pub dead_letters: f64,
    pub restarts: f64,
    pub denied: f64,
}

/// `CloseReport`.
#[napi(object, object_from_js = false)]
pub struct ClosedAnswer {
    pub stopped: f64,
    pub killed: f64,
    pub dead_letters: f64,
}

/// `Event`; its detail is JSON text.
#[napi(object, object_from_js = false)]
pub struct EventAnswer {
    pub seq: u64,
    pub time_unix_ms: f64,
    pub kind: String,
    pub actor: Option<String>,
    pub detail: String,
}

/// A count as JavaScript's number; exact up to 2^53, far beyond what is counted here.
pub fn number(count: u64) -> f64 {
    count as f64
}

/// Does `work` and answers with what came of it. A panic becomes an error here and goes no further.
pub fn answer<'e>(
    env: &'e Env,
    system: Option<&System>,
    work: impl FnOnce() -> airwasm::Result<Value>,
) -> napi::Result<Unknown<'e>> {
    match guard(work).and_then(|value| resolve(value, system)) {
        Ok(resolved) => to_js(env, resolved),
        Err(error) => error_text(&error).into_unknown(env),
    }
}

/// `work`, with a panic as the error that asks to report it.
pub fn guard<T>(work: impl FnOnce() -> airwasm::Result<T>) -> airwasm::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Error::new(Code::Panic, format!("panic at the Node boundary: {said}")))
    })
}

/// The parts of an error as the JSON text that `ts/errors.ts` reads.
pub fn error_text(error: &Error) -> String {
    json!({
        "name": error.code.name(),
        "number": error.code.number(),
        "message": error.message,
        "actor": error.actor,
        "detail": error.detail,
    })
    .to_string()
}

/// A value with what JavaScript is told besides its handle, which only the system knows.
enum Resolved {
    Plain(Value),
    Loaded(LoadedAnswer),
    Actor(ActorAnswer),
}

fn resolve(value: Value, system: Option<&System>) -> airwasm::Result<Resolved> {
    Ok(match (value, system) {
        (Value::Component(handle), Some(system)) => {
            Resolved::Loaded(LoadedAnswer { handle: handle.raw(), digest: system.inspect(handle)?.digest })
        }
        (Value::Actor(handle), Some(system)) => {
            Resolved::Actor(ActorAnswer { handle: handle.raw(), id: system.id(handle)? })
        }
        (value, _) => Resolved::Plain(value),
    })
}

fn to_js<'e>(env: &'e Env, resolved: Resolved) -> napi::Result<Unknown<'e>> {
    let value = match resolved {
        Resolved::Loaded(loaded) => return loaded.into_unknown(env),
        Resolved::Actor(actor) => return actor.into_unknown(env),
        Resolved::Plain(value) => value,
    };
    match value {
        Value::Nothing => ().into_unknown(env),
        Value::Flag(flag) => flag.into_unknown(env),
        Value::Count(count) => number(count).into_unknown(env),
        Value::Bytes(bytes) => (&BufferSlice::copy_from(env, bytes)?).into_unknown(env),
        Value::Component(handle) => handle.raw().into_unknown(env),
        Value::Actor(handle) => handle.raw().into_unknown(env),
        Value::Grant(handle) => handle.raw().into_unknown(env),
        Value::Info(info) => InfoAnswer::from(info).into_unknown(env),
        Value::Status(status) => StatusAnswer::from(status).into_unknown(env),
        Value::Statuses(all) => all.into_iter().map(StatusAnswer::from).collect::<Vec<_>>().into_unknown(env),
        Value::Grants(all) => all.into_iter().map(GrantAnswer::from).collect::<Vec<_>>().into_unknown(env),
        Value::Stats(stats) => StatsAnswer::from(stats).into_unknown(env),
        Value::Closed(report) => ClosedAnswer::from(report).into_unknown(env),
        Value::Event(Some(event)) => EventAnswer::from(event).into_unknown(env),
        Value::Event(None) => Null.into_unknown(env),
    }
}

impl From<ComponentInfo> for InfoAnswer {
    fn from(info: ComponentInfo) -> Self {
        let ComponentInfo { digest, imports, exports, capabilities, handler, lifecycle } = info;
        Self { digest, imports, exports, capabilities, handler, lifecycle }
    }
}

impl From<ActorStatus> for StatusAnswer {
    fn from(status: ActorStatus) -> Self {
        Self {
            id: status.id,
            state: status.state,
            mailbox_messages: number(status.mailbox_messages),
            handled: number(status.handled),
            restarts: number(status.restarts),
        }
    }
}

impl From<GrantInfo> for GrantAnswer {
    fn from(info: GrantInfo) -> Self {
        Self {
            grant: info.grant.raw(),
            capability: info.capability,
            ttl_ms: info.ttl.map(|ttl| ttl.as_secs_f64() * 1_000.0),
            open: number(info.open),
        }
    }
}

impl From<Stats> for StatsAnswer {
    fn from(stats: Stats) -> Self {
        Self {
            components: number(stats.components),
            actors: number(stats.actors),
            sent: number(stats.sent),
            delivered: number(stats.delivered),
            rejected: number(stats.rejected),
            dropped: number(stats.dropped),
            dead_letters: number(stats.dead_letters),
            restarts: number(stats.restarts),
            denied: number(stats.denied),
        }
    }
}

impl From<CloseReport> for ClosedAnswer {
    fn from(report: CloseReport) -> Self {
        Self {
            stopped: number(report.stopped),
            killed: number(report.killed),
            dead_letters: number(report.dead_letters),
        }
    }
}

impl From<Event> for EventAnswer {
    fn from(event: Event) -> Self {
        Self {
            seq: event.seq,
            time_unix_ms: event.time_unix_ms() as f64,
            detail: event.detail_json(),
            kind: event.kind,
            actor: event.actor,
        }
    }
}
