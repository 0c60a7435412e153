use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// A pool of one thread whose tasks are told as they begin.
fn pool() -> (Arc<Compilers<u32>>, Receiver<Arc<Task<u32>>>) {
    pool_of(1)
}

fn pool_of(threads_max: usize) -> (Arc<Compilers<u32>>, Receiver<Arc<Task<u32>>>) {
    let (begun, tasks) = channel();
    let begun = Mutex::new(begun);
    let watch: Watch<u32> = Box::new(move |_, task| {
        let _ = begun.lock().expect("whole").send(task.clone());
        Box::new(|| {})
    });
    (Compilers::new(threads_max, watch), tasks)
}

/// Work that ends when it is told its result.
fn held() -> (Sender<u32>, Work<u32>) {
    let (end, ended) = channel();
    (end, Box::new(move |_| ended.recv().map_err(|_| closed())))
}

/// Those that compile, what they compile, and those that were abandoned.
fn counts(pool: &Compilers<u32>) -> (usize, usize, usize) {
    let state = pool.lock();
    (state.threads, state.running.len(), state.abandoned)
}

type Taken = (Arc<Compilers<u32>>, Arc<Task<u32>>, Work<u32>, Pending<u32, Error>);

/// A pool whose one thread is the test, which has just taken this from the queue.
fn taken() -> Taken {
    let (pool, _) = pool();
    pool.lock().threads = 1;
    let pending = pool.begin(Box::new(|_| panic!("begun")));
    let (task, work) = pool.next().expect("it waits");
    assert_eq!(counts(&pool), (1, 1, 0));
    (pool, task, work, pending)
}

fn which(outcome: Result<u32>) -> String {
    outcome.expect_err("refused").text("which").to_owned()
}

#[test]
fn hostile_a11_a_compilation_that_takes_too_long_is_answered_and_replaced() {
    let (pool, tasks) = pool();
    let (end, work) = held();
    let slow = pool.begin(work);
    let next = pool.begin(Box::new(|_| Ok(2)));
    pool.abandon(&tasks.recv().expect("begins"), Duration::from_secs(60));
    assert_eq!(which(slow.wait()), "compile_ms");
    assert_eq!(next.wait(), Ok(2));
    end.send(1).expect("still there");
}

#[test]
fn hostile_a11_new_compilations_are_refused_while_too_many_are_abandoned() {
    let (pool, tasks) = pool();
    let mut ends = Vec::new();
    for _ in 0..ABANDONED_MAX {
        let (end, work) = held();
        let slow = pool.begin(work);
        pool.abandon(&tasks.recv().expect("begins"), Duration::ZERO);
        assert_eq!(which(slow.wait()), "compile_ms");
        ends.push(end);
    }
    assert_eq!(which(pool.begin(Box::new(|_| Ok(1))).wait()), "abandoned_compilations");
    drop(ends);
    while pool.lock().abandoned > 0 {
        std::thread::yield_now();
    }
    assert_eq!(pool.begin(Box::new(|_| Ok(1))).wait(), Ok(1));
}

#[test]
fn hostile_a11_compilations_that_were_cancelled_do_not_keep_others_from_their_threads() {
    let (pool, tasks) = pool();
    let mut ends = Vec::new();
    for given_up in 1..=ABANDONED_MAX {
        let (end, work) = held();
        let pending = pool.begin(work);
        tasks.recv().expect("begins");
        drop(pending);
        ends.push(end);
        let next = pool.begin(Box::new(|_| Ok(2))).wait();
        if given_up < ABANDONED_MAX {
            assert_eq!(next, Ok(2));
            tasks.recv().expect("has begun");
        } else {
            assert_eq!(which(next), "abandoned_compilations");
        }
    }
    drop(ends);
    while pool.lock().abandoned > 0 {
        std::thread::yield_now();
    }
    assert_eq!(pool.begin(Box::new(|_| Ok(1))).wait(), Ok(1));
}

#[test]
fn what_waits_behind_a_compilation_that_is_cancelled_later_has_its_turn() {
    let (pool, tasks) = pool();
    let (end, work) = held();
    let first = pool.begin(work);
    let task = tasks.recv().expect("begins");
    let second = pool.begin(Box::new(|_| Ok(2)));
    pool.relieve();
    assert!(!task.is_given_up());
    drop(first);
    pool.relieve();
    assert_eq!(second.wait(), Ok(2));
    drop(end);
}

#[test]
fn what_is_given_up_while_it_waits_never_begins() {
    let (pool, tasks) = pool();
    let (end, work) = held();
    let first = pool.begin(work);
    tasks.recv().expect("begins");
    drop(pool.begin(Box::new(|_| panic!("begun"))));
    let last = pool.begin(Box::new(|_| Ok(3)));
    end.send(1).expect("waits");
    assert_eq!((first.wait(), last.wait()), (Ok(1), Ok(3)));
    assert_eq!(tasks.try_iter().count(), 1);
}

#[test]
fn a_panic_of_the_compiler_is_an_error_of_that_component_alone() {
    let (pool, _tasks) = pool();
    let broken = pool.begin(Box::new(|_| panic!("a bug")));
    assert_eq!(broken.wait().expect_err("told").code, Code::Panic);
    assert_eq!(pool.begin(Box::new(|_| Ok(1))).wait(), Ok(1));
}

#[test]
fn what_waits_when_the_system_closes_is_told() {
    let (pool, tasks) = pool();
    let (end, work) = held();
    let first = pool.begin(work);
    tasks.recv().expect("begins");
    let waiting = pool.begin(Box::new(|_| Ok(2)));
    pool.close();
    assert_eq!(waiting.wait().expect_err("closed").code, Code::Closed);
    assert_eq!(pool.begin(Box::new(|_| Ok(2))).wait().expect_err("closed").code, Code::Closed);
    end.send(1).expect("still there");
    assert_eq!(first.wait(), Ok(1));
}

#[test]
fn what_no_thread_can_be_begun_for_is_told() {
    let state = State::new();
    let watch: Watch<u32> = Box::new(|_, _| Box::new(|| {}));
    // More than there are addresses.
    let pool = Arc::new(Compilers { state: Mutex::new(state), threads_max: 1, stack_bytes: 1 << 62, watch });
    for _ in 0..2 {
        assert_eq!(pool.begin(Box::new(|_| Ok(1))).wait().expect_err("no thread").code, Code::Io);
    }
}

#[test]
fn what_is_given_up_right_after_it_was_taken_from_the_queue_never_begins_and_counts_stay_right() {
    let (pool, task, work, pending) = taken();
    drop(pending);
    assert!(pool.compile(&task, work), "its thread goes on");
    assert_eq!(counts(&pool), (1, 0, 0));
    // The same, but it has been abandoned by then: another thread may be in the place of this one.
    let (pool, task, work, pending) = taken();
    drop(pending);
    pool.lock().give_up();
    assert_eq!(counts(&pool), (0, 0, 1));
    assert!(!pool.compile(&task, work), "its thread was replaced");
    assert_eq!(counts(&pool), (0, 0, 0));
    let (pool, task, work, pending) = taken();
    pool.abandon(&task, Duration::ZERO);
    assert_eq!(which(pending.wait()), "compile_ms");
    assert!(!pool.compile(&task, work));
    assert_eq!(counts(&pool), (0, 0, 0));
}

#[test]
fn what_was_taken_from_the_queue_when_the_system_closes_is_told() {
    let (pool, task, work, pending) = taken();
    pool.close();
    assert!(pool.compile(&task, work));
    assert_eq!(pending.wait().expect_err("closed").code, Code::Closed);
    assert_eq!(counts(&pool), (1, 0, 0));
}

#[test]
fn of_many_that_nobody_waits_for_one_is_abandoned_for_each_that_comes() {
    let (pool, tasks) = pool_of(2);
    let (mut ends, mut pending) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let (end, work) = held();
        pending.push(pool.begin(work));
        tasks.recv().expect("begins");
        ends.push(end);
    }
    drop(pending);
    let mut waited = Vec::new();
    for come in 1..=2 {
        let (end, work) = held();
        waited.push(pool.begin(work));
        tasks.recv().expect("begins");
        assert_eq!(counts(&pool), (2, 2, come));
        ends.push(end);
    }
    drop(ends);
    while counts(&pool) != (0, 0, 0) {
        std::thread::yield_now();
    }
}

#[test]
fn what_is_cancelled_because_the_system_closes_is_told_that_it_closed() {
    for closes in [true, false] {
        let (pool, tasks) = pool();
        let (end, ended) = channel::<()>();
        let pending = pool.begin(Box::new(move |_| {
            let _ = ended.recv();
            Err(Error::new(Code::Cancelled, "its helper was ended"))
        }));
        tasks.recv().expect("begins");
        if closes {
            pool.close();
        }
        drop(end);
        let code = if closes { Code::Closed } else { Code::Cancelled };
        assert_eq!(pending.wait().expect_err("no result").code, code);
    }
}
