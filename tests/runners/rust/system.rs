//! What scenarios cannot say: threads, forks, completions, and hosts that drop what they hold.

use std::sync::mpsc;
use std::time::Duration;

use airwasm::{
    ActorSpec, Budget, Code, ComponentHandle, Config, Error, GrantHandle, HostExecutor, RequestOptions,
    Restart, SendOptions, Started, System,
};
use airwasm_tests::guest;

fn open() -> System {
    System::open(Config::default()).expect("a system")
}

fn spawn(system: &System, name: &str) -> airwasm::ActorHandle {
    let component = system.load(&guest(name)).expect("a built guest");
    system.spawn(ActorSpec::new(component)).expect("starts")
}

fn ask(system: &System, actor: airwasm::ActorHandle, text: &str) -> airwasm::Result<String> {
    let answer = system.request(actor, text.as_bytes(), &RequestOptions::default())?;
    Ok(String::from_utf8(answer).expect("text"))
}

/// The names of this process's threads; the kernel keeps 15 characters of each.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok().map(|name| name.trim().to_owned())
    };
    tasks.filter_map(name).collect()
}

#[test]
fn the_fallback_runtime_of_wasmtime_wasi_never_starts() {
    let system = open();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a"), "A").expect("writable");
    let reader = spawn(&system, "reader");
    let looper = spawn(&system, "looper");
    system.grant(reader, &format!("fs.read,list {}/**", folder.path().display()), None).expect("granted");
    let file = folder.path().join("a").display().to_string();
    assert_eq!(ask(&system, reader, &file).expect("granted"), "A");
    assert!(ask(&system, reader, "connect 127.0.0.1:9").is_err());
    assert_eq!(ask(&system, looper, "sleep 1").expect("answers"), "slept 1");
    // Streams dropped half-read, and an instance dropped asleep, are where a drop outside the handle would start it.
    let options = RequestOptions { timeout: Some(Duration::from_millis(1)), ..RequestOptions::default() };
    let _ = system.request(looper, b"sleep 60000", &options);
    system.kill(looper).expect("lives");
    drop(system);
    let running = threads();
    assert!(!running.iter().any(|name| name.starts_with("tokio-rt")), "{running:?}");
}

#[test]
fn two_systems_never_meet() {
    let (one, other) = (open(), open());
    let component = one.load(&guest("hello")).expect("loads");
    let actor = one.spawn(ActorSpec::new(component).name("hello")).expect("starts");
    assert_eq!(other.lookup("hello").expect_err("not there").code, Code::ActorNotFound);
    assert_eq!(other.kill(actor).expect_err("of another system").code, Code::InvalidHandle);
    assert_eq!(other.inspect(component).expect_err("of another system").code, Code::InvalidHandle);
    let spec = ActorSpec::new(other.load(&guest("hello")).expect("loads")).name("hello");
    other.spawn(spec).expect("the id is free there");
    one.close(None).expect("closes");
    assert_eq!(one.lookup("hello").expect_err("closed").code, Code::Closed);
    assert_eq!(one.request(actor, b"", &RequestOptions::default()).expect_err("closed").code, Code::Closed);
    let there = other.lookup("hello").expect("lives on");
    assert_eq!(ask(&other, there, "x").expect("answers"), "hello x");
}

#[test]
fn hostile_i3_a_handle_of_another_kind_is_told_apart() {
    let system = open();
    let actor = spawn(&system, "echo");
    assert_eq!(ComponentHandle::from_raw(actor.raw()).expect_err("kind").code, Code::InvalidHandle);
    assert_eq!(GrantHandle::from_raw(0).expect_err("none").code, Code::InvalidHandle);
    assert_eq!(airwasm::ActorHandle::from_raw(u64::MAX).expect_err("no kind").code, Code::InvalidHandle);
    let stale = airwasm::ActorHandle::from_raw(actor.raw() + 1_000_000).expect("an actor's number");
    assert_eq!(ask(&system, stale, "").expect_err("stale").code, Code::ActorNotFound);
}

#[test]
fn a_completion_is_called_once_and_only_for_what_is_pending() {
    let system = open();
    let looper = spawn(&system, "looper");
    let (tell, told) = mpsc::channel();
    let mut pending = 0;
    let mut ready = 0;
    for _ in 0..200 {
        let tell = tell.clone();
        let operation = system.request_async(looper, b"hi", &RequestOptions::default());
        match operation.start(Box::new(move |outcome| tell.send(outcome).expect("open"))) {
            Started::Ready(outcome) => {
                ready += 1;
                assert_eq!(outcome.expect("answers"), b"hi");
            }
            Started::Pending(_) => pending += 1,
        }
    }
    drop(tell);
    let delivered = told.iter().map(|outcome| assert_eq!(outcome.expect("answers"), b"hi")).count();
    assert_eq!((delivered, ready + pending), (pending, 200));
}

#[test]
fn a_completion_that_panics_hurts_nobody() {
    let system = open();
    let component = system.load(&guest("crasher")).expect("loads");
    let actor = system.spawn(ActorSpec::new(component).restart(Restart::Permanent)).expect("starts");
    for _ in 0..3 {
        let operation = system.request_async(actor, b"boom", &RequestOptions::default());
        let _ = operation.start(Box::new(|_| panic!("on purpose")));
    }
    assert_eq!(ask(&system, actor, "ping").expect("it was restarted"), "pong");
}

#[test]
fn loading_a_fifo_does_not_wait_for_its_other_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo is there");
    assert!(made.success());
    assert_eq!(open().load(&fifo).expect_err("no file").code, Code::Io);
}

#[test]
fn hostile_c2_a_component_cut_at_any_byte_is_refused_or_lacks_what_was_cut() {
    let system = open();
    let bytes = std::fs::read(guest("no-handler")).expect("a built guest");
    let mut whole_sections = 0;
    for length in 0..bytes.len() {
        match system.load_bytes(bytes[..length].to_vec()) {
            Err(error) => assert_eq!(error.code, Code::InvalidComponent, "cut at {length}"),
            // A cut between two sections leaves a valid component of those before it.
            Ok(component) => {
                whole_sections += 1;
                system.inspect(component).expect("it is what it says");
            }
        }
    }
    assert!(whole_sections < 12, "{whole_sections} of {} cuts were accepted", bytes.len());
}

#[test]
fn a_pending_request_is_cancelled_by_its_number_once() {
    let system = open();
    let looper = spawn(&system, "looper");
    let (tell, told) = mpsc::channel();
    let operation = system.request_async(looper, b"sleep 60000", &RequestOptions::default());
    let started = operation.start(Box::new(move |outcome| tell.send(outcome).expect("open")));
    let Started::Pending(number) = started else { panic!("a sleeper does not answer at once") };
    assert!(system.cancel(number).expect("open"));
    assert_eq!(told.recv().expect("told").expect_err("cancelled").code, Code::Cancelled);
    assert!(!system.cancel(number).expect("open"), "it has its outcome");
}

#[test]
fn a_request_needs_no_reactor_of_its_caller() {
    let system = open();
    let echo = spawn(&system, "echo");
    let looper = spawn(&system, "looper");
    let many: Vec<_> =
        (0..100u8).map(|n| system.request_async(echo, &[n], &RequestOptions::default())).collect();
    for (n, one) in (0..).zip(many) {
        assert_eq!(block_on(one).expect("answers"), [n]);
    }
    let options = RequestOptions { timeout: Some(Duration::from_millis(10)), ..RequestOptions::default() };
    let late = block_on(system.request_async(looper, b"sleep 60000", &options));
    assert_eq!(late.expect_err("in no time").code, Code::Timeout);
}

/// The smallest executor: it parks this thread.
fn block_on<F: Future + Unpin>(mut future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    loop {
        let polled = std::pin::Pin::new(&mut future).poll(&mut std::task::Context::from_waker(&waker));
        match polled {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn close_inside_a_handler_fails_at_once() {
    let system = open();
    let inside = system.clone();
    let handler = move |_| inside.close(None).map(|_| Vec::new());
    let actor = system.spawn_host(ActorSpec::host("closer"), Box::new(handler)).expect("starts");
    let error = ask(&system, actor, "").expect_err("refused");
    assert_eq!((error.code, &error.detail["cause"]["code"]), (Code::HandlerRaised, &"WOULD_DEADLOCK".into()));
}

#[test]
fn a_handler_that_asks_itself_fails_at_once() {
    let system = open();
    let inside = system.clone();
    let handler = move |message: airwasm::Message| {
        let me = inside.lookup(&message.to)?;
        inside.request(me, b"", &RequestOptions::default())
    };
    let actor = system.spawn_host(ActorSpec::host("narcissus"), Box::new(handler)).expect("starts");
    let error = ask(&system, actor, "").expect_err("refused");
    assert_eq!((error.code, &error.detail["cause"]["code"]), (Code::HandlerRaised, &"WOULD_DEADLOCK".into()));
}

#[test]
fn a_handler_that_hangs_is_abandoned_at_the_deadline() {
    let system = open();
    let (let_go, held) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let handler = move |_| {
        tell.send(()).expect("open");
        let _ = held.recv();
        Ok(Vec::new())
    };
    let actor = system.spawn_host(ActorSpec::host("hangs"), Box::new(handler)).expect("starts");
    let waits = system.request_async(actor, b"", &RequestOptions::default());
    told.recv().expect("it hangs now");
    system.stop(actor, Some(Duration::from_millis(10))).expect("is let go");
    let error = waits.wait().expect_err("let go");
    assert_eq!((error.code, error.text("reason")), (Code::ActorStopped, "killed"));
    assert_eq!(system.lookup("hangs").expect_err("the id is free").code, Code::ActorNotFound);
    drop(let_go);
    assert_eq!(system.close(None).expect("closes").killed, 0);
}

#[test]
fn a_handler_that_panics_or_drops_its_duty_raised() {
    let system = open();
    let panics = system.spawn_host(ActorSpec::host("p"), Box::new(|_| panic!("on purpose"))).expect("starts");
    let error = ask(&system, panics, "").expect_err("crashed");
    assert_eq!((error.code, error.message.contains("on purpose")), (Code::HandlerRaised, true));
    let drops = system.spawn_host_deferred(
        ActorSpec::host("d"),
        HostExecutor::Loop,
        Box::new(|_, reply| drop(reply)),
    );
    let error = ask(&system, drops.expect("starts"), "").expect_err("crashed");
    assert_eq!(error.code, Code::HandlerRaised);
}

#[test]
fn a_failure_of_a_handler_carries_its_own_words() {
    let system = open();
    let handler = |_| Err(Error::failure("not-found", "no such row"));
    let actor = system.spawn_host(ActorSpec::host("db"), Box::new(handler)).expect("starts");
    let error = ask(&system, actor, "").expect_err("a failure");
    assert_eq!((error.text("code"), error.text("text")), ("not-found", "no such row"));
    assert_eq!(error.actor.as_deref(), Some("default/db/0"));
}

#[test]
fn four_threads_share_a_system() {
    let system = open();
    let echo = spawn(&system, "echo");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..500).for_each(|n| {
                    assert_eq!(ask(&system, echo, &n.to_string()).expect("answers"), n.to_string())
                })
            });
        }
    });
    assert_eq!(system.stats().expect("open").delivered, 2_000);
}

#[test]
fn hostile_a9_hogs_do_not_keep_a_neighbour_from_answering() {
    let system = open();
    let component = system.load(&guest("looper")).expect("loads");
    let budget = Budget { cpu: Some(Duration::MAX), wall: Some(Duration::MAX), ..Budget::default() };
    let hogs = 4 * std::thread::available_parallelism().expect("known").get();
    for _ in 0..hogs {
        let hog = system.spawn(ActorSpec::new(component).budget(budget)).expect("starts");
        system.send(hog, b"loop", &SendOptions::default()).expect("room");
    }
    let hello = spawn(&system, "hello");
    for n in 0..50 {
        assert_eq!(ask(&system, hello, &n.to_string()).expect("answers"), format!("hello {n}"));
    }
    let report = system.close(Some(Duration::from_millis(50))).expect("closes");
    assert_eq!((report.stopped, report.killed), (1, hogs as u64));
}

#[test]
fn an_audit_file_has_a_record_for_each_decision() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit.jsonl");
    let system = System::open(Config { audit: Some(log.clone()), ..Config::default() }).expect("a system");
    let reader = spawn(&system, "reader");
    assert_eq!(ask(&system, reader, "/etc/passwd").expect_err("denied").code, Code::Denied);
    system.close(None).expect("closes");
    let text = std::fs::read_to_string(log).expect("written");
    let denials: Vec<_> = text.lines().filter(|line| line.contains("\"deny\"")).collect();
    assert_eq!(denials.len(), 1, "{text}");
    assert!(
        denials[0].contains("fs.read /etc/passwd") && denials[0].contains("default/reader/1"),
        "{}",
        denials[0]
    );
}

#[test]
fn a_bound_of_nothing_is_refused() {
    let system = open();
    let component = system.load(&guest("echo")).expect("loads");
    let limits = airwasm::Limits { memory_bytes: Some(0), ..Default::default() };
    let budget = Budget { cpu: Some(Duration::ZERO), ..Budget::default() };
    for (spec, which) in [
        (ActorSpec::new(component).limits(limits), "memory_bytes"),
        (ActorSpec::new(component).budget(budget), "cpu_ms"),
    ] {
        let error = system.spawn(spec).expect_err("refused");
        assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, which));
    }
    let actor = spawn(&system, "echo");
    assert_eq!(system.stop(actor, Some(Duration::ZERO)).expect_err("refused").code, Code::InvalidArgument);
    let options = RequestOptions { timeout: Some(Duration::ZERO), ..RequestOptions::default() };
    assert_eq!(system.request(actor, b"", &options).expect_err("refused").code, Code::InvalidArgument);
}

#[test]
fn what_this_version_lacks_is_said() {
    let config = Config { profile: Some("fast".to_owned()), ..Config::default() };
    assert_eq!(System::open(config).err().expect("refused").code, Code::InvalidArgument);
    let full =
        System::open(Config { profile: Some("full".to_owned()), ..Config::default() }).expect("a system");
    assert_eq!(ask(&full, spawn(&full, "hello"), "full").expect("answers"), "hello full");
}

#[test]
fn hostile_b13_a_crash_loop_leaves_nothing_behind() {
    let system = open();
    let component = system.load(&guest("crasher")).expect("loads");
    for _ in 0..200 {
        let spec = ActorSpec::new(component).name("crasher").restart(Restart::Temporary);
        let actor = system.spawn(spec).expect("the id is free again");
        assert_eq!(ask(&system, actor, "boom").expect_err("traps").code, Code::Trapped);
        // The answer comes before the last of it is gone; a stop waits for that.
        let _ = system.stop(actor, None);
    }
    assert_eq!(system.stats().expect("open").actors, 0);
}
