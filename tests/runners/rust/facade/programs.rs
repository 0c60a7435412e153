//! Programs that guests run themselves, against those that would outlive them.

use std::path::PathBuf;

use airwasm::{ActorHandle, ActorSpec, Code, Error, RequestOptions, Restart, Result, System};
use airwasm_tests::guest;

use crate::{HOUR, eventually, open};

/// The shell by its own path, so that no link needs a grant.
fn sh() -> String {
    std::fs::canonicalize("/bin/sh").expect("a shell").display().to_string()
}

fn runner(system: &System) -> ActorHandle {
    let component = Some(system.load(&guest("runner")).expect("loads"));
    let spec = ActorSpec { component, ..ActorSpec::default() }.name("runner").restart(Restart::Permanent);
    system.spawn(spec.grant(&format!("process.run {} -c **", sh()))).expect("starts")
}

fn ask(system: &System, actor: ActorHandle, text: &str) -> Result<String> {
    let options = RequestOptions { timeout: Some(HOUR), ..RequestOptions::default() };
    let answer = system.request_async(actor, text.as_bytes(), &options).wait();
    answer.map(|bytes| String::from_utf8(bytes).expect("text"))
}

/// Starts a script that writes its process ids, one a line, so many of them.
fn start(system: &System, actor: ActorHandle, script: &str, count: usize) -> Vec<i32> {
    ask(system, actor, &format!("start\t{}\t-c\t{script}", sh())).expect("started");
    let mut text = String::new();
    while text.lines().count() < count || !text.ends_with('\n') {
        text.push_str(&ask(system, actor, "read").expect("read"));
    }
    text.lines().map(|line| line.parse().expect("a process id")).collect()
}

fn gone(pids: &[i32]) {
    for pid in pids {
        eventually(|| match PathBuf::from(format!("/proc/{pid}")).exists() {
            true => Err(Error::failure("lives", &pid.to_string())),
            false => Ok(()),
        });
    }
}

fn live(pids: &[i32]) -> bool {
    pids.iter().all(|pid| PathBuf::from(format!("/proc/{pid}")).exists())
}

/// Ignores SIGTERM, and leaves a child, and a daemon in a session of its own.
const STUBBORN: &str = "trap '' TERM; sleep 1001 & echo $!; setsid sh -c 'echo $$; exec sleep 1002' & \
    echo $$; while :; do sleep 1003; done";

#[test]
fn hostile_f8_a_program_that_will_not_end_ends_with_all_that_it_started() {
    let system = open();
    let actor = runner(&system);
    let pids = start(&system, actor, STUBBORN, 3);
    assert!(live(&pids));
    assert_eq!(ask(&system, actor, "drop").expect("let go"), "done");
    gone(&pids);
}

#[test]
fn hostile_f10_a_program_ends_with_a_trap_of_its_guest_and_with_its_kill() {
    let system = open();
    let actor = runner(&system);
    let pids = start(&system, actor, STUBBORN, 3);
    assert_eq!(ask(&system, actor, "trap").expect_err("traps").code, Code::Trapped);
    gone(&pids);
    let pids = eventually(|| match ask(&system, actor, "read") {
        Err(error) if error.code == Code::Failure => Ok(start(&system, actor, STUBBORN, 3)),
        other => Err(Error::failure("not yet", &format!("{other:?}"))),
    });
    system.kill(actor).expect("lives");
    gone(&pids);
}

#[test]
fn a_wait_for_a_program_whose_grant_is_revoked_is_denied_at_once_and_the_program_ends() {
    for by_exec in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        // Reached by a link, it needs `fs.exec` of what that leads to besides.
        let link = folder.path().join("shell");
        std::os::unix::fs::symlink(sh(), &link).expect("linked");
        let program = if by_exec { link.display().to_string() } else { sh() };
        for waits_before in [false, true] {
            let system = open();
            let component = system.load(&guest("runner")).expect("loads");
            let actor = system.spawn(ActorSpec::new(component)).expect("starts");
            let grants = [format!("process.run {program} -c **"), format!("fs.exec {}", sh())]
                .map(|grant| system.grant(actor, &grant, None).expect("granted"));
            let start = format!("start\t{program}\t-c\techo $$; exec sleep 1005");
            assert_eq!(ask(&system, actor, &start).expect("started"), "started");
            let pid = ask(&system, actor, "read").expect("read").trim().parse().expect("a process id");
            let options = RequestOptions { timeout: Some(HOUR), ..RequestOptions::default() };
            let wait = || system.request_async(actor, b"wait\t3600000", &options);
            let waiting = waits_before.then(wait);
            system.revoke(grants[usize::from(by_exec)]).expect("was granted");
            let error = waiting.unwrap_or_else(wait).wait().expect_err("denied");
            assert_eq!(error.code, Code::GrantRevoked, "{error}");
            gone(&[pid]);
        }
    }
}

#[test]
fn what_a_program_wrote_before_its_time_was_over_is_read_and_then_that_it_is_over() {
    let system = open();
    let actor = runner(&system);
    let script = "echo one; echo two >&2; exec sleep 1006";
    let start = format!("start-within\t3000\t{}\t-c\t{script}", sh());
    assert_eq!(ask(&system, actor, &start).expect("started"), "started");
    let over = |outcome: Result<String>| {
        let error = outcome.expect_err("over");
        assert_eq!((error.code, error.text("code")), (Code::Failure, "timeout"), "{error}");
    };
    // Only then is anything read.
    over(ask(&system, actor, "wait\t3600000"));
    let mut parts = [(); 2].map(|()| ask(&system, actor, "read").expect("was written"));
    parts.sort();
    assert_eq!(parts, ["one\n", "two\n"]);
    for _ in 0..2 {
        over(ask(&system, actor, "read"));
    }
}

#[test]
fn hostile_f9_no_more_run_at_once_than_may_and_what_ended_makes_room() {
    let system = open();
    let actor = runner(&system);
    let answer = ask(&system, actor, &format!("hoard\t100\t{}\t-c\tsleep 1004", sh())).expect("an answer");
    assert_eq!(answer, "96 refused");
    let run = format!("run\t{}\t-c\ttrue", sh());
    assert_eq!(eventually(|| ask(&system, actor, &run)), "code 0\n");
}
