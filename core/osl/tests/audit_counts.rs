//! What an audit counts of its decisions and records.

mod support;

use airssys_osl::{Ask, Audit, AuditConfig, CapabilitySet, Decisions, OnFull};
use support::log::{LogWorld, actor};

#[test]
fn decisions_are_counted_by_family_whether_recorded_or_summarised() {
    let world = LogWorld::new();
    let audit = Audit::open(AuditConfig { denials_per_second_max: 4, ..world.config() }).unwrap();
    let set = actor(&audit, "a", &["clock", "message.send */*/*", "env HOME"]);
    for round in 1..=3 {
        (0..5).for_each(|_| drop(set.check(&Ask::Clock, "").unwrap()));
        set.check(&Ask::Env("HOME".into()), "").unwrap();
        set.check(&Ask::Random, "").unwrap_err();
        audit.flush().unwrap();
        let counts = audit.counts();
        assert_eq!(counts.decisions["clock"], Decisions { allowed: 5 * round, denied: 0 });
        assert_eq!(counts.decisions["env"], Decisions { allowed: round, denied: 0 });
        assert_eq!(counts.decisions["random"], Decisions { allowed: 0, denied: round });
        assert!(!counts.decisions.contains_key("message"));
        if round == 2 {
            // What a summary has told is counted as before.
            audit.summarise().unwrap();
            assert_eq!(audit.counts().decisions, counts.decisions);
        }
    }
    (0..5).for_each(|_| drop(set.check(&Ask::FsRead("/x".into()), "").unwrap_err()));
    audit.flush().unwrap();
    let counts = audit.counts();
    assert_eq!(counts.decisions["fs"].denied, 1);
    assert_eq!(counts.decisions["flood"], Decisions { allowed: 0, denied: 4 });
    // Grants, allowed `env`, denials and summaries: each line of the file.
    assert_eq!((counts.written, counts.dropped, counts.queued), (world.lines().len() as u64, 0, 0));
}

#[test]
fn a_decision_whose_record_was_left_out_is_counted_all_the_same() {
    let world = LogWorld::new();
    let config = AuditConfig {
        on_full: OnFull::Count,
        queue_records_max: 1,
        denials_per_second_max: airssys_osl::UNLIMITED,
        ..world.config()
    };
    let audit = Audit::open(config).unwrap();
    let set = CapabilitySet::new("a", audit.clone());
    (0..1_000).for_each(|_| drop(set.check(&Ask::Random, "").unwrap_err()));
    let _ = audit.close();
    set.check(&Ask::Random, "").unwrap_err();
    let counts = audit.counts();
    assert_eq!(counts.decisions["random"].denied, 1_001);
    assert_eq!(counts.dropped, audit.failed());
    assert!(counts.dropped >= 1 && counts.queued == 0);
}

#[test]
fn what_the_start_of_an_operation_tells_is_counted_as_allowed() {
    let world = support::net::NetWorld::new(&["net.listen 127.0.0.1:*"]);
    let listener = world.network.listen("127.0.0.1".parse().unwrap(), 0, "test").unwrap();
    drop(listener);
    world.audit.flush().unwrap();
    assert_eq!(world.audit.counts().decisions["net"], Decisions { allowed: 1, denied: 0 });
}
