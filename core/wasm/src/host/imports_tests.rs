use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;
use wit_parser::Resolve;

use super::*;
use crate::host::{State, add_to_linker};

fn linker() -> Linker<State> {
    let mut linker = Linker::new(&wasmtime::Engine::default());
    add_to_linker(&mut linker).expect("it links");
    linker
}

/// Whether a linker has a function: it takes none of the same name.
fn is_linked(linker: &mut Linker<State>, interface: &str, function: &str) -> bool {
    let mut instance = linker.instance(interface).expect("a name");
    instance.func_wrap(function, |_: StoreContextMut<'_, State>, (): ()| Ok(())).is_err()
}

/// The WIT that wasmtime's bindings of WASI are made of, and ours.
fn specifications() -> [PathBuf; 2] {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = Command::new(env!("CARGO"));
    let told = cargo.args(["metadata", "--offline", "--format-version", "1"]).current_dir(here).output();
    let told: Value = serde_json::from_slice(&told.expect("cargo").stdout).expect("JSON");
    let mut packages = told["packages"].as_array().expect("packages").iter();
    let http = packages.find(|package| package["name"] == "wasmtime-wasi-http").expect("a dependency");
    let http = Path::new(http["manifest_path"].as_str().expect("a path"));
    [http.with_file_name("wit"), here.join("../../wit")]
}

/// Each function of a specification, beside its interface.
fn functions_of(folder: &Path) -> BTreeSet<(String, String)> {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    resolve.push_dir(folder).expect("WIT");
    let named = resolve.interfaces.iter().filter_map(|(id, interface)| Some((resolve.id_of(id)?, interface)));
    named
        .flat_map(|(id, interface)| interface.functions.keys().map(move |name| (id.clone(), name.clone())))
        .collect()
}

fn in_table(interface: &str, function: &str) -> bool {
    let (name, version) = interface.split_once('@').unwrap_or((interface, ""));
    Interface::find(name).is_some_and(|found| found.fits(version) && found.families(function).is_some())
}

#[test]
fn each_function_that_is_linked_stands_in_the_table() {
    let mut linker = linker();
    let specified: BTreeSet<_> = specifications().iter().flat_map(|folder| functions_of(folder)).collect();
    assert!(specified.len() > 180, "{}", specified.len());
    let missing: Vec<_> = specified
        .iter()
        .filter(|(interface, function)| {
            is_linked(&mut linker, interface, function) && !in_table(interface, function)
        })
        .collect();
    assert!(missing.is_empty(), "linked, and not in the table: {missing:#?}");
}

#[test]
fn each_function_of_the_table_is_linked_and_stands_there_once() {
    let mut linker = linker();
    for interface in INTERFACES {
        assert_eq!(INTERFACES.iter().filter(|other| other.name == interface.name).count(), 1);
        let functions: Vec<_> = interface.functions().collect();
        assert_eq!(functions.iter().collect::<BTreeSet<_>>().len(), functions.len(), "{}", interface.name);
        for version in interface.versions {
            let name = if version.is_empty() {
                interface.name.to_owned()
            } else {
                format!("{}@{version}", interface.name)
            };
            for function in &functions {
                assert!(is_linked(&mut linker, &name, function), "{name} {function}");
            }
        }
    }
}

#[test]
fn each_family_of_the_table_can_be_granted() {
    for (families, _) in INTERFACES.iter().flat_map(|interface| interface.functions) {
        for family in families.split_whitespace() {
            let all = ["clock", "env", "http", "random", "stdio"];
            let grouped = ["fs.", "kv.", "net.", "message.", "process.", "region."];
            assert!(
                all.contains(&family) || grouped.iter().any(|group| family.starts_with(group)),
                "{family}"
            );
        }
    }
}

#[test]
fn hostile_c6_a_version_fits_within_its_track_alone() {
    let fits = |name: &str, version: &str| Interface::find(name).expect("ours").fits(version);
    for version in ["0.2.0", "0.2.3", "0.2.12", "0.2.99", "0.2.3+x"] {
        assert!(fits("wasi:cli/exit", version), "{version}");
    }
    for version in ["", "0.3.0", "0.1.9", "1.2.0", "0.2", "0.2.0-rc-2023-11-10", "0.2.1.1", "0.2.x"] {
        assert!(!fits("wasi:cli/exit", version), "{version}");
    }
    assert!(fits("wasi:config/store", "0.2.0-rc.1") && !fits("wasi:config/store", "0.2.0"));
    assert!(fits("wasi:logging/logging", "") && fits("wasi:logging/logging", "0.1.0-draft"));
    assert!(!fits("wasi:logging/logging", "0.1.0"));
}
