//! Permits of actors and of their system: refused, waited for, handed on.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use airssys_osl::{
    Acquire, AcquireError, Exhausted, FsError, NetLimits, Permit, Resource, ResourceLimits, ResourceManager,
    Resources, SystemLimits, WAITING_MAX, Whose,
};
use support::World;
use support::futures::{block_on, poll, poll_with};
use support::net::{NetWorld, past, soon};
use support::seeded::Seeded;

const FILE: Resource = Resource::File;

fn system(files_max: usize) -> ResourceManager {
    ResourceManager::new(SystemLimits { files_max, ..SystemLimits::default() })
}

fn actor(manager: &ResourceManager, files_max: usize) -> Resources {
    manager.actor(ResourceLimits { files_max, ..ResourceLimits::default() })
}

/// One that has been polled, and waits.
fn waiting(resources: &Resources) -> Acquire {
    let mut acquire = resources.acquire(FILE);
    assert!(poll(&mut acquire).is_pending());
    acquire
}

fn ready(acquire: &mut Acquire) -> Permit {
    match poll(acquire) {
        Poll::Ready(permit) => permit.unwrap(),
        Poll::Pending => panic!("it still waits"),
    }
}

#[test]
fn a_refusal_says_whose_limit_is_reached_and_what_it_is() {
    let manager = system(3);
    let (one, two) = (actor(&manager, 2), actor(&manager, 2));
    let held: Vec<Permit> = [&one, &one, &two].map(|actor| actor.try_acquire(FILE).unwrap()).into();
    let refused = [&one, &two].map(|actor| actor.try_acquire(FILE).unwrap_err());
    let full = |whose, allowed| Exhausted { resource: FILE, whose, allowed };
    assert_eq!(refused, [full(Whose::Actor, 2), full(Whose::System, 3)]);
    assert_eq!(refused[0].to_string(), "2 files are open, as many of this actor as may");
    assert_eq!(refused[1].to_string(), "3 files are open, as many of all actors as may");
    assert!(two.try_acquire(Resource::Socket).is_ok(), "each resource has its own limits");
    assert_eq!((manager.used(FILE), one.used(FILE), two.used(FILE)), (3, 2, 1));
    drop(held);
    assert_eq!((manager.used(FILE), one.used(FILE), two.used(FILE)), (0, 0, 0));
}

#[test]
fn the_defaults_are_these() {
    let limits = ResourceLimits::default();
    assert_eq!((limits.files_max, limits.sockets_max, limits.processes_max), (64, 64, 4));
    let all = SystemLimits::default();
    assert_eq!((all.files_max, all.sockets_max, all.processes_max), (1_024, 1_024, 64));
    let alone = Resources::new(ResourceLimits { files_max: 3_000, ..limits });
    let held: Vec<Permit> = (0..3_000).map(|_| alone.try_acquire(FILE).unwrap()).collect();
    assert_eq!(held.len(), alone.used(FILE), "who is alone has no narrower limit than its own");
}

#[test]
fn a_thread_that_waits_gets_what_becomes_free_or_a_timeout() {
    let alone = actor(&system(1), 1);
    let held = alone.try_acquire(FILE).unwrap();
    let timeout = AcquireError::Timeout { resource: FILE };
    assert_eq!(alone.acquire_until(FILE, past()).unwrap_err(), timeout);
    let short = Instant::now() + Duration::from_millis(2);
    assert_eq!(alone.acquire_until(FILE, short).unwrap_err(), timeout);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| alone.acquire_until(FILE, soon()).unwrap());
        drop(held);
        drop(waiter.join().unwrap());
    });
    assert!(alone.acquire_until(FILE, past()).is_ok(), "what is free needs no time");
    assert_eq!(alone.used(FILE), 0);
}

#[test]
fn a_future_is_woken_by_its_latest_waker_alone() {
    let alone = actor(&system(1), 1);
    let held = alone.try_acquire(FILE).unwrap();
    let woken: Arc<Mutex<Vec<u32>>> = Arc::default();
    let mut acquire = alone.acquire(FILE);
    for round in 0..3 {
        let woken = woken.clone();
        assert!(poll_with(&mut acquire, move || woken.lock().unwrap().push(round)).is_pending());
    }
    drop(held);
    assert_eq!(*woken.lock().unwrap(), [2]);
    drop(ready(&mut acquire));
    assert_eq!(alone.used(FILE), 0);
}

#[test]
fn whoever_asks_at_once_overtakes_nobody_who_waits() {
    let alone = actor(&system(1), 1);
    let held = alone.try_acquire(FILE).unwrap();
    let mut first = waiting(&alone);
    drop(held);
    assert!(alone.try_acquire(FILE).is_err(), "it is handed over, though not yet seen");
    assert!(poll(&mut alone.acquire(FILE)).is_pending());
    drop(ready(&mut first));
    assert!(alone.try_acquire(FILE).is_ok());
}

#[test]
fn a_permit_is_lost_at_no_moment_of_a_cancellation() {
    let manager = system(1);
    let (one, two) = (actor(&manager, 1), actor(&manager, 1));
    drop(one.acquire(FILE)); // never polled
    let held = one.try_acquire(FILE).unwrap();
    drop(waiting(&one)); // it had a place
    assert_eq!(manager.waiting(FILE), 0);
    let (handed, mut next, mut last) = (waiting(&one), waiting(&two), waiting(&one));
    drop(held);
    assert_eq!((manager.used(FILE), manager.waiting(FILE)), (1, 2));
    drop(handed); // one was handed to it, and goes to the next
    assert_eq!((manager.used(FILE), manager.waiting(FILE)), (1, 1));
    let permit = ready(&mut next);
    drop(next); // it has nothing any more
    assert_eq!(manager.used(FILE), 1);
    drop(permit);
    drop(ready(&mut last));
    assert_eq!((manager.used(FILE), manager.waiting(FILE)), (0, 0));
}

#[test]
fn a_future_that_is_polled_again_asks_again() {
    let alone = actor(&system(2), 2);
    let mut acquire = alone.acquire(FILE);
    let held = [ready(&mut acquire), ready(&mut acquire)];
    assert!(poll(&mut acquire).is_pending());
    drop((held, acquire));
    assert_eq!(alone.used(FILE), 0);
}

#[test]
fn a_waker_may_do_anything_even_panic() {
    let alone = actor(&system(1), 1);
    let mut held = Some(alone.try_acquire(FILE).unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let mut angry = alone.acquire(FILE);
    let mut curious = alone.acquire(FILE);
    let mut generous = alone.acquire(FILE);
    assert!(poll_with(&mut angry, || panic!("a waker's own")).is_pending());
    let (of, count) = (alone.clone(), seen.clone());
    let look = move || {
        count.fetch_add(of.used(FILE) + usize::from(of.try_acquire(FILE).is_ok()), Ordering::Relaxed);
    };
    assert!(poll_with(&mut curious, look).is_pending());
    let last: Arc<Mutex<Option<Acquire>>> = Arc::default();
    let given_up = last.clone();
    assert!(poll_with(&mut generous, move || drop(given_up.lock().unwrap().take())).is_pending());
    *last.lock().unwrap() = Some(waiting(&alone));
    drop(held.take());
    drop(ready(&mut angry));
    drop(ready(&mut curious));
    drop(ready(&mut generous));
    assert_eq!(seen.load(Ordering::Relaxed), 1, "it could look while it was woken");
    assert!(last.lock().unwrap().is_none(), "and give up another's place");
    assert_eq!(alone.used(FILE), 0);
}

#[test]
fn a_thousand_waiters_of_one_actor_do_not_starve_another() {
    let manager = system(1);
    let (greedy, modest) = (actor(&manager, 10_000), actor(&manager, 1));
    let held = greedy.try_acquire(FILE).unwrap();
    let mut crowd: Vec<Acquire> = (0..1_000).map(|_| waiting(&greedy)).collect();
    let mut alone = waiting(&modest);
    drop(held);
    drop(ready(&mut crowd[0]));
    drop(ready(&mut alone));
    for acquire in &mut crowd[1..] {
        drop(ready(acquire));
    }
    assert_eq!((manager.used(FILE), manager.waiting(FILE)), (0, 0));
}

#[test]
fn nobody_waits_for_what_never_comes_or_in_too_long_a_queue() {
    let none = actor(&system(0), 1);
    let full = Exhausted { resource: FILE, whose: Whose::System, allowed: 0 };
    assert_eq!(none.acquire_until(FILE, soon()).unwrap_err(), AcquireError::Exhausted(full));
    let alone = actor(&system(1), 1);
    let _held = alone.try_acquire(FILE).unwrap();
    let crowd: Vec<Acquire> = (0..WAITING_MAX).map(|_| waiting(&alone)).collect();
    let refused = AcquireError::TooManyWaiting { resource: FILE, waiting_max: WAITING_MAX };
    assert_eq!(alone.acquire_until(FILE, soon()).unwrap_err(), refused);
    drop(crowd);
    assert!(poll(&mut alone.acquire(FILE)).is_pending());
}

#[test]
fn limits_change_while_it_runs() {
    let manager = system(1);
    let one = actor(&manager, 2);
    let first = one.try_acquire(FILE).unwrap();
    let mut second = waiting(&one);
    manager.set_limits(SystemLimits { files_max: 5, ..SystemLimits::default() });
    let second = ready(&mut second);
    let mut third = waiting(&one);
    one.set_limits(ResourceLimits { files_max: 3, ..ResourceLimits::default() });
    let third = ready(&mut third);
    one.set_limits(ResourceLimits { files_max: 1, ..ResourceLimits::default() });
    drop((first, second));
    assert_eq!(one.try_acquire(FILE).unwrap_err().allowed, 1, "what is open stays open");
    drop(third);
    assert!(one.try_acquire(FILE).is_ok());
}

#[test]
fn the_limits_of_an_actor_that_is_alone_can_be_raised() {
    let limits = |files_max| ResourceLimits { files_max, ..ResourceLimits::default() };
    let alone = Resources::new(limits(1));
    let held = alone.try_acquire(FILE).unwrap();
    assert_eq!(alone.try_acquire(FILE).unwrap_err().whose, Whose::Actor);
    alone.set_limits(limits(2));
    assert!(alone.try_acquire(FILE).is_ok());
    drop(held);
}

#[test]
fn counts_are_exact_whatever_threads_take_wait_for_and_cancel() {
    const SYSTEM: usize = 5;
    const OWN: usize = 3;
    let manager = system(SYSTEM);
    let actors: Vec<Resources> = (0..4).map(|_| actor(&manager, OWN)).collect();
    let open = AtomicUsize::new(0);
    let held = |_permit: &Permit| {
        assert!(open.fetch_add(1, Ordering::SeqCst) < SYSTEM);
        thread::yield_now();
        open.fetch_sub(1, Ordering::SeqCst);
    };
    thread::scope(|scope| {
        for seed in 0..8 {
            let (resources, held) = (&actors[seed % 4], &held);
            scope.spawn(move || {
                let mut random = Seeded::new(seed as u64);
                for _ in 0..5_000 {
                    match random.below(6) {
                        0 => drop(resources.try_acquire(FILE).inspect(held)),
                        1 => held(&block_on(resources.acquire(FILE)).unwrap()),
                        2 => held(&resources.acquire_until(FILE, soon()).unwrap()),
                        3 => drop(resources.acquire_until(FILE, past()).inspect(held)),
                        _ => {
                            let mut acquire = resources.acquire(FILE);
                            for _ in 0..random.below(3) {
                                if let Poll::Ready(permit) = poll(&mut acquire) {
                                    held(&permit.unwrap());
                                    break;
                                }
                                thread::yield_now();
                            }
                        }
                    }
                }
            });
        }
    });
    assert_eq!((manager.used(FILE), manager.waiting(FILE)), (0, 0));
    assert_eq!(actors.iter().map(|actor| actor.used(FILE)).sum::<usize>(), 0);
}

#[test]
fn files_of_several_actors_count_on_their_system() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("a", "1");
    let manager = system(2);
    let [one, two] = [(); 2].map(|()| world.files.clone().with_resources(actor(&manager, 2)));
    let _held = [one.open(&path, "").unwrap(), one.open(&path, "").unwrap()];
    let full = |error: FsError| match error {
        FsError::TooManyOpen(full) => full.whose,
        error => panic!("{error}"),
    };
    assert_eq!(full(one.open(&path, "").unwrap_err()), Whose::Actor);
    assert_eq!(full(two.open(&path, "").unwrap_err()), Whose::System);
    assert!(matches!(two.open("/elsewhere", ""), Err(FsError::Denied(_))), "a denial is told first");
    assert!(two.metadata(&path, true, "").is_ok(), "what opens nothing for longer takes none");
}

#[test]
fn a_file_counts_until_it_is_closed_by_its_holder_or_by_the_end_of_its_grant() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("a", "1");
    let resources = Resources::default();
    let files = world.files.clone().with_resources(resources.clone());
    let (kept, dropped) = (files.open(&path, "").unwrap(), files.open(&path, "").unwrap());
    assert!(files.open(&world.path("none"), "").is_err());
    assert_eq!(resources.used(FILE), 2);
    drop(dropped);
    assert_eq!(resources.used(FILE), 1);
    world.set.revoke(1);
    assert_eq!(resources.used(FILE), 0, "a cut file is closed, though somebody still holds it");
    assert!(kept.read_at(&mut [0], 0).is_err());
}

#[test]
fn what_was_waited_for_is_what_the_next_open_counts_as() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("a", "1");
    let resources = actor(&system(1), 1);
    let files = world.files.clone().with_resources(resources.clone());
    let open = files.open(&path, "").unwrap();
    let mut acquire = resources.acquire(FILE);
    assert!(poll(&mut acquire).is_pending());
    drop(open);
    let permitted = files.clone().with_permit(ready(&mut acquire));
    assert!(files.open(&path, "").is_err(), "nobody else takes it");
    let open = permitted.open(&path, "").unwrap();
    assert!(permitted.open(&path, "").is_err(), "it is one");
    drop(open);
    assert_eq!(resources.used(FILE), 0);
    let foreign = Resources::default().try_acquire(FILE).unwrap();
    let _own = resources.try_acquire(FILE).unwrap();
    assert!(files.with_permit(foreign).open(&path, "").is_err(), "that of another does not count");
}

#[test]
fn a_connection_takes_one_place_for_its_question_and_its_socket() {
    let peer = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = peer.local_addr().unwrap().port();
    let names = [("a.example".to_owned(), ["127.0.0.3", "127.0.0.1"].map(support::net::ip).to_vec())];
    let names = Arc::new(airssys_osl::FixedNames::new(names.into(), None));
    let world = NetWorld::with(&["net.connect *.example:* ; private=yes"], names, NetLimits::default());
    let one = ResourceLimits { sockets_max: 1, ..ResourceLimits::default() };
    let resources = Resources::new(one);
    let network = world.network.clone().with_resources(resources.clone());
    let permit = resources.try_acquire(Resource::Socket).unwrap();
    assert!(network.connect("a.example", port, soon(), "").is_err());
    let stream = network.with_permit(permit).connect("a.example", port, soon(), "").unwrap();
    assert_eq!(resources.used(Resource::Socket), 1);
    world.set.revoke(1);
    assert_eq!(resources.used(Resource::Socket), 0, "a cut socket is closed");
    assert!(stream.read(&mut [0], soon()).is_err());
}
