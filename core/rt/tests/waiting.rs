//! Actors that wait for each other: no circle ever hangs.

mod common;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;

use airssys_rt::Caller::Waits;
use airssys_rt::{
    Actor, ActorRef, Asked, Bounds, Cause, Child, ChildSpec, Context, Error, Executor, Exit, Message,
    Overflow, Pending, Refusal, Refused, Restart, Rules, Spec, Strategy, SupervisorRef, SupervisorSpec,
};
use common::{World, answer, begun, eventually, id, soon};
use tokio::sync::oneshot;

/// What a [`Passer`] is asked to do; it answers with the number of those asked behind it, or their error.
#[derive(Debug)]
enum Pass {
    /// Ask the last of these, who asks the one before it, and so on.
    Along(Vec<Peer>),
    /// Ask both at once.
    Both([(Peer, Vec<Peer>); 2]),
    /// Ask the last of these, and give up at once.
    GiveUp(Vec<Peer>),
    /// Wait for the other end, then send to this one.
    Send(oneshot::Receiver<()>, Peer),
    /// Wait for the other end, then ask as in `Along`.
    After(oneshot::Receiver<()>, Vec<Peer>),
}

#[derive(Clone)]
struct Peer(ActorRef<Pass>);

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.id())
    }
}

impl Message for Pass {
    type Reply = u64;
    type Error = Error;
}

struct Passer {
    blocks: bool,
}

impl Child for Passer {}

fn ask(mut path: Vec<Peer>) -> Option<Pending<u64, Error>> {
    let next = path.pop()?;
    Some(next.0.request(Pass::Along(path), soon(), Waits))
}

impl Passer {
    async fn along(&self, path: Vec<Peer>) -> Result<u64, Error> {
        match ask(path) {
            None => Ok(0),
            Some(pending) if self.blocks => pending.wait().map(|behind| behind + 1),
            Some(pending) => pending.await.map(|behind| behind + 1),
        }
    }

    async fn send(&self, until: oneshot::Receiver<()>, to: &ActorRef<Pass>) -> Result<u64, Error> {
        let message = Pass::Along(Vec::new());
        // An error means that the test has let go of it, which is the sign as well.
        let sent = if self.blocks {
            let _ = until.blocking_recv();
            to.send_until(message, soon())
        } else {
            let _ = until.await;
            to.send_async(message, soon()).await
        };
        sent.map(|()| 0).map_err(|Refused { error, .. }| error)
    }
}

impl Actor for Passer {
    type Message = Pass;

    async fn handle(&mut self, message: Pass, context: &mut Context<'_, Pass>) -> Result<(), Exit> {
        let result = match message {
            Pass::Along(path) => self.along(path).await,
            Pass::Both([(one, first), (other, second)]) => {
                let one = one.0.request(Pass::Along(first), soon(), Waits);
                let other = other.0.request(Pass::Along(second), soon(), Waits);
                let (one, other) = both(one, other).await;
                one.and_then(|one| Ok(one + other?))
            }
            Pass::GiveUp(path) => {
                let mut pending = ask(path).expect("somebody to ask");
                poll_fn(|context| {
                    let _ = Pin::new(&mut pending).poll(context);
                    Poll::Ready(())
                })
                .await;
                Ok(0)
            }
            Pass::Send(until, to) => self.send(until, &to.0).await,
            Pass::After(until, path) => {
                let _ = until.await;
                self.along(path).await
            }
        };
        context.reply(result);
        Ok(())
    }
}

async fn both<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> (T, T) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        if first.is_none()
            && let Poll::Ready(answer) = one.as_mut().poll(context)
        {
            first = Some(answer);
        }
        if second.is_none()
            && let Poll::Ready(answer) = other.as_mut().poll(context)
        {
            second = Some(answer);
        }
        match first.is_some() && second.is_some() {
            true => Poll::Ready((first.take().expect("there"), second.take().expect("there"))),
            false => Poll::Pending,
        }
    })
    .await
}

fn passer(world: &World, spec: Spec) -> Peer {
    let blocks = spec.executor == Executor::Callback;
    let start = move || async move { Ok::<_, Cause>(Passer { blocks }) };
    let (actor, up) = world.runtime.spawn(spec, start).expect("a free name");
    answer(up).expect("starts");
    Peer(actor)
}

fn any(world: &World, name: &str) -> Peer {
    passer(world, Spec::new(id(name)))
}

fn callback(world: &World, name: &str) -> Peer {
    passer(world, Spec { executor: Executor::Callback, ..Spec::new(id(name)) })
}

/// Asks along these, the first one first.
fn along(path: &[&Peer]) -> Result<u64, Error> {
    let path = path.iter().rev().map(|it| (*it).clone()).collect();
    answer(ask(path).expect("somebody to ask"))
}

fn circle(result: Result<u64, Error>) -> Vec<String> {
    match result {
        Err(Error::Cycle(ids)) => ids.iter().map(common::short).collect(),
        other => panic!("no circle but {other:?}"),
    }
}

#[test]
fn hostile_g3_an_actor_that_asks_itself_is_told_of_the_circle() {
    let world = World::new();
    for actor in [any(&world, "any"), callback(&world, "callback")] {
        let ids = circle(along(&[&actor, &actor]));
        assert!(ids.iter().all(|id| *id == common::short(&actor.0.id())), "{ids:?}");
        assert_eq!(along(&[&actor]).expect("it goes on"), 0);
    }
}

#[test]
fn hostile_g3_a_asks_b_asks_a_on_every_executor() {
    let world = World::new();
    let (a, b) = (any(&world, "a"), any(&world, "b"));
    let (c, d) = (callback(&world, "c"), callback(&world, "d"));
    for (one, other) in [(&a, &b), (&c, &d), (&a, &c), (&c, &a)] {
        let ids = circle(along(&[one, other, one]));
        let names = [one, other].map(|it| common::short(&it.0.id()));
        assert!(names.iter().all(|name| ids.contains(name)), "{ids:?} has {names:?}");
        assert_eq!(along(&[one, other]).expect("no circle"), 1);
    }
}

#[test]
fn hostile_g3_a_chain_of_a_thousand_is_answered_and_closed_it_is_a_circle() {
    let world = World::new();
    let chain: Vec<_> = (0..1_000).map(|number| any(&world, &format!("link-{number}"))).collect();
    let mut path: Vec<_> = chain.iter().collect();
    assert_eq!(along(&path).expect("no circle"), 999);
    path.push(&chain[0]);
    assert_eq!(circle(along(&path)).len(), 1_001, "the asker stands at both ends");
    path.pop();
    path.push(&chain[500]);
    assert_eq!(circle(along(&path)).len(), 501);
    path.pop();
    assert_eq!(along(&path).expect("all of them go on"), 999);
}

#[test]
fn hostile_g3_a_chain_of_callbacks_that_block_is_closed_to_a_circle() {
    let world = World::new();
    let chain: Vec<_> = (0..100).map(|number| callback(&world, &format!("link-{number}"))).collect();
    let mut path: Vec<_> = chain.iter().collect();
    assert_eq!(along(&path).expect("no circle"), 99);
    path.push(&chain[0]);
    circle(along(&path));
}

#[test]
fn two_chains_that_meet_are_no_circle() {
    let world = World::new();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| any(&world, name));
    let both = |first: Vec<Peer>, second: Vec<Peer>| {
        let asked = Pass::Both([(b.clone(), first), (c.clone(), second)]);
        answer(a.0.request(asked, soon(), Waits))
    };
    assert_eq!(both(vec![d.clone()], vec![d.clone()]).expect("both reach the same"), 2);
    circle(both(vec![d.clone()], vec![a.clone()]));
    circle(both(vec![a.clone(), d.clone()], vec![]));
    assert_eq!(both(vec![], vec![]).expect("nothing of it is left"), 0);
}

#[test]
fn who_has_given_up_waits_no_more() {
    let world = World::new();
    let (a, b) = (any(&world, "a"), any(&world, "b"));
    let (open, gate) = oneshot::channel();
    let held = b.0.request(Pass::After(gate, vec![a.clone()]), soon(), Waits);
    begun(&b.0, 1);
    answer(a.0.request(Pass::GiveUp(vec![b.clone()]), soon(), Waits)).expect("it does not wait");
    open.send(()).expect("open");
    assert_eq!(answer(held).expect("b may ask a"), 1);
}

#[test]
fn a_circle_closed_from_both_sides_at_once_hangs_nobody() {
    let world = World::new();
    let (a, b) = (any(&world, "a"), any(&world, "b"));
    for round in 0..200u64 {
        let one = a.0.request(Pass::Along(vec![a.clone(), b.clone()]), soon(), airssys_rt::Caller::Busy);
        let other = b.0.request(Pass::Along(vec![b.clone(), a.clone()]), soon(), airssys_rt::Caller::Busy);
        circle(answer(one));
        circle(answer(other));
        begun(&a.0, round);
    }
}

#[test]
fn who_was_answered_waits_no_more_be_it_told_late() {
    let world = World::new();
    let (a, b) = (any(&world, "a"), callback(&world, "b"));
    for round in 0..2_000 {
        // What a does next comes right behind the answer for which b wakes up.
        let (open, gate) = oneshot::channel();
        let held = a.0.request(Pass::After(gate, vec![]), soon(), Waits);
        begun(&a.0, 3 * round + 1);
        let asks = b.0.request(Pass::Along(vec![a.clone()]), soon(), Waits);
        eventually("b waits", || a.0.status().mailbox_messages == 1);
        let next = a.0.request(Pass::Along(vec![b.clone()]), soon(), Waits);
        open.send(()).expect("open");
        assert_eq!(answer(held).expect("answer"), 0);
        assert_eq!(answer(asks).expect("no circle"), 1);
        assert_eq!(answer(next).expect("no circle"), 1);
    }
}

#[test]
fn who_waits_by_a_thread_after_it_has_polled_is_woken() {
    let world = World::new();
    let a = any(&world, "a");
    let (open, gate) = oneshot::channel();
    let mut held = a.0.request(Pass::After(gate, vec![]), soon(), Waits);
    let polled = Pin::new(&mut held).poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    assert!(polled.is_pending());
    open.send(()).expect("open");
    assert_eq!(answer(held).expect("answer"), 0);
}

#[test]
fn waiting_elsewhere_on_behalf_of_an_actor_counts_as_its_own() {
    let world = World::new();
    let (a, b) = (any(&world, "a"), any(&world, "b"));
    let (release, busy) = oneshot::channel();
    let held = a.0.request(Pass::After(busy, vec![]), soon(), Waits);
    begun(&a.0, 1);
    let (open, gate) = oneshot::channel();
    let asked = b.0.request(Pass::After(gate, vec![a.clone()]), soon(), Waits).asked_by(a.0.handle());
    let (tell, told) = mpsc::channel();
    let waits = asked.on_ready(Box::new(move |answer| tell.send(answer).expect("open")));
    assert!(waits.is_ok(), "it is not there yet");
    open.send(()).expect("open");
    circle(told.recv_timeout(common::LONG).expect("told"));
    release.send(()).expect("open");
    answer(held).expect("a goes on");
    assert_eq!(along(&[&b, &a]).expect("nobody waits any more"), 1);
    let asked = a.0.request(Pass::Along(vec![]), soon(), Waits);
    assert_eq!(answer(asked.asked_by(b.0.handle())).expect("no circle"), 0);
}

#[test]
fn what_a_handler_has_left_behind_closes_no_circle() {
    let world = World::new();
    let (a, b) = (any(&world, "a"), any(&world, "b"));
    let (release, busy) = oneshot::channel();
    let held = a.0.request(Pass::After(busy, vec![]), soon(), Waits);
    begun(&a.0, 1);
    let (open, gate) = oneshot::channel();
    let asked = b.0.request(Pass::After(gate, vec![a.clone()]), soon(), Waits).asked_by(a.0.handle());
    let (tell, told) = mpsc::channel();
    let waits = asked.on_ready(Box::new(move |answer| tell.send(answer).expect("open")));
    assert!(waits.is_ok(), "it is not there yet");
    release.send(()).expect("open");
    answer(held).expect("a is done with what it asked for");
    assert_eq!(along(&[&a]).expect("and with the message after it"), 0);
    open.send(()).expect("open");
    let answered = told.recv_timeout(common::LONG).expect("told");
    assert_eq!(answered.expect("a waits for nothing"), 1);
}

/// Two with full mailboxes, each in a handler that is about to send to the other.
fn full_pair(world: &World, executor: Executor) -> [Result<u64, Error>; 2] {
    let pair = ["a", "b"].map(|name| {
        let bounds = Bounds { messages_max: 1, ..Bounds::default() };
        passer(world, Spec { executor, bounds, overflow: Overflow::Block, ..Spec::new(id(name)) })
    });
    let [a, b] = pair;
    let mut opens = Vec::new();
    let held = [(&a, &b), (&b, &a)].map(|(from, to)| {
        let (open, gate) = oneshot::channel();
        opens.push(open);
        let held = from.0.request(Pass::Send(gate, to.clone()), soon(), Waits);
        begun(&from.0, 1);
        held
    });
    for actor in [&a, &b] {
        actor.0.send(Pass::Along(Vec::new())).expect("room for one");
    }
    drop(opens);
    held.map(answer)
}

#[test]
fn hostile_g3_sends_that_block_in_a_circle_are_told_of_it() {
    for executor in [Executor::Callback, Executor::Any] {
        let world = World::new();
        let results = full_pair(&world, executor);
        let circles = results.iter().filter(|result| matches!(result, Err(Error::Cycle(_)))).count();
        let sent = results.iter().filter(|result| result.is_ok()).count();
        assert!(circles >= 1 && circles + sent == 2, "{results:?}");
        eventually("all is handled", || {
            let counts = world.runtime.counts();
            counts.sent == counts.delivered + counts.rejected
        });
        assert_eq!(world.counts().rejected, circles as u64);
    }
}

/// An actor whose handler has begun and waits, with what lets it go on.
fn held(actor: &Peer) -> (oneshot::Sender<()>, Pending<u64, Error>) {
    let (open, gate) = oneshot::channel();
    let held = actor.0.request(Pass::After(gate, vec![]), soon(), Waits);
    begun(&actor.0, 1);
    (open, held)
}

/// What somebody is told who waits for this elsewhere, on behalf of an actor.
fn told<T: std::fmt::Debug + Send + 'static>(asked: Pending<T, Error>, asker: &Peer) -> Result<u64, Error> {
    match asked.asked_by(asker.0.handle()).on_ready(Box::new(|late| panic!("waited for: {late:?}"))) {
        Err(answer) => answer.map(|_| 0),
        Ok(_) => panic!("it waits"),
    }
}

/// A supervisor of one that passes on.
fn supervised(world: &World, strategy: Strategy) -> (SupervisorRef, Peer) {
    let start = || async { Ok::<_, Cause>(Passer { blocks: false }) };
    let rules = Rules { strategy, ..Rules::default() };
    let child = ChildSpec::actor(Spec::new(id("child")), Restart::Permanent, start);
    let top = world.supervise(SupervisorSpec::new(id("top")).rules(rules).child(child));
    (top, Peer(world.runtime.lookup(&id("child")).expect("it is up")))
}

#[test]
fn a_wait_elsewhere_for_ones_own_end_is_a_circle_and_a_stop_happens_all_the_same() {
    let world = World::new();
    let a = any(&world, "a");
    let (open, held) = held(&a);
    let handle = a.0.handle();
    let down = world.runtime.down(handle).expect("it lives");
    assert_eq!(circle(told(world.runtime.down(handle).expect("it lives"), &a)), ["a", "a"]);
    assert_eq!(circle(told(world.runtime.stop(handle, common::LONG), &a)), ["a", "a"]);
    assert_eq!(a.0.status().state, "stopping");
    open.send(()).expect("open");
    assert_eq!(answer(held).expect("it finishes what it has in hand"), 0);
    assert!(matches!(answer(down).expect("told").exit, Exit::Shutdown));
}

#[test]
fn a_wait_elsewhere_for_the_end_of_a_supervisor_above_is_a_circle() {
    let world = World::new();
    let (top, a) = supervised(&world, Strategy::OneForOne);
    let (open, held) = held(&a);
    assert_eq!(circle(told(world.runtime.down(top.handle()).expect("it lives"), &a)), ["child", "top"]);
    assert_eq!(circle(told(top.terminate_child(a.0.handle()), &a)), ["child", "child"]);
    let stopped = world.runtime.stop(top.handle(), common::LONG);
    assert_eq!(circle(told(world.runtime.stop(top.handle(), common::LONG), &a)), ["child", "top"]);
    open.send(()).expect("open");
    assert_eq!(answer(held).expect("it finishes what it has in hand"), 0);
    answer(stopped).expect("all are down");
}

#[test]
fn a_request_to_a_supervisor_that_waits_for_the_asker_is_a_circle() {
    let world = World::new();
    let (top, a) = supervised(&world, Strategy::OneForAll);
    let (open, held) = held(&a);
    let handle = a.0.handle();
    let ended = top.terminate_child(handle);
    let ids = circle(told(top.delete_child(handle), &a));
    assert_eq!(ids, ["child", "child"]);
    assert_eq!(circle(told(top.restart_child(handle), &a)), ids);
    let (_, up) = top.start_child(world.child("other", Restart::Temporary)).expect("a free name");
    assert_eq!(circle(told(up, &a)), ids);
    open.send(()).expect("open");
    assert_eq!(answer(held).expect("it finishes what it has in hand"), 0);
    answer(ended).expect("down");
    eventually("what was asked for has happened", || world.is_there("other") && !world.is_there("child"));
}

#[test]
fn a_request_to_a_supervisor_that_waits_for_nobody_is_no_circle() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let world = World::new();
        let (top, a) = supervised(&world, strategy);
        let (_open, _held) = held(&a);
        let by = |asked: Asked<()>| answer(asked.asked_by(a.0.handle()));
        let (other, up) = top.start_child(world.child("other", Restart::Permanent)).expect("a free name");
        by(up).expect("starts");
        by(top.terminate_child(other)).expect("stops");
        by(top.restart_child(other)).expect("starts again");
        assert!(matches!(by(top.delete_child(other)), Err(Error::Refused(Refusal::Running))));
        assert!(matches!(by(top.restart_child(a.0.handle())), Err(Error::Refused(Refusal::Running))));
        by(top.terminate_child(other)).expect("stops");
        by(top.delete_child(other)).expect("goes");
        world.runtime.kill(a.0.handle());
    }
}

#[test]
fn a_send_elsewhere_that_closes_a_circle_takes_its_message_back() {
    let world = World::new();
    let bounds = Bounds { messages_max: 1, ..Bounds::default() };
    let narrow = Spec { bounds, overflow: Overflow::Block, ..Spec::new(id("a")) };
    let (a, b) = (passer(&world, narrow), any(&world, "b"));
    let (open, gate) = oneshot::channel();
    let held = a.0.request(Pass::After(gate, vec![b.clone()]), soon(), Waits);
    begun(&a.0, 1);
    a.0.send(Pass::Along(vec![])).expect("room for one");
    let sent = a.0.send_begin(Pass::Along(vec![]), soon());
    assert_eq!(circle(told(sent, &a)), ["a", "a"]);
    open.send(()).expect("open");
    answer(held).expect("it goes on");
    eventually("all is handled", || a.0.status().handled == 2);
    assert_eq!(world.counts().rejected, 1);
}
