//! `osl/check-*`: what a decision costs, against the match of one glob, and with a thousand rules against one.

use std::hint::black_box;
use std::time::Instant;

use airssys_osl::{Ask, Audit, AuditConfig, Ban, Capability, CapabilitySet, Level};
use globset::GlobBuilder;

use crate::measure::{Contestant, Metric, Row};

const CHECKS: usize = 200_000;
const RULES: usize = 1_000;

pub const ROWS: &[Row] = &[
    Row {
        metrics: &[Metric::cost("osl/check-allow", "ns")],
        contestants: || against_a_glob("tools/fetch/0"),
    },
    Row { metrics: &[Metric::cost("osl/check-deny", "ns")], contestants: || against_a_glob("other/fetch/0") },
    Row { metrics: &[Metric::cost("osl/check-1000-rules", "ns")], contestants: || against_one_rule(ACTORS) },
    Row { metrics: &[Metric::cost("osl/check-1000-paths", "ns")], contestants: || against_one_rule(PATHS) },
    Row { metrics: &[Metric::cost("osl/deny-1000-rules", "ns")], contestants: || against_one_rule(NOBODY) },
];

/// A grant, a ban, and what is asked; `#` is the number of the rule.
#[derive(Clone, Copy)]
struct Rules(&'static str, &'static str, &'static str);

const ACTORS: Rules = Rules("message.send tools/a#/*", "message.send tools/b#/*", "message.send tools/a#/0");
const PATHS: Rules =
    Rules("fs.read /srv/a#/**", "fs.read /srv/a#/private/**", "fs.read /srv/a#/public/index.html");
const NOBODY: Rules = Rules("message.send tools/a#/*", "message.send tools/b#/*", "message.send tools/c#/0");

/// One grant under the default audit, and the same pattern as a glob whose `*` stays in its part.
fn against_a_glob(id: &'static str) -> Vec<Contestant> {
    const PATTERN: &str = "tools/*/*";
    let glob = GlobBuilder::new(PATTERN).literal_separator(true).build().expect("a glob").compile_matcher();
    let set = CapabilitySet::new(
        "default/bench/0",
        Audit::open(AuditConfig::default()).expect("no file is opened"),
    );
    set.grant(1, capability(&format!("message.send {PATTERN}")), None).expect("nothing is opened");
    let ask = Ask::MessageSend(id.to_owned());
    vec![
        Contestant::new("ours", "", move || vec![time_ns(|| set.check(&ask, "send").is_ok())]),
        Contestant::new("globset", "the match alone", move || vec![time_ns(|| glob.is_match(black_box(id)))]),
    ]
}

/// Sets with so many grants and bans each, under an audit that writes no allowance down.
fn against_one_rule(rules: Rules) -> Vec<Contestant> {
    vec![of_rules("ours", rules, RULES), of_rules("one rule", rules, 1)]
}

fn of_rules(name: &'static str, Rules(grant, ban, asked): Rules, count: usize) -> Contestant {
    let numbered = |text: &str, number: usize| text.replace('#', &number.to_string());
    let audit = AuditConfig { level: Level::Denials, denials_per_second_max: 0, ..AuditConfig::default() };
    let set = CapabilitySet::new("default/bench/0", Audit::open(audit).expect("no file is opened"));
    let ban = |number| Ban { capability: capability(&numbered(ban, number)), rule: "policy.yaml:1".into() };
    set.forbid((0..count).map(ban).collect());
    for number in 0..count {
        set.grant(number as u64, capability(&numbered(grant, number)), None).expect("its id is new");
    }
    // Of one in the middle.
    let ask = Ask::parse(&numbered(asked, count / 2)).expect("an ask");
    Contestant::new(name, "", move || vec![time_ns(|| set.check(&ask, "bench").is_ok())])
}

fn capability(text: &str) -> Capability {
    Capability::parse(text).expect("a capability").remove(0)
}

fn time_ns(check: impl Fn() -> bool) -> f64 {
    let began = Instant::now();
    for _ in 0..CHECKS {
        black_box(check());
    }
    began.elapsed().as_secs_f64() * 1e9 / CHECKS as f64
}
