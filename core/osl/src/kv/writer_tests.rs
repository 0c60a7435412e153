use std::time::{Duration, Instant};

use super::*;
use crate::ask::Ask;
use crate::audit::{Audit, AuditConfig};
use crate::capability::Capability;
use crate::denial::DenialKind;
use crate::kv::pending::{Answer, Pending};
use crate::set::CapabilitySet;

/// An actor, and a store whose writer has no thread: each step of a commit is the test's.
struct Desk {
    set: CapabilitySet,
    writer: Writer,
    _folder: tempfile::TempDir,
}

fn desk() -> Desk {
    let set = CapabilitySet::new("default/a/0", Audit::open(AuditConfig::default()).unwrap());
    for (id, text) in [(1, "kv.write notes"), (2, "kv.read notes")] {
        set.grant(id, Capability::parse(text).unwrap().remove(0), None).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(StoreFile::lock(&folder.path().join("store.db")).unwrap());
    let (connection, limits) = (file.writer().unwrap(), StoreLimits::default());
    let writer = Writer { connection, queue: Queue::new(limits), file, limits, total: Total::default() };
    Desk { set, writer, _folder: folder }
}

impl Desk {
    /// A change under both grants that has come to its turn, and who waits for it.
    fn asked(&self) -> (Write, Pending) {
        let asks = [Ask::KvWrite("notes".to_owned()), Ask::KvRead("notes".to_owned())];
        let guards: Vec<_> = asks.iter().map(|ask| self.set.check(ask, "test").unwrap()).collect();
        let answer = Answer::new();
        let leases = guards.iter().map(|guard| guard.tie(answer.clone()).unwrap()).collect();
        let pairs = ["a", "b"].map(|key| (key.to_owned(), b"1".to_vec()));
        let pending = Pending {
            answer: answer.clone(),
            leases,
            set: self.set.clone(),
            capability: asks[0].capability_text(),
            function: "test".to_owned(),
        };
        let write = Write {
            namespace: "notes".to_owned(),
            change: Change::Set(pairs.to_vec()),
            quota_bytes: None,
            guards,
            bytes: 4,
            answer,
            _kept: Box::new(()),
        };
        (write, pending)
    }

    /// Makes it in a commit during which something else happens.
    fn commit(&mut self, write: Write, meanwhile: impl FnOnce(&CapabilitySet)) {
        let transaction = self.writer.connection.unchecked_transaction().unwrap();
        let (limits, total) = (&self.writer.limits, self.writer.total);
        let mut made = Batch { connection: &transaction, limits, total, spaces: HashMap::new() };
        let result = made.make(&write).unwrap();
        meanwhile(&self.set);
        made.spaces.values().for_each(|space| space.store(&transaction).unwrap());
        transaction.commit().unwrap();
        write.answer.settle(result);
    }

    fn pairs(&self) -> u64 {
        Total::read(&self.writer.connection).unwrap().pairs
    }
}

fn told(pending: Pending) -> Result<u64, DenialKind> {
    match pending.wait(Instant::now() + Duration::from_secs(60)) {
        Ok(pairs) => Ok(pairs),
        Err(KvError::Denied(denial)) => Err(denial.kind),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_change_whose_grant_ends_during_its_commit_is_there_as_a_whole_and_says_so() {
    for grant in [1, 2] {
        let mut desk = desk();
        let (write, pending) = desk.asked();
        desk.commit(write, |set| assert_eq!(set.revoke(grant), Some(1)));
        assert_eq!((told(pending), desk.pairs()), (Ok(2), 2));
    }
}

#[test]
fn a_change_whose_grant_ends_before_its_commit_is_not_there_and_says_so() {
    for grant in [1, 2] {
        let mut desk = desk();
        let (write, pending) = desk.asked();
        assert_eq!(desk.set.revoke(grant), Some(1));
        desk.commit(write, |_| {});
        assert_eq!((told(pending), desk.pairs()), (Err(DenialKind::Revoked), 0));
    }
}

#[test]
fn a_change_whose_grant_ends_between_its_turn_and_the_look_at_its_grants_is_not_there_and_says_so() {
    let mut desk = desk();
    let (write, pending) = desk.asked();
    assert!(write.answer.begin());
    desk.set.revoke(1);
    desk.commit(write, |_| {});
    assert_eq!((told(pending), desk.pairs()), (Err(DenialKind::Revoked), 0));
}
