//! The table of OTP's supervisor_SUITE: each case, what it asks, and the tests that answer it.
//!
//! A name is a test function of this crate; anything else is `no counterpart: <reason>`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("supervisor_suite.tsv");
/// The cases of the suite as of 2025.
const CASES: usize = 93;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// Names that follow a `#[test]`.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [root.join("src"), root.join("tests")].map(|folder| sources(&folder)).concat();
    let rust = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let texts = rust.map(|path| std::fs::read_to_string(path).expect("a source"));
    let marked = |text: String| {
        let parts: Vec<String> = text.split("#[test]\n").skip(1).map(str::to_owned).collect();
        parts.into_iter().filter_map(|part| {
            let name = part.trim_start().strip_prefix("fn ")?.split('(').next()?;
            Some(name.to_owned())
        })
    };
    texts.flat_map(marked).collect()
}

#[test]
fn each_case_of_otps_suite_has_tests_that_exist_or_a_reason() {
    let tests = tests();
    let mut cases = BTreeSet::new();
    for line in TABLE.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [case, asks, answer] = fields[..] else { panic!("three fields: {line:?}") };
        assert!([case, asks, answer].iter().all(|field| !field.trim().is_empty()), "{line:?}");
        assert!(cases.insert(case), "{case} stands twice");
        if let Some(reason) = answer.strip_prefix("no counterpart: ") {
            assert!(!reason.trim().is_empty(), "{case}");
            continue;
        }
        for name in answer.split(' ') {
            assert!(tests.contains(name), "{case}: there is no test {name:?}");
        }
    }
    assert_eq!(cases.len(), CASES);
}
