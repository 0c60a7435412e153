//! What is tried again, how often, and what never is.

mod support;

use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use airssys_osl::{
    Denial, DenialKind, Exhausted, FixedNames, FsError, Idempotent, NetError, NetLimits, ProcessError,
    Resolve, ResolveError, Resource, ResourceLimits, Resources, Retry, Transience, Whose,
};
use rustix::io::Errno;
use support::World;
use support::net::NetWorld;

use Transience::{Permanent, Transient};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A clock that only sleeping moves, and what is done whenever it does.
struct Night<'a> {
    began: Instant,
    slept: RefCell<Vec<Duration>>,
    then: &'a dyn Fn(),
}

impl<'a> Night<'a> {
    fn new(then: &'a dyn Fn()) -> Self {
        Self { began: Instant::now(), slept: RefCell::default(), then }
    }

    fn run<T, E>(&self, retry: Retry, left: Duration, operation: Idempotent<T, E>) -> Result<T, E> {
        let now = || self.began + self.slept.borrow().iter().sum::<Duration>();
        let sleep = |wait| {
            self.slept.borrow_mut().push(wait);
            (self.then)();
        };
        retry.run(self.began + left, operation, now, sleep, || 0.0)
    }
}

const PATIENT: Retry = Retry { attempts_max: 5, initial: ms(10), max: ms(50), factor: 2.0, jitter: 0.0 };

#[test]
fn every_error_is_transient_or_permanent() {
    let full = Exhausted { resource: Resource::File, whose: Whose::Actor, allowed: 1 };
    let denial = |kind| Denial {
        kind,
        capability: "fs.read /a".into(),
        function: String::new(),
        actor: "a".into(),
        rule: None,
    };
    let kinds = [DenialKind::NotGranted, DenialKind::Revoked, DenialKind::Expired, DenialKind::Forbidden];
    for kind in kinds.into_iter().chain([DenialKind::AuditUnavailable]) {
        assert_eq!(FsError::Denied(denial(kind)).transience(), Permanent);
        assert_eq!(NetError::Denied(denial(kind)).transience(), Permanent);
        assert_eq!(ProcessError::Denied(denial(kind)).transience(), Permanent);
    }
    for (error, expected) in [
        (FsError::TooManyOpen(full), Transient),
        (FsError::NotFound, Permanent),
        (FsError::AlreadyExists, Permanent),
        (FsError::InvalidPath(String::new()), Permanent),
        (FsError::TooLarge { bytes_max: 1 }, Permanent),
        (FsError::QuotaExceeded { write_bytes_max: 1 }, Permanent),
    ] {
        assert_eq!(error.transience(), expected, "{error}");
    }
    for (error, expected) in [
        (NetError::Timeout, Transient),
        (NetError::TooManySockets(full), Transient),
        (NetError::TooManyAccepted { accepted_max: 1 }, Transient),
        (NetError::TooManyBytes { received_bytes_max: 1 }, Permanent),
        (NetError::PortZero, Permanent),
        (NetError::Resolve(ResolveError::NoAnswer("x".into())), Transient),
        (NetError::Resolve(ResolveError::NotFound("x".into())), Permanent),
        (NetError::Resolve(ResolveError::Timeout), Transient),
    ] {
        assert_eq!(error.transience(), expected, "{error}");
    }
    for (error, expected) in [
        (ProcessError::TooManyProcesses(full), Transient),
        (ProcessError::TooManyStarts { starts_per_second_max: 1 }, Transient),
        (ProcessError::TimedOut, Transient),
        (ProcessError::NotFound("x".into()), Permanent),
        (ProcessError::NotProgram("x".into()), Permanent),
        (ProcessError::OutputLimit { output_bytes_max: 1 }, Permanent),
        (ProcessError::Ended, Permanent),
        (ProcessError::Unsupported("x"), Permanent),
    ] {
        assert_eq!(error.transience(), expected, "{error}");
    }
}

#[test]
fn what_the_system_is_short_of_may_come_and_what_it_refuses_does_not() {
    for code in [
        Errno::INTR,
        Errno::AGAIN,
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::NOBUFS,
        Errno::BUSY,
        Errno::TXTBSY,
        Errno::TIMEDOUT,
        Errno::CONNREFUSED,
        Errno::CONNRESET,
        Errno::CONNABORTED,
        Errno::HOSTUNREACH,
        Errno::NETUNREACH,
        Errno::NETDOWN,
        Errno::ADDRINUSE,
        Errno::ADDRNOTAVAIL,
        Errno::STALE,
    ] {
        assert_eq!(FsError::Io(io::Error::from(code)).transience(), Transient, "{code}");
        assert_eq!(NetError::Io(io::Error::from(code)).transience(), Transient, "{code}");
        assert_eq!(ProcessError::Io(io::Error::from(code)).transience(), Transient, "{code}");
    }
    for code in [Errno::ACCESS, Errno::PERM, Errno::INVAL, Errno::IO, Errno::NOSPC, Errno::ROFS, Errno::PIPE]
    {
        assert_eq!(FsError::Io(io::Error::from(code)).transience(), Permanent, "{code}");
    }
}

#[test]
fn waits_grow_to_the_longest_and_end_with_the_attempts_or_the_time() {
    let wait = |attempts, left| PATIENT.wait_after(attempts, Transient, left, 0.0);
    let waits: Vec<_> = (0..7).map(|attempts| wait(attempts, ms(1_000))).collect();
    let ten = Some(ms(10));
    assert_eq!(waits, [ten, ten, Some(ms(20)), Some(ms(40)), Some(ms(50)), None, None]);
    assert_eq!((wait(1, ms(10)), wait(1, ms(11))), (None, ten), "there must be time for an attempt");
    assert_eq!(PATIENT.wait_after(1, Permanent, ms(1_000), 0.0), None);
    let half = Retry { jitter: 0.5, ..PATIENT };
    let drawn = [0.0, 0.5, 1.0, 9.0].map(|random| half.wait_after(3, Transient, ms(1_000), random));
    assert_eq!(drawn, [ms(40), ms(30), ms(20), ms(20)].map(Some));
}

#[test]
fn a_policy_of_odd_numbers_harms_nobody() {
    let odd = [f64::NAN, f64::INFINITY, -1.0, 0.0, f64::MAX];
    for (factor, jitter) in odd.iter().flat_map(|factor| odd.map(|jitter| (*factor, jitter))) {
        for initial in [Duration::ZERO, ms(10), Duration::MAX] {
            let retry = Retry { attempts_max: u32::MAX, initial, max: ms(50), factor, jitter };
            for (attempts, random) in [(0, f64::NAN), (1, -1.0), (u32::MAX - 1, 0.5)] {
                let wait = retry.wait_after(attempts, Transient, Duration::MAX, random).unwrap();
                assert!(wait <= ms(50), "{retry:?}");
            }
        }
    }
    let world = World::new(&[]);
    let none = Retry { attempts_max: 0, ..PATIENT };
    let operation = Idempotent::metadata(&world.files, "/a", true, "test");
    assert!(
        matches!(Night::new(&|| ()).run(none, ms(1), operation), Err(FsError::Denied(_))),
        "it is tried once"
    );
}

#[test]
fn a_transient_failure_is_tried_again_until_it_is_gone() {
    let world = World::new(&["fs.read {}/**", "fs.list {}/**"]);
    let path = world.write("a", "content");
    let limits = ResourceLimits { files_max: 1, ..ResourceLimits::default() };
    let files = world.files.clone().with_resources(Resources::new(limits));
    let open = Cell::new(Some(files.open(&path, "test").unwrap()));
    let rounds = Cell::new(0);
    let close_at_third = || {
        rounds.set(rounds.get() + 1);
        if rounds.get() == 3 {
            drop(open.take());
        }
    };
    let night = Night::new(&close_at_third);
    let read = night.run(PATIENT, ms(1_000), Idempotent::read(&files, &path, 100, "test"));
    assert_eq!(read.unwrap(), b"content");
    assert_eq!(*night.slept.borrow(), [ms(10), ms(20), ms(40)]);
    let list = Idempotent::list(&files, &world.path(""), "test");
    assert_eq!(Night::new(&|| ()).run(PATIENT, ms(1), list).unwrap().len(), 1);
}

#[test]
fn a_permanent_failure_is_told_at_once() {
    let world = World::new(&["fs.read {}/**"]);
    let night = Night::new(&|| ());
    let absent = Idempotent::metadata(&world.files, &world.path("a"), true, "test");
    assert!(matches!(night.run(PATIENT, ms(1_000), absent), Err(FsError::NotFound)));
    assert_eq!(*night.slept.borrow(), []);
}

#[test]
fn the_last_error_is_told_when_attempts_or_time_are_used_up() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("a", "content");
    let limits = ResourceLimits { files_max: 1, ..ResourceLimits::default() };
    let files = world.files.clone().with_resources(Resources::new(limits));
    let _open = files.open(&path, "test").unwrap();
    for (left, waits) in [(ms(1_000), 4), (ms(31), 2), (ms(30), 1), (ms(0), 0)] {
        let night = Night::new(&|| ());
        let read = night.run(PATIENT, left, Idempotent::read(&files, &path, 100, "test"));
        assert!(matches!(read, Err(FsError::TooManyOpen(_))));
        assert_eq!(night.slept.borrow().len(), waits, "{left:?}");
    }
}

#[test]
fn a_grant_that_is_revoked_meanwhile_ends_it() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("a", "content");
    let limits = ResourceLimits { files_max: 1, ..ResourceLimits::default() };
    let files = world.files.clone().with_resources(Resources::new(limits));
    let resources = Resources::new(limits);
    let _held = resources.try_acquire(Resource::File).unwrap();
    let files = files.with_resources(resources);
    let revoke = || assert!(world.set.revoke(1).is_some());
    let night = Night::new(&revoke);
    let read = night.run(PATIENT, ms(1_000), Idempotent::read(&files, &path, 100, "test"));
    assert!(matches!(read, Err(FsError::Denied(_))));
    assert_eq!(night.slept.borrow().len(), 1);
}

/// Answers at the third question.
struct Slow(std::sync::atomic::AtomicUsize);

impl Resolve for Slow {
    fn resolve(&self, name: &str, deadline: Instant) -> Result<Vec<std::net::IpAddr>, ResolveError> {
        match self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Err(ResolveError::Timeout),
            1 => Err(ResolveError::NoAnswer("busy".into())),
            _ => {
                let known = [(name.to_owned(), vec![std::net::Ipv4Addr::LOCALHOST.into()])];
                FixedNames::new(known.into(), None).resolve(name, deadline)
            }
        }
    }
}

#[test]
fn names_and_connections_are_tried_again_and_each_attempt_is_recorded() {
    let peer = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = peer.local_addr().unwrap().port();
    let grant = format!("net.connect a.example:{port} ; private=yes");
    let world = NetWorld::with(&[&grant], Arc::new(Slow(0.into())), NetLimits::default());
    let night = Night::new(&|| ());
    let connect = Idempotent::connect(&world.network, "a.example", port, "test");
    let stream = night.run(PATIENT, Duration::from_secs(20), connect).unwrap();
    assert_eq!(stream.peer(), peer.local_addr().unwrap());
    assert_eq!(night.slept.borrow().len(), 2);
    assert_eq!(world.decisions().len(), 4, "three questions and a connection");
    let resolve = Idempotent::resolve(&world.network, "a.example", "test");
    assert_eq!(night.run(PATIENT, Duration::from_secs(20), resolve).unwrap().len(), 1);
    let denied = Idempotent::connect(&world.network, "b.example", port, "test");
    assert!(matches!(night.run(PATIENT, Duration::from_secs(20), denied), Err(NetError::Denied(_))));
}
