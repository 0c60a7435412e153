//! `link: strict`: who may ask for what nothing grants does not start, whatever becomes of the component meanwhile.

use std::fs;

use airwasm::{
    ActorHandle, ActorSpec, Code, ComponentHandle, Config, RequestOptions, Restart, Result, System,
};
use airwasm_tests::guest;
use tempfile::TempDir;

use crate::wasm::{component, list, sized};

const STRING: u8 = 0x73;

/// A system whose policy says so.
fn strict() -> (TempDir, System) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.yaml");
    fs::write(&path, "version: 1\nlink: strict\n").expect("written");
    let system = System::open(Config::default()).expect("a system");
    system.policy_load(&path).expect("a policy");
    (folder, system)
}

fn named(name: &str) -> Vec<u8> {
    [vec![0], sized(name.as_bytes())].concat()
}

/// A component that imports the environment in this version, and nothing else.
fn asking(version: &str) -> Vec<u8> {
    let declared = [
        vec![1, 0x6f, 2, STRING, STRING],
        vec![1, 0x70, 0],
        vec![1, 0x40, 0, 0, 1],
        [vec![4], named("get-environment"), vec![1, 2]].concat(),
    ];
    let interface = [vec![0x42], list(&declared)].concat();
    let import = [named(&format!("wasi:cli/environment@{version}")), vec![5, 0]].concat();
    component(&[(7, list(&[interface])), (10, list(&[import]))])
}

fn start(system: &System, component: ComponentHandle) -> Result<ActorHandle> {
    system.spawn(ActorSpec::new(component))
}

#[test]
fn what_is_built_from_a_version_is_of_that_version() {
    let (_folder, system) = strict();
    for version in ["0.2.0", "0.2.0+x", "0.2.3+build.7", "0.2.12+x-y"] {
        let component = system.load_bytes(asking(version)).expect("loads");
        let error = start(&system, component).expect_err("nothing grants it");
        assert_eq!((error.code, error.text("import")), (Code::ImportMissing, "wasi:cli/environment"));
        let granted = ActorSpec::new(component).grant("env LANG");
        system.spawn(granted).unwrap_or_else(|error| panic!("{version}: {error}"));
    }
    let other = system.load_bytes(asking("0.3.0+0.2.0")).expect("loads");
    assert_eq!(start(&system, other).expect_err("of another track").code, Code::ImportMissing);
}

#[test]
fn a_component_that_is_unloaded_while_an_actor_is_spawned_from_it_is_checked_all_the_same() {
    const ROUNDS: usize = 300;
    let (_folder, system) = strict();
    for _ in 0..ROUNDS {
        let component = system.load_bytes(asking("0.2.0")).expect("loads");
        let together = std::sync::Barrier::new(2);
        let error = std::thread::scope(|scope| {
            scope.spawn(|| {
                together.wait();
                system.unload(component).expect("is loaded");
            });
            together.wait();
            start(&system, component).expect_err("not there, or nothing grants it")
        });
        assert!(matches!(error.code, Code::ImportMissing | Code::NotFound), "{error}");
        assert_eq!(system.list(None).expect("open").len(), 0);
    }
}

#[test]
fn what_was_spawned_before_its_component_was_unloaded_is_restarted_and_nobody_else_is_spawned() {
    let (_folder, system) = strict();
    let events = system.events("actor.restarted").expect("events");
    let component = system.load(&guest("crasher")).expect("loads");
    let spec = ActorSpec::new(component).grant("env A");
    let actor = system.spawn(spec.restart(Restart::Permanent)).expect("starts");
    system.unload(component).expect("is loaded");
    let traps = system.request(actor, b"abort", &RequestOptions::default());
    assert_eq!(traps.expect_err("it ends").code, Code::Trapped);
    assert_eq!(events.into_iter().next().expect("told").kind, "actor.restarted");
    assert_eq!(start(&system, component).expect_err("forgotten").code, Code::NotFound);
}
