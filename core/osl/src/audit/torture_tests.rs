//! The n-th touch of the disk fails, for every n; and after each of them the log says the truth.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};

use super::disk::fault;
use super::queue::Taken;
use super::*;

const ROUNDS: u64 = 8;
const RECORDS_A_ROUND: u64 = 3;

fn config(path: &Path) -> AuditConfig {
    AuditConfig {
        path: Some(path.to_owned()),
        rotate_bytes_max: 2_500,
        rotate_files_max: 1_000,
        anchor_records_max: 5,
        clock: Clock::new(|| Moment { wall: UNIX_EPOCH, monotonic_ns: 0 }),
        summary_interval: Duration::MAX,
        ..AuditConfig::default()
    }
}

/// What happened to the records of some runs.
#[derive(Default)]
struct Account {
    offered: u64,
    failed: u64,
    /// Lost, and told by no record yet.
    untold: u64,
    counted: u64,
}

/// One run of the writer; nothing when it could not even open the log.
fn run(path: &Path, account: &mut Account) -> bool {
    let Ok((mut writer, _)) = Audit::writer(config(path)) else { return false };
    let actor: Arc<str> = "default/a/0".into();
    let subject = Subject::Allowed { grant: 1, rule: "clock".into() };
    let tally = Tally::new(actor.clone(), subject);
    for _ in 0..ROUNDS {
        let mut batch: VecDeque<Record> = (0..RECORDS_A_ROUND)
            .map(|_| {
                account.offered += 1;
                let text = format!("fs.read /{}", account.offered);
                Record::new(writer.config.clock.now(), &actor, Operation::Check, text.into(), Decision::Deny)
            })
            .collect();
        tally.add(&writer.shared.book);
        writer.round(&mut batch, &Taken { nudges: 1, left_out: 0 }, |_| {});
    }
    writer.end();
    account.failed += writer.shared.failed.load(Ordering::Relaxed);
    account.untold += writer.state.lost();
    let uncounted = writer.shared.book.collect(writer.config.clock.now()).0;
    account.counted += ROUNDS - uncounted.iter().map(|record| record.counts["allowed"]).sum::<u64>();
    true
}

/// The lines of all files that are records.
fn lines(path: &Path) -> Vec<serde_json::Value> {
    let files: Vec<PathBuf> = verify(path).unwrap().files;
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    texts
        .flat_map(|text| text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect::<Vec<_>>())
        .collect()
}

#[track_caller]
fn assert_true(path: &Path, account: &Account, which: &str) {
    let report = verify(path).unwrap();
    assert_eq!(report.bad, None, "{which}: {report:?}");
    let mut counts = BTreeMap::<String, u64>::new();
    let mut numbers = Vec::new();
    for line in lines(path) {
        if line["operation"] == "check" {
            let text = line["capability"].as_str().unwrap();
            numbers.push(text.strip_prefix("fs.read /").unwrap().parse::<u64>().unwrap());
        }
        for key in ["lost", "allowed"] {
            *counts.entry(key.to_owned()).or_default() += line["counts"][key].as_u64().unwrap_or(0);
        }
    }
    assert!(numbers.is_sorted_by(|a, b| a < b), "{which}: {numbers:?}");
    assert_eq!(numbers.len() as u64 + account.failed, account.offered, "{which}");
    assert_eq!(counts["lost"] + account.untold, account.failed, "{which}");
    assert_eq!(counts["allowed"], account.counted, "{which}");
}

/// The log after two runs, of which the given touches of the second fail, and a third without failure.
fn torture(failing: std::ops::Range<u64>) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    let mut account = Account::default();
    fault::plan(0..0);
    assert!(run(&path, &mut account));
    let which = format!("{failing:?}");
    fault::plan(failing);
    run(&path, &mut account);
    let touches = fault::touches();
    fault::plan(0..0);
    assert_true(&path, &account, &which);
    assert!(run(&path, &mut account));
    assert_true(&path, &account, &format!("{which}, and again"));
    touches
}

#[test]
fn hostile_n4_whichever_touch_of_the_disk_fails_the_log_tells_the_truth() {
    let touches = torture(0..0);
    assert!(touches > 100, "{touches}");
    for n in 0..touches {
        torture(n..n + 1);
    }
}

#[test]
fn hostile_n4_a_disk_that_fails_for_a_while_or_for_good() {
    let touches = torture(0..0);
    for n in 0..touches {
        torture(n..[n + 2, n + 7, u64::MAX][n as usize % 3]);
    }
}

#[test]
fn a_batch_is_done_with_part_by_part_and_the_last_part_after_what_is_due() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    let config = AuditConfig { rotate_bytes_max: UNLIMITED, ..config(&path) };
    let (mut writer, _) = Audit::writer(config).unwrap();
    let record = Record::own(writer.config.clock.now(), Operation::Check, &[]);
    let mut batch = VecDeque::from(vec![record; 2_500]);
    let written = || lines(&path).len() as u64;
    let finished = std::cell::RefCell::new(Vec::new());
    let taken = Taken { nudges: 1, left_out: 0 };
    writer.round(&mut batch, &taken, |count| finished.borrow_mut().push((count, written())));
    // The nudge counts as one, and an anchor was due.
    assert_eq!(*finished.borrow(), [(1_024, 1_024), (1_024, 2_048), (453, 2_501)]);
    assert!(batch.is_empty());
}
