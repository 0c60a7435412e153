//! One row: a figure of ours beside that of a peer, lower is better.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};

const RESULTS: &str = "target/bench/results.jsonl";

pub struct Row {
    pub name: &'static str,
    pub unit: &'static str,
    pub ours: f64,
    pub peer: f64,
    pub peer_name: &'static str,
}

impl Row {
    /// Prints it, and adds it to the results.
    pub fn report(&self) -> io::Result<()> {
        let Self { name, unit, ours, peer, peer_name } = self;
        let ratio = peer / ours;
        println!("{name:<28} {unit:>6} {ours:>9.2} {peer:>9.2} {ratio:>6.2}x  {peer_name}");
        fs::create_dir_all("target/bench")?;
        let mut results = OpenOptions::new().create(true).append(true).open(RESULTS)?;
        writeln!(
            results,
            r#"{{"name":"{name}","ours":{ours},"peer":{peer},"peer_name":"{peer_name}","unit":"{unit}","better":"lower","ratio":{ratio}}}"#
        )
    }
}

/// The value below which so many of a hundred lie.
pub fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent / 100).min(values.len() - 1)]
}

/// Runs the two in turns, so that both meet the same machine; the median of each one's rounds.
pub fn in_turns<E>(
    rounds: usize,
    mut ours: impl FnMut() -> Result<f64, E>,
    mut peer: impl FnMut() -> Result<f64, E>,
) -> Result<(f64, f64), E> {
    let (mut of_ours, mut of_peer) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        of_ours.push(ours()?);
        of_peer.push(peer()?);
    }
    Ok((percentile(&mut of_ours, 50), percentile(&mut of_peer, 50)))
}
