//! `rt/fairness-*`: an actor asks another, which answers from its queue, beside four actors that never have enough.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::measure::{Contestant, Metric, Row};
use crate::peers::{Job, Peer, VALUE, Value, erlang, hand_over, ours::Ours, tokio::Tokio};
use crate::stopwatch::{Latencies, Stopwatch};

const REQUESTS: usize = 5_000;
const BUSY: usize = 4;
/// How long each works before it lets others run.
const WORK: Duration = Duration::from_micros(10);
/// What FACTS.md has of Erlang: the 50th and the 99th percentile, in microseconds.
const ERLANG_US: [f64; 2] = [12.0, 33.0];

pub const ROWS: &[Row] = &[Row {
    metrics: &[Metric::cost("rt/fairness-p50", "µs"), Metric::cost("rt/fairness-p99", "µs")],
    contestants,
}];

fn contestants() -> Vec<Contestant> {
    let erlang = erlang::contestant("fairness");
    vec![
        contestant::<Ours, _>(|echo| async move { Ours::ask_queued(&echo, VALUE).await }),
        contestant::<Tokio, _>(|echo| async move { Tokio::ask(&echo, VALUE).await }),
        erlang.unwrap_or_else(|| Contestant::claimed("erlang (FACTS.md)", &ERLANG_US)),
    ]
}

fn contestant<P: Peer, A: Future<Output = Value> + Send + 'static>(ask: fn(P::Echo) -> A) -> Contestant {
    let peer = P::open(2);
    let echo = peer.echo();
    Contestant::new(P::NAME, "", move || {
        let over = Arc::new(AtomicBool::new(false));
        let mut jobs: Vec<Job> = (0..BUSY).map(|_| busy(over.clone())).collect();
        let run = |asking| {
            jobs.push(asking);
            peer.actors(jobs);
        };
        let latencies = hand_over(run, asking::<P, A>(echo.clone(), ask, over));
        vec![latencies.percentile_us(50), latencies.percentile_us(99)]
    })
}

fn busy(over: Arc<AtomicBool>) -> Job {
    Box::pin(async move {
        while !over.load(Relaxed) {
            let began = Instant::now();
            while began.elapsed() < WORK {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
    })
}

async fn asking<P: Peer, A: Future<Output = Value>>(
    echo: P::Echo,
    ask: fn(P::Echo) -> A,
    over: Arc<AtomicBool>,
) -> Latencies {
    let mut watch = Stopwatch::start(REQUESTS);
    for _ in 0..REQUESTS {
        ask(echo.clone()).await;
        watch.lap();
    }
    over.store(true, Relaxed);
    watch.stop()
}
