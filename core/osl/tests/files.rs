//! What the reading file system does when nobody is hostile.

mod support;

use std::fs;

use airssys_osl::{Decision, FsError, Kind};
use support::World;

#[test]
fn reads_at_offsets_and_describes() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("a/b", "0123456789");
    let handle = world.files.open(&path, "").unwrap();
    let mut buf = [0; 4];
    assert_eq!((handle.read_at(&mut buf, 8).unwrap(), &buf[..2]), (2, b"89".as_slice()));
    assert_eq!(handle.read_at(&mut buf, 10).unwrap(), 0);
    assert_eq!(handle.read_at(&mut [], 0).unwrap(), 0);
    assert!(matches!(handle.read_at(&mut buf, u64::MAX), Err(FsError::Io(_))));
    let metadata = handle.metadata().unwrap();
    assert_eq!((metadata.kind, metadata.size, metadata.links), (Kind::File, 10, 1));
    assert_eq!(metadata.modified, fs::metadata(&path).unwrap().modified().ok());
    assert!(metadata.status_changed.is_some() && metadata.accessed.is_some());
    assert_eq!(metadata.inode, world.files.metadata(&path, true, "").unwrap().inode);
    assert!(matches!(world.read(&world.path("none")), Err(FsError::NotFound)));
    assert!(matches!(world.read(&world.path("a/b/c")), Err(FsError::NotDirectory)));
}

#[test]
fn what_is_at_hand_is_read_without_a_wait() {
    let world = World::new(&["fs.read {}/**"]);
    let handle = world.files.open(&world.write("a", "0123456789"), "").unwrap();
    let mut buf = [0; 4];
    let expected = [(0, b"0123".as_slice()), (8, b"89"), (10, b"")];
    for (offset, content) in expected {
        let read = handle.read_at(&mut buf, offset).unwrap();
        assert_eq!(&buf[..read], content);
        // Whether it is at hand is the system's to say; where it is not, the pool reads it.
        if let Some(read) = handle.try_read_at(&mut buf, offset).unwrap() {
            assert_eq!(&buf[..read], content);
        }
    }
    // What it cannot say it leaves to the other; the last offset is none, not where the descriptor stands.
    for beyond in [u64::MAX, 1 << 63] {
        assert_eq!(handle.try_read_at(&mut buf, beyond).unwrap(), None);
        assert!(matches!(handle.read_at(&mut buf, beyond), Err(FsError::Io(_))));
    }
    let far = handle.read_at(&mut buf, i64::MAX as u64);
    assert!(
        handle
            .try_read_at(&mut buf, i64::MAX as u64)
            .unwrap()
            .is_none_or(|read| far.is_ok_and(|far| far == read))
    );
    handle.permit().unwrap();
    world.set.revoke(1);
    assert!(matches!(handle.permit(), Err(FsError::Denied(_))));
    assert!(matches!(handle.try_read_at(&mut buf, 0), Err(FsError::Denied(_))));
}

#[test]
fn listing_needs_its_own_grant() {
    let world = World::new(&["fs.read {}/**"]);
    world.write("d/b", "");
    world.write("d/.a", "");
    fs::create_dir(world.path("d/c")).unwrap();
    world.link("b", "d/l");
    let Err(FsError::Denied(denial)) = world.files.list(&world.path("d"), "read-directory") else {
        panic!("listed")
    };
    assert_eq!(denial.to_string(), format!("denied: default/fetch/0 asked for fs.list {}", world.path("d")));
    world.grant(2, "fs.list {}/d");
    let entries = world.files.list(&world.path("d/"), "").unwrap();
    let found: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
    assert_eq!(found, [(".a", Kind::File), ("b", Kind::File), ("c", Kind::Directory), ("l", Kind::Symlink)]);
    assert!(matches!(world.files.list(&world.path("d/c"), ""), Err(FsError::Denied(_))));
}

#[test]
fn metadata_passes_with_either_grant() {
    let world = World::new(&["fs.list {}/d"]);
    world.write("d/f", "");
    assert_eq!(world.files.metadata(&world.path("d"), true, "").unwrap().kind, Kind::Directory);
    assert!(matches!(world.files.metadata(&world.path("d/f"), true, ""), Err(FsError::Denied(_))));
    assert!(matches!(world.files.metadata(&world.path("none"), true, ""), Err(FsError::Denied(_))));
}

#[test]
fn the_root_can_be_listed() {
    let world = World::new(&["fs.list /"]);
    assert!(world.files.list("/", "").unwrap().iter().any(|entry| entry.name == "proc"));
    assert!(matches!(world.files.list("/proc", ""), Err(FsError::Denied(_))));
}

#[test]
fn a_grant_before_its_directory_exists() {
    let world = World::new(&["fs.read {}/later/on/*.txt"]);
    let path = world.path("later/on/a.txt");
    assert!(matches!(world.read(&path), Err(FsError::NotFound)));
    world.write("later/on/a.txt", "here");
    assert_eq!(world.read(&path).unwrap(), "here");
}

#[test]
fn a_link_in_the_granted_prefix_is_the_hosts_own() {
    let world = World::empty();
    world.write("real/f", "in");
    world.link("real", "link");
    world.grant(1, "fs.read {}/link/**");
    assert_eq!(world.read(&world.path("link/f")).unwrap(), "in");
    world.assert_denied(&world.path("real/f"));
}

#[test]
fn a_name_that_ends_like_a_removed_one() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("f (deleted)", "in");
    assert_eq!(world.read(&path).unwrap(), "in");
}

#[test]
fn one_record_for_each_call_and_none_for_reads() {
    let world = World::new(&["fs.read {}/**", "fs.list {}/**"]);
    let path = world.write("f", "in");
    let handle = world.files.open(&path, "open-at").unwrap();
    for _ in 0..10 {
        handle.read_at(&mut [0; 4], 0).unwrap();
    }
    world.files.list(&world.path(""), "").unwrap();
    world.files.metadata(&path, true, "").unwrap();
    assert!(matches!(world.files.open(&world.path("none"), ""), Err(FsError::NotFound)));
    let checks = world.checks();
    assert_eq!(checks.len(), 4);
    assert!(checks.iter().all(|record| record.decision == Decision::Allow));
    assert_eq!(
        (&*checks[0].capability, checks[0].function.as_str()),
        (&*format!("fs.read {path}"), "open-at")
    );
    assert_eq!(
        (checks[0].grant, checks[0].rule.as_deref()),
        (Some(1), Some(&*format!("fs.read {}/**", world.path(""))))
    );
    let counted: Vec<_> = world.set.grants().iter().map(|grant| (grant.allowed, grant.open)).collect();
    assert_eq!(counted, [(3, 1), (1, 0)]);
    drop(handle);
    assert_eq!(world.set.grants()[0].open, 0);
}

#[test]
fn a_revocation_beats_concurrent_opens() {
    let world = World::empty();
    let path = world.write("f", "in");
    for id in 1..=50 {
        world.grant(id, "fs.read {}/**");
        let handles: Vec<_> = std::thread::scope(|scope| {
            let openers: Vec<_> = (0..3).map(|_| scope.spawn(|| world.files.open(&path, ""))).collect();
            world.set.revoke(id);
            openers.into_iter().filter_map(|opener| opener.join().unwrap().ok()).collect()
        });
        for handle in handles {
            assert!(matches!(handle.read_at(&mut [0; 4], 0), Err(FsError::Denied(_))));
        }
    }
}
