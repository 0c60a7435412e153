//! Group D of the hostile cases, where mounts matter.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::sync::Arc;

use airssys_osl::{Audit, AuditConfig, Capability, CapabilitySet, Files, FsError, OpenOptions};
use support::{World, namespace};

/// A mount below a granted directory is part of it; who does not want that says so.
#[test]
fn hostile_d11_another_mount() {
    let world = World::new(&["fs.read,list /**"]);
    let files = world.files.clone().stay_on_device();
    assert!(world.files.open("/proc/version", "").is_ok());
    world.assert_refused(|_| files.open("/proc/version", ""));
    world.assert_refused(|_| files.list("/proc", ""));
    world.assert_refused(|_| files.metadata("/proc", true, ""));
    world.grant_from(9, "fs.read /proc/version");
    assert!(files.open("/proc/version", "").is_ok(), "the grant begins on that mount");
}

#[test]
fn hostile_d11_a_bind_mount_of_the_same_device() {
    let Some(directory) = namespace::directory() else {
        let world = World::empty();
        let commands = "mount -t tmpfs none .; cd .; cd \"$PWD\"; mkdir -p in/b out; echo -n out > out/f; \
                        echo -n in > in/f; mount --bind out in/b";
        namespace::inside("hostile_d11_a_bind_mount_of_the_same_device", &world.path(""), commands);
        return;
    };
    let set = CapabilitySet::new("a", Audit::open(AuditConfig::default()).unwrap());
    let grant = format!("fs.read,write,delete {directory}/in/**");
    for (id, capability) in Capability::parse(&grant).unwrap().into_iter().enumerate() {
        set.grant(id as u64, capability, None).unwrap();
    }
    let files = Files::new(set);
    let (own, bound) = (format!("{directory}/in/f"), format!("{directory}/in/b/f"));
    assert_eq!(files.read_all(&bound, 10, "").unwrap(), b"out");
    let files = files.stay_on_device();
    assert_eq!(files.read_all(&own, 10, "").unwrap(), b"in");
    let denied = |done: Result<(), FsError>| assert!(matches!(done, Err(FsError::Denied(_))), "{done:?}");
    denied(files.open(&bound, "").map(drop));
    denied(files.write_all(&bound, b"x", ""));
    denied(files.write_all(&format!("{directory}/in/b/new"), b"x", ""));
    denied(files.create_directory(&format!("{directory}/in/b/d"), ""));
    denied(files.remove_file(&bound, ""));
    denied(files.rename(&own, &format!("{directory}/in/b/g"), ""));
    assert_eq!(fs::read_dir(format!("{directory}/out")).unwrap().count(), 1);
}

#[test]
fn hostile_d16_a_full_disk() {
    let Some(directory) = namespace::directory() else {
        let world = World::empty();
        let commands = "mount -t tmpfs -o size=256k,nr_inodes=16 none .; cd \"$PWD\"; mkdir in";
        namespace::inside("hostile_d16_a_full_disk", &world.path(""), commands);
        return;
    };
    let log = tempfile::tempdir().unwrap();
    let audit =
        Audit::open(AuditConfig { path: Some(log.path().join("audit")), ..AuditConfig::default() }).unwrap();
    let set = CapabilitySet::new("a", Arc::clone(&audit));
    let grant = Capability::parse(&format!("fs.write {directory}/in/**")).unwrap().remove(0);
    set.grant(1, grant, None).unwrap();
    let files = Files::new(set).with_write_bytes_max(10 << 20);
    let full = |done: Result<(), FsError>| match done {
        Err(FsError::Io(error)) => assert_eq!(error.kind(), std::io::ErrorKind::StorageFull),
        other => panic!("{other:?}"),
    };
    full(files.write_all(&format!("{directory}/in/big"), &[1; 1 << 20], ""));
    let written = fs::metadata(format!("{directory}/in/big")).unwrap().len();
    assert_eq!(files.write_bytes_used(), written, "what did not get out is not counted");
    let new = OpenOptions { read: false, write: true, create_new: true, ..OpenOptions::READ };
    full((0..20).try_for_each(|n| files.open_with(&format!("{directory}/in/{n}"), new, "").map(drop)));
    audit.flush().unwrap();
}

#[test]
fn all_of_it_holds_without_openat2() {
    support::openat2::again(3);
}
