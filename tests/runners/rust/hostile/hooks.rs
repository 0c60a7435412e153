//! C9: a trap, an endless loop and a refusal in each hook; the supervisor decides.

use std::time::Duration;

use airwasm::{ActorSpec, Code, Limits, Restart};

use super::{Bench, built};

/// One in Rust and one in C that do in a hook what their config says.
const HOOKED: &[&str] = &["managed", "hostile-c"];

fn told(bench: &Bench, name: &str, how: &str, hook: &str) -> ActorSpec {
    bench.spec(name).config(&format!("\"{how} {hook}\""))
}

/// It does not start; the error names the hook and its cause, and nothing is left.
fn does_not_start(hook: &str) {
    for name in built(HOOKED) {
        let bench = Bench::new();
        for (how, cause) in [("trap", "TRAPPED"), ("loop", "BUDGET_EXCEEDED"), ("refuse", "FAILURE")] {
            for restart in [Restart::Temporary, Restart::Permanent] {
                let spec = told(&bench, name, how, hook).restart(restart);
                let error = bench.system.spawn(spec).expect_err(how);
                assert_eq!(
                    (error.code, error.text("hook")),
                    (Code::StartFailed, hook),
                    "{name} {how}: {error}"
                );
                assert_eq!(error.detail["cause"]["code"], cause, "{name} {how}: {error}");
                assert_eq!(bench.system.lookup(name).expect_err("gone").code, Code::ActorNotFound);
                bench.neighbour_answers();
            }
        }
        bench.nobody_else_lives();
        bench.finish();
    }
}

/// A stop ends all the same, and as in order.
fn stops(hook: &str) {
    for name in built(HOOKED) {
        let bench = Bench::new();
        for how in ["trap", "loop"] {
            let actor = bench.system.spawn(told(&bench, name, how, hook)).expect("starts");
            bench.system.stop(actor, None).expect("stops");
            let error = bench.ask(actor, "hi").expect_err("stopped");
            assert_eq!(
                (error.code, error.text("reason")),
                (Code::ActorStopped, "shutdown"),
                "{how}: {error}"
            );
            bench.neighbour_answers();
        }
        bench.finish();
    }
}

#[test]
fn hostile_c9_a_trap_in_pre_start_is_a_failed_start() {
    does_not_start("pre-start");
}

#[test]
fn hostile_c9_a_trap_in_post_start_is_a_failed_start() {
    does_not_start("post-start");
}

#[test]
fn hostile_c9_a_trap_in_handle_is_a_restart() {
    for name in built(&["hostile-c"]) {
        let bench = Bench::new();
        let victim = bench.victim(name, Limits::default());
        for _ in 0..3 {
            assert_eq!(bench.ask(victim, "canary").expect("lives"), "clean");
            assert_eq!(bench.ask(victim, "canary").expect("lives"), "dirty");
            bench.fails(victim, "trap", Code::Trapped, "unreachable");
        }
        assert_eq!(bench.ask(victim, "canary").expect("lives"), "clean");
        assert_eq!(bench.system.status(victim).expect("lives").restarts, 3);
        bench.finish();
    }
}

#[test]
fn hostile_c9_a_trap_in_pre_stop_ends_the_stop() {
    stops("pre-stop");
}

#[test]
fn hostile_c9_a_trap_in_post_stop_ends_the_stop() {
    stops("post-stop");
}

#[test]
fn hostile_c9_a_trap_in_health_is_a_restart() {
    for name in built(HOOKED) {
        let bench = Bench::new();
        let events = bench.system.events("actor.crashed,actor.restarted").expect("open");
        for how in ["trap", "refuse"] {
            let spec = ActorSpec {
                health_interval: Some(Duration::from_millis(20)),
                ..told(&bench, name, how, "health").restart(Restart::Permanent)
            };
            let actor = bench.system.spawn(spec).expect("starts");
            for kind in ["actor.crashed", "actor.restarted"] {
                let event = events.next_async().wait().expect("open").expect("comes");
                assert_eq!(event.kind, kind, "{name} {how}: {event}");
            }
            bench.system.kill(actor).expect("lives");
            while events.next_async().try_take().is_some() {}
            bench.neighbour_answers();
        }
        drop(events);
        bench.finish();
    }
}
