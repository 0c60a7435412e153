//! Compiling in a process of its own: what it makes runs, what is too dear ends in it, and what it lies is an error.

use std::time::{Duration, Instant};

use airwasm::{ActorSpec, Code, CompileHelper, Config, Error, RequestOptions, System};
use airwasm_tests::{compile_helper, guest};

use crate::bombs::chained;
use crate::linked;

fn open(helper: CompileHelper) -> System {
    System::open(Config { compile_helper: Some(helper), ..Config::default() }).expect("a system")
}

fn ours() -> CompileHelper {
    CompileHelper { command: compile_helper(), ..CompileHelper::default() }
}

fn shell(script: &str) -> CompileHelper {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    CompileHelper { command, memory_bytes: Some(64 << 20), ..CompileHelper::default() }
}

fn runs(system: &System) {
    let component = system.load(&guest("echo")).expect("loads");
    let actor = system.spawn(ActorSpec::new(component)).expect("starts");
    assert_eq!(system.request(actor, b"hi", &RequestOptions::default()).expect("answers"), b"hi");
}

fn refused(helper: CompileHelper, bytes: Vec<u8>) -> Error {
    let system = open(helper);
    let error = system.load_bytes(bytes).expect_err("refused");
    // The host is as it was.
    system.close(None).expect("closes");
    error
}

fn limited(helper: CompileHelper, bytes: Vec<u8>) -> String {
    let error = refused(helper, bytes);
    assert_eq!(error.code, Code::CompileLimit, "{error}");
    error.text("which").to_owned()
}

fn small() -> Vec<u8> {
    std::fs::read(guest("no-handler")).expect("a built guest")
}

#[test]
fn what_the_helper_has_compiled_runs_and_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = |helper| Config {
        cache_dir: Some(folder.path().to_owned()),
        compile_helper: helper,
        ..Config::default()
    };
    runs(&System::open(config(Some(ours()))).expect("a system"));
    // Nothing is left to be compiled, by whomever.
    runs(&System::open(config(Some(shell("exit 1")))).expect("a system"));
    runs(&System::open(config(None)).expect("a system"));
}

#[test]
fn what_is_no_component_is_told_as_without_a_helper() {
    let system = open(ours());
    let error = system.load(&guest("core")).expect_err("refused");
    assert_eq!(error.code, Code::CoreModule);
    let error = system.load_bytes(small()[..100].to_vec()).expect_err("refused");
    assert_eq!(error.code, Code::InvalidComponent);
}

#[test]
fn hostile_a11_what_needs_too_much_memory_to_compile_ends_in_the_helper() {
    let helper = CompileHelper { memory_bytes: Some(160 << 20), ..ours() };
    assert_eq!(limited(helper, chained(&[0x28, 0, 0], 187_000)), "memory_bytes");
}

#[test]
fn hostile_a11_what_takes_too_long_to_compile_ends_in_the_helper() {
    let helper = CompileHelper { cpu: Some(Duration::from_secs(1)), ..ours() };
    let (_, dearest) = linked::dearest().into_iter().next().expect("there is one");
    assert_eq!(limited(helper, dearest), "compile_ms");
}

#[test]
fn hostile_a11_a_helper_that_hangs_is_ended() {
    let helper = CompileHelper { cpu: Some(Duration::from_millis(50)), ..shell("exec sleep 1000") };
    assert_eq!(limited(helper, small()), "compile_ms");
    let closed = CompileHelper { cpu: Some(Duration::from_millis(50)), ..shell("exec sleep 1000 >&- 2>&-") };
    assert_eq!(limited(closed, small()), "compile_ms");
}

#[test]
fn a_helper_that_says_too_much_is_ended() {
    assert_eq!(limited(shell("printf airwasm1; exec cat /dev/zero"), small()), "memory_bytes");
}

#[test]
fn a_helper_that_dies_of_a_signal_is_a_limit() {
    for (signal, which) in [("ABRT", "memory_bytes"), ("SEGV", "memory_bytes"), ("XCPU", "compile_ms")] {
        assert_eq!(limited(shell(&format!("kill -{signal} $$")), small()), which, "{signal}");
    }
}

#[test]
fn hostile_n2_a_helper_that_lies_is_told_and_nothing_of_it_runs() {
    let program = &compile_helper()[0];
    let version = "printf 'airwasm1\\002%032d' 0; printf 'it is 9.9.9'".to_owned();
    let other = "printf 'airwasm1\\000%032d' 0; cat".to_owned();
    let lies = [
        ("exit 0".to_owned(), Code::Internal, "cut short"),
        ("printf airwasm1".to_owned(), Code::Internal, "cut short"),
        ("printf garbage".to_owned(), Code::Internal, "none of a compile helper"),
        ("echo no reason >&2; exit 1".to_owned(), Code::Internal, "exit 1: no reason"),
        (format!("'{program}' | head -c 1000"), Code::Internal, "no code of this engine"),
        (version, Code::Unsupported, "it is 9.9.9"),
        (other, Code::Unsupported, "other settings"),
    ];
    for (script, code, part) in lies {
        let helper = CompileHelper { memory_bytes: None, ..shell(&script) };
        let error = refused(helper, small());
        assert!(error.code == code && error.message.contains(part), "{script}: {error}");
    }
}

#[test]
fn a_command_that_is_no_program_is_refused_when_the_system_is_opened() {
    for command in [vec![], vec!["airwasm-compile"], vec!["/no/such/program"]] {
        let command = command.into_iter().map(str::to_owned).collect();
        let helper = CompileHelper { command, ..CompileHelper::default() };
        let config = Config { compile_helper: Some(helper), ..Config::default() };
        let error = System::open(config).map(drop).expect_err("refused");
        assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, "compile_helper"));
    }
}

#[test]
fn a_helper_is_given_some_time_and_no_more_than_a_component_may_take() {
    let open = |cpu| {
        let helper = CompileHelper { cpu: Some(cpu), ..ours() };
        System::open(Config { compile_helper: Some(helper), ..Config::default() }).map(drop)
    };
    open(Duration::from_secs(60)).expect("as much as it may");
    for wrong in [Duration::ZERO, Duration::from_millis(60_001), Duration::MAX] {
        let error = open(wrong).expect_err("refused");
        assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, "compile_helper"), "{wrong:?}");
    }
}

/// Whether a process runs with this argument.
fn is_running(argument: &str) -> bool {
    let all = std::fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
    all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .any(|line| line.split(|byte| *byte == 0).any(|one| one == argument.as_bytes()))
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn hostile_a11_a_load_that_is_given_up_ends_its_helper() {
    for (number, closes) in [("86401.25", false), ("86401.75", true)] {
        let system = open(shell(&format!("exec sleep {number}")));
        let load = system.load_bytes_async(small());
        wait_until("it runs", || is_running(number));
        match closes {
            true => {
                system.close(None).expect("closes");
                assert_eq!(load.wait().expect_err("ended").code, Code::Closed);
            }
            false => drop(load),
        }
        wait_until("it is gone", || !is_running(number));
    }
}
