//! The surface is the same in every host: operations by the one name rule, and the set of error codes.

use std::collections::BTreeSet;

use airwasm::Code;
use airwasm_tests::root;

/// Where a host spells an operation of the facade in another way than the rule says, and why.
const SPELLED: [(&str, &str, &str); 8] = [
    // Opening is what a constructor does; closing has a context manager besides.
    ("open", "python", "def __init__("),
    ("version", "python", "__version__"),
    // A handle is an object there, and its id a property; in C a bare airwasm_id would say nothing.
    ("id", "c", "airwasm_actor_id("),
    ("id", "python", "def id("),
    ("id", "node", "readonly id: string"),
    // C takes events by callback; an iterator is what the others have.
    ("events_subscribe", "c", "airwasm_events("),
    // A waiting call is given up in the way of the language.
    ("cancel", "python", "Awaitable["),
    ("cancel", "node", "signal?: AbortSignal"),
];

/// What a host does not have, and why.
const ABSENT: [(&str, &str); 7] = [
    // For the finalizers and threads of a binding, not for its users.
    ("abandon", "c python node"),
    ("run_callback", "c python node"),
    // An id is what C gives; the others know who asks.
    ("asker", "c python node"),
    ("request_begin", "c python node"),
    ("spawn_host_deferred", "c python node"),
    ("events_subscribe", "python node"),
    // C knows whether it has closed.
    ("is_closed", "c"),
];

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// The public methods of `impl System`.
fn facade() -> Vec<String> {
    let mut methods = Vec::new();
    for entry in std::fs::read_dir(root().join("core/wasm/src/system")).expect("the facade") {
        let text = std::fs::read_to_string(entry.expect("readable").path()).expect("text");
        let blocks = text.split("\nimpl System {").skip(1).filter_map(|block| block.split("\n}").next());
        for line in blocks.flat_map(str::lines) {
            if let Some(rest) = line.strip_prefix("    pub fn ") {
                methods.push(rest.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
        }
    }
    methods.sort();
    methods
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + &part[..1].to_uppercase() + &part[1..])
}

/// How a host spells a method by the rule.
fn by_rule(method: &str, host: &str) -> String {
    match host {
        "c" => format!("airwasm_{method}("),
        "python" => format!("def {method}("),
        _ => format!("{}(", camel(method.strip_suffix("_async").unwrap_or(method))),
    }
}

#[test]
fn every_operation_is_in_every_host() {
    let header = read("include/airwasm.h");
    let stub = read("bindings-python/python/airwasm/__init__.pyi");
    let types = read("bindings-node/index.d.ts");
    let mut missing = Vec::new();
    let methods = facade();
    assert!(methods.len() > 25, "the facade was not found: {methods:?}");
    for method in &methods {
        for (host, text) in [("c", &header), ("python", &stub), ("node", &types)] {
            if ABSENT.iter().any(|(name, hosts)| name == method && hosts.contains(host)) {
                continue;
            }
            let spelled = SPELLED.iter().find(|(name, in_host, _)| name == method && *in_host == host);
            let wanted = spelled.map_or_else(|| by_rule(method, host), |(_, _, text)| (*text).to_owned());
            if !text.contains(&wanted) {
                missing.push(format!("{method} in {host}: {wanted}"));
            }
        }
    }
    assert!(missing.is_empty(), "missing operations:\n{}", missing.join("\n"));
}

#[test]
fn every_host_has_the_same_error_codes() {
    let ours: BTreeSet<(String, u32)> =
        Code::ALL.iter().map(|code| (code.name().to_owned(), code.number())).collect();
    let header = read("include/airwasm.h");
    let in_c: BTreeSet<(String, u32)> = header
        .lines()
        .filter_map(|line| line.trim().strip_prefix("AIRWASM_E_")?.strip_suffix(',')?.split_once(" = "))
        .map(|(name, number)| (name.to_owned(), number.parse().expect("a number")))
        .collect();
    assert_eq!(ours, in_c);
    let stub = read("bindings-python/python/airwasm/__init__.pyi");
    for code in Code::ALL {
        assert!(stub.contains(&format!("class {}(", code.class())), "Python lacks {}", code.class());
    }
    let roots = ["AirwasmError(", "AirwasmError,"];
    let classes = stub.lines().filter(|line| line.starts_with("class "));
    let derived = classes.filter(|line| {
        let parents = line.split_once('(').map_or("", |(_, parents)| parents);
        parents.starts_with("AirwasmError")
            || parents.starts_with("Denied")
            || roots.iter().any(|root| parents.starts_with(root))
    });
    assert_eq!(derived.count(), Code::ALL.len(), "one class a code, and no other");
}

#[test]
fn numbers_and_names_of_codes_never_change() {
    // Append-only: a new code is a new line at its place; no line is ever changed.
    let table = read("tests/runners/rust/codes.txt");
    let now: Vec<String> =
        Code::ALL.iter().map(|code| format!("{} {}", code.number(), code.name())).collect();
    assert_eq!(table.lines().collect::<Vec<_>>(), now);
}
