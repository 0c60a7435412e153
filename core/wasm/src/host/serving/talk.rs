//! One connection: its requests, one after the other, become letters to the actor, whose answers it sends.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use airssys_osl::{Guard, TcpStream};
use airssys_rt::ActorRef;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use tokio::time::sleep;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::io::TokioIo;

use super::admission::admit;
use super::bodies::{Reply, UnderWay};
use super::bounds::{
    BODY_BYTES_MAX, EXCHANGE_TIME_MAX, HEAD_BYTES_MAX, HEAD_TIME_MAX, HEADERS_MAX, LAST_BYTES_TIME_MAX,
    ROOM_TIME_MAX, SILENCE_MAX,
};
use super::heads::Heads;
use super::pace::{Clock, Pace, Paced};
use super::term::Term;
use super::{Door, over};
use crate::host::http_io::{Connection, Received};
use crate::host::race::{First, race};
use crate::types::exchange::{Answer, Call, Exchange};
use crate::types::letter::Letter;

/// What the requests of one connection share.
struct Talk {
    door: Arc<Door>,
    /// Of the grant that let the peer in.
    guard: Guard,
    pace: Arc<Pace>,
    forged: Arc<AtomicBool>,
    busy: Arc<AtomicBool>,
}

/// Serves a connection to its end; once the server ends, to the end of the exchange under way.
pub(super) async fn converse(stream: TcpStream, door: Arc<Door>) {
    let mut ending = door.ending.subscribe();
    // Where it cannot, small answers come a little later.
    let _ = stream.set_nodelay(true);
    let guard = stream.guard().clone();
    // A denial is noted there: the audit has its record too.
    let Ok(connection) = Connection::new(stream, door.refusals.clone()) else { return };
    let pace = Arc::<Pace>::default();
    let heads = Heads::new(Paced::new(connection, pace.clone()));
    let busy = Arc::<AtomicBool>::default();
    let talk = Arc::new(Talk { door, guard, pace, forged: heads.forged(), busy: busy.clone() });
    let service = service_fn(move |request| {
        let talk = talk.clone();
        async move { Ok::<_, Infallible>(talk.exchange(request).await) }
    });
    let mut builder = Builder::new();
    builder.timer(Clock).header_read_timeout(HEAD_TIME_MAX);
    builder.max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(heads), service));
    if let First::One(_) = race(connection.as_mut(), over(&mut ending)).await {
        return;
    }
    connection.as_mut().graceful_shutdown();
    while busy.load(SeqCst) {
        if let First::One(_) = race(connection.as_mut(), sleep(LAST_BYTES_TIME_MAX)).await {
            return;
        }
    }
    // Nothing is under way: what was answered leaves, and a peer that says nothing is not waited for.
    drop(race(connection, sleep(LAST_BYTES_TIME_MAX)).await);
}

impl Talk {
    async fn exchange(&self, request: Request<Incoming>) -> Response<Reply> {
        let term = Term::begin(EXCHANGE_TIME_MAX, &self.door.id, &self.door.ports.hub);
        self.pace.set(term.until);
        if self.forged.load(SeqCst) {
            return refusal(StatusCode::BAD_REQUEST, term);
        }
        let request = match admit(request, self.door.local) {
            Ok(request) => request,
            Err(status) => return refusal(status, term),
        };
        let ends = request.headers().contains_key(TRANSFER_ENCODING);
        let is_head = request.method() == Method::HEAD;
        let guard = self.guard.clone();
        let (call, answered) = Call::new(move || guard.alive().is_ok());
        let under_way = UnderWay::begin(&self.busy, &call);
        let received =
            |body| Received::new(body, BODY_BYTES_MAX, SILENCE_MAX).of_request(term.until).boxed_unsync();
        let exchange = Exchange::new(request.map(received), self.door.life, call.clone());
        if let Err(status) = self.deliver(exchange).await {
            return refusal(status, term);
        }
        let answer = term.answer(&call, answered).await;
        let mut response = response(answer, term, is_head, under_way);
        if ends {
            // Where chunks end is not looked at, so nothing after them is taken for a request.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Puts it into the mailbox, by the mailbox's own rules.
    async fn deliver(&self, exchange: Exchange) -> Result<(), StatusCode> {
        let actor = self.actor().ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
        let letter = Letter { exchange: Some(exchange), ..Letter::from_host(Vec::new(), None) };
        let until = std::time::Instant::now() + ROOM_TIME_MAX;
        actor.send_async(letter, Some(until)).await.map_err(|refused| match refused.error {
            airssys_rt::Error::TooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        })
    }

    fn actor(&self) -> Option<ActorRef<Letter>> {
        self.door.ports.runtime.upgrade()?.lookup(&self.door.id)
    }
}

/// What the guest answers, or the host in its place.
fn response(answer: Answer, term: Term, is_head: bool, mut under_way: UnderWay) -> Response<Reply> {
    let response = match answer {
        Ok(response) => response,
        Err(status) => return refusal(status, term),
    };
    let has_none = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    under_way.is_whole = is_head || has_none;
    let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    response.map(|body| Reply::new(body, term, length, Some(under_way)))
}

/// What the host itself says; the connection ends with it.
fn refusal(status: StatusCode, term: Term) -> Response<Reply> {
    let text = Bytes::from(format!("{status}\n"));
    let length = text.len() as u64;
    let body: WasiBody = Full::new(text).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(Reply::new(body, term, Some(length), None));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
