//! Exports: the policy in force.

use std::ffi::c_char;
use std::path::Path;

use crate::completions::Answer;
use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::{airwasm_bytes, airwasm_completion, airwasm_handle};
use crate::{json, raw};

/// Reads the policy in the file at path, runs its tests, and puts it in force for all actors at once, those that live
/// included. All or nothing: after an error the policy before holds. POLICY_INVALID says file, line and column,
/// POLICY_TEST_FAILED the tests that do not hold. Limits and budgets count from an actor's next start.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_policy_load(
    system: *mut airwasm_system,
    path: *const c_char,
) -> *mut airwasm_error {
    guard(|| {
        let (system, path) = (raw::system(system)?, raw::text(path, "path")?);
        system.core().policy_load(Path::new(&path))
    })
}

/// airwasm_policy_load that does not wait. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_policy_load_async(
    system: *mut airwasm_system,
    path: *const c_char,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let (system, path) = (raw::system(system)?, raw::text(path, "path")?);
        let operation = system.core().policy_load_async(Path::new(&path));
        system.completions().start(operation, |()| Answer::Nothing, completion, &request)
    })
}

/// Which rule of the policy decides what an actor of this id may do, written as a capability without wildcards, such as
/// "fs.read /srv/pay.txt". *text begins with "allow:" or "deny:" and names the rule and the one that it beats; where
/// nothing allows it, it ends with the line that would. Grants from code are not looked at, and no actor needs to live.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_policy_explain(
    system: *mut airwasm_system,
    actor: *const c_char,
    capability: *const c_char,
    text: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(text, "text", raw::NO_BYTES)?;
        let system = raw::system(system)?;
        let (actor, capability) = (raw::text(actor, "actor")?, raw::text(capability, "capability")?);
        let explanation = system.core().policy_explain(&actor, &capability)?;
        out.set(raw::give_bytes(explanation.text.into_bytes()));
        Ok(())
    })
}

/// Runs the tests of the policy in force and only reports, as JSON: {"passed":4,"failed":[]}. failed has a line for
/// each test that does not hold.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_policy_test(
    system: *mut airwasm_system,
    report: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(report, "report", raw::NO_BYTES)?;
        let report = raw::system(system)?.core().policy_test()?;
        out.set(raw::give_bytes(json::policy_report(&report)));
        Ok(())
    })
}
