//! A future that the workers poll beside the actors: work of an actor that keeps none of its messages waiting.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use crate::foreign;
use crate::handle::Handle;
use crate::poller;
use crate::queue::Runnable;
use crate::run_state::RunState;
use crate::shared::Shared;
use crate::sync::{Mutex, lock};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A slot that no actor ever has: what runs here is nobody's handler, so no circle of waits leads through it.
const NOBODY: (u32, u32) = (u32::MAX, 1);

struct Task {
    shared: Weak<Shared>,
    run: RunState,
    aborted: AtomicBool,
    work: Mutex<Option<Work>>,
}

/// The way to a future that workers poll. Dropped, the future goes on.
#[derive(Clone)]
pub struct TaskHandle(Weak<Task>);

impl TaskHandle {
    /// Drops the future at its next await, on a worker.
    pub fn abort(&self) {
        if let Some(task) = self.0.upgrade() {
            task.aborted.store(true, SeqCst);
            task.wake();
        }
    }
}

/// Gives the future to the workers.
pub(crate) fn spawn(shared: &Arc<Shared>, work: Work) -> TaskHandle {
    let task = Arc::new(Task {
        shared: Arc::downgrade(shared),
        run: RunState::queued(),
        aborted: AtomicBool::new(false),
        work: Mutex::new(Some(work)),
    });
    let handle = TaskHandle(Arc::downgrade(&task));
    shared.queue.push_fresh(task);
    handle
}

impl Task {
    /// Polls once; whether it goes on. What panics has ended.
    fn poll(self: &Arc<Self>) -> bool {
        let mut slot = lock(&self.work);
        let Some(work) = slot.as_mut() else { return false };
        if !self.aborted.load(SeqCst) {
            let nobody = Handle::new(NOBODY.0, NOBODY.1).expect("an odd generation makes a handle");
            let waker = Waker::from(self.clone());
            let mut context = Context::from_waker(&waker);
            let polled = poller::polling(nobody, false, false, || {
                catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut context)))
            });
            if matches!(polled, Ok(Poll::Pending)) {
                return true;
            }
        }
        let work = slot.take();
        drop(slot);
        foreign::call("the drop of a task", || drop(work));
        false
    }
}

impl Runnable for Task {
    fn run(self: Arc<Self>) {
        self.run.start();
        if !self.poll() {
            return self.run.park();
        }
        if self.run.rest()
            && let Some(shared) = self.shared.upgrade()
        {
            shared.queue.push_spent(self);
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if self.run.activate()
            && let Some(shared) = self.shared.upgrade()
        {
            shared.queue.push_fresh(self);
        }
    }
}
