//! Group D from inside a guest in C, by plain libc: `fopen`, `opendir`, `rename`, `utimensat` and the rest.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, UNIX_EPOCH};

use airwasm::{ActorHandle, Code, Limits, Result};

use super::{Bench, C, built};

const ALL: &str = "fs.read,list,write,delete";

/// A bench with a folder `in` that is granted and one that is not; `$` in words is where both lie.
struct Desk {
    bench: Bench,
    guest: ActorHandle,
}

impl Desk {
    fn new(name: &str, kinds: &str) -> Self {
        let bench = Bench::new();
        bench.write("in/a", "inside");
        bench.write("out/secret", "outside");
        let guest = bench.victim(name, Limits { written_bytes: Some(100_000), ..Limits::default() });
        bench.system.grant(guest, &format!("{kinds} {}/**", bench.path("in")), None).expect("granted");
        Self { bench, guest }
    }

    fn ask(&self, words: &str) -> Result<String> {
        self.bench.ask(self.guest, &words.replace('$', &self.bench.folder.path().display().to_string()))
    }

    fn is(&self, words: &str, answer: &str) {
        assert_eq!(self.ask(words).expect(words), answer, "{words}");
    }

    /// Refused by the grants, or by the system; never with a trap.
    fn refuses(&self, words: &str) {
        let error = self.ask(words).expect_err(words);
        assert!(matches!(error.code, Code::Denied | Code::Failure), "{words}: {error}");
        assert_eq!(
            fs::read_to_string(self.bench.path("out/secret")).expect("is there"),
            "outside",
            "{words}"
        );
        let outside = fs::read_dir(self.bench.path("out")).expect("is there").count();
        assert_eq!(outside, 1, "{words} made something outside");
    }

    fn denied(&self, words: &str, capability: &str) {
        let error = self.ask(words).expect_err(words);
        let capability = capability.replace('$', &self.bench.folder.path().display().to_string());
        assert_eq!((error.code, error.text("capability")), (Code::Denied, &*capability), "{words}: {error}");
    }
}

/// Everything that libc does with one path.
const EACH: [&str; 13] = [
    "read @",
    "write @ x",
    "append @ x",
    "open @ rt",
    "open @ wc",
    "open @ wcx",
    "list @",
    "unlink @",
    "rmdir @",
    "mkdir @",
    "touch @ 1",
    "truncate @ 0",
    "readlink @",
];

fn each(desk: &Desk, path: &str) {
    for words in EACH {
        desk.refuses(&words.replace('@', path));
    }
    desk.refuses(&format!("rename {path} $/in/b"));
    desk.refuses(&format!("rename $/in/a {path}"));
    desk.refuses(&format!("link {path} $/in/b"));
    assert_eq!(fs::read_to_string(desk.bench.path("in/a")).expect("is there"), "inside");
}

#[test]
fn hostile_d1_no_steps_upwards_lead_out() {
    for name in built(C) {
        let desk = Desk::new(name, ALL);
        desk.is("mkdir $/in/d", "ok");
        for path in [
            "$/in/../out/secret",
            "$/in/d/../../out/secret",
            "$/in/./d/../..//out/secret",
            "$/in/d/../../../../../../../../../../etc/passwd",
            "$/in/..",
            "../etc/passwd",
        ] {
            each(&desk, path);
        }
        desk.is("read $/in/d/../a", "inside");
        desk.bench.finish();
    }
}

#[test]
fn hostile_d2_absolute_names_and_those_of_windows_are_only_names() {
    for name in built(C) {
        let desk = Desk::new(name, ALL);
        for path in [
            "/etc/passwd",
            "//etc/passwd",
            "/proc/self/environ",
            "/proc/self/root/etc/passwd",
            "C:\\x",
            "\\\\?\\C:\\x",
        ] {
            each(&desk, path);
        }
        desk.bench.finish();
    }
}

#[test]
fn hostile_d3_no_link_leads_out_and_none_is_made() {
    for name in built(C) {
        let desk = Desk::new(name, ALL);
        let link = |to: &str, at: &str| symlink(desk.bench.path(to), desk.bench.path(at)).expect("made");
        link("out/secret", "in/file");
        link("out", "in/dir");
        link("in/dir/secret", "in/chain");
        link("out/new", "in/dangling");
        for at in 0..41 {
            symlink(format!("loop{}", (at + 1) % 41), desk.bench.path(&format!("in/loop{at}")))
                .expect("made");
        }
        for path in ["file", "dir/secret", "chain", "loop0"] {
            for words in
                ["read @", "write @ x", "append @ x", "open @ wct", "list @", "touch @ 1", "truncate @ 0"]
            {
                desk.refuses(&words.replace('@', &format!("$/in/{path}")));
            }
        }
        for words in
            ["write $/in/dangling x", "open $/in/dangling wc", "mkdir $/in/dir/new", "unlink $/in/dir/secret"]
        {
            desk.refuses(words);
        }
        for words in ["symlink /etc/passwd $/in/new", "symlink ../out $/in/new", "link $/out/secret $/in/new"]
        {
            desk.refuses(words);
        }
        assert!(fs::symlink_metadata(desk.bench.path("in/new")).is_err());
        // The links themselves are the guest's to remove.
        desk.is("unlink $/in/file", "ok");
        desk.bench.finish();
    }
}

#[test]
fn hostile_d6_what_may_only_be_read_stays_as_it_was_to_its_times() {
    for name in built(C) {
        let desk = Desk::new(name, "fs.read,list");
        let path = desk.bench.path("in/a");
        let then = UNIX_EPOCH + Duration::from_secs(1_000_000);
        fs::File::options().write(true).open(&path).expect("opens").set_modified(then).expect("set");
        for (words, capability) in [
            ("open $/in/a rt", "fs.write $/in/a"),
            ("open $/in/a wt", "fs.write $/in/a"),
            ("open $/in/a wc", "fs.write $/in/a"),
            ("open $/in/a wa", "fs.write $/in/a"),
            ("open $/in/n rc", "fs.write $/in/n"),
            ("truncate $/in/a 0", "fs.write $/in/a"),
            ("touch $/in/a 5", "fs.write $/in/a"),
            ("unlink $/in/a", "fs.delete $/in/a"),
            ("mkdir $/in/d", "fs.write $/in/d"),
            ("rename $/in/a $/in/b", "fs.delete $/in/a"),
        ] {
            desk.denied(words, capability);
        }
        let found = fs::metadata(&path).expect("is there");
        assert_eq!((found.len(), found.modified().expect("known")), (6, then));
        assert_eq!(fs::read_dir(desk.bench.path("in")).expect("is there").count(), 1);
        let denials = desk.bench.finish();
        assert_eq!(denials.len(), 10, "one record for each denied use: {denials:#?}");
    }
}

/// `AIRWASM_RACES` times, or 20,000.
#[test]
fn hostile_d7_a_folder_swapped_for_a_link_while_it_is_opened_leads_nowhere() {
    let races = std::env::var("AIRWASM_RACES").map_or(20_000, |text| text.parse().expect("a number"));
    for name in built(C) {
        let desk = Desk::new(name, ALL);
        desk.bench.write("in/d/secret", "inside");
        let [at, aside, link] = ["in/d", "in/aside", "in/link"].map(|name| desk.bench.path(name));
        symlink(desk.bench.path("out"), &link).expect("made");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    for (from, to) in [(&at, &aside), (&link, &at), (&at, &link), (&aside, &at)] {
                        fs::rename(from, to).expect("renamed");
                    }
                }
            });
            let mut tried = 0;
            while tried < races {
                // A failure is the budget of the processor, on one that others want too.
                tried += 200;
                let answer = desk.ask("race $/in/d/secret 200");
                assert!(answer.as_deref().map_or(true, |outside| outside == "0"), "{answer:?}");
            }
            done.store(true, Relaxed);
        });
        desk.bench.finish();
    }
}

#[test]
fn hostile_d8_what_takes_the_place_of_the_folder_is_not_what_was_granted() {
    for name in built(C) {
        let desk = Desk::new(name, ALL);
        desk.is("keep $/in/a", "ok");
        fs::rename(desk.bench.path("in"), desk.bench.path("moved")).expect("moved");
        desk.bench.write("in/a", "occupant");
        assert_eq!(desk.ask("kept").unwrap_or_else(|_| "inside".to_owned()), "inside");
        let read = desk.ask("read $/in/a");
        assert!(read.as_deref().map_or(true, |text| text == "inside"), "{read:?}");
        desk.bench.finish();
    }
}

#[test]
fn hostile_d10_what_is_no_file_is_not_opened_and_nobody_waits_for_it() {
    for name in built(C) {
        let desk = Desk::new(name, ALL);
        assert!(Command::new("mkfifo").arg(desk.bench.path("in/fifo")).status().expect("runs").success());
        desk.is("list $/in/.", "a fifo ");
        let socket = std::os::unix::net::UnixListener::bind(desk.bench.path("in/socket")).expect("bound");
        for path in ["$/in/fifo", "$/in/socket", "$/in"] {
            for words in ["read @", "write @ x", "append @ x", "open @ wt", "truncate @ 0"] {
                desk.refuses(&words.replace('@', path));
            }
        }
        desk.bench.system.grant(desk.guest, "fs.read,write /dev/**", None).expect("granted");
        for words in ["read /dev/zero", "read /dev/tty", "write /dev/null x", "read /dev/random"] {
            desk.refuses(words);
        }
        drop(socket);
        desk.bench.finish();
    }
}

#[test]
fn hostile_d12_a_pattern_covers_what_it_says_and_not_its_neighbours() {
    for name in built(C) {
        let desk = Desk::new(name, "fs.read");
        for path in ["data/a", "data/a.txt", "data/b/c", "database/a", "dat", "other/.txt"] {
            desk.bench.write(path, "inside");
        }
        for (pattern, allowed, refused) in [
            ("data/*", vec!["data/a", "data/a.txt"], vec!["data/b/c", "database/a", "dat", "other/.txt"]),
            ("data/**", vec!["data/a", "data/b/c"], vec!["database/a", "dat"]),
            ("data/*.txt", vec!["data/a.txt"], vec!["data/a", "data/b/c", "other/.txt"]),
            ("data", vec![], vec!["data/a", "database/a", "dat"]),
        ] {
            let grant = format!("fs.read {}", desk.bench.path(pattern));
            let grant = desk.bench.system.grant(desk.guest, &grant, None).expect("granted");
            for path in allowed {
                desk.is(&format!("read $/{path}"), "inside");
            }
            for path in refused {
                desk.denied(&format!("read $/{path}"), &format!("fs.read $/{path}"));
            }
            desk.bench.system.revoke(grant).expect("was granted");
        }
        desk.bench.finish();
    }
}

#[test]
fn hostile_d13_malformed_names_are_errors() {
    for name in built(C) {
        let desk = Desk::new(name, ALL);
        let (long, deep) = (format!("$/in/{}", "n".repeat(256)), format!("$/in{}", "/n".repeat(2_100)));
        for path in [long.as_str(), deep.as_str(), "$/in/a/", "$/in/a/b", "."] {
            for words in ["read @", "write @ x", "truncate @ 0", "rmdir @"] {
                desk.refuses(&words.replace('@', path));
            }
        }
        desk.is("read $/in/./a", "inside");
        desk.bench.finish();
    }
}

#[test]
fn hostile_d16_what_is_written_ends_at_the_quota_and_the_log_goes_on() {
    for name in built(C) {
        let desk = Desk::new(name, ALL);
        let (mut written, piece) = (0, "x".repeat(9_999));
        while desk.ask(&format!("append $/in/log {piece}")).is_ok() {
            written += piece.len();
            assert!(written <= 100_000, "{written} bytes are more than the quota");
        }
        assert!(written >= 90_000, "{written} bytes are less than the quota allows");
        assert!(fs::metadata(desk.bench.path("in/log")).expect("is there").len() <= 100_000);
        desk.denied("read $/out/secret", "fs.read $/out/secret");
        let denials = desk.bench.finish();
        assert!(denials.iter().any(|line| line.contains("out/secret")), "{denials:#?}");
    }
}

#[test]
fn hostile_d18_a_file_that_is_open_is_cut_with_its_grant() {
    for name in built(C) {
        let desk = Desk::new(name, "fs.list");
        let grant = format!("fs.read {}", desk.bench.path("in/a"));
        let grant = desk.bench.system.grant(desk.guest, &grant, None).expect("granted");
        desk.is("keep $/in/a", "ok");
        desk.is("kept", "inside");
        assert_eq!(desk.bench.system.revoke(grant).expect("was granted"), 1);
        let error = desk.ask("kept").expect_err("cut");
        assert!(matches!(error.code, Code::GrantRevoked | Code::Denied), "{} {error}", error.code.name());
        desk.denied("read $/in/a", "fs.read $/in/a");
        desk.bench.finish();
    }
}
