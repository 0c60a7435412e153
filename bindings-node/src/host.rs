//! One JavaScript environment: what it waits for, what it must answer, which systems it opened.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use airwasm::{Code, Error, Message, Operation, Reply, RequestHandle, Started, System};
use napi::Env;
use napi::bindgen_prelude::{Array, BufferSlice, Either, Function, Uint8ArraySlice, Unknown};
use napi_derive::napi;

use crate::answer::{Value, answer, error_text, guard};
use crate::queue::{Item, Queue};
use crate::records::number;
use crate::spec::OpenSpec;
use crate::system::NativeSystem;
use crate::wake::Wake;

/// The kinds of entries in a batch; each is followed by as many values as `ts/runtime.ts` reads for it.
const SETTLED: u32 = 0;
const MESSAGE: u32 = 1;
const HANDLER_GONE: u32 = 2;

/// An operation that JavaScript waits for. It keeps the event loop alive.
struct Waiting {
    system: System,
    /// What cancels it.
    request: RequestHandle,
}

/// The state of one environment, used on its own thread only.
pub struct State {
    pub queue: Arc<Queue>,
    wake: Cell<Option<Wake>>,
    serial: Cell<u64>,
    waiting: RefCell<HashMap<u64, Waiting>>,
    replies: RefCell<HashMap<u64, Reply>>,
    systems: RefCell<HashMap<u64, System>>,
}

/// One JavaScript environment; `ts/runtime.ts` makes exactly one.
#[napi]
pub struct Host {
    state: Rc<State>,
}

#[napi]
impl Host {
    /// `dispatch` is called with each batch of what has happened.
    #[napi(constructor)]
    pub fn new(env: &Env, dispatch: Function<'_, Array<'_>, ()>) -> napi::Result<Self> {
        let state = Rc::new(State {
            queue: Arc::new(Queue::new()),
            wake: Cell::new(None),
            serial: Cell::new(0),
            waiting: RefCell::default(),
            replies: RefCell::default(),
            systems: RefCell::default(),
        });
        let deliverer = Rc::clone(&state);
        let wake =
            Wake::new(env, &dispatch, Box::new(move |env, dispatch| deliverer.deliver(env, dispatch)))?;
        // Node runs cleanup hooks in reverse order, so this one runs before the one that ends `wake`.
        env.add_env_cleanup_hook(Rc::clone(&state), |state| {
            state.wake.set(None);
            state.queue.close();
            state.abandon();
        })?;
        state.wake.set(Some(wake));
        state.queue.open(wake);
        Ok(Self { state })
    }

    /// Opens a system; it lives until it is closed, abandoned or collected.
    #[napi]
    pub fn open(&self, options: OpenSpec) -> Either<NativeSystem, String> {
        match guard(|| System::open(options.into())) {
            Ok(system) => Either::A(self.state.adopt(system)),
            Err(error) => Either::B(error_text(&error)),
        }
    }

    /// Kills all actors of all systems of this environment and waits for nothing: the process is about to exit.
    #[napi]
    pub fn abandon(&self) {
        self.state.abandon();
    }

    /// Cancels the operation with this ticket, if it still is under way. Its outcome comes as usual.
    #[napi]
    pub fn cancel(&self, ticket: f64) {
        let found = self.state.waiting.borrow().get(&key(ticket)).map(|waiting| {
            let (system, request) = (waiting.system.clone(), waiting.request);
            move || system.cancel(request)
        });
        if let Some(cancel) = found {
            // `false` and `CLOSED` both mean that the outcome is there or on its way.
            let _ = guard(cancel);
        }
    }

    /// Answers a message with bytes.
    #[napi]
    pub fn reply(&self, reply: f64, payload: Uint8ArraySlice<'_>) {
        self.state.settle(reply, Ok(payload.to_vec()));
    }

    /// Answers a message with the handler's own refusal.
    #[napi]
    pub fn reply_failure(&self, reply: f64, code: String, text: String) {
        self.state.settle(reply, Err(Error::failure(&code, &text)));
    }

    /// Answers a message with what its handler threw, which is a crash of its actor. JavaScript bounds the texts.
    #[napi]
    pub fn reply_raised(&self, reply: f64, name: String, text: String, traceback: String) {
        let error = Error::new(Code::HandlerRaised, format!("{name}: {text}"))
            .with("type", name)
            .with("text", text)
            .with("traceback", traceback);
        self.state.settle(reply, Err(error));
    }
}

impl State {
    /// Starts an operation: its outcome if that is there at once, else a ticket.
    pub fn begin<'e, T: Send + 'static>(
        &self,
        env: &'e Env,
        system: &System,
        wrap: fn(T) -> Value,
        start: impl FnOnce() -> airwasm::Result<Operation<T>>,
    ) -> napi::Result<Unknown<'e>> {
        let ticket = self.next();
        let queue = Arc::clone(&self.queue);
        let started = guard(|| {
            let completion = move |outcome: airwasm::Result<T>| {
                queue.push(Item::Settled { ticket, outcome: outcome.map(wrap) });
            };
            Ok(start()?.start(Box::new(completion)))
        });
        match started {
            Err(error) => answer(env, None, || Err(error)),
            Ok(Started::Ready(outcome)) => answer(env, Some(system), || outcome.map(wrap)),
            Ok(Started::Pending(request)) => self.wait(env, ticket, system, request),
        }
    }

    /// Gives JavaScript a ticket, and keeps the event loop alive until its outcome.
    fn wait<'e>(
        &self,
        env: &'e Env,
        ticket: u64,
        system: &System,
        request: RequestHandle,
    ) -> napi::Result<Unknown<'e>> {
        if let (Some(wake), true) = (self.wake.get(), self.waiting.borrow().is_empty()) {
            wake.hold(env);
        }
        self.waiting.borrow_mut().insert(ticket, Waiting { system: system.clone(), request });
        napi::bindgen_prelude::ToNapiValue::into_unknown(number(ticket), env)
    }

    /// Forgets a system whose JavaScript object was collected.
    pub fn forget(&self, serial: u64) {
        self.systems.borrow_mut().remove(&serial);
    }

    fn adopt(self: &Rc<Self>, system: System) -> NativeSystem {
        let serial = self.next();
        self.systems.borrow_mut().insert(serial, system.clone());
        NativeSystem::new(Rc::clone(self), system, serial)
    }

    /// Serial numbers, tickets and reply numbers; none repeats.
    fn next(&self) -> u64 {
        self.serial.set(self.serial.get() + 1);
        self.serial.get()
    }

    fn abandon(&self) {
        let systems = std::mem::take(&mut *self.systems.borrow_mut());
        for system in systems.into_values() {
            let _ = guard(|| {
                system.abandon();
                Ok(())
            });
        }
    }

    fn settle(&self, reply: f64, answer: airwasm::Result<Vec<u8>>) {
        let duty = self.replies.borrow_mut().remove(&key(reply));
        if let Some(duty) = duty {
            let _ = guard(|| {
                duty.settle(answer);
                Ok(())
            });
        }
    }

    /// Hands one batch to JavaScript, on its own thread.
    fn deliver(&self, env: &Env, dispatch: &Function<'_, Array<'_>, ()>) -> napi::Result<()> {
        let mut batch = env.create_array(0)?;
        for item in self.queue.take() {
            match item {
                Item::Settled { ticket, outcome } => self.put_settled(env, &mut batch, ticket, outcome)?,
                Item::Message { handler, message, reply } => {
                    self.put_message(env, &mut batch, handler, message, reply)?;
                }
                Item::HandlerGone { handler } => {
                    batch.insert(HANDLER_GONE)?;
                    batch.insert(handler)?;
                }
            }
        }
        dispatch.call(batch)
    }

    fn put_settled(
        &self,
        env: &Env,
        batch: &mut Array<'_>,
        ticket: u64,
        outcome: airwasm::Result<Value>,
    ) -> napi::Result<()> {
        let waiting = self.waiting.borrow_mut().remove(&ticket);
        if let (Some(wake), true) = (self.wake.get(), self.waiting.borrow().is_empty()) {
            wake.release(env);
        }
        let system = waiting.as_ref().map(|waiting| &waiting.system);
        batch.insert(SETTLED)?;
        batch.insert(number(ticket))?;
        batch.insert(answer(env, system, || outcome)?)
    }

    fn put_message(
        &self,
        env: &Env,
        batch: &mut Array<'_>,
        handler: u32,
        message: Message,
        reply: Reply,
    ) -> napi::Result<()> {
        let number_of_reply = self.next();
        self.replies.borrow_mut().insert(number_of_reply, reply);
        batch.insert(MESSAGE)?;
        batch.insert(handler)?;
        batch.insert(number(number_of_reply))?;
        batch.insert(message.sender)?;
        batch.insert(message.to)?;
        batch.insert(&BufferSlice::copy_from(env, message.payload)?)?;
        batch.insert(message.content_type)?;
        batch.insert(message.topic)
    }
}

/// A number that JavaScript hands back.
fn key(number: f64) -> u64 {
    number as u64
}

/// The JSON text of an `INVALID_ARGUMENT`, for what only JavaScript can see: a value of the wrong type.
#[napi]
pub fn argument_error(which: String, why: String) -> String {
    error_text(&Error::argument(&which, why))
}

/// The JSON text of an `INVALID_HANDLE`: an object of another system.
#[napi]
pub fn foreign_error(what: String) -> String {
    error_text(&Error::new(Code::InvalidHandle, format!("this {what} belongs to another system")))
}

/// The JSON text of a `CANCELLED` for a call whose signal was aborted before it began.
#[napi]
pub fn cancelled_error() -> String {
    error_text(&Error::new(Code::Cancelled, "cancelled before it began"))
}

/// The name and number of every error code.
#[napi(object, object_from_js = false)]
pub struct CodeAnswer {
    pub name: String,
    pub number: u32,
}

/// Every error code, in the order of the numbers.
#[napi]
pub fn codes() -> Vec<CodeAnswer> {
    Code::ALL.iter().map(|code| CodeAnswer { name: code.name().to_owned(), number: code.number() }).collect()
}

/// The version of the core.
#[napi]
pub fn version() -> String {
    System::version().to_owned()
}
