//! Programs of hosts with odd settings, and of hosts that die: each host is a process of its own.
#![cfg(target_os = "linux")]
#![allow(unsafe_code)] // a host may fork and close its descriptors

mod helpers;

use std::io::{BufRead, BufReader, Read};
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Child, Stdio};
use std::time::Duration;

use airssys_osl::{Command, ProcessError, ProcessExit, ProcessLimits};
use helpers::*;

const ROLE: &str = "AIRSSYS_TEST_ROLE";

/// This program again, as a host in this role, after the shell has run `before`.
fn host(role: &str, before: &str) -> Child {
    let script = format!("{before}; exec \"$0\" --exact a_host --ignored --nocapture");
    std::process::Command::new("/bin/sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(ROLE, role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The numbers that the host tells.
fn told(child: &mut Child) -> Vec<String> {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.contains("PIDS ")).expect("the host tells");
    let (_, pids) = line.split_once("PIDS ").unwrap();
    pids.split_whitespace().map(str::to_owned).collect()
}

const TREE: &str = "trap '' TERM; sleep 1000 & a=$!; setsid sleep 1000 & echo $$ $PPID $a $!; wait";

#[test]
#[ignore = "what the other tests start"]
fn a_host() {
    match std::env::var(ROLE).as_deref() {
        Ok("dies") => dies(false),
        Ok("dies after a fork") => dies(true),
        Ok("runs") => runs(),
        Ok("starves") => starves(),
        Ok("closed") => {
            for fd in 0..3 {
                // SAFETY: nobody else in this process uses them from here on.
                drop(unsafe { OwnedFd::from_raw_fd(fd) });
            }
            runs();
        }
        _ => {}
    }
}

/// Tells the numbers of its tree, and waits for its death.
fn dies(forked: bool) {
    let shop = Shop::limited(ProcessLimits { grace: Duration::from_millis(20), ..limits() });
    let process = shop.start(TREE);
    let mut pids = read_line(&process);
    if forked {
        // SAFETY: the copy only sleeps.
        match unsafe { libc::fork() } {
            0 => loop {
                // SAFETY: it only waits.
                unsafe { libc::pause() };
            },
            copy => pids = format!("{copy} {pids}"),
        }
    }
    println!("PIDS {pids}");
    let _ = std::io::stdin().read(&mut [0]);
}

/// Runs programs to their ends, and has no child then.
fn runs() {
    let shop = Shop::limited(limits());
    for round in 0..5 {
        let process = shop.start("sleep 1000 & echo out; exit 9");
        assert_eq!(read_line(&process), "out");
        assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Code(9), "{round}");
        let piped = shop.run(&piped("cat; exit 3")).unwrap();
        piped.write_stdin(b"in", soon()).unwrap();
        // The host's own wait for any child does not find the keeper.
        let any = rustix::process::wait(rustix::process::WaitOptions::NOHANG);
        assert!(matches!(any, Err(rustix::io::Errno::CHILD)));
        piped.close_stdin();
        assert_eq!(read_all(&piped), "in");
        assert_eq!(piped.wait_all(soon()).unwrap(), ProcessExit::Code(3));
    }
    let nothing = Command { program: "/nowhere".to_owned(), ..Command::default() };
    assert!(shop.run(&nothing).is_err());
    assert_eq!(own_children(), Vec::<String>::new(), "no zombie is left");
}

/// Has ever more descriptors to run a program with: from none to enough.
fn starves() {
    let shop = Shop::limited(limits());
    assert_eq!(shop.output(&script_of("echo")), "\n");
    shop.wait_empty();
    let mut files: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    let mut failed = 0;
    while !files.is_empty() {
        match shop.run(&script_of("exit 2")) {
            Ok(process) => assert_eq!(process.wait_all(soon()).unwrap(), ProcessExit::Code(2)),
            Err(ProcessError::Io(_) | ProcessError::Unsupported(_)) => failed += 1,
            Err(error) => panic!("{error}"),
        }
        assert_eq!(shop.processes.running(), 0);
        files.pop();
    }
    assert!(failed > 3, "{failed}");
    assert_eq!(own_children(), Vec::<String>::new(), "no zombie is left");
}

#[test]
fn hostile_n7_without_descriptors_a_program_does_not_start_and_nothing_is_left() {
    for most in [24, 40, 64] {
        assert!(host("starves", &format!("ulimit -n {most}")).wait().unwrap().success(), "{most}");
    }
}

#[test]
fn hostile_f8_nothing_outlives_a_host_that_is_killed() {
    let mut host = host("dies", ":");
    let pids = told(&mut host);
    assert!(pids.len() == 4 && pids.iter().all(|pid| exists(pid)), "{pids:?}");
    host.kill().unwrap();
    host.wait().unwrap();
    wait_absent(&pids);
}

#[test]
fn hostile_f8_a_copy_of_the_host_keeps_nothing_alive() {
    let mut host = host("dies after a fork", ":");
    let pids = told(&mut host);
    host.kill().unwrap();
    host.wait().unwrap();
    wait_absent(&pids[1..]);
    assert!(exists(&pids[0]), "the copy lives");
    std::process::Command::new("/bin/sh").args(["-c", &format!("kill -9 {}", pids[0])]).status().unwrap();
}

#[test]
fn hostile_f8_a_host_that_ignores_its_children_gets_their_exits() {
    assert!(host("runs", "trap '' CHLD").wait().unwrap().success());
}

#[test]
fn hostile_f8_a_host_with_its_signals_ignored_and_few_descriptors() {
    assert!(host("runs", "trap '' TERM INT HUP PIPE; ulimit -n 64").wait().unwrap().success());
}

#[test]
fn hostile_f5_a_host_without_standard_descriptors() {
    assert!(host("closed", ":").wait().unwrap().success());
}
