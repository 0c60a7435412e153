//! What a check costs, in nanoseconds, by default and (`each`) with a record of each: `cargo run --release -p airssys-osl --example check_cost`.

use std::time::Instant;

use airssys_osl::{Ask, Audit, AuditConfig, Capability, CapabilitySet, Level, UNLIMITED};

const CHECKS: u32 = 1_000_000;

fn main() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = AuditConfig { path: Some(dir.path().join("audit.jsonl")), ..AuditConfig::default() };
    let each = AuditConfig {
        path: Some(dir.path().join("each.jsonl")),
        level: Level::All,
        denials_per_second_max: UNLIMITED,
        ..AuditConfig::default()
    };
    for (name, config) in [("memory", AuditConfig::default()), ("file", file), ("each", each)] {
        let audit = Audit::open(config).expect("the audit opens");
        let set = CapabilitySet::new("default/bench/0", audit.clone());
        for (id, text) in ["clock", "message.send db"].iter().enumerate() {
            let capability = Capability::parse(text).expect("a capability").remove(0);
            set.grant(id as u64 + 1, capability, None).expect("granted");
        }
        let row = |what: &str, ask: &Ask| {
            let start = Instant::now();
            for _ in 0..CHECKS {
                let _ = std::hint::black_box(set.check(ask, "send"));
            }
            let checked = start.elapsed();
            audit.flush().expect("written");
            println!(
                "{name:6} {what:14} {:6.0} ns a check, {:6.0} ns with its records written",
                checked.as_nanos() as f64 / f64::from(CHECKS),
                start.elapsed().as_nanos() as f64 / f64::from(CHECKS)
            );
        };
        row("allow clock", &Ask::Clock);
        row("allow message", &Ask::MessageSend("default/db/0".into()));
        row("deny", &Ask::Random);
    }
}
