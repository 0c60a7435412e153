use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::anchor::{Anchor, AnchorFile};
use super::clock::Moment;
use super::config::AuditConfig;
use super::log::Log;
use super::queue::Taken;
use super::record::{Operation, Record};
use super::sinks::Sinks;
use super::{Shared, redact};

/// How often a file that could not be written is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// About what goes to the file in one write.
const CHUNK_BYTES: u64 = 65_536;
/// After so many records those that wait for room hear that there is some.
const PART_RECORDS: usize = 1_024;

/// What the audit's thread does with the records.
pub(crate) struct Writer {
    pub shared: Arc<Shared>,
    pub config: AuditConfig,
    pub sinks: Sinks,
    pub log: Option<Log>,
    pub anchors: Option<AnchorFile>,
    pub state: State,
}

#[derive(Default)]
pub(crate) struct State {
    /// The number of the last record, where there is no file.
    seq: u64,
    /// Records that are lost, and of which no record tells yet.
    lost: u64,
    /// Records since the last anchor, and when the first of them was.
    unanchored: u64,
    unanchored_since_ns: u64,
    /// An anchor that the file beside the log does not have yet.
    untold: Option<Anchor>,
    /// Why the last write that failed did.
    error: String,
    /// Room for the records that are written next.
    part: Vec<Record>,
}

#[cfg(test)]
impl State {
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl Writer {
    pub fn run(mut self) {
        let mut batch = VecDeque::new();
        while let Some(taken) = self.shared.queue.take(&mut batch, self.wait_max()) {
            let shared = self.shared.clone();
            self.round(&mut batch, &taken, |count| shared.queue.finished(count));
        }
        self.end();
    }

    /// Writes and empties a batch, does whatever is due by now, and tells `finished` of each part that is done with.
    pub fn round(&mut self, batch: &mut VecDeque<Record>, taken: &Taken, finished: impl Fn(u64)) {
        let now = self.config.clock.now();
        if taken.left_out > 0 {
            self.state.lost += taken.left_out;
            self.shared.lose(taken.left_out, "the queue was full");
        }
        // Whoever waits for room goes on before all of it is written; whoever waits for all of it, after what is due.
        let mut part = std::mem::take(&mut self.state.part);
        loop {
            self.tell_lost(now);
            part.extend(batch.drain(..batch.len().min(PART_RECORDS)));
            self.part(&mut part, now);
            if batch.is_empty() {
                break;
            }
            part.clear();
            finished(PART_RECORDS as u64);
        }
        let unfinished = part.len() as u64 + taken.nudges;
        part.clear();
        self.state.part = part;
        if taken.nudges > 0 || self.summary_due_ns() <= now.monotonic_ns {
            self.summarise(now);
        }
        if self.anchor_due_ns() <= now.monotonic_ns || self.state.unanchored >= self.config.anchor_records_max
        {
            self.anchor(now);
        }
        self.tell_anchor();
        finished(unfinished);
    }

    fn part(&mut self, records: &mut [Record], now: Moment) {
        records.iter().for_each(|record| self.shared.decided.record(record));
        let lost = (records.len() - self.write(records, now, true)) as u64;
        if lost > 0 {
            self.state.lost += lost;
            self.shared.lose(lost, &self.state.error);
        }
    }

    /// What is due when nothing comes any more.
    pub fn end(&mut self) {
        let now = self.config.clock.now();
        self.tell_lost(now);
        self.summarise(now);
        if self.state.unanchored > 0 {
            self.anchor(now);
        }
        self.tell_anchor();
    }

    fn tell_lost(&mut self, now: Moment) {
        let lost = self.state.lost;
        if lost > 0 {
            let mut record = [Record::own(now, Operation::Lost, &[("lost", lost)])];
            self.state.lost -= if self.write(&mut record, now, false) == 1 { lost } else { 0 };
        }
    }

    fn summarise(&mut self, now: Moment) {
        let since_ns = self.shared.book.since_ns();
        let (mut records, entries) = self.shared.book.collect(now);
        let written = self.write(&mut records, now, false);
        self.shared.book.take_back(&entries[written..], since_ns);
    }

    /// Hands the records to all sinks; how many of them, from the first on, are in the file. What will be
    /// tried again is not `lost`, and goes to the other sinks once it is in the file.
    fn write(&mut self, records: &mut [Record], now: Moment, lost: bool) -> usize {
        records.iter_mut().for_each(redact::record);
        let written = self.append(records, now);
        if self.log.is_none() {
            for record in records.iter_mut() {
                self.state.seq += 1;
                record.seq = self.state.seq;
            }
        }
        let told = if lost { &*records } else { &records[..written] };
        let told = self.sinks.tell(told, &self.shared.memory);
        // Without a file it is the standard error stream that has to hold.
        if self.log.is_none() {
            self.note(told);
        }
        if written > 0 && self.state.unanchored == 0 {
            self.state.unanchored_since_ns = now.monotonic_ns;
        }
        self.state.unanchored += written as u64;
        self.shared.written.fetch_add(written as u64, Ordering::Relaxed);
        written
    }

    fn append(&mut self, records: &mut [Record], now: Moment) -> usize {
        if self.log.is_none() {
            return records.len();
        }
        let mut done = 0;
        while done < records.len() {
            let (count, bytes) = self.chunk(&records[done..]);
            let log = self.log.as_mut().expect("checked above");
            // A file that cannot be renamed still takes lines.
            let room = log.make_room(bytes);
            let (written, result) = log.append(&mut records[done..done + count], now);
            done += written;
            self.note(result);
            if let Err(error) = room {
                self.shared.trouble(&format!("the log was not rotated: {error}"));
            }
            if written < count {
                break;
            }
        }
        done
    }

    /// How many records go to the file in one write, one at least, and about how many bytes they take.
    fn chunk(&self, records: &[Record]) -> (usize, u64) {
        let bytes_max = self.config.rotate_bytes_max.min(CHUNK_BYTES);
        let (mut count, mut bytes) = (1, line_bytes(&records[0]));
        for next in records[1..].iter().map(line_bytes) {
            if bytes + next > bytes_max {
                break;
            }
            (count, bytes) = (count + 1, bytes + next);
        }
        (count, bytes)
    }

    fn note(&mut self, result: io::Result<()>) {
        self.shared.healthy.store(result.is_ok(), Ordering::Release);
        if let Err(error) = result {
            self.state.error = error.to_string();
        }
    }

    fn anchor(&mut self, now: Moment) {
        if self.log.is_none() {
            self.state.unanchored = 0;
            return;
        }
        let mut record = [Record::own(now, Operation::Anchor, &[])];
        if self.write(&mut record, now, false) == 1 {
            self.state.unanchored = 0;
            let Some(head) = self.log.as_ref().map(Log::head) else { return };
            let anchor =
                Anchor { version: 1, seq: head.seq, hash: head.hash.as_str().to_owned(), time: now.wall };
            if let Some(on_anchor) = &self.config.on_anchor {
                // Its panic is the host's; the log goes on.
                let _ = catch_unwind(AssertUnwindSafe(|| on_anchor(&anchor)));
            }
            self.state.untold = Some(anchor);
        }
    }

    /// Writes the anchor beside the log; one that could not be written is tried again.
    fn tell_anchor(&mut self) {
        let Some(anchor) = self.state.untold.take() else { return };
        if let Some(Err(error)) = self.anchors.as_mut().map(|anchors| anchors.add(&anchor)) {
            self.shared.trouble(&format!("an anchor was not written: {error}"));
            self.state.untold = Some(anchor);
        }
    }

    fn wait_max(&self) -> Duration {
        if !self.shared.healthy.load(Ordering::Acquire) {
            return RETRY;
        }
        let due_ns = self.summary_due_ns().min(self.anchor_due_ns());
        Duration::from_nanos(due_ns.saturating_sub(self.config.clock.now().monotonic_ns))
            .min(self.config.summary_interval)
            .max(Duration::from_millis(10))
    }

    fn summary_due_ns(&self) -> u64 {
        self.shared.book.since_ns().saturating_add(nanos(self.config.summary_interval))
    }

    fn anchor_due_ns(&self) -> u64 {
        match self.state.unanchored {
            0 => u64::MAX,
            _ => self.state.unanchored_since_ns.saturating_add(nanos(self.config.anchor_interval)),
        }
    }
}

impl Drop for Writer {
    /// Also when the writer panics, so that nobody waits for it for ever.
    fn drop(&mut self) {
        self.shared.writer_gone.store(true, Ordering::Release);
        self.shared.queue.close();
    }
}

/// About how long the line will be.
fn line_bytes(record: &Record) -> u64 {
    let texts = record.actor.len() + record.capability.len() + record.function.len();
    (450 + texts + record.rule.as_ref().map_or(0, |rule| rule.len())) as u64
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
