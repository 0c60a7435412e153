//! `rt/fanout-100`: an actor publishes to 100 subscribers and goes on when all have handled it; time per publish.

use std::sync::Arc;
use std::time::Instant;

use super::{ONE, TWO, Workers};
use crate::measure::{Contestant, Metric, Row};
use crate::peers::tokio::{Broadcast, Tokio};
use crate::peers::{
    Job, Peer, VALUE, actix::Actix, erlang, hand_over, kameo::Kameo, ours::Ours, ractor::Ractor,
};
use crate::tally::{Countdown, Tally};

const SUBSCRIBERS: usize = 100;
const PUBLISHES: u64 = 3_000;

pub const ROWS: &[Row] = &[Row { metrics: &[Metric::cost("rt/fanout-100", "µs")], contestants }];

fn contestants() -> Vec<Contestant> {
    let mut all: Vec<_> = [forms::<Ours>, forms::<Tokio>, forms::<Kameo>, forms::<Ractor>, forms::<Actix>]
        .iter()
        .flat_map(|forms| forms())
        .collect();
    all.extend([broadcast(1, "broadcast channel, 1 worker"), broadcast(2, "broadcast channel, 2 workers")]);
    all.extend(erlang::contestant("fanout-100"));
    all
}

/// One peer with one worker and with two.
pub fn forms<P: Peer>() -> Vec<Contestant> {
    [ONE, TWO].map(published::<P>).into()
}

fn tallies() -> (Vec<Tally>, Arc<Countdown>) {
    let countdown = Countdown::from(SUBSCRIBERS as u64);
    (vec![Tally::every(1, &countdown); SUBSCRIBERS], countdown)
}

fn published<P: Peer>(Workers(workers, form): Workers) -> Contestant {
    let peer = P::open(workers);
    let (tallies, countdown) = tallies();
    let topic = Arc::new(peer.topic(tallies));
    Contestant::new(P::NAME, form, move || {
        let topic = topic.clone();
        vec![time_us(|job| peer.actors(vec![job]), move || P::publish(&topic, VALUE), countdown.clone())]
    })
}

fn broadcast(workers: usize, form: &'static str) -> Contestant {
    let peer = Broadcast::open(workers);
    let (tallies, countdown) = tallies();
    let topic = peer.topic(tallies);
    Contestant::new(Tokio::NAME, form, move || {
        let topic = topic.clone();
        let publish = move || assert!(topic.send(VALUE).is_ok(), "somebody listens");
        vec![time_us(|job| peer.task(job), publish, countdown.clone())]
    })
}

fn time_us(run: impl FnOnce(Job), publish: impl Fn() + Send + 'static, countdown: Arc<Countdown>) -> f64 {
    let began = Instant::now();
    hand_over(run, async move {
        for _ in 0..PUBLISHES {
            publish();
            countdown.over().await;
        }
        began.elapsed().as_secs_f64() * 1e6 / PUBLISHES as f64
    })
}
