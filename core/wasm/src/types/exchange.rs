//! A request of http on its way through a mailbox, and the way that its answer takes.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Request, Response, StatusCode};
use tokio::sync::{Notify, oneshot};
use wasmtime_wasi_http::WasiBody;

/// What the peer is sent: what the guest says, or that it said nothing.
pub(crate) type Answer = Result<Response<WasiBody>, StatusCode>;

/// One request; a clone is the same, and whoever takes it first has it.
#[derive(Clone)]
pub(crate) struct Exchange(Arc<Asked>);

struct Asked {
    request: Mutex<Option<Request<WasiBody>>>,
    head_bytes: usize,
    life: u64,
    call: Arc<Call>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        // Whatever became of its letter, nobody will work on it any more.
        self.call.answer(Err(StatusCode::SERVICE_UNAVAILABLE));
    }
}

impl Exchange {
    /// A request that the life of this number was asked.
    pub(crate) fn new(request: Request<WasiBody>, life: u64, call: Arc<Call>) -> Self {
        let lines = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
        let head_bytes =
            lines.sum::<usize>() + request.uri().path_and_query().map_or(0, |path| path.as_str().len());
        Self(Arc::new(Asked { request: Mutex::new(Some(request)), head_bytes, life, call }))
    }

    /// Its weight in the mailbox: what the peer sends after the head waits with the peer.
    pub(crate) fn head_bytes(&self) -> usize {
        self.0.head_bytes
    }

    /// The request, for the life that was asked.
    pub(crate) fn take(&self, life: u64) -> Option<Request<WasiBody>> {
        if life != self.0.life {
            return None;
        }
        lock(&self.0.request).take()
    }

    pub(crate) fn call(&self) -> &Arc<Call> {
        &self.0.call
    }
}

/// One exchange, as its two sides see it: answered at most once, and left when the peer is gone or may be served no more.
pub(crate) struct Call {
    /// Whether the grant that let the peer in holds: its end is known here before its connection is gone.
    may_last: Box<dyn Fn() -> bool + Send + Sync>,
    answer: Mutex<Option<oneshot::Sender<Answer>>>,
    is_left: AtomicBool,
    left: Notify,
}

impl Call {
    pub(crate) fn new(
        may_last: impl Fn() -> bool + Send + Sync + 'static,
    ) -> (Arc<Self>, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let call = Self {
            may_last: Box::new(may_last),
            answer: Mutex::new(Some(answer)),
            is_left: AtomicBool::new(false),
            left: Notify::new(),
        };
        (Arc::new(call), answered)
    }

    /// Answers; `false` if it was answered before.
    pub(crate) fn answer(&self, answer: Answer) -> bool {
        let Some(sender) = lock(&self.answer).take() else { return false };
        // The peer may be gone.
        let _ = sender.send(answer);
        true
    }

    pub(crate) fn is_answered(&self) -> bool {
        lock(&self.answer).is_none()
    }

    /// Nobody reads what is still to come.
    pub(crate) fn leave(&self) {
        self.is_left.store(true, SeqCst);
        self.left.notify_waiters();
    }

    pub(crate) fn is_left(&self) -> bool {
        self.is_left.load(SeqCst) || !(self.may_last)()
    }

    /// Waits until it is left.
    pub(crate) async fn left(&self) {
        // Made before the look: it is told of what happens from now on.
        let left = self.left.notified();
        if !self.is_left() {
            left.await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each of them is changed in one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Empty};

    use super::*;

    fn asked(target: &str) -> Exchange {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = Request::get(target).header("host", "a").body(body).expect("a request");
        Exchange::new(request, 1, Call::new(|| true).0)
    }

    #[test]
    fn the_query_counts_in_the_weight_of_a_letter() {
        assert_eq!(asked("/").head_bytes(), "/hosta".len());
        assert_eq!(asked("/path?a=b").head_bytes(), "/path?a=bhosta".len());
        assert_eq!(asked("http://a/path?a=b").head_bytes(), "/path?a=bhosta".len());
    }

    #[test]
    fn a_call_is_left_as_soon_as_the_grant_that_let_the_peer_in_has_ended() {
        let lasts = Arc::new(AtomicBool::new(true));
        let seen = lasts.clone();
        let (call, _answered) = Call::new(move || seen.load(SeqCst));
        assert!(!call.is_left());
        lasts.store(false, SeqCst);
        assert!(call.is_left());
    }
}
