//! Guests that mean harm, each in a system with a neighbour that must not notice; what they held is given back.
//!
//! `hostile-c` is written in C and does its harm by plain libc; where its compiler can't be had its part is skipped.

mod files;
mod hooks;
mod malformed;
mod memory;
mod processor;

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use airwasm::{
    ActorHandle, ActorSpec, Backoff, Budget, Code, Config, Error, Limits, RequestOptions, Result,
    SupervisorSpec, System, UNLIMITED,
};
use airwasm_tests::{guest, open_files};
use tempfile::TempDir;

/// One at a time, for they count what the whole process holds.
static ALONE: Mutex<()> = Mutex::new(());

/// A system with a neighbour, a folder, and what the process held before.
struct Bench {
    system: System,
    folder: TempDir,
    neighbour: ActorHandle,
    files_before: usize,
    threads_before: usize,
    _alone: MutexGuard<'static, ()>,
}

impl Bench {
    fn new() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (files_before, threads_before) = (open_files(), threads());
        let folder = tempfile::tempdir().expect("a folder");
        let audit = Some(folder.path().join("audit.jsonl"));
        let system = System::open(Config { audit, ..Config::default() }).expect("a system");
        let echo = system.load(&guest("echo")).expect("loads");
        let neighbour = system.spawn(ActorSpec::new(echo).name("neighbour")).expect("starts");
        Self { system, folder, neighbour, files_before, threads_before, _alone: alone }
    }

    /// The spec of this guest, which is started again after a crash; 500 ms of the processor are enough for it.
    fn spec(&self, name: &str) -> ActorSpec {
        let component = self.system.load(&guest(name)).expect("loads");
        let budget = Budget { cpu: Some(Duration::from_millis(500)), ..Budget::default() };
        ActorSpec::new(component).name(name).budget(budget)
    }

    /// It lives again after each crash, however many there are.
    fn victim(&self, name: &str, limits: Limits) -> ActorHandle {
        let at_once = Backoff { initial: Some(Duration::ZERO), ..Backoff::default() };
        let above =
            SupervisorSpec::new(&format!("above-{name}")).intensity(UNLIMITED, Duration::from_secs(1));
        let child = self.spec(name).limits(limits);
        self.system.supervisor(above.backoff(at_once).child(child)).expect("starts");
        self.system.lookup(name).expect("lives")
    }

    /// Only the neighbour is left, at the latest when the last supervisor has gone.
    fn nobody_else_lives(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.system.stats().expect("open").actors > 1 {
            assert!(Instant::now() < until, "{:?}", self.system.list(None));
            std::thread::yield_now();
        }
        assert_eq!(self.system.stats().expect("open").restarts, 0);
    }

    fn ask(&self, actor: ActorHandle, text: &str) -> Result<String> {
        let answer = self.system.request(actor, text.as_bytes(), &RequestOptions::default())?;
        Ok(String::from_utf8(answer).expect("text"))
    }

    /// The error that these words end in.
    fn fails(&self, actor: ActorHandle, text: &str, code: Code, words: &str) -> Error {
        let error = self.ask(actor, text).expect_err(text);
        let said = error.message.to_lowercase();
        assert!(error.code == code && said.contains(words), "{text}: {} {error}", error.code.name());
        assert!(!said.contains("panicked"), "{text}: {error}");
        self.neighbour_answers();
        error
    }

    fn neighbour_answers(&self) {
        assert_eq!(self.ask(self.neighbour, "there?").expect("answers"), "there?");
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// The denials of the audit so far, one a line, once the system is closed.
    fn denials(folder: &Path) -> Vec<String> {
        let text = fs::read_to_string(folder.join("audit.jsonl")).expect("written");
        text.lines().filter(|line| line.contains("\"deny\"")).map(str::to_owned).collect()
    }

    /// Closes the system; its counts add up, and what it held is given back. Answers the denials.
    fn finish(self) -> Vec<String> {
        self.neighbour_answers();
        self.system.close(None).expect("closes");
        let Self { system, folder, files_before, threads_before, .. } = self;
        drop(system);
        let back = || open_files() <= files_before && threads() <= threads_before;
        let until = Instant::now() + Duration::from_secs(20);
        while !back() {
            let now = (open_files(), threads());
            assert!(Instant::now() < until, "{now:?} are not {:?}", (files_before, threads_before));
            std::thread::yield_now();
        }
        Self::denials(folder.path())
    }
}

/// How many threads there are besides those of the tests, which are named after them.
fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux");
    let name = |task: std::io::Result<fs::DirEntry>| fs::read_to_string(task.ok()?.path().join("comm")).ok();
    tasks.filter_map(name).filter(|name| !name.contains("::")).count()
}

/// The guests of these names that were built: one in Rust, one in C.
fn built<'a>(names: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    names.iter().copied().filter(|name| {
        let there = guest(name).exists() || !name.ends_with("-c");
        if !there {
            eprintln!("skipped: {name} was not built, for its compiler can't be had");
        }
        there
    })
}

/// The guest in C, if it was built.
const C: &[&str] = &["hostile-c"];
