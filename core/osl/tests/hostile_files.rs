//! Group D of the hostile cases: ways out of a granted directory.

mod support;

use std::fs;
use std::os::unix::net::UnixListener;

use airssys_osl::{Capability, DenialKind, FsError, Kind};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use support::{World, assert_one_denial};

#[test]
fn hostile_d1_parent_steps() {
    let world = World::new(&["fs.read {}/in/**"]);
    world.write("in/a", "in");
    world.write("out", "out");
    let inside = world.path("in");
    for path in ["/../out", "/a/../../out", "/..", "..", "../x", "a/../../x", "a/./../..//x", "/./.."] {
        let denial = world.assert_denied(path);
        assert_eq!(denial.capability, format!("fs.read {path}"));
        assert!(denial.is_above_root(), "{path}");
        assert!(Capability::parse(&denial.capability).is_err(), "{path} must not become a policy line");
    }
    for path in ["/../out", "/a/../../out", "/./..//out", "/a/b/../../../out"] {
        world.assert_denied(&format!("{inside}{path}"));
    }
    assert!(!world.assert_denied(&format!("{inside}/..")).is_above_root());
    assert_eq!(world.read(&format!("{inside}/x/../a")).unwrap(), "in");
    assert_eq!(world.read(&format!("/{}//./a", inside)).unwrap(), "in");
}

#[test]
fn hostile_d2_absolute_and_windows_names() {
    let world = World::new(&["fs.read {}/**"]);
    for path in [
        "/etc/passwd",
        "//etc",
        "//etc/passwd",
        "etc/passwd",
        "C:\\",
        "\\\\?\\C:\\x",
        "\\etc\\passwd",
        "/proc/self/mem",
    ] {
        world.assert_denied(path);
    }
    world.write("C:\\x", "a name");
    assert_eq!(world.read(&world.path("C:\\x")).unwrap(), "a name");
    assert!(matches!(world.read(&world.path("a\\..\\..\\b")), Err(FsError::NotFound)));
}

#[test]
fn hostile_d3_links_out() {
    let before = World::new(&["fs.read {}/in/**", "fs.list {}/in/**"]);
    before.write("in/a", "in");
    links_out(&before);
    let after = World::empty();
    after.write("in/a", "in");
    after.grant(1, "fs.read {}/in/**");
    after.grant(2, "fs.list {}/in/**");
    links_out(&after);
}

/// Whether the directory or the grant came first makes another base, and the same answers.
fn links_out(world: &World) {
    world.write("out/secret", "out");
    let absolute = world.path("out/secret");
    world.link(&absolute, "in/file");
    world.link("../out/secret", "in/relative");
    world.link("../out", "in/dir");
    world.link("relative", "in/chain1");
    world.link("chain1", "in/chain2");
    world.link("../out/nothing", "in/dangling");
    world.link("/proc/self/root/etc/passwd", "in/magic");
    for name in [
        "in/file",
        "in/relative",
        "in/dir/secret",
        "in/dir",
        "in/chain1",
        "in/chain2",
        "in/dangling",
        "in/magic",
        "in/dir/nothing",
    ] {
        let path = world.path(name);
        world.assert_denied(&path);
        assert!(matches!(world.files.list(&path, ""), Err(FsError::Denied(_))), "{name}");
        assert!(matches!(world.files.metadata(&path, true, ""), Err(FsError::Denied(_))), "{name}");
    }
    // The link itself is inside, and may be looked at.
    assert_eq!(world.files.metadata(&world.path("in/file"), false, "").unwrap().kind, Kind::Symlink);
    assert!(matches!(world.files.metadata(&world.path("in/file/"), false, ""), Err(FsError::Denied(_))));
    assert!(matches!(world.files.metadata(&world.path("in/dir/secret"), false, ""), Err(FsError::Denied(_))));
}

#[test]
fn hostile_d3_links_inside() {
    let world = World::empty();
    world.write("in/d/a", "in");
    world.grant(1, "fs.read {}/in/**");
    world.link("d", "in/dir");
    world.link("dir/a", "in/file");
    assert_eq!(world.read(&world.path("in/dir/a")).unwrap(), "in");
    assert_eq!(world.read(&world.path("in/file")).unwrap(), "in");
    world.link("nothing", "in/dangling");
    assert!(matches!(world.read(&world.path("in/dangling")), Err(FsError::NotFound)));
}

#[test]
fn hostile_d3_loop_of_41() {
    let world = World::new(&["fs.read {}/**"]);
    world.write("0", "end");
    for step in 1..=41 {
        world.link(&(step - 1).to_string(), &step.to_string());
    }
    world.link("self", "self");
    assert_eq!(world.read(&world.path("30")).unwrap(), "end");
    assert!(matches!(world.read(&world.path("41")), Err(FsError::Loop)));
    assert!(matches!(world.read(&world.path("self")), Err(FsError::Loop)));
}

#[test]
fn hostile_d3_patterns_match_what_was_opened() {
    let world = World::empty();
    world.write("in/sub/secret.key", "secret");
    world.write("in/b.txt", "text");
    world.grant(1, "fs.read {}/in/*.txt");
    world.link("sub/secret.key", "in/a.txt");
    world.link("b.txt", "in/c.txt");
    world.link("sub/nothing", "in/d.txt");
    world.link("d.txt", "in/e.txt");
    assert_eq!(world.read(&world.path("in/c.txt")).unwrap(), "text");
    world.assert_denied(&world.path("in/a.txt"));
    // Whether the target exists stays untold.
    world.assert_denied(&world.path("in/d.txt"));
    world.assert_denied(&world.path("in/e.txt"));
    assert!(matches!(world.read(&world.path("in/none.txt")), Err(FsError::NotFound)));
    let rule = world.checks().iter().filter_map(|r| r.rule.clone()).find(|r| r.contains("secret.key"));
    assert!(rule.is_some(), "the audit says where the link led");
    world.grant(2, "fs.read {}/in/**");
    assert_eq!(world.read(&world.path("in/a.txt")).unwrap(), "secret");
}

#[test]
fn hostile_d3_a_directory_made_later_as_a_link() {
    let world = World::new(&["fs.read {}/job/**", "fs.read {}/one/file"]);
    world.write("secret/f", "secret");
    world.link("secret", "job");
    world.link("secret", "one");
    world.write("secret/file", "secret");
    world.assert_denied(&world.path("job/f"));
    world.assert_denied(&world.path("job/nothing"));
    world.assert_denied(&world.path("one/file"));
    fs::remove_file(world.path("job")).unwrap();
    world.write("job/f", "mine");
    assert_eq!(world.read(&world.path("job/f")).unwrap(), "mine");
}

#[test]
fn hostile_d8_renamed_granted_directory() {
    let world = World::empty();
    world.write("p/data/f", "old");
    world.grant(1, "fs.read {}/p/data/**");
    world.grant(2, "fs.list {}/p/data/**");
    let file = world.path("p/data/f");
    fs::rename(world.path("p/data"), world.path("p/moved")).unwrap();
    world.write("p/data/f", "new occupant");
    world.write("p/data/g", "new occupant");
    assert_eq!(world.read(&file).unwrap(), "old");
    assert!(matches!(world.read(&world.path("p/data/g")), Err(FsError::NotFound)));
    assert_eq!(world.files.list(&world.path("p/data"), "").unwrap().len(), 1);
    world.assert_denied(&world.path("p/moved/f"));

    fs::rename(world.path("p"), world.path("q")).unwrap();
    world.write("p/data/f", "new occupant");
    assert_eq!(world.read(&file).unwrap(), "old");

    fs::remove_dir_all(world.path("q/moved")).unwrap();
    assert!(matches!(world.read(&file), Err(FsError::NotFound)));
    world.grant(3, "fs.read {}/p/data/**");
    assert_eq!(world.read(&file).unwrap(), "new occupant");
}

#[test]
fn hostile_d8_file_moved_out_under_the_handle() {
    let world = World::new(&["fs.read {}/in/**"]);
    world.write("in/d/f", "in");
    let handle = world.files.open(&world.path("in/d/f"), "").unwrap();
    fs::rename(world.path("in/d"), world.path("out")).unwrap();
    assert!(matches!(world.read(&world.path("in/d/f")), Err(FsError::NotFound)));
    // What was opened inside stays the file that it was.
    assert_eq!(handle.read_at(&mut [0; 8], 0).unwrap(), 2);
}

#[test]
fn hostile_d10_only_regular_files() {
    let world = World::new(&["fs.read {}/**", "fs.read /dev/zero"]);
    let fifo = world.path("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let _socket = UnixListener::bind(world.path("socket")).unwrap();
    fs::create_dir(world.path("dir")).unwrap();
    assert!(matches!(world.files.open(&fifo, ""), Err(FsError::NotFile(Kind::Fifo))));
    assert!(matches!(world.files.open(&world.path("socket"), ""), Err(FsError::NotFile(Kind::Socket))));
    assert!(matches!(world.files.open(&world.path("dir"), ""), Err(FsError::IsDirectory)));
    assert!(matches!(world.files.open("/dev/zero", ""), Err(FsError::NotFile(Kind::CharacterDevice))));
    assert_eq!(world.files.metadata(&fifo, true, "").unwrap().kind, Kind::Fifo);
    world.grant(3, "fs.list {}/**");
    assert!(matches!(world.files.list(&fifo, ""), Err(FsError::NotDirectory)));
}

#[test]
fn hostile_d13_malformed_paths() {
    let world = World::new(&["fs.read /**"]);
    let long_name = format!("/{}", "a".repeat(256));
    let long_path = "/a".repeat(2_049);
    for (path, invalid) in
        [("", true), ("/a\0b", true), (long_name.as_str(), false), (long_path.as_str(), false)]
    {
        match world.files.open(path, "") {
            Err(FsError::InvalidPath(_)) => assert!(invalid),
            Err(FsError::NameTooLong) => assert!(!invalid),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.checks(), [], "a malformed path is no decision");
    assert!(matches!(world.files.open(".", ""), Err(FsError::IsDirectory)));
    assert!(matches!(world.files.open(&format!("/{}", "a".repeat(255)), ""), Err(FsError::NotFound)));
}

#[test]
fn hostile_d13_trailing_slashes() {
    let world = World::new(&["fs.read {}/**"]);
    world.write("d/f", "in");
    for end in ["/", "/.", "//", "/x/.."] {
        let path = format!("{}{end}", world.path("d/f"));
        assert!(matches!(world.files.open(&path, ""), Err(FsError::NotDirectory)), "{path}");
        assert!(matches!(world.files.metadata(&path, true, ""), Err(FsError::NotDirectory)), "{path}");
        let path = format!("{}{end}", world.path("d"));
        assert_eq!(world.files.metadata(&path, true, "").unwrap().kind, Kind::Directory, "{path}");
    }
}

#[test]
fn hostile_d18_revoked_under_an_open_handle() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("f", "in");
    let handle = world.files.open(&path, "read").unwrap();
    let other = handle.clone();
    let mut buf = [0; 8];
    assert_eq!(handle.read_at(&mut buf, 1).unwrap(), 1);
    assert_eq!(world.set.grants()[0].open, 1);
    assert_eq!(world.set.revoke(1), Some(1));
    let before = world.checks().len();
    let Err(FsError::Denied(denial)) = other.read_at(&mut buf, 0) else {
        panic!("a read after the revocation")
    };
    assert_eq!((denial.kind, denial.function.as_str()), (DenialKind::Revoked, "read"));
    assert_one_denial(&world.checks()[before..], &denial);
    assert!(matches!(handle.metadata(), Err(FsError::Denied(_))));
    world.assert_denied(&path);
    world.grant(2, "fs.read {}/**");
    assert!(matches!(handle.read_at(&mut buf, 0), Err(FsError::Denied(_))), "a new grant revives nothing");
    assert_eq!(world.read(&path).unwrap(), "in");
}

#[test]
fn hostile_d18_revocation_closes_the_descriptor() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("f", "in");
    let handle = world.files.open(&path, "").unwrap();
    let open = || {
        let links = fs::read_dir("/proc/self/fd").unwrap();
        links
            .filter_map(|link| fs::read_link(link.unwrap().path()).ok())
            .filter(|to| to.to_str() == Some(&path))
            .count()
    };
    assert_eq!(open(), 1);
    world.set.revoke(1);
    assert_eq!(open(), 0);
    drop(handle);
}

#[test]
fn hostile_d18_expired_under_an_open_handle() {
    let world = World::new(&["fs.read {}/**"]);
    let handle = world.files.open(&world.write("f", "in"), "").unwrap();
    assert_eq!(world.set.expire(1), Some(1));
    let Err(FsError::Denied(denial)) = handle.read_at(&mut [0; 8], 0) else { panic!("a read after expiry") };
    assert_eq!(denial.kind, DenialKind::Expired);
}

#[test]
fn hostile_c_odd_names_forge_no_policy_line() {
    let world = World::empty();
    for name in [
        "a\n- fs.read /**",
        "a\" ; ttl=1s",
        "a #b",
        "a: b",
        "*",
        "?",
        "[a]",
        "\u{202e}gpj",
        "a\u{85}b",
        "a\u{2028}- x",
        "\\*",
        "é",
    ] {
        let path = world.write(name, name);
        let denial = world.assert_denied(&path);
        let line = denial.policy_line();
        assert!(line.starts_with("- fs.read ") && line.bytes().all(|b| (b' '..=b'~').contains(&b)), "{line}");
        assert!(!line.contains(" #") && !line.contains(": "), "{line}");
        assert!(denial.to_string().lines().count() == 1);
        assert!(world.checks().last().unwrap().to_json().lines().count() == 1);
        // Pasted, the line allows this file and no other.
        for capability in Capability::parse(&line[2..]).unwrap() {
            world.set.grant(9, capability, None).unwrap();
        }
        assert_eq!(world.read(&path).unwrap(), name);
        world.write("other", "");
        world.assert_denied(&world.path("other"));
        world.set.revoke(9);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn all_of_it_holds_without_openat2() {
    support::openat2::again(16);
}
