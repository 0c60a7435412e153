//! Programs of one actor, and what is left of them.
#![allow(dead_code)] // each test file uses a part of it

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_osl::{
    Audit, AuditConfig, Capability, CapabilitySet, Command, Process, ProcessError, ProcessLimits, Processes,
    Record, ResourceLimits, Resources, Stdin,
};

pub struct Shop {
    pub audit: Arc<Audit>,
    pub set: CapabilitySet,
    pub processes: Processes,
}

impl Shop {
    /// An actor that may give the shell any script, and has these grants besides, numbered from 2.
    pub fn new(grants: &[&str]) -> Self {
        let any = format!("process.run {} -c ** ; env=LANG,APP_*", sh());
        let all: Vec<&str> = [any.as_str()].into_iter().chain(grants.iter().copied()).collect();
        Self::with(&all, limits())
    }

    /// An actor with these grants and no others, numbered from 1.
    pub fn with(grants: &[&str], limits: ProcessLimits) -> Self {
        let audit = Audit::open(AuditConfig::default()).unwrap();
        let set = CapabilitySet::new("default/fetch/0", audit.clone());
        for (index, grant) in grants.iter().enumerate() {
            set.grant(index as u64 + 1, Capability::parse(grant).unwrap().remove(0), None).unwrap();
        }
        let resources = Resources::new(ResourceLimits { processes_max: 16, ..ResourceLimits::default() });
        let processes = Processes::new(set.clone(), limits).with_resources(resources);
        Self { audit, set, processes }
    }

    pub fn limited(limits: ProcessLimits) -> Self {
        Self::with(&[&format!("process.run {} -c **", sh())], limits)
    }

    pub fn run(&self, command: &Command) -> Result<Process, ProcessError> {
        self.processes.run(command, "test")
    }

    pub fn start(&self, script: &str) -> Process {
        self.run(&script_of(script)).unwrap()
    }

    /// What the script writes until its end.
    pub fn output(&self, command: &Command) -> String {
        read_all(&self.run(command).unwrap())
    }

    pub fn records(&self) -> Vec<Record> {
        self.audit.recent()
    }

    /// Waits until the last program has been recorded and its place is free.
    pub fn wait_empty(&self) {
        wait_until("all places are free", || self.processes.running() == 0);
    }
}

/// Many starts at once are not what most tests are about.
pub fn limits() -> ProcessLimits {
    ProcessLimits { starts_per_second_max: 1_000, ..ProcessLimits::default() }
}

/// The shell where it really lies, so that no link leads there.
pub fn sh() -> String {
    real("/bin/sh")
}

pub fn real(path: &str) -> String {
    fs::canonicalize(path).unwrap().to_str().unwrap().to_owned()
}

pub fn script_of(script: &str) -> Command {
    let args = vec!["-c".to_owned(), script.to_owned()];
    Command { program: sh(), args, ..Command::default() }
}

pub fn piped(script: &str) -> Command {
    Command { stdin: Stdin::Piped, ..script_of(script) }
}

/// Far away: what has not come by then never comes.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

pub fn read_all(process: &Process) -> String {
    let mut all = Vec::new();
    let mut buf = [0; 4_096];
    loop {
        match process.read_stdout(&mut buf, soon()).unwrap() {
            0 => return String::from_utf8(all).unwrap(),
            count => all.extend_from_slice(&buf[..count]),
        }
    }
}

/// The next line that the program writes, byte by byte so that nothing of the one after it is taken.
pub fn read_line(process: &Process) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match process.read_stdout(&mut byte, soon()).unwrap() {
            0 => panic!("the output ended after {line:?}"),
            _ if byte[0] == b'\n' => return String::from_utf8(line).unwrap(),
            _ => line.push(byte[0]),
        }
    }
}

#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = soon();
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came that {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether there is such a process, a zombie included.
pub fn exists(pid: &str) -> bool {
    fs::metadata(format!("/proc/{pid}")).is_ok()
}

#[track_caller]
pub fn wait_absent(pids: &[String]) {
    wait_until(&format!("{pids:?} are gone"), || !pids.iter().any(|pid| exists(pid)));
}

/// Numbers of the direct children of this process, zombies included.
pub fn own_children() -> Vec<String> {
    let mut all = Vec::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let list = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        all.extend(list.split_whitespace().map(str::to_owned));
    }
    all
}
