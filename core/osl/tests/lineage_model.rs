//! Random trees of grants that are handed on, against a slow model: `AIRSSYS_CASES` says how many steps, 30,000 without it.

mod support;

use std::collections::BTreeSet;

use airssys_osl::{Ask, Audit, AuditConfig, Ban, Capability, CapabilitySet, DenialKind, HandOnError, Part};
use support::seeded::{Seeded, count};

const CASES: u64 = 30_000;
/// Steps with the same actors.
const STEPS: u64 = 300;
const ACTORS: usize = 5;
const NAMES: [&str; 4] = ["A", "B", "C", "D"];

type Names = BTreeSet<&'static str>;

/// A grant of variables.
#[derive(Clone, Debug)]
struct Node {
    id: u64,
    holder: usize,
    names: Names,
    parent: Option<u64>,
    depth: usize,
}

/// All grants in the order in which they were given, and what each actor is banned from.
#[derive(Default)]
struct Model {
    nodes: Vec<Node>,
    bans: [Names; ACTORS],
    closed: [bool; ACTORS],
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Done,
    Denied(DenialKind),
    TooMany,
    Ended,
}

impl Model {
    /// Ends a grant and all below it.
    fn end(&mut self, id: u64) {
        self.nodes.retain(|node| node.id != id);
        self.end_below(id);
    }

    fn end_below(&mut self, id: u64) {
        while let Some(child) = self.nodes.iter().find(|node| node.parent == Some(id)).map(|node| node.id) {
            self.end(child);
        }
    }

    fn of(&self, holder: usize) -> Vec<u64> {
        self.nodes.iter().filter(|node| node.holder == holder).map(|node| node.id).collect()
    }

    fn hand(&mut self, from: usize, to: usize, id: u64, names: &Names) -> Outcome {
        // Of several names a ban of any may be among them.
        let bans = &self.bans[from];
        if (names.len() > 1 && !bans.is_empty()) || !bans.is_disjoint(names) {
            return Outcome::Denied(DenialKind::Forbidden);
        }
        let covers = |node: &&Node| node.holder == from && node.names.is_superset(names);
        let parent = self.nodes.iter().filter(covers).min_by_key(|node| node.depth);
        let Some(parent) = parent.filter(|_| !self.closed[from]).cloned() else {
            return Outcome::Denied(DenialKind::NotGranted);
        };
        let given = self.of(from);
        let handed_on = self.nodes.iter().filter(|node| node.parent.is_some_and(|id| given.contains(&id)));
        let received = self.nodes.iter().filter(|node| node.holder == to && node.parent.is_some());
        if parent.depth >= 8 || handed_on.count() >= 64 {
            return Outcome::TooMany;
        }
        if self.closed[to] {
            return Outcome::Ended;
        }
        if received.count() >= 256 {
            return Outcome::TooMany;
        }
        let (parent, depth) = (Some(parent.id), parent.depth + 1);
        self.nodes.push(Node { id, holder: to, names: names.clone(), parent, depth });
        Outcome::Done
    }

    /// New bans take back all that was handed on.
    fn forbid(&mut self, holder: usize, bans: Names) {
        if !bans.is_subset(&self.bans[holder]) {
            self.of(holder).into_iter().for_each(|id| self.end_below(id));
        }
        self.bans[holder] = bans;
    }

    fn decide(&self, holder: usize, name: &str) -> Result<u64, DenialKind> {
        if self.bans[holder].contains(name) {
            return Err(DenialKind::Forbidden);
        }
        let covers = |node: &&Node| node.holder == holder && node.names.contains(name);
        self.nodes.iter().find(covers).map(|node| node.id).ok_or(DenialKind::NotGranted)
    }
}

fn names(seeded: &mut Seeded) -> Names {
    seeded.some(&NAMES, 3).into_iter().collect()
}

fn capability(names: &Names) -> Capability {
    let list: Vec<&str> = names.iter().copied().collect();
    Capability::parse(&format!("env {}", list.join(","))).unwrap().remove(0)
}

fn handed(outcome: Result<Option<std::time::Duration>, HandOnError>) -> Outcome {
    match outcome {
        Ok(left) => {
            assert_eq!(left, None);
            Outcome::Done
        }
        Err(HandOnError::Denied(denial)) => Outcome::Denied(denial.kind),
        Err(HandOnError::TooMany { .. }) => Outcome::TooMany,
        Err(HandOnError::Ended) => Outcome::Ended,
        Err(HandOnError::Invalid(why)) => panic!("{why}"),
    }
}

/// One change of the model and of the sets; whether it handed something on.
fn step(seeded: &mut Seeded, id: u64, model: &mut Model, sets: &[CapabilitySet]) -> bool {
    let (at, to, wanted) = (seeded.below(ACTORS), seeded.below(ACTORS), names(seeded));
    match seeded.below(40) {
        0..6 => {
            let given = sets[at].grant(id, capability(&wanted), None);
            assert_eq!(given.is_err(), model.closed[at]);
            if given.is_ok() {
                model.nodes.push(Node { id, holder: at, names: wanted, parent: None, depth: 0 });
            }
        }
        6..12 if !model.nodes.is_empty() => {
            let node = model.nodes[seeded.below(model.nodes.len())].clone();
            assert_eq!(sets[node.holder].revoke(node.id), Some(0));
            model.end(node.id);
        }
        12 => {
            let bans = if seeded.chance(2) { Names::new() } else { names(seeded) };
            let ban = |name: &&'static str| Ban {
                capability: capability(&Names::from([*name])),
                rule: (*name).into(),
            };
            sets[at].forbid(bans.iter().map(ban).collect());
            model.forbid(at, bans);
        }
        13 if seeded.chance(20) => {
            sets[at].close();
            model.of(at).into_iter().for_each(|id| model.end_below(id));
            // What it holds is nobody's parent any more, and is taken back from it alone.
            model.closed[at] = true;
            model.nodes.iter_mut().filter(|node| node.holder == at).for_each(|node| node.parent = None);
        }
        _ => {
            let part = Part { id, capability: capability(&wanted), ttl: None, told: Box::new(|_, _| {}) };
            let outcome = handed(sets[at].hand_on(&sets[to], part, ""));
            assert_eq!(outcome, model.hand(at, to, id, &wanted), "{at} to {to}: {wanted:?}");
            return outcome == Outcome::Done;
        }
    }
    false
}

#[test]
fn trees_of_grants_end_as_those_of_a_model_that_walks_them() {
    let mut seeded = Seeded::new(13);
    let audit = Audit::open(AuditConfig { denials_per_second_max: 1, ..AuditConfig::default() }).unwrap();
    let (cases, mut steps, mut handed, mut deepest) = (count("AIRSSYS_CASES", CASES), 0, 0, 0);
    while steps < cases {
        let sets: Vec<_> =
            (0..ACTORS).map(|at| CapabilitySet::new(&format!("default/a{at}/0"), audit.clone())).collect();
        let mut model = Model::default();
        for id in 1..=STEPS {
            handed += u64::from(step(&mut seeded, id, &mut model, &sets));
            deepest = deepest.max(model.nodes.iter().map(|node| node.depth).max().unwrap_or(0));
            for (at, set) in sets.iter().enumerate().filter(|(at, _)| !model.closed[*at]) {
                let found: Vec<u64> = set.grants().into_iter().map(|grant| grant.id).collect();
                assert_eq!(found, model.of(at));
                let name = seeded.pick(&NAMES);
                let decided = set.check(&Ask::Env(name.into()), "");
                let decided = decided.map(|guard| guard.grant()).map_err(|denial| denial.kind);
                assert_eq!(decided, model.decide(at, name));
            }
            steps += 1;
        }
    }
    println!("{steps} steps, {handed} handed on, {deepest} deep");
    assert!(handed > steps / 10 && deepest >= 4);
}
