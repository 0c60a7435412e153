//! Completions on their way: each is called exactly once, never inside the call that started its operation.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use airwasm::{Code, Error, Operation, Result, Started, System};

use crate::error::airwasm_error;
use crate::raw::{Completion, NO_BYTES, Out, Outcome, give_bytes};
use crate::types::airwasm_handle;
use crate::wake::Wake;

/// What an operation gives to C when it succeeds.
pub(crate) enum Answer {
    Nothing,
    Bytes(Vec<u8>),
    Handle(airwasm_handle),
    /// Bytes, or that there are none.
    Found(Option<Vec<u8>>),
}

fn outcome(result: Result<Answer>) -> Outcome {
    match result {
        Ok(Answer::Nothing) => Outcome::new(std::ptr::null_mut(), NO_BYTES, 0),
        Ok(Answer::Bytes(bytes)) => Outcome::new(std::ptr::null_mut(), give_bytes(bytes), 0),
        Ok(Answer::Found(None)) => Outcome::new(std::ptr::null_mut(), NO_BYTES, 0),
        Ok(Answer::Found(Some(bytes))) => Outcome::new(std::ptr::null_mut(), give_bytes(bytes), 1),
        Ok(Answer::Handle(handle)) => Outcome::new(std::ptr::null_mut(), NO_BYTES, handle),
        Err(error) => Outcome::new(airwasm_error::give(&error), NO_BYTES, 0),
    }
}

/// All completions of one system.
pub(crate) struct Completions {
    core: System,
    /// Absent: completions run on callback threads. Present: they wait for a dispatch.
    wake: Option<Wake>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    open: HashMap<u64, Completion>,
    waiting: VecDeque<(Completion, Outcome)>,
}

impl Completions {
    pub(crate) fn new(core: System, wake: Option<Wake>) -> Arc<Self> {
        Arc::new(Self { core, wake, state: Mutex::default() })
    }

    /// Nothing that can panic runs under this lock, and no callback.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands the operation's outcome to `completion` when it comes; `request` gets the handle that cancels it.
    ///
    /// An error means that nothing was started and that `completion` will not be called: the system is closed, or
    /// this is a forked child, where none of its threads lives.
    pub(crate) fn start<T: Send + 'static>(
        self: &Arc<Self>,
        operation: Operation<T>,
        answer: fn(T) -> Answer,
        completion: Completion,
        request: &Out<airwasm_handle>,
    ) -> Result<()> {
        let ticket = Arc::new(self.ticket(completion));
        let theirs = Arc::clone(&ticket);
        match operation.start(Box::new(move |result| theirs.finish(result.map(answer)))) {
            Started::Pending(handle) => request.set(handle.raw()),
            Started::Ready(Err(error)) if matches!(error.code, Code::Closed | Code::Forked) => {
                drop(ticket.take());
                return Err(error);
            }
            Started::Ready(result) => ticket.finish(result.map(answer)),
        }
        Ok(())
    }

    fn ticket(self: &Arc<Self>, completion: Completion) -> Ticket {
        let mut state = self.state();
        state.last += 1;
        let number = state.last;
        state.open.insert(number, completion);
        Ticket { completions: Arc::clone(self), number }
    }

    fn deliver(&self, completion: Completion, outcome: Outcome) {
        let Some(wake) = &self.wake else {
            return self.core.run_callback(Box::new(move || completion.complete(outcome.release())));
        };
        let mut state = self.state();
        state.waiting.push_back((completion, outcome));
        if state.waiting.len() == 1 {
            wake.set();
        }
    }

    /// Readable while completions wait.
    pub(crate) fn wake(&self) -> Option<&Wake> {
        self.wake.as_ref()
    }

    /// Runs what waits now, and not what comes meanwhile; how many that were. A completion may come back here.
    pub(crate) fn dispatch(&self) -> usize {
        let waiting = self.state().waiting.len();
        let runs = (0..waiting).map_while(|_| {
            let (completion, outcome) = self.next_waiting()?;
            completion.complete(outcome.release());
            Some(())
        });
        runs.count()
    }

    fn next_waiting(&self) -> Option<(Completion, Outcome)> {
        let mut state = self.state();
        let next = state.waiting.pop_front()?;
        if let (true, Some(wake)) = (state.waiting.is_empty(), &self.wake) {
            wake.clear();
        }
        Some(next)
    }

    /// Ends it: nobody will dispatch again, so what waits runs now, and what is open is told `CLOSED`.
    /// On callback threads the outcomes come by themselves.
    pub(crate) fn end(&self) {
        if self.wake.is_none() {
            return;
        }
        self.dispatch();
        // Taken in the order of their start, which is what a program would see had it waited.
        let mut open: Vec<_> = std::mem::take(&mut self.state().open).into_iter().collect();
        open.sort_unstable_by_key(|(number, _)| *number);
        for (_, completion) in open {
            let closed = Error::new(Code::Closed, "the system was freed before the answer came");
            completion.complete(outcome(Err(closed)).release());
        }
    }
}

/// The right to finish one open completion. Dropped unused, the completion is told so: it is never forgotten.
struct Ticket {
    completions: Arc<Completions>,
    number: u64,
}

impl Ticket {
    fn take(&self) -> Option<Completion> {
        self.completions.state().open.remove(&self.number)
    }

    fn finish(&self, result: Result<Answer>) {
        if let Some(completion) = self.take() {
            self.completions.deliver(completion, outcome(result));
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.finish(Err(Error::new(Code::Internal, "the operation ended without an answer")));
    }
}
