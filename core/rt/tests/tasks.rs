//! Work beside the actors: polled by workers, aborted, and ended by its own panic alone.

mod common;

use std::sync::{Arc, mpsc};

use common::{LONG, World};
use tokio::sync::Semaphore;

#[test]
fn a_task_is_polled_by_a_worker_each_time_it_is_woken() {
    let world = World::new();
    let gate = Arc::new(Semaphore::new(0));
    let (tell, told) = mpsc::channel();
    let waits = gate.clone();
    world.runtime.spawn_task(async move {
        for _ in 0..2 {
            let thread = std::thread::current().name().unwrap_or_default().to_owned();
            tell.send(thread).expect("the test listens");
            waits.acquire().await.expect("never closed").forget();
        }
    });
    assert!(told.recv_timeout(LONG).expect("it begins").starts_with("airwasm-work"));
    gate.add_permits(1);
    assert!(told.recv_timeout(LONG).expect("it goes on").starts_with("airwasm-work"));
    gate.add_permits(1);
    told.recv_timeout(LONG).expect_err("it is over, and dropped");
}

#[test]
fn a_task_that_is_aborted_is_dropped_and_one_that_panics_ends_alone() {
    let world = World::new();
    let (kept, dropped) = mpsc::channel::<()>();
    let task = world.runtime.spawn_task(async move {
        std::future::pending::<()>().await;
        drop(kept);
    });
    task.abort();
    task.abort();
    assert_eq!(dropped.recv_timeout(LONG), Err(mpsc::RecvTimeoutError::Disconnected));
    let (kept, dropped) = mpsc::channel::<()>();
    world.runtime.spawn_task(async move {
        let _kept = kept;
        panic!("on purpose");
    });
    assert_eq!(dropped.recv_timeout(LONG), Err(mpsc::RecvTimeoutError::Disconnected));
    assert_eq!(common::echo(&world.plain("one"), 7).expect("the workers live"), 7);
}
