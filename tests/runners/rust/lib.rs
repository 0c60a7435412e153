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

/// The command of the program that compiles for others, which the same build has made.
pub fn compile_helper() -> Vec<String> {
    let test = std::env::current_exe().expect("known");
    let built = test.parent().and_then(std::path::Path::parent).expect("tests lie in deps");
    vec![built.join("airwasm-compile").display().to_string()]
}
