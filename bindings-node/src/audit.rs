//! An audit log verified, which needs no system.

use std::path::PathBuf;

use airwasm::{AuditReport, System};
use napi::bindgen_prelude::{AsyncTask, Either};
use napi::{Env, Task};
use napi_derive::napi;

use crate::answer::{error_text, guard};
use crate::records::AuditAnswer;

/// A log that is read on a thread of Node's own pool: no system is there to lend one.
pub struct Verification(PathBuf);

impl Task for Verification {
    type Output = airwasm::Result<AuditReport>;
    type JsValue = Either<AuditAnswer, String>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(guard(|| System::audit_verify(&self.0)))
    }

    fn resolve(&mut self, _: Env, outcome: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(match outcome {
            Ok(report) => Either::A(report.into()),
            Err(error) => Either::B(error_text(&error)),
        })
    }
}

/// Follows the hash chain of an audit log; the promise is never rejected.
#[napi(ts_return_type = "Promise<AuditAnswer | string>")]
pub fn audit_verify(path: String) -> AsyncTask<Verification> {
    AsyncTask::new(Verification(path.into()))
}
