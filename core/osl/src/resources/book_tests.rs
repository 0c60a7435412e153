use std::sync::{Arc, Mutex};
use std::task::Wake;

use super::*;

#[path = "../../tests/support/seeded.rs"]
#[allow(dead_code)] // these tests use a part of it
mod seeded;

use seeded::Seeded;

/// Tells who was woken, in order.
#[derive(Default, Clone)]
struct Bell(Arc<Mutex<Vec<u64>>>);

struct Rung(u64, Bell);

impl Wake for Rung {
    fn wake(self: Arc<Self>) {
        self.1.0.lock().unwrap().push(self.0);
    }
}

impl Bell {
    fn waker(&self, id: u64) -> Waker {
        Waker::from(Arc::new(Rung(id, self.clone())))
    }

    fn ring(&self, woken: Vec<Waker>) -> Vec<u64> {
        woken.into_iter().for_each(Waker::wake);
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn waits(book: &mut Book, bell: &Bell, actor: u64, id: u64) -> u64 {
    match book.enqueue(actor, &mut Some(bell.waker(id)), 100) {
        Place::Waits(ticket) => ticket,
        _ => panic!("{id} does not wait"),
    }
}

fn book(max: usize, actors: &[usize]) -> Book {
    let mut book = Book::new(max);
    actors.iter().enumerate().for_each(|(actor, max)| book.enter(actor as u64, *max));
    book
}

#[test]
fn those_of_one_actor_are_served_in_order() {
    let (mut book, bell) = (book(1, &[1]), Bell::default());
    book.take(0).unwrap();
    for id in 1..4 {
        waits(&mut book, &bell, 0, id);
    }
    let served: Vec<u64> = (0..4).flat_map(|_| bell.ring(book.give_back(0))).collect();
    assert_eq!((served, book.used(), book.waiting()), (vec![1, 2, 3], 0, 0));
}

#[test]
fn an_actor_with_a_thousand_waiters_delays_another_by_one_permit() {
    let (mut book, bell) = (book(1, &[1_000, 1_000, 1_000]), Bell::default());
    book.take(2).unwrap();
    for id in 0..1_000 {
        let mut waker = Some(bell.waker(id));
        assert!(matches!(book.enqueue(0, &mut waker, 1_000), Place::Waits(_)));
    }
    waits(&mut book, &bell, 1, 7_001);
    waits(&mut book, &bell, 1, 7_002);
    let mut holder = 2;
    let served: Vec<u64> = (0..6)
        .map(|_| {
            let [woken] = bell.ring(book.give_back(holder)).try_into().unwrap();
            holder = u64::from(woken > 7_000);
            woken
        })
        .collect();
    assert_eq!(served, [0, 7_001, 1, 7_002, 2, 3]);
}

#[test]
fn an_actor_at_its_own_limit_does_not_hold_up_the_others() {
    let (mut book, bell) = (book(2, &[1, 1]), Bell::default());
    book.take(0).unwrap();
    waits(&mut book, &bell, 0, 1);
    assert!(book.take(1).is_ok(), "there is room for others");
    assert_eq!(book.take(1), Err((Whose::Actor, 1)));
    assert_eq!(bell.ring(book.give_back(1)), [0; 0]);
    assert_eq!(bell.ring(book.give_back(0)), [1]);
}

#[test]
fn what_was_handed_to_one_who_gives_up_goes_to_the_next() {
    let (mut book, bell) = (book(1, &[1]), Bell::default());
    book.take(0).unwrap();
    let [first, second, third] = [1, 2, 3].map(|id| waits(&mut book, &bell, 0, id));
    assert_eq!(bell.ring(book.give_up(0, second).1), [0; 0], "it only had a place");
    assert_eq!(bell.ring(book.give_back(0)), [1]);
    assert_eq!(bell.ring(book.give_up(0, first).1), [3]);
    assert!(!book.swap_waker(0, third, &mut bell.waker(9)));
    assert_eq!((book.used(), book.waiting()), (1, 0));
}

#[test]
fn limits_that_change_hand_out_what_they_make_free_and_take_nothing_back() {
    let (mut book, bell) = (book(1, &[1, 5]), Bell::default());
    book.take(1).unwrap();
    for id in 1..6 {
        waits(&mut book, &bell, 1, id);
    }
    assert_eq!(bell.ring(book.limit(3)), [1, 2]);
    assert_eq!(bell.ring(book.limit(1)), [0; 0]);
    assert_eq!((book.used(), book.take(0)), (3, Err((Whose::System, 1))));
    assert_eq!(bell.ring(book.give_back(1)), [0; 0]);
    assert_eq!(bell.ring(book.limit(9)), [3, 4, 5]);
    assert_eq!(bell.ring(book.limit_actor(1, 0)), [0; 0]);
    assert_eq!(book.take(1), Err((Whose::Actor, 0)));
    assert!(matches!(book.enqueue(1, &mut Some(bell.waker(0)), 9), Place::Never(Whose::Actor)));
}

#[test]
fn no_more_wait_than_may() {
    let (mut book, bell) = (book(1, &[1]), Bell::default());
    book.take(0).unwrap();
    assert!(matches!(book.enqueue(0, &mut Some(bell.waker(1)), 1), Place::Waits(_)));
    let mut waker = Some(bell.waker(2));
    assert!(matches!(book.enqueue(0, &mut waker, 1), Place::NoRoom));
    assert!(waker.is_some(), "it is not dropped in the book");
}

/// What a book must do, kept the slow way: who waits, in order, and who has how many.
struct Model {
    book: Book,
    bell: Bell,
    /// Waiters in the order of asking: actor, ticket, id.
    waiting: Vec<(u64, u64, u64)>,
    /// Those that were handed one and have not looked yet.
    handed: Vec<(u64, u64)>,
    held: Vec<u64>,
    max: Vec<usize>,
    system_max: usize,
    last_id: u64,
    /// How often each other actor was served since an actor was first entitled, for each that is.
    overtaken: Vec<Vec<u64>>,
}

const ACTORS: usize = 4;

impl Model {
    fn new(random: &mut Seeded) -> Self {
        let max: Vec<usize> = (0..ACTORS).map(|_| 1 + random.below(4)).collect();
        let system_max = 1 + random.below(6);
        Self {
            book: book(system_max, &max),
            bell: Bell::default(),
            waiting: Vec::new(),
            handed: Vec::new(),
            held: Vec::new(),
            max,
            system_max,
            last_id: 0,
            overtaken: vec![vec![0; ACTORS]; ACTORS],
        }
    }

    fn used_by(&self, actor: u64) -> usize {
        let handed = self.handed.iter().filter(|(of, _)| *of == actor).count();
        handed + self.held.iter().filter(|of| **of == actor).count()
    }

    fn entitled(&self, actor: u64) -> bool {
        self.waiting.iter().any(|(of, ..)| *of == actor) && self.used_by(actor) < self.max[actor as usize]
    }

    fn step(&mut self, random: &mut Seeded) {
        let actor = random.below(ACTORS) as u64;
        match random.below(10) {
            0..4 => self.ask(actor),
            4..7 if !self.held.is_empty() => {
                let holder = self.held.swap_remove(random.below(self.held.len()));
                let woken = self.book.give_back(holder);
                self.served(woken);
            }
            7 if !self.waiting.is_empty() => {
                let (actor, ticket, _) = self.waiting.remove(random.below(self.waiting.len()));
                let (waker, woken) = self.book.give_up(actor, ticket);
                assert!(waker.is_some() && woken.is_empty());
            }
            8 if !self.handed.is_empty() => {
                let (actor, ticket) = self.handed.swap_remove(random.below(self.handed.len()));
                let (waker, woken) = self.book.give_up(actor, ticket);
                assert!(waker.is_none());
                self.served(woken);
            }
            9 if random.chance(4) => {
                self.system_max = 1 + random.below(6);
                let woken = self.book.limit(self.system_max);
                self.served(woken);
                self.check();
                self.max[actor as usize] = random.below(5);
                let woken = self.book.limit_actor(actor, self.max[actor as usize]);
                self.served(woken);
            }
            _ => self.look(random),
        }
        self.check();
    }

    fn ask(&mut self, actor: u64) {
        self.last_id += 1;
        let room = self.used_by(actor) < self.max[actor as usize]
            && self.held.len() + self.handed.len() < self.system_max;
        let mut waker = Some(self.bell.waker(self.last_id));
        match self.book.enqueue(actor, &mut waker, 8) {
            Place::Taken => {
                assert!(room);
                self.held.push(actor);
            }
            Place::Waits(ticket) => self.waiting.push((actor, ticket, self.last_id)),
            Place::Never(whose) => assert_eq!((whose, self.max[actor as usize]), (Whose::Actor, 0)),
            Place::NoRoom => assert_eq!(self.waiting.iter().filter(|(of, ..)| *of == actor).count(), 8),
        }
        assert!(!room || self.held.last() == Some(&actor));
    }

    /// One that was handed a permit sees it.
    fn look(&mut self, random: &mut Seeded) {
        if !self.handed.is_empty() {
            let (actor, ticket) = self.handed.swap_remove(random.below(self.handed.len()));
            assert!(!self.book.swap_waker(actor, ticket, &mut self.bell.waker(0)));
            self.held.push(actor);
        }
    }

    fn served(&mut self, woken: Vec<Waker>) {
        for id in self.bell.ring(woken) {
            let at = self.waiting.iter().position(|(.., waiter)| *waiter == id).expect("it waited");
            let (actor, ticket, _) = self.waiting.remove(at);
            assert!(!self.waiting[..at].iter().any(|(of, ..)| *of == actor), "the first of its actor");
            self.handed.push((actor, ticket));
            for other in (0..ACTORS).filter(|other| *other as u64 != actor) {
                self.overtaken[other][actor as usize] += 1;
                let count = self.overtaken[other][actor as usize];
                assert!(count <= 1 || !self.entitled(other as u64), "{actor} twice before {other}");
            }
            self.overtaken[actor as usize].fill(0);
        }
    }

    fn check(&mut self) {
        for actor in 0..ACTORS as u64 {
            assert_eq!(self.book.used_by(actor), self.used_by(actor));
            if !self.entitled(actor) {
                self.overtaken[actor as usize].fill(0);
            } else {
                assert!(self.book.used() >= self.system_max, "{actor} waits while there is room");
            }
        }
        assert_eq!(self.book.used(), self.held.len() + self.handed.len());
        assert_eq!(self.book.waiting(), self.waiting.len());
    }
}

#[test]
fn a_book_agrees_with_a_slow_model_over_random_steps() {
    for seed in 0..seeded::count("AIRSSYS_BOOK_MODELS", 300) {
        let random = &mut Seeded::new(seed);
        let mut model = Model::new(random);
        (0..300).for_each(|_| model.step(random));
    }
}
