//! Files as a guest finds them where a scenario has no step: directories that move, what is no file, a policy's limit.

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Command;

use airwasm::{ActorHandle, ActorSpec, Code, Limits, RequestOptions, Result, System, UNLIMITED};
use airwasm_tests::guest;
use tempfile::TempDir;

use crate::{open, refused};

/// A folder with one guest that may do everything in its `d`.
struct Desk {
    folder: TempDir,
    system: System,
    guest: ActorHandle,
}

impl Desk {
    fn new(limits: Limits) -> Self {
        let (folder, system) = (tempfile::tempdir().expect("a folder"), open());
        fs::create_dir(folder.path().join("d")).expect("made");
        let files = system.load(&guest("files")).expect("loads");
        let grant = format!("fs.read,list,write,delete {}/d/**", folder.path().display());
        let guest = system.spawn(ActorSpec::new(files).grant(&grant).limits(limits)).expect("starts");
        Self { folder, system, guest }
    }

    fn ask(&self, text: &str) -> Result<String> {
        let text = text.replace("$TMP", &self.folder.path().display().to_string());
        let answer = self.system.request(self.guest, text.as_bytes(), &RequestOptions::default())?;
        Ok(String::from_utf8(answer).expect("text"))
    }

    fn is(&self, text: &str, answer: &str) {
        assert_eq!(self.ask(text).expect(text), answer, "{text}");
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).expect("readable")
    }
}

#[test]
fn hostile_d8_what_takes_the_place_of_the_granted_directory_is_out_of_reach() {
    let desk = Desk::new(Limits::default());
    desk.write("d/e/a", "moved");
    desk.is("open_write $TMP/d/e/a", "ok");
    let at = |name: &str| desk.folder.path().join(name);
    fs::rename(at("d"), at("elsewhere")).expect("moved");
    desk.write("d/e/a", "occupant");
    desk.is("put MOVED", "ok");
    assert_eq!(desk.read("elsewhere/e/a"), "MOVED");
    for words in ["write $TMP/d/e/a x", "append $TMP/d/e/a x", "truncate $TMP/d/e/a 0", "remove $TMP/d/e/a"] {
        let _ = desk.ask(words);
        assert_eq!(desk.read("d/e/a"), "occupant", "{words}");
    }
    let _ = desk.ask("rename $TMP/d/e $TMP/d/f");
    assert_eq!(desk.read("d/e/a"), "occupant");
    assert!(desk.ask("read $TMP/d/e/a").map_or(true, |text| text != "occupant"));
}

#[test]
fn hostile_d10_what_is_no_file_is_not_opened_and_nobody_waits_for_it() {
    let desk = Desk::new(Limits::default());
    let at = |name: &str| desk.folder.path().join("d").join(name);
    assert!(Command::new("mkfifo").arg(at("fifo")).status().expect("mkfifo runs").success());
    let _listener = UnixListener::bind(at("socket")).expect("bound");
    fs::create_dir(at("dir")).expect("made");
    for name in ["fifo", "socket", "dir"] {
        for words in
            ["write $TMP/d/{} x", "append $TMP/d/{} x", "truncate $TMP/d/{} 0", "copy $TMP/d/{} $TMP/d/n"]
        {
            let error = refused(desk.ask(&words.replace("{}", name)));
            assert_eq!(error.code, Code::Failure, "{words} {name}: {error}");
        }
    }
    for name in ["fifo", "socket"] {
        assert_eq!(refused(desk.ask(&format!("read $TMP/d/{name}"))).code, Code::Failure);
        assert_eq!(refused(desk.ask(&format!("rename $TMP/d/{name} $TMP/d/n"))).code, Code::Failure);
        desk.is(&format!("remove $TMP/d/{name}"), "ok");
    }
    desk.is("list $TMP/d", "dir");
}

#[test]
fn hostile_d16_a_policy_bounds_what_is_written_below_what_the_code_says() {
    let desk = Desk::new(Limits { written_bytes: Some(UNLIMITED), ..Limits::default() });
    desk.is("fill $TMP/d/a 3000000", "ok");
    desk.is("truncate $TMP/d/a 0", "ok");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.yaml");
    fs::write(&path, "version: 1\ndefaults:\n  limits: { written: 1KiB }\n").expect("written");
    desk.system.policy_load(&path).expect("a policy");
    let (files, bounded) = (desk.system.load(&guest("files")).expect("loads"), Limits::default());
    let grant = format!("fs.write {}/d/**", desk.folder.path().display());
    let late = desk.system.spawn(ActorSpec::new(files).grant(&grant).limits(bounded)).expect("starts");
    let late = Desk { guest: late, ..desk };
    late.is("fill $TMP/d/b 1024", "ok");
    let error = refused(late.ask("raw end $TMP/d/b 1"));
    assert!(error.message.contains("uota"), "{error}");
    assert_eq!(late.read("d/b").len(), 1_024);
}

#[test]
fn a_bound_of_zero_is_refused_and_so_is_what_no_guest_can_be_given() {
    let system = open();
    let files = system.load(&guest("files")).expect("loads");
    let bounded = Limits { written_bytes: Some(0), ..Limits::default() };
    for (which, spec) in [
        ("written_bytes", ActorSpec::new(files).limits(bounded)),
        ("args", ActorSpec::new(files).arg("a\0b")),
        ("env", ActorSpec::new(files).env("A B", "c")),
        ("env", ActorSpec::new(files).env("A", "b").env("A", "c")),
    ] {
        let error = refused(system.spawn(spec));
        assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, which), "{error}");
    }
    assert_eq!(system.list(None).expect("open").len(), 0);
}

#[test]
fn more_streams_at_once_than_one_guest_has_operations_under_way_all_come_to_their_end() {
    let desk = Desk::new(Limits::default());
    let letters = ('a'..='z').cycle().take(60).collect::<String>();
    desk.is("raw many $TMP/d/a 60", &letters);
    assert_eq!(desk.read("d/a"), letters);
}

#[test]
fn hostile_b5_what_a_guest_has_listed_and_keeps_is_bounded_over_all_its_streams() {
    let desk = Desk::new(Limits::default());
    for number in 0..30_000 {
        fs::File::create(desk.folder.path().join(format!("d/{number}"))).expect("made");
    }
    desk.is("raw listings $TMP/d 3", "3");
    let error = desk.ask("raw listings $TMP/d 4").expect_err("refused");
    assert!(error.message.contains("insufficient-memory"), "{error}");
    desk.is("raw listings $TMP/d 3", "3");
}
