//! Exchanges of http: each in an instance of its own, on the workers, beside the actor's messages.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use airssys_rt::{ActorRef, TaskHandle};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::Notify;
use wasmtime::component::Resource;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p2::types::{HostIncomingRequest, HostResponseOutparam};
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

use super::guest::Blueprint;
use crate::engine::{Bounded, Instance, Meter};
use crate::host::{Counted, EXCHANGES_MAX, State, Turn, Turns, race, tell_failed};
use crate::types::error::{Code, Error, Result};
use crate::types::exchange::{Call, Exchange};
use crate::types::letter::Letter;

type Handle = (Resource<HostIncomingRequest>, Resource<HostResponseOutparam>);

/// Those of one life; dropped, they are cut.
pub(super) struct Exchanges {
    turns: Turns,
    open: Arc<Open>,
}

#[derive(Default)]
struct Open {
    tasks: Mutex<Tasks>,
    ended: Notify,
}

#[derive(Default)]
struct Tasks {
    last: u64,
    /// One that has just begun has no handle yet.
    all: BTreeMap<u64, Option<TaskHandle>>,
}

impl Default for Exchanges {
    fn default() -> Self {
        Self { turns: Turns::new(EXCHANGES_MAX), open: Arc::default() }
    }
}

impl Drop for Exchanges {
    fn drop(&mut self) {
        let tasks = std::mem::take(&mut self.open.tasks().all);
        tasks.into_values().flatten().for_each(|task| task.abort());
    }
}

impl Exchanges {
    /// Begins one, as soon as it is its turn; what another life was asked is left unanswered.
    pub(super) fn begin(
        &self,
        blueprint: &Arc<Blueprint>,
        exchange: &Exchange,
        life: u64,
        me: ActorRef<Letter>,
    ) {
        let Some(request) = exchange.take(life) else { return };
        let Some(runtime) = blueprint.grounds.ports.runtime.upgrade() else { return };
        let turn = self.line_up();
        let ending = self.enter();
        let (number, exchange) = (ending.number, exchange.clone());
        let served = Arc::new(Served { blueprint: blueprint.clone(), me, call: exchange.call().clone() });
        let task = runtime.spawn_task(async move {
            let (_ending, _exchange) = (ending, exchange);
            let call = served.call.clone();
            let work = async {
                let _turn = turn.await;
                if served.call.is_left() {
                    return;
                }
                if let Err(failure) = served.run(request).await
                    && !served.call.is_left()
                {
                    served.fail(&failure);
                }
            };
            // Whoever has left is asked first: nothing begins, and nothing fails, for nobody.
            let _ = race(call.left(), work).await;
        });
        // It may be over by now.
        if let Some(entered) = self.open.tasks().all.get_mut(&number) {
            *entered = Some(task);
        }
    }

    /// A turn to come. Whoever lined up before has one before.
    fn line_up(&self) -> impl Future<Output = Turn> + Send + use<> {
        let turns = self.turns.clone();
        let mut turn = Box::pin(async move { turns.take().await });
        // The line is that of first polls, and workers may poll tasks in another order.
        let taken = turn.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        async move {
            match taken {
                Poll::Ready(turn) => turn,
                Poll::Pending => turn.await,
            }
        }
    }

    fn enter(&self) -> Ending {
        let mut tasks = self.open.tasks();
        tasks.last += 1;
        let number = tasks.last;
        tasks.all.insert(number, None);
        Ending { open: self.open.clone(), number }
    }

    /// Waits until none is open.
    pub(super) async fn ended(&self) {
        loop {
            // Made before the look: it is told of each that ends from now on.
            let ended = self.open.ended.notified();
            if self.open.tasks().all.is_empty() {
                return;
            }
            ended.await;
        }
    }
}

impl Open {
    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that ends, however it does.
struct Ending {
    open: Arc<Open>,
    number: u64,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.open.tasks().all.remove(&self.number);
        self.open.ended.notify_waiters();
    }
}

/// One exchange, for whoever works on it.
struct Served {
    blueprint: Arc<Blueprint>,
    me: ActorRef<Letter>,
    call: Arc<Call>,
}

impl Served {
    /// Runs it in a fresh instance, which is gone when this returns: what is left of its answer is on its way.
    async fn run(self: &Arc<Self>, request: Request<WasiBody>) -> Result<()> {
        let Blueprint { engine, component, grounds, ticks, .. } = &*self.blueprint;
        let linked = component.linked.as_ref().map_err(Clone::clone)?;
        let state = State::new(grounds.clone(), ticks.clone());
        let mut instance = Instance::new(engine, linked, state, &grounds.limits).await?;
        let interface = component.http.as_deref().unwrap_or_default();
        let Some(handle) = instance.function::<Handle, ()>(interface, "handle")? else {
            return component.check_http();
        };
        instance.data_mut().begin(None, None);
        let refused = Arc::<Mutex<Option<Error>>>::default();
        let params = self
            .params(instance.data_mut(), request, refused.clone())
            .map_err(|why| Error::new(Code::Internal, format!("the request is no resource: {why:#}")))?;
        let called = instance.call(&handle, params).await;
        let refused = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        let failure = match (called, refused) {
            (Err(error), _) | (Ok(()), Some(error)) => error,
            (Ok(()), None) if self.call.is_answered() => return Ok(()),
            (Ok(()), None) => Error::failure("no-response", "the guest returned without a response"),
        };
        let failure = instance.data().blame(failure).at(&grounds.id);
        let words = instance.data().stderr_tail();
        Err(if words.is_empty() { failure } else { failure.with("stderr", words) })
    }

    /// The request, and where its answer goes, as the guest is given them.
    fn params(
        self: &Arc<Self>,
        state: &mut State,
        request: Request<WasiBody>,
        refused: Arc<Mutex<Option<Error>>>,
    ) -> wasmtime::Result<Handle> {
        let (meter, served) = (state.meter().clone(), self.clone());
        let mut view = state.http();
        let request = view.new_incoming_request(Scheme::Http, request)?;
        let out = view.new_response_outparam_from_callback(move |answer| match answer {
            Ok(response) => served.answer(response, meter),
            Err(code) => {
                let error = Error::failure("http", &format!("{code:?}"));
                *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        })?;
        Ok((request, out))
    }

    /// What the guest says goes to the peer, within what may leave it.
    fn answer(self: &Arc<Self>, response: Response<WasiBody>, meter: Arc<Meter>) {
        if response.status().is_informational() {
            return self.end(&Error::failure("http", "what would change the protocol is no answer"));
        }
        let served = self.clone();
        let exceeded = Arc::new(move |over: Error| served.end(&over));
        let lines = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
        if let Err(over) = meter.output(lines.sum()) {
            return exceeded(over);
        }
        let counted = |body: WasiBody| Counted { body, meter, exceeded }.boxed_unsync();
        self.call.answer(Ok(response.map(counted)));
    }

    /// Ends it, and the guest with its next wait.
    fn end(&self, error: &Error) {
        // First, so that what the guest makes of it is not told again.
        self.call.leave();
        self.fail(error);
    }

    /// Tells it, counts it among the actor's errors, and answers if nobody has: the event first, so that a peer that sees
    /// the answer can read it.
    fn fail(&self, error: &Error) {
        let grounds = &self.blueprint.grounds;
        let status = (!self.call.is_answered()).then(|| status_of(error));
        tell_failed(&grounds.ports.hub, &grounds.id, error, status);
        // That there was no room for an instance is no error of the guest.
        if error.code != Code::PoolExhausted {
            self.me.note_error();
        }
        if let Some(status) = status {
            self.call.answer(Err(status));
        }
    }
}

/// What a peer is told: whose fault it is, and nothing of the guest's inside.
fn status_of(error: &Error) -> StatusCode {
    match error.code {
        Code::PoolExhausted => StatusCode::SERVICE_UNAVAILABLE,
        Code::BudgetExceeded if error.text("which") == "wall_ms" => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
