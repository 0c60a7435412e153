//! Group A: guests that never let go of the processor.

use std::time::Duration;

use airwasm::{Budget, Code, Limits, Restart, System};

use super::{Bench, C, built};

#[test]
fn hostile_a1_an_endless_loop_in_c_ends_at_its_budget() {
    for name in built(C) {
        let bench = Bench::new();
        let victim = bench.victim(name, Limits::default());
        let error = bench.fails(victim, "loop", Code::BudgetExceeded, "cpu_ms");
        assert_eq!(error.detail["allowed"], 500);
        println!("{name}: {error}");
        assert_eq!(bench.ask(victim, "canary").expect("lives again"), "clean");
        let stats = bench.system.stats().expect("open");
        assert_eq!((stats.restarts, stats.dead_letters), (1, 0));
        bench.finish();
    }
}

#[test]
fn hostile_a1_who_waits_behind_an_endless_loop_is_answered_by_the_next_life() {
    let bench = Bench::new();
    let victim = bench.victim("traps", Limits::default());
    let options = airwasm::RequestOptions::default();
    let looping = bench.system.request_async(victim, b"s", &options);
    let behind: Vec<_> = (0..10).map(|_| bench.system.request_async(victim, b"a", &options)).collect();
    assert_eq!(looping.wait().expect_err("endless").code, Code::BudgetExceeded);
    for (at, answer) in behind.into_iter().enumerate() {
        // The first finds nothing of the life before, the others the marks of the first.
        let expected: &[u8] = if at == 0 { b"" } else { b"dirty" };
        assert_eq!(answer.wait().expect("is answered"), expected);
    }
    bench.finish();
}

#[test]
fn hostile_a2_an_endless_start_is_tried_once_and_not_for_ever() {
    let bench = Bench::new();
    for name in ["start-loop", "managed"] {
        let spec = bench.spec(name).config("\"loop\"").restart(Restart::Permanent);
        let error = bench.system.spawn(spec).expect_err("never starts");
        assert_eq!(error.code, Code::StartFailed, "{error}");
        assert!(error.message.contains("cpu_ms"), "{error}");
    }
    bench.nobody_else_lives();
    bench.finish();
}

#[test]
fn hostile_a3_an_endless_destructor_ends_at_its_budget() {
    let bench = Bench::new();
    let victim = bench.victim("traps", Limits::default());
    bench.fails(victim, "E", Code::BudgetExceeded, "cpu_ms");
    assert!(bench.ask(victim, "a").expect("lives again").is_empty());
    bench.finish();
}

#[test]
fn hostile_a3_an_endless_stop_is_cut_at_the_deadline_and_the_name_is_free() {
    for name in built(&["managed", "hostile-c"]) {
        let bench = Bench::new();
        let endless = Budget { cpu: Some(Duration::MAX), wall: Some(Duration::MAX), ..Budget::default() };
        for hook in ["pre-stop", "post-stop"] {
            let spec = bench.spec(name).budget(endless).config(&format!("\"loop {hook}\""));
            let actor = bench.system.spawn(spec).expect("starts");
            bench.system.stop(actor, Some(Duration::from_millis(50))).expect("ends");
            assert_eq!(bench.system.lookup(name).expect_err("gone").code, Code::ActorNotFound, "{hook}");
            bench.neighbour_answers();
        }
        bench.nobody_else_lives();
        bench.finish();
    }
}

#[test]
fn hostile_a4_an_endless_allocator_ends_at_the_budget_of_the_message() {
    let bench = Bench::new();
    let victim = bench.victim("traps", Limits::default());
    bench.ask(victim, "A").expect("arms it");
    bench.fails(victim, "a", Code::BudgetExceeded, "cpu_ms");
    for name in built(C) {
        let victim = bench.victim(name, Limits::default());
        assert_eq!(bench.ask(victim, "realloc loop").expect("arms it"), "ok");
        bench.fails(victim, "canary", Code::BudgetExceeded, "cpu_ms");
        assert_eq!(bench.ask(victim, "canary").expect("lives again"), "clean");
    }
    bench.finish();
}

#[test]
fn hostile_a5_recursion_of_each_kind_is_a_trap_also_from_a_small_thread() {
    let ask = |system: System, actor, text: &'static str| {
        let asking = move || system.request(actor, text.as_bytes(), &airwasm::RequestOptions::default());
        let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(asking);
        thread.expect("a thread").join().expect("the thread lives").expect_err(text)
    };
    for (name, kinds) in [("traps", ["j", "k", "l"]), ("hostile-c", ["recurse", "mutual", "table"])] {
        for name in built(&[name]) {
            let bench = Bench::new();
            let victim = bench.victim(name, Limits::default());
            for kind in kinds {
                bench.fails(victim, kind, Code::Trapped, "stack overflow");
            }
            for kind in kinds {
                let error = ask(bench.system.clone(), victim, kind);
                assert_eq!(error.code, Code::Trapped, "{kind}: {error}");
            }
            bench.finish();
        }
    }
}

#[test]
fn hostile_a8_a_guest_in_c_asleep_ends_at_its_wall_time() {
    for name in built(C) {
        let bench = Bench::new();
        let budget = Budget { wall: Some(Duration::from_millis(50)), ..Budget::default() };
        let spec = bench.spec(name).budget(budget).restart(Restart::Permanent);
        let victim = bench.system.spawn(spec).expect("starts");
        bench.fails(victim, "sleep 60000", Code::BudgetExceeded, "wall_ms");
        assert_eq!(bench.ask(victim, "sleep 1").expect("lives again"), "ok");
        bench.finish();
    }
}
