//! Group L of the hostile cases, as far as the log goes: nothing is lost silently.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use airssys_osl::{Ask, Audit, AuditConfig, Capability, CapabilitySet, Level, UNLIMITED, verify};

fn unlimited() -> AuditConfig {
    AuditConfig { denials_per_second_max: UNLIMITED, ..AuditConfig::default() }
}

fn to_file(path: PathBuf) -> Arc<Audit> {
    Audit::open(AuditConfig { path: Some(path), level: Level::All, ..unlimited() }).unwrap()
}

#[test]
fn a_line_for_each_record() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    let audit = to_file(path.clone());
    let set = CapabilitySet::new("default/a/0", audit.clone());
    set.grant(3, Capability::parse("message.send db").unwrap().remove(0), None).unwrap();
    set.check(&Ask::MessageSend("db".into()), "send").unwrap();
    set.check(&Ask::FsRead("/a\n{}".into()), "open-at").unwrap_err();
    audit.flush().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let time = lines[1]["time"].as_str().unwrap();
    let ns = &lines[1]["monotonic_ns"];
    let (prev, hash) = (lines[0]["hash"].as_str().unwrap(), lines[1]["hash"].as_str().unwrap());
    assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    let want = format!(
        r#"{{"version":1,"seq":2,"time":"{time}","monotonic_ns":{ns},"actor":"default/a/0","operation":"check","capability":"message.send default/db/0","function":"send","decision":"allow","grant":3,"rule":"message.send default/db/0","prev":"{prev}","hash":"{hash}"}}"#
    );
    assert_eq!(text.lines().nth(1), Some(want.as_str()));
    assert_eq!(lines[2]["capability"], r#"fs.read "/a\n\\{\\}""#);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(audit.recent(), []);
}

#[test]
fn appends_and_writes_what_is_queued_when_closed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    for _ in 0..2 {
        let set = CapabilitySet::new("a", to_file(path.clone()));
        for _ in 0..20_000 {
            set.check(&Ask::Clock, "").unwrap_err();
        }
    }
    let text = fs::read_to_string(&path).unwrap();
    let mut denials = 0;
    for (index, line) in text.lines().enumerate() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["seq"], index as u64 + 1);
        denials += u64::from(record["decision"] == "deny");
    }
    assert_eq!(denials, 40_000);
    let report = verify(&path).unwrap();
    assert!(report.is_good() && report.anchors >= 2, "{report:?}");
    assert_eq!(report.records, text.lines().count() as u64);
}

#[test]
fn without_a_file_the_last_thousand_stay() {
    let audit = Audit::open(unlimited()).unwrap();
    let set = CapabilitySet::new("a", audit.clone());
    for _ in 0..1_500 {
        set.check(&Ask::Clock, "").unwrap_err();
    }
    let seqs: Vec<u64> = audit.recent().iter().map(|record| record.seq).collect();
    assert_eq!(seqs, (501..=1_500).collect::<Vec<_>>());
}

#[test]
#[cfg(target_os = "linux")]
fn hostile_l1_a_full_disk_is_counted_and_told() {
    let audit = to_file("/dev/full".into());
    let set = CapabilitySet::new("a", audit.clone());
    for _ in 0..10 {
        set.check(&Ask::Clock, "").unwrap_err();
    }
    let error = audit.flush().unwrap_err().to_string();
    assert!(error.starts_with("10 audit records were not written: No space left"), "{error}");
    assert_eq!(audit.failed(), 10);
    audit.flush().unwrap();
}

#[test]
fn records_after_the_end_are_counted() {
    let audit = Audit::open(AuditConfig::default()).unwrap();
    let set = CapabilitySet::new("a", audit.clone());
    audit.close().unwrap();
    audit.close().unwrap();
    assert!(set.check(&Ask::Clock, "").is_err());
    assert_eq!(audit.failed(), 1);
    assert!(audit.flush().unwrap_err().to_string().contains("closed"));
}
