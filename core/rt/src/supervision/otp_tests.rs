//! OTP's supervisor_SUITE, as far as a supervisor without processes can show it; the table of all its
//! cases is tests/supervisor_suite.tsv.

use std::time::Duration;

use super::script::{rules, with};
use super::{AutoShutdown, Backoff, ChildRules, Rules, Strategy};

mod escalation;
mod requests;
mod significant;
mod starts;
mod strategies;

fn of(strategy: Strategy) -> Rules {
    Rules { strategy, ..rules() }
}

fn delayed(strategy: Strategy) -> Rules {
    Rules { backoff: Backoff::delayed(Duration::from_millis(100)), ..of(strategy) }
}

fn automatic(auto_shutdown: AutoShutdown) -> Rules {
    Rules { auto_shutdown, ..with(5) }
}

fn significant(rules: ChildRules) -> ChildRules {
    ChildRules { significant: true, ..rules }
}
