//! Case D7: a directory or a file and a link to somewhere else change places while an actor works there.
//!
//! `AIRSSYS_RACES=1000000` swaps that often in each test; without it a short version runs.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use airssys_osl::{Files, FsError, OpenOptions};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use support::World;
use support::seeded::count;

const WRITE: OpenOptions = OpenOptions { read: false, write: true, ..OpenOptions::READ };

/// What one try of the actor came to.
#[derive(PartialEq)]
enum Outcome {
    /// It was done inside.
    Inside,
    /// It met the link, or nothing.
    Refused,
    /// It got out.
    Outside,
}

/// Swaps the two names again and again while the actor tries; ends after enough swaps, tries inside and
/// refusals. None of the tries may have led outside.
fn race(one: &str, other: &str, mut attempt: impl FnMut() -> Outcome) {
    let swaps_min = count("AIRSSYS_RACES", 20_000);
    let (done, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
    let (mut inside, mut refused) = (0_u64, 0_u64);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        });
        // Ends the swapping on a failure too.
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _end = End(&done);
        while swaps.load(Ordering::Relaxed) < swaps_min || inside == 0 || refused == 0 {
            match attempt() {
                Outcome::Inside => inside += 1,
                Outcome::Refused => refused += 1,
                Outcome::Outside => panic!("got out after {inside} tries inside and {refused} refusals"),
            }
            assert!(
                swaps.load(Ordering::Relaxed) < swaps_min * 1_000,
                "the race is never met: {inside} {refused}"
            );
        }
    });
    println!("{} swaps, {inside} inside, {refused} refused", swaps.load(Ordering::Relaxed));
}

/// A directory `in/d` to swap with the link `in/l`, which leads to `out`.
fn world() -> (World, String, String) {
    let world = World::empty();
    world.write("in/d/f", "in");
    world.write("out/f", "out");
    world.write("out/victim", "out");
    fs::create_dir(world.path("out/empty")).unwrap();
    world.link("../out", "in/l");
    world.grant_from(1, "fs.read,write,list,delete {}/in/**");
    let (directory, link) = (world.path("in/d"), world.path("in/l"));
    (world, directory, link)
}

/// What lies outside, which no try may change.
fn outside(world: &World) -> Vec<(String, String)> {
    let mut found = world.snapshot();
    found.retain(|(path, _)| path.starts_with(&world.path("out")));
    found
}

fn refusal(error: FsError) -> Outcome {
    match error {
        FsError::Denied(_) | FsError::NotFound | FsError::AlreadyExists => Outcome::Refused,
        // Depending on which of the two a look and an act met.
        FsError::NotFile(_) | FsError::NotDirectory => Outcome::Refused,
        error => panic!("{error:?}"),
    }
}

fn told(content: Result<String, FsError>) -> Outcome {
    match content.as_deref() {
        Ok("in") => Outcome::Inside,
        Ok(_) => Outcome::Outside,
        Err(_) => content.map_or_else(refusal, |_| Outcome::Outside),
    }
}

#[test]
fn hostile_d7_a_directory_swapped_while_opening() {
    let (world, directory, link) = world();
    let file = world.path("in/d/f");
    race(&directory, &link, || told(world.read(&file)));
}

#[test]
fn hostile_d7_a_file_swapped_while_opening() {
    let (world, ..) = world();
    let file = world.write("in/f", "in");
    let link = world.link("../out/f", "in/fl");
    race(&file, &link, || told(world.read(&file)));
}

#[test]
fn hostile_d7_a_directory_inside_swapped_for_one_that_the_pattern_leaves_out() {
    let world = World::empty();
    world.write("in/d1/f", "in");
    world.write("in/secret/f", "out");
    let link = world.link("secret", "in/dl");
    world.grant(1, "fs.read {}/in/d*/*");
    let file = world.path("in/d1/f");
    race(&world.path("in/d1"), &link, || told(world.read(&file)));
}

#[test]
fn hostile_d7_a_directory_swapped_while_making() {
    let (world, directory, link) = world();
    let before = outside(&world);
    let mut step = 0;
    race(&directory, &link, || {
        step += 1;
        make(&world.files, step, &directory)
    });
    assert_eq!(outside(&world), before);
}

/// Makes something and takes it away again, if it is found.
fn make(files: &Files, step: u64, directory: &str) -> Outcome {
    let path = format!("{directory}/{step}");
    let made = match step % 4 {
        0 => files.create_directory(&path, ""),
        1 => files.open_with(&path, OpenOptions { create: true, ..WRITE }, "").map(drop),
        2 => files.open_with(&path, OpenOptions { create_new: true, ..WRITE }, "").map(drop),
        _ => files.rename(&format!("{directory}/f"), &path, ""),
    };
    if let Err(error) = made {
        return refusal(error);
    }
    let undo = || match step % 4 {
        0 => files.remove_directory(&path, ""),
        1 | 2 => files.remove_file(&path, ""),
        _ => files.rename(&path, &format!("{directory}/f"), ""),
    };
    while undo().is_err() {}
    Outcome::Inside
}

#[test]
fn hostile_d7_a_directory_swapped_while_removing_and_emptying() {
    let (world, directory, link) = world();
    let before = outside(&world);
    let files = &world.files;
    let (victim, mine) = (format!("{directory}/victim"), format!("{directory}/f"));
    let mut step = 0;
    race(&directory, &link, || {
        step += 1;
        let done = match step % 6 {
            0 => files.remove_file(&victim, ""),
            1 => files.remove_directory(&format!("{directory}/empty"), ""),
            2 => files.rename(&victim, &mine, ""),
            3 => files.open_with(&victim, OpenOptions { truncate: true, ..WRITE }, "").map(drop),
            4 => files.copy(&mine, &victim, "").and_then(|_| files.remove_file(&victim, "")),
            _ => files.write_all(&mine, b"in", ""),
        };
        match done {
            // What stands only outside was there, or it is what step 4 left.
            Ok(()) => Outcome::Inside,
            Err(error) => refusal(error),
        }
    });
    assert_eq!(outside(&world), before);
}

#[test]
fn all_of_it_holds_without_openat2() {
    support::openat2::again(5);
}
