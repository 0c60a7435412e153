//! What a policy gives at a start, and what a new one changes for those that live.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use airwasm::{ActorSpec, AuditOptions, Code, Config, System};
use airwasm_tests::guest;
use tempfile::TempDir;

use crate::{open, refused};

struct Desk {
    folder: TempDir,
    system: System,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), system: open() }
    }

    fn write(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("policy.yaml");
        fs::write(&path, text.replace("$TMP", &self.folder.path().display().to_string())).expect("written");
        path
    }

    fn load(&self, text: &str) {
        self.system.policy_load(&self.write(text)).expect("a policy");
    }
}

#[test]
fn a_rule_for_a_component_is_for_no_other() {
    let desk = Desk::new();
    let echo = desk.system.load(&guest("echo")).expect("loads");
    let digest = desk.system.inspect(echo).expect("known").digest;
    desk.load(&format!(
        "version: 1\nrules:\n  - actors: [e/*/*]\n    component: {digest}\n    allow: [custom.billing charge]\n"
    ));
    let other = desk.system.load(&guest("hello")).expect("loads");
    for (component, allowed) in [(echo, true), (other, false)] {
        let name = format!("e/{}/0", if allowed { "echo" } else { "other" });
        let actor = desk.system.spawn(ActorSpec::new(component).name(&name)).expect("starts");
        assert_eq!(desk.system.check(actor, "custom.billing charge").is_ok(), allowed, "{name}");
        let explained = desk.system.policy_explain(&name, "custom.billing charge").expect("an ask");
        assert_eq!(explained.allowed, allowed, "{explained}");
    }
}

#[test]
fn a_limit_that_cannot_be_kept_starts_nobody() {
    let desk = Desk::new();
    let echo = desk.system.load(&guest("echo")).expect("loads");
    desk.load("version: 1\ndefaults:\n  limits: { stack: 64KiB }\n");
    let error = refused(desk.system.spawn(ActorSpec::new(echo)));
    assert_eq!((error.code, error.text("which")), (Code::Unsupported, "stack"));
    assert_eq!(desk.system.list(None).expect("open").len(), 0);
}

#[test]
fn hostile_m9_actors_that_start_while_policies_come_and_go_have_what_the_last_one_says() {
    const ROUNDS: usize = 100;
    let desk = Desk::new();
    let texts = ["one", "two"].map(|action| {
        let path = desk.folder.path().join(format!("{action}.yaml"));
        let text = format!("version: 1\nrules:\n  - actors: [r/*/*]\n    allow: [custom.x {action}]\n");
        fs::write(&path, text).expect("written");
        path
    });
    let actors: Vec<_> = std::thread::scope(|scope| {
        let starts = scope.spawn(|| {
            let start = |number| {
                let spec = ActorSpec::host(&format!("r/a/{number}"));
                desk.system.spawn_host(spec, Box::new(|_| Ok(Vec::new()))).expect("starts")
            };
            (0..ROUNDS).map(start).collect()
        });
        for round in 0..ROUNDS {
            desk.system.policy_load(&texts[round % 2]).expect("a policy");
        }
        desk.system.policy_load(&texts[1]).expect("a policy");
        starts.join().expect("no panic")
    });
    for actor in actors {
        desk.system.check(actor, "custom.x two").expect("allowed by the last one");
        assert_eq!(refused(desk.system.check(actor, "custom.x one")).code, Code::Denied);
        assert_eq!(desk.system.grants(actor).expect("open").len(), 4);
    }
}

#[test]
fn a_policy_is_watched_where_that_is_asked_for_and_no_interval_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.yaml");
    fs::write(&path, "version: 1\n").expect("written");
    let watch =
        |interval| Config { policy: Some(path.clone()), policy_watch: Some(interval), ..Config::default() };
    let error = System::open(watch(Duration::ZERO)).err().expect("refused");
    assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, "policy_watch_ms"));
    let system = System::open(watch(Duration::from_millis(1))).expect("a system");
    let events = system.events("policy.*").expect("open");
    fs::write(&path, "version: 1\nrules:\n  - { actors: [a], allow: [clock] }\n").expect("written");
    assert_eq!(events.into_iter().next().expect("told").kind, "policy.loaded");
    assert!(system.policy_explain("a", "clock").expect("an ask").allowed);
    let missing = Config { policy: Some(folder.path().join("none.yaml")), ..Config::default() };
    assert_eq!(System::open(missing).err().expect("refused").code, Code::PolicyInvalid);
}

#[test]
fn hostile_m9_what_two_policies_both_refuse_is_never_allowed_between_them() {
    const ROUNDS: usize = 300;
    let desk = Desk::new();
    let texts = [("banned", "[custom.x secret]"), ("plain", "[]")].map(|(name, deny)| {
        let allowed = if name == "banned" { "custom.x open,secret" } else { "custom.x open" };
        let text =
            format!("version: 1\nrules:\n  - actors: [a]\n    allow: [\"{allowed}\"]\n    deny: {deny}\n");
        let path = desk.folder.path().join(format!("{name}.yaml"));
        fs::write(&path, text).expect("written");
        path
    });
    desk.system.policy_load(&texts[0]).expect("a policy");
    let spec = ActorSpec::host("a");
    let actor = desk.system.spawn_host(spec, Box::new(|_| Ok(Vec::new()))).expect("starts");
    let over = AtomicBool::new(false);
    let asked = std::thread::scope(|scope| {
        let asks = scope.spawn(|| {
            let mut asked = 0;
            while !over.load(Relaxed) {
                assert_eq!(refused(desk.system.check(actor, "custom.x secret")).code, Code::Denied);
                asked += 1;
            }
            asked
        });
        for round in 0..ROUNDS {
            desk.system.policy_load(&texts[(round + 1) % 2]).expect("a policy");
            desk.system.check(actor, "custom.x open").expect("allowed by both");
        }
        over.store(true, Relaxed);
        asks.join().expect("never allowed")
    });
    assert!(asked > 0);
}

#[test]
fn hostile_l1_an_audit_that_blocks_a_policy_holds_up_no_start() {
    const ACTORS: usize = 100;
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("audit");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there");
    assert!(made.success());
    let audit_options = AuditOptions { level: Some("denials".to_owned()), ..AuditOptions::default() };
    let config = Config { audit: Some(pipe.clone()), audit_options, ..Config::default() };
    let system = System::open(config).expect("a system");
    let start = |name: &str| system.spawn_host(ActorSpec::host(name), Box::new(|_| Ok(Vec::new())));
    for number in 0..ACTORS {
        start(&format!("r/a/{number}")).expect("starts");
    }
    // A record for each actor and each line: more than the queue and the pipe take.
    let denied: String = (0..ACTORS).map(|number| format!("      - custom.x a{number}\n")).collect();
    let path = folder.path().join("policy.yaml");
    let text = format!("version: 1\nrules:\n  - actors: [r/*/*]\n    deny:\n{denied}");
    fs::write(&path, text + "  - { actors: [b], allow: [custom.x open] }\n").expect("written");
    std::thread::scope(|scope| {
        let load = scope.spawn(|| system.policy_load(&path).expect("a policy"));
        while !system.policy_explain("b", "custom.x open").expect("an ask").allowed {
            std::thread::yield_now();
        }
        let actor = start("b").expect("starts");
        system.check(actor, "custom.x open").expect("allowed by the new policy");
        assert!(!load.is_finished(), "nobody has read a record yet");
        let mut records = fs::File::open(&pipe).expect("a pipe");
        std::thread::spawn(move || std::io::copy(&mut records, &mut std::io::sink()));
        load.join().expect("loaded");
    });
    system.close(None).expect("closed");
}

#[test]
fn hostile_m9_an_older_watched_policy_never_follows_a_newer_one() {
    const ROUNDS: usize = 30;
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { policy_watch: Some(Duration::from_millis(1)), ..Config::default() };
    let system = System::open(config).expect("a system");
    let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
    let write = |path: &PathBuf, action: &str, round: usize| {
        let text =
            format!("# {round}\nversion: 1\nrules:\n  - {{ actors: [a], allow: [custom.x {action}] }}\n");
        fs::write(path, text).expect("written");
    };
    let allowed = |action| system.policy_explain("a", &format!("custom.x {action}")).expect("an ask").allowed;
    write(&new, "new", 0);
    for round in 0..ROUNDS {
        write(&old, "old", round);
        system.policy_load(&old).expect("a policy");
        // Its watcher finds one more change each time the next one is loaded.
        write(&old, "older", round);
        system.policy_load(&new).expect("a policy");
        write(&old, "oldest", round);
        assert!(allowed("new") && !allowed("old") && !allowed("older") && !allowed("oldest"));
    }
    system.close(None).expect("closed");
}
