//! `rt/spawn-stop`: an actor spawns another, stops it and awaits that it is down, one after the other.

use std::sync::Arc;
use std::time::Instant;

use super::{ONE, TWO, Workers};
use crate::measure::{Contestant, Metric, Row};
use crate::peers::{
    Peer, actix::Actix, erlang, hand_over, kameo::Kameo, ours::Ours, ractor::Ractor, tokio::Tokio,
};

const ACTORS: u64 = 20_000;

pub const ROWS: &[Row] = &[
    Row { metrics: &[Metric::cost("rt/spawn-stop", "µs")], contestants: unnamed },
    Row { metrics: &[Metric::cost("rt/spawn-stop-named", "µs")], contestants: named },
];

fn unnamed() -> Vec<Contestant> {
    let peers = [forms::<Ours>, forms::<Tokio>, forms::<Kameo>, forms::<Ractor>, forms::<Actix>];
    peers.iter().flat_map(|forms| forms(false)).chain(erlang::contestant("spawn-stop")).collect()
}

/// actix has no names.
fn named() -> Vec<Contestant> {
    let peers = [forms::<Ours>, forms::<Tokio>, forms::<Kameo>, forms::<Ractor>];
    peers.iter().flat_map(|forms| forms(true)).chain(erlang::contestant("spawn-stop-named")).collect()
}

fn forms<P: Peer>(named: bool) -> [Contestant; 2] {
    [ONE, TWO].map(|workers| spawned::<P>(workers, named))
}

fn spawned<P: Peer>(Workers(workers, form): Workers, named: bool) -> Contestant {
    let peer = Arc::new(P::open(workers));
    Contestant::new(P::NAME, form, move || {
        let spawner = peer.clone();
        let work = async move {
            let began = Instant::now();
            for number in 0..ACTORS {
                spawner.clone().spawn_stop(named.then(|| format!("name-{number}"))).await;
            }
            began.elapsed().as_secs_f64() * 1e6 / ACTORS as f64
        };
        vec![hand_over(|job| peer.actors(vec![job]), work)]
    })
}
