//! Fork and exec: the only unsafe code of the crate.
//!
//! The host forks the keeper, the keeper starts the program. Between a fork of a process with threads
//! and exec only calls are made that POSIX calls async-signal-safe: all buffers are made before the
//! fork, and errors go out as numbers.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal};
use rustix::{net, pipe, process, thread};

use super::keeper::{self, Ears};
use super::wire::{Report, Stage};

/// All that is needed after the fork.
pub(super) struct Plan<'a> {
    pub program: BorrowedFd<'a>,
    pub args: &'a Strings,
    pub env: &'a Strings,
    pub stack: &'a Stack,
    pub stdio: [BorrowedFd<'a>; 3],
    pub directory: BorrowedFd<'a>,
    /// The keeper's end.
    pub control: BorrowedFd<'a>,
    /// A pidfd of this process.
    pub host: BorrowedFd<'a>,
    pub grace: Duration,
    pub run_max: Option<Duration>,
    pub file_bytes_max: Option<u64>,
    pub user_tasks_max: Option<u64>,
    pub memory_bytes_max: Option<u64>,
    pub cpu_seconds_max: Option<u64>,
}

/// Strings as exec takes them.
pub(super) struct Strings {
    pointers: Vec<*const c_char>,
    _owned: Vec<CString>,
}

impl Strings {
    pub fn new(owned: Vec<CString>) -> Self {
        let pointers = owned.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Self { pointers, _owned: owned }
    }
}

/// What a process that is not yet the program runs on. Made before the fork, for the stack of the
/// thread that forks may be small.
pub(super) struct Stack(Vec<UnsafeCell<u128>>);

impl Stack {
    pub fn new() -> Self {
        Self((0..STACK_BYTES / size_of::<u128>()).map(|_| UnsafeCell::new(0)).collect())
    }

    fn top(&self) -> *mut c_void {
        self.0.as_ptr_range().end.cast_mut().cast()
    }
}

const STACK_BYTES: usize = 65_536;

/// Where the keeper has its descriptors; 0, 1 and 2 are the program's.
const PROGRAM: RawFd = 3;
const DIRECTORY: RawFd = 4;
const CONTROL: RawFd = 5;
const HOST: RawFd = 6;
const FIRST_FREE: RawFd = 7;
/// Above all slots, so that filling one overwrites no source of another.
const ASIDE: RawFd = 16;

const SIGNALS: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 127 } else { 64 };
const SIGNAL_SET_BYTES: usize = (SIGNALS as usize).div_ceil(64) * 8;
/// Most descriptors that are closed one by one, on a kernel without `close_range`.
const CLOSED_MAX: u64 = 1 << 20;
/// A mapping of less stays with the keeper.
const MAPPING_BYTES_MIN: usize = 1 << 20;

/// Starts the keeper, which starts the program and reports on `control`; gives the keeper's pidfd.
///
/// The keeper's end raises no SIGCHLD and is no business of a `waitpid(-1)` of the host: only
/// [`reap`] collects it.
pub(super) fn start(plan: &Plan<'_>) -> io::Result<OwnedFd> {
    let mut pidfd: c_int = -1;
    // SAFETY: the sets are ours, and the calls initialise them. The thread's mask is put back below; the
    // keeper keeps all signals blocked, so that no handler of the host ever runs in it.
    let (forked, old) = unsafe {
        let (mut all, mut old) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut old);
        (fork(&mut pidfd), old)
    };
    if matches!(forked, Ok(None)) {
        // SAFETY: this is the forked keeper, which does nothing else.
        unsafe { be_keeper(plan) }
    }
    // SAFETY: `old` is what the call above has stored.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &old, ptr::null_mut()) };
    forked?;
    if pidfd < 0 {
        return Err(io::ErrorKind::Unsupported.into());
    }
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(pidfd) })
}

/// Waits until the keeper has ended, and collects it. It may have been collected already.
pub(super) fn reap(keeper: BorrowedFd<'_>) {
    // SAFETY: `info` is written to by the call alone.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let options = libc::WEXITED | libc::__WALL;
        while libc::waitid(libc::P_PIDFD, keeper.as_raw_fd() as libc::id_t, &mut info, options) < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    }
}

/// Forks without the handlers that libraries have left for a fork, which may take locks.
/// None in the new process.
///
/// # Safety
/// The new process has one thread, and locks that nobody will ever give back: it may only make
/// async-signal-safe calls.
unsafe fn fork(pidfd: *mut c_int) -> io::Result<Option<Pid>> {
    let flags = c_long::from(libc::CLONE_PIDFD);
    let (first, second) = if cfg!(target_arch = "s390x") { (0, flags) } else { (flags, 0) };
    // SAFETY: without a stack and CLONE_VM this is a fork; `pidfd` is written to in this process only.
    match unsafe { libc::syscall(libc::SYS_clone, first, second, pidfd, 0 as c_long, 0 as c_long) } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Pid::from_raw(pid as i32)),
    }
}

/// # Safety
/// Only in a process that [`fork`] has just made, with all signals blocked.
unsafe fn be_keeper(plan: &Plan<'_>) -> ! {
    // SAFETY: as the caller promises.
    let done = unsafe { set_up_keeper(plan) };
    // SAFETY: the slot has been filled; if not, the descriptor that stands there is refused as no socket.
    let control = unsafe { BorrowedFd::borrow_raw(CONTROL) };
    match done.and_then(|children| {
        // SAFETY: as the caller promises.
        let program = unsafe { start_program(plan) }?;
        Ok((children, program))
    }) {
        Ok((children, program)) => {
            // SAFETY: nothing of the plan is used from here on, and nothing else on a heap.
            unsafe {
                release_stdio();
                release_memory();
            }
            let _ = net::send(control, &Report::Started.encode(), net::SendFlags::NOSIGNAL);
            // SAFETY: both are open for as long as the keeper lives.
            let [host, children] = [HOST, children].map(|fd| unsafe { BorrowedFd::borrow_raw(fd) });
            keeper::keep(Ears { control, host, children, grace: plan.grace, run_max: plan.run_max }, program);
        }
        Err((stage, error)) => {
            let report = Report::Failed(stage, error.raw_os_error());
            let _ = net::send(control, &report.encode(), net::SendFlags::NOSIGNAL);
        }
    }
    exit(0)
}

/// Ends the process without a look at what the host has registered for its own end.
fn exit(code: c_int) -> ! {
    loop {
        // SAFETY: a system call that does not return.
        unsafe { libc::syscall(libc::SYS_exit_group, code) };
    }
}

type Failure = (Stage, Errno);

fn prepare(error: Errno) -> Failure {
    (Stage::Prepare, error)
}

fn last_error() -> Failure {
    prepare(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO))
}

/// Gives the signalfd of the keeper's children.
///
/// # Safety
/// As for [`be_keeper`].
unsafe fn set_up_keeper(plan: &Plan<'_>) -> Result<RawFd, Failure> {
    // SAFETY: each call is async-signal-safe, and changes the keeper only.
    unsafe {
        fill_slots(plan)?;
        for signal in 1..=SIGNALS {
            // By the kernel's own call: libc's leaves out the signals that it uses itself. All zero is the
            // default action on every architecture.
            let action = [0_u64; 8];
            let none = ptr::null_mut::<u64>();
            libc::syscall(libc::SYS_rt_sigaction, signal, action.as_ptr(), none, SIGNAL_SET_BYTES);
        }
        process::setsid().map_err(prepare)?;
        process::set_child_subreaper(Some(process::getpid())).map_err(prepare)?;
        // The keeper is a copy of the host: nobody may look into it.
        process::set_dumpable_behavior(process::DumpableBehavior::NotDumpable).map_err(prepare)?;
        // Without it a set-user-id program could not be killed.
        thread::set_no_new_privs(true).map_err(prepare)?;
        let _ = thread::set_name(c"airwasm-keeper");
        limit(Resource::Core, 0)?;
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGCHLD);
        match libc::signalfd(-1, &set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) {
            -1 => Err(last_error()),
            fd => Ok(fd),
        }
    }
}

fn limit(resource: Resource, most: u64) -> Result<(), Failure> {
    limit_softly(resource, most, most)
}

fn limit_softly(resource: Resource, soft: u64, most: u64) -> Result<(), Failure> {
    let hard = process::getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
    let limits = Rlimit { current: Some(soft.min(hard)), maximum: Some(hard) };
    process::setrlimit(resource, limits).map_err(prepare)
}

/// Puts each descriptor of the plan into its slot, and closes all others.
///
/// # Safety
/// Only in the keeper: it closes what others of the process own.
unsafe fn fill_slots(plan: &Plan<'_>) -> Result<(), Failure> {
    let [stdin, stdout, stderr] = plan.stdio;
    let sources = [stdin, stdout, stderr, plan.program, plan.directory, plan.control, plan.host];
    let mut aside = [-1; FIRST_FREE as usize];
    // SAFETY: numbers in, numbers out; nobody else lives in this process.
    unsafe {
        for (copy, source) in aside.iter_mut().zip(sources) {
            *copy = libc::fcntl(source.as_raw_fd(), libc::F_DUPFD_CLOEXEC, ASIDE);
            if *copy < 0 {
                return Err(last_error());
            }
        }
        for (slot, copy) in (0..).zip(aside) {
            let flags = if slot < PROGRAM { 0 } else { libc::O_CLOEXEC };
            if libc::dup3(copy, slot, flags) < 0 {
                return Err(last_error());
            }
        }
        if libc::syscall(libc::SYS_close_range, FIRST_FREE, libc::c_uint::MAX, 0) != 0 {
            let last = process::getrlimit(Resource::Nofile).maximum.unwrap_or(CLOSED_MAX).min(CLOSED_MAX);
            for fd in FIRST_FREE..last as RawFd {
                libc::close(fd);
            }
        }
    }
    Ok(())
}

/// What the program's process starts with.
struct Birth<'a> {
    plan: &'a Plan<'a>,
    keeper: Pid,
    /// Where it tells why it could not become the program.
    report: BorrowedFd<'a>,
}

/// Starts the program and waits until it runs.
///
/// # Safety
/// Only in the keeper, when its slots are filled.
unsafe fn start_program(plan: &Plan<'_>) -> Result<Pid, Failure> {
    // Only the program can hold the other end: the keeper has one thread.
    let (from, to) = pipe::pipe_with(pipe::PipeFlags::CLOEXEC).map_err(prepare)?;
    let birth = Birth { plan, keeper: process::getpid(), report: to.as_fd() };
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let arg = (&raw const birth).cast_mut().cast();
    // SAFETY: until exec it uses the keeper's memory, of which no copy is made, while the keeper waits;
    // so `birth` and the stack are there for as long as it needs them.
    let program = unsafe { libc::clone(born, plan.stack.top(), flags, arg) };
    let program = Pid::from_raw(program).filter(|_| program > 0).ok_or_else(last_error)?;
    drop(to);
    let mut bytes = [0; super::wire::BYTES];
    loop {
        return match rustix::io::read(&from, &mut bytes) {
            Err(Errno::INTR) => continue,
            Ok(super::wire::BYTES) => match Report::decode(bytes) {
                Some(Report::Failed(stage, error)) => Err((stage, Errno::from_raw_os_error(error))),
                _ => Err(prepare(Errno::IO)),
            },
            // Exec has closed the pipe; or the program was killed on the way, which the keeper will see.
            _ => Ok(program),
        };
    }
}

extern "C" fn born(birth: *mut c_void) -> c_int {
    // SAFETY: `start_program` has passed it, and waits.
    let birth = unsafe { &*birth.cast::<Birth<'_>>() };
    // SAFETY: this is the new process.
    let (stage, error) = unsafe { be_program(birth.plan, birth.keeper) };
    let _ = rustix::io::write(birth.report, &Report::Failed(stage, error.raw_os_error()).encode());
    exit(127)
}

/// Becomes the program, or says why not.
///
/// # Safety
/// Only in the process that the keeper has made for it.
unsafe fn be_program(plan: &Plan<'_>, keeper: Pid) -> Failure {
    let set_up = || {
        process::setsid().map_err(prepare)?;
        // The keeper has one thread, so this signal tells of its death and of nothing else.
        process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(prepare)?;
        if process::getppid() != Some(keeper) {
            return Err(prepare(Errno::SRCH));
        }
        // SAFETY: the slot is filled.
        let directory = unsafe { BorrowedFd::borrow_raw(DIRECTORY) };
        process::fchdir(directory).map_err(|error| (Stage::Directory, error))?;
        plan.file_bytes_max.map_or(Ok(()), |most| limit(Resource::Fsize, most))?;
        plan.user_tasks_max.map_or(Ok(()), |most| limit(Resource::Nproc, most))?;
        let seconds = plan.cpu_seconds_max;
        seconds.map_or(Ok(()), |most| limit_softly(Resource::Cpu, most, most.saturating_add(1)))?;
        plan.memory_bytes_max.map_or(Ok(()), |most| limit(Resource::As, most))
    };
    if let Err(failure) = set_up() {
        return failure;
    }
    // SAFETY: as the caller promises.
    unsafe { fence() };
    // SAFETY: the set is ours; the strings are ended by null pointers and outlive the call, for the
    // keeper has a copy of all that the host owns.
    unsafe {
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &none, ptr::null_mut());
        let (args, env) = (plan.args.pointers.as_ptr(), plan.env.pointers.as_ptr());
        libc::syscall(libc::SYS_execveat, PROGRAM, c"".as_ptr(), args, env, libc::AT_EMPTY_PATH);
    }
    let (_, error) = last_error();
    (Stage::Execute, error)
}

/// Where the kernel can (Linux 6.12 with Landlock), keeps the program and all it starts from signalling,
/// tracing and looking into processes that it did not start: the host, the keeper, other programs.
///
/// # Safety
/// Only in the process that becomes the program.
unsafe fn fence() {
    const SCOPE_SIGNAL: u64 = 1 << 1;
    // No file and no port is restricted.
    let rules = [0, 0, SCOPE_SIGNAL];
    // SAFETY: `rules` is a `landlock_ruleset_attr` of three numbers, and outlives the call.
    unsafe {
        let made = libc::syscall(libc::SYS_landlock_create_ruleset, rules.as_ptr(), size_of_val(&rules), 0);
        if let Ok(set @ 0..) = c_int::try_from(made) {
            libc::syscall(libc::SYS_landlock_restrict_self, set, 0);
            libc::close(set);
        }
    }
}

/// Closes the program's ends, so that its output ends with it.
///
/// # Safety
/// Only in the keeper, when the program has been forked.
unsafe fn release_stdio() {
    for fd in [0, 1, 2, PROGRAM, DIRECTORY] {
        // SAFETY: as the caller promises.
        unsafe { libc::close(fd) };
    }
}

/// Gives back the pages of the host's heaps. The keeper does not use them, and as long as it holds them
/// the host pays for a copy of each page that it writes to.
///
/// # Safety
/// Only in the keeper, when nothing on a heap is used any more.
unsafe fn release_memory() {
    // SAFETY: gives the address of the thread's own `errno`.
    let locals = unsafe { libc::__errno_location() } as usize;
    let stack = (&raw const locals) as usize;
    // What is called later is called once before: finding a function for the first time may read a heap.
    std::hint::black_box(Instant::now());
    super::mappings::each_private(|start, end| {
        if end - start >= MAPPING_BYTES_MIN && ![locals, stack].iter().any(|used| (start..end).contains(used))
        {
            // SAFETY: private memory without a file, and nobody reads it again: it would read zeros.
            unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) };
        }
    });
}

/// The number of forks between the first process and this one; counted from the first call on.
pub fn forks() -> u64 {
    static FORKS: AtomicU64 = AtomicU64::new(0);
    static WATCH: Once = Once::new();
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Relaxed);
    }
    WATCH.call_once(|| {
        // SAFETY: the handler only adds to an atomic, which is allowed in the child of a threaded process, and it
        // lives as long as the process. Without memory for it forks go unseen, which is no worse than not asking.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    FORKS.load(Relaxed)
}
