//! Futures without a runtime.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls once, with a waker that does this.
pub fn poll_with<F: Future + Unpin>(
    future: &mut F,
    wake: impl Fn() + Send + Sync + 'static,
) -> Poll<F::Output> {
    struct Call<W>(W);
    impl<W: Fn()> Wake for Call<W> {
        fn wake(self: Arc<Self>) {
            self.0();
        }
    }
    let waker = Waker::from(Arc::new(Call(wake)));
    Pin::new(future).poll(&mut Context::from_waker(&waker))
}

pub fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_with(future, || {})
}
