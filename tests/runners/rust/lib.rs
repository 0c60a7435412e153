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
