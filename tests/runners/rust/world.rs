//! A system with the names that a scenario gives to what it makes.

use std::collections::HashMap;
use std::time::Duration;

use airwasm::{
    ActorHandle, ActorSpec, Budget, Code, ComponentHandle, Config, Error, Events, GrantHandle, HostExecutor,
    Limits, Message, Operation, Reply, RequestOptions, SendOptions, System,
};
use airwasm_tests::guest;

use crate::step::{Step, same};

/// An error of airwasm, or of the expectation.
enum Fault {
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

type Outcome = Result<(), Fault>;

pub struct World {
    pub failed: bool,
    system: System,
    events: Events,
    folder: tempfile::TempDir,
    components: HashMap<String, ComponentHandle>,
    actors: HashMap<String, ActorHandle>,
    grants: HashMap<String, GrantHandle>,
    requests: HashMap<String, Operation<Vec<u8>>>,
    cancelled: Vec<String>,
}

impl World {
    pub fn new() -> Self {
        let system = System::open(Config::default()).expect("a system");
        let events = system.events("*").expect("open");
        let folder = tempfile::tempdir().expect("a folder");
        World {
            failed: false,
            system,
            events,
            folder,
            components: HashMap::new(),
            actors: HashMap::new(),
            grants: HashMap::new(),
            requests: HashMap::new(),
            cancelled: Vec::new(),
        }
    }

    pub fn run(&mut self, step: &mut Step) -> Result<(), String> {
        step.replace("$TMP", &self.folder.path().display().to_string());
        let unknown = step.unknown();
        if !unknown.is_empty() {
            return Err(format!("unknown keys {unknown:?}"));
        }
        let code = step.text("expect_error");
        let wanted = ["expect_message", "expect_policy_line", "expect_which"].map(|key| step.text(key));
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
            "unload" => Ok(self.system.unload(self.components[&step.need("component")])?),
            "spawn" => self.spawn(step),
            "spawn_host" => self.spawn_host(step),
            "send" | "request" | "request_size" | "request_many" => self.message(&op, step),
            "request_start" | "request_await" | "request_cancel" => self.request(&op, step),
            "grant" | "revoke" | "grants" => self.grant(&op, step),
            "lookup" | "stop" | "kill" | "status" => self.actor_step(&op, step),
            "event" => self.event(step),
            "stat" => self.stat(step),
            "file" | "symlink" => self.file(&op, step),
            "close" => self.close(step),
            other => Err(format!("unknown op {other}").into()),
        }
    }

    fn actor(&self, step: &mut Step, key: &str) -> Result<ActorHandle, Fault> {
        let name = step.need(key);
        match self.actors.get(&name) {
            Some(actor) => Ok(*actor),
            None => Ok(self.system.lookup(&name)?),
        }
    }

    fn load(&mut self, op: &str, step: &mut Step) -> Outcome {
        if op == "load_path" {
            self.system.load(step.need("path").as_ref())?;
        } else if op == "load_bytes" {
            self.system.load_bytes(step.need("text").into_bytes())?;
        } else {
            let name = step.need("component");
            let component = match step.int("bytes") {
                None => self.system.load(&guest(&name))?,
                Some(count) => {
                    let bytes = std::fs::read(guest(&name)).expect("a built guest");
                    let length = if count < 0 { bytes.len() as i64 + count } else { count };
                    self.system
                        .load_bytes(bytes[..usize::try_from(length).expect("within the file")].to_vec())?
                }
            };
            self.components.insert(name, component);
        }
        Ok(())
    }

    fn component(&mut self, name: &str) -> Result<ComponentHandle, Fault> {
        if let Some(component) = self.components.get(name) {
            return Ok(*component);
        }
        let component = self.system.load(&guest(name))?;
        self.components.insert(name.to_owned(), component);
        Ok(component)
    }

    fn inspect(&mut self, step: &mut Step) -> Outcome {
        let component = self.component(&step.need("component"))?;
        let info = self.system.inspect(component)?;
        let lists =
            [("import", &info.imports), ("export", &info.exports), ("capability", &info.capabilities)];
        for (key, list) in lists {
            if let Some(part) = step.text(&format!("expect_{key}"))
                && !list.iter().any(|item| item.contains(&part))
            {
                return Err(format!("{key}s are {list:?}").into());
            }
        }
        Ok(step.flag("expect_handler").map_or(Ok(()), |handler| same("handler", handler, info.handler))?)
    }

    fn spawn(&mut self, step: &mut Step) -> Outcome {
        let component = self.component(&step.need("component"))?;
        let millis = |count: Option<u64>| count.map(Duration::from_millis);
        let spec = ActorSpec {
            component: Some(component),
            name: step.text("name"),
            grants: step
                .text("grant")
                .map(|text| text.lines().map(str::to_owned).collect())
                .unwrap_or_default(),
            restart: step.text("restart").map(|text| text.parse()).transpose()?,
            config: step.text("config"),
            budget: Budget {
                cpu: millis(step.count("cpu_ms")),
                wall: millis(step.count("wall_ms")),
                host_calls: step.count("host_calls"),
                output_bytes: step.count("output_bytes"),
                fuel: step.count("fuel"),
            },
            limits: Limits {
                memory_bytes: step.count("memory_bytes"),
                handles: step.count("handles"),
                mailbox_messages: step.count("mailbox_messages"),
                payload_bytes: step.count("payload_bytes"),
                ..Limits::default()
            },
            shutdown: None,
            ..ActorSpec::default()
        };
        let actor = self.system.spawn(spec)?;
        self.keep_actor(step, actor)
    }

    fn keep_actor(&mut self, step: &mut Step, actor: ActorHandle) -> Outcome {
        if let Some(id) = step.text("expect_id") {
            same("id", id, self.system.id(actor)?)?;
        }
        if let Some(alias) = step.text("as") {
            self.actors.insert(alias, actor);
        }
        Ok(())
    }

    fn spawn_host(&mut self, step: &mut Step) -> Outcome {
        let behaviour = step.need("behaviour");
        let spec = ActorSpec {
            name: step.text("name"),
            restart: step.text("restart").map(|text| text.parse()).transpose()?,
            ..ActorSpec::default()
        };
        let mut raised = false;
        let handler = move |message: Message, reply: Reply| behave(&behaviour, &mut raised, &message, reply);
        let actor = self.system.spawn_host_deferred(spec, HostExecutor::Callback, Box::new(handler))?;
        self.keep_actor(step, actor)
    }

    fn message(&mut self, op: &str, step: &mut Step) -> Outcome {
        let actor = self.actor(step, "to")?;
        let options = RequestOptions {
            timeout: step.count("timeout_ms").map(Duration::from_millis),
            ..RequestOptions::default()
        };
        match op {
            "send" => self.system.send(actor, step.need("text").as_bytes(), &SendOptions::default())?,
            "request" => {
                let answer = self.system.request(actor, step.need("text").as_bytes(), &options)?;
                check_answer(step, &answer)?;
            }
            "request_size" => {
                let payload =
                    vec![b'x'; usize::try_from(step.count("bytes").expect("bytes")).expect("small")];
                let answer = self.system.request(actor, &payload, &options)?;
                same("bytes", step.count("expect_bytes").expect("expect_bytes"), answer.len() as u64)?;
            }
            _ => {
                let (text, count) = (step.need("text"), step.count("count").expect("count"));
                let many: Vec<_> =
                    (0..count).map(|_| self.system.request_async(actor, text.as_bytes(), &options)).collect();
                let expected = step.need("expect_text");
                for one in many {
                    same("answer", expected.clone(), String::from_utf8_lossy(&one.wait()?).into_owned())?;
                }
            }
        }
        Ok(())
    }

    fn request(&mut self, op: &str, step: &mut Step) -> Outcome {
        if op == "request_start" {
            let actor = self.actor(step, "to")?;
            let timeout = step.count("timeout_ms").map(Duration::from_millis);
            let options = RequestOptions { timeout, ..RequestOptions::default() };
            let request = self.system.request_async(actor, step.need("text").as_bytes(), &options);
            self.requests.insert(step.need("as"), request);
            return Ok(());
        }
        let name = step.need("request");
        if op == "request_cancel" {
            // A dropped operation is a cancelled one.
            self.requests.remove(&name);
            self.cancelled.push(name);
            return Ok(());
        }
        match self.requests.remove(&name) {
            Some(request) => check_answer(step, &request.wait()?),
            None if self.cancelled.contains(&name) => Err(Error::new(Code::Cancelled, "cancelled").into()),
            None => Err(format!("no request {name}").into()),
        }
    }

    fn grant(&mut self, op: &str, step: &mut Step) -> Outcome {
        match op {
            "grant" => {
                let actor = self.actor(step, "to")?;
                let ttl = step.count("ttl_ms").map(Duration::from_millis);
                let grant = self.system.grant(actor, &step.need("capability"), ttl)?;
                if let Some(alias) = step.text("as") {
                    self.grants.insert(alias, grant);
                }
            }
            "revoke" => {
                let cut = self.system.revoke(self.grants[&step.need("grant")])?;
                step.count("expect_cut").map_or(Ok(()), |expected| same("cut", expected, cut))?;
            }
            _ => {
                let actor = self.actor(step, "of")?;
                let texts: Vec<_> =
                    self.system.grants(actor)?.into_iter().map(|grant| grant.capability).collect();
                if step.text("expect_grant").is_some_and(|text| !texts.contains(&text)) {
                    return Err(format!("grants are {texts:?}").into());
                }
                step.count("expect_count")
                    .map_or(Ok(()), |count| same("grants", count, texts.len() as u64))?;
            }
        }
        Ok(())
    }

    fn actor_step(&mut self, op: &str, step: &mut Step) -> Outcome {
        if op == "lookup" {
            let actor = self.system.lookup(&step.need("id"))?;
            return self.keep_actor(step, actor);
        }
        let actor = self.actor(step, if op == "status" { "of" } else { "to" })?;
        match op {
            "stop" => self.system.stop(actor, None)?,
            "kill" => self.system.kill(actor)?,
            _ => {
                let status = self.system.status(actor)?;
                step.text("expect_state").map_or(Ok(()), |state| same("state", state, status.state))?;
                step.count("expect_restarts")
                    .map_or(Ok(()), |count| same("restarts", count, status.restarts))?;
                step.count("expect_handled")
                    .map_or(Ok(()), |count| same("handled", count, status.handled))?;
            }
        }
        Ok(())
    }

    fn event(&mut self, step: &mut Step) -> Outcome {
        let kind = step.need("kind");
        let of = match step.text("of") {
            None => None,
            Some(name) if name.contains('/') => Some(name),
            Some(name) => Some(self.actors.get(&name).map_or(Ok(name), |actor| self.system.id(*actor))?),
        };
        let within = Duration::from_millis(step.count("within_ms").unwrap_or(5_000));
        let until = std::time::Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(std::time::Instant::now());
            let next = self.events.next_async().wait_for(left);
            let Some(Ok(Some(event))) = next else { return Err(format!("no event {kind} of {of:?}").into()) };
            if event.kind == kind && (of.is_none() || event.actor == of) {
                let Some(key) = step.text("expect_key") else { return Ok(()) };
                let got = event
                    .detail
                    .get(&key)
                    .map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
                return Ok(same(&key, Some(step.need("expect_value")), got)?);
            }
        }
    }

    fn stat(&mut self, step: &mut Step) -> Outcome {
        let stats = self.system.stats()?;
        let name = step.need("name");
        let got = match name.as_str() {
            "components" => stats.components,
            "actors" => stats.actors,
            "sent" => stats.sent,
            "delivered" => stats.delivered,
            "rejected" => stats.rejected,
            "dropped" => stats.dropped,
            "dead_letters" => stats.dead_letters,
            "restarts" => stats.restarts,
            "denied" => stats.denied,
            other => return Err(format!("no counter {other}").into()),
        };
        Ok(same(&name, step.count("expect_count").expect("expect_count"), got)?)
    }

    fn file(&mut self, op: &str, step: &mut Step) -> Outcome {
        let path = std::path::PathBuf::from(step.need("path"));
        std::fs::create_dir_all(path.parent().expect("a path in the folder")).expect("a writable folder");
        match op {
            "file" => std::fs::write(&path, step.need("text")),
            _ => std::os::unix::fs::symlink(step.need("target"), &path),
        }
        .map_err(|why| Fault::Expectation(why.to_string()))
    }

    fn close(&mut self, step: &mut Step) -> Outcome {
        let report = self.system.close(None)?;
        step.count("expect_stopped").map_or(Ok(()), |count| same("stopped", count, report.stopped))?;
        step.count("expect_dead_letters")
            .map_or(Ok(()), |count| same("dead letters", count, report.dead_letters))?;
        Ok(())
    }
}

fn check_answer(step: &mut Step, answer: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(answer).into_owned();
    if let Some(part) = step.text("expect_part")
        && !text.contains(&part)
    {
        return Err(format!("the answer is {text:?}").into());
    }
    Ok(step.text("expect_text").map_or(Ok(()), |expected| same("answer", expected, text))?)
}

/// The functions that every host offers as actors.
fn behave(behaviour: &str, raised: &mut bool, message: &Message, reply: Reply) {
    if behaviour == "later" {
        std::thread::spawn(move || reply.settle(Ok(b"later".to_vec())));
        return;
    }
    let crash = || Err(Error::new(Code::HandlerRaised, "raised on purpose"));
    reply.settle(match behaviour {
        "upper" => Ok(message.payload.to_ascii_uppercase()),
        "sender" => Ok(message.sender.clone().into_bytes()),
        "fail" => Err(Error::failure("refused", "asked to fail")),
        "raise" => crash(),
        "raise_once" if !std::mem::replace(raised, true) => crash(),
        "raise_once" => Ok(b"ok".to_vec()),
        "none" => Ok(Vec::new()),
        other => panic!("unknown behaviour {other}"),
    });
}
