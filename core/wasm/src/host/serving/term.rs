//! How long an exchange may last, and what is told of one that lasts longer.

use std::sync::Arc;
use std::time::Duration;

use airssys_rt::ActorId;
use http::StatusCode;
use tokio::sync::oneshot::Receiver;
use tokio::time::{Instant, timeout_at};

use super::tell_failed;
use crate::host::hub::Hub;
use crate::types::error::{Code, Error};
use crate::types::exchange::{Answer, Call};

/// The end of one exchange, whose head has come when it begins.
pub(super) struct Term {
    pub(super) until: Instant,
    time_max: Duration,
    actor: ActorId,
    hub: Arc<Hub>,
}

impl Term {
    /// Of an exchange that begins now.
    pub(super) fn begin(time_max: Duration, actor: &ActorId, hub: &Arc<Hub>) -> Self {
        let (actor, hub) = (actor.clone(), hub.clone());
        Self { until: Instant::now() + time_max, time_max, actor, hub }
    }

    /// The answer, or that it did not come in time.
    pub(super) async fn answer(&self, call: &Call, answered: Receiver<Answer>) -> Answer {
        match timeout_at(self.until, answered).await {
            Ok(answer) => answer.unwrap_or(Err(StatusCode::SERVICE_UNAVAILABLE)),
            Err(_) => {
                // First, so that what the guest makes of it is not told again.
                call.leave();
                // Before the peer is answered: whoever sees the answer can read the event.
                self.cut(Some(StatusCode::GATEWAY_TIMEOUT));
                Err(StatusCode::GATEWAY_TIMEOUT)
            }
        }
    }

    /// Tells that it is over and was not done; `status` is what the peer is told, unless it has got a head.
    pub(super) fn cut(&self, status: Option<StatusCode>) {
        let allowed = u64::try_from(self.time_max.as_millis()).unwrap_or(u64::MAX);
        let error = Error::new(Code::Timeout, format!("the exchange was not done within {allowed} ms"))
            .with("which", "exchange_ms")
            .with("allowed", allowed);
        tell_failed(&self.hub, &self.actor, &error, status);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use http_body_util::BodyExt;
    use hyper::body::{Body, Frame};
    use wasmtime_wasi_http::Error as HttpError;

    use super::*;
    use crate::host::serving::bodies::{Reply, UnderWay};
    use crate::types::event::Event;

    /// Neither more nor an end.
    struct Endless;

    impl Body for Endless {
        type Data = Bytes;
        type Error = HttpError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
            Poll::Pending
        }
    }

    /// What `work` makes of an exchange that is over at once, and the events of it.
    fn over<T>(work: impl AsyncFnOnce(Term) -> T) -> (T, Vec<Event>) {
        let hub = Arc::<Hub>::default();
        let reader = hub.subscribe("*");
        let actor = "served".parse().expect("an id");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let made = runtime.block_on(async { work(Term::begin(Duration::ZERO, &actor, &hub)).await });
        hub.close();
        let next = || reader.next().wait().expect("no error");
        (made, std::iter::from_fn(next).collect())
    }

    fn facts(event: &Event) -> [&str; 4] {
        let text = |key: &str| event.detail[key].as_str().expect("text");
        [&event.kind, event.actor.as_deref().unwrap_or_default(), text("code"), text("which")]
    }

    #[test]
    fn hostile_e14_an_exchange_that_is_not_answered_in_time_is_a_504_and_an_event() {
        let (call, answered) = Call::new(|| true);
        let (answer, events) = over(async |term| term.answer(&call, answered).await);
        assert_eq!(answer.err(), Some(StatusCode::GATEWAY_TIMEOUT));
        assert!(!call.is_answered());
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(facts(event), ["http.failed", "default/served/0", "TIMEOUT", "exchange_ms"]);
        assert_eq!((&event.detail["status"], &event.detail["allowed"]), (&504.into(), &0.into()));
    }

    #[test]
    fn hostile_e14_an_answer_whose_body_does_not_end_in_time_is_cut_and_an_event() {
        let body = async |term| Reply::new(Endless.boxed_unsync(), term, None, None).frame().await;
        let (frame, events) = over(body);
        assert!(matches!(frame, Some(Err(HttpError::ConnectionWriteTimeout))));
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(facts(event), ["http.failed", "default/served/0", "TIMEOUT", "exchange_ms"]);
        assert!(event.detail.get("status").is_none(), "the peer has a head");
    }

    #[test]
    fn hostile_e14_an_answer_that_its_peer_does_not_take_in_time_is_an_event() {
        let unread = async |term| {
            let (call, _answered) = Call::new(|| true);
            let under_way = UnderWay::begin(&Arc::default(), &call);
            drop(Reply::new(Endless.boxed_unsync(), term, None, Some(under_way)));
        };
        let ((), events) = over(unread);
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(facts(event), ["http.failed", "default/served/0", "TIMEOUT", "exchange_ms"]);
    }

    #[test]
    fn what_is_answered_is_not_too_late() {
        let (call, answered) = Call::new(|| true);
        call.answer(Err(StatusCode::IM_A_TEAPOT));
        let (answer, events) = over(async |term| term.answer(&call, answered).await);
        assert_eq!((answer.err(), events.len()), (Some(StatusCode::IM_A_TEAPOT), 0));
    }
}
