//! http, by the calls of `wasi:http` themselves.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

use super::failure;
use crate::exports::airssys::wasm::handler::Failure;

const REDIRECTS_MAX: usize = 5;

type Done<T> = Result<T, Failure>;

/// What is asked for, in its parts.
struct Request<'a> {
    method: &'a str,
    scheme: &'a str,
    authority: &'a str,
    target: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: Vec<u8>,
    wait_ms: Option<u64>,
}

struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

pub fn get(url: &str) -> Done<Vec<u8>> {
    let response = Request::new("GET", url)?.send()?;
    match response.status {
        200..=299 => Ok(response.body),
        status => Err(failure("status", status)),
    }
}

pub fn send(method: &str, url: &str, more: &[&str]) -> Done<String> {
    let mut request = Request::new(method, url)?;
    for word in more {
        match word.split_once('=') {
            Some(header) => request.headers.push(header),
            None => request.body = word.as_bytes().to_vec(),
        }
    }
    request.send().map(|response| response.text())
}

/// Each hop is a request of its own, which the host asks for anew.
pub fn follow(url: &str) -> Done<String> {
    let mut url = url.to_owned();
    for _ in 0..=REDIRECTS_MAX {
        let response = Request::new("GET", &url)?.send()?;
        match response.headers.iter().find(|(name, _)| name == "location") {
            Some((_, next)) if (300..400).contains(&response.status) => url = next.clone(),
            _ => return Ok(response.text()),
        }
    }
    Err(failure("redirects", "too many"))
}

pub fn raw(scheme: &str, authority: &str, target: &str) -> Done<String> {
    let request = Request { scheme, authority, target, ..Request::new("GET", "http://unused/")? };
    request.send().map(|response| response.text())
}

pub fn upload(url: &str, bytes: usize, wait_ms: Option<u64>) -> Done<String> {
    let request = Request { body: vec![b'x'; bytes], wait_ms, ..Request::new("POST", url)? };
    request.send().map(|response| response.text())
}

/// A POST whose body is still to be written.
pub fn post(url: &str) -> Done<(OutgoingBody, FutureIncomingResponse)> {
    Request::new("POST", url)?.begin()
}

pub fn hurry(ms: u64, url: &str) -> Done<String> {
    let request = Request { wait_ms: Some(ms), ..Request::new("GET", url)? };
    request.send().map(|response| response.text())
}

impl<'a> Request<'a> {
    fn new(method: &'a str, url: &'a str) -> Done<Self> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| failure("usage", "no scheme"))?;
        let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Ok(Self { method, scheme, authority, target, headers: Vec::new(), body: Vec::new(), wait_ms: None })
    }

    /// Sends the head; the body is still to be written.
    fn begin(&self) -> Done<(OutgoingBody, FutureIncomingResponse)> {
        let fields = Fields::new();
        for (name, value) in &self.headers {
            let added = fields.append(name, value.as_bytes());
            added.map_err(|why| failure("header", format!("{name}: {why:?}")))?;
        }
        let request = OutgoingRequest::new(fields);
        let refused = |what: &str| failure("refused", what);
        request.set_method(&method(self.method)).map_err(|()| refused("method"))?;
        request.set_scheme(Some(&scheme(self.scheme))).map_err(|()| refused("scheme"))?;
        request.set_authority(Some(self.authority)).map_err(|()| refused("authority"))?;
        request.set_path_with_query(Some(self.target)).map_err(|()| refused("target"))?;
        let body = request.body().map_err(|()| refused("body"))?;
        Ok((body, outgoing_handler::handle(request, self.options()).map_err(code)?))
    }

    fn send(&self) -> Done<Response> {
        let (body, answer) = self.begin()?;
        let refused = |what: &str| failure("refused", what);
        // What it cannot send the answer says better.
        let sent = self.write(body);
        answer.subscribe().block();
        let response =
            answer.get().ok_or_else(|| refused("answer"))?.map_err(|()| refused("second answer"))?;
        let response = response.map_err(code)?;
        sent?;
        Response::read(response)
    }

    fn options(&self) -> Option<RequestOptions> {
        let wait_ns = self.wait_ms? * 1_000_000;
        let options = RequestOptions::new();
        let _ = options.set_connect_timeout(Some(wait_ns));
        let _ = options.set_first_byte_timeout(Some(wait_ns));
        let _ = options.set_between_bytes_timeout(Some(wait_ns));
        Some(options)
    }

    fn write(&self, body: OutgoingBody) -> Done<()> {
        if !self.body.is_empty() {
            let stream = body.write().map_err(|()| failure("refused", "stream"))?;
            for chunk in self.body.chunks(4_096) {
                stream.blocking_write_and_flush(chunk).map_err(|why| stream_failure(&why))?;
            }
        }
        OutgoingBody::finish(body, None).map_err(code)
    }
}

impl Response {
    fn read(response: IncomingResponse) -> Done<Self> {
        let status = response.status();
        let text = |(name, value): (String, Vec<u8>)| (name, String::from_utf8_lossy(&value).into_owned());
        let headers = response.headers().entries().into_iter().map(text).collect();
        let incoming = response.consume().map_err(|()| failure("refused", "body"))?;
        let mut body = Vec::new();
        let stream = incoming.stream().map_err(|()| failure("refused", "stream"))?;
        loop {
            match stream.blocking_read(64 << 10) {
                Ok(bytes) => body.extend(bytes),
                Err(StreamError::Closed) => break,
                Err(why) => return Err(stream_failure(&why)),
            }
        }
        drop(stream);
        drop(IncomingBody::finish(incoming));
        Ok(Self { status, headers, body })
    }

    fn text(&self) -> String {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("{}\n{headers}{}", self.status, String::from_utf8_lossy(&self.body))
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        other => Method::Other(other.to_owned()),
    }
}

fn scheme(name: &str) -> Scheme {
    match name {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}

pub fn stream_failure(why: &StreamError) -> Failure {
    match why {
        StreamError::Closed => failure("stream", "closed"),
        StreamError::LastOperationFailed(error) => match wasip2::http::types::http_error_code(error) {
            Some(found) => code(found),
            None => failure("stream", error.to_debug_string()),
        },
    }
}

pub fn code(code: ErrorCode) -> Failure {
    failure("http", format!("{code:?}"))
}
