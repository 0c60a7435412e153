//! The pure decision what becomes of an actor that ended, in OTP's words.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::exit::Exit;

/// When an actor that ended is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    Permanent,
    /// Only after a crash.
    Transient,
    /// Never.
    Temporary,
}

/// How many restarts within which time are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts that are allowed within the period.
    pub restarts_max: u32,
    /// The sliding window.
    pub period: Duration,
}

impl Default for Intensity {
    fn default() -> Self {
        Self { restarts_max: 5, period: Duration::from_millis(10_000) }
    }
}

/// How long a restart waits: it grows with each crash and is forgotten after a while alive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// Before the first restart.
    pub initial: Duration,
    /// At most.
    pub max: Duration,
    /// Growth with each restart.
    pub factor: f64,
    /// Share of the delay, 0 to 1, that is random.
    pub jitter: f64,
    /// Alive so long, the next delay is the initial one again.
    pub forget_after: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            max: Duration::from_millis(30_000),
            factor: 2.0,
            jitter: 0.2,
            forget_after: Duration::from_millis(60_000),
        }
    }
}

/// What happened to one child so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    restarts: VecDeque<Instant>,
    in_a_row: u32,
    started: Option<Instant>,
}

impl History {
    /// Notes that a life began.
    pub fn started(&mut self, now: Instant) {
        self.started = Some(now);
    }
}

/// What becomes of an actor that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is started again after this time.
    Restart {
        /// The delay.
        after: Duration,
    },
    /// It stays down.
    Stop,
    /// It stays down because it was restarted as often as it may.
    GiveUp,
}

/// Decides from the restart type, the exit and the history, and notes the restart. `random` is in 0..1.
pub fn decide(
    restart: Restart,
    exit: &Exit,
    (intensity, backoff): (&Intensity, &Backoff),
    history: &mut History,
    now: Instant,
    random: f64,
) -> Decision {
    let wanted = match restart {
        Restart::Permanent => true,
        Restart::Transient => exit.is_crash(),
        Restart::Temporary => false,
    };
    if !wanted {
        return Decision::Stop;
    }
    let window_open = |at: &Instant| now.duration_since(*at) < intensity.period;
    history.restarts.retain(window_open);
    if history.restarts.len() as u64 >= u64::from(intensity.restarts_max) {
        return Decision::GiveUp;
    }
    history.restarts.push_back(now);
    let lived = history.started.map_or(Duration::ZERO, |started| now.duration_since(started));
    history.in_a_row = if lived >= backoff.forget_after { 0 } else { history.in_a_row };
    let after = delay(backoff, history.in_a_row, random);
    history.in_a_row = history.in_a_row.saturating_add(1);
    Decision::Restart { after }
}

fn delay(backoff: &Backoff, in_a_row: u32, random: f64) -> Duration {
    let grown = backoff.initial.as_secs_f64() * backoff.factor.powf(f64::from(in_a_row));
    let capped = grown.min(backoff.max.as_secs_f64());
    Duration::from_secs_f64(capped * (1.0 - backoff.jitter * random))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn crash() -> Exit {
        Exit::Crash(Arc::new(crate::error::Error::NoReply))
    }

    fn plain(restart: Restart, exit: &Exit) -> Decision {
        let backoff = Backoff { initial: Duration::ZERO, ..Backoff::default() };
        decide(restart, exit, (&Intensity::default(), &backoff), &mut History::default(), Instant::now(), 0.0)
    }

    #[test]
    fn hostile_h1_restart_types_and_exits_follow_otp() {
        let again = Decision::Restart { after: Duration::ZERO };
        let rows = [
            (Restart::Permanent, [again, again, again]),
            (Restart::Transient, [Decision::Stop, Decision::Stop, again]),
            (Restart::Temporary, [Decision::Stop; 3]),
        ];
        for (restart, expected) in rows {
            let got = [Exit::Normal, Exit::Shutdown, crash()].map(|exit| plain(restart, &exit));
            assert_eq!(got, expected, "{restart:?}");
        }
    }

    #[test]
    fn hostile_h3_intensity_is_exact_at_both_edges_of_the_window() {
        let intensity = Intensity { restarts_max: 2, period: Duration::from_secs(10) };
        let mut history = History::default();
        let begin = Instant::now();
        let mut at = |ms| {
            let now = begin + Duration::from_millis(ms);
            let settings = (&intensity, &Backoff::default());
            matches!(
                decide(Restart::Permanent, &crash(), settings, &mut history, now, 0.0),
                Decision::Restart { .. }
            )
        };
        assert!(at(0));
        assert!(at(1));
        assert!(!at(9_999), "the third within the window");
        assert!(at(10_000), "the first has left the window");
        assert!(!at(10_000));
    }

    #[test]
    fn a_delay_grows_to_its_cap_and_is_forgotten() {
        let backoff = Backoff { jitter: 0.5, ..Backoff::default() };
        let intensity = Intensity { restarts_max: 1_000, period: Duration::from_secs(1) };
        let mut history = History::default();
        let begin = Instant::now();
        let mut next = |now, random| match decide(
            Restart::Permanent,
            &crash(),
            (&intensity, &backoff),
            &mut history,
            now,
            random,
        ) {
            Decision::Restart { after } => after.as_millis(),
            other => panic!("{other:?}"),
        };
        assert_eq!([next(begin, 0.0), next(begin, 0.0), next(begin, 1.0)], [100, 200, 200]);
        for _ in 0..20 {
            next(begin, 0.0);
        }
        assert_eq!(next(begin, 0.0), 30_000);
        history.started(begin);
        let later = begin + Duration::from_secs(61);
        let settings = (&intensity, &backoff);
        let again = decide(Restart::Permanent, &crash(), settings, &mut history, later, 0.0);
        assert_eq!(again, Decision::Restart { after: Duration::from_millis(100) });
    }
}
