//! Capabilities against their model: `AIRSSYS_CASES` says how many random pairs, 100,000 without it.

mod model;
mod support;

use airssys_osl::{Ask, Capability};
use model::{Cap, Want};
use support::seeded::{Seeded, count};

const CASES: u64 = 100_000;

fn capability(cap: &Cap) -> Capability {
    let text = model::print(cap);
    let mut all = Capability::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

#[test]
fn a_grant_covers_what_the_model_says() {
    let mut seeded = Seeded::new(1);
    let (mut covered, cases) = (0, count("AIRSSYS_CASES", CASES));
    for _ in 0..cases {
        let cap = model::draw_capability(&mut seeded);
        let granted = capability(&cap);
        let want = model::draw_ask(&mut seeded, &cap);
        let ask = model::ask(&want);
        let said = granted.covers(&ask);
        assert_eq!(said, model::covers(&cap, &want), "{granted} | {ask:?}");
        covered += u64::from(said);
        let resolves = matches!((&cap, &want), (Cap::Net(..), Want::Resolve(_)));
        assert!(
            !said || resolves || granted.forbids(&ask),
            "a ban is wider than a grant: {granted} | {ask:?}"
        );
    }
    assert!(covered > cases / 10, "only {covered} of {cases} were covered");
}

#[test]
fn a_ban_refuses_what_the_model_says() {
    let mut seeded = Seeded::new(7);
    let (mut forbidden, cases) = (0, count("AIRSSYS_CASES", CASES));
    for _ in 0..cases {
        let cap = model::draw_capability(&mut seeded);
        let banned = capability(&cap);
        let want = model::draw_ask(&mut seeded, &cap);
        let ask = model::ask(&want);
        let said = banned.forbids(&ask);
        assert_eq!(said, model::forbids(&cap, &want), "{banned} | {ask:?}");
        forbidden += u64::from(said);
    }
    assert!(forbidden > cases / 10, "only {forbidden} of {cases} were refused");
}

#[test]
fn print_and_parse_are_inverse() {
    let mut seeded = Seeded::new(2);
    for _ in 0..count("AIRSSYS_CASES", CASES) / 4 {
        let granted = capability(&model::draw_capability(&mut seeded));
        let printed = granted.to_string();
        assert_eq!(Capability::parse(&printed).as_deref(), Ok(std::slice::from_ref(&granted)), "{printed}");
        let json = serde_json::to_string(&granted).unwrap();
        assert_eq!(serde_json::from_str::<Capability>(&json).unwrap(), granted);
    }
}

#[test]
fn what_is_included_covers_no_more() {
    let mut seeded = Seeded::new(3);
    let (mut included, cases) = (0, count("AIRSSYS_CASES", CASES));
    for _ in 0..cases {
        let narrow_cap = model::draw_capability(&mut seeded);
        let wide_cap = model::draw_capability(&mut seeded);
        let (wide, narrow) = (capability(&wide_cap), capability(&narrow_cap));
        assert!(wide.includes(&wide), "{wide}");
        if !wide.includes(&narrow) {
            continue;
        }
        included += 1;
        for _ in 0..20 {
            let want = model::draw_ask(&mut seeded, &narrow_cap);
            let ask = model::ask(&want);
            assert!(!narrow.covers(&ask) || wide.covers(&ask), "{wide} includes {narrow}, but not {ask:?}");
        }
    }
    assert!(included > cases / 500, "only {included} of {cases} were included");
}

#[test]
fn whatever_covers_an_ask_includes_the_line_for_it() {
    let mut seeded = Seeded::new(4);
    let mut lines = 0;
    for _ in 0..count("AIRSSYS_CASES", CASES) {
        let cap = model::draw_capability(&mut seeded);
        let want = model::draw_ask(&mut seeded, &cap);
        let (granted, ask) = (capability(&cap), model::ask(&want));
        let line = ask.capability_text();
        let Ok(pasted) = Capability::parse(&line) else {
            assert!(!granted.covers(&ask), "{line}");
            continue;
        };
        lines += 1;
        assert!(pasted[0].covers(&ask), "{line}");
        // An address that carries another is held apart from blocks of the other's family.
        let carried = matches!(&want, Want::Net(_, _, Some(place), ..) if place.carries.is_some());
        // A region of no bytes is asked for by a line without a limit.
        let no_bytes = matches!(&want, Want::Region("region.create", _, 0));
        let by_address =
            matches!((&cap, &want), (Cap::Net(_, model::Host::Block(..), ..), Want::Net(_, Some(_), ..)));
        if granted.covers(&ask) && !carried && !no_bytes && !by_address {
            assert!(granted.includes(&pasted[0]), "{granted} covers {ask:?} but does not include {line}");
        }
        if !line.contains("private=yes")
            && !by_address
            && !matches!(&want, Want::Net(_, Some(_), Some(_), ..))
        {
            assert_eq!(Ask::parse(&line).map(|ask| ask.capability_text()), Ok(line));
        }
    }
    assert!(lines > 1_000);
}

#[test]
fn a_union_keeps_all_rights() {
    let mut seeded = Seeded::new(5);
    for _ in 0..count("AIRSSYS_CASES", CASES) / 50 {
        let caps: Vec<Cap> = (0..8).map(|_| model::draw_capability(&mut seeded)).collect();
        let all: Vec<Capability> = caps.iter().map(capability).collect();
        let fewer = Capability::union(all.clone());
        for kept in &fewer {
            assert_eq!(
                fewer.iter().filter(|other| other.includes(kept)).count(),
                1,
                "{kept} is kept for nothing"
            );
        }
        for cap in &caps {
            let ask = model::ask(&model::draw_ask(&mut seeded, cap));
            let before = all.iter().any(|one| one.covers(&ask));
            assert_eq!(fewer.iter().any(|one| one.covers(&ask)), before, "{ask:?}");
        }
    }
}
