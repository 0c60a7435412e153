//! What is measured, one file for each family of rows.

mod audit;
mod check;
mod fairness;
mod fanout;
mod files;
pub mod idle;
mod lookup;
mod request;
mod seed;
mod send;
mod spawn;

use crate::measure::Row;

/// All rows, in the order of the table.
pub fn all() -> Vec<Row> {
    let families: [&[Row]; 11] = [
        send::ROWS,
        request::ROWS,
        fanout::ROWS,
        spawn::ROWS,
        idle::ROWS,
        lookup::ROWS,
        fairness::ROWS,
        check::ROWS,
        files::ROWS,
        audit::ROWS,
        seed::ROWS,
    ];
    families.concat()
}

/// How many workers a peer has in one of its forms, and what the form is called.
#[derive(Clone, Copy)]
struct Workers(usize, &'static str);

const ONE: Workers = Workers(1, "1 worker");
const TWO: Workers = Workers(2, "2 workers");
