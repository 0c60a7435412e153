//! `rt/send-1-1` and `rt/send-8-1`: one way, until the actor has counted the last message.

use std::thread;
use std::time::Instant;

use super::{ONE, TWO, Workers};
use crate::measure::{Better, Contestant, Metric, Row};
use crate::peers::{
    Job, Peer, VALUE, actix::Actix, erlang, kameo::Kameo, ours::Ours, ractor::Ractor, tokio::Tokio,
};
use crate::tally::{Countdown, Tally};

const MESSAGES: u64 = 200_000;
/// A sender inside of the library lets others run after so many messages, which is how one worker is fastest.
const BURST: u64 = 256;

pub const ROWS: &[Row] = &[
    Row { metrics: &[throughput("rt/send-1-1")], contestants: one_to_one },
    Row { metrics: &[throughput("rt/send-8-1")], contestants: eight_to_one },
];

/// The metric of this name, in million messages a second.
pub const fn throughput(name: &'static str) -> Metric {
    Metric { name, unit: "M msg/s", better: Better::Higher }
}

fn one_to_one() -> Vec<Contestant> {
    let mut all = all(1);
    all.extend(erlang::contestant("send-1-1"));
    all
}

fn eight_to_one() -> Vec<Contestant> {
    let mut all = all(8);
    all.extend(erlang::contestant("send-8-1"));
    all
}

fn all(senders: u64) -> Vec<Contestant> {
    let peers = [forms::<Ours>, forms::<Tokio>, forms::<Kameo>, forms::<Ractor>, forms::<Actix>];
    peers.iter().flat_map(|forms| forms(senders)).collect()
}

/// One peer in each of its forms: senders are actors on one worker or two, or threads outside of the library.
pub fn forms<P: Peer>(senders: u64) -> Vec<Contestant> {
    vec![inside::<P>(ONE, senders), inside::<P>(TWO, senders), outside::<P>(senders)]
}

/// A sink, and what is done when it has counted all messages.
fn sink<P: Peer>(peer: &P) -> (P::Sink, std::sync::Arc<Countdown>) {
    let countdown = Countdown::from(1);
    (peer.sink(None, Tally::every(MESSAGES, &countdown)), countdown)
}

fn inside<P: Peer>(Workers(workers, form): Workers, senders: u64) -> Contestant {
    let peer = P::open(workers);
    let (sink, countdown) = sink(&peer);
    Contestant::new(P::NAME, form, move || {
        let sending = |_| sender::<P>(sink.clone(), MESSAGES / senders);
        let mut jobs: Vec<Job> = (0..senders).map(sending).collect();
        jobs.push(countdown.waiting());
        let began = Instant::now();
        peer.actors(jobs);
        vec![millions_per_second(began)]
    })
}

fn sender<P: Peer>(sink: P::Sink, messages: u64) -> Job {
    Box::pin(async move {
        for number in 1..=messages {
            P::send(&sink, VALUE);
            if number.is_multiple_of(BURST) {
                tokio::task::yield_now().await;
            }
        }
    })
}

fn outside<P: Peer>(senders: u64) -> Contestant {
    let peer = P::open(1);
    let (sink, countdown) = sink(&peer);
    Contestant::new(P::NAME, "threads to 1 worker", move || {
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 0..senders {
                scope.spawn(|| (0..MESSAGES / senders).for_each(|_| P::send(&sink, VALUE)));
            }
            peer.actors(vec![countdown.waiting()]);
        });
        vec![millions_per_second(began)]
    })
}

fn millions_per_second(began: Instant) -> f64 {
    MESSAGES as f64 / began.elapsed().as_secs_f64() / 1e6
}
