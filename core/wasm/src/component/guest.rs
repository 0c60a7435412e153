//! The actor over an instance: its hooks, its messages, its traps.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use airssys_rt::{Actor, Cause, Child, Context, Exit, Ticks};
use wasmtime::component::{ComponentType, Lift, Lower};

use super::load::Loaded;
use super::served::Exchanges;
use crate::engine::{Engine, Function, Instance};
use crate::host::{Grounds, Serving, Site, State};
use crate::types::error::{Code, Error, Result};
use crate::types::letter::Letter;

/// `airssys:wasm/types.message`, as a guest is given it.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct WitMessage {
    sender: Arc<str>,
    to: Arc<str>,
    payload: Vec<u8>,
    #[component(name = "content-type")]
    content_type: Option<Arc<str>>,
    correlation: u64,
    #[component(name = "deadline-ms")]
    deadline_ms: Option<u64>,
    #[component(name = "trace-context")]
    trace_context: Option<Arc<str>>,
    #[component(name = "timestamp-ms")]
    timestamp_ms: u64,
}

/// `airssys:wasm/types.failure`.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct WitFailure {
    code: String,
    text: String,
}

/// Bytes of a failure's code and text that are kept: the words are for people and logs, not for data.
const FAILURE_CODE_BYTES_MAX: usize = 256;
const FAILURE_TEXT_BYTES_MAX: usize = 16 << 10;

impl WitFailure {
    fn to_error(&self) -> Error {
        let cut = |text: &str, max: usize| text[..text.floor_char_boundary(max)].to_owned();
        Error::failure(&cut(&self.code, FAILURE_CODE_BYTES_MAX), &cut(&self.text, FAILURE_TEXT_BYTES_MAX))
    }
}

type Handled = std::result::Result<Option<Vec<u8>>, WitFailure>;
type Hooked = std::result::Result<(), WitFailure>;

/// All that a life is made from; the same for every life.
pub(crate) struct Blueprint {
    pub(crate) engine: Engine,
    pub(crate) component: Arc<Loaded>,
    pub(crate) grounds: Grounds,
    pub(crate) config: Option<Arc<str>>,
    pub(crate) ticks: Ticks,
    pub(crate) nobody: Arc<str>,
    /// Where it serves http, if it does.
    pub(crate) site: Option<Arc<Site>>,
}

/// One life of a guest.
pub(crate) struct Guest {
    blueprint: Arc<Blueprint>,
    instance: Instance<State>,
    handle: Option<Function<(WitMessage,), (Handled,)>>,
    post_start: Option<Function<(), (Hooked,)>>,
    pre_stop: Option<Function<(String,), ()>>,
    post_stop: Option<Function<(), ()>>,
    health: Option<Function<(), (Hooked,)>>,
    serving: Option<Serving>,
    exchanges: Exchanges,
}

impl Guest {
    /// Instantiates and runs `pre-start`.
    pub(crate) async fn start(blueprint: Arc<Blueprint>) -> std::result::Result<Self, Cause> {
        let started = Self::try_start(blueprint.clone()).await;
        started.map_err(|error| Arc::new(error.at(&blueprint.grounds.id)) as Cause)
    }

    async fn try_start(blueprint: Arc<Blueprint>) -> Result<Self> {
        let Blueprint { engine, component, grounds, ticks, .. } = &*blueprint;
        let linked = component.linked.as_ref().map_err(Clone::clone)?;
        let state = State::new(grounds.clone(), ticks.clone());
        let made = Instance::new(engine, linked, state, &grounds.limits).await;
        let mut instance = made.map_err(|error| start_failed("instantiate", error))?;
        let handle = match &component.handler {
            Some(interface) => instance.function(interface, "handle")?,
            None => None,
        };
        let mut guest = Self {
            blueprint: blueprint.clone(),
            instance,
            handle,
            post_start: None,
            pre_stop: None,
            post_stop: None,
            health: None,
            serving: None,
            exchanges: Exchanges::default(),
        };
        if let Some(interface) = &component.lifecycle {
            guest.begin(interface).await?;
        }
        if let Some(site) = &blueprint.site {
            let opened = Serving::open(grounds, site, guest.instance.data().living.number);
            guest.serving = Some(opened.map_err(cannot_serve)?);
        }
        Ok(guest)
    }

    async fn begin(&mut self, interface: &str) -> Result<()> {
        let pre_start = self.instance.function::<(Option<Arc<str>>,), (Hooked,)>(interface, "pre-start")?;
        self.post_start = self.instance.function(interface, "post-start")?;
        self.pre_stop = self.instance.function(interface, "pre-stop")?;
        self.post_stop = self.instance.function(interface, "post-stop")?;
        self.health = self.instance.function(interface, "health")?;
        let Some(pre_start) = pre_start else { return Ok(()) };
        let config = self.blueprint.config.clone();
        self.instance.data_mut().begin(None, None);
        let answer = self.instance.call(&pre_start, (config,)).await;
        self.hooked("pre-start", answer)
    }

    /// What a hook that may refuse has answered, as an error that names it.
    fn hooked(&self, hook: &str, answer: Result<(Hooked,)>) -> Result<()> {
        let failure = match answer {
            Ok((Ok(()),)) => return Ok(()),
            Ok((Err(refused),)) => refused.to_error(),
            Err(error) => error,
        };
        Err(start_failed(hook, self.instance.data().blame(failure)))
    }

    /// The letter as the guest sees it.
    fn message(&self, letter: Letter) -> WitMessage {
        let Letter {
            sender,
            payload,
            content_type,
            deadline,
            correlation,
            sent,
            life: _,
            topic: _,
            tab: _,
            exchange: _,
        } = letter;
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now()).as_millis() as u64;
        let since = sent.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        WitMessage {
            sender: sender.map_or_else(|| self.blueprint.nobody.clone(), |id| id.shared()),
            to: self.blueprint.grounds.id.shared(),
            payload,
            content_type,
            correlation,
            deadline_ms: deadline.map(left),
            trace_context: None,
            timestamp_ms: since.as_millis() as u64,
        }
    }

    /// The reply if it is within bounds.
    fn reply(&self, payload: Option<Vec<u8>>) -> Result<Vec<u8>> {
        let payload = payload.unwrap_or_default();
        let (allowed, used) = (self.blueprint.grounds.limits.payload_bytes, payload.len());
        if used as u64 > allowed {
            let text = format!("the reply has {used} bytes, allowed are {allowed}");
            return Err(Error::new(Code::PayloadTooLarge, text).with("allowed", allowed).with("given", used));
        }
        self.instance.data().output(used).map(|()| payload)
    }

    /// The error of a guest that will be thrown away, with the last words it wrote.
    fn crash(&self, error: Error) -> Exit {
        let error = self.instance.data().blame(error).at(&self.blueprint.grounds.id);
        let words = self.instance.data().stderr_tail();
        self.instance.data().end_logs();
        let error = if words.is_empty() { error } else { error.with("stderr", words) };
        Exit::Crash(Arc::new(error))
    }
}

/// `START_FAILED` before the first connection, with the line that would allow it.
fn cannot_serve(cause: Error) -> Error {
    let line = cause.detail.get("policy_line").cloned();
    let failed = start_failed("listen", cause);
    match line {
        Some(line) => failed.with("policy_line", line),
        None => failed,
    }
}

/// `START_FAILED` at this hook. What is no fault of the hook keeps its own code.
fn start_failed(hook: &str, cause: Error) -> Error {
    if matches!(cause.code, Code::PoolExhausted | Code::TypeMismatch | Code::ImportMissing) {
        return cause;
    }
    let text = format!("did not start: {hook}: {}", cause.message);
    let facts =
        serde_json::json!({ "code": cause.code.name(), "message": cause.message, "detail": cause.detail });
    Error::new(Code::StartFailed, text).with("hook", hook).with("cause", facts)
}

impl Child for Guest {
    async fn post_start(&mut self) -> std::result::Result<(), Exit> {
        if let Some(hook) = &self.post_start {
            self.instance.data_mut().begin(None, None);
            let answer = self.instance.call(hook, ()).await;
            self.hooked("post-start", answer).map_err(|error| self.crash(error))?;
        }
        if let Some(serving) = &mut self.serving {
            serving.begin();
        }
        Ok(())
    }

    async fn pre_stop(&mut self, reason: &Exit) {
        if let Some(serving) = &mut self.serving {
            serving.close();
            self.exchanges.ended().await;
            serving.ended().await;
        }
        let Some(hook) = &self.pre_stop else { return };
        self.instance.data_mut().begin(None, None);
        // A guest that fails while it stops is gone all the same; only its last hook is left out.
        if self.instance.call(hook, (reason.to_string(),)).await.is_err() {
            self.post_stop = None;
        }
    }

    async fn health(&mut self) -> std::result::Result<(), Cause> {
        let Some(hook) = &self.health else { return Ok(()) };
        self.instance.data_mut().begin(None, None);
        let failure = match self.instance.call(hook, ()).await {
            Ok((Ok(()),)) => return Ok(()),
            Ok((Err(refused),)) => refused.to_error(),
            Err(error) => error,
        };
        Err(Arc::new(failure))
    }

    async fn post_stop(&mut self) {
        if let Some(hook) = &self.post_stop {
            // Not the last message's: whoever sent that does not pay for it.
            self.instance.data_mut().begin(None, None);
            let _ = self.instance.call(hook, ()).await;
        }
        self.instance.data().end_logs();
    }
}

impl Actor for Guest {
    type Message = Letter;

    async fn handle(
        &mut self,
        letter: Letter,
        context: &mut Context<'_, Letter>,
    ) -> std::result::Result<(), Exit> {
        if let Some(exchange) = letter.exchange {
            // Nobody waits here: messages, checks and stops come between those that run.
            let life = self.instance.data().living.number;
            self.exchanges.begin(&self.blueprint, &exchange, life, context.me());
            return Ok(());
        }
        let Some(handle) = &self.handle else {
            let error = self.blueprint.component.no_handler();
            context.reply(Err(error.at(&self.blueprint.grounds.id)));
            return Ok(());
        };
        let (deadline, tab) = (letter.deadline, letter.tab.clone());
        let message = self.message(letter);
        self.instance.data_mut().begin(deadline, tab);
        match self.instance.call(handle, (message,)).await {
            Ok((Ok(payload),)) => match self.reply(payload) {
                Err(error) if error.code == Code::BudgetExceeded => return Err(self.crash(error)),
                answer => context.reply(answer),
            },
            Ok((Err(refused),)) => {
                let error = self.instance.data().blame(refused.to_error());
                context.reply(Err(error.at(&self.blueprint.grounds.id)));
            }
            Err(error) => return Err(self.crash(error)),
        }
        Ok(())
    }
}
