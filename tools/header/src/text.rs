//! What the header says besides the sources' own comments.

use std::fmt::Write;
use std::path::Path;

use airwasm::Code;

/// The first words of the header.
pub const HEADER: &str = r#"
// airwasm: WebAssembly components as supervised actors with permissions that can be taken back.
//
//     cc main.c $(pkg-config --cflags --libs airwasm)
//
// Generated from ffi-c by tools/header; not to be edited.
//
// Errors. A function that can go wrong returns an airwasm_error, yours to free; NULL is success. Its out-params come
// last and are 0, NULL or empty after an error. A NULL where a value is needed, a pointer that is not aligned, a
// length without data and text that is not UTF-8 are INVALID_ARGUMENT, whose detail "which" is the parameter's name.
//
// Text is NUL-terminated UTF-8; bytes are a pointer and a length. What is passed in is borrowed for the call; what is
// kept is copied.
//
// Structs that grow begin with their size: write airwasm_budget budget = AIRWASM_INIT(airwasm_budget); and set what
// you need. 0 and NULL are the core's default, AIRWASM_UNLIMITED is no bound. A program built with an older header
// runs with a newer library; one built with a newer header runs with an older library as long as it sets no field
// that this one lacks.
//
// Callbacks are a function, a context given to it, and a finalizer for the context, which may be NULL, runs exactly
// once, last, on any thread, and must not call the library. What is lent to a callback lives for its call. An
// exception that leaves a callback ends the process.
//
// Threads. Every function may be called from any thread, from callbacks too where its comment does not forbid it.
// Handlers and event callbacks run on threads of the library. A call that waits blocks its thread, and so has an
// _async twin. Signals are left as they are.
//
// fork. In a forked child every system of the parent answers FORKED; the child may open its own.
"#;

const INIT: &str = r#"
// The start of every struct that begins with its size: all else is the default.
#ifdef __cplusplus
#define AIRWASM_INIT(type) ([] { type init_{}; init_.struct_size = sizeof(type); return init_; }())
#else
#define AIRWASM_INIT(type) { .struct_size = sizeof(type) }
#endif
"#;

/// What follows the includes: versions, the error codes, the initializer.
pub fn after_includes(root: &Path) -> Result<String, String> {
    let mut text = String::new();
    let out = &mut text;
    let version = env!("CARGO_PKG_VERSION");
    let number =
        version.split('.').try_fold(0_u32, |number, part| Some(number * 100 + part.parse::<u32>().ok()?));
    let number = number.ok_or_else(|| format!("{version} is no version of three numbers"))?;
    push(out, "\n// The version of this header; airwasm_version() is the library's.");
    push(out, &format!("#define AIRWASM_VERSION \"{version}\"\n#define AIRWASM_VERSION_NUMBER {number}"));
    push(out, "\n// What airwasm_error_code returns. Numbers are only ever added.\nenum {");
    push(out, "  AIRWASM_OK = 0,");
    let meanings = meanings(root)?;
    for code in Code::ALL {
        let meaning = meanings.iter().find(|(name, _)| name == code.name());
        let (_, meaning) =
            meaning.ok_or_else(|| format!("error.rs does not say what {} means", code.name()))?;
        push(out, &format!("  // {meaning}\n  AIRWASM_E_{} = {},", code.name(), code.number()));
    }
    push(out, "};");
    out.push_str(INIT.trim_end());
    Ok(text)
}

/// The header with a tag at each struct that others point to before it is complete; cbindgen gives none.
pub fn with_tags(header: String) -> String {
    let names = header.lines().filter_map(|line| line.strip_prefix("} ")?.strip_suffix(';'));
    let names: Vec<String> = names.map(str::to_owned).collect();
    names.into_iter().fold(header, |header, name| {
        let (end, pointer) = (format!("\n}} {name};"), format!(" {name} *"));
        let (before, after) = header.split_once(&end).unwrap_or((&header, ""));
        match before.rsplit_once("typedef struct {") {
            Some((above, fields)) if above.contains(&pointer) => {
                let above = above.replace(&pointer, &format!(" struct {name} *"));
                format!("{above}typedef struct {name} {{{fields}{end}{after}")
            }
            _ => header,
        }
    })
}

fn push(out: &mut String, line: &str) {
    writeln!(out, "{line}").expect("a String takes all that is written");
}

/// The sentence that stands at each code: rustdoc has it, but no function does.
fn meanings(root: &Path) -> Result<Vec<(String, String)>, String> {
    let path = root.join("core/wasm/src/types/error.rs");
    let source = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let quoted = source.lines().filter(|line| line.trim_end().ends_with("\";")).map(|line| line.split('"'));
    Ok(quoted
        .filter_map(|mut parts| {
            let (name, meaning) = (parts.nth(1)?, parts.nth(1)?);
            Some((name.to_owned(), meaning.replace('`', "\"")))
        })
        .collect())
}
