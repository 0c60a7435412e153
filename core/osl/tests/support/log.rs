//! An audit on a file, by a clock that stands still until it is told to go on.
#![allow(dead_code)] // each test file uses a part of it

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use airssys_osl::{Audit, AuditConfig, Capability, CapabilitySet, Clock, Moment};
use serde_json::Value;
use tempfile::TempDir;

pub struct LogWorld {
    pub dir: TempDir,
    pub path: PathBuf,
    now_ns: Arc<AtomicU64>,
}

impl LogWorld {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { path: dir.path().join("audit.jsonl"), dir, now_ns: Arc::default() }
    }

    /// To the file, by the clock of this world.
    pub fn config(&self) -> AuditConfig {
        AuditConfig { path: Some(self.path.clone()), ..self.memory() }
    }

    pub fn memory(&self) -> AuditConfig {
        let now_ns = self.now_ns.clone();
        let clock = Clock::new(move || {
            let monotonic_ns = now_ns.load(Ordering::SeqCst);
            Moment { wall: UNIX_EPOCH + Duration::from_nanos(monotonic_ns), monotonic_ns }
        });
        AuditConfig { clock, ..AuditConfig::default() }
    }

    pub fn open(&self) -> Arc<Audit> {
        Audit::open(self.config()).unwrap()
    }

    pub fn pass(&self, time: Duration) {
        self.now_ns.fetch_add(time.as_nanos() as u64, Ordering::SeqCst);
    }

    pub fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// An actor with these grants, numbered from 1.
pub fn actor(audit: &Arc<Audit>, id: &str, grants: &[&str]) -> CapabilitySet {
    let set = CapabilitySet::new(id, audit.clone());
    for (index, grant) in grants.iter().enumerate() {
        set.grant(index as u64 + 1, Capability::parse(grant).unwrap().remove(0), None).unwrap();
    }
    set
}
