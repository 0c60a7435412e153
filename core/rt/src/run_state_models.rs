//! Model checks of the run state: no activation is lost, and one thread at a time polls.

use std::sync::Arc;

use loom::cell::Cell;
use loom::thread;

use crate::run_state::{Before, RunState};
use crate::sync::atomic::AtomicUsize;
use crate::sync::atomic::Ordering::Relaxed;

/// An actor reduced to what the run state must protect. Whoever must queue it is its worker at once.
struct World {
    run: RunState,
    /// How much each of two senders has sent. Relaxed: only the run state makes it seen.
    mail: [AtomicUsize; 2],
    /// What the last poll has seen. loom reports two who touch it at once, or one who has not seen the other's doing.
    seen: Cell<[usize; 2]>,
}

impl World {
    #[allow(clippy::arc_with_non_send_sync, reason = "loom's threads take turns on one")]
    fn parked() -> Arc<Self> {
        let mail = [AtomicUsize::new(0), AtomicUsize::new(0)];
        Arc::new(Self { run: RunState::parked(), mail, seen: Cell::new([0, 0]) })
    }

    /// An actor that is up and idle.
    fn idle() -> Arc<Self> {
        let world = Self::parked();
        world.run.unpark();
        world.work();
        world
    }

    /// Sends so many messages in all, and activates.
    fn send(&self, sender: usize, count: usize) {
        self.mail[sender].store(count, Relaxed);
        if self.run.activate() {
            self.work();
        }
    }

    /// Sends so many messages in all, and polls in place if nobody is at it.
    fn request(&self, sender: usize, count: usize) {
        self.mail[sender].store(count, Relaxed);
        if self.run.claim() {
            self.poll();
            if self.run.rest() {
                self.work();
            }
        } else if self.run.activate() {
            self.work();
        }
    }

    /// Runs the actor, which is queued, until it is idle.
    fn work(&self) {
        loop {
            self.run.start();
            self.poll();
            if !self.run.rest() {
                break;
            }
        }
    }

    fn poll(&self) {
        self.seen.set([self.mail[0].load(Relaxed), self.mail[1].load(Relaxed)]);
    }

    /// The actor is idle, and its last poll has seen all messages.
    fn check(&self, sent: [usize; 2]) {
        assert!(self.run.claim(), "idle again");
        assert_eq!(self.seen.get(), sent, "an activation was lost");
    }
}

/// One that is lent to a thread, while another wants it to stop: `wanted`, and who has seen to its grace.
struct Stopped {
    run: RunState,
    wanted: AtomicUsize,
    seen: AtomicUsize,
}

impl Stopped {
    /// As a worker that took it from its queue, or a thread that it was lent to.
    fn run(&self, lent: bool) {
        self.run.start();
        let wanted = self.wanted.load(Relaxed) != 0;
        if wanted && lent {
            self.run.requeue();
            return self.run(false);
        }
        if wanted {
            self.seen.store(1, Relaxed);
        }
        if self.run.rest() {
            self.run(false);
        }
    }

    fn stop(&self) {
        self.wanted.store(1, Relaxed);
        match self.run.activate_from() {
            Before::Idle => self.run(false),
            Before::Queued => {}
            Before::Other => self.seen.store(1, Relaxed),
        }
    }
}

/// Tries all schedules in which threads are interrupted up to three times; all of them at all would take hours.
pub(crate) fn model(part: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(part);
}

/// Runs the parts at once, the last of them on this thread, and waits for all.
fn at_once<const N: usize>(world: &Arc<World>, others: [fn(&World); N], here: impl FnOnce()) {
    let others = others.map(|part| {
        let world = world.clone();
        thread::spawn(move || part(&world))
    });
    here();
    for other in others {
        other.join().expect("no panic");
    }
}

#[test]
fn model_two_senders_lose_no_activation() {
    model(|| {
        let world = World::idle();
        at_once(&world, [|world| world.send(0, 1)], || {
            world.send(1, 1);
            world.send(1, 2);
        });
        world.check([1, 2]);
    });
}

#[test]
fn model_a_poll_in_place_and_a_sender_lose_no_activation() {
    model(|| {
        let world = World::idle();
        at_once(&world, [|world| world.request(0, 1)], || {
            world.send(1, 1);
            world.send(1, 2);
        });
        world.check([1, 2]);
    });
}

#[test]
fn model_two_polls_in_place_are_never_at_once() {
    model(|| {
        let world = World::idle();
        at_once(&world, [|world| world.request(0, 1)], || {
            world.request(1, 1);
            world.request(1, 2);
        });
        world.check([1, 2]);
    });
}

#[test]
fn model_of_three_threads_one_runs() {
    model(|| {
        let world = World::idle();
        let parts: [fn(&World); 2] = [|world| world.request(0, 1), |world| world.send(1, 1)];
        at_once(&world, parts, || {
            if world.run.activate() {
                world.work();
            }
        });
        world.check([1, 1]);
    });
}

#[test]
fn model_a_runner_that_queues_the_actor_again_loses_no_activation() {
    model(|| {
        let world = World::idle();
        at_once(
            &world,
            [|world| {
                world.send(0, 1);
                world.send(0, 2);
            }],
            || {
                if world.run.claim() {
                    world.poll();
                    world.run.requeue();
                    world.work();
                }
            },
        );
        world.check([2, 0]);
    });
}

#[test]
fn model_what_comes_between_two_lives_is_seen_by_the_next() {
    model(|| {
        let world = World::idle();
        at_once(
            &world,
            [|world| {
                world.send(0, 1);
                world.request(0, 2);
            }],
            || {
                if world.run.claim() {
                    world.poll();
                    world.run.park();
                    assert!(!world.run.activate() && !world.run.claim(), "nobody polls what is parked");
                    world.run.unpark();
                    world.work();
                }
            },
        );
        world.check([2, 0]);
    });
}

#[test]
fn model_what_comes_before_the_first_life_is_seen_in_it() {
    model(|| {
        let world = World::parked();
        at_once(
            &world,
            [|world| {
                world.request(0, 1);
                world.send(0, 2);
            }],
            || {
                world.run.unpark();
                world.work();
            },
        );
        world.check([2, 0]);
    });
}

/// A stop leaves its grace to the worker that takes the actor from its queue, so that worker must see the stop.
#[test]
fn model_what_is_wanted_of_one_in_a_queue_is_seen_by_whoever_takes_it_out() {
    model(|| {
        let world = World::parked();
        world.run.unpark();
        let left = thread::spawn({
            let world = world.clone();
            move || {
                world.mail[0].store(1, Relaxed);
                world.run.activate_from() == Before::Queued
            }
        });
        world.run.start();
        let seen = world.mail[0].load(Relaxed);
        if left.join().expect("no panic") {
            assert_eq!(seen, 1, "nobody looks at the clock");
        }
    });
}

#[test]
fn model_who_stops_what_is_lent_sees_to_its_grace_or_is_seen() {
    model(|| {
        let world = Arc::new(Stopped {
            run: RunState::queued(),
            wanted: AtomicUsize::new(0),
            seen: AtomicUsize::new(0),
        });
        let stopper = world.clone();
        let other = thread::spawn(move || stopper.stop());
        world.run(true);
        other.join().expect("no panic");
        assert_eq!(world.seen.load(Relaxed), 1);
    });
}
