//! What guests reach of the network: what was granted, where it leads, for as long as it is granted. On loopback only.

mod both_ways;
#[path = "../../../../core/osl/tests/support/dns_stub.rs"]
#[allow(dead_code)] // the tests of osl use the rest
mod dns_stub;
mod hostile_http;
mod hostile_names;
mod hostile_phases;
mod hostile_sockets;
mod http;
mod revoking;
mod servers;
mod sockets;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use airwasm::{
    ActorHandle, ActorSpec, Budget, Code, Config, Error, GrantHandle, Limits, NetworkOptions, Operation,
    RequestOptions, Result, System,
};
use airwasm_tests::{guest, root};
use serde_json::Value;
use tempfile::TempDir;

use dns_stub::DnsStub;

/// A system with one guest that does what it is told.
struct World {
    system: System,
    actor: ActorHandle,
    given: BTreeMap<String, GrantHandle>,
    folder: TempDir,
}

impl World {
    /// No name is asked for.
    fn new(grants: &[&str]) -> Self {
        Self::with(grants, vec![nobody()])
    }

    fn asking(grants: &[&str], stub: &DnsStub) -> Self {
        Self::with(grants, vec![stub.address])
    }

    fn with(grants: &[&str], name_servers: Vec<SocketAddr>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let network = NetworkOptions { name_servers, tls_roots: Some(tls("root.pem")) };
        let audit = Some(folder.path().join("audit.jsonl"));
        let system = System::open(Config { audit, network, ..Config::default() }).expect("a system");
        let component = system.load(&guest("fetch")).expect("a built guest");
        let limits = Limits { memory_bytes: Some(512 << 20), ..Limits::default() };
        let budget = Budget { cpu: Some(Duration::from_secs(20)), ..Budget::default() };
        let spec = ActorSpec::new(component).name("fetch").limits(limits).budget(budget);
        let actor = system.spawn(spec).expect("starts");
        let mut world = Self { system, actor, given: BTreeMap::new(), folder };
        grants.iter().for_each(|text| world.grant(text));
        world
    }

    fn grant(&mut self, text: &str) {
        let grant = self.system.grant(self.actor, text, None).expect("can be granted");
        self.given.insert(text.to_owned(), grant);
    }

    /// Takes a grant back; how many open resources that cut.
    fn revoke(&self, text: &str) -> u64 {
        self.system.revoke(self.given[text]).expect("was granted")
    }

    fn begin(&self, text: &str) -> Operation<Vec<u8>> {
        let options = RequestOptions { timeout: Some(Duration::from_secs(60)), ..RequestOptions::default() };
        self.system.request_async(self.actor, text.as_bytes(), &options)
    }

    fn ask(&self, text: &str) -> Result<String> {
        answered(self.begin(text))
    }

    #[track_caller]
    fn told(&self, text: &str) -> String {
        self.ask(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Asserts that it is denied, and gives the policy line that would allow it.
    #[track_caller]
    fn denied(&self, text: &str) -> String {
        denied(self.ask(text)).policy_line().to_owned()
    }

    /// The message of a failure that is no denial.
    #[track_caller]
    fn failure(&self, text: &str) -> String {
        let error = self.ask(text).expect_err("it fails");
        assert_eq!(error.code, Code::Failure, "{error}");
        error.message
    }

    /// What is open under all grants.
    fn open(&self) -> u64 {
        self.system.grants(self.actor).expect("lives").iter().map(|grant| grant.open).sum()
    }

    /// Waits until nothing is open: what was given up is closed by another thread.
    fn closes(&self) {
        while self.open() > 0 {
            std::thread::yield_now();
        }
    }

    /// All records of the audit, in their order. It ends the system, so that all is written.
    fn records(self) -> Vec<Value> {
        self.system.close(None).expect("closes");
        let text = std::fs::read_to_string(self.folder.path().join("audit.jsonl")).expect("an audit");
        text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
    }

    /// Function and capability of each denial among them.
    fn denials(self) -> Vec<(String, String)> {
        let is_denial = |record: &Value| record["operation"] == "check" && record["decision"] == "deny";
        let word = |record: &Value, key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let denials = self.records().into_iter().filter(is_denial);
        denials.map(|record| (word(&record, "function"), word(&record, "capability"))).collect()
    }
}

fn answered(operation: Operation<Vec<u8>>) -> Result<String> {
    operation.wait().map(|bytes| String::from_utf8(bytes).expect("text"))
}

#[track_caller]
fn denied<T>(outcome: Result<T>) -> Error {
    refused(outcome, Code::Denied)
}

#[track_caller]
fn refused<T>(outcome: Result<T>, code: Code) -> Error {
    let error = outcome.err().expect("refused");
    assert_eq!(error.code, code, "{error}");
    error
}

fn tls(file: &str) -> PathBuf {
    root().join("tests/runners/rust/network/tls").join(file)
}

/// A name server that is not there.
fn nobody() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}
