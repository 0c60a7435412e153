//! `rt/request-*`: one request after the other, each answered with its 64 bytes, no deadline.

use super::{ONE, TWO, Workers};
use crate::measure::{Contestant, Metric, Row};
use crate::peers::{
    Peer, VALUE, actix::Actix, erlang, hand_over, kameo::Kameo, ours::Ours, ractor::Ractor, tokio::Tokio,
};
use crate::stopwatch::{Latencies, Stopwatch};

const REQUESTS: usize = 50_000;
/// Of a thread, which sleeps and is woken for each but ours.
const BLOCKING_REQUESTS: usize = 10_000;

pub const ROWS: &[Row] = &[
    Row { metrics: BLOCKING, contestants: blocking },
    Row { metrics: ASYNC_1, contestants: async_1 },
    Row { metrics: ASYNC_2, contestants: async_2 },
    Row { metrics: ACTOR, contestants: actor },
];

const BLOCKING: &[Metric] =
    &[Metric::cost("rt/request-blocking", "µs"), Metric::cost("rt/request-blocking-mean", "µs")];
const ASYNC_1: &[Metric] =
    &[Metric::cost("rt/request-async-1", "µs"), Metric::cost("rt/request-async-1-mean", "µs")];
const ASYNC_2: &[Metric] =
    &[Metric::cost("rt/request-async-2", "µs"), Metric::cost("rt/request-async-2-mean", "µs")];
const ACTOR: &[Metric] =
    &[Metric::cost("rt/request-actor", "µs"), Metric::cost("rt/request-actor-mean", "µs")];

fn figures(latencies: &Latencies) -> Vec<f64> {
    vec![latencies.percentile_us(50), latencies.mean_us()]
}

fn blocking() -> Vec<Contestant> {
    vec![
        from_thread::<Ours>(),
        from_thread::<Tokio>(),
        from_thread::<Kameo>(),
        from_thread::<Ractor>(),
        from_thread::<Actix>(),
    ]
}

/// An OS thread outside of any runtime asks an actor of a library with two workers.
pub fn from_thread<P: Peer>() -> Contestant {
    let peer = P::open(2);
    let echo = peer.echo();
    Contestant::new(P::NAME, "", move || {
        let mut watch = Stopwatch::start(BLOCKING_REQUESTS);
        for _ in 0..BLOCKING_REQUESTS {
            assert_eq!(peer.ask_blocking(&echo, VALUE), VALUE);
            watch.lap();
        }
        figures(&watch.stop())
    })
}

fn async_1() -> Vec<Contestant> {
    from_tasks(ONE)
}

fn async_2() -> Vec<Contestant> {
    from_tasks(TWO)
}

fn from_tasks(workers: Workers) -> Vec<Contestant> {
    vec![
        from_task::<Ours>(workers),
        from_task::<Tokio>(workers),
        from_task::<Kameo>(workers),
        from_task::<Ractor>(workers),
        from_task::<Actix>(workers),
    ]
}

fn from_task<P: Peer>(Workers(workers, _): Workers) -> Contestant {
    let peer = P::open(workers);
    let echo = peer.echo();
    Contestant::new(P::NAME, "", move || figures(&hand_over(|job| peer.task(job), asking::<P>(echo.clone()))))
}

async fn asking<P: Peer>(echo: P::Echo) -> Latencies {
    let mut watch = Stopwatch::start(REQUESTS);
    for _ in 0..REQUESTS {
        assert_eq!(P::ask(&echo, VALUE).await, VALUE);
        watch.lap();
    }
    watch.stop()
}

fn actor() -> Vec<Contestant> {
    let peers = [
        from_actor::<Ours>,
        from_actor::<Tokio>,
        from_actor::<Kameo>,
        from_actor::<Ractor>,
        from_actor::<Actix>,
    ];
    let both = |from_actor: &fn(Workers) -> Contestant| [from_actor(ONE), from_actor(TWO)];
    peers.iter().flat_map(both).chain(erlang::contestant("request-actor")).collect()
}

fn from_actor<P: Peer>(Workers(workers, form): Workers) -> Contestant {
    let peer = P::open(workers);
    let echo = peer.echo();
    Contestant::new(P::NAME, form, move || {
        figures(&hand_over(|job| peer.actors(vec![job]), asking::<P>(echo.clone())))
    })
}
