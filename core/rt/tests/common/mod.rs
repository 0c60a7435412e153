//! A runtime with an observer that remembers, and an actor that does what it is asked.
#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::future::{Ready, ready};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use airssys_rt::Caller::Waits;
use airssys_rt::{
    Actor, ActorId, ActorRef, Asked, Backoff, Bounds, Cause, Child, ChildSpec, Config, Context, Counts,
    Error, Exit, Intensity, Message, Notice, Observer, ReplyTo, Restart, Rules, Runtime, Shutdown, Spec,
    SupervisorRef, SupervisorSpec,
};
use tokio::sync::Semaphore;

/// Nothing takes so long unless it hangs.
pub const LONG: Duration = Duration::from_secs(60);

/// What a [`Probe`] is asked to do.
#[derive(Debug)]
pub enum Ask {
    Echo(u64),
    /// Write the number down; the message weighs so many bytes.
    Note(u64, usize),
    Boom,
    Panic,
    /// End because it is done.
    Done,
    /// Wait for the gate.
    Wait,
    /// Block the thread until the other end sends or is dropped.
    Block(mpsc::Receiver<()>),
    /// Answered from elsewhere, later.
    Later(mpsc::Sender<ReplyTo<Ask>>),
}

impl Message for Ask {
    type Reply = u64;
    type Error = Error;

    fn size_bytes(&self) -> usize {
        match self {
            Ask::Note(_, bytes) => *bytes,
            _ => size_of::<Self>(),
        }
    }
}

/// Answers with its number of lives before in thousands.
pub struct Probe {
    pub name: String,
    pub life: u64,
    pub gate: Arc<Semaphore>,
    pub log: Log,
    /// It stops only when the gate opens.
    pub stops_late: bool,
}

impl Child for Probe {
    async fn pre_start(&mut self) -> Result<(), Cause> {
        self.log.note(format!("start {}", self.name));
        Ok(())
    }

    async fn pre_stop(&mut self, _: &Exit) {
        self.log.note(format!("stop {}", self.name));
        if self.stops_late {
            pass(&self.gate).await;
        }
    }
}

async fn pass(gate: &Semaphore) {
    gate.acquire().await.expect("never closed").forget();
}

impl Actor for Probe {
    type Message = Ask;

    async fn handle(&mut self, message: Ask, context: &mut Context<'_, Ask>) -> Result<(), Exit> {
        match message {
            Ask::Echo(number) => context.reply(Ok(number + 1_000 * self.life)),
            Ask::Note(number, _) => {
                self.log.note(number.to_string());
                context.reply(Ok(number));
            }
            Ask::Boom => return Err(boom()),
            Ask::Panic => panic!("on purpose"),
            Ask::Done => return Err(Exit::Normal),
            Ask::Wait => {
                pass(&self.gate).await;
                context.reply(Ok(0));
            }
            Ask::Block(until) => {
                // An error means that the test has let go of it, which is the sign as well.
                let _ = until.recv();
                context.reply(Ok(0));
            }
            Ask::Later(elsewhere) => elsewhere.send(context.take_reply()).expect("the test listens"),
        }
        Ok(())
    }
}

/// A crash.
pub fn boom() -> Exit {
    Exit::Crash(Arc::new(std::io::Error::other("boom")))
}

type Start = Ready<Result<Probe, Cause>>;

/// Lines in the order in which they were written.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn note(&self, line: impl Into<String>) {
        self.0.lock().expect("test lock").push(line.into());
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().expect("test lock").clone()
    }

    /// The lines so far, which are forgotten.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("test lock"))
    }
}

/// A runtime of two workers.
pub struct World {
    pub runtime: Runtime,
    /// What the observer was told, without the ids.
    pub seen: Log,
    /// The same with them.
    pub told: Log,
    /// What the probes wrote.
    pub log: Log,
    pub gate: Arc<Semaphore>,
    pub io: tokio::runtime::Runtime,
}

impl World {
    pub fn new() -> Self {
        Self::observed_by(|_| ())
    }

    /// The observer calls this too, once it has remembered.
    pub fn observed_by(also: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        let (seen, told) = (Log::default(), Log::default());
        let observer = {
            let (seen, told) = (seen.clone(), told.clone());
            move |notice: Notice<'_>| {
                let (id, text) = name(&notice);
                told.note(format!("{}: {text}", short(id)));
                seen.note(text);
                also(&notice);
            }
        };
        let (io, runtime) = runtime(Some(Box::new(observer)));
        let gate = Arc::new(Semaphore::new(0));
        World { runtime, seen, told, log: Log::default(), gate, io }
    }

    /// Lets so many pass that wait for the gate.
    pub fn open(&self, count: usize) {
        self.gate.add_permits(count);
    }

    /// A probe on its own, restarted at once and at most twice.
    pub fn spawn(&self, name: &str, restart: Restart, bounds: Bounds) -> ActorRef<Ask> {
        self.spawn_as(Spec { bounds, ..Spec::new(id(name)) }, restart)
    }

    pub fn spawn_as(&self, spec: Spec, restart: Restart) -> ActorRef<Ask> {
        let backoff = Backoff { initial: Duration::from_millis(1), ..Backoff::default() };
        let intensity = Intensity { restarts_max: 2, ..Intensity::default() };
        let rules = Rules { backoff, intensity, ..Rules::default() };
        self.spawn_by(spec, restart, rules)
    }

    pub fn spawn_by(&self, spec: Spec, restart: Restart, rules: Rules) -> ActorRef<Ask> {
        let start = self.starter(&spec, false);
        let (actor, up) = self.runtime.spawn_restarted(spec, restart, rules, start).expect("a free name");
        up.wait().expect("starts");
        actor
    }

    /// Makes the probes of one actor, and counts its lives.
    pub fn starter(&self, spec: &Spec, stops_late: bool) -> impl Fn() -> Start + Send + Sync + use<> {
        let (gate, log, lives) = (self.gate.clone(), self.log.clone(), AtomicU64::new(0));
        let name = spec.id.as_ref().map_or_else(String::new, short);
        move || {
            let (name, life) = (name.clone(), lives.fetch_add(1, SeqCst));
            ready(Ok(Probe { name, life, gate: gate.clone(), log: log.clone(), stops_late }))
        }
    }

    pub fn plain(&self, name: &str) -> ActorRef<Ask> {
        self.spawn(name, Restart::Temporary, Bounds::default())
    }

    /// A probe as a child.
    pub fn child(&self, name: &str, restart: Restart) -> ChildSpec {
        self.child_as(Spec::new(id(name)), restart, false)
    }

    /// One that stops only when the gate opens.
    pub fn late_child(&self, name: &str, shutdown: Shutdown) -> ChildSpec {
        self.child_as(Spec { shutdown, ..Spec::new(id(name)) }, Restart::Permanent, true)
    }

    pub fn child_as(&self, spec: Spec, restart: Restart, stops_late: bool) -> ChildSpec {
        let start = self.starter(&spec, stops_late);
        ChildSpec::actor(spec, restart, start)
    }

    /// Starts a supervisor, which must succeed.
    pub fn supervise(&self, spec: SupervisorSpec) -> SupervisorRef {
        let (supervisor, up) = self.runtime.supervise(spec).expect("a valid spec");
        up.wait().expect("starts");
        supervisor
    }

    /// The probe of this name.
    pub fn at(&self, name: &str) -> ActorRef<Ask> {
        self.runtime.lookup(&id(name)).unwrap_or_else(|| panic!("{name} is there"))
    }

    pub fn is_there(&self, name: &str) -> bool {
        self.runtime.find(&id(name)).is_some()
    }

    pub fn notices(&self) -> Vec<String> {
        self.seen.lines()
    }

    /// What the probes wrote, once it is so much.
    pub fn logged(&self, count: usize) -> Vec<String> {
        eventually("logged", || self.log.lines().len() >= count);
        self.log.lines()
    }

    /// The counts, which must add up.
    pub fn counts(&self) -> Counts {
        let counts = self.runtime.counts();
        let Counts { sent, delivered, rejected, dropped, dead_letters } = counts;
        assert_eq!(sent, delivered + rejected + dropped + dead_letters, "{counts:?}");
        counts
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.runtime.kill_all();
        self.runtime.end();
    }
}

fn name<'a>(notice: &Notice<'a>) -> (&'a ActorId, String) {
    match notice {
        Notice::Started { id } => (id, "started".to_owned()),
        Notice::Restarted { id, restarts } => (id, format!("restarted {restarts}")),
        Notice::Crashed { id, exit, .. } => (id, exit.to_string()),
        Notice::GaveUp { id, restarts, .. } => (id, format!("gave up {restarts}")),
        Notice::Stopped { id, exit, was_up, .. } => {
            (id, format!("stopped {exit}{}", if *was_up { "" } else { " at its start" }))
        }
        Notice::Removed { id, .. } => (id, "removed".to_owned()),
        Notice::DeadLetters { id, count } => (id, format!("dead {count}")),
    }
}

/// A runtime of two workers, and that of its timers, which is to be dropped after it.
pub fn runtime(observer: Option<Observer>) -> (tokio::runtime::Runtime, Runtime) {
    let io = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("io");
    let (handle, on_tick) = (io.handle().clone(), Box::new(|| ()));
    let runtime = Runtime::start(Config { workers: 2, io: handle, on_tick, observer }).expect("threads");
    (io, runtime)
}

/// The middle of an id.
pub fn short(id: &ActorId) -> String {
    id.as_str().split('/').nth(1).expect("three parts").to_owned()
}

pub fn id(name: &str) -> ActorId {
    name.parse().expect("valid")
}

pub fn soon() -> Option<Instant> {
    Some(Instant::now() + LONG)
}

/// Waits until this holds; a test that waits so long hangs.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::yield_now();
    }
}

/// Waits until the actor has been handed so many messages.
pub fn begun<M: Message>(actor: &ActorRef<M>, handled: u64) {
    eventually("handled", || actor.status().handled >= handled);
}

/// The answer of a probe.
pub fn echo(actor: &ActorRef<Ask>, number: u64) -> Result<u64, Error> {
    actor.request(Ask::Echo(number), soon(), Waits).wait()
}

/// Makes a probe crash, and waits until its life is over.
pub fn crash(actor: &ActorRef<Ask>) {
    let answer = actor.request(Ask::Boom, soon(), Waits).wait();
    assert!(matches!(answer, Err(Error::Crashed(_))), "{answer:?}");
}

/// The answer, which must come.
pub fn answer<T: Send + 'static>(asked: Asked<T>) -> Result<T, Error> {
    let mut asked = asked;
    asked.wait_until(soon()).expect("an answer, or it hangs")
}

/// Rules that restart at once and so often.
pub fn at_once(restarts_max: u32) -> Rules {
    let intensity = Intensity { restarts_max, ..Intensity::default() };
    Rules { intensity, backoff: Backoff::immediate(), ..Rules::default() }
}

/// A child that never starts.
pub fn failing(name: &str) -> ChildSpec {
    let cause = || async { Err::<Probe, Cause>(Arc::new(std::io::Error::other("no"))) };
    ChildSpec::actor(Spec::new(id(name)), Restart::Permanent, cause)
}

/// A supervisor without children.
pub fn spec(name: &str, rules: Rules) -> SupervisorSpec {
    SupervisorSpec::new(id(name)).rules(rules)
}
