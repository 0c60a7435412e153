//! `rt/lookup-<n>`: the way to an actor from its name, against DashMap's `get` on the same random keys.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::time::Instant;

use airssys_rt::ActorId;
use dashmap::DashMap;

use crate::measure::{Contestant, Metric, Row};
use crate::peers::ours::{Ours, id};
use crate::peers::{Peer, VALUE};
use crate::tally::{Countdown, Tally};

const LOOKUPS: usize = 500_000;

pub const ROWS: &[Row] = &[
    Row { metrics: &[Metric::cost("rt/lookup-10", "ns")], contestants: || contestants(10) },
    Row { metrics: &[Metric::cost("rt/lookup-1000", "ns")], contestants: || contestants(1_000) },
    Row { metrics: &[Metric::cost("rt/lookup-100000", "ns")], contestants: || contestants(100_000) },
];

fn contestants(names: usize) -> Vec<Contestant> {
    vec![
        ours(names),
        dashmap("", RandomState::new(), names),
        dashmap("foldhash", foldhash::fast::RandomState::default(), names),
    ]
}

/// Ours with so many live actors. What was found is proved to be alive by a message to each, outside of the timed part.
pub fn ours(names: usize) -> Contestant {
    let ours = Ours::open(2);
    let countdown = Countdown::from(names as u64);
    for number in 0..names {
        ours.sink(Some(format!("name-{number}")), Tally::every(1, &countdown));
    }
    let keys = Keys::new(names);
    Contestant::new(Ours::NAME, "", move || {
        let figure = keys.time_ns(|key| ours.lookup(key));
        for key in &keys.all {
            Ours::send(&ours.lookup(key).and_then(|found| ours.actor(found)).expect("it lives"), VALUE);
        }
        ours.task(countdown.waiting());
        vec![figure]
    })
}

fn dashmap<S: BuildHasher + Clone + 'static>(form: &'static str, hasher: S, names: usize) -> Contestant {
    let keys = Keys::new(names);
    let map: DashMap<ActorId, usize, S> = DashMap::with_hasher(hasher);
    // Texts of their own, as a registry has: a clone would be compared with itself, out of the cache.
    for number in 0..names {
        map.insert(id(&format!("name-{number}")), number);
    }
    Contestant::new("dashmap", form, move || vec![keys.time_ns(|key| map.get(key).map(|found| *found))])
}

/// All names, and the order in which they are looked up: the same random one for everybody.
struct Keys {
    all: Vec<ActorId>,
    order: Vec<u32>,
}

impl Keys {
    fn new(names: usize) -> Self {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % names as u64) as u32
        };
        let order = (0..LOOKUPS).map(|_| next()).collect();
        Self { all: (0..names).map(|number| id(&format!("name-{number}"))).collect(), order }
    }

    fn time_ns<T>(&self, find: impl Fn(&ActorId) -> T) -> f64 {
        let began = Instant::now();
        for index in &self.order {
            black_box(find(&self.all[*index as usize]));
        }
        began.elapsed().as_secs_f64() * 1e9 / LOOKUPS as f64
    }
}
