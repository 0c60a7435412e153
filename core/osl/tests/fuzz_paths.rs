//! Paths of a corpus, and mutations of them: whatever they spell, nothing outside is read or changed.
//!
//! `AIRSSYS_FUZZ=1000000` tries that many; without it a short version runs.

mod support;

use std::path::Path;

use airssys_osl::{FsError, OpenOptions};
use support::World;
use support::seeded::{Seeded, count};

const WRITE: OpenOptions = OpenOptions { read: false, write: true, ..OpenOptions::READ };

/// One path, as any bytes, below the directory of the world: what may be read and made of it.
fn fuzz_path(world: &World, bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let root = world.path("");
    // Some stand as they are: those of the root itself are outside as well.
    let path = if bytes.first() == Some(&b'/') { format!("{root}{text}") } else { text.into_owned() };
    let read = world.read(&path);
    if let Ok(content) = &read {
        assert_eq!(content, "in", "{path:?}");
        let inside = lexical(&path).canonicalize().unwrap();
        assert!(inside.starts_with(Path::new(&root).join("in")), "{path:?} is {inside:?}");
    }
    let _ = world.files.metadata(&path, false, "");
    let _ = world.files.list(&path, "");
    match bytes.len() % 3 {
        0 => {
            let new = OpenOptions { create_new: true, ..WRITE };
            if world.files.open_with(&path, new, "").is_ok() {
                world.files.remove_file(&path, "").unwrap();
            }
        }
        1 => {
            if world.files.create_directory(&path, "").is_ok() {
                world.files.remove_directory(&path, "").unwrap();
            }
        }
        _ => match world.files.open_with(&path, WRITE, "") {
            Ok(file) => file.write_all_at(b"in", 0).unwrap(),
            Err(FsError::Io(error)) => panic!("{path:?}: {error}"),
            Err(_) => {}
        },
    }
    read.is_ok()
}

/// The model: `.` and `..` go on the text, as the documentation says.
fn lexical(path: &str) -> std::path::PathBuf {
    let mut parts = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    Path::new("/").join(parts.join("/"))
}

fn corpus() -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/paths");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            std::fs::read(file).unwrap().split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()
        })
        .collect()
}

/// The beginning of one path and the end of another, then a few bytes changed.
fn mutate(seeded: &mut Seeded, corpus: &[Vec<u8>]) -> Vec<u8> {
    let (first, second) = (seeded.pick(corpus), seeded.pick(corpus));
    let mut parts: Vec<&[u8]> = first.split(|b| *b == b'/').collect();
    parts.truncate(1 + seeded.below(parts.len()));
    let others: Vec<&[u8]> = second.split(|b| *b == b'/').collect();
    parts.extend(&others[others.len().min(1 + seeded.below(4))..]);
    let mut path = parts.join(&b'/');
    while seeded.chance(3) {
        let byte = seeded.pick(b"./\\*?\0 \x80\xffn~");
        let at = seeded.below(path.len() + 1);
        match seeded.below(3) {
            0 => path.insert(at, byte),
            1 if at < path.len() => drop(path.remove(at)),
            _ if at < path.len() => path[at] = byte,
            _ => path.extend(b"/.."),
        }
    }
    path
}

#[test]
fn hostile_d1_any_path_stays_inside() {
    let world = World::empty();
    for path in ["in/f", "in/d/f"] {
        world.write(path, "in");
    }
    for path in ["out/f", "f", "in2/f"] {
        world.write(path, "out");
    }
    for (name, target) in [
        ("up", ".."),
        ("inside", "d"),
        ("chain", "inside"),
        ("loop", "loop"),
        ("file", "d/f"),
        ("dangling", "../out/new"),
        ("magic", "/proc/self/root"),
    ] {
        world.link(target, &format!("in/{name}"));
    }
    world.link(&world.path("out"), "in/absolute");
    world.grant_from(1, "fs.read,write,list,delete {}/in/**");
    let names = || {
        let mut found = world.snapshot();
        found
            .iter_mut()
            .filter(|(_, content)| content.starts_with("in "))
            .for_each(|(_, content)| content.truncate(2));
        found
    };
    let before = names();
    let corpus = corpus();
    assert!(corpus.len() > 50);
    let mut read = corpus.iter().filter(|path| fuzz_path(&world, path)).count();
    let mut seeded = Seeded::new(4);
    for _ in 0..count("AIRSSYS_FUZZ", 5_000) {
        read += usize::from(fuzz_path(&world, &mutate(&mut seeded, &corpus)));
    }
    assert!(read > 100, "only {read} paths were inside");
    assert_eq!(names(), before);
}

#[test]
#[cfg(target_os = "linux")]
fn all_of_it_holds_without_openat2() {
    support::openat2::again(1);
}
