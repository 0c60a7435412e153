//! The host's own files, which no grant reaches.

mod support;

use std::fs;
use std::sync::Arc;

use airssys_osl::{Audit, AuditConfig, Capability, CapabilitySet, Files, FsError, OpenOptions, SetTime};
use support::World;

const WRITE: OpenOptions = OpenOptions { read: false, write: true, ..OpenOptions::READ };
const ALL: &[&str] = &["fs.read,write,list,delete {}/**"];

/// Every operation on the path is refused and changes nothing.
#[track_caller]
fn assert_out_of_reach(world: &World, path: &str) {
    let mine = world.write("mine", "mine");
    world.assert_refused(|files| files.open(path, ""));
    world.assert_refused(|files| files.metadata(path, true, ""));
    world.assert_refused(|files| files.open_with(path, WRITE, ""));
    world.assert_refused(|files| files.open_with(path, OpenOptions { truncate: true, ..WRITE }, ""));
    world
        .assert_refused(|files| files.open_with(path, OpenOptions { read: true, create: true, ..WRITE }, ""));
    world.assert_refused(|files| files.set_times(path, SetTime::Now, SetTime::Now, ""));
    world.assert_refused(|files| files.remove_file(path, ""));
    world.assert_refused(|files| files.remove_directory(path, ""));
    world.assert_refused(|files| files.rename(path, &world.path("moved"), ""));
    world.assert_refused(|files| files.rename(&mine, path, ""));
    world.assert_refused(|files| files.copy(path, &mine, ""));
    world.assert_refused(|files| files.copy(&mine, path, ""));
}

#[test]
fn a_protected_file_is_out_of_reach_under_every_name() {
    let world = World::new(ALL);
    let path = world.write("d/e/log", "own");
    world.audit.protected().file(&fs::File::open(&path).unwrap()).unwrap();
    fs::hard_link(&path, world.path("alias")).unwrap();
    assert_out_of_reach(&world, &path);
    assert_out_of_reach(&world, &world.path("alias"));
    world.link("d/e/log", "link");
    world.assert_refused(|files| files.open(&world.path("link"), ""));
    world.assert_refused(|files| files.write_all(&world.path("link"), b"x", ""));
    // The directory may be listed and used, and stays with its file.
    assert_eq!(world.files.list(&world.path("d/e"), "").unwrap().len(), 1);
    world.files.write_all(&world.path("d/e/other"), b"x", "").unwrap();
    for directory in ["d", "d/e"] {
        world.assert_refused(|files| files.rename(&world.path(directory), &world.path("moved"), ""));
        world.assert_refused(|files| files.remove_directory(&world.path(directory), ""));
    }
    // The host may move it, and it is the same file.
    fs::rename(world.path("d"), world.path("x")).unwrap();
    assert_out_of_reach(&world, &world.path("x/e/log"));
    world.assert_refused(|files| files.rename(&world.path("x"), &world.path("moved"), ""));
    world.audit.protected().forget(&fs::metadata(world.path("x/e/log")).unwrap());
    assert_eq!(world.read(&world.path("x/e/log")).unwrap(), "own");
}

#[test]
fn a_protected_directory_covers_all_below() {
    let world = World::new(ALL);
    let inside = world.write("d/cache/sub/entry", "own");
    world.write("d/cached", "mine");
    world.audit.protected().directory(world.path("d/cache").as_ref()).unwrap();
    for path in [inside, world.path("d/cache"), world.path("d/cache/sub"), world.path("d/cache/new")] {
        assert_out_of_reach(&world, &path);
    }
    world.assert_refused(|files| files.list(&world.path("d/cache"), ""));
    world.assert_refused(|files| files.list(&world.path("d/cache/sub"), ""));
    world.assert_refused(|files| files.create_directory(&world.path("d/cache/new"), ""));
    world.assert_refused(|files| files.rename(&world.path("d"), &world.path("moved"), ""));
    assert_eq!(world.read(&world.path("d/cached")).unwrap(), "mine");
    assert_eq!(world.files.list(&world.path("d"), "").unwrap().len(), 2);
    world.write("d/cache/sub/later", "own");
    world.assert_refused(|files| files.open(&world.path("d/cache/sub/later"), ""));
    // A grant that begins inside reaches no more, nor does a link.
    let within = World::empty();
    within.audit.protected().directory(world.path("d/cache").as_ref()).unwrap();
    within.grant_from(1, &format!("fs.read,write {}/d/cache/**", world.path("")));
    within.assert_refused(|files| files.open(&world.path("d/cache/sub/entry"), ""));
    world.link("cache", "d/link");
    world.assert_refused(|files| files.open(&world.path("d/link/sub/entry"), ""));
    // The host may move it.
    fs::rename(world.path("d"), world.path("x")).unwrap();
    assert_out_of_reach(&world, &world.path("x/cache/sub/entry"));
    assert!(world.audit.protected().directory(world.path("x/cached").as_ref()).is_err());
}

#[test]
fn no_grant_reaches_the_audit_log() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let root = root.to_str().unwrap();
    let audit =
        Audit::open(AuditConfig { path: Some(dir.path().join("audit.jsonl")), ..AuditConfig::default() })
            .unwrap();
    let set = CapabilitySet::new("a", Arc::clone(&audit));
    for (id, capability) in
        Capability::parse(&format!("fs.read,write,delete {root}/**")).unwrap().into_iter().enumerate()
    {
        set.grant(id as u64, capability, None).unwrap();
    }
    fs::hard_link(dir.path().join("audit.jsonl"), dir.path().join("link")).unwrap();
    let files = Files::new(set);
    for name in ["audit.jsonl", "link"] {
        let path = format!("{root}/{name}");
        for done in [
            files.open(&path, "").map(drop),
            files.write_all(&path, b"", ""),
            files.remove_file(&path, ""),
            files.rename(&path, &format!("{root}/away"), ""),
        ] {
            assert!(matches!(done, Err(FsError::Denied(_))), "{name}: {done:?}");
        }
    }
}

#[test]
fn policy_files_are_out_of_reach_and_so_is_what_takes_their_place() {
    use airssys_osl::policy::{PolicyChange, PolicyFile};
    let world = World::new(ALL);
    let base = world.write("etc/base.yaml", "version: 1\n");
    let path = world.write("etc/p.yaml", "version: 1\nextends: [base.yaml]\n");
    let file = PolicyFile::open_protected(path.as_ref(), world.audit.clone()).unwrap();
    PolicyFile::open_protected(world.path("").as_ref(), world.audit.clone()).map(drop).unwrap_err();
    assert_out_of_reach(&world, &path);
    assert_out_of_reach(&world, &base);
    let new = world.write("etc/new", "version: 1\nextends: [base.yaml]\nsealed: true\n");
    fs::rename(&new, &path).unwrap();
    assert!(matches!(file.reload(), PolicyChange::Loaded(_)));
    assert_out_of_reach(&world, &path);
    // Another file of the same name is found by a look, before it is read.
    let new = world.write("etc/new", "version: 1\n");
    fs::rename(&new, &path).unwrap();
    file.poll(std::time::Instant::now());
    assert_out_of_reach(&world, &path);
}

#[test]
fn a_protected_name_that_gets_other_files_never_fills_the_list() {
    let world = World::new(ALL);
    let path = world.path("p");
    for _ in 0..1_100 {
        let new = world.write("new", "own");
        fs::rename(&new, &path).unwrap();
        world.audit.protected().file_at(path.as_ref(), &fs::File::open(&path).unwrap()).unwrap();
    }
    assert_out_of_reach(&world, &path);
}
