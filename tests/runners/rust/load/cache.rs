//! Compiled code kept in a folder, through the facade.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use airwasm::{ActorSpec, Code, Config, RequestOptions, System};
use airwasm_tests::guest;

fn open(folder: &Path) -> System {
    System::open(Config { cache_dir: Some(folder.to_owned()), ..Config::default() }).expect("a system")
}

/// The entries, without the secret.
fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let all = std::fs::read_dir(folder).expect("there").map(|entry| entry.expect("readable").path());
    all.filter(|path| path.extension().is_some_and(|ending| ending == "code")).collect()
}

fn runs(system: &System) {
    let component = system.load(&guest("echo")).expect("loads");
    let actor = system.spawn(ActorSpec::new(component)).expect("starts");
    assert_eq!(system.request(actor, b"hi", &RequestOptions::default()).expect("answers"), b"hi");
}

#[test]
fn what_is_in_the_cache_runs() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("cache");
    runs(&open(&folder));
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let kept = entries(&folder);
    assert_eq!(
        (kept.len(), mode(&folder), mode(&folder.join("secret")), mode(&kept[0])),
        (1, 0o700, 0o600, 0o600)
    );
    let written = |path: &Path| std::fs::metadata(path).expect("there").modified().expect("known");
    let before = written(&kept[0]);
    runs(&open(&folder));
    assert_eq!((entries(&folder).len(), written(&kept[0])), (1, before));
}

#[test]
fn hostile_b16_hostile_n2_an_entry_that_is_not_as_written_is_compiled_again() {
    let folder = tempfile::tempdir().expect("a folder");
    runs(&open(folder.path()));
    let entry = entries(folder.path()).remove(0);
    let whole = std::fs::read(&entry).expect("ours");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for broken in [&whole[..whole.len() / 2], &whole[..10], b"", &flipped] {
        std::fs::write(&entry, broken).expect("ours");
        runs(&open(folder.path()));
        assert_ne!(std::fs::read(&entry).expect("ours"), broken);
    }
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).expect("ours");
    let refused = System::open(Config { cache_dir: Some(folder.path().to_owned()), ..Config::default() });
    assert_eq!(refused.err().expect("refused").code, Code::Io);
}

#[test]
fn no_grant_reaches_the_cache() {
    let folder = tempfile::tempdir().expect("a folder");
    let system = open(folder.path());
    let component = system.load(&guest("reader")).expect("loads");
    let reader = system.spawn(ActorSpec::new(component)).expect("starts");
    system.grant(reader, &format!("fs.read,list {}/**", folder.path().display()), None).expect("granted");
    let secret = folder.path().join("secret").display().to_string();
    let error = system.request(reader, secret.as_bytes(), &RequestOptions::default()).expect_err("denied");
    assert_eq!(error.code, Code::Denied, "{error}");
}
