//! `make bench`: the actor runtime and the secured operations against their peers, run alternately in one process.
//!
//! Arguments are the beginnings of the names of the rows to run; none means all.

mod measure;
mod peers;
mod quiet;
mod report;
mod rows;
mod stopwatch;
mod tally;

use measure::Outcome;
use quiet::Quiet;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, peer, state] = arguments.as_slice()
        && command == rows::idle::COMMAND
    {
        println!("{}", rows::idle::bytes_per_actor(peer, state));
        return Ok(());
    }
    if let Err(reason) = peers::erlang::available() {
        println!("erlang is skipped: {reason}");
    }
    let mut outcomes: Vec<Outcome> = Vec::new();
    for row in rows::all().into_iter().filter(|row| row.is_named(&arguments)) {
        let quiet = Quiet::watch();
        let measured = row.measure();
        measured.iter().for_each(report::print);
        if let Some(part) = quiet.disturbed() {
            println!("  others took {:.0} % of a processor meanwhile: measure again", part * 100.0);
        }
        outcomes.extend(measured);
    }
    report::print_summary(&outcomes);
    report::write(&outcomes)
}
