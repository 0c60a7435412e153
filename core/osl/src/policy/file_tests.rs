use std::collections::HashMap;
use std::io;
use std::sync::atomic::AtomicUsize;

use super::super::disk::Content;
use super::*;

/// Files in memory, whose n-th access may fail.
#[derive(Default)]
struct Fake {
    files: Mutex<HashMap<PathBuf, (Vec<u8>, u64)>>,
    accesses: AtomicUsize,
    fails_at: Mutex<Option<usize>>,
}

impl Fake {
    fn new(files: &[(&str, &str)]) -> Arc<Self> {
        let fake = Arc::new(Self::default());
        files.iter().for_each(|(name, text)| fake.write(name, text));
        fake
    }

    fn write(&self, name: &str, text: &str) {
        let mut files = self.files.lock().unwrap();
        let version = files.get(Path::new(name)).map_or(0, |(_, version)| version + 1);
        files.insert(name.into(), (text.into(), version));
    }

    fn remove(&self, name: &str) {
        self.files.lock().unwrap().remove(Path::new(name));
    }

    fn access<T>(&self, path: &Path, use_it: impl Fn(&[u8], Stamp) -> T) -> io::Result<T> {
        let access = self.accesses.fetch_add(1, Ordering::Relaxed);
        if *self.fails_at.lock().unwrap() == Some(access) {
            return Err(io::Error::other("the disk is gone"));
        }
        let files = self.files.lock().unwrap();
        let (bytes, version) = files.get(path).ok_or(io::ErrorKind::NotFound)?;
        let name: u64 = path.to_str().unwrap().bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte));
        Ok(use_it(bytes, Stamp::fake(name, *version)))
    }

    fn disk(self: &Arc<Self>) -> Disk {
        let (reads, stamps) = (self.clone(), self.clone());
        Disk {
            read: Box::new(move |path| {
                reads.access(path, |bytes, stamp| Content { bytes: bytes.to_vec(), stamp })
            }),
            stamp: Box::new(move |path| stamps.access(path, |_, stamp| stamp)),
        }
    }

    /// Lets the access after `count` more fail; none for no failure.
    fn fail_after(&self, count: Option<usize>) {
        let now = self.accesses.load(Ordering::Relaxed);
        *self.fails_at.lock().unwrap() = count.map(|count| now + count);
    }

    fn open(self: &Arc<Self>) -> Result<PolicyFile, PolicyRefusal> {
        PolicyFile::open_on(Path::new("p.yaml"), self.disk())
    }
}

/// The time of a look, each later than the one before by more than the least.
struct Looks(Instant);

impl Looks {
    fn new() -> Self {
        Self(Instant::now())
    }

    fn next(&mut self) -> Instant {
        self.0 += Duration::from_millis(LOOK_MS_MIN);
        self.0
    }
}

const CHILD: &str = "version: 1\nextends: [a.yaml, b.yaml]\nrules: [{ actors: [x], override: true, allow: [clock] }]\ntests: [{ actor: x, allow: clock }]\n";
const PARENT: &str = "version: 1\nrules: [{ actors: [x], allow: [random] }]\n";
const BROKEN: &str = "version: 1\nrules: [{ actors: [x], dney: [clock] }]\n";
const FAILING: &str = "version: 1\ntests: [{ actor: x, allow: clock }]\n";

fn family() -> Arc<Fake> {
    Fake::new(&[("p.yaml", CHILD), ("a.yaml", PARENT), ("b.yaml", PARENT)])
}

fn allows(file: &PolicyFile, ask: &str) -> bool {
    file.current().explain("x", None, ask).unwrap().allowed
}

#[test]
fn hostile_m9_a_change_counts_when_two_looks_see_the_same() {
    let (disk, mut looks) = (family(), Looks::new());
    let file = disk.open().unwrap();
    // The first read may have met a writer, so it is read again once, and is the same.
    for _ in 0..4 {
        assert!(matches!(file.poll(looks.next()), PolicyChange::None));
    }
    let before = disk.accesses.load(Ordering::Relaxed);
    assert!(matches!(file.poll(looks.next()), PolicyChange::None));
    assert_eq!(disk.accesses.load(Ordering::Relaxed) - before, 3, "a look at nothing new reads no file");
    // A storm of writes: nothing is read before it pauses.
    for storm in 0..20 {
        disk.write("a.yaml", &PARENT.replace("random", if storm % 2 == 0 { "stdio" } else { "ran" }));
        assert!(matches!(file.poll(looks.next()), PolicyChange::None));
    }
    disk.write("a.yaml", &PARENT.replace("random", "stdio"));
    disk.write("b.yaml", &PARENT.replace("random", "stdio"));
    assert!(matches!(file.poll(looks.next()), PolicyChange::None));
    assert!(allows(&file, "random"), "the old policy is in force until then");
    let PolicyChange::Loaded(loaded) = file.poll(looks.next()) else { panic!("two looks saw the same") };
    assert_eq!(loaded, file.current());
    assert!(allows(&file, "stdio") && !allows(&file, "random"));
    assert!(matches!(file.poll(looks.next()), PolicyChange::None));
}

#[test]
fn hostile_m9_looks_that_are_too_close_touch_nothing() {
    let disk = family();
    let file = disk.open().unwrap();
    let now = Instant::now();
    file.poll(now);
    let before = disk.accesses.load(Ordering::Relaxed);
    for millis in 0..LOOK_MS_MIN {
        assert!(matches!(file.poll(now + Duration::from_millis(millis)), PolicyChange::None));
    }
    assert_eq!(disk.accesses.load(Ordering::Relaxed), before);
}

#[test]
fn hostile_m9_a_broken_file_leaves_the_old_policy_in_force_and_is_told_once() {
    let (disk, mut looks) = (family(), Looks::new());
    let file = disk.open().unwrap();
    for (name, text, says) in [
        ("a.yaml", BROKEN, "a.yaml:2:24: a rule has no key `dney`"),
        ("a.yaml", "version: 1\nrules: [", "a.yaml:2:8: this is no YAML"),
        ("p.yaml", FAILING, "p.yaml:2: x, allow: clock: got deny"),
        ("p.yaml", "version: 1\nextends: [gone.yaml]\n", "p.yaml:2:11: gone.yaml: "),
    ] {
        let old = file.current();
        disk.write(name, text);
        let mut told = Vec::new();
        for _ in 0..10 {
            match file.poll(looks.next()) {
                PolicyChange::None => {}
                PolicyChange::Refused(refusal) => told.push(refusal.to_string()),
                PolicyChange::Loaded(_) => panic!("{text}"),
            }
            assert_eq!(file.current(), old);
        }
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(says), "{told:?}");
        disk.write("a.yaml", PARENT);
        disk.write("p.yaml", CHILD);
        (0..4).for_each(|_| drop(file.poll(looks.next())));
        assert_eq!(file.current(), old);
    }
    // What was missing is watched too: when it comes, it counts.
    disk.write("p.yaml", "version: 1\nextends: [gone.yaml]\n");
    (0..4).for_each(|_| drop(file.poll(looks.next())));
    disk.write("gone.yaml", PARENT.replace("random", "stdio").as_str());
    (0..2).for_each(|_| drop(file.poll(looks.next())));
    assert!(allows(&file, "stdio"));
    disk.remove("p.yaml");
    (0..2).for_each(|_| drop(file.poll(looks.next())));
    assert!(allows(&file, "stdio"), "a file that is gone leaves its policy in force");
    assert!(matches!(file.reload(), PolicyChange::Refused(_)));
}

#[test]
fn a_failure_of_any_access_leaves_the_old_policy_in_force() {
    let disk = family();
    let mut failed = 0;
    loop {
        disk.fail_after(Some(failed));
        match disk.open() {
            Err(PolicyRefusal::Invalid(error)) => {
                assert!(error.message.contains("the disk is gone"), "{error}")
            }
            Err(other) => panic!("{other}"),
            Ok(_) => break,
        }
        failed += 1;
    }
    assert_eq!(failed, 3, "each of three files is read once");
    for point in 0.. {
        let (disk, mut looks) = (family(), Looks::new());
        let file = disk.open().unwrap();
        (0..4).for_each(|_| drop(file.poll(looks.next())));
        let old = file.current();
        disk.write("b.yaml", &PARENT.replace("random", "stdio"));
        let before = disk.accesses.load(Ordering::Relaxed);
        disk.fail_after(Some(point));
        let mut met = false;
        // Two looks of three stamps and three reads are nine accesses; then whatever the failure left is made good.
        for _ in 0..6 {
            let change = file.poll(looks.next());
            met |= disk.accesses.load(Ordering::Relaxed) > before + point;
            match change {
                PolicyChange::Loaded(policy) => assert_eq!(policy, file.current()),
                _ => assert!(file.current() == old || allows(&file, "stdio")),
            }
        }
        assert!(allows(&file, "stdio"), "after a failure at access {point} the change was lost");
        if !met {
            assert!(point >= 9, "{point}");
            break;
        }
    }
    for point in 0..3 {
        let disk = family();
        let file = disk.open().unwrap();
        let old = file.current();
        disk.write("p.yaml", FAILING);
        disk.write("b.yaml", &PARENT.replace("random", "stdio"));
        disk.fail_after(Some(point));
        assert!(matches!(file.reload(), PolicyChange::Refused(_)));
        assert_eq!(file.current(), old);
    }
}

#[test]
fn a_reader_never_sees_less_than_a_policy() {
    let disk = family();
    let file = Arc::new(disk.open().unwrap());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0_u64;
            while !stop.load(Ordering::Relaxed) || seen < 100 {
                assert!(allows(&file, "clock"), "both policies allow it");
                seen += 1;
            }
        });
        for round in 0..200 {
            disk.write("a.yaml", &PARENT.replace("random", if round % 2 == 0 { "stdio" } else { "random" }));
            assert!(matches!(file.reload(), PolicyChange::Loaded(_)));
            disk.write("a.yaml", BROKEN);
            assert!(matches!(file.reload(), PolicyChange::Refused(_)));
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
}

#[test]
fn hostile_m11_a_file_of_the_system_is_loaded_watched_and_refused_when_all_may_write_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let mode =
        |name: &str, mode| std::fs::set_permissions(path(name), PermissionsExt::from_mode(mode)).unwrap();
    std::fs::write(path("p.yaml"), "version: 1\nextends: [sub/a.yaml]\n").unwrap();
    std::fs::create_dir(path("sub")).unwrap();
    std::fs::write(path("sub/a.yaml"), PARENT).unwrap();
    mode("p.yaml", 0o644);
    mode("sub/a.yaml", 0o666);
    let error = Policy::load(&path("p.yaml")).unwrap_err();
    assert!((error.line, error.column) == (2, 11) && error.message.contains("chmod o-w"), "{error}");
    mode("sub/a.yaml", 0o600);
    let file = Arc::new(PolicyFile::open(&path("p.yaml")).unwrap());
    assert!(allows(&file, "random"));
    let (told, changes) = std::sync::mpsc::channel();
    let watcher =
        file.watch(Duration::from_millis(LOOK_MS_MIN), move |change| told.send(change).unwrap()).unwrap();
    std::fs::write(path("new"), PARENT.replace("random", "stdio")).unwrap();
    mode("new", 0o600);
    std::fs::rename(path("new"), path("sub/a.yaml")).unwrap();
    assert!(matches!(changes.recv().unwrap(), PolicyChange::Loaded(_)));
    assert!(allows(&file, "stdio"));
    mode("sub/a.yaml", 0o602);
    assert!(matches!(changes.recv().unwrap(), PolicyChange::Refused(_)));
    assert!(allows(&file, "stdio"));
    watcher.stop();
    assert!(changes.recv().is_err(), "the thread has ended");
    drop(watcher);
    let circle = path("sub/c.yaml");
    std::os::unix::fs::symlink(path("p.yaml"), &circle).unwrap();
    std::fs::write(path("p.yaml"), "version: 1\nextends: [sub/c.yaml]\n").unwrap();
    assert!(Policy::load(&path("p.yaml")).unwrap_err().message.contains("in a circle"), "by another name");
    assert!(Policy::load(dir.path()).unwrap_err().message.contains("regular file"));
    assert!(Policy::load(&path("none")).unwrap_err().to_string().ends_with("(os error 2)"));
}
