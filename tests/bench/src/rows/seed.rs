//! `seed/*`: what the seeds claimed, against ours with a message delivered to a live actor each time.

use std::sync::Arc;
use std::time::Instant;

use super::{ONE, TWO, Workers, fanout, lookup, request, send};
use crate::measure::{Contestant, Metric, Row};
use crate::peers::ours::{Ours, id};
use crate::peers::{Peer, VALUE, hand_over};
use crate::tally::{Countdown, Tally};

const ACTORS: u64 = 5_000;
const NAMES: usize = 1_000;
const MESSAGES: usize = 100_000;

pub const ROWS: &[Row] = &[
    Row {
        metrics: &[Metric::cost("seed/construction", "ns")],
        contestants: || against(construction(), 286.0),
    },
    Row { metrics: &[Metric::cost("seed/lifecycle", "µs")], contestants: || against(lifecycle(), 1.49) },
    Row { metrics: &[Metric::cost("seed/routing", "µs")], contestants: || against(routing(), 1.05) },
    Row {
        metrics: &[Metric::cost("seed/request-response", "µs")],
        contestants: || against(vec![request::from_thread::<Ours>()], 3.18),
    },
    Row {
        metrics: &[send::throughput("seed/messages")],
        contestants: || against(send::forms::<Ours>(1), 6.12),
    },
    Row {
        metrics: &[Metric::cost("seed/fanout-100", "µs")],
        contestants: || against(fanout::forms::<Ours>(), 85.0),
    },
    Row {
        metrics: &[Metric::cost("seed/lookup", "ns")],
        contestants: || against(vec![lookup::ours(NAMES)], 36.0),
    },
];

fn against(mut ours: Vec<Contestant>, claim: f64) -> Vec<Contestant> {
    ours.push(Contestant::claimed("seed's claim", &[claim]));
    ours
}

/// An actor spawns many, each of which handles one message.
fn construction() -> Vec<Contestant> {
    let constructed = |Workers(workers, form)| {
        let ours = Arc::new(Ours::open(workers));
        let countdown = Countdown::from(ACTORS);
        Contestant::new(Ours::NAME, form, move || {
            let (spawner, countdown) = (ours.clone(), countdown.clone());
            let work = async move {
                let began = Instant::now();
                let spawn = |_| spawner.sink(None, Tally::every(1, &countdown));
                let sinks: Vec<_> = (0..ACTORS).map(spawn).inspect(|sink| Ours::send(sink, VALUE)).collect();
                countdown.over().await;
                (began.elapsed().as_secs_f64() * 1e9 / ACTORS as f64, sinks)
            };
            let (figure, sinks) = hand_over(|job| ours.actors(vec![job]), work);
            ours.stop(sinks);
            vec![figure]
        })
    };
    [ONE, TWO].map(constructed).into()
}

/// An actor spawns another, asks it, stops it and awaits that it is down.
fn lifecycle() -> Vec<Contestant> {
    let lived = |Workers(workers, form)| {
        let ours = Arc::new(Ours::open(workers));
        Contestant::new(Ours::NAME, form, move || {
            let spawner = ours.clone();
            let work = async move {
                let began = Instant::now();
                for _ in 0..ACTORS {
                    assert_eq!(spawner.clone().life(VALUE).await, VALUE);
                }
                began.elapsed().as_secs_f64() * 1e6 / ACTORS as f64
            };
            vec![hand_over(|job| ours.actors(vec![job]), work)]
        })
    };
    [ONE, TWO].map(lived).into()
}

/// A thread finds an actor by its name among 1,000 and sends it a message; time per message until all are handled.
fn routing() -> Vec<Contestant> {
    let ours = Ours::open(1);
    let ids: Vec<_> = (0..NAMES).map(|number| id(&format!("name-{number}"))).collect();
    let countdown = Countdown::from(MESSAGES as u64);
    for id in &ids {
        ours.sink(Some(id.as_str().to_owned()), Tally::every(1, &countdown));
    }
    let run = move || {
        let began = Instant::now();
        for number in 0..MESSAGES {
            Ours::send(
                &ours.lookup(&ids[number % NAMES]).and_then(|found| ours.actor(found)).expect("it lives"),
                VALUE,
            );
        }
        ours.task(countdown.waiting());
        vec![began.elapsed().as_secs_f64() * 1e6 / MESSAGES as f64]
    };
    vec![Contestant::new(Ours::NAME, "", run)]
}
