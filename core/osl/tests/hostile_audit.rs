//! Group L of the hostile cases: disks that fail, files that others move, lines that somebody changed.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use airssys_osl::{
    Anchor, Ask, Audit, AuditConfig, CapabilitySet, DenialKind, Fault, Files, FsError, Level, OnFailure,
    OnFull, Report, UNLIMITED, verify, verify_with,
};
use support::log::{LogWorld, actor};

fn deny(set: &CapabilitySet, count: u64) {
    (0..count).for_each(|_| drop(set.check(&Ask::Random, "").unwrap_err()));
}

fn unlimited(world: &LogWorld) -> AuditConfig {
    AuditConfig { denials_per_second_max: UNLIMITED, ..world.config() }
}

#[track_caller]
fn good(path: &Path) -> Report {
    let report = verify(path).unwrap();
    assert!(report.is_good(), "{}", report.bad.unwrap());
    report
}

/// The log's folder goes away and comes back: the plainest file system that fails for a while.
fn hide(world: &LogWorld) -> std::path::PathBuf {
    let folder = world.path.parent().unwrap();
    let hidden = folder.with_extension("hidden");
    fs::rename(folder, &hidden).unwrap();
    hidden
}

fn show(world: &LogWorld, hidden: &Path) {
    fs::rename(hidden, world.path.parent().unwrap()).unwrap();
}

#[test]
fn hostile_l1_fail_open_counts_what_is_lost_and_tells_it_later() {
    let world = LogWorld::new();
    let audit = world.open();
    let set = actor(&audit, "a", &["clock"]);
    audit.flush().unwrap();
    let hidden = hide(&world);
    deny(&set, 10);
    assert!(audit.flush().unwrap_err().to_string().starts_with("10 audit records were not written"));
    assert!(!audit.healthy() && set.check(&Ask::Clock, "").is_ok());
    show(&world, &hidden);
    deny(&set, 1);
    audit.flush().unwrap();
    assert!(audit.healthy());
    audit.close().unwrap();
    let lines = world.lines();
    assert_eq!((&lines[1]["operation"], &lines[1]["counts"]["lost"]), (&"lost".into(), &10.into()));
    assert_eq!((good(&world.path).records, audit.failed()), (5, 10));
}

#[test]
fn hostile_l1_fail_closed_denies_until_a_record_is_written_again() {
    let world = LogWorld::new();
    let audit = Audit::open(AuditConfig { on_failure: OnFailure::Closed, ..world.config() }).unwrap();
    let root = world.dir.path().parent().unwrap().canonicalize().unwrap();
    let set = actor(&audit, "a", &["clock", &format!("fs.list {}", root.display())]);
    set.check(&Ask::Clock, "").unwrap();
    audit.flush().unwrap();
    let hidden = hide(&world);
    deny(&set, 1);
    audit.flush().unwrap_err();
    let denial = set.check(&Ask::Clock, "").unwrap_err();
    assert_eq!(denial.kind, DenialKind::AuditUnavailable);
    assert!(denial.to_string().contains("audit log cannot be written"), "{denial}");
    let Err(FsError::Denied(denial)) = Files::new(set.clone()).list(root.to_str().unwrap(), "") else {
        panic!("a listing that cannot be recorded")
    };
    assert_eq!(denial.kind, DenialKind::AuditUnavailable);
    show(&world, &hidden);
    deny(&set, 1);
    let _ = audit.flush();
    assert!(set.check(&Ask::Clock, "").is_ok());
}

#[test]
#[ignore = "needs root: it mounts a file system of 1 MiB"]
fn hostile_l1_a_disk_that_is_full_and_has_room_again() {
    let world = LogWorld::new();
    let mount = |program: &str, arguments: &[&str]| {
        assert!(Command::new(program).args(arguments).arg(world.dir.path()).status().unwrap().success());
    };
    mount("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs"]);
    let audit = Audit::open(unlimited(&world)).unwrap();
    let set = CapabilitySet::new("a", audit.clone());
    let filler = world.dir.path().join("filler");
    fs::write(&filler, vec![0; 500_000]).unwrap();
    deny(&set, 10_000);
    assert!(audit.flush().unwrap_err().to_string().contains("No space left"));
    fs::remove_file(&filler).unwrap();
    deny(&set, 100);
    audit.close().unwrap();
    let report = good(&world.path);
    let lines = fs::read_to_string(&world.path).unwrap();
    let denials = lines.lines().filter(|line| line.contains("\"deny\"") && line.ends_with('}'));
    let denials = denials.count() as u64;
    assert_eq!((denials + audit.failed(), report.torn_lines <= 1), (10_100, true));
    mount("umount", &["-l"]);
}

#[test]
fn hostile_l1_a_full_queue_that_counts_says_how_many() {
    let world = LogWorld::new();
    let config = AuditConfig { on_full: OnFull::Count, queue_records_max: 1, ..unlimited(&world) };
    let audit = Audit::open(config).unwrap();
    deny(&CapabilitySet::new("a", audit.clone()), 5_000);
    let _ = audit.close();
    let lines = world.lines();
    let lost: u64 = lines.iter().filter_map(|line| line["counts"]["lost"].as_u64()).sum();
    let denials = lines.iter().filter(|line| line["decision"] == "deny").count() as u64;
    assert_eq!((lost, denials + lost), (audit.failed(), 5_000));
    good(&world.path);
}

#[test]
fn hostile_l2_rotation_by_size_keeps_the_chain() {
    let world = LogWorld::new();
    let config = AuditConfig { rotate_bytes_max: 20_000, rotate_files_max: 3, ..unlimited(&world) };
    let audit = Audit::open(config.clone()).unwrap();
    deny(&CapabilitySet::new("a", audit.clone()), 300);
    audit.close().unwrap();
    drop(audit);
    let report = good(&world.path);
    assert!(report.files.len() == 4 && report.first_seq > 1 && report.last_seq > 300, "{report:?}");
    for file in &report.files {
        assert!(fs::metadata(file).unwrap().len() <= 20_000);
    }
    // A run that ends between the renaming and the next line.
    fs::rename(&world.path, world.dir.path().join("audit.jsonl.0")).unwrap();
    fs::remove_file(world.dir.path().join("audit.jsonl.0")).unwrap();
    let before = fs::read_to_string(world.dir.path().join("audit.jsonl.1")).unwrap();
    let last: serde_json::Value = serde_json::from_str(before.lines().last().unwrap()).unwrap();
    fs::remove_file(world.dir.path().join("audit.jsonl.anchors")).unwrap();
    deny(&CapabilitySet::new("a", Audit::open(config).unwrap()), 1);
    let first = &world.lines()[0];
    assert_eq!((&first["operation"], &first["prev"]), (&"rotate".into(), &last["hash"]));
    good(&world.path);
}

#[test]
fn hostile_l2_a_file_that_others_rename_remove_or_empty() {
    let world = LogWorld::new();
    let audit = Audit::open(unlimited(&world)).unwrap();
    let set = CapabilitySet::new("a", audit.clone());
    let old = world.dir.path().join("audit.jsonl.1");
    deny(&set, 3);
    audit.flush().unwrap();
    fs::rename(&world.path, &old).unwrap();
    deny(&set, 3);
    audit.flush().unwrap();
    assert_eq!((good(&world.path).records, world.lines().len()), (7, 4));
    fs::copy(&world.path, &old).unwrap();
    fs::OpenOptions::new().write(true).truncate(true).open(&world.path).unwrap();
    deny(&set, 3);
    audit.flush().unwrap();
    assert_eq!((good(&world.path).records, world.lines().len()), (8, 4));
    fs::remove_file(&world.path).unwrap();
    fs::remove_file(&old).unwrap();
    deny(&set, 3);
    audit.flush().unwrap();
    let report = good(&world.path);
    assert_eq!((report.records, report.first_seq, audit.failed()), (4, 12, 0));
}

#[test]
fn hostile_l2_no_line_is_lost_or_torn_while_others_rename() {
    let world = LogWorld::new();
    let audit = Audit::open(AuditConfig { anchor_records_max: 1 << 40, ..unlimited(&world) }).unwrap();
    let sets = ["a", "b"].map(|name| CapabilitySet::new(name, audit.clone()));
    std::thread::scope(|scope| {
        sets.iter().for_each(|set| drop(scope.spawn(|| deny(set, 5_000))));
        for number in (1..=20).rev() {
            while fs::metadata(&world.path).map_or(0, |found| found.len()) == 0 {
                std::thread::yield_now();
                deny(&sets[0], 1);
            }
            fs::rename(&world.path, world.dir.path().join(format!("audit.jsonl.{number}"))).unwrap();
            deny(&sets[1], 1);
            audit.flush().unwrap();
        }
    });
    audit.close().unwrap();
    let report = good(&world.path);
    assert_eq!((report.torn_lines, report.partial_tail, audit.failed()), (0, false, 0));
    let text: String = report.files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let denials = text.lines().filter(|line| line.contains("\"deny\"")).count();
    assert!(denials >= 10_020, "{denials}");
}

#[test]
fn hostile_l4_secrets_are_not_in_the_log() {
    let world = LogWorld::new();
    let audit = Audit::open(AuditConfig { level: Level::All, ..world.config() }).unwrap();
    let set = actor(&audit, "a", &["clock"]);
    let guard = set.check(&Ask::Clock, "").unwrap();
    for (capability, outcome) in [
        ("http GET https://u:hunter2@a.example/", "401 for Authorization: Bearer hunter2"),
        ("process.run /bin/x --password hunter2", "x: no such user (token=hunter2)"),
        (r#"process.run /bin/x --api-key "hunter2 hunter2" -v"#, "postgres://me:hunter2@db/x is down"),
        ("env HOME=hunter2", "PASSWORD=hunter2 is odd"),
        (r#"http GET "https\u003a//u\u003ahunter2@a.example/ x""#, r#"{"secret":"hunter2 hunter2"}"#),
    ] {
        set.begin("connect", &guard, capability, "f").finish(Err(outcome));
    }
    let url = "https://u:hunter2@a.example/?key=hunter2".to_owned();
    set.check(&Ask::Http { method: "GET".into(), url }, "").unwrap_err();
    audit.close().unwrap();
    let text = fs::read_to_string(&world.path).unwrap();
    assert!(!text.contains("hunter2") && text.contains("***"), "{text}");
}

/// A log of a grant, 20 denials and anchors after each 5 records.
fn written() -> LogWorld {
    let world = LogWorld::new();
    let audit = Audit::open(AuditConfig { anchor_records_max: 5, ..world.config() }).unwrap();
    let set = actor(&audit, "a", &["clock"]);
    for _ in 0..20 {
        deny(&set, 1);
        audit.flush().unwrap();
    }
    audit.close().unwrap();
    world
}

#[test]
fn hostile_l5_the_first_bad_line_is_found() {
    type Change = fn(&mut Vec<String>);
    let table: [(&str, Change, u64, Fault); 9] = [
        ("edit", |lines| lines[6] = lines[6].replace("random", "clock"), 7, Fault::Changed),
        (
            "edit a hash",
            |lines| lines[6] = lines[6].replace("\"hash\":\"", "\"hash\":\"0"),
            7,
            Fault::Changed,
        ),
        ("remove", |lines| drop(lines.remove(6)), 7, Fault::OutOfPlace),
        ("swap", |lines| lines.swap(6, 7), 7, Fault::OutOfPlace),
        ("double", |lines| lines.insert(6, lines[6].clone()), 8, Fault::OutOfPlace),
        ("add", |lines| lines.insert(6, "{}".into()), 7, Fault::NoRecord),
        ("garbage", |lines| lines[6] = "x".into(), 7, Fault::NoRecord),
        ("behead", |lines| drop(lines.drain(..6)), 1, Fault::NoBeginning),
        ("cut the end off", |lines| lines.truncate(20), 21, Fault::CutOff { anchor_seq: 26 }),
    ];
    for (what, change, line, fault) in table {
        let world = written();
        assert_eq!(good(&world.path).anchors, 5);
        let text = fs::read_to_string(&world.path).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 26);
        change(&mut lines);
        fs::write(&world.path, lines.join("\n") + "\n").unwrap();
        let bad = verify(&world.path).unwrap().bad.expect(what);
        assert_eq!((bad.line, bad.fault.clone()), (line, fault), "{what}: {bad}");
        assert!(bad.to_string().starts_with(&format!("{}:{line}: ", world.path.display())));
    }
}

#[test]
fn hostile_l5_a_log_made_anew_differs_from_an_anchor_kept_elsewhere() {
    let world = LogWorld::new();
    let kept: Arc<Mutex<Vec<Anchor>>> = Arc::default();
    let keep = kept.clone();
    let config = AuditConfig {
        on_anchor: Some(Arc::new(move |anchor: &Anchor| keep.lock().unwrap().push(anchor.clone()))),
        ..world.config()
    };
    deny(&CapabilitySet::new("a", Audit::open(config).unwrap()), 3);
    let kept: Vec<_> = kept.lock().unwrap().iter().map(|anchor| (anchor.seq, anchor.hash.clone())).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(verify_with(&world.path, &kept).unwrap().anchors, 2);
    fs::remove_file(&world.path).unwrap();
    fs::remove_file(world.dir.path().join("audit.jsonl.anchors")).unwrap();
    deny(&CapabilitySet::new("b", world.open()), 3);
    assert!(good(&world.path).records == 4);
    let bad = verify_with(&world.path, &kept).unwrap().bad.unwrap();
    assert_eq!((bad.line, bad.fault), (4, Fault::NotAnchored));
}

#[test]
fn hostile_l5_the_end_of_a_run_that_was_cut_off_is_found_after_the_next_run() {
    let world = written();
    let text = fs::read_to_string(&world.path).unwrap();
    let kept: Vec<&str> = text.lines().take(18).collect();
    fs::write(&world.path, kept.join("\n") + "\n").unwrap();
    deny(&CapabilitySet::new("a", world.open()), 20);
    let bad = verify(&world.path).unwrap().bad.unwrap();
    assert_eq!((bad.line, bad.fault), (24, Fault::NotAnchored));
}

#[test]
fn hostile_l6_a_run_that_ends_at_any_byte_of_a_line_is_told_and_gone_on_from() {
    let world = LogWorld::new();
    let run = || deny(&CapabilitySet::new("a", world.open()), 1);
    run();
    let first = fs::read(&world.path).unwrap();
    run();
    let whole = fs::read(&world.path).unwrap();
    let second = first.len() + whole[first.len()..].iter().position(|byte| *byte == b'\n').unwrap();
    for (start, end, step) in [(0, first.len(), 37), (first.len(), second, 1)] {
        for cut in (start..=end).step_by(step) {
            let _ = fs::remove_file(world.dir.path().join("audit.jsonl.anchors"));
            fs::write(&world.path, &whole[..cut]).unwrap();
            let cut_text = &whole[..cut];
            let before = good(&world.path);
            let line = cut_text.rsplit(|byte| *byte == b'\n').next().unwrap();
            let part = !line.is_empty() && serde_json::from_slice::<serde_json::Value>(line).is_err();
            assert_eq!(before.partial_tail, part, "{cut}");
            run();
            let after = good(&world.path);
            assert_eq!((after.torn_lines, after.partial_tail), (u64::from(part), false), "{cut}");
            assert_eq!(after.records, before.records + 2 + u64::from(part), "{cut}");
        }
    }
}

#[test]
fn hostile_l5_l6_only_a_part_of_the_next_record_may_stand_at_the_end() {
    let world = written();
    let text = fs::read_to_string(&world.path).unwrap();
    let whole: String = text.lines().take(25).map(|line| format!("{line}\n")).collect();
    let last = text.lines().nth(25).unwrap();
    let part = &last[..last.len() / 2];
    let other = part.replacen("\"seq\":26", "\"seq\":27", 1);
    let table = [
        (part.to_owned(), None),
        // A process that went on after another which was killed, and was killed as well.
        (format!("{part}\n{}", &part[..90]), None),
        (format!("{part}\n"), None),
        (format!("garbage\n{part}"), Some(26)),
        (format!("{part}\ngarbage\n{part}"), Some(27)),
        ("garbage".to_owned(), Some(26)),
        ("{\"version\":1,\"seq\":26,\"time\":7".to_owned(), Some(26)),
        (other, Some(26)),
        ("\n".to_owned(), Some(26)),
    ];
    fs::remove_file(world.dir.path().join("audit.jsonl.anchors")).unwrap();
    for (end, bad) in table {
        fs::write(&world.path, format!("{whole}{end}")).unwrap();
        let report = verify(&world.path).unwrap();
        assert_eq!(report.bad.as_ref().map(|bad| bad.line), bad, "{end}");
        assert_eq!((report.partial_tail, report.records), (bad.is_none(), 25), "{end}");
    }
}

/// Not a test of its own: the run of which others end the process.
#[test]
#[ignore = "started by others, and never ends"]
fn endless_run() {
    let Ok(path) = std::env::var("AIRSSYS_AUDIT") else { return };
    let config = AuditConfig {
        denials_per_second_max: UNLIMITED,
        rotate_bytes_max: 50_000,
        rotate_files_max: 1_000,
        anchor_records_max: 100,
        path: Some(path.into()),
        ..AuditConfig::default()
    };
    let audit = Audit::open(config).unwrap();
    let set = CapabilitySet::new("a", audit.clone());
    for count in 1.. {
        set.check(&Ask::Env(format!("{}-{count}", std::process::id())), "").unwrap_err();
        if count % 50 == 0 {
            audit.flush().unwrap();
            println!("\nflushed {}-{count}", std::process::id());
        }
    }
}

fn start_endless_run(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "endless_run", "--ignored", "--nocapture"])
        .env("AIRSSYS_AUDIT", path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn hostile_l6_l7_processes_that_are_killed_leave_all_they_flushed_and_a_free_log() {
    let world = LogWorld::new();
    let mut flushed = Vec::new();
    for round in 1..=8 {
        let mut child = start_endless_run(&world.path);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut told = lines.filter_map(|line| line.strip_prefix("flushed ").map(str::to_owned));
        flushed.extend(told.by_ref().take(round * 3));
        let refused = Audit::open(world.config()).err().unwrap().to_string();
        assert!(refused.contains("another audit writes to this file"), "{refused}");
        child.kill().unwrap();
        child.wait().unwrap();
        good(&world.path);
    }
    // The next record is what ends a line that the last kill has cut.
    let audit = world.open();
    deny(&CapabilitySet::new("a", audit.clone()), 1);
    audit.close().unwrap();
    let report = good(&world.path);
    assert!(!report.partial_tail && report.files.len() > 1, "{report:?}");
    let text: String = report.files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    for name in flushed {
        assert_eq!(text.matches(&format!("env {name}\"")).count(), 1, "{name}");
    }
}

#[test]
fn hostile_l7_a_second_audit_on_one_file_is_refused() {
    let world = LogWorld::new();
    let first = world.open();
    let error = Audit::open(world.config()).err().unwrap();
    assert_eq!(error.to_string(), "another audit writes to this file: give each its own");
    drop(first);
    world.open();
}

#[test]
fn the_file_of_anchors_starts_again_when_it_is_long() {
    let world = LogWorld::new();
    let anchors = world.dir.path().join("audit.jsonl.anchors");
    fs::write(&anchors, vec![b'\n'; 1 << 20]).unwrap();
    deny(&CapabilitySet::new("a", world.open()), 1);
    assert_eq!(fs::read_to_string(&anchors).unwrap().lines().count(), 1);
    assert_eq!(good(&world.path).anchors, 1);
}

#[test]
fn no_grant_reaches_any_file_of_the_log() {
    let world = LogWorld::new();
    let config = AuditConfig {
        rotate_bytes_max: 1_000,
        rotate_files_max: 2,
        level: Level::All,
        anchor_records_max: 2,
        ..unlimited(&world)
    };
    let audit = Audit::open(config).unwrap();
    let root = world.dir.path().canonicalize().unwrap();
    let set = actor(&audit, "a", &[&format!("fs.read {}/**", root.display())]);
    for _ in 0..20 {
        deny(&set, 1);
        audit.flush().unwrap();
    }
    let files = Files::new(set);
    for name in ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2", "audit.jsonl.anchors"] {
        let path = root.join(name);
        // The record of the last round may rename them.
        audit.flush().unwrap();
        let opened = files.open(path.to_str().unwrap(), "");
        assert!(matches!(opened, Err(FsError::Denied(_))), "{name}: {opened:?}");
    }
}

#[test]
fn hostile_d10_what_is_no_regular_file_is_not_verified() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    for path in [pipe.as_path(), dir.path()] {
        let refused = verify(path).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput, "{}", path.display());
    }
}

#[test]
fn a_summary_may_be_asked_for_more_often_than_the_writer_looks() {
    let world = LogWorld::new();
    let config = AuditConfig { summary_interval: std::time::Duration::from_nanos(1), ..world.config() };
    let audit = Audit::open(config).unwrap();
    deny(&actor(&audit, "a", &[]), 3);
    audit.close().unwrap();
    assert!(good(&world.path).records >= 3);
}
