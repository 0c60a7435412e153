//! What the facade tells, as the plain objects that `ts/data.ts` describes.

use airwasm::{
    ActorStatus, AuditReport, CloseReport, ComponentInfo, DeadLetter, Down, Event, Explanation, GrantInfo,
    KvKeys, PolicyReport, RegionInfo, Restart, Stats, TreeNode,
};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::answer::error_text;

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

/// `KvKeys`.
#[napi(object, object_from_js = false)]
pub struct KeysAnswer {
    pub keys: Vec<String>,
    pub cursor: Option<f64>,
}

impl From<KvKeys> for KeysAnswer {
    fn from(page: KvKeys) -> Self {
        Self { keys: page.keys, cursor: page.cursor.map(number) }
    }
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
    pub last_exit: Option<String>,
    pub busy_ms: f64,
    pub listening: Option<String>,
}

/// `GrantInfo`.
#[napi(object, object_from_js = false)]
pub struct GrantAnswer {
    pub grant: u64,
    pub capability: String,
    pub ttl_ms: Option<f64>,
    pub open: f64,
    pub given_by: String,
}

/// `Explanation`.
#[napi(object, object_from_js = false)]
pub struct ExplanationAnswer {
    pub allowed: bool,
    pub text: String,
    pub rule: Option<String>,
    pub beaten: Option<String>,
    pub policy_line: Option<String>,
}

/// `PolicyReport`.
#[napi(object, object_from_js = false)]
pub struct PolicyAnswer {
    pub passed: f64,
    pub failed: Vec<String>,
}

/// `AuditReport`.
#[napi(object, object_from_js = false)]
pub struct AuditAnswer {
    pub files: Vec<String>,
    pub records: f64,
    pub first_seq: u64,
    pub last_seq: u64,
    pub last_hash: String,
    pub torn_lines: f64,
    pub partial_tail: bool,
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
    pub regions: f64,
    pub region_bytes: f64,
}

/// `RegionInfo`.
#[napi(object, object_from_js = false)]
pub struct RegionAnswer {
    pub name: String,
    pub bytes: f64,
    pub owner: Option<String>,
    pub open: f64,
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

/// `TreeNode`; the id is that of its status.
#[napi(object, object_from_js = false)]
pub struct TreeAnswer {
    pub handle: u64,
    pub status: StatusAnswer,
    pub restart: Option<String>,
    pub children: Vec<TreeAnswer>,
}

/// `Down`; its error is JSON text.
#[napi(object, object_from_js = false)]
pub struct DownAnswer {
    pub id: String,
    pub reason: String,
    pub error: Option<String>,
    pub restarting: bool,
}

/// `DeadLetter`.
#[napi(object, object_from_js = false)]
pub struct DeadLetterAnswer {
    pub to: String,
    pub sender: String,
    pub payload: Buffer,
    pub content_type: Option<String>,
    pub reason: String,
}

/// A count as JavaScript's number; exact up to 2^53, far beyond what is counted here.
pub fn number(count: u64) -> f64 {
    count as f64
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
            last_exit: status.last_exit,
            busy_ms: number(status.busy_ms),
            listening: status.listening,
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
            given_by: info.given_by,
        }
    }
}

impl From<Explanation> for ExplanationAnswer {
    fn from(explained: Explanation) -> Self {
        let Explanation { allowed, text, rule, beaten, policy_line } = explained;
        Self { allowed, text, rule, beaten, policy_line }
    }
}

impl From<PolicyReport> for PolicyAnswer {
    fn from(report: PolicyReport) -> Self {
        Self { passed: number(report.passed), failed: report.failed }
    }
}

impl From<AuditReport> for AuditAnswer {
    fn from(report: AuditReport) -> Self {
        Self {
            files: report.files.iter().map(|file| file.display().to_string()).collect(),
            records: number(report.records),
            first_seq: report.first_seq,
            last_seq: report.last_seq,
            last_hash: report.last_hash,
            torn_lines: number(report.torn_lines),
            partial_tail: report.partial_tail,
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
            regions: number(stats.regions),
            region_bytes: number(stats.region_bytes),
        }
    }
}

impl From<RegionInfo> for RegionAnswer {
    fn from(region: RegionInfo) -> Self {
        let RegionInfo { name, bytes, owner, open } = region;
        Self { name, bytes: number(bytes), owner, open: number(open) }
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

fn restart_word(restart: Restart) -> &'static str {
    match restart {
        Restart::Permanent => "permanent",
        Restart::Transient => "transient",
        Restart::Temporary => "temporary",
    }
}

impl From<TreeNode> for TreeAnswer {
    fn from(node: TreeNode) -> Self {
        Self {
            handle: node.actor.raw(),
            status: node.status.into(),
            restart: node.restart.map(|restart| restart_word(restart).to_owned()),
            children: node.children.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Down> for DownAnswer {
    fn from(down: Down) -> Self {
        Self {
            id: down.id,
            reason: down.reason,
            error: down.error.as_ref().map(error_text),
            restarting: down.restarting,
        }
    }
}

impl From<DeadLetter> for DeadLetterAnswer {
    fn from(letter: DeadLetter) -> Self {
        let DeadLetter { to, sender, payload, content_type, reason } = letter;
        Self { to, sender, payload: payload.into(), content_type, reason }
    }
}
