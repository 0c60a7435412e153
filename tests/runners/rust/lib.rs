//! What the tests of the Rust host share: where things lie in the repository.

use std::path::PathBuf;

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the root").to_owned()
}

/// The file of a guest that `tests/guests/build` made.
pub fn guest(name: &str) -> PathBuf {
    root().join("target/guests").join(format!("{name}.wasm"))
}

/// How much memory this process holds now.
pub fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("is told");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// How many descriptors this process has open.
pub fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux").count()
}

/// The command of the program that compiles for others, which the same build has made.
pub fn compile_helper() -> Vec<String> {
    let test = std::env::current_exe().expect("known");
    let built = test.parent().and_then(std::path::Path::parent).expect("tests lie in deps");
    vec![built.join("airwasm-compile").display().to_string()]
}
