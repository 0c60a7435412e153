//! Every unsafe block of this crate: reading what a C program points to, and writing what it asked for.
//!
//! The functions here are not marked unsafe because only the exports call them, and these speak for C: NULL, wrong
//! alignment, wrong sizes and text that is not UTF-8 are found here and are errors; that a pointer which passes these
//! checks points to what its type says is the caller's promise, as in every C interface.

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::{MaybeUninit, align_of, offset_of, size_of};
use std::ptr;
use std::slice;

use airwasm::{Error, Result};

use crate::error::airwasm_error;
use crate::reply::airwasm_reply;
use crate::system::airwasm_system;
use crate::types::{
    airwasm_actor_spec, airwasm_audit_options, airwasm_backoff, airwasm_budget, airwasm_bytes, airwasm_child,
    airwasm_completion, airwasm_event, airwasm_event_callback, airwasm_handler, airwasm_limits,
    airwasm_message, airwasm_options, airwasm_outcome, airwasm_request_options, airwasm_send_options,
    airwasm_supervisor_spec, airwasm_wait_options,
};

/// A larger `struct_size` than this is memory that nobody set.
const STRUCT_SIZE_MAX: usize = 4096;

/// Without an allocation, because NULL is no error where something is freed.
fn is_usable<T>(pointer: *const T) -> bool {
    !pointer.is_null() && pointer.is_aligned()
}

fn check<T>(pointer: *const T, which: &str) -> Result<()> {
    if is_usable(pointer) {
        return Ok(());
    }
    Err(match pointer.is_null() {
        true => Error::argument(which, "it is NULL"),
        false => Error::argument(which, format!("the pointer is not aligned to {} bytes", align_of::<T>())),
    })
}

/// An out-param that was checked and set to nothing; it keeps that value unless the call succeeds.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Sets what is only made if somebody wants it.
    pub(crate) fn set_with(&self, value: impl FnOnce() -> T) {
        if !self.0.is_null() {
            self.set(value());
        }
    }

    pub(crate) fn set(&self, value: T) {
        if !self.0.is_null() {
            // SAFETY: `out` and `optional_out` checked it, and the caller lends it for the call.
            unsafe { ptr::write(self.0, value) }
        }
    }
}

/// The out-param `which`, set to `nothing` at once.
pub(crate) fn out<T>(pointer: *mut T, which: &str, nothing: T) -> Result<Out<T>> {
    check(pointer, which)?;
    optional_out(pointer, which, nothing)
}

/// The same for one that may be NULL.
pub(crate) fn optional_out<T>(pointer: *mut T, which: &str, nothing: T) -> Result<Out<T>> {
    if !pointer.is_null() {
        check(pointer, which)?;
    }
    let out = Out(pointer);
    out.set(nothing);
    Ok(out)
}

/// The text `which`, which must be there.
pub(crate) fn text(pointer: *const c_char, which: &str) -> Result<String> {
    check(pointer, which)?;
    // SAFETY: not NULL, and the caller promises that a 0 ends it.
    let text = unsafe { CStr::from_ptr(pointer) };
    match text.to_str() {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            Err(Error::argument(which, format!("it is not UTF-8 from byte {} on", error.valid_up_to())))
        }
    }
}

/// The text `which`, unless it is NULL.
pub(crate) fn optional_text(pointer: *const c_char, which: &str) -> Result<Option<String>> {
    if pointer.is_null() { Ok(None) } else { text(pointer, which).map(Some) }
}

/// What `len` elements from `pointer` on are used for, while the call lasts.
fn with_slice<T, R>(
    pointer: *const T,
    len: usize,
    which: &str,
    use_it: impl FnOnce(&[T]) -> Result<R>,
) -> Result<R> {
    if len == 0 {
        return use_it(&[]);
    }
    check(pointer, which)?;
    if len > isize::MAX.unsigned_abs() / size_of::<T>() {
        return Err(Error::argument(which, format!("{len} is more than memory can hold")));
    }
    // SAFETY: not NULL, aligned, of a size that can be; the caller promises that so many are there.
    use_it(unsafe { slice::from_raw_parts(pointer, len) })
}

/// Uses the bytes `which` while the call lasts.
pub(crate) fn with_bytes<R>(
    pointer: *const c_void,
    len: usize,
    which: &str,
    use_them: impl FnOnce(&[u8]) -> Result<R>,
) -> Result<R> {
    with_slice(pointer.cast::<u8>(), len, which, use_them)
}

/// Fills the bytes `which` while the call lasts.
pub(crate) fn with_bytes_mut<R>(
    pointer: *mut c_void,
    len: usize,
    which: &str,
    fill_them: impl FnOnce(&mut [u8]) -> Result<R>,
) -> Result<R> {
    if len == 0 {
        return fill_them(&mut []);
    }
    check(pointer.cast::<u8>(), which)?;
    if len > isize::MAX.unsigned_abs() {
        return Err(Error::argument(which, format!("{len} is more than memory can hold")));
    }
    // SAFETY: not NULL, of a size that can be; the caller promises that so many are there, and lends them for the call.
    fill_them(unsafe { slice::from_raw_parts_mut(pointer.cast::<u8>(), len) })
}

/// The pointers of an array.
pub(crate) fn pointers<T>(pointer: *const *const T, len: usize, which: &str) -> Result<Vec<*const T>> {
    with_slice(pointer, len, which, |pointers| Ok(pointers.to_vec()))
}

/// The texts of an array; none of them may be NULL.
pub(crate) fn texts(pointer: *const *const c_char, len: usize, which: &str) -> Result<Vec<String>> {
    with_slice(pointer, len, which, |texts| {
        texts.iter().enumerate().map(|(at, one)| text(*one, &format!("{which}[{at}]"))).collect()
    })
}

/// A struct that begins with its size and of which all zeros is a value.
///
/// # Safety
/// It is `repr(C)`, begins with `struct_size: u32`, and holds numbers, raw pointers and optional functions only.
pub(crate) unsafe trait SizeFirst: Copy {}
// SAFETY: each is as the trait demands: see src/types.rs.
unsafe impl SizeFirst for airwasm_options {}
// SAFETY: as above.
unsafe impl SizeFirst for airwasm_audit_options {}
// SAFETY: as above.
unsafe impl SizeFirst for airwasm_budget {}
// SAFETY: as above.
unsafe impl SizeFirst for airwasm_limits {}
// SAFETY: as above.
unsafe impl SizeFirst for airwasm_actor_spec {}
// SAFETY: as above.
unsafe impl SizeFirst for airwasm_backoff {}
// SAFETY: as above.
unsafe impl SizeFirst for airwasm_child {}
// SAFETY: as above.
unsafe impl SizeFirst for airwasm_supervisor_spec {}
// SAFETY: as above.
unsafe impl SizeFirst for airwasm_send_options {}
// SAFETY: as above.
unsafe impl SizeFirst for airwasm_request_options {}
// SAFETY: as above.
unsafe impl SizeFirst for airwasm_wait_options {}
const _: () = assert!(offset_of!(airwasm_options, struct_size) == 0);

/// The struct `which`, whether it was made with an older, this or a newer header; what it lacks is 0.
pub(crate) fn sized<T: SizeFirst>(pointer: *const T, which: &str) -> Result<T> {
    check(pointer, which)?;
    // SAFETY: not NULL and aligned, and the first field of every such struct is its size.
    let given = unsafe { pointer.cast::<u32>().read() } as usize;
    let size = |why: String| Error::argument(which, format!("struct_size is {given}: {why}"));
    let known = size_of::<T>();
    if given == 0 {
        return Err(size("begin with AIRWASM_INIT".to_owned()));
    }
    if given > STRUCT_SIZE_MAX || (given != size_of::<u32>() && !given.is_multiple_of(align_of::<T>())) {
        return Err(size("no version of this struct has that size".to_owned()));
    }
    if given > known {
        // SAFETY: the caller promises that `struct_size` bytes are there.
        let tail = unsafe { slice::from_raw_parts(pointer.cast::<u8>().add(known), given - known) };
        if tail.iter().any(|byte| *byte != 0) {
            return Err(size(format!(
                "it sets a field that this version ({}) lacks",
                airwasm::System::version()
            )));
        }
    }
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `given` bytes are readable, `known` are writable, two objects of one type do not overlap, and `SizeFirst`
    // promises that zeros are a value of every field.
    unsafe {
        ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), given.min(known));
        Ok(value.assume_init())
    }
}

/// The struct `which`, unless it is NULL.
pub(crate) fn optional_sized<T: SizeFirst>(pointer: *const T, which: &str) -> Result<Option<T>> {
    if pointer.is_null() { Ok(None) } else { sized(pointer, which).map(Some) }
}

/// Gives a value to C, which holds it as an opaque pointer.
pub(crate) fn give<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Takes back what `give` gave; `None` for NULL.
fn take<T>(pointer: *mut T) -> Option<Box<T>> {
    if !is_usable(pointer) {
        return None;
    }
    // SAFETY: the caller promises that it came from `give` and is used no more.
    Some(unsafe { Box::from_raw(pointer) })
}

pub(crate) fn take_system(pointer: *mut airwasm_system) -> Option<Box<airwasm_system>> {
    take(pointer)
}

pub(crate) fn take_error(pointer: *mut airwasm_error) -> Option<Box<airwasm_error>> {
    take(pointer)
}

pub(crate) fn take_reply(pointer: *mut airwasm_reply) -> Option<Box<airwasm_reply>> {
    take(pointer)
}

/// The system, while the call lasts. A call that runs callbacks clones it first: one of them may free it.
pub(crate) fn system<'call>(pointer: *const airwasm_system) -> Result<&'call airwasm_system> {
    check(pointer, "system")?;
    // SAFETY: the caller promises that it came from airwasm_open and that airwasm_system_free comes after this call.
    Ok(unsafe { &*pointer })
}

/// A text of the error, which lives as long as it; `nothing` for NULL.
pub(crate) fn of_error<T>(
    pointer: *const airwasm_error,
    nothing: T,
    read: impl FnOnce(&airwasm_error) -> T,
) -> T {
    if !is_usable(pointer) {
        return nothing;
    }
    // SAFETY: the caller promises that it is an error that was not freed.
    read(unsafe { &*pointer })
}

/// What `airwasm_bytes` are where there are none: they print as the empty text and need no free.
pub(crate) const NO_BYTES: airwasm_bytes =
    airwasm_bytes { data: c"".as_ptr().cast(), len: 0, owner: ptr::null_mut() };

/// Gives bytes to C, with the 0 that follows them.
pub(crate) fn give_bytes(mut bytes: Vec<u8>) -> airwasm_bytes {
    let len = bytes.len();
    bytes.reserve_exact(1);
    bytes.push(0);
    let data = bytes.as_ptr();
    airwasm_bytes { data, len, owner: give(bytes).cast() }
}

/// Frees what `give_bytes` gave and leaves zeros, so that a second time finds nothing.
pub(crate) fn free_bytes(pointer: *mut airwasm_bytes) {
    if is_usable(pointer) {
        // SAFETY: not NULL and aligned; the caller promises an `airwasm_bytes` that it set to zero or got from here.
        let bytes = unsafe {
            ptr::replace(pointer, airwasm_bytes { data: ptr::null(), len: 0, owner: ptr::null_mut() })
        };
        drop(take(bytes.owner.cast::<Vec<u8>>()));
    }
}

/// A context and its finalizer, which runs once, when this is dropped.
struct Context {
    pointer: *mut c_void,
    free: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: the header says that callbacks run on other threads, so the caller promises a context that allows it.
unsafe impl Send for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: the caller's own function with the caller's own context.
            unsafe { free(self.pointer) }
        }
    }
}

/// A callback of C: its function, which takes the context first, its context and its finalizer.
pub(crate) struct Callback<F> {
    call: Option<F>,
    context: Context,
}

pub(crate) type EventCallback = Callback<unsafe extern "C" fn(*mut c_void, *const airwasm_event)>;
pub(crate) type Completion = Callback<unsafe extern "C" fn(*mut c_void, *mut airwasm_outcome)>;
pub(crate) type Handler =
    Callback<unsafe extern "C" fn(*mut c_void, *const airwasm_message, *mut airwasm_reply)>;

/// Takes a callback over, with the duty to free its context.
macro_rules! taken_over {
    ($($given:ident => $callback:ident),*) => {$(
        impl From<$given> for $callback {
            fn from(given: $given) -> Self {
                Self { call: given.call, context: Context { pointer: given.context, free: given.free } }
            }
        }
    )*};
}

taken_over!(airwasm_event_callback => EventCallback, airwasm_completion => Completion, airwasm_handler => Handler);

impl<F> Callback<F> {
    /// The same if there is something to call; `INVALID_ARGUMENT` if not.
    pub(crate) fn check(self, which: &str) -> Result<Self> {
        if self.call.is_none() {
            return Err(Error::argument(which, "its function is NULL"));
        }
        Ok(self)
    }
}

impl EventCallback {
    pub(crate) fn tell(&self, event: &airwasm_event) {
        if let Some(call) = self.call {
            // SAFETY: the caller's own function with the caller's own context; the event outlives the call.
            unsafe { call(self.context.pointer, event) }
        }
    }
}

impl Completion {
    /// The only call, after which the finalizer runs.
    pub(crate) fn complete(self, mut outcome: airwasm_outcome) {
        if let Some(call) = self.call {
            // SAFETY: as above; the callee takes over what the outcome carries.
            unsafe { call(self.context.pointer, &raw mut outcome) }
        }
    }
}

impl Handler {
    pub(crate) fn handle(&self, message: &airwasm_message, reply: airwasm_reply) {
        if let Some(call) = self.call {
            // SAFETY: as above; the message outlives the call, and the reply is given away.
            unsafe { call(self.context.pointer, message, give(reply)) }
        }
    }
}

/// An outcome owns what it carries until a callback takes it over; one that none took is freed.
pub(crate) struct Outcome(airwasm_outcome);

// SAFETY: the error and the bytes in it are owned and referred to by nothing else.
unsafe impl Send for Outcome {}

impl Outcome {
    pub(crate) fn new(error: *mut airwasm_error, bytes: airwasm_bytes, handle: u64) -> Self {
        let struct_size = size_of_u32::<airwasm_outcome>();
        Self(airwasm_outcome { struct_size, error, bytes, handle })
    }

    /// What it carries, which is the callee's from here on.
    pub(crate) fn release(mut self) -> airwasm_outcome {
        let carried = self.0;
        self.0 = airwasm_outcome { error: ptr::null_mut(), bytes: NO_BYTES, ..carried };
        carried
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        drop(take(self.0.error));
        free_bytes(&raw mut self.0.bytes);
    }
}

/// The size of a struct as its own first field says it.
pub(crate) const fn size_of_u32<T>() -> u32 {
    assert!(size_of::<T>() <= STRUCT_SIZE_MAX);
    size_of::<T>() as u32
}

/// The text for C; a 0 inside it, which C would take for its end, becomes U+FFFD.
pub(crate) fn c_text(text: &str) -> CString {
    let text = if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() };
    CString::new(text).expect("every 0 was replaced")
}

/// A descriptor that is readable while it was written to, closed on exec, never blocking.
#[cfg(target_os = "linux")]
pub(crate) fn eventfd() -> std::io::Result<std::fs::File> {
    use std::os::fd::FromRawFd;
    // SAFETY: no pointers are passed.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: it is new and ours.
    Ok(unsafe { std::fs::File::from_raw_fd(fd) })
}
