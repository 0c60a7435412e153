//! What the facade tells, as JSON text: the keys are the facade's names, times end in `_ms`, handles are texts
//! because a JSON number may lose their lowest digits, bytes are base64 because JSON holds text only.

use airwasm::{
    ActorHandle, ActorStatus, AuditReport, CloseReport, ComponentInfo, DeadLetter, Down, Error, GrantInfo,
    KvKeys, PolicyReport, RegionInfo, Restart, Stats, TreeNode,
};
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

pub(crate) fn kv_keys(page: &KvKeys) -> Vec<u8> {
    let KvKeys { keys, cursor } = page;
    text(&json!({ "keys": keys, "cursor": cursor }))
}

fn status_value(status: &ActorStatus) -> Value {
    let ActorStatus { id, state, mailbox_messages, handled, restarts, last_exit, busy_ms, listening } =
        status;
    json!({
        "id": id, "state": state, "mailbox_messages": mailbox_messages, "handled": handled, "restarts": restarts,
        "last_exit": last_exit, "busy_ms": busy_ms, "listening": listening,
    })
}

pub(crate) fn status(status: &ActorStatus) -> Vec<u8> {
    text(&status_value(status))
}

pub(crate) fn list(all: &[ActorStatus]) -> Vec<u8> {
    text(&all.iter().map(status_value).collect())
}

fn node(node: &TreeNode) -> Value {
    let TreeNode { actor, status, restart, children } = node;
    let restart = restart.map(|restart| match restart {
        Restart::Permanent => "permanent",
        Restart::Transient => "transient",
        Restart::Temporary => "temporary",
    });
    let children: Value = children.iter().map(self::node).collect();
    json!({
        "actor": actor.raw().to_string(), "status": status_value(status), "restart": restart, "children": children,
    })
}

pub(crate) fn tree(tree: &[TreeNode]) -> Vec<u8> {
    text(&tree.iter().map(node).collect())
}

pub(crate) fn actors(actors: &[ActorHandle]) -> Vec<u8> {
    text(&actors.iter().map(|actor| actor.raw().to_string()).collect())
}

fn error_value(error: &Error) -> Value {
    json!({
        "code": error.code.number(), "name": error.code.name(), "message": error.message, "actor": error.actor,
        "detail": error.detail, "policy_line": error.policy_line(),
    })
}

pub(crate) fn down(down: &Down) -> Vec<u8> {
    let Down { id, reason, error, restarting } = down;
    let error = error.as_ref().map(error_value);
    text(&json!({ "id": id, "reason": reason, "error": error, "restarting": restarting }))
}

pub(crate) fn dead_letters(letters: &[DeadLetter]) -> Vec<u8> {
    let one = |DeadLetter { to, sender, payload, content_type, reason }: &DeadLetter| {
        let payload = base64(payload);
        json!({
            "to": to, "sender": sender, "payload_base64": payload, "content_type": content_type, "reason": reason,
        })
    };
    text(&letters.iter().map(one).collect())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let quartet = |three: &[u8]| {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - three.len()));
        let digit = move |at: usize| match at <= three.len() {
            true => char::from(DIGITS[bits >> (18 - 6 * at) & 63]),
            false => '=',
        };
        [digit(0), digit(1), digit(2), digit(3)]
    };
    bytes.chunks(3).flat_map(quartet).collect()
}

pub(crate) fn grants(grants: &[GrantInfo]) -> Vec<u8> {
    let one = |GrantInfo { grant, capability, ttl, open, given_by }: &GrantInfo| {
        let ttl_ms = ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
        let grant = grant.raw().to_string();
        json!({ "grant": grant, "capability": capability, "ttl_ms": ttl_ms, "open": open, "given_by": given_by })
    };
    text(&grants.iter().map(one).collect())
}

pub(crate) fn policy_report(report: &PolicyReport) -> Vec<u8> {
    let PolicyReport { passed, failed } = report;
    text(&json!({ "passed": passed, "failed": failed }))
}

pub(crate) fn audit_report(report: &AuditReport) -> Vec<u8> {
    let AuditReport { files, records, first_seq, last_seq, last_hash, torn_lines, partial_tail } = report;
    let files: Value = files.iter().map(|file| file.to_string_lossy()).collect();
    text(&json!({
        "files": files, "records": records, "first_seq": first_seq, "last_seq": last_seq, "last_hash": last_hash,
        "torn_lines": torn_lines, "partial_tail": partial_tail,
    }))
}

pub(crate) fn stats(stats: &Stats) -> Vec<u8> {
    let Stats {
        components,
        actors,
        sent,
        delivered,
        rejected,
        dropped,
        dead_letters,
        restarts,
        denied,
        regions,
        region_bytes,
    } = stats;
    text(&json!({
        "components": components, "actors": actors, "sent": sent, "delivered": delivered, "rejected": rejected,
        "dropped": dropped, "dead_letters": dead_letters, "restarts": restarts, "denied": denied,
        "regions": regions, "region_bytes": region_bytes,
    }))
}

pub(crate) fn regions(regions: &[RegionInfo]) -> Vec<u8> {
    let one = |RegionInfo { name, bytes, owner, open }: &RegionInfo| json!({ "name": name, "bytes": bytes, "owner": owner, "open": open });
    text(&regions.iter().map(one).collect())
}
