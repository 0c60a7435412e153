//! A system with the names that a scenario gives to what it makes.

use std::collections::HashMap;

use airwasm::{
    ActorHandle, ComponentHandle, Config, Down, Error, Events, GrantHandle, Operation, SubscriptionHandle,
    System, TimerHandle,
};

use crate::behaviours::Place;
use crate::children::Declarations;
use crate::step::{Step, same};

/// An error of airwasm, or of the expectation.
pub enum Fault {
    Airwasm(Error),
    Expectation(String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Airwasm(error)
    }
}

impl From<String> for Fault {
    fn from(text: String) -> Self {
        Fault::Expectation(text)
    }
}

pub type Outcome = Result<(), Fault>;

pub struct World {
    pub failed: bool,
    pub system: System,
    pub events: Events,
    pub folder: tempfile::TempDir,
    pub components: HashMap<String, ComponentHandle>,
    pub declared: Declarations,
    pub actors: HashMap<String, ActorHandle>,
    pub grants: HashMap<String, GrantHandle>,
    pub requests: HashMap<String, Operation<Vec<u8>>>,
    pub cancelled: Vec<String>,
    pub monitors: HashMap<String, Operation<Down>>,
    pub subscriptions: HashMap<String, SubscriptionHandle>,
    pub timers: HashMap<String, TimerHandle>,
}

impl World {
    /// One that keeps compiled code, if it is told to.
    pub fn new(cached: bool) -> Self {
        let cache_dir = cached.then(|| airwasm_tests::root().join("target/guests-code"));
        let system = System::open(Config { cache_dir, ..Config::default() }).expect("a system");
        let events = system.events("*").expect("open");
        let folder = tempfile::tempdir().expect("a folder");
        World {
            failed: false,
            system,
            events,
            folder,
            components: HashMap::new(),
            declared: Declarations::default(),
            actors: HashMap::new(),
            grants: HashMap::new(),
            requests: HashMap::new(),
            cancelled: Vec::new(),
            monitors: HashMap::new(),
            subscriptions: HashMap::new(),
            timers: HashMap::new(),
        }
    }

    pub fn place(&self) -> Place {
        Place { folder: self.folder.path().to_owned(), system: self.system.clone() }
    }

    pub fn run(&mut self, step: &mut Step) -> Result<(), String> {
        step.replace("$TMP", &self.folder.path().display().to_string());
        let unknown = step.unknown();
        if !unknown.is_empty() {
            return Err(format!("unknown keys {unknown:?}"));
        }
        let code = step.text("expect_error");
        let line = if step.is("policy_explain") { None } else { step.text("expect_policy_line") };
        let wanted = [step.text("expect_message"), line, step.text("expect_which")];
        let outcome = self.act(step);
        let left = step.left_over();
        if outcome.is_ok() && !left.is_empty() {
            return Err(format!("keys {left:?} mean nothing here"));
        }
        match (outcome, code) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(code)) => Err(format!("expected {code}, got success")),
            (Err(Fault::Expectation(text)), _) => Err(text),
            (Err(Fault::Airwasm(error)), None) => Err(format!("{} {error}", error.code.name())),
            (Err(Fault::Airwasm(error)), Some(code)) => {
                same("error", code.as_str(), error.code.name())?;
                let [message, line, which] = wanted;
                if message.as_ref().is_some_and(|part| !error.message.contains(part)) {
                    return Err(format!("the message is {:?}", error.message));
                }
                line.map_or(Ok(()), |line| same("policy line", line.as_str(), error.policy_line()))?;
                which.map_or(Ok(()), |which| same("which", which.as_str(), error.text("which")))
            }
        }
    }

    fn act(&mut self, step: &mut Step) -> Outcome {
        let op = step.need("op");
        match op.as_str() {
            "load" | "load_path" | "load_bytes" | "load_cut" => self.load(&op, step),
            "inspect" => self.inspect(step),
            "types" => self.types(step),
            "unload" => Ok(self.system.unload(self.components[&step.need("component")])?),
            "spawn" | "spawn_host" | "spawn_files" | "spawn_processes" | "lookup" | "list" | "stop"
            | "kill" | "status" | "handled" => self.actor_step(&op, step),
            "send" | "request" | "request_size" | "request_many" => self.message(&op, step),
            "request_start" | "request_await" | "request_cancel" => self.request(&op, step),
            "grant" | "revoke" | "grants" => self.grant(&op, step),
            "policy_load" | "policy_explain" | "policy_test" | "check" => self.policy_step(&op, step),
            "supervisor" | "child" | "start_child" | "terminate_child" | "restart_child" | "delete_child"
            | "children" | "tree" => self.supervisor_step(&op, step),
            "monitor_start" | "monitor_await" | "link" | "unlink" => self.watching(&op, step),
            "subscribe" | "unsubscribe" | "publish" => self.topic_step(&op, step),
            "join" | "leave" | "members" | "broadcast" => self.group(&op, step),
            "send_after" | "send_every" | "cancel_timer" => self.timer(&op, step),
            "dead_letters" => self.dead_letters(step),
            "region_create" | "region_read" | "region_write" | "region_remove" | "regions" => {
                self.region(&op, step)
            }
            "event" => self.event(step),
            "stat" => self.stat(step),
            "file" | "symlink" => self.file(&op, step),
            "kv_get" | "kv_set" | "kv_delete" | "kv_list" => self.keys(&op, step),
            "reopen" => self.reopen(step),
            "close" => self.close(step),
            other => Err(format!("unknown op {other}").into()),
        }
    }

    pub fn actor(&self, step: &mut Step, key: &str) -> Result<ActorHandle, Fault> {
        let name = step.need(key);
        match self.actors.get(&name) {
            Some(actor) => Ok(*actor),
            None => Ok(self.system.lookup(&name)?),
        }
    }
}
