//! Outgoing http: each request is asked for by its method and whole URL, and goes where that was decided, over osl.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use airssys_osl::{HttpAddress, HttpRoute, NetError, ResolveError, TcpStream};
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::client::conn::http1::Builder;
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::rustls::pki_types::ServerName;
use wasmtime_wasi::runtime::spawn;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use super::http_io::{Connection, Driven, Received, Sent};
use super::network::{Net, wait};
use super::state::Refusals;
use crate::engine::Meter;

/// Lines of a response's head.
const HEADERS_MAX: usize = 128;
/// Bytes of a response's head, and of what is read ahead of the guest.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Bytes of a response's body.
const BODY_BYTES_MAX: u64 = 64 << 20;
/// How long to connect, to wait for the first byte, and for the next, where the guest does not say.
const TIME: Duration = Duration::from_secs(30);
/// The longest that it may say.
const TIME_MAX: Duration = Duration::from_secs(600);

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(Response<WasiBody>, Io)>;

/// How the requests of one life are sent.
#[derive(Clone)]
pub(super) struct Exchanges {
    pub net: Net,
    pub refusals: Arc<Refusals>,
    pub meter: Arc<Meter>,
}

/// A stream of bytes to the server, under TLS or not.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl WasiHttpHooks for Exchanges {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Io,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let (method, url) = (request.method().as_str(), request.uri().to_string());
        // The future may never be polled: what is denied is told now.
        let route = match self.net.network.http(method, &url, "wasi:http/outgoing-handler#handle") {
            Ok(route) => Arc::new(route),
            Err(denial) => {
                self.refusals.note(&denial);
                return Box::new(async { Err(Error::HttpRequestDenied) });
            }
        };
        if self.meter.output(head_bytes(&request)).is_err() {
            return Box::new(async { Err(Error::HttpRequestHeaderSectionSize(None)) });
        }
        let exchange = self.clone().exchange(route, request, options.unwrap_or_default());
        begun(Box::pin(exchange))
    }

    fn p2_error_from_hyper(&mut self, _: &hyper::Error) -> ErrorCode {
        ErrorCode::HttpProtocolError
    }

    fn p2_error_from_connect(&mut self, _: &io::Error) -> ErrorCode {
        ErrorCode::DestinationUnavailable
    }

    fn p2_error_from_tls(&mut self, error: &io::Error) -> ErrorCode {
        use tokio_rustls::rustls::Error as TlsError;
        let found = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
        match found {
            _ if error.kind() == io::ErrorKind::PermissionDenied => ErrorCode::HttpRequestDenied,
            Some(TlsError::InvalidCertificate(_)) => ErrorCode::TlsCertificateError,
            _ => ErrorCode::TlsProtocolError,
        }
    }
}

impl Exchanges {
    async fn exchange(
        self,
        route: Arc<HttpRoute>,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Answer {
        let time = |asked: Option<Duration>| asked.unwrap_or(TIME).min(TIME_MAX);
        let stream = timeout(time(options.connect_timeout), self.stream(&route)).await;
        let stream = stream.map_err(|_| Error::ConnectionTimeout)??;
        let handshake = Builder::new()
            .max_headers(HEADERS_MAX)
            .max_buf_size(HEAD_BYTES_MAX)
            .handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(from_hyper)?;
        let mut driven = Driven::new(connection);
        let request = origin_form(&route, request)?.map(|body| Sent { body, meter: self.meter.clone() });
        let answered = driven.until(sender.send_request(request));
        let response = timeout(time(options.first_byte_timeout), answered).await;
        let response = response.map_err(|_| Error::ConnectionReadTimeout)?.map_err(from_hyper)?;
        let driven = spawn(driven);
        check_length(response.headers())?;
        let silence_max = time(options.between_bytes_timeout);
        let response = response.map(|body| Received::new(body, BODY_BYTES_MAX, silence_max).boxed_unsync());
        let io = async move {
            driven.await;
            Ok(())
        };
        Ok((response, Box::new(io)))
    }

    async fn stream(&self, route: &Arc<HttpRoute>) -> Result<Box<dyn Duplex>> {
        let stream = self.connect(route).await.map_err(|error| self.error(error))?;
        let connection = Connection::new(stream, self.refusals.clone()).map_err(|error| self.error(error))?;
        if !route.is_https() {
            return Ok(Box::new(connection));
        }
        let name = ServerName::try_from(route.host()).map_err(|_| Error::HttpRequestUriInvalid)?;
        let under_tls = self.net.trust.connector().connect(name, connection).await;
        Ok(Box::new(under_tls.map_err(Error::Tls)?))
    }

    /// Connects to the first address that takes it, each with its share of the time.
    async fn connect(&self, route: &Arc<HttpRoute>) -> std::result::Result<TcpStream, NetError> {
        let asked = route.clone();
        let addresses = match route.is_resolved() {
            true => asked.addresses(Instant::now().into_std())?,
            false => self.net.clone().look_up(move |_, deadline| asked.addresses(deadline)).await?,
        };
        let end = Instant::now() + TIME;
        let mut failed = NetError::Timeout;
        for (tried, address) in addresses.iter().enumerate() {
            let left = end.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            match timeout_at(Instant::now() + share, connect(route, address)).await {
                Ok(Err(error @ NetError::Io(_))) => failed = error,
                Ok(done) => return done,
                Err(_) => failed = NetError::Timeout,
            }
        }
        Err(failed)
    }

    /// What the guest is told of a connection that did not come about; a denial is noted.
    fn error(&self, error: NetError) -> Error {
        self.refusals.note_of(&error);
        match error {
            NetError::Denied(_) => Error::HttpRequestDenied,
            NetError::Resolve(ResolveError::Timeout) => Error::DnsTimeout,
            NetError::Resolve(why @ ResolveError::NotFound(_)) => {
                Error::DnsError { rcode: Some(why.to_string()), info_code: None }
            }
            // Why not names the host's own servers.
            NetError::Resolve(_) => Error::DnsError { rcode: None, info_code: None },
            NetError::Timeout => Error::ConnectionTimeout,
            NetError::TooManySockets { .. } | NetError::TooManyAccepted { .. } => {
                Error::ConnectionLimitReached
            }
            NetError::TooManyBytes { .. } => Error::HttpResponseBodySize(None),
            NetError::PortZero => Error::HttpRequestUriInvalid,
            NetError::Io(why) if why.kind() == io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
            NetError::Io(why) => Error::Connect(why),
        }
    }
}

/// Polls once on the spot, so that the request leaves, if it can, before another thread has taken over.
fn begun(
    mut exchange: Pin<Box<dyn Future<Output = Answer> + Send>>,
) -> Box<dyn Future<Output = Answer> + Send> {
    match exchange.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Box::new(async { answer }),
        Poll::Pending => Box::new(exchange),
    }
}

async fn connect(route: &HttpRoute, address: &HttpAddress) -> std::result::Result<TcpStream, NetError> {
    let mut connecting = route.begin(address)?;
    while !connecting.is_connected()? {
        wait(connecting.ready_fd()?, Interest::WRITABLE).await;
    }
    let stream = connecting.finish()?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The request as it goes to its own server and to no proxy: what was decided, with the query, and the one host.
fn origin_form(route: &HttpRoute, mut request: Request<WasiBody>) -> Result<Request<WasiBody>> {
    let target = match request.uri().query() {
        Some(query) => format!("{}?{query}", route.path()),
        None => route.path().to_owned(),
    };
    *request.uri_mut() = target.parse::<Uri>().map_err(|_| Error::HttpRequestUriInvalid)?;
    let host = HeaderValue::from_str(&route.authority()).map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().insert(HOST, host);
    Ok(request)
}

/// What leaves the guest before the body.
fn head_bytes(request: &Request<WasiBody>) -> usize {
    let headers: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    request.method().as_str().len() + request.uri().to_string().len() + headers
}

/// Refuses a response of which two programs could see two ends.
fn check_length(headers: &HeaderMap) -> Result<()> {
    let lengths = headers.get_all(CONTENT_LENGTH).iter().count();
    match lengths > 1 || (lengths == 1 && headers.contains_key(TRANSFER_ENCODING)) {
        true => Err(Error::HttpProtocolError),
        false => Ok(()),
    }
}

/// What of an exchange that failed the guest can tell apart.
pub(super) fn from_hyper(error: hyper::Error) -> Error {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(why) = cause {
        match why.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::PermissionDenied) => return Error::HttpRequestDenied,
            Some(io::ErrorKind::UnexpectedEof) => return Error::HttpResponseIncomplete,
            Some(ConnectionReset | ConnectionAborted | BrokenPipe) => return Error::ConnectionTerminated,
            _ => {}
        }
        if let Some(Error::HttpRequestBodySize(bytes)) = why.downcast_ref::<Error>() {
            return Error::HttpRequestBodySize(*bytes);
        }
        cause = why.source();
    }
    match error {
        error if error.is_parse_too_large() => Error::HttpResponseHeaderSectionSize(None),
        error if error.is_incomplete_message() => Error::HttpResponseIncomplete,
        error if error.is_canceled() || error.is_closed() => Error::ConnectionTerminated,
        error => Error::Hyper(error),
    }
}
