//! Why a component does not link: each import that nobody implements, with what would fit.

use serde_json::{Value, json};

use super::nearest;
use crate::engine::Item;
use crate::host::imports::{INTERFACES, Interface};
use crate::types::error::{Code, Error};

/// Imports, and functions of one, that an error names; of the others the count.
const NAMED_MAX: usize = 8;
/// Bytes of a name, or of what the engine says, that an error shows.
const SHOWN_BYTES_MAX: usize = 512;

/// What is wrong with one import. What may have been meant is looked for only where it is told.
enum Fault<'a> {
    /// No interface of the host has this name.
    Nobody(&'a str),
    /// The host has it in other versions.
    Version(&'static Interface),
    /// The host's interface lacks these functions.
    Functions(&'static Interface, Vec<&'a str>),
}

/// The error of a component whose imports `why`, in the engine's words, do not link.
///
/// `IMPORT_MISSING` if there is one that nobody implements, else `TYPE_MISMATCH`: all are there, and one has another type.
pub(super) fn fault(imports: &[Item], why: &str) -> Error {
    let needed = imports.iter().filter(|import| import.is_needed);
    let faults: Vec<_> = needed.filter_map(|import| Some((import, of(import)?))).collect();
    let Some((first, _)) = faults.first() else { return other_type(imports, why) };
    let mut told: Vec<String> =
        faults.iter().take(NAMED_MAX).map(|(import, fault)| sentence(import, fault)).collect();
    if faults.len() > NAMED_MAX {
        told.push(format!("and {} more", faults.len() - NAMED_MAX));
    }
    let facts: Vec<Value> =
        faults.iter().take(NAMED_MAX).map(|(import, fault)| facts(import, fault)).collect();
    let text = format!("nobody implements what the component imports: {}", told.join("; "));
    Error::new(Code::ImportMissing, text)
        .with("import", cut(&first.name))
        .with("missing", facts)
        .with("count", faults.len())
}

fn of(import: &Item) -> Option<Fault<'_>> {
    let (name, version) = import.name.split_once('@').unwrap_or((&import.name, ""));
    let Some(interface) = Interface::find(name) else {
        return Some(Fault::Nobody(name));
    };
    if !interface.fits(version) {
        return Some(Fault::Version(interface));
    }
    let functions = import.functions.iter().map(String::as_str);
    let lacks: Vec<_> = functions.filter(|function| interface.families(function).is_none()).collect();
    (!lacks.is_empty()).then_some(Fault::Functions(interface, lacks))
}

fn nearest_interface(name: &str) -> Option<&'static str> {
    nearest::to(name, INTERFACES.iter().map(|interface| interface.name))
}

fn sentence(import: &Item, fault: &Fault<'_>) -> String {
    let name = cut(&import.name);
    let functions = match list(import.functions.iter().map(|function| cut(function).to_owned())) {
        none if none.is_empty() => none,
        some => format!(" ({some})"),
    };
    match fault {
        Fault::Nobody(wanted) => match nearest_interface(wanted) {
            None => format!("no host function provides {name}{functions}"),
            Some(nearest) => format!("no host function provides {name}{functions}; the nearest is {nearest}"),
        },
        Fault::Version(interface) => {
            format!("{name}{functions} would have to be {}", fitting(interface).join(" or "))
        }
        Fault::Functions(interface, lacks) => {
            let told = |function: &&str| match nearest::to(function, interface.functions()) {
                Some(nearest) => format!("{}, the nearest is {nearest}", cut(function)),
                None => cut(function).to_owned(),
            };
            format!("{name} has no function {}", list(lacks.iter().map(told)))
        }
    }
}

fn facts(import: &Item, fault: &Fault<'_>) -> Value {
    let name = cut(&import.name);
    let imported = import.functions.iter().take(NAMED_MAX).map(|function| cut(function));
    let functions: Vec<&str> = imported.collect();
    match fault {
        Fault::Nobody(wanted) => {
            json!({ "import": name, "functions": functions, "nearest": nearest_interface(wanted) })
        }
        Fault::Version(interface) => {
            json!({ "import": name, "functions": functions, "fits": fitting(interface) })
        }
        Fault::Functions(interface, lacks) => {
            let lacks = lacks.iter().take(NAMED_MAX);
            let nearest: Vec<_> =
                lacks.clone().map(|function| nearest::to(function, interface.functions())).collect();
            let lacks: Vec<&str> = lacks.map(|function| cut(function)).collect();
            json!({ "import": name, "functions": lacks, "nearest": nearest })
        }
    }
}

/// The names that link in place of one of another version.
fn fitting(interface: &Interface) -> Vec<String> {
    let named = |version: &&str| match version.is_empty() {
        true => interface.name.to_owned(),
        false => format!("{}@{version}", interface.name),
    };
    interface.versions.iter().map(named).collect()
}

fn other_type(imports: &[Item], why: &str) -> Error {
    let is_blamed = |import: &&Item| why.contains(&format!("`{}`", import.name));
    let name = imports.iter().filter(|import| import.is_needed).find(is_blamed);
    let name = name.map_or("", |import| cut(&import.name));
    let text = format!("import {name} has another type than the host's: {}", cut(why));
    Error::new(Code::TypeMismatch, text).with("path", name).with("import", name)
}

/// As many as an error names; the others are not even looked at.
fn list(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(NAMED_MAX);
    let mut named: Vec<String> = all.take(NAMED_MAX).collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    named.join(", ")
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(name: &str, functions: &[&str]) -> Item {
        let functions = functions.iter().map(|name| (*name).to_owned()).collect();
        Item { name: name.to_owned(), functions, is_needed: true }
    }

    #[test]
    fn hostile_c6_each_import_that_nobody_implements_is_named_with_what_would_fit() {
        let error = fault(
            &[
                import("acme:tools/db@1.0.0", &["query", "close"]),
                import("wasi:cli/environment@0.2.3", &["get-environment"]),
                import("wasi:clocks/wall-clock@0.3.0", &["now"]),
                import("wasi:random/random@0.2.0", &["get-random-u46"]),
                import("wasi:logging/loging", &["log"]),
                import("wasi:logging/logging@1.0.0", &["log"]),
                import("run", &[]),
            ],
            "",
        );
        assert_eq!((error.code, error.text("import")), (Code::ImportMissing, "acme:tools/db@1.0.0"));
        let told = [
            "no host function provides acme:tools/db@1.0.0 (query, close)",
            "wasi:clocks/wall-clock@0.3.0 (now) would have to be wasi:clocks/wall-clock@0.2.12",
            "wasi:random/random@0.2.0 has no function get-random-u46, the nearest is get-random-u64",
            "no host function provides wasi:logging/loging (log); the nearest is wasi:logging/logging",
            "wasi:logging/logging@1.0.0 (log) would have to be wasi:logging/logging or wasi:logging/logging@0.1.0-draft",
            "no host function provides run",
        ];
        assert_eq!(
            error.message,
            format!("nobody implements what the component imports: {}", told.join("; "))
        );
        assert_eq!((error.number("count"), error.detail["missing"].as_array().map(Vec::len)), (6, Some(6)));
    }

    #[test]
    fn hostile_c6_an_error_about_many_long_imports_stays_small() {
        let functions = vec!["f".repeat(9_000); 20];
        let name = format!("a:b/{}", "c".repeat(9_000));
        let imports = vec![Item { name, functions, is_needed: true }; 30];
        let error = fault(&imports, &"why".repeat(100_000));
        assert!(error.message.len() < 64 << 10 && error.message.contains("and 22 more"));
        assert!(serde_json::to_vec(&error.detail).expect("JSON").len() < 128 << 10);
    }

    #[test]
    fn hostile_c7_an_import_of_another_type_is_another_error() {
        let imports = [import("wasi:random/random@0.2.0", &["get-random-u64"])];
        let error = fault(&imports, "component imports instance `wasi:random/random@0.2.0`: type mismatch");
        assert_eq!((error.code, error.text("import")), (Code::TypeMismatch, "wasi:random/random@0.2.0"));
    }
}
