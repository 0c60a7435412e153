//! What a run leaves behind: a table on the terminal and lines of JSON in `target/bench/results.jsonl`.

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use crate::measure::{Better, Figure, Outcome};

const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/bench/results.jsonl");
const LOCK: &str = include_str!("../Cargo.lock");
const PEERS: [&str; 7] = ["kameo", "ractor", "actix", "tokio", "dashmap", "globset", "cap-std"];
const OURS: &str = "ours";

/// Our figure, and those of the peers.
fn sides(outcome: &Outcome) -> (&Figure, impl Iterator<Item = &Figure>) {
    let ours = outcome.figures.iter().find(|figure| figure.name == OURS).expect("we take part in each row");
    (ours, outcome.figures.iter().filter(|figure| figure.name != OURS))
}

fn label(figure: &Figure) -> String {
    match figure.form {
        "" => figure.name.to_owned(),
        form => format!("{} ({form})", figure.name),
    }
}

/// In percent; large where the machine was not quiet.
fn half_spread(figure: &Figure) -> f64 {
    figure.spread * 50.0
}

fn digits(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Prints one line for each contestant.
pub fn print(outcome: &Outcome) {
    let (ours, peers) = sides(outcome);
    println!("\n{} [{}]", outcome.metric.name, outcome.metric.unit);
    println!("  {:>10} ±{:>2.0} %         {}", digits(ours.value), half_spread(ours), label(ours));
    for peer in peers {
        let ratio = outcome.metric.ratio(ours.value, peer.value);
        let (value, spread) = (digits(peer.value), half_spread(peer));
        println!("  {value:>10} ±{spread:>2.0} % {ratio:>6.2}x {}", label(peer));
    }
}

/// Prints one line for each row: ours, the best peer, and the ratio between the two.
pub fn print_summary(outcomes: &[Outcome]) {
    let versions = PEERS.map(|peer| format!("{peer} {}", version(peer)));
    println!("\npeers: {}", versions.join(", "));
    println!("{:<26} {:>9} {:>9} {:>9} {:>7}  best peer", "row", "unit", "ours", "peer", "ratio");
    for outcome in outcomes {
        let metric = &outcome.metric;
        let (ours, peers) = sides(outcome);
        let ratio = |peer: &Figure| metric.ratio(ours.value, peer.value);
        let Some(best) = peers.min_by(|one, other| ratio(one).total_cmp(&ratio(other))) else {
            continue;
        };
        println!(
            "{:<26} {:>9} {:>9} {:>9} {:>6.2}x  {}",
            metric.name,
            metric.unit,
            digits(ours.value),
            digits(best.value),
            ratio(best),
            label(best)
        );
    }
}

/// Writes one line for each peer and row, over those of an earlier run.
pub fn write(outcomes: &[Outcome]) -> io::Result<()> {
    let mut lines = String::new();
    for outcome in outcomes {
        let metric = &outcome.metric;
        let better = match metric.better {
            Better::Lower => "lower",
            Better::Higher => "higher",
        };
        let (ours, peers) = sides(outcome);
        for peer in peers {
            let ratio = metric.ratio(ours.value, peer.value);
            writeln!(
                lines,
                r#"{{"name":"{}","ours":{},"peer":{},"peer_name":"{}","unit":"{}","better":"{better}","ratio":{ratio}}}"#,
                metric.name,
                ours.value,
                peer.value,
                label(peer),
                metric.unit
            )
            .expect("a string takes what is written");
        }
    }
    let results = Path::new(RESULTS);
    fs::create_dir_all(results.parent().expect("a file in a folder"))?;
    fs::write(results, lines)
}

/// The version of a package that this was built with.
fn version(package: &str) -> &'static str {
    let after = LOCK.split_once(&format!("name = \"{package}\"\nversion = \"")).map(|(_, after)| after);
    after.and_then(|text| text.split('"').next()).unwrap_or("?")
}
