//! Messages and their answers: forwarded, travelling, late, dropped, dead.

mod common;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use airssys_rt::Caller::Waits;
use airssys_rt::{
    Actor, ActorRef, Cause, Child, Context, DeadLetter, Error, Exit, Message, ReplyTo, Spec, Stateless,
};
use common::{Ask, Log, World, answer, begun, echo, eventually, id, soon};

/// What a [`Clerk`] is asked to do.
enum Case {
    /// Answer with this.
    Answer(u64),
    /// Answer twice.
    Twice(u64, u64),
    /// Hand the duty to the colleague, who answers with this.
    HandOn(u64),
    /// The duty of a colleague.
    Duty(ReplyTo<Case>, u64),
    /// Let the colleague see to it.
    Forward(u64),
    /// Hand the duty on, then crash.
    HandOnAndCrash(u64),
    /// Never answer.
    Drop,
}

impl Message for Case {
    type Reply = u64;
    type Error = Error;
}

struct Clerk {
    colleague: Option<ActorRef<Case>>,
}

impl Child for Clerk {}

impl Actor for Clerk {
    type Message = Case;

    async fn handle(&mut self, message: Case, context: &mut Context<'_, Case>) -> Result<(), Exit> {
        match message {
            Case::Answer(number) => context.reply(Ok(number)),
            Case::Twice(first, second) => {
                context.reply(Ok(first));
                context.reply(Ok(second));
            }
            Case::HandOn(number) => self.hand_on(context.take_reply(), number),
            Case::HandOnAndCrash(number) => {
                self.hand_on(context.take_reply(), number);
                return Err(common::boom());
            }
            Case::Duty(mut duty, number) => duty.settle(Ok(number)),
            Case::Forward(number) => {
                let colleague = self.colleague.clone().expect("a colleague");
                // Whoever asked is told if the colleague does not take it.
                let _ = context.forward(&colleague, Case::Answer(number));
            }
            Case::Drop => {}
        }
        Ok(())
    }
}

impl Clerk {
    fn hand_on(&self, duty: ReplyTo<Case>, number: u64) {
        let colleague = self.colleague.as_ref().expect("a colleague");
        assert!(colleague.send(Case::Duty(duty, number)).is_ok(), "room");
    }
}

fn clerk(world: &World, name: &str, colleague: Option<ActorRef<Case>>) -> ActorRef<Case> {
    let start = move || {
        let colleague = colleague.clone();
        async move { Ok::<_, Cause>(Clerk { colleague }) }
    };
    let (actor, up) = world.runtime.spawn(Spec::new(id(name)), start).expect("free");
    answer(up).expect("starts");
    actor
}

fn asked(actor: &ActorRef<Case>, case: Case) -> Result<u64, Error> {
    answer(actor.request(case, soon(), Waits))
}

#[test]
fn a_reply_may_come_from_another_actor() {
    let world = World::new();
    let colleague = clerk(&world, "colleague", None);
    let clerk = clerk(&world, "clerk", Some(colleague.clone()));
    assert_eq!(asked(&clerk, Case::HandOn(1)).expect("answer"), 1);
    assert_eq!(asked(&clerk, Case::Forward(2)).expect("answer"), 2);
    assert!(matches!(asked(&clerk, Case::Drop), Err(Error::NoReply)));
    answer(colleague.stop(common::LONG)).expect("stops");
    assert!(matches!(asked(&clerk, Case::Forward(3)), Err(Error::Stopped(_))));
    let counts = world.counts();
    assert_eq!((counts.sent, counts.rejected), (7, 1));
}

#[test]
fn hostile_g7_a_second_reply_is_dropped_and_never_answers_a_later_request() {
    let world = World::new();
    let clerk = clerk(&world, "clerk", None);
    for round in 0..100 {
        let first = clerk.request(Case::Twice(round, 1_000 + round), soon(), Waits);
        let second = clerk.request(Case::Answer(2_000 + round), soon(), Waits);
        assert_eq!(answer(first).expect("answer"), round);
        assert_eq!(answer(second).expect("answer"), 2_000 + round);
    }
    assert!(clerk.send(Case::Twice(1, 2)).is_ok(), "nobody waits for either");
    assert_eq!(asked(&clerk, Case::Answer(3)).expect("answer"), 3);
}

#[test]
fn hostile_g7_a_reply_after_the_deadline_reaches_nobody() {
    let world = World::new();
    let actor = world.plain("one");
    let (tell, told) = mpsc::channel();
    let until = Some(Instant::now() + Duration::from_millis(20));
    let pending = actor.request(Ask::Later(tell), until, Waits);
    let mut duty = told.recv().expect("the duty");
    assert!(matches!(pending.wait(), Err(Error::Timeout { handling: true })));
    assert!(!duty.is_wanted());
    let next = actor.request(Ask::Echo(1), soon(), Waits);
    duty.settle(Ok(9));
    duty.settle(Ok(10));
    assert_eq!(answer(next).expect("its own answer"), 1);
}

#[test]
fn hostile_g7_a_third_actor_answers_though_the_asked_one_has_crashed() {
    let world = World::new();
    let colleague = clerk(&world, "colleague", None);
    let clerk = clerk(&world, "clerk", Some(colleague));
    assert_eq!(asked(&clerk, Case::HandOnAndCrash(5)).expect("answer"), 5);
}

#[test]
fn a_deadline_in_the_past_is_a_timeout_and_harms_nobody() {
    let world = World::new();
    let actor = world.plain("one");
    let held = actor.request(Ask::Wait, soon(), Waits);
    begun(&actor, 1);
    let past = Instant::now();
    let asked = actor.request(Ask::Echo(1), Some(past), Waits);
    assert!(matches!(asked.wait(), Err(Error::Timeout { handling: false })));
    world.open(1);
    answer(held).expect("answer");
    assert_eq!(echo(&actor, 2).expect("it goes on"), 2);
    assert_eq!(world.counts().dropped, 1);
}

#[test]
fn a_cancelled_request_is_told_once_and_leaves_the_mailbox() {
    let world = World::new();
    let actor = world.plain("one");
    let held = actor.request(Ask::Wait, soon(), Waits);
    begun(&actor, 1);
    let (tell, told) = mpsc::channel();
    let asked = actor.request(Ask::Echo(1), soon(), Waits);
    let waits = asked.on_ready(Box::new(move |answer| tell.send(answer).expect("open")));
    let Ok(canceller) = waits else { panic!("there is no answer yet") };
    assert!(canceller.cancel() && !canceller.cancel());
    assert!(matches!(told.recv(), Ok(Err(Error::Cancelled))));
    assert!(told.recv().is_err(), "once");
    world.open(1);
    answer(held).expect("answer");
    assert_eq!(echo(&actor, 2).expect("it goes on"), 2);
    assert_eq!(world.counts().dropped, 1);
}

#[test]
fn dead_letters_are_read_in_order_with_whose_they_were() {
    let world = World::new();
    let read = Log::default();
    let log = read.clone();
    world.runtime.read_dead_letters(Box::new(move |letter: DeadLetter<'_, Ask>| {
        log.note(format!("{} {} {:?}", common::short(letter.id), letter.exit, letter.message));
    }));
    let actor = world.plain("one");
    let held = actor.request(Ask::Wait, soon(), Waits);
    begun(&actor, 1);
    let waiting = actor.request(Ask::Echo(0), soon(), Waits);
    for number in 1..100 {
        actor.send(Ask::Echo(number)).expect("room");
    }
    let stop = actor.stop(common::LONG);
    world.open(1);
    answer(held).expect("answer");
    assert!(matches!(answer(waiting), Err(Error::Stopped(Exit::Shutdown))));
    answer(stop).expect("stops");
    let expected: Vec<_> = (0..100).map(|number| format!("one shutdown Echo({number})")).collect();
    assert_eq!(read.lines(), expected);
    assert_eq!(world.counts().dead_letters, 100);
    assert!(matches!(actor.send(Ask::Echo(7)), Err(refused) if matches!(refused.error, Error::Stopped(_))));
    let counts = world.counts();
    assert_eq!((counts.sent, counts.rejected), (102, 1), "what comes late is counted too");
}

#[test]
fn hostile_g10_a_receiver_that_dies_while_it_handles_tells_the_caller() {
    let world = World::new();
    let actor = world.plain("one");
    let held = actor.request(Ask::Wait, soon(), Waits);
    begun(&actor, 1);
    actor.kill();
    assert!(matches!(answer(held), Err(Error::Stopped(Exit::Killed))));
    eventually("gone", || !world.is_there("one"));
    assert!(matches!(echo(&actor, 1), Err(Error::Stopped(Exit::Killed))));
}

#[test]
fn a_stateless_function_answers_each_message() {
    let world = World::new();
    let start = || async {
        Ok::<_, Cause>(Stateless::new(|Fill(number): Fill| async move {
            if number == 0 { Err(Error::Cancelled) } else { Ok(number * 2) }
        }))
    };
    let (actor, up) = world.runtime.spawn(Spec::unnamed(), start).expect("room");
    answer(up).expect("starts");
    assert_eq!(answer(actor.request(Fill(21), soon(), Waits)).expect("answer"), 42);
    assert!(matches!(answer(actor.request(Fill(0), soon(), Waits)), Err(Error::Cancelled)));
    assert!(actor.send(Fill(1)).is_ok());
    begun(&actor, 3);
    assert!(actor.id().as_str().starts_with("unnamed/"));
}

#[derive(Debug)]
struct Fill(u64);

impl Message for Fill {
    type Reply = u64;
    type Error = Error;
}

#[test]
fn what_many_threads_send_comes_in_the_order_of_each() {
    let world = World::new();
    let bounds = airssys_rt::Bounds { messages_max: 100_000, ..airssys_rt::Bounds::default() };
    let actor = world.spawn("one", airssys_rt::Restart::Temporary, bounds);
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let actor = &actor;
            scope.spawn(move || {
                for number in 0..2_500 {
                    actor.send(Ask::Note(thread * 10_000 + number, 1)).expect("room");
                }
            });
        }
    });
    begun(&actor, 10_000);
    answer(actor.stop(common::LONG)).expect("stops");
    let lines = world.log.lines();
    let numbers: Vec<u64> = lines.iter().filter_map(|line| line.parse().ok()).collect();
    assert_eq!(numbers.len(), 10_000);
    for thread in 0..4 {
        assert!(numbers.iter().filter(|number| *number / 10_000 == thread).is_sorted());
    }
    assert_eq!(world.counts().delivered, 10_000);
}
