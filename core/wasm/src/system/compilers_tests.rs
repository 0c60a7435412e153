use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// A pool of one thread whose tasks are told as they begin.
fn pool() -> (Arc<Compilers<u32>>, Receiver<Arc<Task<u32>>>) {
    let (begun, tasks) = channel();
    let begun = Mutex::new(begun);
    let watch: Watch<u32> = Box::new(move |_, task| {
        let _ = begun.lock().expect("whole").send(task.clone());
        Box::new(|| {})
    });
    (Compilers::new(1, watch), tasks)
}

/// Work that ends when it is told its result.
fn held() -> (Sender<u32>, Work<u32>) {
    let (end, ended) = channel();
    (end, Box::new(move |_| ended.recv().map_err(|_| closed())))
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
