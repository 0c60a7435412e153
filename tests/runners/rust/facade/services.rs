//! The file actor and the process actor against those who would have more than they were granted, or leave something
//! behind.

use std::path::PathBuf;
use std::time::Duration;

use airwasm::{
    ActorHandle, ActorSpec, Budget, Code, Error, Limits, Operation, RequestOptions, Restart, Result, System,
};
use airwasm_tests::guest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{HOUR, eventually, open, refused};

/// Messages that one service works on at once.
const UNDER_WAY_MAX: usize = 16;
/// Of those, how many may be of one guest.
const UNDER_WAY_OF_ONE_MAX: usize = 4;

/// A system with a process actor, which may run a shell for the host.
struct Shop {
    folder: TempDir,
    system: System,
    processes: ActorHandle,
}

impl Shop {
    fn new() -> Self {
        let (folder, system) = (tempfile::tempdir().expect("a folder"), open());
        let processes = system.spawn_processes(ActorSpec::host("processes")).expect("starts");
        Self { folder, system, processes }
    }

    /// A guest that passes on what it is told, with these grants and that to ask the process actor.
    fn relay(&self, name: &str, grants: &[&str]) -> ActorHandle {
        self.spawn(grants.iter().fold(ActorSpec::default().name(name), |spec, text| spec.grant(text)))
    }

    fn spawn(&self, spec: ActorSpec) -> ActorHandle {
        let component = Some(self.system.load(&guest("relay")).expect("loads"));
        let spec = ActorSpec { component, ..spec }.grant("message.request processes");
        self.system.spawn(spec.grant("message.send processes")).expect("starts")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ask(&self, actor: ActorHandle, text: &str) -> Result<String> {
        answered(self.begin(actor, text).wait())
    }

    fn begin(&self, actor: ActorHandle, text: &str) -> Operation<Vec<u8>> {
        let options = RequestOptions { timeout: Some(HOUR), ..RequestOptions::default() };
        self.system.request_async(actor, text.as_bytes(), &options)
    }

    /// Grants an actor any script; the grant.
    fn grant(&self, actor: ActorHandle) -> airwasm::GrantHandle {
        self.system.grant(actor, &script_grant(), None).expect("granted")
    }

    /// Starts a program by way of this actor: a number and a process id.
    fn start(&self, ask: impl Fn(&str) -> Result<String>) -> (u64, i32) {
        let started = ask(&script("start", "echo $$; exec sleep 1000")).expect("started");
        let number = serde_json::from_str::<Value>(&started).expect("JSON")["process"].as_u64();
        let number = number.expect("a number");
        let read = ask(&about("read", number)).expect("read");
        (number, read.lines().nth(1).expect("a line").parse().expect("a process id"))
    }
}

fn answered(outcome: Result<Vec<u8>>) -> Result<String> {
    outcome.map(|bytes| String::from_utf8(bytes).expect("text"))
}

/// The shell by its own path, so that no link needs a grant.
fn sh() -> String {
    std::fs::canonicalize("/bin/sh").expect("a shell").display().to_string()
}

fn script_grant() -> String {
    format!("process.run {} -c **", sh())
}

fn script(op: &str, text: &str) -> String {
    json!({ "op": op, "program": sh(), "args": ["-c", text] }).to_string()
}

fn about(op: &str, number: u64) -> String {
    json!({ "op": op, "process": number }).to_string()
}

/// Waits until there is no such process.
fn gone(pid: i32) {
    eventually(|| match PathBuf::from(format!("/proc/{pid}")).exists() {
        true => Err(Error::failure("lives", &pid.to_string())),
        false => Ok(()),
    });
}

fn lives(pid: i32) -> bool {
    PathBuf::from(format!("/proc/{pid}")).exists()
}

#[test]
fn hostile_f10_a_program_ends_with_the_life_of_its_sender() {
    let shop = Shop::new();
    let wall = Budget { wall: Some(Duration::from_secs(3)), ..Budget::default() };
    let spec = ActorSpec::default().name("guest").grant(&script_grant()).budget(wall);
    let relay = shop.spawn(spec.restart(Restart::Permanent));
    let (number, pid) = shop.start(|text| shop.ask(relay, &format!("processes {text}")));
    assert!(lives(pid));
    let crashed = shop.ask(relay, &format!("within 3600000 processes {}", about("wait", number)));
    assert_eq!(refused(crashed).code, Code::BudgetExceeded);
    gone(pid);
    // The next life has the same name and grants, and is another one.
    let unknown = refused(shop.ask(relay, &format!("processes {}", about("wait", number))));
    assert!(unknown.message.contains("NOT_FOUND"), "{unknown}");
    let (_, pid) = shop.start(|text| shop.ask(relay, &format!("processes {text}")));
    shop.system.kill(relay).expect("lives");
    gone(pid);
}

#[test]
fn hostile_f10_programs_end_with_the_actor_that_runs_them_and_callers_are_answered() {
    for stops in [true, false] {
        let shop = Shop::new();
        shop.grant(shop.processes);
        let ask = |text: &str| shop.ask(shop.processes, text);
        let (_, started) = shop.start(ask);
        let (number, waited) = shop.start(ask);
        let up = shop.path("up");
        let running = shop
            .begin(shop.processes, &script("run", &format!("echo $$ >{}; exec sleep 1000", up.display())));
        let waiting = shop.begin(shop.processes, &about("wait", number));
        let run = eventually(|| {
            let text = std::fs::read_to_string(&up).unwrap_or_default();
            text.trim().parse::<i32>().map_err(|why| Error::failure("not up", &why.to_string()))
        });
        match stops {
            true => shop.system.stop(shop.processes, Some(HOUR)).expect("stops"),
            false => shop.system.kill(shop.processes).expect("lives"),
        }
        for answer in [running.wait(), waiting.wait()] {
            assert_eq!(refused(answer).code, Code::ActorStopped);
        }
        [started, waited, run].into_iter().for_each(gone);
    }
}

#[test]
fn hostile_f10_programs_end_with_the_system() {
    let shop = Shop::new();
    shop.grant(shop.processes);
    let relay = shop.relay("guest", &[&script_grant()]);
    let (_, of_host) = shop.start(|text| shop.ask(shop.processes, text));
    let (_, of_guest) = shop.start(|text| shop.ask(relay, &format!("processes {text}")));
    shop.system.close(None).expect("closes");
    gone(of_host);
    gone(of_guest);
}

#[test]
fn a_run_whose_caller_has_gone_ends_its_program() {
    let shop = Shop::new();
    shop.grant(shop.processes);
    let up = shop.path("up");
    let running =
        shop.begin(shop.processes, &script("run", &format!("echo $$ >{}; exec sleep 1000", up.display())));
    let pid = eventually(|| {
        let text = std::fs::read_to_string(&up).unwrap_or_default();
        text.trim().parse::<i32>().map_err(|why| Error::failure("not up", &why.to_string()))
    });
    drop(running);
    gone(pid);
    assert!(shop.ask(shop.processes, &script("run", "echo next")).expect("answers").ends_with("next\n"));
}

#[test]
fn hostile_d18_a_grant_that_is_revoked_cuts_a_run_in_flight() {
    let shop = Shop::new();
    let relay = shop.relay("guest", &[]);
    let grant = shop.grant(relay);
    let up = shop.path("up");
    let text = script("run", &format!("echo $$ >{}; exec sleep 1000", up.display()));
    let running = shop.begin(relay, &format!("within 3600000 processes {text}"));
    let pid = eventually(|| {
        let text = std::fs::read_to_string(&up).unwrap_or_default();
        text.trim().parse::<i32>().map_err(|why| Error::failure("not up", &why.to_string()))
    });
    assert_eq!(shop.system.revoke(grant).expect("revoked"), 1);
    let error = refused(running.wait());
    assert_eq!((error.code, error.actor.as_deref()), (Code::GrantRevoked, Some("default/guest/0")));
    gone(pid);
}

#[test]
fn hostile_confused_deputy_a_guest_has_neither_the_rights_of_the_service_nor_of_another() {
    let shop = Shop::new();
    shop.grant(shop.processes);
    let able = shop.relay("able", &[&script_grant()]);
    let unable = shop.relay("unable", &[]);
    let (number, pid) = shop.start(|text| shop.ask(able, &format!("processes {text}")));
    let mut events = shop.system.events("capability.denied").expect("open");
    let error = refused(shop.ask(unable, &format!("processes {}", script("run", "true"))));
    assert_eq!((error.code, error.actor.as_deref()), (Code::Denied, Some("default/unable/0")));
    assert_eq!(error.policy_line(), format!("- process.run {} -c true", sh()));
    assert_eq!(error.text("function"), "processes#run");
    let event = events.next().expect("an event");
    assert_eq!(event.actor.as_deref(), Some("default/unable/0"));
    // Numbers can be guessed, and that helps nobody.
    for op in ["read", "write", "wait", "end"] {
        let error = refused(shop.ask(unable, &format!("processes {}", about(op, number))));
        assert!(error.message.contains("NOT_FOUND"), "{op}: {error}");
        assert_eq!(refused(shop.ask(shop.processes, &about(op, number))).code, Code::NotFound, "{op}");
    }
    assert!(lives(pid));
}

#[test]
fn hostile_g1_a_message_does_not_say_who_sent_it() {
    let shop = Shop::new();
    shop.grant(shop.processes);
    let relay = shop.relay("guest", &[]);
    for key in ["sender", "actor", "life", "as"] {
        let forged =
            json!({ "op": "run", "program": sh(), "args": ["-c", "true"], key: "default/processes/0" });
        let error = refused(shop.ask(relay, &format!("processes {forged}")));
        assert!(error.message.contains("invalid-argument") && error.message.contains(key), "{error}");
    }
}

/// Keeps all places of the process actor taken, until the grant is revoked.
fn fill(shop: &Shop) -> (airwasm::GrantHandle, Vec<Operation<Vec<u8>>>) {
    let grant = shop.grant(shop.processes);
    let (number, _) = shop.start(|text| shop.ask(shop.processes, text));
    let waits = (0..UNDER_WAY_MAX).map(|_| shop.begin(shop.processes, &about("wait", number)));
    (grant, waits.collect())
}

#[test]
fn hostile_g10_a_message_of_one_who_has_gone_is_not_done_by_the_rights_of_the_next_of_that_name() {
    let shop = Shop::new();
    let (grant, waits) = fill(&shop);
    let relay = shop.relay("guest", &[&script_grant()]);
    let made = shop.path("made");
    let sent = script("run", &format!("touch {}", made.display()));
    assert_eq!(shop.ask(relay, &format!("send processes {sent}")).expect("sent"), "sent");
    shop.system.stop(relay, None).expect("stops");
    let next = shop.relay("guest", &[&script_grant()]);
    let mut events = shop.system.events("capability.denied").expect("open");
    shop.system.revoke(grant).expect("revoked");
    for wait in waits {
        assert_eq!(refused(wait.wait()).code, Code::GrantRevoked);
    }
    // Each of the waits was told too, as the host's.
    let denied = events.find(|event| event.actor.as_deref() == Some("default/guest/0"));
    let denied = denied.expect("the message was denied");
    assert_eq!(
        denied.detail["policy_line"],
        format!("- process.run {} -c \"touch {}\"", sh(), made.display())
    );
    assert!(!made.exists());
    shop.ask(next, &format!("processes {sent}")).expect("by its own rights it may");
    assert!(made.exists());
}

#[test]
fn hostile_g2_a_guest_that_sends_waits_for_ever_leaves_room_for_others() {
    let shop = Shop::new();
    let greedy = shop.relay("greedy", &[&script_grant()]);
    let other = shop.relay("other", &[&script_grant()]);
    let (number, _) = shop.start(|text| shop.ask(greedy, &format!("processes {text}")));
    for _ in 0..3 * UNDER_WAY_MAX {
        let sent = shop.ask(greedy, &format!("send processes {}", about("wait", number)));
        assert_eq!(sent.expect("sent"), "sent");
    }
    let error = refused(shop.ask(greedy, &format!("processes {}", about("signal", number))));
    assert!(error.message.contains(&format!("LIMIT_EXCEEDED: {UNDER_WAY_OF_ONE_MAX}")), "{error}");
    let answer = shop.ask(other, &format!("processes {}", script("run", "echo on"))).expect("answers");
    assert!(answer.ends_with("on\n"), "{answer}");
    shop.ask(shop.processes, "{}").expect_err("answered");
}

#[test]
fn hostile_g2_waits_at_many_services_leave_threads_for_files() {
    let shop = Shop::new();
    let mut waits = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let service = shop.system.spawn_processes(ActorSpec::host(name)).expect("starts");
        shop.grant(service);
        let (number, _) = shop.start(|text| shop.ask(service, text));
        waits.extend((0..UNDER_WAY_MAX).map(|_| shop.begin(service, &about("wait", number))));
    }
    let grant = format!("fs.write {}/**", shop.folder.path().display());
    let files = shop.system.spawn_files(ActorSpec::host("files").grant(&grant)).expect("starts");
    let line = json!({ "op": "write", "path": shop.path("a"), "create": true });
    let payload = format!("{line}\nx");
    let written = shop.system.request(files, payload.as_bytes(), &RequestOptions::default());
    assert_eq!(answered(written).expect("written"), json!({ "written": 1 }).to_string());
}

#[test]
fn hostile_f7_ten_mebibytes_of_output_are_an_error_that_names_the_limit() {
    let shop = Shop::new();
    shop.grant(shop.processes);
    let flood = script("run", "head -c 10485760 /dev/zero");
    let error = refused(shop.ask(shop.processes, &flood));
    assert_eq!(error.code, Code::PayloadTooLarge);
    assert_eq!((error.text("which"), error.detail["allowed"].as_u64()), ("payload_bytes_max", Some(4 << 20)));
    let limits = Limits { payload_bytes: Some(16 << 20), ..Limits::default() };
    let large = shop.system.spawn_processes(ActorSpec::host("large").limits(limits)).expect("starts");
    shop.grant(large);
    let whole = shop.begin(large, &flood).wait().expect("fits");
    assert!(whole.len() > 10_485_760);
    // What is read piece by piece has no such bound.
    shop.start(|text| shop.ask(shop.processes, text));
}

#[test]
fn many_messages_at_once_are_all_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let system = open();
    let grant = format!("fs.read,write {}/**", folder.path().display());
    let files = system.spawn_files(ActorSpec::host("files").grant(&grant)).expect("starts");
    let ask = |text: String| system.request_async(files, text.as_bytes(), &RequestOptions::default());
    let path = |number: usize| folder.path().join(number.to_string());
    let writes: Vec<_> = (0..200)
        .map(|number| {
            let line = json!({ "op": "write", "path": path(number), "create": true });
            ask(format!("{line}\n{number}"))
        })
        .collect();
    for (number, write) in writes.into_iter().enumerate() {
        let answer = answered(write.wait()).expect("written");
        assert_eq!(answer, json!({ "written": number.to_string().len() }).to_string());
    }
    let reads: Vec<_> =
        (0..200).map(|number| ask(json!({ "op": "read", "path": path(number) }).to_string())).collect();
    for (number, read) in reads.into_iter().enumerate() {
        assert_eq!(answered(read.wait()).expect("read"), number.to_string());
    }
}

#[test]
fn what_bounds_a_guest_is_refused_of_a_service() {
    let system = open();
    let component = system.load(&guest("echo")).expect("loads");
    let error = refused(system.spawn_files(ActorSpec::new(component)));
    assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, "component"));
    let error = refused(system.spawn_processes(ActorSpec::host("p").config("{}")));
    assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, "config"));
    let files = system.spawn_files(ActorSpec::default()).expect("starts");
    assert_eq!(system.id(files).expect("lives"), "default/files/1");
    assert_eq!(system.list(None).expect("open").len(), 1);
}
