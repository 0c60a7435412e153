//! Trees of which one child does not start leave nothing behind.

use airwasm::{ActorHandle, ActorSpec, ChildSpec, Code, ComponentHandle, Result, SupervisorSpec, System};
use airwasm_tests::guest;

use super::{open, refused};

const ROUNDS: usize = 50;
const NAMES: [&str; 6] = ["s1", "s2", "s3", "before", "bad", "after"];

fn good(name: &str) -> ChildSpec {
    ChildSpec::host(ActorSpec::host(name), Box::new(|_| Ok(Vec::new())))
}

/// A supervisor so many above a child that wants more memory than it may have, between two that start.
fn tree(component: ComponentHandle, depth: usize) -> SupervisorSpec {
    let bad = ActorSpec::new(component).name("bad");
    let inmost =
        SupervisorSpec::new(&format!("s{depth}")).child(good("before")).child(bad).child(good("after"));
    (1..depth).rev().fold(inmost, |inner, at| SupervisorSpec::new(&format!("s{at}")).child(inner))
}

fn did_not_start(outcome: Result<ActorHandle>) {
    let error = refused(outcome);
    assert_eq!(error.code, Code::StartFailed, "{error}");
    assert!(error.message.contains("memory_bytes"), "{error}");
}

/// Nobody but these lives, and every name is free.
fn only(system: &System, left: &[&str]) {
    let ids: Vec<_> = system.list(None).expect("open").into_iter().map(|status| status.id).collect();
    assert_eq!(ids, left);
    assert_eq!(system.stats().expect("open").actors, left.len() as u64);
    for name in NAMES {
        assert_eq!(refused(system.lookup(name)).code, Code::ActorNotFound, "{name}");
    }
}

#[test]
fn a_tree_with_a_child_that_does_not_start_fails_and_leaves_nothing() {
    let system = open();
    let greedy = system.load(&guest("greedy")).expect("loads");
    for depth in [1, 3] {
        for _ in 0..ROUNDS {
            did_not_start(system.supervisor(tree(greedy, depth)));
            only(&system, &[]);
            did_not_start(system.supervisor_async(tree(greedy, depth)).wait());
            only(&system, &[]);
        }
    }
    assert!(system.tree().expect("open").is_empty());
    let whole = SupervisorSpec::new("s1").child(good("before")).child(good("bad")).child(good("after"));
    system.supervisor(whole).expect("the names are free");
}

#[test]
fn a_subtree_that_does_not_start_leaves_its_supervisor_as_it_was() {
    let system = open();
    let greedy = system.load(&guest("greedy")).expect("loads");
    let top = system.supervisor(SupervisorSpec::new("top").child(good("first"))).expect("starts");
    let left = ["default/first/0", "default/top/0"];
    for depth in [1, 3] {
        for _ in 0..ROUNDS {
            did_not_start(system.start_child(top, tree(greedy, depth).into()));
            only(&system, &left);
            did_not_start(system.start_child_async(top, tree(greedy, depth).into()).wait());
            only(&system, &left);
        }
    }
    assert_eq!(system.children(top).expect("lives").len(), 1);
    system.start_child(top, good("bad")).expect("the name is free");
}

#[test]
fn a_guest_that_does_not_start_leaves_its_name() {
    let system = open();
    let greedy = system.load(&guest("greedy")).expect("loads");
    for _ in 0..ROUNDS {
        did_not_start(system.spawn(ActorSpec::new(greedy).name("bad")));
        only(&system, &[]);
        did_not_start(system.spawn_async(ActorSpec::new(greedy).name("bad")).wait());
        only(&system, &[]);
    }
}
