//! Writes `include/airwasm.h` from the sources of `ffi-c` and the error codes of the facade; with `--check` it only
//! says whether the committed header is the same.

use std::path::Path;
use std::process::ExitCode;

use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};

mod text;

/// The order of the header.
const SOURCES: [&str; 18] = [
    "constants",
    "types",
    "system",
    "component",
    "actor",
    "service",
    "supervisor",
    "watching",
    "message",
    "topic",
    "timer",
    "region",
    "grant",
    "policy",
    "audit",
    "keyvalue",
    "event",
    "reply",
];
const LAST: &str = "error";

fn main() -> ExitCode {
    let check = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return fail("usage: airwasm-header [--check]"),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let header = match generate(&root) {
        Ok(header) => header,
        Err(error) => return fail(&error),
    };
    let path = root.join("include/airwasm.h");
    if check {
        return match std::fs::read_to_string(&path) {
            Ok(committed) if committed == header => ExitCode::SUCCESS,
            Ok(_) => fail("include/airwasm.h is not what ffi-c says: run target/release/airwasm-header"),
            Err(error) => fail(&format!("include/airwasm.h: {error}")),
        };
    }
    match std::fs::write(&path, header) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("include/airwasm.h: {error}")),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("airwasm-header: {why}");
    ExitCode::FAILURE
}

fn config(root: &Path) -> Result<Config, String> {
    Ok(Config {
        language: Language::C,
        style: Style::Type,
        documentation_style: DocumentationStyle::C99,
        usize_is_size_t: true,
        cpp_compat: true,
        no_includes: true,
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        include_guard: Some("AIRWASM_H".to_owned()),
        header: Some(text::HEADER.trim().to_owned()),
        after_includes: Some(text::after_includes(root)?),
        line_length: 120,
        tab_width: 2,
        ..Config::default()
    })
}

fn generate(root: &Path) -> Result<String, String> {
    let mut builder = Builder::new().with_config(config(root)?);
    for source in SOURCES.into_iter().chain([LAST]) {
        builder = builder.with_src(root.join("ffi-c/src").join(source).with_extension("rs"));
    }
    let bindings = builder.generate().map_err(|error| error.to_string())?;
    let mut header = Vec::new();
    bindings.write(&mut header);
    String::from_utf8(header).map(text::with_tags).map_err(|error| error.to_string())
}
