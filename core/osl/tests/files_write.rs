//! What the writing file system does when nobody is hostile.

mod support;

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airssys_osl::{Decision, Exhausted, FsError, Kind, OpenOptions, Operation, Phase, Record, SetTime};
use support::World;

const ALL: &[&str] = &["fs.read {}/**", "fs.write {}/**", "fs.list {}/**", "fs.delete {}/**"];
const WRITE: OpenOptions = OpenOptions { read: false, write: true, ..OpenOptions::READ };
const APPEND: OpenOptions = OpenOptions { read: false, append: true, ..OpenOptions::READ };
const BOTH: OpenOptions = OpenOptions { write: true, ..OpenOptions::READ };

#[test]
fn writes_at_offsets_and_at_the_end() {
    let world = World::new(ALL);
    let path = world.path("f");
    let file = world.files.open_with(&path, OpenOptions { create: true, ..BOTH }, "").unwrap();
    assert_eq!(file.write_at(b"0123456789", 0).unwrap(), 10);
    assert_eq!(file.write_at(b"ab", 4).unwrap(), 2);
    assert_eq!(file.append(b"!").unwrap(), 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), "0123ab6789!");
    let mut buf = [0; 3];
    assert_eq!((file.read_at(&mut buf, 3).unwrap(), &buf), (3, b"3ab"));
    file.set_len(3).unwrap();
    file.append(b"x").unwrap();
    file.sync_data().unwrap();
    file.sync_all().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "012x");
    file.set_len(6).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"012x\0\0");
    assert_eq!(file.metadata().unwrap().size, 6);
    assert!(matches!(file.write_at(b"xx", u64::MAX), Err(FsError::Io(_))));
}

#[test]
fn a_handle_does_what_it_was_opened_for() {
    let world = World::new(ALL);
    let path = world.write("f", "abc");
    let reading = world.files.open(&path, "").unwrap();
    assert!(matches!(reading.write_at(b"x", 0), Err(FsError::NotOpenFor(_))));
    assert!(matches!(reading.append(b"x"), Err(FsError::NotOpenFor(_))));
    assert!(matches!(reading.set_len(0), Err(FsError::NotOpenFor(_))));
    assert!(matches!(reading.set_times(SetTime::Now, SetTime::Now), Err(FsError::NotOpenFor(_))));
    let writing = world.files.open_with(&path, WRITE, "").unwrap();
    assert!(matches!(writing.read_at(&mut [0], 0), Err(FsError::NotOpenFor(_))));
    let appending = world.files.open_with(&path, APPEND, "").unwrap();
    assert!(matches!(appending.write_at(b"x", 0), Err(FsError::NotOpenFor(_))));
    writing.set_len(1).unwrap();
    appending.append(b"z").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "az");
}

#[test]
fn options_mean_what_they_mean_elsewhere() {
    let world = World::new(ALL);
    let (path, none) = (world.write("f", "abc"), world.path("none"));
    let open = |path: &str, options| world.files.open_with(path, options, "");
    assert!(matches!(open(&none, WRITE), Err(FsError::NotFound)));
    assert!(matches!(open(&none, APPEND), Err(FsError::NotFound)));
    let new = OpenOptions { create_new: true, ..WRITE };
    assert!(matches!(open(&path, new), Err(FsError::AlreadyExists)));
    assert!(matches!(open(&world.path(""), new), Err(FsError::IsDirectory)));
    assert!(matches!(open(&world.path(""), WRITE), Err(FsError::IsDirectory)));
    open(&none, new).unwrap();
    assert!(matches!(open(&none, new), Err(FsError::AlreadyExists)));
    open(&path, OpenOptions { create: true, ..WRITE }).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "abc");
    open(&path, OpenOptions { truncate: true, ..WRITE }).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
    for options in [
        OpenOptions::default(),
        OpenOptions { append: true, ..WRITE },
        OpenOptions { truncate: true, ..APPEND },
        OpenOptions { truncate: true, ..OpenOptions::READ },
        OpenOptions { create: true, ..OpenOptions::READ },
        OpenOptions { create_new: true, ..OpenOptions::READ },
    ] {
        assert!(matches!(open(&path, options), Err(FsError::InvalidOptions(_))), "{options:?}");
    }
}

#[test]
fn whole_files_are_read_and_written_within_bounds() {
    let world = World::new(ALL);
    let path = world.path("f");
    let content: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
    world.files.write_all(&path, &content, "").unwrap();
    assert_eq!(world.files.read_all(&path, 300_000, "").unwrap(), content);
    assert!(matches!(
        world.files.read_all(&path, 299_999, ""),
        Err(FsError::TooLarge { bytes_max: 299_999 })
    ));
    world.files.write_all(&path, b"short", "").unwrap();
    assert_eq!(world.files.read_all(&path, 5, "").unwrap(), b"short");
    world.files.write_all(&path, b"", "").unwrap();
    assert_eq!(world.files.read_all(&path, 0, "").unwrap(), b"");
    world.grant(9, "fs.read /proc/version");
    assert!(!world.files.read_all("/proc/version", 4_096, "").unwrap().is_empty());
    assert!(matches!(world.files.read_all("/proc/version", 4, ""), Err(FsError::TooLarge { .. })));
}

#[test]
fn directories_are_made_and_removed() {
    let world = World::new(ALL);
    let files = &world.files;
    files.create_directory(&world.path("d"), "").unwrap();
    files.create_directory(&world.path("d/e/"), "").unwrap();
    assert!(matches!(files.create_directory(&world.path("d"), ""), Err(FsError::AlreadyExists)));
    assert!(matches!(files.create_directory(&world.path(""), ""), Err(FsError::AlreadyExists)));
    assert!(matches!(files.create_directory(&world.path("no/e"), ""), Err(FsError::NotFound)));
    assert!(matches!(files.remove_directory(&world.path("d"), ""), Err(FsError::NotEmpty)));
    assert!(matches!(files.remove_file(&world.path("d/e"), ""), Err(FsError::IsDirectory)));
    let file = world.write("d/f", "");
    assert!(matches!(files.create_directory(&file, ""), Err(FsError::AlreadyExists)));
    assert!(matches!(files.create_directory(&world.path("d/f/g"), ""), Err(FsError::NotDirectory)));
    assert!(matches!(files.remove_directory(&file, ""), Err(FsError::NotDirectory)));
    assert!(matches!(files.remove_file(&format!("{file}/"), ""), Err(FsError::NotDirectory)));
    files.remove_file(&file, "").unwrap();
    assert!(matches!(files.remove_file(&file, ""), Err(FsError::NotFound)));
    files.remove_directory(&world.path("d/e/"), "").unwrap();
    files.remove_directory(&world.path("d"), "").unwrap();
    assert!(matches!(files.remove_directory(&world.path("d"), ""), Err(FsError::NotFound)));
    assert_eq!(world.snapshot(), []);
}

#[test]
fn a_grant_of_one_name_removes_it() {
    let world = World::empty();
    world.write("f", "");
    fs::create_dir(world.path("d")).unwrap();
    world.grant(1, "fs.delete {}/f");
    world.grant(2, "fs.delete {}/d");
    world.files.remove_file(&world.path("f"), "").unwrap();
    world.files.remove_directory(&world.path("d"), "").unwrap();
    assert_eq!(world.snapshot(), []);
}

#[test]
fn a_directory_of_a_later_grant_is_made_under_it() {
    let world = World::new(&["fs.write {}/job/**"]);
    world.files.create_directory(&world.path("job"), "").unwrap();
    world.files.write_all(&world.path("job/f"), b"x", "").unwrap();
    world.assert_refused(|files| files.create_directory(&world.path("other"), ""));
}

#[test]
fn renaming_moves_and_replaces() {
    let world = World::new(ALL);
    let rename = |from: &str, to: &str| world.files.rename(&world.path(from), &world.path(to), "");
    world.write("a", "a");
    world.write("b", "b");
    world.write("d/f", "f");
    fs::create_dir(world.path("empty")).unwrap();
    rename("a", "b").unwrap();
    assert_eq!(fs::read_to_string(world.path("b")).unwrap(), "a");
    assert!(matches!(rename("a", "c"), Err(FsError::NotFound)));
    assert!(matches!(rename("b", "no/c"), Err(FsError::NotFound)));
    assert!(matches!(rename("b", "empty"), Err(FsError::IsDirectory)));
    assert!(matches!(rename("empty", "b"), Err(FsError::NotDirectory)));
    assert!(matches!(rename("empty", "d"), Err(FsError::NotEmpty)));
    assert!(matches!(rename("b/", "c"), Err(FsError::NotDirectory)));
    assert!(matches!(rename("b", "c/"), Err(FsError::NotDirectory)));
    assert!(matches!(rename("d", "d/e"), Err(FsError::Io(_))));
    rename("d", "empty").unwrap();
    rename("empty/", "moved/").unwrap();
    assert_eq!(fs::read_to_string(world.path("moved/f")).unwrap(), "f");
}

#[test]
fn copies_are_the_same_and_stop_at_themselves() {
    let world = World::new(ALL);
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 7) as u8).collect();
    fs::write(world.path("a"), &content).unwrap();
    let copy = |from: &str, to: &str| world.files.copy(&world.path(from), &world.path(to), "");
    assert_eq!(copy("a", "b").unwrap(), 3_000_000);
    assert_eq!(fs::read(world.path("b")).unwrap(), content);
    world.write("short", "s");
    assert_eq!(copy("short", "b").unwrap(), 1);
    assert_eq!(fs::read_to_string(world.path("b")).unwrap(), "s");
    world.write("none", "");
    assert_eq!(copy("none", "b").unwrap(), 0);
    assert!(matches!(copy("a", "a"), Err(FsError::SameFile)));
    world.link("a", "link");
    assert!(matches!(copy("a", "link"), Err(FsError::SameFile)));
    assert_eq!(fs::read(world.path("a")).unwrap(), content);
    assert!(matches!(copy("no", "c"), Err(FsError::NotFound)));
    assert!(!fs::exists(world.path("c")).unwrap());
    // The system does not copy a file that says it has no bytes.
    world.grant(9, "fs.read /proc/version");
    let version = fs::read("/proc/version").unwrap();
    assert_eq!(world.files.copy("/proc/version", &world.path("v"), "").unwrap(), version.len() as u64);
    assert_eq!(fs::read(world.path("v")).unwrap(), version);
}

#[test]
fn times_are_set_by_path_and_by_handle() {
    let world = World::new(ALL);
    let path = world.write("d/f", "x");
    let at = UNIX_EPOCH + Duration::new(1_000_000, 5_000);
    world.files.set_times(&path, SetTime::To(at), SetTime::To(at), "").unwrap();
    let times = |path: &str| {
        let metadata = fs::metadata(path).unwrap();
        (metadata.accessed().unwrap(), metadata.modified().unwrap())
    };
    assert_eq!(times(&path), (at, at));
    let before: SystemTime = UNIX_EPOCH - Duration::new(1_000, 1_000);
    world.files.set_times(&path, SetTime::Keep, SetTime::To(before), "").unwrap();
    assert_eq!(times(&path), (at, before));
    let file = world.files.open_with(&path, WRITE, "").unwrap();
    file.set_times(SetTime::To(before), SetTime::To(at)).unwrap();
    assert_eq!(times(&path), (before, at));
    file.set_times(SetTime::Keep, SetTime::Now).unwrap();
    assert!(times(&path).1 > at);
    world.files.set_times(&world.path("d"), SetTime::Keep, SetTime::To(at), "").unwrap();
    assert_eq!(times(&world.path("d")).1, at);
}

#[test]
fn times_of_a_file_that_was_opened_to_be_read_are_set_where_it_may_be_written() {
    let world = World::new(&["fs.read {}/**", "fs.write {}/w/*"]);
    let (written, read) = (world.write("w/f", "x"), world.write("r/f", "x"));
    let now = (SetTime::Keep, SetTime::To(UNIX_EPOCH));
    let set = |path: &str| {
        let file = world.files.open(path, "").unwrap();
        world.files.set_times_opened(&file, path, now, "")
    };
    set(&written).unwrap();
    assert_eq!(fs::metadata(&written).unwrap().modified().unwrap(), UNIX_EPOCH);
    assert!(matches!(set(&read), Err(FsError::Denied(_))));
    let file = world.files.open(&written, "").unwrap();
    fs::rename(&written, world.path("w/g")).unwrap();
    let other = world.write("w/f", "y");
    assert!(matches!(world.files.set_times_opened(&file, &other, now, ""), Err(FsError::NotFound)));
}

#[test]
fn each_need_is_recorded_once() {
    let world = World::new(ALL);
    let (a, b) = (world.write("a", "a"), world.path("b"));
    let records = |run: &dyn Fn()| {
        let before = world.checks().len();
        run();
        let checks = world.checks();
        assert!(checks[before..].iter().all(|record| record.decision == Decision::Allow));
        checks[before..].iter().map(|record| record.capability.to_string()).collect::<Vec<_>>()
    };
    let (read, write) = (format!("fs.read {a}"), format!("fs.write {a}"));
    let file = std::cell::OnceCell::new();
    assert_eq!(
        records(&|| drop(file.set(world.files.open_with(&a, BOTH, "").unwrap()))),
        [write.clone(), read.clone()]
    );
    let file = file.into_inner().unwrap();
    assert_eq!(records(&|| drop(file.write_at(b"x", 0))), [""; 0]);
    let open: Vec<u64> = world.set.grants().iter().map(|grant| grant.open).collect();
    assert_eq!(open, [1, 1, 0, 0]);
    assert_eq!(records(&|| drop(world.files.copy(&a, &b, ""))), [read.clone(), format!("fs.write {b}")]);
    assert_eq!(
        records(&|| world.files.rename(&a, &b, "").unwrap()),
        // What it does begins first; what it needs besides is told when it has ended.
        [format!("fs.write {b}"), read, format!("fs.delete {a}")]
    );
    assert_eq!(records(&|| world.files.remove_file(&b, "").unwrap()), [format!("fs.delete {b}")]);
    assert_eq!(records(&|| drop(world.files.remove_file(&b, ""))), [format!("fs.delete {b}")]);
}

#[test]
fn what_is_done_to_the_disk_has_a_record_of_its_start_and_one_of_its_result() {
    let world = World::new(ALL);
    let (a, d) = (world.path("a"), world.path("d"));
    fs::create_dir(&d).unwrap();
    let done = |run: &dyn Fn()| {
        let before = world.audit.recent().len();
        run();
        let of_disk = |record: &Record| matches!(record.operation, Operation::Os(_));
        let records: Vec<Record> = world.audit.recent().into_iter().skip(before).filter(of_disk).collect();
        let [start, result] = &records[..] else { panic!("{records:?}") };
        assert_eq!((start.phase, result.phase), (Some(Phase::Start), Some(Phase::Result)));
        assert!(start.id.is_some() && start.id == result.id && result.duration_us.is_some());
        assert_eq!((start.capability.clone(), start.grant), (result.capability.clone(), result.grant));
        format!(
            "{} {} {}",
            start.operation.name(),
            start.capability,
            result.outcome.as_deref().unwrap_or("none")
        )
    };
    assert_eq!(done(&|| world.files.write_all(&a, b"x", "").unwrap()), format!("create fs.write {a} ok"));
    assert_eq!(done(&|| drop(world.files.open(&a, "").unwrap())), format!("open fs.read {a} ok"));
    assert_eq!(done(&|| drop(world.files.list(&d, "").unwrap())), format!("list fs.list {d} ok"));
    let now = SetTime::Now;
    assert_eq!(
        done(&|| world.files.set_times(&a, now, now, "").unwrap()),
        format!("set_times fs.write {a} ok")
    );
    let b = format!("{d}/b");
    assert_eq!(done(&|| world.files.rename(&a, &b, "").unwrap()), format!("rename fs.write {b} ok"));
    let full = done(&|| drop(world.files.remove_directory(&d, "").unwrap_err()));
    assert!(full.starts_with(&format!("remove fs.delete {d} ")) && !full.ends_with(" ok"), "{full}");
    assert_eq!(done(&|| world.files.remove_file(&b, "").unwrap()), format!("remove fs.delete {b} ok"));
    assert_eq!(done(&|| world.files.remove_directory(&d, "").unwrap()), format!("remove fs.delete {d} ok"));
    let made = done(&|| world.files.create_directory(&d, "").unwrap());
    assert_eq!(made, format!("create_directory fs.write {d} ok"));
}

#[test]
fn a_handle_of_two_grants_counts_as_one() {
    let world = World::new(ALL);
    let options = OpenOptions { create: true, ..BOTH };
    let path = |n: usize| world.path(&n.to_string());
    let files: Vec<_> = (0..64).map(|n| world.files.open_with(&path(n), options, "").unwrap()).collect();
    assert!(matches!(
        world.files.open_with(&path(64), options, ""),
        Err(FsError::TooManyOpen(Exhausted { allowed: 64, .. }))
    ));
    assert!(!fs::exists(path(64)).unwrap());
    drop(files);
    world.files.open_with(&path(64), options, "").unwrap();
    assert_eq!(world.files.metadata(&path(64), true, "").unwrap().kind, Kind::File);
}

#[test]
fn a_link_that_is_not_followed_is_neither_opened_nor_changed() {
    let world = World::new(ALL);
    let path = world.write("d/f", "abc");
    let link = world.path("d/link");
    std::os::unix::fs::symlink("f", &link).unwrap();
    std::os::unix::fs::symlink("none", world.path("d/dangling")).unwrap();
    let stays = OpenOptions { no_follow: true, ..OpenOptions::READ };
    let writes = OpenOptions { no_follow: true, truncate: true, create: true, ..BOTH };
    for options in [stays, writes] {
        let opened = world.files.open_with(&link, options, "");
        assert!(matches!(opened, Err(FsError::Loop)), "{opened:?}");
        world.files.open_with(&path, OpenOptions { truncate: false, ..options }, "").unwrap();
    }
    let dangling = world.files.open_with(&world.path("d/dangling"), writes, "");
    assert!(matches!(dangling, Err(FsError::Loop)), "{dangling:?}");
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    let times = (SetTime::Keep, SetTime::To(UNIX_EPOCH));
    let refused = world.files.set_times_of(&link, false, times, "");
    assert!(matches!(refused, Err(FsError::NotFile(_))), "{refused:?}");
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    world.files.set_times_of(&path, false, times, "").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), UNIX_EPOCH);
    assert_eq!(fs::read_to_string(&path).unwrap(), "abc");
}

#[test]
fn a_copy_that_is_of_no_use_any_more_ends_between_two_steps() {
    let world = World::new(&["fs.read,write {}/**"]);
    std::fs::write(world.path("a"), vec![1; 3_000_000]).unwrap();
    let steps = std::cell::Cell::new(0);
    let goes_on = || steps.replace(steps.get() + 1) < 2;
    let given_up = world.files.copy_while(&world.path("a"), &world.path("b"), "", &goes_on);
    assert!(matches!(given_up, Err(FsError::Io(_))), "{given_up:?}");
    let copied = std::fs::metadata(world.path("b")).unwrap().len();
    assert!((1..3_000_000).contains(&copied), "{copied}");
}
