//! `wasi:http/types#http-error-code`: why a body that a guest reads has broken off, in its words.

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, IoError};

use super::state::State;
use crate::engine::Caller;

/// Links it in place of theirs, which finds no code in what a body fails with.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let linked = linker.instance("wasi:http/types@0.2.12")?.func_wrap(
        "http-error-code",
        |mut context: Caller<'_, State>, (error,): (Resource<IoError>,)| {
            Ok((code(context.data_mut().called().table.get(&error)?),))
        },
    );
    linker.allow_shadowing(false);
    linked
}

/// Nothing for what is no error of http.
fn code(error: &IoError) -> Option<ErrorCode> {
    if let Some(code) = error.downcast_ref::<ErrorCode>() {
        return Some(code.clone());
    }
    Some(match error.downcast_ref::<Error>()? {
        Error::HttpRequestDenied => ErrorCode::HttpRequestDenied,
        Error::HttpRequestBodySize(bytes) => ErrorCode::HttpRequestBodySize(*bytes),
        Error::HttpResponseBodySize(bytes) => ErrorCode::HttpResponseBodySize(*bytes),
        Error::HttpResponseIncomplete => ErrorCode::HttpResponseIncomplete,
        Error::ConnectionReadTimeout => ErrorCode::ConnectionReadTimeout,
        Error::ConnectionTerminated => ErrorCode::ConnectionTerminated,
        _ => ErrorCode::HttpProtocolError,
    })
}
