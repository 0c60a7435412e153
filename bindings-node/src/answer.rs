//! What goes back to JavaScript: a value, or the JSON text of an error.

use std::panic::{AssertUnwindSafe, catch_unwind};

use airwasm::{
    ActorHandle, ActorStatus, CloseReport, Code, ComponentHandle, ComponentInfo, DeadLetter, Down, Error,
    Event, Explanation, GrantHandle, GrantInfo, KvKeys, PolicyReport, RegionInfo, Stats, SubscriptionHandle,
    System, TimerHandle, TreeNode,
};
use napi::Env;
use napi::bindgen_prelude::{BufferSlice, Null, ToNapiValue, Unknown};
use serde_json::json;

use crate::records::{
    ActorAnswer, ClosedAnswer, DeadLetterAnswer, DownAnswer, EventAnswer, ExplanationAnswer, GrantAnswer,
    InfoAnswer, KeysAnswer, LoadedAnswer, PolicyAnswer, RegionAnswer, StatsAnswer, StatusAnswer, TreeAnswer,
    number,
};

/// What an operation gave.
pub enum Value {
    Nothing,
    Flag(bool),
    Count(u64),
    Bytes(Vec<u8>),
    Found(Option<Vec<u8>>),
    Keys(KvKeys),
    Component(ComponentHandle),
    Info(ComponentInfo),
    Actor(ActorHandle),
    Actors(Vec<ActorHandle>),
    Status(ActorStatus),
    Statuses(Vec<ActorStatus>),
    Grant(GrantHandle),
    Grants(Vec<GrantInfo>),
    Explained(Explanation),
    Tested(PolicyReport),
    Stats(Stats),
    Regions(Vec<RegionInfo>),
    Closed(CloseReport),
    Tree(Vec<TreeNode>),
    Down(Down),
    Subscription(SubscriptionHandle),
    Timer(TimerHandle),
    DeadLetters(Vec<DeadLetter>),
    /// `None` ends the stream.
    Event(Option<Event>),
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
    Actors(Vec<ActorAnswer>),
}

fn resolve(value: Value, system: Option<&System>) -> airwasm::Result<Resolved> {
    Ok(match (value, system) {
        (Value::Component(handle), Some(system)) => {
            Resolved::Loaded(LoadedAnswer { handle: handle.raw(), digest: system.inspect(handle)?.digest })
        }
        (Value::Actor(handle), Some(system)) => Resolved::Actor(actor_answer(handle, system)?),
        (Value::Actors(handles), Some(system)) => {
            let named = handles.into_iter().map(|handle| actor_answer(handle, system));
            Resolved::Actors(named.collect::<airwasm::Result<_>>()?)
        }
        (value, _) => Resolved::Plain(value),
    })
}

fn actor_answer(handle: ActorHandle, system: &System) -> airwasm::Result<ActorAnswer> {
    Ok(ActorAnswer { handle: handle.raw(), id: system.id(handle)? })
}

fn to_js<'e>(env: &'e Env, resolved: Resolved) -> napi::Result<Unknown<'e>> {
    let value = match resolved {
        Resolved::Loaded(loaded) => return loaded.into_unknown(env),
        Resolved::Actor(actor) => return actor.into_unknown(env),
        Resolved::Actors(actors) => return actors.into_unknown(env),
        Resolved::Plain(value) => value,
    };
    match value {
        Value::Nothing => ().into_unknown(env),
        Value::Flag(flag) => flag.into_unknown(env),
        Value::Count(count) => number(count).into_unknown(env),
        Value::Bytes(bytes) => (&BufferSlice::copy_from(env, bytes)?).into_unknown(env),
        Value::Found(Some(bytes)) => (&BufferSlice::copy_from(env, bytes)?).into_unknown(env),
        Value::Found(None) => Null.into_unknown(env),
        Value::Keys(page) => KeysAnswer::from(page).into_unknown(env),
        Value::Component(handle) => handle.raw().into_unknown(env),
        Value::Actor(handle) => handle.raw().into_unknown(env),
        Value::Actors(handles) => {
            handles.into_iter().map(ActorHandle::raw).collect::<Vec<_>>().into_unknown(env)
        }
        Value::Grant(handle) => handle.raw().into_unknown(env),
        Value::Subscription(handle) => handle.raw().into_unknown(env),
        Value::Timer(handle) => handle.raw().into_unknown(env),
        Value::Info(info) => InfoAnswer::from(info).into_unknown(env),
        Value::Status(status) => StatusAnswer::from(status).into_unknown(env),
        Value::Statuses(all) => all.into_iter().map(StatusAnswer::from).collect::<Vec<_>>().into_unknown(env),
        Value::Grants(all) => all.into_iter().map(GrantAnswer::from).collect::<Vec<_>>().into_unknown(env),
        Value::Explained(explained) => ExplanationAnswer::from(explained).into_unknown(env),
        Value::Tested(report) => PolicyAnswer::from(report).into_unknown(env),
        Value::Stats(stats) => StatsAnswer::from(stats).into_unknown(env),
        Value::Regions(all) => all.into_iter().map(RegionAnswer::from).collect::<Vec<_>>().into_unknown(env),
        Value::Closed(report) => ClosedAnswer::from(report).into_unknown(env),
        Value::Tree(tops) => tops.into_iter().map(TreeAnswer::from).collect::<Vec<_>>().into_unknown(env),
        Value::Down(down) => DownAnswer::from(down).into_unknown(env),
        Value::DeadLetters(all) => {
            all.into_iter().map(DeadLetterAnswer::from).collect::<Vec<_>>().into_unknown(env)
        }
        Value::Event(Some(event)) => EventAnswer::from(event).into_unknown(env),
        Value::Event(None) => Null.into_unknown(env),
    }
}
