//! `osl/audit-records`: decisions with a record each in a file, until the last is with the operating system, against
//! nothing but the same lines through serde_json, sha2 and a buffer.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use airssys_osl::{Ask, Audit, AuditConfig, Capability, CapabilitySet};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::measure::{Better, Contestant, Metric, Row};

const RECORDS: u64 = 20_000;
const ACTOR: &str = "default/bench/0";
const PATH: &str = "/srv/docs/reports/summary.txt";
const RULE: &str = "fs.read /srv/docs/**";
const FUNCTION: &str = "wasi:filesystem/types.open-at";

pub const ROWS: &[Row] = &[Row {
    metrics: &[Metric { name: "osl/audit-records", unit: "k rec/s", better: Better::Higher }],
    contestants: || vec![ours(), raw()],
}];

fn ours() -> Contestant {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let config = AuditConfig { path: Some(directory.path().join("audit.jsonl")), ..AuditConfig::default() };
    let audit = Audit::open(config).expect("the file is new");
    let set = CapabilitySet::new(ACTOR, audit.clone());
    set.grant(1, Capability::parse(RULE).expect("a capability").remove(0), None)
        .expect("a directory above it exists");
    let ask = Ask::FsRead(PATH.to_owned());
    Contestant::new("ours", "", move || {
        let _stays = &directory;
        let began = Instant::now();
        for _ in 0..RECORDS {
            set.check(&ask, FUNCTION).expect("it is granted");
        }
        audit.flush().expect("each was written");
        vec![thousands_per_second(began)]
    })
}

/// What a line of ours says.
#[derive(Serialize)]
struct Line<'a> {
    version: u32,
    seq: u64,
    time: String,
    monotonic_ns: u64,
    actor: &'a str,
    operation: &'a str,
    capability: &'a str,
    function: &'a str,
    decision: &'a str,
    grant: u64,
    rule: &'a str,
    prev: &'a str,
}

fn raw() -> Contestant {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = File::create(directory.path().join("raw.jsonl")).expect("it is new");
    let mut out = BufWriter::with_capacity(65_536, file);
    let (mut prev, mut seq, capability) = ("0".repeat(64), 0, format!("fs.read {PATH}"));
    Contestant::new("serde_json, sha2", "one thread, no queue", move || {
        let _stays = &directory;
        let began = Instant::now();
        for _ in 0..RECORDS {
            seq += 1;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
            let line = Line {
                version: 1,
                seq,
                time: format!("2026-11-21T09:00:{:02}.{:03}Z", since.as_secs() % 60, since.subsec_millis()),
                monotonic_ns: u64::try_from(began.elapsed().as_nanos()).expect("it is short"),
                actor: ACTOR,
                operation: "check",
                capability: &capability,
                function: FUNCTION,
                decision: "allow",
                grant: 1,
                rule: RULE,
                prev: &prev,
            };
            let text = serde_json::to_string(&line).expect("texts and numbers");
            prev = format!("{:x}", Sha256::digest(&text));
            writeln!(out, "{},\"hash\":\"{prev}\"}}", &text[..text.len() - 1]).expect("the disk has room");
        }
        out.flush().expect("the disk has room");
        vec![thousands_per_second(began)]
    })
}

fn thousands_per_second(began: Instant) -> f64 {
    RECORDS as f64 / began.elapsed().as_secs_f64() / 1e3
}
