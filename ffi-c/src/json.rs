//! What the facade tells, as JSON text: the keys are the facade's names, times end in `_ms`, handles are texts
//! because a JSON number may lose their lowest digits.

use airwasm::{ActorStatus, CloseReport, ComponentInfo, GrantInfo, Stats};
use serde_json::{Value, json};

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

pub(crate) fn close_report(report: &CloseReport) -> Vec<u8> {
    let CloseReport { stopped, killed, dead_letters } = report;
    text(&json!({ "stopped": stopped, "killed": killed, "dead_letters": dead_letters }))
}

pub(crate) fn component(info: &ComponentInfo) -> Vec<u8> {
    let ComponentInfo { digest, imports, exports, capabilities, handler, lifecycle } = info;
    text(&json!({
        "digest": digest, "imports": imports, "exports": exports, "capabilities": capabilities,
        "handler": handler, "lifecycle": lifecycle,
    }))
}

fn status_value(status: &ActorStatus) -> Value {
    let ActorStatus { id, state, mailbox_messages, handled, restarts, .. } = status;
    json!({
        "id": id, "state": state, "mailbox_messages": mailbox_messages, "handled": handled, "restarts": restarts,
    })
}

pub(crate) fn status(status: &ActorStatus) -> Vec<u8> {
    text(&status_value(status))
}

pub(crate) fn list(all: &[ActorStatus]) -> Vec<u8> {
    text(&all.iter().map(status_value).collect())
}

pub(crate) fn grants(grants: &[GrantInfo]) -> Vec<u8> {
    let one = |GrantInfo { grant, capability, ttl, open }: &GrantInfo| {
        let ttl_ms = ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
        json!({ "grant": grant.raw().to_string(), "capability": capability, "ttl_ms": ttl_ms, "open": open })
    };
    text(&grants.iter().map(one).collect())
}

pub(crate) fn stats(stats: &Stats) -> Vec<u8> {
    let Stats { components, actors, sent, delivered, rejected, dropped, dead_letters, restarts, denied } =
        stats;
    text(&json!({
        "components": components, "actors": actors, "sent": sent, "delivered": delivered, "rejected": rejected,
        "dropped": dropped, "dead_letters": dead_letters, "restarts": restarts, "denied": denied,
    }))
}
