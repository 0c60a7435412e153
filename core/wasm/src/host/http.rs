//! Outgoing http: every request is asked for; none can be granted in this version.

use std::future::Future;
use std::sync::Arc;

use airssys_osl::Ask;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use super::state::Refusals;

/// Denies each request by its method and its whole target, and connects to nobody.
pub(super) struct Refuse(pub Arc<Refusals>);

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io)>> + Send>;

impl WasiHttpHooks for Refuse {
    fn send_request(&mut self, request: http::Request<WasiBody>, _: Option<RequestOptions>, _: Io) -> Sent {
        let ask = Ask::Http { method: request.method().to_string(), url: request.uri().to_string() };
        // The decision is audited and told here; a grant of http cannot be made in this version.
        let _ = self.0.check(&ask, "wasi:http/outgoing-handler#handle");
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
