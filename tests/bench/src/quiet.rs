//! Whether the machine was quiet: what others took of its processors while a row was measured.

use std::fs;
use std::time::Instant;

/// `/proc` counts in hundredths of a second on all machines that this is run on.
const TICKS_PER_SECOND: f64 = 100.0;
/// Others that take less than this part of one processor are no news.
const TOLERATED: f64 = 0.1;

/// What was used so far, by all and by this process with its children.
pub struct Quiet {
    began: Instant,
    others_ticks: Option<i64>,
}

impl Quiet {
    /// Starts to look.
    pub fn watch() -> Self {
        Self { began: Instant::now(), others_ticks: others_ticks() }
    }

    /// The part of one processor that others took meanwhile, if that is worth a word.
    pub fn disturbed(&self) -> Option<f64> {
        let ticks = (others_ticks()? - self.others_ticks?) as f64;
        let part = ticks / TICKS_PER_SECOND / self.began.elapsed().as_secs_f64();
        (part > TOLERATED).then_some(part)
    }
}

fn others_ticks() -> Option<i64> {
    let all = numbers(fs::read_to_string("/proc/stat").ok()?.lines().next()?);
    let own = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the binary, in parentheses, may hold anything.
    let own = numbers(own.rsplit_once(") ")?.1);
    // user, nice, system, irq, softirq, steal; and utime, stime, cutime, cstime, of which the state was no number.
    let busy = [0, 1, 2, 5, 6, 7].iter().filter_map(|index| all.get(*index)).sum::<i64>();
    Some(busy - own.get(10..14)?.iter().sum::<i64>())
}

fn numbers(line: &str) -> Vec<i64> {
    line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}
