//! Operations on threads of a pool, as futures.

mod support;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use airssys_osl::{
    AcquireError, FsError, Job, Pool, PoolError, PoolLimits, Resource, ResourceLimits, Resources,
};
use support::World;
use support::futures::{block_on, poll, poll_with};

/// Longer than any test: threads stay.
const FOREVER: Duration = Duration::from_secs(3_600);

fn pool(threads_max: usize, queued_max: usize) -> Pool {
    Pool::new(PoolLimits { threads_max, queued_max, idle: FOREVER })
}

/// An operation that has begun, and ends when it is told.
fn held(pool: &Pool) -> (Job<()>, Sender<()>) {
    let (begin, begun) = channel();
    let (end, ended): (Sender<()>, Receiver<()>) = channel();
    let job = pool.run(move || {
        begin.send(()).unwrap();
        let _ = ended.recv();
    });
    begun.recv().unwrap();
    (job, end)
}

#[test]
fn any_operation_runs_away_from_its_caller() {
    let world = World::new(&["fs.read {}/**", "fs.write {}/**"]);
    let (path, pool) = (world.write("a", "content"), Pool::default());
    let (files, read) = (world.files.clone(), path.clone());
    let content = block_on(pool.run(move || files.read_all(&read, 100, "test"))).unwrap().unwrap();
    assert_eq!(content, b"content");
    let files = world.files.clone();
    let name = block_on(pool.run(move || {
        files.write_all(&path, b"new", "test").unwrap();
        thread::current().name().map(str::to_owned)
    }));
    assert_eq!(name.unwrap().as_deref(), Some("airwasm-io"));
    let files = world.files.clone();
    let denied = block_on(pool.run(move || files.read_all("/elsewhere", 1, "test"))).unwrap();
    assert!(matches!(denied, Err(FsError::Denied(_))));
}

#[test]
fn threads_are_made_for_work_and_not_beyond_the_limit() {
    let pool = pool(2, 100);
    assert_eq!(pool.threads(), 0, "none before there is work");
    let one = held(&pool);
    assert_eq!(pool.threads(), 1);
    let two = held(&pool);
    let third = pool.run(|| 3);
    assert_eq!((pool.threads(), pool.queued()), (2, 1));
    drop(one.1);
    assert_eq!(block_on(third), Ok(3));
    block_on(one.0).unwrap();
    drop(two.1);
    block_on(two.0).unwrap();
    for _ in 0..20 {
        assert_eq!(block_on(pool.run(|| 1)), Ok(1));
    }
    assert!(pool.threads() <= 2);
}

#[test]
fn an_idle_thread_ends() {
    let pool = Pool::new(PoolLimits { idle: Duration::ZERO, ..PoolLimits::default() });
    for round in 0..3 {
        assert_eq!(block_on(pool.run(move || round)), Ok(round));
        while pool.threads() > 0 {
            thread::yield_now();
        }
    }
}

#[test]
fn what_is_queued_is_done_in_order_and_bounded() {
    let pool = pool(1, 3);
    let (job, end) = held(&pool);
    let order: Arc<Mutex<Vec<u32>>> = Arc::default();
    let noted = |n| {
        let order = order.clone();
        pool.run(move || order.lock().unwrap().push(n))
    };
    let jobs = [noted(1), noted(2), noted(3)];
    assert_eq!(block_on(noted(4)), Err(PoolError::Full { queued_max: 3 }));
    drop(end);
    block_on(job).unwrap();
    jobs.into_iter().for_each(|job| block_on(job).unwrap());
    assert_eq!(*order.lock().unwrap(), [1, 2, 3]);
    let strict = self::pool(1, 0);
    let (job, end) = held(&strict);
    assert_eq!(block_on(strict.run(|| ())), Err(PoolError::Full { queued_max: 0 }));
    drop(end);
    block_on(job).unwrap();
}

#[test]
fn a_panic_is_an_error_and_loses_no_thread() {
    struct Angry;
    impl Drop for Angry {
        fn drop(&mut self) {
            panic!("as it is dropped");
        }
    }
    let pool = pool(1, 10);
    let panicked = |text: &str| Err(PoolError::Panicked(text.to_owned()));
    assert_eq!(block_on(pool.run(|| -> u32 { panic!("by a text") })), panicked("by a text"));
    assert_eq!(block_on(pool.run(|| -> u32 { panic!("by {}", 2) })), panicked("by 2"));
    let value = || -> u32 { std::panic::panic_any(Angry) };
    assert_eq!(block_on(pool.run(value)), panicked("a value that is no text"));
    let (begin, begun) = channel();
    let (end, ended) = channel::<()>();
    let unwanted = pool.run(move || {
        begin.send(()).unwrap();
        let _ = ended.recv();
        Angry
    });
    begun.recv().unwrap();
    drop(unwanted);
    let mut woken = pool.run(|| ());
    assert!(poll_with(&mut woken, || panic!("a waker's own")).is_pending());
    drop(end);
    assert_eq!(block_on(pool.run(|| 7)), Ok(7));
    assert_eq!(poll(&mut woken), Poll::Ready(Ok(())));
    assert_eq!(pool.threads(), 1);
}

#[test]
fn a_dropped_future_forgets_its_result_and_what_is_queued_is_not_run() {
    let pool = pool(1, 10);
    let runs = Arc::new(AtomicUsize::new(0));
    let (job, end) = held(&pool);
    let count = runs.clone();
    let queued = pool.run(move || count.fetch_add(1, Ordering::SeqCst));
    assert_eq!((pool.queued(), Arc::strong_count(&runs)), (1, 2));
    drop(queued);
    assert_eq!((pool.queued(), Arc::strong_count(&runs)), (0, 1), "what it held is free at once");
    drop(job); // it runs, and goes on
    drop(end);
    block_on(pool.run(|| ())).unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

#[test]
fn with_the_pool_ends_what_is_queued_and_not_what_runs() {
    let pool = pool(1, 10);
    let other = pool.clone();
    let (job, end) = held(&pool);
    let queued = pool.run(|| ());
    drop(pool);
    assert_eq!(other.queued(), 1, "a clone is the same");
    drop(other);
    assert_eq!(block_on(queued), Err(PoolError::Closed));
    drop(end);
    assert_eq!(block_on(job), Ok(()));
}

#[test]
fn an_operation_may_hold_the_last_of_its_pool() {
    let pool = pool(1, 10);
    let (job, end) = held(&pool);
    let last = pool.clone();
    let mut unwanted = pool.run(move || drop(last));
    let mut behind = pool.run(|| ());
    drop(pool);
    assert!(poll(&mut unwanted).is_pending());
    drop(end);
    block_on(job).unwrap();
    assert_eq!(block_on(unwanted), Ok(()));
    assert!(matches!(block_on(&mut behind), Ok(()) | Err(PoolError::Closed)));
}

#[test]
fn a_permit_is_awaited_before_a_thread_is_taken() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("a", "content");
    let resources = Resources::new(ResourceLimits { files_max: 1, ..ResourceLimits::default() });
    let files = world.files.clone().with_resources(resources.clone());
    let pool = pool(1, 10);
    let open = files.open(&path, "").unwrap();
    let read = |files: airssys_osl::Files, path: String| {
        pool.run_with(resources.acquire(Resource::File), move |permit| {
            files.with_permit(permit).read_all(&path, 100, "test")
        })
    };
    let mut reading = Box::pin(read(files.clone(), path.clone()));
    assert!(poll(&mut reading).is_pending());
    let given_up = read(files.clone(), path.clone());
    assert_eq!((pool.threads(), pool.queued()), (0, 0));
    drop(given_up);
    drop(open);
    assert_eq!(block_on(reading).unwrap().unwrap(), b"content");
    assert_eq!(resources.used(Resource::File), 0);
    // One that is dropped while it is queued gives its permit back.
    let (job, end) = held(&pool);
    let mut queued = Box::pin(read(files, path));
    assert!(poll(&mut queued).is_pending());
    assert_eq!((resources.used(Resource::File), pool.queued()), (1, 1));
    drop(queued);
    assert_eq!((resources.used(Resource::File), pool.queued()), (0, 0));
    drop(end);
    block_on(job).unwrap();
    let none = Resources::new(ResourceLimits { files_max: 0, ..ResourceLimits::default() });
    let refused = block_on(pool.run_with(none.acquire(Resource::File), |_permit| ()));
    assert!(matches!(refused, Err(PoolError::Permit(AcquireError::Exhausted(_)))), "{refused:?}");
}

#[test]
fn every_operation_of_many_threads_has_one_result() {
    let pool = pool(4, 100_000);
    let runs = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..2_000_usize {
                    let count = runs.clone();
                    let job = pool.run(move || {
                        count.fetch_add(1, Ordering::SeqCst);
                        n
                    });
                    if n % 3 > 0 {
                        assert_eq!(block_on(job), Ok(n));
                    }
                }
            });
        }
    });
    assert!((4 * 1_333..=8_000).contains(&runs.load(Ordering::SeqCst)));
    assert_eq!(pool.queued(), 0);
}

#[test]
fn an_error_says_what_is_wrong() {
    for (error, text) in [
        (PoolError::Full { queued_max: 3 }, "3 operations wait, as many as may"),
        (PoolError::NoThread(io::ErrorKind::WouldBlock), "no thread could be made: operation would block"),
        (PoolError::Panicked("x".into()), "the operation panicked: x"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}
