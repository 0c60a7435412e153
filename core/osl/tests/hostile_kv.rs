//! Group N of the hostile cases, and what an actor may try on the files of the store.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use airssys_osl::{
    Audit, AuditConfig, Capability, CapabilitySet, Change, Kv, KvError, OpenOptions, Protected, Store,
    StoreLimits,
};
use support::kv::{Shelf, soon};

const BOTH: &[&str] = &["kv.read notes", "kv.write notes"];
/// Threads of the child that is killed.
const THREADS: usize = 3;
/// Where the child that is killed or starved finds its store.
const CHILD: &str = "AIRWASM_KV_CHILD";

fn open(path: &Path) -> Result<Store, KvError> {
    Store::open(path, StoreLimits::default(), &Protected::default())
}

fn kv(store: &Store) -> Kv {
    let set = CapabilitySet::new("default/notes/0", Audit::open(AuditConfig::default()).unwrap());
    for (id, grant) in BOTH.iter().enumerate() {
        set.grant(id as u64, Capability::parse(grant).unwrap().remove(0), None).unwrap();
    }
    Kv::new(set, store.clone())
}

/// A value that tells its key, and of several sizes.
fn value(key: &str, n: usize) -> Vec<u8> {
    key.bytes().cycle().take(1 + n * 37 % 9_000).collect()
}

/// This test binary as a child that runs one test that is ignored.
fn child(test: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env(CHILD, path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Writes pairs of one commit each until it ends, and says which of them were answered.
fn write_and_tell(kv: &Kv, thread: usize, from: usize) -> KvError {
    for n in from.. {
        let (a, b) = (format!("a{thread}-{n}"), format!("b{thread}-{n}"));
        let pairs = vec![(a.clone(), value(&a, n)), (b.clone(), value(&b, n))];
        match kv.change("notes", Change::Set(pairs), "").and_then(|begun| begun.wait(soon())) {
            Ok(_) => writeln!(std::io::stderr().lock(), "{thread} {n}").unwrap(),
            Err(why) => return why,
        }
    }
    unreachable!("it counts for ever")
}

/// The pairs that are there, each checked: none is torn, none stands without the one of its commit.
fn whole_pairs(kv: &Kv) -> BTreeMap<(usize, usize), u32> {
    let (mut found, mut cursor) = (BTreeMap::new(), None);
    loop {
        let page = kv.list("notes", cursor, 1_000, "").unwrap();
        for key in &page.keys {
            let (thread, n) = key[1..].split_once('-').unwrap();
            let (thread, n): (usize, usize) = (thread.parse().unwrap(), n.parse().unwrap());
            assert_eq!(kv.get("notes", key, "").unwrap(), Some(value(key, n)), "{key}");
            *found.entry((thread, n)).or_insert(0) += 1;
        }
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert!(found.values().all(|both| *both == 2));
    found
}

#[test]
#[ignore = "a child of the test below"]
fn child_that_is_killed() {
    let store = open(Path::new(&std::env::var(CHILD).unwrap())).unwrap();
    let kv = kv(&store);
    let next = |thread| whole_pairs(&kv).keys().filter(|key| key.0 == thread).count();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (kv, from) = (kv.clone(), next(thread));
            scope.spawn(move || write_and_tell(&kv, thread, from));
        }
    });
}

#[test]
fn hostile_n1_what_was_answered_outlives_a_kill_at_any_moment() {
    let rounds = std::env::var("AIRWASM_KV_KILLS").map_or(24, |rounds| rounds.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    for round in 0..rounds {
        let mut child = child("child_that_is_killed", &path).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut answered = Vec::new();
        for _ in 0..1 + round * 7 % 40 {
            answered.push(lines.next().unwrap().unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before it was killed, but for a last line that may be cut off.
        answered.extend(lines.map_while(Result::ok).filter(|line| line.contains(' ')));
        let store = open(&path).unwrap();
        let found = whole_pairs(&kv(&store));
        for line in &answered {
            let (thread, n) = line.split_once(' ').unwrap();
            let Ok(n) = n.parse() else { continue };
            assert!(found.contains_key(&(thread.parse().unwrap(), n)), "{line} is lost in round {round}");
        }
        // Of what nobody was told of, each thread can have made one.
        assert!(found.len() >= answered.len());
    }
}

/// A store with some pairs that was closed; its file, and what it holds.
fn filled(folder: &Path) -> (PathBuf, Vec<u8>) {
    let path = folder.join("store.db");
    let store = open(&path).unwrap();
    for n in 0..40 {
        let key = format!("k-{n}");
        let pair = (key.clone(), value(&key, n));
        kv(&store).change("notes", Change::Set(vec![pair]), "").unwrap().wait(soon()).unwrap();
    }
    store.close();
    let content = fs::read(&path).unwrap();
    (path, content)
}

/// Puts this in the place of the store, and reads all that can be read: each value is as it was written, or an error.
/// Whether anything was found to be wrong.
fn reads_no_garbage(path: &Path, content: &[u8]) -> bool {
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", path.display()));
    }
    fs::write(path, content).unwrap();
    let store = match open(path) {
        Ok(store) => store,
        Err(KvError::Damaged(_) | KvError::Io(_) | KvError::Newer { .. }) => return true,
        Err(other) => panic!("{other:?}"),
    };
    let (kv, mut wrong) = (kv(&store), false);
    for n in 0..40 {
        let key = format!("k-{n}");
        match kv.get("notes", &key, "") {
            Ok(Some(found)) => assert_eq!(found, value(&key, n)),
            Ok(None) | Err(KvError::Damaged(_) | KvError::Io(_)) => wrong = true,
            Err(other) => panic!("{other:?}"),
        }
    }
    match kv.list("notes", None, 1_000, "") {
        Ok(page) => wrong |= page.keys.len() != 40,
        Err(KvError::Damaged(_) | KvError::Io(_)) => wrong = true,
        Err(other) => panic!("{other:?}"),
    }
    wrong
}

#[test]
fn hostile_n2_a_store_that_was_cut_off_or_overwritten_is_an_error_and_never_garbage() {
    let folder = tempfile::tempdir().unwrap();
    let (path, content) = filled(folder.path());
    assert!(!reads_no_garbage(&path, &content));
    for len in [0, 1, 15, 16, 99, 100, 4_095, 4_096, 5_000, 8_192, content.len() / 2, content.len() - 4_096] {
        assert!(reads_no_garbage(&path, &content[..len]), "cut off at {len}");
    }
    let noise: Vec<u8> = (0..80_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert!(reads_no_garbage(&path, &noise));
    assert!(reads_no_garbage(&path, &[0; 8_192]));
    let late_noise = [&content[..4_096], &noise[..content.len() - 4_096]].concat();
    assert!(reads_no_garbage(&path, &late_noise));
}

#[test]
fn hostile_n2_a_bit_that_rots_is_found_before_a_value_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let (path, content) = filled(folder.path());
    let mut found = 0;
    let rotten: Vec<usize> = (0..content.len()).step_by(content.len() / 80 + 1).collect();
    for at in &rotten {
        let mut content = content.clone();
        content[*at] ^= 0x10;
        found += usize::from(reads_no_garbage(&path, &content));
    }
    // The others are in places that hold nothing.
    assert!(found * 2 > rotten.len(), "{found} of {}", rotten.len());
}

#[test]
#[ignore = "a child of the test below"]
fn child_without_room() {
    let store = open(Path::new(&std::env::var(CHILD).unwrap())).unwrap();
    let kv = kv(&store);
    let why = write_and_tell(&kv, 0, 0);
    assert!(matches!(why, KvError::Broken(_)), "{why:?}");
    let again = kv.change("notes", Change::Delete(vec!["a0-0".to_owned()]), "").err();
    assert!(matches!(again, Some(KvError::Broken(_))), "{again:?}");
    // What was answered is readable, and nothing else.
    let found = whole_pairs(&kv).len();
    writeln!(std::io::stderr().lock(), "holds {found}").unwrap();
}

#[test]
fn hostile_n3_a_commit_that_fails_is_not_answered_and_stops_all_later_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let child = child("child_without_room", &path);
    let mut limited = Command::new("/bin/sh");
    // The signal of a file that is too large is ignored, so that a write fails as on a full disk.
    limited.args(["-c", "trap '' XFSZ; ulimit -f 1000; exec \"$@\"", "sh"]);
    limited.arg(child.get_program()).args(child.get_args()).env(CHILD, &path);
    let output = limited.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stdout));
    let answered = told.lines().filter(|line| line.starts_with("0 ")).count();
    assert!(answered > 3 && told.contains(&format!("holds {answered}\n")), "{told}");
    let store = open(&path).unwrap();
    let kv = kv(&store);
    assert_eq!(whole_pairs(&kv).len(), answered);
    kv.change("notes", Change::Set(vec![("x".to_owned(), vec![])]), "").unwrap().wait(soon()).unwrap();
}

#[test]
fn hostile_n5_a_second_opener_is_refused() {
    let shelf = Shelf::new(BOTH);
    let path = support::kv::path(&shelf.world);
    assert!(matches!(open(&path), Err(KvError::InUse)));
    let link = shelf.world.path("link");
    symlink(shelf.world.path(""), &link).unwrap();
    assert!(matches!(open(&Path::new(&link).join("store.db")), Err(KvError::InUse)));
    shelf.set("a", b"1").unwrap();
    let mut child = child("child_that_is_killed", &path);
    let output = child.output().unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("InUse"));
    shelf.store.close();
    assert_eq!(kv(&open(&path).unwrap()).get("notes", "a", "").unwrap(), Some(b"1".to_vec()));
}

#[test]
fn hostile_n8_a_store_of_a_newer_version_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mut content) = filled(folder.path());
    // The number stands in the head of the file.
    content[63] = 2;
    fs::write(&path, &content).unwrap();
    assert!(matches!(open(&path), Err(KvError::Newer { found: 2, known: 1 })));
    assert_eq!(fs::read(&path).unwrap(), content);
    content[71] = 0;
    fs::write(&path, &content).unwrap();
    assert!(matches!(open(&path), Err(KvError::Damaged(_))), "another program's");
}

#[test]
fn the_store_is_its_users_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, content) = filled(folder.path());
    for end in ["", "-lock"] {
        let path = format!("{}{end}", path.display());
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(open(&path), Err(KvError::NotPrivate(_))));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::hard_link(&path, folder.path().join("other")).unwrap();
    assert!(matches!(open(&path), Err(KvError::NotPrivate(_))));
    fs::remove_file(folder.path().join("other")).unwrap();
    symlink(&path, folder.path().join("link")).unwrap();
    assert!(open(&folder.path().join("link")).is_err());
    assert!(open(folder.path()).is_err());
    // A journal that somebody put there would be played back.
    let journal = folder.path().join("store.db-journal");
    fs::write(&journal, &content).unwrap();
    assert!(matches!(open(&path), Err(KvError::Damaged(_))));
    fs::remove_file(&journal).unwrap();
    open(&path).unwrap();
}

#[test]
fn hostile_a_log_that_somebody_put_beside_a_store_is_not_played_back() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = open(&folder.path().join("theirs.db")).unwrap();
    kv(&theirs)
        .change("notes", Change::Set(vec![("k".to_owned(), b"v".to_vec())]), "")
        .unwrap()
        .wait(soon())
        .unwrap();
    // It holds all that theirs does.
    let log = fs::read(folder.path().join("theirs.db-wal")).unwrap();
    let path = folder.path().join("store.db");
    let refused = || matches!(open(&path), Err(KvError::NotPrivate(_)));
    let beside = |end: &str| folder.path().join(format!("store.db{end}"));
    let put = |end: &str, mode: u32| {
        fs::write(beside(end), &log).unwrap();
        fs::set_permissions(beside(end), fs::Permissions::from_mode(mode)).unwrap();
    };
    // First a store that is new, then one that holds something.
    for round in 0..2 {
        for end in ["-wal", "-shm"] {
            put(end, 0o644);
            assert!(refused(), "{end} in round {round}");
            assert_eq!(fs::read(beside(end)).unwrap(), log);
            put(end, 0o600);
            fs::hard_link(beside(end), beside("other")).unwrap();
            assert!(refused());
            fs::remove_file(beside("other")).unwrap();
            fs::rename(beside(end), beside("other")).unwrap();
            symlink(beside("other"), beside(end)).unwrap();
            assert!(open(&path).is_err());
            fs::remove_file(beside(end)).unwrap();
            fs::remove_file(beside("other")).unwrap();
        }
        if round == 0 {
            // One of this user's own is thrown away where there is nothing to play it back into.
            put("-wal", 0o600);
        }
        let store = open(&path).unwrap();
        assert_eq!(kv(&store).get("notes", "k", "").unwrap(), None);
    }
}

#[test]
fn no_grant_of_files_reaches_those_of_the_store() {
    let shelf = Shelf::new(&["kv.read notes", "kv.write notes", "fs.read,write,list,delete {}/**"]);
    shelf.set("a", b"1").unwrap();
    let shelf = shelf.reopened();
    shelf.set("a", b"2").unwrap();
    for end in ["", "-wal", "-shm", "-lock"] {
        let path = shelf.world.path(&format!("store.db{end}"));
        assert!(Path::new(&path).exists(), "{path}");
        let write = OpenOptions { read: false, write: true, ..OpenOptions::READ };
        let files = &shelf.world.files;
        let reach = [
            files.open(&path, "").map(drop),
            files.open_with(&path, write, "").map(drop),
            files.remove_file(&path, ""),
            files.rename(&path, &shelf.world.path("moved"), ""),
        ];
        assert!(reach.iter().all(|done| matches!(done, Err(airssys_osl::FsError::Denied(_)))), "{path}");
    }
    assert_eq!(shelf.get("a"), Some(b"2".to_vec()));
}
