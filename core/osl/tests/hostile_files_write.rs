//! Group D of the hostile cases, for what makes, changes, moves and removes.

mod support;

use std::fs;
use std::os::unix::net::UnixListener;

use airssys_osl::{DenialKind, Files, FsError, Kind, OpenOptions, SetTime};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use support::{World, assert_one_denial};

const WRITE: OpenOptions = OpenOptions { read: false, write: true, ..OpenOptions::READ };
const APPEND: OpenOptions = OpenOptions { read: false, append: true, ..OpenOptions::READ };

/// Grants of everything in `in`, numbered from 1.
const INSIDE: &[&str] = &["fs.read,write,list,delete {}/in/**"];

type Operation = fn(&Files, &str, &str) -> Result<(), FsError>;

/// Each operation that changes something, on a path; the second path is one it may write.
const CHANGES: &[(&str, Operation)] = &[
    ("write", |files, path, _| files.open_with(path, WRITE, "").map(drop)),
    ("append", |files, path, _| files.open_with(path, APPEND, "").map(drop)),
    ("both", |files, path, _| files.open_with(path, OpenOptions { read: true, ..WRITE }, "").map(drop)),
    ("truncate", |files, path, _| {
        files.open_with(path, OpenOptions { truncate: true, ..WRITE }, "").map(drop)
    }),
    ("create", |files, path, _| files.open_with(path, OpenOptions { create: true, ..WRITE }, "").map(drop)),
    ("create to append", |files, path, _| {
        files.open_with(path, OpenOptions { create: true, ..APPEND }, "").map(drop)
    }),
    ("create new", |files, path, _| {
        files.open_with(path, OpenOptions { create_new: true, ..WRITE }, "").map(drop)
    }),
    ("rewrite", |files, path, _| files.write_all(path, b"changed", "")),
    ("set times", |files, path, _| files.set_times(path, SetTime::Now, SetTime::Now, "")),
    ("create directory", |files, path, _| files.create_directory(path, "")),
    ("remove file", |files, path, _| files.remove_file(path, "")),
    ("remove directory", |files, path, _| files.remove_directory(path, "")),
    ("rename from", |files, path, other| files.rename(path, other, "")),
    ("rename to", |files, path, other| files.rename(other, path, "")),
    ("copy to", |files, path, other| files.copy(other, path, "").map(drop)),
];

#[test]
fn hostile_d1_parent_steps() {
    let world = World::new(INSIDE);
    let mine = world.write("in/mine", "in");
    world.write("out/f", "out");
    let inside = world.path("in");
    for path in ["../out/f", "../out/new", "../out", "a/../../out/f", "..", "../in2", "../../x"] {
        for (name, change) in CHANGES {
            let denial = world.assert_refused(|files| change(files, &format!("{inside}/{path}"), &mine));
            assert_eq!(denial.kind, DenialKind::NotGranted, "{name}");
        }
    }
    for (_, change) in CHANGES {
        world.assert_refused(|files| change(files, "/../etc/passwd", &mine));
        world.assert_refused(|files| change(files, "/etc/passwd", &mine));
    }
}

#[test]
fn hostile_d3_links_out_change_nothing() {
    let world = World::empty();
    let mine = world.write("in/mine", "in");
    for grant in INSIDE {
        world.grant_from(1, grant);
    }
    world.write("out/f", "out");
    fs::create_dir(world.path("out/d")).unwrap();
    world.link("../out", "in/l");
    world.link("l", "in/chain");
    world.link(&world.path("out"), "in/absolute");
    for directory in ["l", "chain", "absolute", "l/d/.."] {
        for name in ["f", "d", "new"] {
            if directory.ends_with("..") && name == "new" {
                continue;
            }
            let path = world.path(&format!("in/{directory}/{name}"));
            for (_, change) in CHANGES.iter().filter(|_| !directory.ends_with("..")) {
                world.assert_refused(|files| change(files, &path, &mine));
            }
        }
    }
}

#[test]
fn hostile_d3_a_link_at_the_end_makes_nothing() {
    let world = World::empty();
    let mine = world.write("in/mine", "in");
    world.grant_from(1, INSIDE[0]);
    world.write("out/f", "out");
    for (name, target) in [("file", "../out/f"), ("dangling", "../out/new"), ("absolute", "/nowhere/x")] {
        let path = world.path(&format!("in/{name}"));
        world.link(target, &format!("in/{name}"));
        for (what, change) in CHANGES {
            let content = world.snapshot();
            let done = change(&world.files, &path, &mine);
            match *what {
                // The link itself goes; what it leads to stays.
                "remove file" => {
                    done.unwrap();
                    world.link(target, &format!("in/{name}"));
                }
                "create new" | "create directory" => {
                    assert!(matches!(done, Err(FsError::AlreadyExists)), "{what} {name}: {done:?}")
                }
                "remove directory" => assert!(matches!(done, Err(FsError::NotDirectory)), "{done:?}"),
                "rename from" | "rename to" => {
                    assert!(matches!(done, Err(FsError::NotFile(Kind::Symlink))), "{what} {name}: {done:?}")
                }
                _ => assert!(matches!(done, Err(FsError::Denied(_))), "{what} {name}: {done:?}"),
            }
            assert_eq!(world.snapshot(), content, "{what} {name}");
        }
    }
    // Within the grant as well: what is made has the name that was asked for.
    world.link("new", "in/inside");
    let create = OpenOptions { create: true, ..WRITE };
    let made = world.files.open_with(&world.path("in/inside"), create, "");
    assert!(matches!(made, Err(FsError::NotFile(Kind::Symlink))), "{made:?}");
    world.link("mine", "in/alias");
    world.files.write_all(&world.path("in/alias"), b"through", "").unwrap();
    assert_eq!(fs::read_to_string(&mine).unwrap(), "through");
}

#[test]
fn hostile_d3_patterns_match_what_is_made() {
    let world = World::empty();
    world.write("in/a.txt", "a");
    world.write("in/secret.key", "secret");
    world.write("in/dir1/f", "f");
    fs::create_dir(world.path("in/other")).unwrap();
    world.link("other", "in/dir2");
    world.link("secret.key", "in/key.txt");
    world.link("new.key", "in/new.txt");
    for (id, grant) in
        ["fs.read,write,delete {}/in/*.txt", "fs.read,write,delete {}/in/dir*/*"].iter().enumerate()
    {
        world.grant_from(id as u64 * 10 + 1, grant);
    }
    let mine = world.path("in/a.txt");
    for name in
        ["in/b.key", "in/secret.key", "in/dir2/new", "in/other/new", "in/dir1", "in/dir1/sub/new", "in"]
    {
        for (what, change) in CHANGES {
            let denial = world.assert_refused(|files| change(files, &world.path(name), &mine));
            assert_eq!(denial.kind, DenialKind::NotGranted, "{what} {name}");
        }
    }
    for name in ["in/key.txt", "in/new.txt"] {
        world.assert_refused(|files| files.write_all(&world.path(name), b"x", ""));
        world.assert_refused(|files| files.set_times(&world.path(name), SetTime::Now, SetTime::Now, ""));
    }
    world.files.rename(&mine, &world.path("in/dir1/g"), "").unwrap();
    // A directory would take along what no pattern covers.
    world.write("in/dir1/sub/deep", "deep");
    world.assert_refused(|files| files.rename(&world.path("in/dir1/sub"), &world.path("in/dir1/sub2"), ""));
}

#[test]
fn hostile_d6_a_read_only_grant_changes_nothing() {
    let world = World::new(&["fs.read,list {}/**"]);
    let path = world.write("d/f", "content");
    let (new, directory) = (world.path("d/new"), world.path("d"));
    let other = &world.write("d/other", "other");
    for (what, change) in CHANGES {
        for path in [&path, &new, &directory] {
            let denial = world.assert_refused(|files| change(files, path, other));
            assert_eq!(denial.kind, DenialKind::NotGranted, "{what}");
            assert!(!denial.capability.starts_with("fs.read"), "{what}: {denial}");
        }
    }
    assert!(matches!(world.files.open(&path, "").unwrap().set_len(0), Err(FsError::NotOpenFor(_))));
}

#[test]
fn hostile_d6_each_grant_allows_its_own_operations() {
    let path = |world: &World| world.write("d/f", "content");
    let world = World::new(&["fs.write {}/**"]);
    let file = path(&world);
    world.assert_refused(|files| files.open(&file, ""));
    world.assert_refused(|files| files.open_with(&file, OpenOptions { read: true, ..WRITE }, ""));
    let create = OpenOptions { read: true, create: true, ..WRITE };
    world.assert_refused(|files| files.open_with(&world.path("d/new"), create, ""));
    world.assert_refused(|files| files.list(&world.path("d"), ""));
    world.assert_refused(|files| files.metadata(&file, true, ""));
    world.assert_refused(|files| files.remove_file(&file, ""));
    world.assert_refused(|files| files.remove_directory(&world.path("d"), ""));
    world.assert_refused(|files| files.rename(&file, &world.path("d/g"), ""));
    world.assert_refused(|files| files.copy(&file, &world.path("d/g"), ""));
    world.grant(2, "fs.read {}/**");
    let denial = world.assert_refused(|files| files.rename(&file, &world.path("d/g"), ""));
    assert_eq!(denial.capability, format!("fs.delete {file}"));
    let world = World::new(&["fs.delete {}/**", "fs.read {}/**"]);
    let file = path(&world);
    world.assert_refused(|files| files.write_all(&file, b"x", ""));
    let denial = world.assert_refused(|files| files.rename(&file, &world.path("d/g"), ""));
    assert_eq!(denial.capability, format!("fs.write {}", world.path("d/g")));
    world.files.remove_file(&file, "").unwrap();
}

#[test]
fn hostile_d8_changes_stay_in_the_moved_directory() {
    let world = World::empty();
    world.write("p/data/f", "old");
    world.grant_from(1, "fs.read,write,delete {}/p/data/**");
    fs::rename(world.path("p/data"), world.path("p/moved")).unwrap();
    world.write("p/data/f", "new occupant");
    world.files.write_all(&world.path("p/data/f"), b"mine", "").unwrap();
    world.files.write_all(&world.path("p/data/g"), b"mine", "").unwrap();
    world.files.create_directory(&world.path("p/data/d"), "").unwrap();
    assert_eq!(fs::read_to_string(world.path("p/moved/f")).unwrap(), "mine");
    assert!(fs::exists(world.path("p/moved/g")).unwrap() && fs::exists(world.path("p/moved/d")).unwrap());
    world.files.remove_file(&world.path("p/data/f"), "").unwrap();
    assert_eq!(fs::read_to_string(world.path("p/data/f")).unwrap(), "new occupant");
    assert_eq!(fs::read_dir(world.path("p/data")).unwrap().count(), 1);
}

#[test]
fn hostile_d8_the_granted_directory_stays() {
    let world = World::new(&["fs.read,write,delete {}/job/**"]);
    fs::create_dir(world.path("job")).unwrap();
    let later = World::empty();
    fs::create_dir(later.path("job")).unwrap();
    later.grant_from(1, "fs.read,write,delete {}/job/**");
    later.assert_refused(|files| files.remove_directory(&later.path("job"), ""));
    later.assert_refused(|files| files.rename(&later.path("job"), &later.path("job/x"), ""));
    // Where the grant begins above it, it is one of the directories below.
    world.files.remove_directory(&world.path("job"), "").unwrap();
}

#[test]
fn hostile_d10_only_regular_files_are_written() {
    let world = World::new(&["fs.read,write,delete,list {}/**", "fs.write,read /dev/null"]);
    let (fifo, mine) = (world.path("fifo"), world.write("mine", "x"));
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let _socket = UnixListener::bind(world.path("socket")).unwrap();
    for (name, kind) in [("fifo", Kind::Fifo), ("socket", Kind::Socket)] {
        for (what, change) in CHANGES {
            let done = change(&world.files, &world.path(name), &mine);
            match *what {
                "create new" | "create directory" => {
                    assert!(matches!(done, Err(FsError::AlreadyExists)), "{what}: {done:?}")
                }
                "remove directory" => assert!(matches!(done, Err(FsError::NotDirectory)), "{what}: {done:?}"),
                "remove file" => {}
                _ => {
                    assert!(matches!(done, Err(FsError::NotFile(found)) if found == kind), "{what}: {done:?}")
                }
            }
            if *what == "remove file" {
                done.unwrap();
                let again = if kind == Kind::Fifo { FileType::Fifo } else { FileType::Socket };
                mknodat(CWD, world.path(name), again, Mode::RUSR | Mode::WUSR, 0).unwrap();
            }
        }
        let copied = world.files.copy(&world.path(name), &mine, "");
        assert!(matches!(copied, Err(FsError::NotFile(found)) if found == kind));
    }
    assert!(matches!(
        world.files.open_with("/dev/null", WRITE, ""),
        Err(FsError::NotFile(Kind::CharacterDevice))
    ));
}

#[test]
fn hostile_d3_no_link_is_made_and_no_linked_file_written() {
    let world = World::new(INSIDE);
    let secret = world.write("out/secret", "secret");
    let alias = world.path("in/alias");
    fs::create_dir(world.path("in")).unwrap();
    fs::hard_link(&secret, &alias).unwrap();
    assert_eq!(world.read(&alias).unwrap(), "secret");
    for what in ["write", "append", "both", "truncate", "create", "rewrite", "set times"] {
        let change = CHANGES.iter().find(|(name, _)| name == &what).unwrap().1;
        world.assert_refused(|files| change(files, &alias, &alias));
    }
    let rule = world.checks().last().unwrap().rule.clone().unwrap();
    assert!(rule.contains("2 names"), "{rule}");
    world.files.remove_file(&alias, "").unwrap();
    assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");

    let before = world.checks().len();
    assert!(matches!(world.files.refuse_link(&alias, "link-at"), FsError::NoLinks));
    let checks = world.checks();
    assert_eq!((checks.len(), checks[before].rule.as_deref()), (before + 1, Some("links are never made")));
    assert!(matches!(world.files.refuse_link(&secret, "link-at"), FsError::Denied(_)));
}

#[test]
fn hostile_d13_malformed_paths() {
    let world = World::new(&["fs.read,write,delete,list /**"]);
    let long = format!("/{}", "a".repeat(256));
    let mine = world.write("mine", "x");
    for path in ["", "/a\0b", &long] {
        for (what, change) in CHANGES {
            let done = change(&world.files, path, &mine);
            assert!(
                matches!(done, Err(FsError::InvalidPath(_) | FsError::NameTooLong)),
                "{what} {path}: {done:?}"
            );
        }
    }
    assert_eq!(fs::read_to_string(&mine).unwrap(), "x");
}

#[test]
fn hostile_d15_names_of_windows_are_only_names() {
    let world = World::empty();
    fs::create_dir(world.path("in")).unwrap();
    world.grant_from(1, INSIDE[0]);
    let names = ["CON", "COM\u{b9}", "a.txt::$DATA", "a. ", "PROGRA~1", "C:", "..\\x", "\\\\?\\C:"];
    for name in names {
        let path = world.path(&format!("in/{name}"));
        world.files.write_all(&path, name.as_bytes(), "").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), name);
    }
    assert_eq!(fs::read_dir(world.path("in")).unwrap().count(), names.len());
    assert_eq!(fs::read_dir(world.path("")).unwrap().count(), 1);
}

#[test]
fn hostile_d16_a_quota_is_exact() {
    let world = World::new(INSIDE);
    fs::create_dir(world.path("in")).unwrap();
    let files = world.files.clone().with_write_bytes_max(1_000);
    let (a, b) = (world.path("in/a"), world.path("in/b"));
    let file = files.open_with(&a, OpenOptions { create: true, ..WRITE }, "").unwrap();
    file.write_all_at(&[1; 400], 0).unwrap();
    assert_eq!(files.write_bytes_used(), 400);
    // Overwriting counts, a hole counts as what it may become, and a refusal writes nothing.
    file.write_all_at(&[2; 100], 0).unwrap();
    file.write_at(&[3; 10], 490).unwrap();
    assert_eq!(files.write_bytes_used(), 600);
    file.set_len(700).unwrap();
    file.set_len(100).unwrap();
    assert_eq!(files.write_bytes_used(), 800);
    for refused in [
        file.write_at(&[4; 201], 0),
        file.write_at(&[4; 1], 301),
        file.append(&[4; 201]),
        file.set_len(301).map(|()| 0),
    ] {
        assert!(matches!(refused, Err(FsError::QuotaExceeded { write_bytes_max: 1_000 })), "{refused:?}");
    }
    assert_eq!((files.write_bytes_used(), fs::metadata(&a).unwrap().len()), (800, 100));
    // A clone and a copy inside the system count on the same account.
    assert_eq!(files.clone().copy(&a, &b, "").unwrap(), 100);
    assert!(matches!(files.write_all(&b, &[5; 101], ""), Err(FsError::QuotaExceeded { .. })));
    files.write_all(&b, &[5; 100], "").unwrap();
    assert!(matches!(files.copy(&a, &b, ""), Err(FsError::QuotaExceeded { .. })));
    assert_eq!(files.write_bytes_used(), 1_000);
    assert!(matches!(file.append(b"x"), Err(FsError::QuotaExceeded { .. })));
    // The host's own log is not on that account, and another actor has its own.
    world.audit.flush().unwrap();
    world.files.write_all(&b, &[6; 5_000], "").unwrap();
}

#[test]
fn hostile_d16_what_the_system_refuses_is_an_error() {
    let world = World::new(INSIDE);
    fs::create_dir(world.path("in")).unwrap();
    let files = world.files.clone().with_write_bytes_max(u64::MAX);
    let file = files.open_with(&world.path("in/f"), OpenOptions { create: true, ..WRITE }, "").unwrap();
    assert!(matches!(file.set_len(1 << 63), Err(FsError::Io(_))));
    assert!(matches!(file.write_at(b"x", 1 << 63), Err(FsError::Io(_))));
    assert_eq!(files.write_bytes_used(), 0);
}

#[test]
fn hostile_d18_the_end_of_either_grant_cuts_the_handle() {
    for cut in [1, 2] {
        let world = World::new(&["fs.read {}/**", "fs.write {}/**"]);
        let path = world.write("f", "in");
        let file = world.files.open_with(&path, OpenOptions { read: true, ..WRITE }, "open").unwrap();
        assert_eq!(world.set.revoke(cut), Some(1));
        let before = world.checks().len();
        let Err(FsError::Denied(denial)) = file.write_at(b"x", 0) else { panic!("written") };
        assert_eq!(denial.kind, DenialKind::Revoked);
        assert_one_denial(&world.checks()[before..], &denial);
        for refused in [
            file.read_at(&mut [0], 0).map(drop),
            file.append(b"x").map(drop),
            file.set_len(0),
            file.sync_all(),
            file.set_times(SetTime::Now, SetTime::Now),
            file.metadata().map(drop),
        ] {
            assert!(matches!(refused, Err(FsError::Denied(_))));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "in");
        drop(file);
        assert!(world.set.grants().iter().all(|grant| grant.open == 0));
    }
}

#[test]
fn hostile_d18_a_copy_is_cut_between_two_steps() {
    let world = World::new(&["fs.read {}/**", "fs.write {}/**"]);
    let source = world.path("sparse");
    fs::File::create(&source).unwrap().set_len(64 << 30).unwrap();
    let target = world.path("target");
    // Should the cut fail, this ends it.
    let files = world.files.clone().with_write_bytes_max(2 << 30);
    std::thread::scope(|scope| {
        let copy = scope.spawn(|| files.copy(&source, &target, ""));
        while files.write_bytes_used() == 0 {
            std::thread::yield_now();
        }
        world.set.revoke(1);
        let Err(FsError::Denied(denial)) = copy.join().unwrap() else { panic!("copied on") };
        assert_eq!(denial.kind, DenialKind::Revoked);
    });
    assert_eq!(fs::metadata(&target).unwrap().len(), files.write_bytes_used());
}

#[test]
#[cfg(target_os = "linux")]
fn all_of_it_holds_without_openat2() {
    support::openat2::again(16);
}
