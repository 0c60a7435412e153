//! What the report of a close counts.

use std::time::Duration;

use airwasm::{ActorSpec, ChildSpec, CloseReport, SendOptions, SupervisorSpec};

use super::{gated, idle, open};

fn child(name: &str) -> ChildSpec {
    ChildSpec::host(ActorSpec::host(name), Box::new(|_| Ok(Vec::new())))
}

#[test]
fn close_counts_those_it_stopped_and_none_that_was_down_before() {
    let system = open();
    let spec = SupervisorSpec::new("top").child(child("a")).child(child("b")).child(child("c"));
    let top = system.supervisor(spec).expect("starts");
    let b = system.lookup("b").expect("lives");
    system.terminate_child(top, b).expect("is kept, and down");
    system.stop(idle(&system, "stopped"), None).expect("stops");
    let killed = idle(&system, "killed");
    let end = system.monitor_async(killed);
    system.kill(killed).expect("lives");
    assert_eq!(end.wait().expect("ends").reason, "killed");
    idle(&system, "alone");
    let report = CloseReport { stopped: 4, killed: 0, dead_letters: 0 };
    assert_eq!(system.close(None).expect("closes"), report, "top, a, c and alone");
    assert_eq!(system.close(None).expect("has closed"), report);
}

#[test]
fn close_does_not_count_a_child_that_was_killed_before() {
    let system = open();
    let (handler, told, leave) = gated();
    let hangs = ActorSpec { shutdown: Some(Duration::from_millis(1)), ..ActorSpec::host("hangs") };
    let spec = SupervisorSpec::new("top").child(ChildSpec::host(hangs, handler)).child(child("a"));
    let top = system.supervisor(spec).expect("starts");
    let hangs = system.lookup("hangs").expect("lives");
    system.send(hangs, b"", &SendOptions::default()).expect("room");
    told.recv().expect("it hangs now");
    system.terminate_child(top, hangs).expect("is killed and kept");
    let last_exit = system.status(hangs).expect("is kept").last_exit;
    assert_eq!(last_exit.as_deref(), Some("killed"));
    let report = system.close(None).expect("closes");
    drop(leave);
    assert_eq!(report, CloseReport { stopped: 2, killed: 0, dead_letters: 0 }, "top and a");
}

#[test]
fn close_counts_those_it_killed_and_what_waited_for_them() {
    let system = open();
    let (handler, told, leave) = gated();
    let hangs = system.spawn_host(ActorSpec::host("hangs"), handler).expect("starts");
    for _ in 0..3 {
        system.send(hangs, b"", &SendOptions::default()).expect("room");
    }
    told.recv().expect("it hangs now");
    idle(&system, "a");
    let report = system.close(Some(Duration::from_millis(20))).expect("closes");
    drop(leave);
    assert_eq!(report, CloseReport { stopped: 1, killed: 1, dead_letters: 2 });
}
