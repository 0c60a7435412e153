//! The limit that the host process itself has of a file's size: beyond it the system would end the host by a signal.
#![cfg(target_os = "linux")]

mod support;

use std::env;
use std::fs;
use std::process::Command;

use airssys_osl::{FsError, OpenOptions};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use support::World;

const IN_CHILD: &str = "AIRSSYS_OSL_LIMITED";
const LARGE_BYTES: u64 = 1 << 20;

#[test]
fn hostile_d16_the_hosts_own_limit_of_a_file_is_an_error_and_not_the_end_of_the_host() {
    if env::var_os(IN_CHILD).is_some() {
        return limited();
    }
    let name = "hostile_d16_the_hosts_own_limit_of_a_file_is_an_error_and_not_the_end_of_the_host";
    let script = format!("ulimit -f 16 && exec \"$0\" --exact {name}");
    let tests = env::current_exe().unwrap();
    let done = Command::new("sh").arg("-c").arg(script).arg(tests).env(IN_CHILD, "1").output().unwrap();
    assert!(done.status.success(), "{}: {}", done.status, String::from_utf8_lossy(&done.stdout));
}

/// Runs where no file may be large.
fn limited() {
    let limit = getrlimit(Resource::Fsize).current.expect("the shell set it");
    let world = World::new(&["fs.read,write {}/in/**"]);
    world.write("in/a", "a");
    let file = |options| world.files.open_with(&world.path("in/a"), options, "").unwrap();
    let too_large = |done: Result<(), FsError>| match done {
        Err(FsError::Io(why)) => assert_eq!(why.raw_os_error(), Some(Errno::FBIG.raw_os_error())),
        other => panic!("{other:?}"),
    };
    let write = file(OpenOptions { read: false, write: true, ..OpenOptions::READ });
    too_large(write.write_at(b"x", limit).map(drop));
    too_large(write.write_at(b"x", LARGE_BYTES).map(drop));
    too_large(write.set_len(limit + 1));
    let whole = vec![0; LARGE_BYTES as usize];
    too_large(write.write_all_at(&whole, 0));
    assert_eq!(fs::metadata(world.path("in/a")).unwrap().len(), limit, "as much as there may be");
    too_large(write.append(b"x").map(drop));
    too_large(file(OpenOptions { read: false, append: true, ..OpenOptions::READ }).append(b"x").map(drop));
    write.set_len(1).unwrap();
    assert_eq!(write.append(b"x").unwrap(), 1);
    let program = env::current_exe().unwrap();
    let program = program.to_str().unwrap();
    let world = World::new(&["fs.write {}/in/**", &format!("fs.read {program}")]);
    world.write("in/a", "a");
    too_large(world.files.copy(program, &world.path("in/a"), "").map(drop));
}
