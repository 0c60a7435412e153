//! The one way from airwasm's threads to a JavaScript thread: a threadsafe function that carries no data.
//!
//! All unsafe code of this crate is here.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::bindgen_prelude::{Array, FromNapiValue, Function};
use napi::{Env, Result, check_status, sys};

/// What the environment's thread runs after a signal: it is given the JavaScript function that takes a batch.
pub type Deliver = Box<dyn Fn(&Env, &Function<'_, Array<'_>, ()>) -> Result<()>>;

/// Rings the environment's bell. Rung often before it is heard, it may be heard once.
#[derive(Clone, Copy)]
pub struct Wake(sys::napi_threadsafe_function);

// SAFETY: Node-API allows `napi_call_threadsafe_function` from any thread while the function lives, and `Queue`
// forgets its `Wake` in a cleanup hook that runs before Node ends the function. `hold` and `release` take an `Env`,
// which only the environment's own thread has.
unsafe impl Send for Wake {}

impl Wake {
    /// A bell that does not keep the process alive. `dispatch` and `deliver` live as long as the environment.
    pub fn new(env: &Env, dispatch: &Function<'_, Array<'_>, ()>, deliver: Deliver) -> Result<Wake> {
        let name = env.create_string("airwasm")?;
        let context = Box::into_raw(Box::new(deliver));
        let mut raw = ptr::null_mut();
        // SAFETY: `env`, `dispatch` and `name` are live values of this thread's environment; `context` is freed by
        // `finalize` alone, which Node calls once, after the last `call`.
        let status = unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                napi::JsValue::raw(dispatch),
                ptr::null_mut(),
                napi::JsValue::raw(&name),
                0,
                1,
                context.cast(),
                Some(finalize),
                context.cast(),
                Some(call),
                &mut raw,
            )
        };
        if status != sys::Status::napi_ok {
            // SAFETY: Node did not take the context over, so it is still ours, and nobody else has the pointer.
            drop(unsafe { Box::from_raw(context) });
        }
        check_status!(status)?;
        let wake = Wake(raw);
        wake.release(env);
        Ok(wake)
    }

    /// Asks for one run of `deliver` soon; false if the environment is closing.
    pub fn signal(self) -> bool {
        // SAFETY: the caller holds the lock of the queue, which still has this `Wake`, so the function lives.
        let status = unsafe {
            sys::napi_call_threadsafe_function(
                self.0,
                ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            )
        };
        status == sys::Status::napi_ok
    }

    /// Keeps the environment's event loop alive until `release`.
    pub fn hold(self, env: &Env) {
        // SAFETY: on the environment's own thread, before its cleanup. There is nothing to do about a refusal.
        let _ = unsafe { sys::napi_ref_threadsafe_function(env.raw(), self.0) };
    }

    /// Lets the event loop end.
    pub fn release(self, env: &Env) {
        // SAFETY: as in `hold`.
        let _ = unsafe { sys::napi_unref_threadsafe_function(env.raw(), self.0) };
    }
}

/// Called by Node on the environment's thread, inside a handle scope. During teardown there is no environment.
unsafe extern "C" fn call(
    env: sys::napi_env,
    dispatch: sys::napi_value,
    context: *mut c_void,
    _: *mut c_void,
) {
    if env.is_null() || dispatch.is_null() {
        return;
    }
    // SAFETY: `context` is the box of `Wake::new`, which lives until `finalize`; it is only ever read.
    let deliver = unsafe { &*context.cast::<Deliver>() };
    // Nothing may unwind into C. An error means that JavaScript may no longer run here: a worker that is being
    // terminated. What was in the batch is dropped then, which answers whoever waits for it.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: both are live for this call.
        let dispatch = unsafe { Function::from_napi_value(env, dispatch) }?;
        deliver(&Env::from_raw(env), &dispatch)
    }));
}

/// Called by Node once, when the function has ended.
unsafe extern "C" fn finalize(_: sys::napi_env, context: *mut c_void, _: *mut c_void) {
    // SAFETY: the box of `Wake::new`, given back exactly once.
    let deliver = unsafe { Box::from_raw(context.cast::<Deliver>()) };
    let _ = catch_unwind(AssertUnwindSafe(move || drop(deliver)));
}
