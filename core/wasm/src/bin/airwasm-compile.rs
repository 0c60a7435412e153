//! Compiles one component for a system that named this program as its `compile_helper`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match airwasm::compile_helper() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("airwasm-compile: {error}");
            ExitCode::FAILURE
        }
    }
}
