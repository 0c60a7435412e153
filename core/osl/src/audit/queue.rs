//! The way of a record from the thread that decided to the thread that writes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::config::OnFull;
use super::record::Record;

/// So long the writer rests after a batch: of records that come shortly after each other only the first wakes a thread.
const REST: Duration = Duration::from_millis(1);

pub(crate) struct Queue {
    records_max: u64,
    on_full: OnFull,
    rest_max: Duration,
    state: Mutex<State>,
    /// There is something to do, or nothing will come any more.
    ready: Condvar,
    /// Something was written, or nothing will be any more.
    progress: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Record>,
    /// Records and nudges, as `finished` is.
    accepted: u64,
    finished: u64,
    nudges: u64,
    left_out: u64,
    closed: bool,
    /// The writer sleeps: to wake one who does not is a call of the kernel for nothing.
    idle: bool,
    /// The writer rests, and goes on by itself unless it is hurried.
    rests: bool,
    /// Its last batch held records.
    active: bool,
    /// So many wait for progress.
    waiters: u64,
}

/// What the writer is given along with its batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// So many asked for a summary.
    pub nudges: u64,
    /// So many records were left out, because the queue was full.
    pub left_out: u64,
}

/// A record that was not queued: left out of a full queue, which is counted, or refused by a closed one.
#[derive(Debug)]
pub(crate) struct Unqueued {
    pub record: Box<Record>,
    pub closed: bool,
}

impl Queue {
    pub fn new(records_max: u64, on_full: OnFull) -> Self {
        let (ready, progress) = (Condvar::new(), Condvar::new());
        Self { records_max, on_full, rest_max: REST, state: Mutex::default(), ready, progress }
    }

    /// Queues the record, or counts it as left out.
    pub fn push(&self, record: Record) -> Result<(), Unqueued> {
        let mut state = self.lock();
        while state.waiting_count() >= self.records_max && !state.closed {
            if self.on_full == OnFull::Count {
                state.left_out += 1;
                return Err(Unqueued { record: Box::new(record), closed: false });
            }
            state = self.wait(state);
        }
        if state.closed {
            return Err(Unqueued { record: Box::new(record), closed: true });
        }
        state.accepted += 1;
        state.waiting.push_back(record);
        match state.waiting.len() as u64 > self.records_max / 2 {
            true => self.hurry(state),
            false => self.wake(state),
        }
        Ok(())
    }

    /// Records that wait or are in writing.
    pub fn queued(&self) -> u64 {
        self.lock().waiting_count()
    }

    /// Asks the writer for a summary now.
    pub fn nudge(&self) {
        let mut state = self.lock();
        if !state.closed {
            state.accepted += 1;
            state.nudges += 1;
            self.hurry(state);
        }
    }

    /// Everything that waits, put into the empty `batch`, or nothing after `wait_max`; none when
    /// nothing will come any more.
    pub fn take(&self, batch: &mut VecDeque<Record>, wait_max: Duration) -> Option<Taken> {
        let mut state = self.rest();
        let idle = |state: &mut State| state.waiting.is_empty() && state.nudges == 0 && !state.closed;
        if idle(&mut state) {
            state.idle = true;
            let idle = |state: &mut State| {
                let still = idle(state);
                // Whoever woke it has taken note that it is awake.
                state.idle = still;
                still
            };
            let waited = self.ready.wait_timeout_while(state, wait_max, idle);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle = false;
        }
        std::mem::swap(&mut state.waiting, batch);
        state.active = !batch.is_empty();
        let taken = Taken {
            nudges: std::mem::take(&mut state.nudges),
            left_out: std::mem::take(&mut state.left_out),
        };
        let over = state.closed && batch.is_empty() && taken == Taken::default();
        (!over).then_some(taken)
    }

    /// So many records and nudges are done with.
    pub fn finished(&self, count: u64) {
        let mut state = self.lock();
        state.finished += count;
        let waited_for = state.waiters > 0;
        drop(state);
        if waited_for {
            self.progress.notify_all();
        }
    }

    /// Waits until all that was accepted before this call is finished; false when that cannot happen.
    pub fn drain(&self, writer_lives: impl Fn() -> bool) -> bool {
        let mut state = self.lock();
        let target = state.accepted;
        while state.finished < target {
            if !writer_lives() {
                return false;
            }
            state = self.wait(state);
        }
        true
    }

    /// No record is accepted any more; those accepted are still written.
    pub fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
        self.progress.notify_all();
    }

    /// Waits a moment after a batch, unless somebody waits for the writer or the queue fills.
    fn rest(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        let calm = |state: &State| {
            let fills = state.waiting.len() as u64 > self.records_max / 2;
            !state.closed && state.nudges == 0 && state.waiters == 0 && !fills
        };
        if state.active && calm(&state) {
            state.rests = true;
            let rested = self.ready.wait_timeout_while(state, self.rest_max, |state| calm(state));
            state = rested.unwrap_or_else(PoisonError::into_inner).0;
            state.rests = false;
        }
        state
    }

    /// Tells the writer, if it rests or sleeps and nobody has told it yet.
    fn hurry(&self, mut state: MutexGuard<'_, State>) {
        state.idle |= std::mem::take(&mut state.rests);
        self.wake(state);
    }

    /// Tells the writer, if it sleeps and nobody has told it yet.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        if idle {
            self.ready.notify_one();
        }
    }

    fn wait<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.waiters += 1;
        if std::mem::take(&mut state.rests) {
            self.ready.notify_one();
        }
        state = self.progress.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.waiters -= 1;
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under this lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting_count(&self) -> u64 {
        self.accepted - self.finished
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::clock::Moment;
    use crate::audit::record::Operation;
    use std::sync::{Arc, mpsc};
    use std::thread::{self, JoinHandle};

    const RECORDS_MAX: u64 = 512;
    /// What has not come by then never comes.
    const LONG: Duration = Duration::from_secs(60);

    fn record(number: u64) -> Record {
        let now = Moment { wall: std::time::UNIX_EPOCH, monotonic_ns: number };
        Record::own(now, Operation::Check, &[])
    }

    #[test]
    fn a_full_queue_that_blocks_loses_nothing() {
        let queue = Arc::new(Queue::new(RECORDS_MAX, OnFull::Block));
        let pushers: Vec<_> = (0..4)
            .map(|_| {
                let queue = queue.clone();
                thread::spawn(move || (0..RECORDS_MAX).for_each(|number| queue.push(record(number)).unwrap()))
            })
            .collect();
        let (mut seen, mut sum) = (0, 0);
        let mut batch = VecDeque::new();
        while seen < 4 * RECORDS_MAX {
            assert_eq!(queue.take(&mut batch, Duration::MAX), Some(Taken::default()));
            assert!(batch.len() as u64 <= RECORDS_MAX);
            seen += batch.len() as u64;
            sum += batch.iter().map(|record| record.monotonic_ns).sum::<u64>();
            queue.finished(batch.len() as u64);
            batch.clear();
        }
        assert_eq!(sum, 4 * (0..RECORDS_MAX).sum::<u64>());
        pushers.into_iter().for_each(|pusher| pusher.join().unwrap());
        queue.close();
        assert!(queue.push(record(0)).unwrap_err().closed && queue.drain(|| true));
        assert_eq!(queue.take(&mut batch, Duration::MAX), None);
    }

    #[test]
    fn a_full_queue_that_counts_says_how_many() {
        let queue = Queue::new(2, OnFull::Count);
        let queued = (0..5).filter(|number| queue.push(record(*number)).is_ok());
        assert_eq!(queued.count(), 2);
        let mut batch = VecDeque::new();
        assert_eq!(queue.take(&mut batch, Duration::ZERO), Some(Taken { nudges: 0, left_out: 3 }));
        assert_eq!(batch.len(), 2);
        assert!(!queue.push(record(5)).unwrap_err().closed, "in writing still counts");
        queue.close();
        batch.clear();
        assert_eq!(queue.take(&mut batch, Duration::ZERO), Some(Taken { nudges: 0, left_out: 1 }));
        assert_eq!(queue.take(&mut batch, Duration::ZERO), None);
    }

    /// A writer that has had a batch and rests until it is hurried; the sizes of the batches that it has from then on.
    struct Resting {
        queue: Arc<Queue>,
        batches: mpsc::Receiver<(usize, u64)>,
        writer: JoinHandle<()>,
    }

    fn resting(records_max: u64) -> Resting {
        let queue = Arc::new(Queue { rest_max: Duration::MAX, ..Queue::new(records_max, OnFull::Block) });
        let (tell, batches) = mpsc::channel();
        let of_writer = queue.clone();
        let writer = thread::spawn(move || {
            let mut batch = VecDeque::new();
            while let Some(taken) = of_writer.take(&mut batch, Duration::MAX) {
                of_writer.finished(batch.len() as u64 + taken.nudges);
                let _ = tell.send((batch.len(), taken.nudges));
                batch.clear();
            }
        });
        let resting = Resting { queue, batches, writer };
        resting.queue.push(record(0)).unwrap();
        assert_eq!(resting.next(), (1, 0));
        while !resting.queue.lock().rests {
            thread::yield_now();
        }
        resting
    }

    impl Resting {
        fn next(&self) -> (usize, u64) {
            self.batches.recv_timeout(LONG).expect("the writer goes on")
        }

        /// Runs it on a thread of its own, for it may never come back.
        fn comes_back(&self, run: impl FnOnce(&Queue) + Send + 'static) {
            let (queue, (done, is_done)) = (self.queue.clone(), mpsc::channel());
            thread::spawn(move || {
                run(&queue);
                let _ = done.send(());
            });
            is_done.recv_timeout(LONG).expect("it comes back");
        }
    }

    #[test]
    fn a_writer_that_rests_goes_on_for_whoever_waits_for_it() {
        let resting = resting(RECORDS_MAX);
        resting.queue.push(record(1)).unwrap();
        assert!(resting.queue.lock().rests, "a record alone can wait");
        resting.comes_back(|queue| assert!(queue.drain(|| true)));
        assert_eq!(resting.next(), (1, 0));
    }

    #[test]
    fn a_writer_that_rests_goes_on_when_half_of_the_queue_is_full() {
        let resting = resting(4);
        (1..3).for_each(|number| resting.queue.push(record(number)).unwrap());
        assert!(resting.queue.lock().rests);
        resting.queue.push(record(3)).unwrap();
        assert_eq!(resting.next(), (3, 0));
    }

    #[test]
    fn a_push_to_a_full_queue_goes_on_after_the_writer_has_rested() {
        let resting = resting(2);
        resting.comes_back(|queue| (1..9).for_each(|number| queue.push(record(number)).unwrap()));
        resting.comes_back(|queue| assert!(queue.drain(|| true)));
        let mut seen = 0;
        while seen < 8 {
            seen += resting.next().0;
        }
    }

    #[test]
    fn a_writer_that_rests_goes_on_for_a_nudge_and_for_the_end() {
        let resting = resting(RECORDS_MAX);
        resting.queue.push(record(1)).unwrap();
        resting.queue.nudge();
        assert_eq!(resting.next(), (1, 1));
        while !resting.queue.lock().rests {
            thread::yield_now();
        }
        resting.queue.push(record(2)).unwrap();
        resting.queue.close();
        assert_eq!(resting.next(), (1, 0));
        assert!(resting.batches.recv_timeout(LONG).is_err(), "that was the last");
        resting.writer.join().unwrap();
    }
}
