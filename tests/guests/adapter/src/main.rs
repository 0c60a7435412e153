//! `adapter OUT`: writes the module that gives a reactor of WASI preview 1, as C compilers make it, WASI 0.2.

use std::{env, fs, process};

use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER;

fn main() {
    let Some(out) = env::args().nth(1) else {
        eprintln!("usage: adapter OUT");
        process::exit(2);
    };
    if let Err(e) = fs::write(&out, ADAPTER) {
        eprintln!("adapter: {out}: {e}");
        process::exit(1);
    }
}
