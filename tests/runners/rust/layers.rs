//! What the compiler does not check: imports point down, files and functions stay small, unsafe stays in its place.

use std::path::{Path, PathBuf};

use airwasm_tests::root;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Modules of `core/wasm/src`, the lowest first; each may use itself and those before it.
const LAYERS: [&str; 6] = ["fork", "types", "engine", "host", "component", "system"];

/// Crates and what they must not depend on.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    ("core/osl", &["wasmtime", "airssys-rt", "airwasm", "tokio"]),
    ("core/rt", &["wasmtime", "airssys-osl", "airwasm", "rustix", "cap-std"]),
    ("ffi-c", &["wasmtime", "airssys-osl", "airssys-rt", "tokio"]),
    ("bindings-python", &["wasmtime", "airssys-osl", "airssys-rt", "tokio"]),
    ("bindings-node", &["wasmtime", "airssys-osl", "airssys-rt", "tokio"]),
];

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for path in entries.map(|entry| entry.expect("readable").path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "node_modules", "dist"].contains(&name.as_str()) {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    let folders = ["core", "ffi-c", "bindings-python", "bindings-node", "tests/runners", "tools", "examples"];
    let all = folders.iter().flat_map(|folder| files(&root().join(folder), "rs"));
    all.map(|path| (path.clone(), std::fs::read_to_string(&path).expect("text"))).collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The part of a file before its tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

fn nothing(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn modules_of_the_core_point_down() {
    let folder = root().join("core/wasm/src");
    let rank = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let mut found = Vec::new();
    for path in files(&folder, "rs") {
        let inside = path.strip_prefix(&folder).expect("inside").display().to_string();
        let module = inside.split(['/', '.']).next().unwrap_or_default().to_owned();
        // Programs over the facade.
        if module == "lib" || module == "bin" {
            continue;
        }
        let own = rank(&module).unwrap_or_else(|| panic!("{module} has no place among the layers"));
        let text = std::fs::read_to_string(&path).expect("text");
        for used in text.split("crate::").skip(1) {
            let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if rank(&name).is_some_and(|other| other > own) {
                found.push(format!("{inside} uses crate::{name}"));
            }
        }
    }
    nothing("imports that point up", found);
}

#[test]
fn only_the_engine_names_engines_and_stores() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let inside = shown(&path);
        let names = ["wasmtime::Engine", "wasmtime::Store", "Store<", "wasmtime::Config", "component::Val"];
        if !inside.starts_with("core/wasm/src/engine/")
            && !inside.starts_with("tests/")
            && !inside.ends_with("_tests.rs")
            && names.iter().any(|name| text.contains(name))
        {
            found.push(inside);
        }
    }
    nothing("wasmtime's engine is named outside core/wasm/src/engine", found);
}

#[test]
fn crates_do_not_reach_past_their_layer() {
    let mut found = Vec::new();
    for (folder, forbidden) in FORBIDDEN {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("a manifest");
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for name in dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next()) {
            if forbidden.contains(&name) {
                found.push(format!("{folder} depends on {name}"));
            }
        }
    }
    nothing("forbidden dependencies", found);
}

#[test]
fn files_and_functions_stay_small() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            found.push(format!("{} has {} lines", shown(&path), lines.len()));
        }
        for (start, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let words = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
            let words =
                words.trim_start_matches("pub ").trim_start_matches("async ").trim_start_matches("const ");
            if !words.starts_with("fn ") {
                continue;
            }
            // Formatted code closes a function at the column where it begins.
            let closing = format!("{}}}", " ".repeat(indent));
            let length = lines[start..].iter().position(|line| *line == closing).unwrap_or(0) + 1;
            if length > FUNCTION_LINES_MAX {
                found.push(format!("{}:{}: a function of {length} lines", shown(&path), start + 1));
            }
        }
    }
    nothing("too large", found);
}

#[test]
fn nothing_is_left_over() {
    let marks = ["to", "un", "db", "FIX", "XX"].into_iter().zip(["do!(", "implemented!(", "g!(", "ME", "X"]);
    let marks: Vec<String> = marks.map(|(one, other)| format!("{one}{other}")).collect();
    let mut found = Vec::new();
    let library =
        |path: &str| path.starts_with("core/") || path.starts_with("ffi-c/") || path.starts_with("bindings-");
    for (path, text) in sources() {
        let inside = shown(&path);
        found
            .extend(marks.iter().filter(|mark| text.contains(*mark)).map(|mark| format!("{inside}: {mark}")));
        let is_test = inside.contains("/tests/") || inside.ends_with("_tests.rs");
        if library(&inside) && !is_test && without_tests(&text).contains(".unwrap()") {
            found.push(format!("{inside}: a bare unwrap"));
        }
    }
    nothing("left-overs", found);
}

#[test]
fn unsafe_stands_in_one_file_a_crate_with_its_reason() {
    let mut found = Vec::new();
    for folder in [
        "core/osl/src",
        "core/rt/src",
        "core/wasm/src",
        "ffi-c/src",
        "bindings-python/src",
        "bindings-node/src",
    ] {
        let mut with_unsafe = Vec::new();
        for path in files(&root().join(folder), "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            let lines: Vec<&str> = text.lines().collect();
            let blocks: Vec<usize> = (0..lines.len())
                .filter(|n| !lines[*n].trim_start().starts_with("//"))
                .filter(|n| {
                    ["unsafe {", "unsafe impl", "unsafe fn"].iter().any(|mark| lines[*n].contains(mark))
                })
                .collect();
            if blocks.is_empty() {
                continue;
            }
            with_unsafe.push(shown(&path));
            for n in blocks {
                let before = &lines[n.saturating_sub(12)..=n];
                if !before.iter().any(|line| line.contains("SAFETY:") || line.contains("# Safety")) {
                    found.push(format!("{}:{}: unsafe without a reason", shown(&path), n + 1));
                }
            }
        }
        if with_unsafe.len() > 1 {
            found.push(format!("{folder}: unsafe in {with_unsafe:?}"));
        }
    }
    nothing("unsafe out of place", found);
}
