//! Model checks of the promise: exactly one outcome, and nobody waits for an answer that is there.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};

use loom::thread;

use crate::error::Error;
use crate::promise::{Lent, Pending, Resolver, promise};
use crate::run_state_models::model;
use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use crate::sync::{Mutex, lock};

fn pair() -> (Resolver<u8, Error>, Pending<u8, Error>) {
    promise()
}

#[test]
fn model_a_thread_that_waits_is_woken() {
    model(|| {
        let (resolver, pending) = pair();
        let other = thread::spawn(move || resolver.settle(Ok(1)));
        assert!(matches!(pending.wait(), Ok(1)));
        assert!(other.join().expect("no panic"));
    });
}

#[test]
fn model_a_thread_that_waits_for_a_dropped_duty_is_woken() {
    model(|| {
        let (resolver, pending) = pair();
        let other = thread::spawn(move || drop(resolver));
        assert!(matches!(pending.wait(), Err(Error::NoReply)));
        other.join().expect("no panic");
    });
}

#[test]
fn model_an_answer_is_taken_once() {
    model(|| {
        let (resolver, mut pending) = pair();
        let other = thread::spawn(move || resolver.settle(Ok(1)));
        let early = pending.try_take().is_some();
        assert!(other.join().expect("no panic"));
        assert_eq!(pending.try_take().is_some(), !early);
        assert!(pending.try_take().is_none());
    });
}

#[test]
fn model_who_gives_up_is_seen_or_had_its_answer() {
    model(|| {
        let (resolver, pending) = pair();
        let other = thread::spawn(move || {
            let abandoned = resolver.is_abandoned();
            let settled = resolver.settle(Ok(1));
            assert!(!(abandoned && settled), "nobody comes back");
        });
        drop(pending);
        other.join().expect("no panic");
    });
}

/// An actor with one request in hand, that whoever runs it answers.
struct Errand {
    duty: Mutex<Option<Resolver<u8, Error>>>,
    begun: AtomicUsize,
}

impl Errand {
    fn new(resolver: Resolver<u8, Error>) -> Arc<Self> {
        Arc::new(Self { duty: Mutex::new(Some(resolver)), begun: AtomicUsize::new(0) })
    }

    /// Something woke it.
    fn wake(self: &Arc<Self>) {
        let waiter = lock(&self.duty).as_ref().map(Resolver::waiter);
        if !waiter.is_some_and(|waiter| waiter.lend(self.clone()).is_ok()) {
            self.clone().give_back();
        }
    }

    fn settle(&self, answer: u8) {
        let duty = lock(&self.duty).take();
        duty.map(|duty| duty.settle(Ok(answer)));
    }
}

impl Lent for Errand {
    fn run_here(self: Arc<Self>) {
        self.begun.fetch_add(1, SeqCst);
        self.settle(1);
    }

    fn give_back(self: Arc<Self>) {
        self.run_here();
    }
}

#[test]
fn model_what_is_lent_to_a_thread_that_waits_is_run_once() {
    model(|| {
        let (resolver, pending) = pair();
        let errand = Errand::new(resolver);
        let waking = errand.clone();
        let other = thread::spawn(move || waking.wake());
        assert!(matches!(pending.wait(), Ok(1)));
        other.join().expect("no panic");
        assert_eq!(errand.begun.load(SeqCst), 1);
    });
}

#[test]
fn model_what_is_lent_is_given_back_where_the_answer_came_from_elsewhere() {
    model(|| {
        let (resolver, pending) = pair();
        let errand = Errand::new(resolver);
        let (waking, killing) = (errand.clone(), errand.clone());
        let others = [thread::spawn(move || waking.wake()), thread::spawn(move || killing.settle(2))];
        assert!(matches!(pending.wait(), Ok(1 | 2)));
        others.into_iter().for_each(|other| other.join().expect("no panic"));
        assert_eq!(errand.begun.load(SeqCst), 1);
    });
}

struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn model_a_task_that_waits_is_woken() {
    model(|| {
        let (resolver, mut pending) = pair();
        let woken = Arc::new(Woken(AtomicUsize::new(0)));
        let other = thread::spawn(move || resolver.settle(Ok(1)));
        let waker = woken.clone().into();
        let mut context = Context::from_waker(&waker);
        let early = Pin::new(&mut pending).poll(&mut context).is_ready();
        assert!(other.join().expect("no panic"));
        assert_eq!(woken.0.load(SeqCst), usize::from(!early), "once, if it has to be");
        if !early {
            assert!(matches!(Pin::new(&mut pending).poll(&mut context), Poll::Ready(Ok(1))));
        }
    });
}

#[test]
fn model_a_thread_that_waits_after_a_poll_is_woken() {
    model(|| {
        let (resolver, mut pending) = pair();
        let waker = Arc::new(Woken(AtomicUsize::new(0))).into();
        let polled = Pin::new(&mut pending).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        let other = thread::spawn(move || resolver.settle(Ok(1)));
        assert!(matches!(pending.wait(), Ok(1)));
        assert!(other.join().expect("no panic"));
    });
}

#[test]
fn model_a_callback_is_called_once_or_the_answer_was_there() {
    model(|| {
        let (resolver, pending) = pair();
        let calls = Arc::new(AtomicUsize::new(0));
        let called = calls.clone();
        let other = thread::spawn(move || resolver.settle(Ok(1)));
        let early = pending.on_ready(Box::new(move |answer| {
            assert!(matches!(answer, Ok(1)));
            called.fetch_add(1, SeqCst);
        }));
        assert!(other.join().expect("no panic"));
        match early {
            Ok(canceller) => {
                assert_eq!(calls.load(SeqCst), 1);
                assert!(!canceller.cancel(), "it is over");
            }
            Err(answer) => {
                assert!(matches!(answer, Ok(1)));
                assert_eq!(calls.load(SeqCst), 0);
            }
        }
    });
}

#[test]
fn model_of_an_answer_and_a_cancellation_one_is_told() {
    model(|| {
        let (resolver, pending) = pair();
        let outcome = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let told = outcome.clone();
        let waits = pending.on_ready(Box::new(move |answer: Result<u8, Error>| {
            told[usize::from(answer.is_ok())].fetch_add(1, SeqCst);
        }));
        let Ok(canceller) = waits else { panic!("there is no answer yet") };
        let other = thread::spawn(move || resolver.settle(Ok(1)));
        let cancelled = canceller.cancel();
        let settled = other.join().expect("no panic");
        assert!(cancelled != settled, "exactly one");
        let [failed, answered] = [0, 1].map(|place: usize| outcome[place].load(SeqCst));
        assert_eq!((failed, answered), (usize::from(cancelled), usize::from(settled)));
    });
}
