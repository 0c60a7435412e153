//! Group F of the hostile cases: what a program that is run may not do, and does not leave behind.
#![cfg(target_os = "linux")]

mod helpers;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use airssys_osl::{
    Capability, Command, Decision, DenialKind, Exhausted, ProcessError, ProcessExit, ProcessLimits,
    ProcessSignal, Resources, Stdin,
};
use helpers::*;

/// A grace that no test outlives: what ends is killed, or ends when it is asked to.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(20);

fn shop(grace: Duration) -> Shop {
    Shop::limited(ProcessLimits { grace, ..limits() })
}

fn echo_args(args: &[&str]) -> Command {
    let script = r#"for arg; do printf '[%s]\n' "$arg"; done"#;
    let mut command = script_of(script);
    command.args.push("sh".to_owned());
    command.args.extend(args.iter().map(|arg| (*arg).to_owned()));
    command
}

#[test]
fn hostile_f1_metacharacters_are_one_argument() {
    let shop = Shop::new(&[]);
    let args = [
        "a b", "$(id)", "`id`", "; id", "| id", "&& id", "> /tmp/x", "*", "?", "~", "$HOME", "'", "\"", "\\",
        "", "-c", "--", "!1", "{a,b}", "#", "%s", "\u{202e}", "é", "\r",
    ];
    let expected: String = args.iter().map(|arg| format!("[{arg}]\n")).collect();
    assert_eq!(shop.output(&echo_args(&args)), expected);
    assert_eq!(shop.output(&echo_args(&["a\nb"])), "[a\nb]\n");
}

#[test]
fn hostile_f2_arguments_that_were_not_granted_run_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made").to_str().unwrap().to_owned();
    let grants = [format!("process.run {} --checkpoint=1 -- *", real("/bin/tar"))];
    let shop = Shop::with(&[&grants[0]], limits());
    let action = format!("--checkpoint-action=exec=touch {made}");
    for args in [
        vec!["--checkpoint=1", &action, "x"],
        vec!["--checkpoint=1", "--", "x", &action],
        vec!["--checkpoint=1", &action, "--", "x"],
        vec![&action, "--checkpoint=1", "--", "x"],
        vec!["--checkpoint=1", "--"],
        vec![],
    ] {
        let args = args.into_iter().map(str::to_owned).collect();
        let command = Command { program: real("/bin/tar"), args, ..Command::default() };
        let before = shop.records().len();
        let Err(ProcessError::Denied(denial)) = shop.run(&command) else { panic!("{command:?}") };
        assert_eq!(denial.kind, DenialKind::NotGranted);
        assert_eq!(shop.records()[before..].len(), 1, "one record and no start");
    }
    assert!(!exists_path(&made));
}

fn exists_path(path: &str) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

#[test]
fn hostile_f2_another_spelling_of_a_program_is_another_program() {
    let shop = Shop::new(&[]);
    let sh = sh();
    let (folder, name) = sh.rsplit_once('/').unwrap();
    for program in
        [format!("/{sh}"), format!("{folder}/./{name}"), format!("{folder}/../bin/{name}"), format!("{sh}/")]
    {
        let command = Command { program, ..script_of("echo") };
        assert!(matches!(shop.run(&command), Err(ProcessError::Denied(_))), "{command:?}");
    }
    for program in [name, "./sh", "", "C:\\sh"] {
        let command = Command { program: program.to_owned(), ..script_of("echo") };
        assert!(matches!(shop.run(&command), Err(ProcessError::Invalid(_))), "{command:?}");
    }
}

#[test]
fn hostile_f4_only_granted_variables_and_their_given_values() {
    let env = real("/usr/bin/env");
    let shop = Shop::with(&[&format!("process.run {env} ; env=LANG,APP_*")], limits());
    assert!(std::env::vars().count() > 0, "the host has an environment");
    let command = Command { program: env, ..Command::default() };
    assert_eq!(shop.output(&command), "");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let given = Command { env: vec![pair("APP_A", "a=b c"), pair("LANG", "")], ..command.clone() };
    assert_eq!(shop.output(&given), "APP_A=a=b c\nLANG=\n");
    for name in ["HOME", "PATH", "APP", "app_a", "LANGUAGE"] {
        let other = Command { env: vec![pair(name, "x")], ..command.clone() };
        assert!(matches!(shop.run(&other), Err(ProcessError::Denied(_))), "{name}");
    }
    for (name, value) in
        [("A=B", "x"), ("", "x"), ("APP_\0", "x"), ("APP_A", "x\0y"), ("1A", "x"), ("A B", "x")]
    {
        let bad = Command { env: vec![pair(name, value)], ..command.clone() };
        assert!(matches!(shop.run(&bad), Err(ProcessError::Invalid(_))), "{name:?}");
    }
    let twice = Command { env: vec![pair("LANG", "a"), pair("LANG", "b")], ..command };
    assert!(matches!(shop.run(&twice), Err(ProcessError::Invalid(_))));
}

#[test]
fn hostile_f4_variables_that_steer_programs_are_refused_under_any_grant() {
    let env = real("/usr/bin/env");
    let names = [
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "LD_AUDIT",
        "DYLD_INSERT_LIBRARIES",
        "PYTHONPATH",
        "PYTHONHOME",
        "BASH_ENV",
        "ENV",
        "IFS",
        "NODE_OPTIONS",
        "PERL5LIB",
        "PERL5OPT",
        "RUBYOPT",
        "GCONV_PATH",
        "GLIBC_TUNABLES",
        "BASH_FUNC_x",
        "SHELLOPTS",
        "PS4",
        "GIT_SSH_COMMAND",
        "GIT_CONFIG_COUNT",
        "JAVA_TOOL_OPTIONS",
    ];
    for name in names {
        assert!(Capability::parse(&format!("process.run {env} ; env={name}")).is_err(), "{name}");
        let front = &name[..1];
        let shop = Shop::with(&[&format!("process.run {env} ; env={front}*")], limits());
        let pairs = vec![(name.to_owned(), "x".to_owned())];
        let command = Command { program: env.clone(), env: pairs, ..Command::default() };
        assert!(matches!(shop.run(&command), Err(ProcessError::Denied(_))), "{name}");
    }
}

#[test]
fn hostile_f5_a_program_has_three_descriptors() {
    let shop = Shop::new(&[]);
    let file = std::fs::File::open("/etc/passwd").unwrap();
    // Without CLOEXEC, as libraries of the host may have opened them.
    let _open: Vec<_> = (0..40).map(|_| rustix::io::dup(&file).unwrap()).collect();
    let script = "i=0; while [ $i -lt 4096 ]; do [ -e /proc/self/fd/$i ] && echo $i; i=$((i+1)); done";
    assert_eq!(shop.output(&script_of(script)), "0\n1\n2\n");
    assert_eq!(shop.output(&piped(script)), "0\n1\n2\n");
    let process = shop.run(&piped("echo $PPID; read x")).unwrap();
    let keeper = read_line(&process);
    // Only root may look.
    let Ok(targets) = std::fs::read_dir(format!("/proc/{keeper}/fd")) else { return };
    let held: Vec<_> = targets.filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok()).collect();
    assert!(!held.iter().any(|path| path.to_str() == Some("/etc/passwd")), "{held:?}");
    assert_eq!(held.len(), 3, "control, host and children: {held:?}");
}

#[test]
fn hostile_f5_signals_of_the_host_are_not_the_programs() {
    let shop = Shop::new(&[]);
    // Rust ignores SIGPIPE, and that would be inherited.
    let script = "while read a b; do case $a in SigBlk:|SigIgn:) echo $b;; esac; done </proc/self/status";
    assert_eq!(shop.output(&script_of(script)), "0000000000000000\n0000000000000000\n");
    let ids = "read pid comm state ppid pgrp session rest </proc/$$/stat; echo $pid $pgrp $session";
    let ids = shop.output(&script_of(ids));
    let ids: Vec<&str> = ids.split_whitespace().collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "a group and a session of its own: {ids:?}");
}

#[test]
fn hostile_f7_output_is_bounded_and_the_program_killed_at_its_limit() {
    const BYTES: u64 = 200_000;
    let shop = Shop::limited(ProcessLimits { output_bytes_max: BYTES, grace: LONG, ..limits() });
    let process = shop.start("trap '' TERM; while :; do echo yyyyyyyy; echo nnnnnnn >&2; done");
    let mut taken = 0;
    let mut buf = [0; 7_001];
    let refused = loop {
        match process.read(&mut buf, soon()) {
            Ok(end) => taken += end.expect("it never ends by itself").1 as u64,
            Err(error) => break error,
        }
    };
    assert_eq!(taken, BYTES, "all that may be was given");
    assert!(matches!(refused, ProcessError::OutputLimit { output_bytes_max: BYTES }));
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Signal(9));
    assert!(matches!(process.read_stderr(&mut buf, soon()), Err(ProcessError::OutputLimit { .. })));
    shop.wait_empty();
    let outcome = shop.records().last().unwrap().outcome.clone().unwrap();
    assert!(outcome.contains("more output than it may"), "{outcome}");
}

#[test]
fn hostile_f7_exactly_the_limit_is_no_flood() {
    let shop = Shop::limited(ProcessLimits { output_bytes_max: 4, ..limits() });
    let process = shop.start("echo abc");
    assert_eq!(read_all(&process), "abc\n");
    assert_eq!(process.wait(soon()).unwrap(), ProcessExit::Code(0));
}

#[test]
fn hostile_f7_a_program_that_reads_nothing_takes_a_bounded_input() {
    let shop = shop(SHORT);
    let process = shop.run(&piped("trap '' TERM; echo ready; while :; do sleep 1000; done")).unwrap();
    assert_eq!(read_line(&process), "ready");
    let mut taken = 0;
    let error = loop {
        match process.write_stdin(&[0; 65_536], Instant::now()) {
            Ok(count) => taken += count,
            Err(error) => break error,
        }
        assert!(taken < 16 << 20);
    };
    assert!(matches!(error, ProcessError::TimedOut));
    process.end();
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Signal(9));
}

#[test]
fn hostile_f7_a_flood_that_nobody_reads_waits_and_ends() {
    let shop = shop(SHORT);
    let process = shop.start("trap '' TERM; echo $$ $PPID >&2; while :; do echo yyyyyyyy; done");
    let mut buf = [0; 64];
    let count = process.read_stderr(&mut buf, soon()).unwrap();
    let pids = words(str::from_utf8(&buf[..count]).unwrap());
    drop(process);
    wait_absent(&pids);
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// Ways not to end, each with the numbers of all its processes in one line.
const TREES: [(&str, &str); 8] = [
    ("asked in vain", "trap '' TERM; echo $$ $PPID; while :; do sleep 1000; done"),
    ("children", "sleep 1000 & a=$!; sleep 1000 & echo $$ $PPID $a $!; wait"),
    (
        "deaf grandchildren",
        "trap '' TERM HUP; (sleep 1000 & (sleep 1000 & echo $$ $PPID $! $(cut -d' ' -f1 /proc/self/stat); wait); wait)",
    ),
    ("an orphan", "(trap '' TERM; sleep 1000 & echo $$ $PPID $!); exec sleep 1000"),
    (
        "a daemon in a session of its own",
        "(setsid sh -c 'trap \"\" TERM HUP; echo '$$' '$PPID' $$; exec sleep 1000' &) & exec sleep 1000",
    ),
    (
        "a daemon of a daemon",
        "setsid sh -c 'setsid sh -c \"trap \\\"\\\" TERM; echo '$$' '$PPID' \\$\\$; exec sleep 1000\" & exec sleep 1000' & exec sleep 1000",
    ),
    ("a stopped child", "sleep 1000 & kill -STOP $!; echo $$ $PPID $!; exec sleep 1000"),
    ("a stopped program", "echo $$ $PPID; kill -STOP $$; exec sleep 1000"),
];

#[test]
fn hostile_f8_nothing_is_left_of_a_tree_that_was_ended() {
    for (name, script) in TREES {
        let shop = shop(SHORT);
        let process = shop.start(script);
        let pids = words(&read_line(&process));
        assert!(pids.len() >= 2, "{name}: {pids:?}");
        process.end();
        process.wait_all(soon()).unwrap_or_else(|error| panic!("{name}: {error}"));
        // The keeper was the last, and has been collected.
        assert_eq!(pids.iter().filter(|pid| exists(pid)).count(), 0, "{name}: {pids:?}");
        shop.wait_empty();
    }
}

#[test]
fn hostile_f8_nothing_is_left_of_a_tree_that_was_killed() {
    for (name, script) in TREES {
        let shop = shop(LONG);
        let process = shop.start(script);
        let pids = words(&read_line(&process));
        process.kill();
        assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Signal(9), "{name}");
        assert_eq!(pids.iter().filter(|pid| exists(pid)).count(), 0, "{name}: {pids:?}");
    }
}

#[test]
fn hostile_f8_what_a_program_leaves_behind_ends_with_it() {
    for script in [
        "sleep 1000 & echo $$ $PPID $!",
        "(trap '' TERM; sleep 1000 & echo $$ $PPID $!)",
        "setsid sh -c 'trap \"\" TERM HUP; echo '$$' '$PPID' $$; exec sleep 1000' & sleep 0.1",
        "(setsid sh -c 'echo '$$' '$PPID' $$; exec sleep 1000' &) & exec sleep 0.1",
    ] {
        let shop = shop(SHORT);
        let process = shop.start(script);
        let pids = words(&read_line(&process));
        assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Code(0), "{script}");
        assert_eq!(pids.iter().filter(|pid| exists(pid)).count(), 0, "{script}: {pids:?}");
        assert_eq!(process.read_stdout(&mut [0; 8], soon()).unwrap(), 0);
    }
}

#[test]
fn hostile_f8_a_relay_of_daemons_is_caught() {
    let shop = shop(SHORT);
    // Each begins a session, starts the next and exits: there is always one, and never for long.
    let script =
        r#"echo $PPID; relay='setsid sh -c "$0" "$0" & exit'; sh -c "$relay" "$relay"; exec sleep 1000"#;
    let process = shop.start(script);
    let keeper = read_line(&process);
    process.end();
    process.wait_all(soon()).unwrap();
    assert!(!exists(&keeper));
}

#[test]
fn hostile_f8_many_processes_are_all_ended() {
    let shop = shop(LONG);
    let script =
        "trap '' TERM; i=0; while [ $i -lt 300 ]; do setsid sleep 1000 & i=$((i+1)); done; echo $PPID; wait";
    let process = shop.start(script);
    let keeper = read_line(&process);
    let count = std::fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children")).unwrap();
    assert_eq!(count.split_whitespace().count(), 1);
    process.kill();
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Signal(9));
}

#[test]
fn hostile_f8_a_stopped_keeper_goes_on_and_a_killed_one_takes_its_program_along() {
    let kill = |signal: &str, pid: &str| {
        let script = format!("kill -{signal} {pid}");
        assert!(std::process::Command::new("/bin/sh").args(["-c", &script]).status().unwrap().success());
    };
    let shop = shop(LONG);
    let process = shop.start("echo $$ $PPID; exec sleep 1000");
    let pids = words(&read_line(&process));
    kill("STOP", &pids[1]);
    process.kill();
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Signal(9));
    wait_absent(&pids);
    let process = shop.run(&piped("echo $$ $PPID; read x")).unwrap();
    let pids = words(&read_line(&process));
    kill("STOP", &pids[1]);
    process.close_stdin();
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Code(1), "nobody has to ask for its end");
    let process = shop.start("echo $$ $PPID; exec sleep 1000");
    let pids = words(&read_line(&process));
    kill("KILL", &pids[1]);
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Lost);
    wait_absent(&pids);
    shop.wait_empty();
}

#[test]
fn hostile_f8_a_program_cannot_end_its_keeper_or_its_host() {
    let shop = shop(LONG);
    let host = std::process::id();
    let script = format!(
        "read x; for signal in STOP TERM KILL; do for pid in $PPID {host}; do
            kill -$signal $pid 2>/dev/null && exit 1; done; done; sleep 1000 & kill -KILL $! && echo own"
    );
    if !is_fenced(&shop) {
        return;
    }
    let process = shop.run(&piped(&script)).unwrap();
    process.close_stdin();
    assert_eq!(read_line(&process), "own");
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Code(0));
}

/// Whether the kernel keeps the program from other processes, which it does from Linux 6.12 on.
fn is_fenced(shop: &Shop) -> bool {
    let script = format!("kill -0 {} 2>/dev/null && echo open || echo fenced", std::process::id());
    shop.output(&script_of(&script)) == "fenced\n"
}

#[test]
fn hostile_f4_the_environment_of_the_host_cannot_be_read() {
    let shop = Shop::new(&[]);
    // Root reads everything all the same.
    if !is_fenced(&shop) || rustix::process::geteuid().is_root() {
        return;
    }
    let script = "for pid in $PPID $0; do for file in environ mem maps; do
        dd if=/proc/$pid/$file count=1 2>/dev/null | wc -c; done; readlink /proc/$pid/cwd; done";
    let mut command = script_of(script);
    command.args.push(std::process::id().to_string());
    assert_eq!(shop.output(&command), "0\n".repeat(6));
}

#[test]
fn hostile_f9_no_more_programs_than_places() {
    let mut shop = Shop::limited(ProcessLimits { starts_per_second_max: 10_000, ..ProcessLimits::default() });
    shop.processes = shop.processes.with_resources(Resources::default());
    let mut running = Vec::new();
    let mut refused = 0;
    for _ in 0..100 {
        match shop.run(&script_of("exec sleep 1000")) {
            Ok(process) => running.push(process),
            Err(ProcessError::TooManyProcesses(Exhausted { allowed: 4, .. })) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((running.len(), refused, shop.processes.running()), (4, 96, 4));
    drop(running);
    shop.wait_empty();
    shop.start("exit 0").wait_all(soon()).unwrap();
}

#[test]
fn hostile_f9_no_more_starts_than_the_rate() {
    let shop = Shop::limited(ProcessLimits { starts_per_second_max: 8, ..ProcessLimits::default() });
    let began = Instant::now();
    let mut started = 0;
    for _ in 0..1_000 {
        match shop.run(&script_of("exit 0")) {
            Ok(process) => {
                process.wait_all(soon()).unwrap();
                started += 1;
            }
            Err(ProcessError::TooManyStarts { starts_per_second_max: 8 }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!((8..=8 + 8 * (began.elapsed().as_secs() + 1)).contains(&started), "{started}");
}

#[test]
fn hostile_f9_a_fork_bomb_is_killed_at_once() {
    let shop = shop(LONG);
    // Up to 512 processes that fork all the time, all in one group.
    let script = r#"trap '' TERM; grow() { [ $1 -eq 0 ] && while :; do (:); done; grow $(($1-1)) & grow $(($1-1)) & wait; }
        echo $PPID; grow 8"#;
    let process = shop.start(script);
    let keeper = read_line(&process);
    process.kill();
    assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Signal(9));
    assert!(!exists(&keeper));
}

#[test]
fn hostile_f10_a_program_ends_with_its_owner_and_that_is_recorded() {
    let shop = shop(SHORT);
    let (tell, told) = mpsc::channel();
    let processes = shop.processes.clone();
    let owner = std::thread::spawn(move || {
        let process =
            processes.run(&script_of("trap '' TERM; echo $$ $PPID; sleep 1000; exit 1"), "owner").unwrap();
        tell.send(words(&read_line(&process))).unwrap();
        std::panic::resume_unwind(Box::new("the actor crashes"));
    });
    let pids = told.recv().unwrap();
    assert!(owner.join().is_err());
    wait_absent(&pids);
    shop.wait_empty();
    let records = shop.records();
    let outcomes: Vec<_> = records[1..].iter().map(|record| record.outcome.as_deref()).collect();
    assert_eq!(outcomes, [None, Some("signal 9: nobody holds it any more")]);
    assert!(records[1..].iter().all(|record| record.function == "owner"));
}

#[test]
fn hostile_f10_a_program_is_killed_with_its_grant() {
    for (end, kind) in [(true, DenialKind::Revoked), (false, DenialKind::Expired)] {
        let shop = shop(LONG);
        let process = shop.start("trap '' TERM; setsid sleep 1000 & echo $$ $PPID $!; wait");
        let pids = words(&read_line(&process));
        let cut = if end { shop.set.revoke(1) } else { shop.set.expire(1) };
        assert_eq!(cut, Some(1));
        assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Signal(9));
        wait_absent(&pids);
        let Err(ProcessError::Denied(denial)) = process.signal(ProcessSignal::Continue) else {
            panic!("a use")
        };
        assert_eq!(denial.kind, kind);
        shop.wait_empty();
        assert!(
            shop.records()
                .iter()
                .any(|record| record.outcome.as_ref().is_some_and(|text| text.ends_with("its grant ended")))
        );
    }
}

#[test]
fn hostile_f10_a_reader_that_waits_is_woken_by_the_end_of_the_grant() {
    let shop = shop(LONG);
    let process = shop.start("echo ready; exec sleep 1000");
    assert_eq!(read_line(&process), "ready");
    let reader = process.clone();
    let reader = std::thread::spawn(move || reader.read_stdout(&mut [0; 8], soon()));
    shop.set.revoke(1);
    assert!(matches!(reader.join().unwrap(), Err(ProcessError::Denied(_)) | Ok(0)));
}

#[test]
fn hostile_f12_commands_that_no_program_takes_start_nothing() {
    let shop = Shop::new(&[]);
    let with = |args: Vec<String>| Command { args, ..script_of("") };
    let invalid = [
        with(vec!["-c".into(), "a\0b".into()]),
        Command { program: format!("{}\0", sh()), ..script_of("") },
        Command { directory: "/\0".to_owned(), ..script_of("") },
        Command { directory: "tmp".to_owned(), ..script_of("") },
    ];
    for command in &invalid {
        assert!(matches!(shop.run(command), Err(ProcessError::Invalid(_))), "{command:?}");
    }
    let name = |number: usize| (format!("APP_{number}"), String::new());
    let large = [
        (with(vec!["-c".into(), "x".repeat(2 << 20)]), "bytes of arguments"),
        (with(vec![String::new(); 100_000]), "arguments"),
        (Command { program: format!("/{}", "x".repeat(5_000)), ..script_of("") }, "bytes of a path"),
        (Command { env: (0..1_000).map(name).collect(), ..script_of("") }, "variables"),
        (Command { env: vec![("LANG".into(), "x".repeat(1 << 20))], ..script_of("") }, "bytes of variables"),
        (Command { stdin: Stdin::Bytes(vec![0; 5 << 20]), ..script_of("") }, "bytes of standard input"),
    ];
    for (command, which) in &large {
        let error = shop.run(command).unwrap_err();
        assert!(matches!(error, ProcessError::TooLarge { what, .. } if what == *which), "{which}: {error}");
    }
    assert_eq!(shop.processes.running(), 0);
    assert_eq!(shop.records().len(), 1, "the grant; a malformed command is no decision");
    let longest = with(vec!["-c".into(), "echo ${#1}".into(), "sh".into(), "x".repeat(131_000)]);
    assert_eq!(shop.output(&longest), "131000\n");
    let too_long_for_linux = with(vec!["x".repeat(131_072)]);
    let granted = Shop::with(&[&format!("process.run {} *", sh())], limits());
    assert!(matches!(granted.run(&too_long_for_linux), Err(ProcessError::Invalid(_))));
    assert!(granted.records().iter().all(|record| record.decision == Decision::Allow));
}

#[test]
fn a_ban_of_executing_a_file_holds_for_the_program_that_is_named_itself() {
    use airssys_osl::{Ban, Capability};
    let shop = Shop::new(&[]);
    let running = shop.start("exec sleep 1000");
    let capability = Capability::parse(&format!("fs.exec {}", sh())).unwrap().remove(0);
    assert_eq!(shop.set.forbid(vec![Ban { capability, rule: "policy.yaml:3".into() }]), 1);
    assert_eq!(running.wait(soon()).unwrap(), ProcessExit::Signal(9), "what runs is ended");
    let denied = shop.run(&script_of("exit 0"));
    assert!(
        matches!(denied, Err(ProcessError::Denied(denial)) if denial.kind == DenialKind::Forbidden),
        "and nothing is started"
    );
}

#[test]
fn a_ban_of_a_program_holds_through_other_names_of_its_directory() {
    use airssys_osl::Ban;
    let dir = tempfile::tempdir().unwrap();
    let root = real(dir.path().to_str().unwrap());
    std::fs::create_dir(format!("{root}/usr")).unwrap();
    std::os::unix::fs::symlink("usr", format!("{root}/bin")).unwrap();
    std::fs::copy(sh(), format!("{root}/usr/tool")).unwrap();
    std::os::unix::fs::symlink("tool", format!("{root}/usr/link")).unwrap();
    let grants: Vec<String> = ["bin", "usr"]
        .iter()
        .flat_map(|dir| ["tool", "link"].map(|name| format!("process.run {root}/{dir}/{name} -c **")))
        .chain([format!("fs.exec {root}/**")])
        .collect();
    let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
    let ban = |path: &str| {
        let capability = Capability::parse(&format!("process.run {root}/{path} **")).unwrap().remove(0);
        vec![Ban { capability, rule: "policy.yaml:3".into() }]
    };
    for (banned, asked) in [("bin/tool", "usr/tool"), ("usr/link", "bin/link"), ("bin/link", "usr/link")] {
        let shop = Shop::with(&grants, limits());
        let command = Command { program: format!("{root}/{asked}"), ..script_of("exit 0") };
        shop.run(&command).unwrap();
        shop.set.forbid(ban(banned));
        let denied = shop.run(&command);
        assert!(
            matches!(denied, Err(ProcessError::Denied(denial)) if denial.kind == DenialKind::Forbidden),
            "{banned} {asked}"
        );
    }
}
