//! `rt/idle-bytes`: resident memory of each of 100,000 actors, in a process of its own for each measurement.

use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use crate::measure::{Contestant, Metric, Row};
use crate::peers::{
    Peer, VALUE, actix::Actix, erlang, kameo::Kameo, ours::Ours, ractor::Ractor, tokio::Tokio,
};
use crate::tally::{Countdown, Tally};

/// The argument that makes a process of this binary one measurement.
pub const COMMAND: &str = "idle-bytes-of";

const ACTORS: usize = 100_000;
/// `/proc/self/statm` counts pages, which have this size on all machines that this is run on.
const PAGE_BYTES: usize = 4_096;

const NEW: &str = "new";
const NAMED: &str = "named";
const USED: &str = "used";

pub const ROWS: &[Row] = &[
    Row { metrics: &[Metric::cost("rt/idle-bytes", "B")], contestants: new },
    Row { metrics: &[Metric::cost("rt/idle-bytes-named", "B")], contestants: named },
    Row { metrics: &[Metric::cost("rt/idle-bytes-used", "B")], contestants: used },
];

fn new() -> Vec<Contestant> {
    let erlang = erlang::contestant("idle-bytes");
    PEERS.iter().map(|(name, _)| child(name, NEW)).chain(erlang).collect()
}

/// actix has no names.
fn named() -> Vec<Contestant> {
    let peers = PEERS.iter().filter(|(name, _)| *name != Actix::NAME);
    peers.map(|(name, _)| child(name, NAMED)).collect()
}

/// Each has handled one message.
fn used() -> Vec<Contestant> {
    PEERS.iter().map(|(name, _)| child(name, USED)).collect()
}

type Measurement = fn(&str) -> usize;

const PEERS: [(&str, Measurement); 5] = [
    (Ours::NAME, measure::<Ours>),
    (Tokio::NAME, measure::<Tokio>),
    (Kameo::NAME, measure::<Kameo>),
    (Ractor::NAME, measure::<Ractor>),
    (Actix::NAME, measure::<Actix>),
];

fn child(peer: &'static str, state: &'static str) -> Contestant {
    Contestant::new(peer, "", move || {
        let binary = std::env::current_exe().expect("a running binary has a path");
        let output = Command::new(binary).args([COMMAND, peer, state]).output().expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let bytes = text.trim().parse();
        vec![bytes.unwrap_or_else(|_| panic!("{peer}: {}", String::from_utf8_lossy(&output.stderr)))]
    })
}

/// What one actor of this peer weighs; this process must not have done anything else.
pub fn bytes_per_actor(peer: &str, state: &str) -> usize {
    let (_, measure) = PEERS.iter().find(|(name, _)| *name == peer).expect("a peer's name");
    measure(state)
}

fn measure<P: Peer>(state: &str) -> usize {
    let peer = P::open(2);
    let countdown = Countdown::from(ACTORS as u64);
    let mut sinks = Vec::with_capacity(ACTORS);
    let before = settled_bytes();
    for number in 0..ACTORS {
        let name = (state == NAMED).then(|| format!("name-{number}"));
        sinks.push(peer.sink(name, Tally::every(1, &countdown)));
    }
    if state == USED {
        sinks.iter().for_each(|sink| P::send(sink, VALUE));
        peer.task(countdown.waiting());
    }
    let bytes = settled_bytes().saturating_sub(before) / ACTORS;
    // Leaked, for the end of the process is quicker than an orderly one.
    std::mem::forget((sinks, peer));
    bytes
}

/// Resident bytes once the workers have come to rest.
fn settled_bytes() -> usize {
    let mut last = resident_bytes();
    loop {
        thread::sleep(Duration::from_millis(50));
        let now = resident_bytes();
        if now == last {
            return now;
        }
        last = now;
    }
}

fn resident_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("the second number") * PAGE_BYTES
}
