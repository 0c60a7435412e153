//! Exports: answers of C handlers.
#![allow(non_camel_case_types)]

use std::ffi::{c_char, c_void};

use airwasm::{Code, Error, Reply, Result};

use crate::guard::guard_or;
use crate::raw;

/// The duty to answer one message: exactly one airwasm_reply_ function must be called, from any thread; it takes the
/// reply over.
pub struct airwasm_reply(pub(crate) Reply);

fn settle(reply: *mut airwasm_reply, answer: impl FnOnce() -> Result<Vec<u8>>) {
    guard_or((), || {
        if let Some(reply) = raw::take_reply(reply) {
            reply.0.settle(answer());
        }
    });
}

/// Answers with bytes, which are copied; len 0 is the empty answer. NULL for reply is fine.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_reply_send(reply: *mut airwasm_reply, data: *const c_void, len: usize) {
    settle(reply, || raw::with_bytes(data, len, "data", |bytes| Ok(bytes.to_vec())));
}

/// Answers with a failure, which is an answer and no crash: the caller gets FAILURE with the code "failure" and this
/// text.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_reply_fail(reply: *mut airwasm_reply, text: *const c_char) {
    settle(reply, || Err(failure("failure", &raw::text(text, "text")?)));
}

/// The same with a code of the handler's own, such as "no-key".
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_reply_fail_code(
    reply: *mut airwasm_reply,
    code: *const c_char,
    text: *const c_char,
) {
    settle(reply, || Err(failure(&raw::text(code, "code")?, &raw::text(text, "text")?)));
}

/// Says that the handler has crashed: the caller gets HANDLER_RAISED with this text, and the actor's supervisor acts.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_reply_raise(reply: *mut airwasm_reply, text: *const c_char) {
    settle(reply, || Err(Error::new(Code::HandlerRaised, raw::text(text, "text")?)));
}

/// Gives no answer, which is a crash too: HANDLER_RAISED.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_reply_free(reply: *mut airwasm_reply) {
    guard_or((), || drop(raw::take_reply(reply)));
}

fn failure(code: &str, text: &str) -> Error {
    Error::new(Code::Failure, format!("{code}: {text}")).with("code", code).with("text", text)
}
