//! `wat2wasm OUT-FOLDER IN.wat...`: each text to the binary of the same stem. Touches only what changes.
//!
//! A line `;; include: FILE` stands for that file beside it: components that are bad in one way only share
//! the good part.

use std::error::Error;
use std::path::Path;
use std::{env, fs, process};

fn main() {
    let mut arguments = env::args().skip(1);
    let Some(out) = arguments.next() else {
        eprintln!("usage: wat2wasm OUT-FOLDER IN.wat...");
        process::exit(2);
    };
    for input in arguments {
        if let Err(e) = convert(Path::new(&input), Path::new(&out)) {
            eprintln!("wat2wasm: {input}: {e}");
            process::exit(1);
        }
    }
}

fn convert(input: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let text = included(input)?;
    let binary = wat::parse_str(&text)?;
    let output = out.join(input.with_extension("wasm").file_name().ok_or("no file name")?);
    if fs::read(&output).ok().as_deref() != Some(&binary) {
        // By way of a new name, so that a test that runs meanwhile never reads half a file.
        let new = output.with_extension(process::id().to_string());
        fs::write(&new, binary)?;
        fs::rename(new, output)?;
    }
    Ok(())
}

/// The text of a file, with that of others in the place of the lines that name them.
fn included(input: &Path) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    for line in fs::read_to_string(input)?.lines() {
        match line.trim().strip_prefix(";; include: ") {
            Some(file) => text += &included(&input.with_file_name(file))?,
            None => text += line,
        }
        text.push('\n');
    }
    Ok(text)
}
