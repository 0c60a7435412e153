//! What the key-value store does when nobody is hostile.

mod support;

use std::sync::mpsc;
use std::task::Poll;

use airssys_osl::{Change, Decision, DenialKind, FsError, Keys, Kv, KvError, Operation, StoreLimits};
use support::futures::{block_on, poll_with};
use support::kv::{Shelf, assert_denied, soon};

const BOTH: &[&str] = &["kv.read notes", "kv.write notes"];

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn pairs(pairs: &[(&str, &[u8])]) -> Change {
    Change::Set(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.to_vec())).collect())
}

#[test]
fn what_was_set_is_there_also_after_the_store_was_opened_anew() {
    let shelf = Shelf::new(BOTH);
    assert_eq!(shelf.get("a"), None);
    assert_eq!(shelf.set("a", b"1").unwrap(), 1);
    assert_eq!(shelf.set("a", b"").unwrap(), 1);
    assert_eq!(shelf.get("a"), Some(vec![]));
    assert_eq!(shelf.change(pairs(&[("b", b"x"), ("c", b"y"), ("b", b"z")])).unwrap(), 2);
    let shelf = shelf.reopened();
    let values = shelf.kv.get_many("notes", &strings(&["b", "none", "a", "c"]), "").unwrap();
    assert_eq!(values, [Some(b"z".to_vec()), None, Some(vec![]), Some(b"y".to_vec())]);
    assert!(shelf.kv.exists("notes", "a", "").unwrap());
    assert_eq!(shelf.change(Change::Delete(strings(&["a", "a", "none", "c"]))).unwrap(), 2);
    assert!(!shelf.kv.exists("notes", "a", "").unwrap());
    assert_eq!(block_on(shelf.kv.change("notes", Change::Delete(strings(&["b"])), "").unwrap()).unwrap(), 1);
    assert_eq!(shelf.kv.list("notes", None, 9, "").unwrap(), Keys::default());
}

#[test]
fn numbers_are_added_and_values_swapped_only_as_expected() {
    let shelf = Shelf::new(BOTH);
    let add = |delta| shelf.change(Change::Increment { key: "n".to_owned(), delta });
    assert_eq!((add(5).unwrap(), add(0).unwrap(), add(7).unwrap()), (5, 5, 12));
    assert_eq!(shelf.get("n"), Some(b"12".to_vec()));
    assert!(matches!(add(u64::MAX), Err(KvError::Overflow)));
    for odd in [&b""[..], b"+1", b"-1", b" 1", b"1.0", b"\xff"] {
        shelf.set("n", odd).unwrap();
        assert!(matches!(add(1), Err(KvError::NotNumber)), "{odd:?}");
    }
    shelf.set("n", b"18446744073709551616").unwrap();
    assert!(matches!(add(1), Err(KvError::Overflow)));
    let swap = |expected: Option<&[u8]>, new: Option<&[u8]>| {
        let [expected, new] = [expected, new].map(|value| value.map(<[u8]>::to_vec));
        shelf.change(Change::Swap { key: "s".to_owned(), expected, new }).unwrap()
    };
    assert_eq!((swap(Some(b""), Some(b"1")), swap(None, Some(b"1")), swap(None, Some(b"2"))), (0, 1, 0));
    assert_eq!((swap(Some(b"1"), Some(b"2")), shelf.get("s")), (1, Some(b"2".to_vec())));
    assert_eq!((swap(Some(b"2"), None), shelf.get("s"), swap(None, None)), (1, None, 1));
}

#[test]
fn many_that_add_at_once_lose_nothing() {
    let shelf = Shelf::new(BOTH);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    shelf.change(Change::Increment { key: "n".to_owned(), delta: 1 }).unwrap();
                }
            });
        }
    });
    assert_eq!(shelf.get("n"), Some(b"200".to_vec()));
}

#[test]
fn keys_are_listed_page_by_page_in_the_order_they_came() {
    let shelf = Shelf::new(&["kv.read *", "kv.write *"]);
    let names: Vec<String> = (0..25).rev().map(|n| format!("k{n}")).collect();
    for name in &names {
        shelf.set(name, b"v").unwrap();
    }
    shelf.kv.change("other", pairs(&[("x", b"")]), "").unwrap().wait(soon()).unwrap();
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = shelf.kv.list("notes", cursor, 10, "").unwrap();
        // What came before the cursor and goes meanwhile is no reason to miss what follows.
        shelf.change(Change::Delete(vec![page.keys[0].clone()])).unwrap();
        found.extend(page.keys);
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, names);
    for beyond in [26, 1 << 40, (1 << 40) + 1, u64::MAX] {
        assert_eq!(shelf.kv.list("notes", Some(beyond), 10, "").unwrap(), Keys::default(), "{beyond}");
    }
    assert_eq!(shelf.kv.list("other", None, 10, "").unwrap().keys, ["x"]);
}

#[test]
fn every_operation_asks_for_its_grant() {
    let shelf = Shelf::new(&["kv.read notes"]);
    let not_granted = DenialKind::NotGranted;
    assert_denied(shelf.kv.get("other", "a", ""), not_granted);
    assert_denied(shelf.kv.exists("other", "a", ""), not_granted);
    assert_denied(shelf.kv.list("other", None, 1, ""), not_granted);
    assert_denied(shelf.set("a", b"1"), not_granted);
    assert_denied(shelf.change(Change::Delete(strings(&["a"]))), not_granted);
    let add = || shelf.change(Change::Increment { key: "n".to_owned(), delta: 1 });
    assert_denied(add(), not_granted);
    shelf.world.set.revoke(1);
    shelf.world.grant(2, "kv.write notes");
    shelf.set("n", b"1").unwrap();
    // It would tell what is there.
    assert_denied(add(), not_granted);
    assert_denied(shelf.kv.get("notes", "n", ""), not_granted);
    let records = shelf.world.audit.recent();
    let denied = |text: &str| {
        records
            .iter()
            .filter(|record| record.operation == Operation::Check && record.decision == Decision::Deny)
            .filter(|record| &*record.capability == text)
            .count()
    };
    assert_eq!((denied("kv.read other"), denied("kv.write notes"), denied("kv.read notes")), (3, 3, 2));
    for name in ["", "a b", "../x", "*", "-a", &"a".repeat(64)] {
        assert!(matches!(shelf.kv.get(name, "a", ""), Err(KvError::BadName(_))), "{name}");
    }
}

#[test]
fn a_quota_bounds_keys_and_values_exactly_also_after_the_store_was_opened_anew() {
    let shelf = Shelf::new(&["kv.read notes", "kv.write notes ; quota=20B"]);
    let exceeded = |done: Result<u64, KvError>, needed: u64| match done {
        Err(KvError::QuotaExceeded { quota_bytes: 20, needed_bytes }) => assert_eq!(needed_bytes, needed),
        other => panic!("not exceeded: {other:?}"),
    };
    shelf.set("key", b"0123456789").unwrap();
    exceeded(shelf.change(pairs(&[("a", b"12"), ("b", b"1234")])), 21);
    assert_eq!(shelf.get("a"), None);
    let shelf = shelf.reopened();
    shelf.change(pairs(&[("a", b"12"), ("b", b"123")])).unwrap();
    exceeded(shelf.set("c", b""), 21);
    exceeded(shelf.set("a", b"123"), 21);
    // A second grant that allows more counts; without it what is too much may shrink and not grow.
    shelf.world.grant(9, "kv.write * ; quota=30B");
    shelf.set("c", b"123456").unwrap();
    shelf.world.set.revoke(9);
    shelf.set("key", b"012345678").unwrap();
    exceeded(shelf.set("key", b"0123456789"), 27);
    shelf.change(Change::Delete(strings(&["key"]))).unwrap();
    shelf.set("d", b"1234").unwrap();
}

#[test]
fn concurrent_writers_never_pass_the_quota() {
    let shelf = Shelf::new(&["kv.read notes", "kv.write notes ; quota=1000B"]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let shelf = &shelf;
            scope.spawn(move || {
                (100..200).take_while(|n| shelf.set(&format!("{thread}{n}"), b"123").is_ok()).count()
            });
        }
    });
    let shelf = shelf.reopened();
    assert_eq!(shelf.kv.list("notes", None, 1_000, "").unwrap().keys.len(), 1_000 / 7);
    assert!(matches!(shelf.set("0000", b"123"), Err(KvError::QuotaExceeded { .. })));
    shelf.set("0000", b"12").unwrap();
}

#[test]
fn the_store_has_bounds_of_its_own() {
    let limits = StoreLimits {
        key_bytes_max: 4,
        value_bytes_max: 8,
        store_bytes_max: 30,
        store_pairs_max: 4,
        namespaces_max: 2,
        batch_pairs_max: 3,
        batch_bytes_max: 16,
        ..StoreLimits::default()
    };
    let shelf = Shelf::with(&["kv.read *", "kv.write *"], limits);
    let full = |done: Result<u64, KvError>, of: &str| match done {
        Err(KvError::Full(what)) => assert_eq!(what, of),
        other => panic!("not full: {other:?}"),
    };
    let elsewhere = |space: &str, change| shelf.kv.change(space, change, "")?.wait(soon());
    assert!(matches!(shelf.set("12345", b""), Err(KvError::KeyTooLong { key_bytes_max: 4 })));
    assert!(matches!(shelf.set("1", b"123456789"), Err(KvError::ValueTooLarge { value_bytes_max: 8 })));
    assert!(matches!(
        shelf.kv.get_many("notes", &strings(&["1", "2", "3", "4"]), ""),
        Err(KvError::BatchTooLarge { batch_pairs_max: 3, .. })
    ));
    let large = pairs(&[("a", b"12345678"), ("b", b"12345678")]);
    assert!(matches!(shelf.change(large), Err(KvError::BatchTooLarge { batch_bytes_max: 16, .. })));
    shelf.set("a", b"12345678").unwrap();
    shelf.set("b", b"12345678").unwrap();
    full(elsewhere("two", pairs(&[("a", b"12345678"), ("c", b"123")])), "bytes");
    elsewhere("two", pairs(&[("a", b""), ("b", b"")])).unwrap();
    full(shelf.set("c", b""), "pairs");
    shelf.change(Change::Delete(strings(&["b"]))).unwrap();
    full(elsewhere("three", pairs(&[("a", b"")])), "namespaces");
    elsewhere("two", Change::Delete(strings(&["a", "b"]))).unwrap();
    elsewhere("three", pairs(&[("a", b"")])).unwrap();
    assert_eq!(elsewhere("two", Change::Delete(strings(&["a"]))).unwrap(), 0);
}

/// Keeps the thread that writes from going on, until what this gives is dropped.
fn hold(kv: &Kv) -> mpsc::Sender<()> {
    loop {
        let (go, wait) = mpsc::channel::<()>();
        let (held, is_held) = mpsc::channel::<()>();
        let ends = std::sync::Mutex::new((held, wait));
        let mut first = kv.change("notes", pairs(&[("first", b"")]), "").unwrap();
        let polled = poll_with(&mut first, move || {
            let (held, wait) = &*ends.lock().unwrap();
            held.send(()).unwrap();
            let _ = wait.recv();
        });
        if matches!(polled, Poll::Pending) {
            is_held.recv().unwrap();
            return go;
        }
    }
}

#[test]
fn the_end_of_a_grant_cuts_what_waits_for_its_turn() {
    let shelf = Shelf::new(&["kv.read notes", "kv.write notes"]);
    let go = hold(&shelf.kv);
    let (revoked, other) = (pairs(&[("a", b"1")]), pairs(&[("b", b"1")]));
    let cut = shelf.kv.change("notes", revoked, "").unwrap();
    shelf.world.grant(3, "kv.write no*");
    shelf.world.set.revoke(2);
    assert_denied(cut.wait(soon()), DenialKind::Revoked);
    let kept = shelf.kv.change("notes", other, "").unwrap();
    drop(go);
    kept.wait(soon()).unwrap();
    assert_eq!((shelf.get("a"), shelf.get("b")), (None, Some(b"1".to_vec())));
}

#[test]
fn what_waits_is_bounded_and_who_waits_has_a_deadline() {
    let limits = StoreLimits { queued_max: 2, ..StoreLimits::default() };
    let shelf = Shelf::with(BOTH, limits);
    let go = hold(&shelf.kv);
    let begin = |key: &str| shelf.kv.change("notes", pairs(&[(key, b"1")]), "");
    assert!(matches!(begin("a").unwrap().wait(std::time::Instant::now()), Err(KvError::TimedOut)));
    let second = begin("b").unwrap();
    assert!(matches!(begin("c"), Err(KvError::Busy { queued_max: 2 })));
    drop(go);
    second.wait(soon()).unwrap();
    // Nobody waited for it any more, and it was made all the same.
    assert_eq!(shelf.get("a"), Some(b"1".to_vec()));
}

#[test]
fn a_closed_store_has_written_what_waited_and_takes_no_more() {
    let shelf = Shelf::new(BOTH);
    let waiting: Vec<_> =
        (0..100).map(|n| shelf.kv.change("notes", pairs(&[(&n.to_string(), b"v")]), "").unwrap()).collect();
    shelf.store.close();
    waiting.into_iter().for_each(|waiting| assert_eq!(waiting.wait(soon()).unwrap(), 1));
    assert!(matches!(shelf.kv.get("notes", "0", ""), Err(KvError::Closed)));
    assert!(matches!(shelf.set("a", b""), Err(KvError::Closed)));
    let shelf = shelf.reopened();
    assert_eq!(shelf.kv.list("notes", None, 1_000, "").unwrap().keys.len(), 100);
}

#[test]
fn the_log_of_commits_is_written_back_and_bounded() {
    let limits = StoreLimits { wal_bytes_max: 5 << 20, ..StoreLimits::default() };
    let shelf = Shelf::with(BOTH, limits);
    let value = vec![7; 1 << 20];
    for n in 0..40 {
        shelf.set(&format!("{}", n % 4), &value).unwrap();
        let wal = std::fs::metadata(shelf.world.path("store.db-wal")).unwrap().len();
        assert!(wal <= 8 << 20, "{wal}");
    }
}

#[test]
fn a_log_that_was_written_back_begins_anew_and_is_left_alone_while_it_is_short() {
    const LONG_BYTES: u64 = 4 << 20;
    let shelf = Shelf::new(BOTH);
    let (path, log) = (support::kv::path(&shelf.world), shelf.world.path("store.db-wal"));
    let log_bytes = || std::fs::metadata(&log).unwrap().len();
    for n in 0..4 {
        shelf.set("large", &vec![n; 1 << 20]).unwrap();
    }
    assert!(log_bytes() >= LONG_BYTES);
    // It was written back after the answer to the last one, and before the next.
    shelf.set("small", b"0").unwrap();
    let (short, written_back) = (log_bytes(), std::fs::read(&path).unwrap());
    assert!(short < 1 << 20, "{short}");
    for n in 1..9 {
        shelf.set("small", &[n]).unwrap();
    }
    assert!(log_bytes() > short);
    assert!(std::fs::read(&path).unwrap() == written_back, "no commit wrote the log back");
}

#[test]
fn bytes_of_a_change_that_is_refused_can_be_given_back() {
    let limits = StoreLimits { queued_max: 1, store_pairs_max: 2, ..StoreLimits::default() };
    let shelf = Shelf::with(&["kv.read notes", "kv.write notes ; quota=20B"], limits);
    let files = shelf.world.files.clone().with_write_bytes_max(30);
    let make = |space: &str, change: Change| {
        let written = files.count_written(change.bytes()).unwrap();
        let made = shelf.kv.change(space, change, "").and_then(|begun| begun.wait(soon()));
        if made.as_ref().is_err_and(KvError::is_refusal) {
            written.give_back();
        }
        made
    };
    let used = || files.write_bytes_used();
    assert_denied(make("other", pairs(&[("a", b"1")])), DenialKind::NotGranted);
    assert!(matches!(make("a b", pairs(&[("a", b"1")])), Err(KvError::BadName(_))));
    assert!(matches!(make("notes", pairs(&[("a", &[b'1'; 20])])), Err(KvError::QuotaExceeded { .. })));
    assert_eq!(used(), 0);
    make("notes", pairs(&[("a", b"x"), ("b", b"y")])).unwrap();
    assert!(matches!(make("notes", pairs(&[("c", b"z")])), Err(KvError::Full("pairs"))));
    let add = Change::Increment { key: "a".to_owned(), delta: 1 };
    assert!(matches!(make("notes", add), Err(KvError::NotNumber)));
    assert_eq!(used(), 4);
    assert!(matches!(files.count_written(27).err(), Some(FsError::QuotaExceeded { write_bytes_max: 30 })));
    // One that nobody waits for any more is made all the same.
    let go = hold(&shelf.kv);
    let written = files.count_written(2).unwrap();
    let left = shelf.kv.change("notes", pairs(&[("a", b"2")]), "").unwrap();
    assert!(matches!(make("notes", pairs(&[("b", b"2")])), Err(KvError::Busy { queued_max: 1 })));
    assert!(left.wait(std::time::Instant::now()).is_err_and(|late| !late.is_refusal()));
    drop(written);
    drop(go);
    assert_eq!(used(), 6);
}
