//! Serves http by `wasi:http/incoming-handler`, and answers a message with what it was sent; `trap` traps, and
//! `sleep MS` takes so long, `ask ACTOR` until that actor has answered.
//!
//! | request | response |
//! |---|---|
//! | `/hello` | `hello` |
//! | `/echo` | the body as it comes |
//! | `/count` | how many bytes the body has; 400 with the error code if it does not end well |
//! | `/head` | method, path, authority and headers, one a line |
//! | `/bytes/N` | N bytes |
//! | `/times` | how often this instance was asked |
//! | `/sleep/MS` | `slept`, after so long |
//! | `/after` | `first`, and work after it |
//! | `/read/PATH` | a file |
//! | `/tell/ACTOR`, `/ask/ACTOR` | `told`, after a message to that actor; what that actor answers |
//! | `/fall/ACTOR` | a trap, as soon as that actor answers |
//! | `/status/N` | nothing, with that status |
//! | `/odd` | the same with 101, and a trap |
//! | `/half` | half of what it promises, then a trap |
//! | `/refuse`, `/silent`, `/trap`, `/loop` | an error code, nothing at all, a trap, none ever |

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use airssys::wasm::messaging;
use exports::airssys::wasm::handler::{Failure, Guest, Message};
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

struct Serve;
export!(Serve);
wasip2::http::proxy::export!(Serve);

static TIMES: AtomicU32 = AtomicU32::new(0);

impl Guest for Serve {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        if let Some(ms) = text.strip_prefix("sleep ") {
            std::thread::sleep(Duration::from_millis(ms.parse().unwrap_or(0)));
        }
        if let Some(actor) = text.strip_prefix("ask ") {
            ask(actor);
        }
        if text == "trap" {
            std::process::abort();
        }
        Ok(Some(message.payload))
    }
}

impl wasip2::exports::http::incoming_handler::Guest for Serve {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        TIMES.fetch_add(1, Relaxed);
        let target = request.path_with_query().unwrap_or_default();
        let (command, rest) = target.trim_start_matches('/').split_once('/').unwrap_or((&target[1..], ""));
        match command {
            "hello" => text(out, 200, "hello"),
            "echo" => echo(&request, out),
            "count" => match count(&request) {
                Ok(bytes) => text(out, 200, &bytes.to_string()),
                Err(why) => text(out, 400, &why),
            },
            "head" => text(out, 200, &head(&request)),
            "bytes" => bytes(out, rest.parse().unwrap_or(0)),
            "times" => text(out, 200, &TIMES.load(Relaxed).to_string()),
            "sleep" => {
                std::thread::sleep(Duration::from_millis(rest.parse().unwrap_or(0)));
                text(out, 200, "slept");
            }
            "after" => {
                text(out, 200, "first");
                std::thread::sleep(Duration::from_millis(20));
            }
            "read" => match std::fs::read_to_string(format!("/{rest}")) {
                Ok(found) => text(out, 200, &found),
                Err(why) => text(out, 403, &why.to_string()),
            },
            "tell" => match messaging::send(rest, b"here", None) {
                Ok(()) => text(out, 200, "told"),
                Err(why) => text(out, 403, &why.to_string()),
            },
            "ask" => text(out, 200, &ask(rest)),
            "fall" => {
                ask(rest);
                std::process::abort();
            }
            "status" => {
                let (body, stream) = begin(out, rest.parse().unwrap_or(0), &[]);
                drop(stream);
                let _ = OutgoingBody::finish(body, None);
            }
            "odd" => drop(begin(out, 101, &[])),
            "half" => half(out),
            "refuse" => ResponseOutparam::set(out, Err(ErrorCode::ConfigurationError)),
            "silent" => {}
            "trap" => std::process::abort(),
            "loop" => loop {
                TIMES.fetch_add(1, Relaxed);
            },
            _ => text(out, 404, "nothing is here"),
        }
    }
}

/// What an actor answers, however long that takes.
fn ask(actor: &str) -> String {
    match messaging::request(actor, b"asked", Some(60_000)) {
        Ok(answer) => String::from_utf8_lossy(&answer).into_owned(),
        Err(why) => why.to_string(),
    }
}

/// The head goes out; what is written then is the body.
fn begin(out: ResponseOutparam, status: u16, headers: &[(&str, &str)]) -> (OutgoingBody, OutputStream) {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).expect("it may be set");
    }
    let response = OutgoingResponse::new(fields);
    response.set_status_code(status).expect("a status");
    let body = response.body().expect("taken once");
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().expect("taken once");
    (body, stream)
}

fn text(out: ResponseOutparam, status: u16, text: &str) {
    let (body, stream) = begin(out, status, &[("content-type", "text/plain")]);
    let written = write(&stream, text.as_bytes());
    drop(stream);
    if written.is_ok() {
        let _ = OutgoingBody::finish(body, None);
    }
}

fn write(stream: &OutputStream, bytes: &[u8]) -> Result<(), StreamError> {
    bytes.chunks(4_096).try_for_each(|part| stream.blocking_write_and_flush(part))
}

fn each(
    request: &IncomingRequest,
    mut act: impl FnMut(&[u8]) -> Result<(), StreamError>,
) -> Result<(), String> {
    let body: IncomingBody = request.consume().map_err(|()| "no body".to_owned())?;
    let stream: InputStream = body.stream().map_err(|()| "no stream".to_owned())?;
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(bytes) => act(&bytes).map_err(|why| why.to_string())?,
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                return Err(code.map_or_else(|| error.to_debug_string(), |code| format!("{code:?}")));
            }
        }
    }
}

fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let (body, stream) = begin(out, 200, &[]);
    let echoed = each(request, |bytes| write(&stream, bytes));
    drop(stream);
    if echoed.is_ok() {
        let _ = OutgoingBody::finish(body, None);
    }
}

fn count(request: &IncomingRequest) -> Result<usize, String> {
    let mut count = 0;
    each(request, |bytes| {
        count += bytes.len();
        Ok(())
    })?;
    Ok(count)
}

fn head(request: &IncomingRequest) -> String {
    let method = match request.method() {
        wasip2::http::types::Method::Get => "GET".to_owned(),
        other => format!("{other:?}"),
    };
    let mut lines =
        vec![method, request.path_with_query().unwrap_or_default(), request.authority().unwrap_or_default()];
    for (name, value) in request.headers().entries() {
        lines.push(format!("{name}: {}", String::from_utf8_lossy(&value)));
    }
    lines.join("\n")
}

fn bytes(out: ResponseOutparam, count: usize) {
    let (body, stream) = begin(out, 200, &[]);
    let written = write(&stream, &vec![b'x'; count]);
    drop(stream);
    if written.is_ok() {
        let _ = OutgoingBody::finish(body, None);
    }
}

fn half(out: ResponseOutparam) {
    let (_body, stream) = begin(out, 200, &[("content-length", "8")]);
    let _ = write(&stream, b"half");
    std::process::abort();
}
