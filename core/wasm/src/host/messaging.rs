//! `airssys:wasm/messaging`: messages from guest to actor, each asked for first.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime};

use airssys_osl::Ask;
use airssys_rt::{ActorId, ActorRef, Caller};

use self::bindings::airssys::wasm::types::{self, Error as Refusal, Failure};
use super::state::State;
use crate::types::error::{Code, Error};
use crate::types::letter::Letter;
use crate::types::message::CONTENT_TYPE_BYTES_MAX;

pub(crate) mod bindings {
    //! What the contract in `wit/` looks like from here.
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package airwasm:host; world imports {
            import airssys:wasm/messaging@0.1.0;
            import airssys:wasm/capability@0.1.0;
            import airssys:wasm/process@0.1.0;
        }",
        world: "airwasm:host/imports",
        imports: {
            // A send may wait for room as a request waits for its answer: neither keeps a thread.
            "airssys:wasm/messaging.send": async | trappable,
            "airssys:wasm/messaging.request": async | trappable,
            "airssys:wasm/capability.ask": async | trappable,
            "airssys:wasm/process.run": async | trappable,
            "airssys:wasm/process.[method]child.write": async | trappable,
            "airssys:wasm/process.[method]child.read": async | trappable,
            "airssys:wasm/process.[method]child.wait": async | trappable,
            default: trappable,
        },
        with: { "airssys:wasm/process.child": crate::host::process::Child },
    });
}

/// How long a guest's request waits that names no time; as the host's own.
const TIMEOUT_MS: u64 = 5_000;

impl types::Host for State {}

impl bindings::airssys::wasm::messaging::Host for State {
    fn self_id(&mut self) -> wasmtime::Result<String> {
        Ok(self.grounds.id.to_string())
    }

    async fn send(
        &mut self,
        to: String,
        payload: Vec<u8>,
        content_type: Option<String>,
    ) -> wasmtime::Result<Result<(), Refusal>> {
        let function = "airssys:wasm/messaging#send";
        let actor = match self.reach(&to, payload.len(), Ask::MessageSend, function)? {
            Ok(actor) => actor,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if content_type.as_ref().is_some_and(|text| text.len() > CONTENT_TYPE_BYTES_MAX) {
            let text = format!("content-type: more than {CONTENT_TYPE_BYTES_MAX} bytes");
            return Ok(Err(Refusal::InvalidArgument(text)));
        }
        let letter = Letter { content_type: content_type.map(Arc::from), ..self.letter(payload, None) };
        let sent = actor.send_async(letter, None).await;
        Ok(sent.map_err(|refused| refusal(&refused.error.into())))
    }

    async fn request(
        &mut self,
        to: String,
        payload: Vec<u8>,
        timeout_ms: Option<u32>,
    ) -> wasmtime::Result<Result<Vec<u8>, Refusal>> {
        if timeout_ms == Some(0) {
            return Ok(Err(Refusal::InvalidArgument("timeout-ms: 0 is no time to answer".to_owned())));
        }
        let function = "airssys:wasm/messaging#request";
        let actor = match self.reach(&to, payload.len(), Ask::MessageRequest, function)? {
            Ok(actor) => actor,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let wait = Duration::from_millis(timeout_ms.map_or(TIMEOUT_MS, u64::from));
        let until = Instant::now().checked_add(wait);
        let letter = Letter { tab: Some(self.tab()), ..self.letter(payload, until) };
        let answer = actor.request(letter, until, Caller::Loop).await;
        let allowed = self.grounds.limits.payload_bytes;
        Ok(match answer {
            Ok(reply) if reply.len() as u64 > allowed => Err(Refusal::PayloadTooLarge(allowed)),
            Ok(reply) => Ok(reply),
            Err(error) => Err(answered(&error, self.grounds.id.as_str())),
        })
    }
}

impl State {
    fn letter(&self, payload: Vec<u8>, deadline: Option<Instant>) -> Letter {
        let correlation = deadline.map_or(0, |_| self.grounds.ports.correlation.fetch_add(1, Relaxed) + 1);
        let (sender, sent) = (Some(self.grounds.id.clone()), SystemTime::now());
        let life = self.living.number;
        Letter {
            sender,
            life,
            payload,
            content_type: None,
            deadline,
            correlation,
            sent,
            topic: None,
            tab: None,
            exchange: None,
        }
    }

    /// The actor behind an id, if this one may write to it. The grant is asked before the registry, so that a
    /// guest cannot learn which actors exist.
    fn reach(
        &self,
        to: &str,
        bytes: usize,
        ask: fn(String) -> Ask,
        function: &str,
    ) -> wasmtime::Result<Result<ActorRef<Letter>, Refusal>> {
        let id = match to.parse::<ActorId>() {
            Ok(id) => id,
            Err(invalid) => return Ok(Err(Refusal::InvalidArgument(format!("to: {invalid}")))),
        };
        if let Err(denial) = self.refusals.check(&ask(id.to_string()), function) {
            return Ok(Err(Refusal::Denied(denial.capability)));
        }
        let allowed = self.grounds.limits.payload_bytes;
        if bytes as u64 > allowed {
            return Ok(Err(Refusal::PayloadTooLarge(allowed)));
        }
        self.output(bytes)?;
        let runtime = self.grounds.ports.runtime.upgrade();
        Ok(runtime.and_then(|runtime| runtime.lookup(&id)).ok_or(Refusal::ActorNotFound))
    }
}

/// What a guest may know of an error that it, `me`, is answered with. One that is its own, as of what a service did by its
/// rights, is told in full.
fn answered(error: &Error, me: &str) -> Refusal {
    if error.actor.as_deref() != Some(me) {
        return refusal(error);
    }
    match error.code {
        Code::Denied | Code::GrantRevoked | Code::GrantExpired => {
            Refusal::Denied(error.text("capability").to_owned())
        }
        Code::InvalidArgument => Refusal::InvalidArgument(error.message.clone()),
        Code::PayloadTooLarge => Refusal::PayloadTooLarge(error.number("allowed")),
        Code::NotFound | Code::AlreadyExists | Code::Io | Code::LimitExceeded | Code::Unsupported => {
            Refusal::Failure(Failure { code: error.code.name().to_owned(), text: error.message.clone() })
        }
        _ => refusal(error),
    }
}

/// What a guest may know of any other.
fn refusal(error: &Error) -> Refusal {
    match error.code {
        Code::ActorNotFound => Refusal::ActorNotFound,
        // The word before the colon: what follows is of another actor's inside.
        Code::ActorStopped => {
            Refusal::ActorStopped(error.text("reason").split(':').next().unwrap_or_default().to_owned())
        }
        Code::MailboxFull => Refusal::MailboxFull,
        Code::MessageDropped => Refusal::MessageDropped,
        Code::Timeout => Refusal::Timeout,
        Code::Cycle => Refusal::Cycle,
        Code::Failure => Refusal::Failure(Failure {
            code: error.text("code").to_owned(),
            text: error.text("text").to_owned(),
        }),
        Code::Trapped
        | Code::HandlerRaised
        | Code::StartFailed
        | Code::LimitExceeded
        | Code::BudgetExceeded
        | Code::Panic => Refusal::Crashed(error.code.name().to_owned()),
        // Whatever else befell the other actor is that actor's business: only its name is told.
        _ => Refusal::Other(error.code.name().to_owned()),
    }
}
