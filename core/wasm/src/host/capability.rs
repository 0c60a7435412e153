//! `airssys:wasm/capability`: what a guest may do, more of it, and less of it for others.

use std::time::{Duration, Instant};

use airssys_osl::{Ask, Capability, Denial, DenialKind};
use airssys_rt::ActorId;
use serde_json::{Map, Value};
use tokio::time::timeout_at;

use super::desk::{Desk, Handing, NotHanded, Ungrantable};
use super::messaging::bindings::airssys::wasm::capability::{Giver, GrantInfo, Host};
use super::messaging::bindings::airssys::wasm::types::Error as Refusal;
use super::state::State;
use crate::types::error::Code;
use crate::types::event::detail;
use crate::types::info;

/// Bytes of a capability's text.
const TEXT_BYTES_MAX: usize = 4_096;
/// How long an ask waits that names no time; as a request.
const TIMEOUT_MS: u64 = 5_000;

const ASK: &str = "airssys:wasm/capability#ask";
const HAND_ON: &str = "airssys:wasm/capability#hand-on";

impl Host for State {
    fn list(&mut self) -> wasmtime::Result<Vec<GrantInfo>> {
        let grants = self.desk().map(|desk| (desk.grants)(self.grounds.grants.clone()));
        Ok(grants.unwrap_or_default().into_iter().map(shown).collect())
    }

    async fn ask(
        &mut self,
        capability: String,
        timeout_ms: Option<u32>,
    ) -> wasmtime::Result<Result<(), Refusal>> {
        if timeout_ms == Some(0) {
            return Ok(Err(Refusal::InvalidArgument("timeout-ms: 0 is no time to answer".to_owned())));
        }
        let capability = match one(&capability) {
            Ok(capability) => capability,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(answer) = self.answer(&capability) {
            return Ok(answer);
        }
        let wait = Duration::from_millis(timeout_ms.map_or(TIMEOUT_MS, u64::from));
        let (asks, now) = (self.grounds.asks.clone(), Instant::now());
        let Some(_turn) = asks.enter(now) else { return Ok(Err(limit())) };
        let until = now.checked_add(wait).unwrap_or(now).into();
        // Before it is told: whoever answers on reading it is heard.
        let mut changed = asks.listen();
        self.tell_asked(&capability, wait);
        loop {
            let in_time = timeout_at(until, changed).await.is_ok();
            changed = asks.listen();
            if let Some(answer) = self.answer(&capability) {
                return Ok(answer);
            }
            if !in_time {
                return Ok(Err(self.refused(DenialKind::NotGranted, None, &capability, ASK)));
            }
        }
    }

    fn hand_on(
        &mut self,
        to: String,
        capability: String,
        ttl_ms: Option<u64>,
    ) -> wasmtime::Result<Result<u64, Refusal>> {
        Ok(self.hand(&to, &capability, ttl_ms))
    }

    fn take_back(&mut self, grant: u64) -> wasmtime::Result<Result<(), Refusal>> {
        let taken = self.desk().is_some_and(|desk| (desk.take_back)((self.grounds.grants.clone(), grant)));
        Ok(if taken { Ok(()) } else { Err(other(Code::NotFound)) })
    }
}

impl State {
    /// None while the system is being opened, when no guest runs yet.
    fn desk(&self) -> Option<&Desk> {
        self.grounds.ports.desk.get()
    }

    /// What is to be said to an ask now; none while it is open.
    fn answer(&self, capability: &Capability) -> Option<Result<(), Refusal>> {
        match self.grounds.grants.holds(capability) {
            Ok(()) => return Some(Ok(())),
            Err(kind @ DenialKind::Forbidden) => {
                return Some(Err(self.refused(kind, None, capability, ASK)));
            }
            Err(_) => {}
        }
        match (self.desk()?.grantable)(capability.clone()) {
            Ok(()) => None,
            Err(Ungrantable::Sealed) => Some(Err(self.sealed(capability, ASK))),
            Err(Ungrantable::Unsupported) => Some(Err(unsupported(capability))),
        }
    }

    fn tell_asked(&self, capability: &Capability, wait: Duration) {
        let id = &self.grounds.id;
        self.grounds.ports.hub.tell("capability.asked", Some(id.as_str()), || {
            let mut facts: Map<String, Value> = detail("capability", capability.to_string());
            facts.insert("policy_line".to_owned(), format!("- {capability}").into());
            facts.insert("timeout_ms".to_owned(), u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).into());
            facts
        });
    }

    fn hand(&mut self, to: &str, capability: &str, ttl_ms: Option<u64>) -> Result<u64, Refusal> {
        if ttl_ms == Some(0) {
            return Err(Refusal::InvalidArgument("ttl-ms: 0 is no time; leave it out".to_owned()));
        }
        let to =
            to.parse::<ActorId>().map_err(|invalid| Refusal::InvalidArgument(format!("to: {invalid}")))?;
        let capability = one(capability)?;
        // Asked before the registry, as a message is.
        if let Err(denial) = self.refusals.check(&Ask::MessageSend(to.to_string()), HAND_ON) {
            return Err(Refusal::Denied(denial.capability));
        }
        if to == self.grounds.id {
            return Err(Refusal::InvalidArgument("to: it is the caller's own id".to_owned()));
        }
        let Some(desk) = self.desk() else { return Err(other(Code::Closed)) };
        let handing = Handing {
            giver: self.grounds.grants.clone(),
            to,
            capability: capability.clone(),
            ttl: ttl_ms.map(Duration::from_millis),
            function: HAND_ON,
        };
        (desk.hand_on)(handing).map_err(|why| match why {
            NotHanded::Sealed => self.sealed(&capability, HAND_ON),
            NotHanded::Unsupported => unsupported(&capability),
            NotHanded::Denied(denial) => self.noted(&denial),
            NotHanded::NoActor => Refusal::ActorNotFound,
            NotHanded::TooMany => limit(),
            NotHanded::Invalid(why) => Refusal::InvalidArgument(format!("capability: {why}")),
        })
    }

    fn sealed(&self, capability: &Capability, function: &str) -> Refusal {
        self.refused(DenialKind::Forbidden, Some("the sealed policy"), capability, function)
    }

    /// A refusal that goes the way of all: recorded, told, and noted for the caller.
    fn refused(
        &self,
        kind: DenialKind,
        rule: Option<&str>,
        capability: &Capability,
        function: &str,
    ) -> Refusal {
        self.noted(&self.grounds.grants.refuse(kind, rule, capability, function))
    }

    fn noted(&self, denial: &Denial) -> Refusal {
        self.refusals.note(denial);
        Refusal::Denied(denial.capability.clone())
    }
}

/// The one capability of a text.
fn one(text: &str) -> Result<Capability, Refusal> {
    let invalid = |why: String| Refusal::InvalidArgument(format!("capability: {why}"));
    if text.len() > TEXT_BYTES_MAX {
        return Err(invalid(format!("more than {TEXT_BYTES_MAX} bytes")));
    }
    let mut all = Capability::parse(text).map_err(|why| invalid(why.to_string()))?;
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(invalid("one action at a time".to_owned())),
    }
}

fn shown(found: info::GrantInfo) -> GrantInfo {
    let giver = match found.given_by.as_str() {
        "baseline" => Giver::Baseline,
        "policy" => Giver::Policy,
        "host" => Giver::Host,
        actor => Giver::Actor(actor.to_owned()),
    };
    let ttl_ms = found.ttl.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
    GrantInfo { grant: found.grant.raw(), capability: found.capability, ttl_ms, giver }
}

fn unsupported(capability: &Capability) -> Refusal {
    Refusal::InvalidArgument(format!("capability: {} is not supported by this version", capability.name()))
}

fn limit() -> Refusal {
    other(Code::LimitExceeded)
}

fn other(code: Code) -> Refusal {
    Refusal::Other(code.name().to_owned())
}
