//! Sets of grants and bans against their model: `AIRSSYS_CASES` says how many asks, 100,000 without it.

mod model;
mod support;

use std::sync::Arc;
use std::time::Duration;

use airssys_osl::{Audit, AuditConfig, Ban, Capability, CapabilitySet, DenialKind};
use model::{Cap, Want};
use support::seeded::{Seeded, count};

const CASES: u64 = 100_000;
/// Asks of one set.
const ASKS: u64 = 100;
const RULES_MAX: usize = 40;

fn capability(cap: &Cap) -> Capability {
    Capability::parse(&model::print(cap)).unwrap().remove(0)
}

/// The model of a set: all rules in their order.
#[derive(Default)]
struct Rules {
    /// With their ids; the second that have outlived their ttl.
    grants: Vec<(u64, Cap, bool)>,
    bans: Vec<(String, Cap)>,
}

impl Rules {
    /// Which grant allows it, or how it is refused and by which rule.
    fn decide(&self, want: &Want) -> Result<u64, (DenialKind, Option<&str>)> {
        if let Some((rule, _)) = self.bans.iter().find(|(_, cap)| model::forbids(cap, want)) {
            return Err((DenialKind::Forbidden, Some(rule)));
        }
        let covering = || self.grants.iter().filter(|(_, cap, _)| model::covers(cap, want));
        match (covering().find(|(.., expired)| !expired), covering().next()) {
            (Some((id, ..)), _) => Ok(*id),
            (None, Some(_)) => Err((DenialKind::Expired, None)),
            (None, None) => Err((DenialKind::NotGranted, None)),
        }
    }
}

/// Grants, takes back and bans at random.
fn change(seeded: &mut Seeded, rules: &mut Rules, set: &CapabilitySet, next_id: &mut u64) {
    for _ in 0..1 + seeded.below(RULES_MAX) {
        let cap = model::draw_capability(seeded);
        let expired = seeded.chance(6);
        set.grant(*next_id, capability(&cap), expired.then_some(Duration::from_nanos(1))).unwrap();
        rules.grants.push((*next_id, cap, expired));
        *next_id += 1;
    }
    for _ in 0..seeded.below(rules.grants.len()) {
        let (id, ..) = rules.grants.remove(seeded.below(rules.grants.len()));
        assert_eq!(set.revoke(id), Some(0));
    }
    if seeded.chance(2) {
        let caps = (0..seeded.below(RULES_MAX / 4)).map(|_| model::draw_capability(seeded));
        rules.bans = caps.enumerate().map(|(at, cap)| (format!("policy.yaml:{at}"), cap)).collect();
        let ban =
            |(rule, cap): &(String, Cap)| Ban { capability: capability(cap), rule: rule.as_str().into() };
        set.forbid(rules.bans.iter().map(ban).collect());
    }
}

#[test]
fn a_set_decides_as_one_that_looks_at_each_rule_in_turn() {
    let mut seeded = Seeded::new(6);
    let audit = Audit::open(AuditConfig { denials_per_second_max: 1, ..AuditConfig::default() }).unwrap();
    let (mut asked, mut allowed, mut forbidden, mut expired) = (0, 0, 0, 0);
    let cases = count("AIRSSYS_CASES", CASES);
    while asked < cases {
        let (mut rules, mut next_id) = (Rules::default(), 1);
        let set = CapabilitySet::new("default/a/0", audit.clone());
        for _ in 0..4 {
            change(&mut seeded, &mut rules, &set, &mut next_id);
            for _ in 0..ASKS / 4 {
                let like = model::draw_capability(&mut seeded);
                let want = model::draw_ask(&mut seeded, &like);
                let decided = set.check(&model::ask(&want), "");
                let decided = decided.map(|guard| guard.grant()).map_err(|denial| (denial.kind, denial.rule));
                let modelled = rules.decide(&want).map_err(|(kind, rule)| (kind, rule.map(Arc::from)));
                assert_eq!(decided, modelled, "{want:?}");
                asked += 1;
                allowed += u64::from(modelled.is_ok());
                forbidden += u64::from(matches!(modelled, Err((DenialKind::Forbidden, _))));
                expired += u64::from(matches!(modelled, Err((DenialKind::Expired, _))));
            }
        }
    }
    println!("{asked} asked, {allowed} allowed, {forbidden} forbidden, {expired} expired");
    assert!(allowed > asked / 10 && forbidden > asked / 50 && expired > asked / 200);
}
