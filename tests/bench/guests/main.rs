//! Rows with real guests; `wasm/…` as an argument runs those that begin so.

mod fairness;
mod files;
mod http;
mod neighbour;
mod plain;
mod report;

use std::error::Error;

use report::Row;

type Rows = fn() -> Result<Vec<Row>, Box<dyn Error>>;

/// What one measurement's rows begin with.
const ALL: [(&str, Rows); 4] = [
    ("wasm/fairness", fairness::rows),
    ("wasm/neighbour", neighbour::rows),
    ("wasm/file", files::rows),
    ("wasm/http", http::rows),
];

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!("{:<28} {:>6} {:>9} {:>9} {:>7}  peer", "row", "unit", "ours", "peer", "ratio");
    for (name, rows) in ALL {
        if name.starts_with(&wanted) || wanted.starts_with(name) {
            rows()?.iter().filter(|row| row.name.starts_with(&wanted)).try_for_each(Row::report)?;
        }
    }
    Ok(())
}
