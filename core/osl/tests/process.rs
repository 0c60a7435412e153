//! Programs that are run, talked to, waited for and ended.
#![cfg(target_os = "linux")]

mod helpers;

use std::time::{Duration, Instant};

use airssys_osl::{
    Command, Decision, DenialKind, Exhausted, Operation, Output, ProcessError, ProcessExit, ProcessLimits,
    ProcessSignal, Resource, ResourceLimits, ResourceManager, Resources, Stdin, SystemLimits, Whose,
};
use helpers::*;

#[test]
fn a_program_writes_and_exits() {
    let shop = Shop::new(&[]);
    let process = shop.start("echo out; echo err >&2; exit 7");
    assert_eq!(process.wait(soon()).unwrap(), ProcessExit::Code(7));
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Code(7));
    assert_eq!(read_all(&process), "out\n");
    let mut buf = [0; 16];
    let count = process.read_stderr(&mut buf, soon()).unwrap();
    assert_eq!(&buf[..count], b"err\n");
    assert_eq!(process.read_stderr(&mut buf, soon()).unwrap(), 0);
    assert!(matches!(process.signal(ProcessSignal::Terminate), Err(ProcessError::Ended)));
}

#[test]
fn both_outputs_are_read_as_they_come() {
    let shop = Shop::new(&[]);
    let process = shop.start("i=0; while [ $i -lt 20000 ]; do echo out; echo err >&2; i=$((i+1)); done");
    let (mut out, mut err, mut buf) = (0, 0, [0; 4_096]);
    while let Some((output, count)) = process.read(&mut buf, soon()).unwrap() {
        match output {
            Output::Stdout => out += count,
            Output::Stderr => err += count,
        }
    }
    assert_eq!((out, err), (80_000, 80_000));
    assert_eq!(process.wait(soon()).unwrap(), ProcessExit::Code(0));
}

#[test]
fn a_program_has_no_more_memory_and_time_than_it_was_given() {
    let given = ProcessLimits { memory_bytes_max: Some(64 << 20), cpu_seconds_max: Some(1), ..limits() };
    let shop = Shop::limited(given);
    assert_eq!(shop.output(&script_of("ulimit -v; ulimit -S -t; ulimit -H -t")), "65536\n1\n2\n");
}

#[test]
fn a_signal_that_ends_a_program_is_told() {
    let shop = Shop::new(&[]);
    let process = shop.start("kill -USR1 $$; exec sleep 1000");
    assert_eq!(process.wait(soon()).unwrap(), ProcessExit::Signal(10));
}

#[test]
fn input_is_written_and_ended() {
    let shop = Shop::new(&[]);
    let process = shop.run(&piped("read a; echo \"got $a\"; cat")).unwrap();
    assert_eq!(process.write_stdin(b"one\n", soon()).unwrap(), 4);
    assert_eq!(read_line(&process), "got one");
    process.write_stdin(b"rest", soon()).unwrap();
    process.close_stdin();
    process.close_stdin();
    assert_eq!(read_all(&process), "rest");
    assert!(matches!(process.write_stdin(b"x", soon()), Err(ProcessError::Ended)));
    assert_eq!(process.wait(soon()).unwrap(), ProcessExit::Code(0));
}

#[test]
fn input_that_is_given_whole_needs_nobody_to_write_it() {
    let shop = Shop::new(&[]);
    let bytes = vec![b'x'; 1 << 20];
    let command = Command { stdin: Stdin::Bytes(bytes), ..script_of("cat") };
    assert_eq!(shop.output(&command).len(), 1 << 20);
    let process = shop.run(&command).unwrap();
    assert!(matches!(process.write_stdin(b"x", soon()), Err(ProcessError::Ended)));
    assert_eq!(shop.output(&script_of("cat; echo end")), "end\n", "without any it ends at once");
}

#[test]
fn a_write_to_a_program_that_ended_is_an_error_and_no_signal() {
    let shop = Shop::new(&[]);
    let process = shop.run(&piped("exit 0")).unwrap();
    process.wait_all(soon()).unwrap();
    assert!(matches!(process.write_stdin(b"x", soon()), Err(ProcessError::Ended)));
}

#[test]
fn the_directory_is_the_one_that_was_given() {
    let shop = Shop::new(&[]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().to_str().unwrap().to_owned();
    assert_eq!(shop.output(&script_of("pwd -P")), "/\n");
    let command = Command { directory: path.clone(), ..script_of("pwd -P") };
    assert_eq!(shop.output(&command), format!("{path}\n"));
    let nowhere = Command { directory: format!("{path}/none"), ..script_of("pwd") };
    assert!(matches!(shop.run(&nowhere), Err(ProcessError::NotFound(_))));
}

#[test]
fn a_program_moves_and_links_files_between_directories() {
    let shop = Shop::new(&[]);
    let dir = tempfile::tempdir().unwrap();
    let directory = dir.path().canonicalize().unwrap().to_str().unwrap().to_owned();
    let script = "mkdir a b && echo x >a/f && mv a/f b/f && ln b/f a/g && mkfifo a/p && cat a/g";
    assert_eq!(shop.output(&Command { directory, ..script_of(script) }), "x\n");
}

#[test]
fn signals_reach_the_program() {
    let shop = Shop::new(&[]);
    let process =
        shop.start("trap 'echo caught; exit 3' INT; echo ready; while :; do read x </dev/null; done");
    assert_eq!(read_line(&process), "ready");
    process.signal(ProcessSignal::Interrupt).unwrap();
    assert_eq!(read_line(&process), "caught");
    assert_eq!(process.wait(soon()).unwrap(), ProcessExit::Code(3));
}

#[test]
fn a_program_is_asked_to_end_before_it_is_killed() {
    let shop = Shop::limited(ProcessLimits { grace: Duration::from_secs(600), ..limits() });
    let process = shop.start("trap 'echo bye; exit 4' TERM; echo ready; while :; do read x </dev/null; done");
    assert_eq!(read_line(&process), "ready");
    process.end();
    assert_eq!(read_line(&process), "bye");
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Code(4));
}

#[test]
fn a_stopped_program_ends_too() {
    let shop = Shop::limited(ProcessLimits { grace: Duration::from_secs(600), ..limits() });
    let process = shop.start("echo $$; exec sleep 1000");
    let pid = read_line(&process);
    process.signal(ProcessSignal::Stop).unwrap();
    let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    wait_until("it has stopped", || stat().contains(") T "));
    process.end();
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Signal(15));
}

#[test]
fn deadlines_end_a_wait_and_nothing_else() {
    let shop = Shop::new(&[]);
    let process = shop.run(&piped("read a; echo done")).unwrap();
    let now = Instant::now();
    assert!(matches!(process.wait(now), Err(ProcessError::TimedOut)));
    assert!(matches!(process.read_stdout(&mut [0; 8], now), Err(ProcessError::TimedOut)));
    assert!(matches!(process.read_stdout(&mut [], now), Err(ProcessError::Invalid(_))));
    process.write_stdin(b"\n", soon()).unwrap();
    assert_eq!(read_line(&process), "done");
}

#[test]
fn a_program_may_only_run_so_long() {
    let shop = Shop::limited(ProcessLimits { run_max: Some(Duration::from_millis(1)), ..limits() });
    assert_eq!(shop.start("exec sleep 1000").wait(soon()).unwrap(), ProcessExit::Signal(15));
}

#[test]
fn a_command_shows_no_values() {
    let env = vec![("APP_KEY".to_owned(), "hunter2".to_owned())];
    let command = Command { env, stdin: Stdin::Bytes(b"secret".to_vec()), ..script_of("echo") };
    let shown = format!("{command:?}");
    assert!(shown.contains("APP_KEY") && shown.contains("Bytes(6)"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("115"), "{shown}");
}

#[test]
fn a_grace_without_end_waits() {
    let shop =
        Shop::limited(ProcessLimits { grace: Duration::MAX, run_max: Some(Duration::MAX), ..limits() });
    let process = shop.run(&piped("trap 'echo asked' TERM; echo ready; read x; read x; exit 6")).unwrap();
    assert_eq!(read_line(&process), "ready");
    process.end();
    assert_eq!(read_line(&process), "asked");
    process.close_stdin();
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Code(6));
}

#[test]
fn limits_of_the_system_bind_the_program() {
    let shop = Shop::limited(ProcessLimits {
        file_bytes_max: Some(512 * 1_024),
        user_tasks_max: Some(4_096),
        ..limits()
    });
    assert_eq!(shop.output(&script_of("ulimit -c; ulimit -f")), "0\n1024\n");
    let nproc = shop.output(&script_of(
        "while read a b c d e; do [ $b = processes ] && echo $c; done </proc/self/limits",
    ));
    assert_eq!(nproc, "4096\n");
    let rights = shop
        .output(&script_of("while read a b; do [ $a = NoNewPrivs: ] && echo $b; done </proc/self/status"));
    assert_eq!(rights, "1\n");
}

#[test]
fn what_is_no_program_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let make = |name: &str, content: &[u8], mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        let path = root.join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let elf = std::fs::read(sh()).unwrap();
    let table = [
        (make("script", b"#!/bin/sh\necho", 0o755), "script"),
        (make("text", b"echo", 0o755), "no format"),
        (make("data", &elf, 0o644), "may not be executed"),
        (make("shared", &elf, 0o775), "may write"),
        (make("world", &elf, 0o757), "may write"),
        (root.to_str().unwrap().to_owned(), "no regular file"),
        ("/dev/null".to_owned(), "no regular file"),
    ];
    for (program, why) in table {
        let shop = Shop::with(&[&format!("process.run {program}")], limits());
        let error = shop.run(&Command { program, ..Command::default() }).unwrap_err();
        assert!(matches!(&error, ProcessError::NotProgram(text) if text.contains(why)), "{why}: {error}");
        assert_eq!(shop.processes.running(), 0);
    }
    let shop = Shop::with(&["process.run /nowhere/at/all"], limits());
    let nowhere = Command { program: "/nowhere/at/all".to_owned(), ..Command::default() };
    assert!(matches!(shop.run(&nowhere), Err(ProcessError::NotFound(_))));
}

#[test]
fn a_link_needs_a_grant_of_what_it_leads_to() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().canonicalize().unwrap().join("tool").to_str().unwrap().to_owned();
    std::os::unix::fs::symlink(sh(), &link).unwrap();
    let run = format!("process.run {link} -c **");
    let shop = Shop::with(&[&run], limits());
    let command = Command { program: link.clone(), ..script_of("echo $0") };
    let Err(ProcessError::Denied(denial)) = shop.run(&command) else {
        panic!("what was opened is not covered")
    };
    assert_eq!(denial.policy_line(), format!("- fs.exec {}", sh()));
    let denied = shop.records().iter().filter(|record| record.decision == Decision::Deny).count();
    assert_eq!(denied, 1);
    let shop = Shop::with(&[&run, &denial.capability], limits());
    assert_eq!(shop.output(&command), format!("{link}\n"), "the program is named as it was asked for");
    let process = shop.run(&Command { program: link, ..script_of("exec sleep 1000") }).unwrap();
    assert_eq!(shop.set.revoke(2), Some(1));
    assert_eq!(process.wait(soon()).unwrap(), ProcessExit::Signal(9));
}

#[test]
fn start_and_end_are_recorded() {
    let shop = Shop::new(&[]);
    shop.start("exit 5").wait_all(soon()).unwrap();
    shop.wait_empty();
    let records = shop.records();
    let outcomes: Vec<_> = records[1..].iter().map(|record| record.outcome.as_deref()).collect();
    assert_eq!(outcomes, [None, Some("exit 5")]);
    assert_eq!(records[1].id, records[2].id);
    assert!(records[1..].iter().all(|record| record.operation == Operation::Os("spawn")));
    assert!(records[1..].iter().all(|record| record.decision == Decision::Allow && record.grant == Some(1)));
}

#[test]
fn a_grant_that_has_ended_starts_and_reads_nothing() {
    let shop = Shop::new(&[]);
    let process = shop.start("echo secret; exec sleep 1000");
    assert_eq!(shop.set.grants()[0].open, 1);
    assert_eq!(shop.set.revoke(1), Some(1));
    assert_eq!(process.wait(soon()).unwrap(), ProcessExit::Signal(9));
    let Err(ProcessError::Denied(denial)) = process.read_stdout(&mut [0; 8], soon()) else { panic!("read") };
    assert_eq!(denial.kind, DenialKind::Revoked);
    assert!(matches!(process.write_stdin(b"x", soon()), Err(ProcessError::Denied(_))));
    assert!(matches!(process.signal(ProcessSignal::Kill), Err(ProcessError::Denied(_))));
    assert!(matches!(shop.run(&script_of("echo")), Err(ProcessError::Denied(_))));
}

#[test]
fn a_total_counts_over_actors() {
    let total = ResourceManager::new(SystemLimits { processes_max: 1, ..SystemLimits::default() });
    let [one, two] = [Shop::new(&[]), Shop::new(&[])]
        .map(|shop| shop.processes.with_resources(total.actor(ResourceLimits::default())));
    let first = one.run(&script_of("exec sleep 1000"), "").unwrap();
    assert_eq!((total.used(Resource::Process), one.running(), two.running()), (1, 1, 0));
    let Err(ProcessError::TooManyProcesses(full)) = two.run(&script_of("echo"), "") else {
        panic!("a place too much")
    };
    assert_eq!(full, Exhausted { resource: Resource::Process, whose: Whose::System, allowed: 1 });
    assert_eq!(two.running(), 0, "a place that leads nowhere is given back");
    first.kill();
    first.wait_all(soon()).unwrap();
    two.run(&script_of("echo"), "").unwrap();
}

#[test]
fn a_program_may_wait_for_the_end_of_another() {
    let shop = Shop::new(&[]);
    let one = Resources::new(ResourceLimits { processes_max: 1, ..ResourceLimits::default() });
    let processes = shop.processes.clone().with_resources(one.clone());
    let first = processes.run(&script_of("read x"), "").unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let permit = one.acquire_until(Resource::Process, soon()).unwrap();
            let second = processes.clone().with_permit(permit).run(&script_of("echo"), "").unwrap();
            second.wait_all(soon()).unwrap()
        });
        drop(first);
        assert_eq!(waiter.join().unwrap(), ProcessExit::Code(0));
    });
    assert_eq!(processes.running(), 0);
}

#[test]
fn the_keeper_holds_no_memory_of_the_host() {
    const BYTES: usize = 64 << 20;
    let shop = Shop::new(&[]);
    let memory = vec![1_u8; BYTES];
    let process = shop.run(&piped("echo $PPID; read x")).unwrap();
    let keeper = read_line(&process);
    let status = std::fs::read_to_string(format!("/proc/{keeper}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib * 1_024 < BYTES / 4, "{line}");
    assert!(memory == vec![1; BYTES], "the host's own is untouched");
}

#[test]
fn many_threads_run_programs_at_once() {
    let total = ResourceManager::default();
    let shops: Vec<Shop> = (0..4).map(|_| Shop::new(&[])).collect();
    std::thread::scope(|scope| {
        for shop in &shops {
            let resources = total.actor(ResourceLimits::default());
            let processes = shop.processes.clone().with_resources(resources);
            scope.spawn(move || {
                for round in 0..20 {
                    let process = processes.run(&script_of(&format!("echo {round}")), "").unwrap();
                    assert_eq!(read_all(&process), format!("{round}\n"));
                    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Code(0));
                }
            });
        }
    });
    assert_eq!(total.used(Resource::Process), 0);
}
