//! How many restarts are too many, and what follows.

use std::time::Duration;

use crate::exit::Exit;
use crate::supervision::script::{ALWAYS, NEVER, ON_CRASH, Script, rules, with};
use crate::supervision::{Backoff, GiveUp, Input, Intensity, Restart, Rules, Strategy};

#[test]
fn restarts_that_stay_below_the_intensity_go_on_for_ever() {
    let intensity = Intensity { restarts_max: 1, period: Duration::from_secs(1) };
    let mut script = Script::up(Rules { intensity, ..rules() }, &[ALWAYS]);
    for _ in 0..100 {
        assert_eq!(script.crashed(1), "1 again, begin 1");
        script.started(1);
        script.later(1_001);
    }
}

#[test]
fn hostile_h3_the_intensity_is_exact_at_both_edges_of_the_window() {
    let intensity = Intensity { restarts_max: 2, period: Duration::from_secs(10) };
    for (last_ms, is_again) in [(9_999, false), (10_000, false), (10_001, true)] {
        let mut script = Script::up(Rules { intensity, ..rules() }, &[ALWAYS]);
        script.crashed(1);
        script.started(1);
        script.later(5_000);
        script.crashed(1);
        script.started(1);
        script.later(last_ms - 5_000);
        assert_eq!(script.crashed(1).starts_with("1 again"), is_again, "{last_ms}");
    }
}

#[test]
fn hostile_h2_a_child_that_never_starts_again_escalates() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let mut script = Script::up(Rules { strategy, ..with(4) }, &[ALWAYS, ALWAYS]);
        let told = script.crashed(2);
        script.obey(told, 2);
        for _ in 0..3 {
            assert_eq!(script.failed(2), "2 again, wait 0 ms for 2", "never at once");
            let told = script.due();
            script.obey(told, 2);
        }
        assert_eq!(script.failed(2), "gave up 2 after 4: crash, end 1", "{strategy:?}");
        assert_eq!(script.ended(1), "down shutdown");
    }
}

#[test]
fn hostile_h2_each_failure_in_a_row_waits_longer() {
    let backoff = Backoff { jitter: 0.0, ..Backoff::default() };
    let mut script = Script::up(Rules { backoff, ..with(100) }, &[ALWAYS]);
    assert_eq!(script.crashed(1), "1 again in 100 ms, wait 100 ms for 1");
    assert_eq!(script.due(), "begin 1");
    assert_eq!(script.failed(1), "1 again in 200 ms, wait 200 ms for 1");
    script.due();
    script.started(1);
    assert_eq!(script.crashed(1), "1 again in 400 ms, wait 400 ms for 1");
    script.due();
    script.started(1);
    script.later(60_000);
    assert_eq!(script.crashed(1), "1 again in 100 ms, wait 100 ms for 1", "forgotten");
    script.terminate(1);
    script.restart(1);
    script.started(1);
    assert_eq!(script.crashed(1), "1 again in 100 ms, wait 100 ms for 1", "a request starts afresh");
}

#[test]
fn hostile_h4_a_supervisor_that_escalates_is_down_by_itself_and_may_be_begun_again() {
    let mut script = Script::up(with(0), &[ALWAYS, ALWAYS]);
    script.add(3, ALWAYS);
    script.started(3);
    assert_eq!(script.crashed(1), "gave up 1 after 0: crash, end 3");
    assert_eq!(script.ended(3), "end 2");
    assert_eq!(script.ended(2), "down shutdown");
    assert_eq!(script.tell(Input::Begin), "begin 1");
    script.started(1);
    assert_eq!(script.started(2), "up", "what was added is gone");
}

#[test]
fn hostile_h4_a_transient_supervisor_that_escalated_is_not_restarted_by_its_parent() {
    let mut parent = Script::up(rules(), &[ON_CRASH, ALWAYS]);
    assert_eq!(parent.exited(1, Exit::Shutdown), "1 kept shutdown");
    assert_eq!(parent.exited(2, Exit::Shutdown), "2 again, begin 2", "a permanent one is");
}

#[test]
fn giving_up_by_restart_starts_the_static_children_anew_once_a_period() {
    let again = Rules { give_up: GiveUp::Restart, ..with(1) };
    let mut script = Script::up(again, &[ALWAYS, NEVER]);
    script.add(3, ALWAYS);
    script.started(3);
    script.crashed(1);
    script.started(1);
    script.exited(2, Exit::Normal);
    assert_eq!(script.crashed(1), "gave up 1 after 1: crash, end 3");
    assert_eq!(script.ended(3), "3 gone shutdown, 1 again, 2 again, begin 1");
    assert_eq!(script.started(1), "begin 2", "the temporary one is back");
    assert_eq!(script.started(2), "");
    assert_eq!(script.crashed(1), "1 again, begin 1", "the window is empty");
    script.started(1);
    script.later(3_600_000);
    assert_eq!(script.crashed(1), "gave up 1 after 1: crash, end 2", "within one period: it escalates");
    assert_eq!(script.ended(2), "down shutdown");
}

#[test]
fn giving_up_by_restart_works_again_after_a_period() {
    let mut script = Script::up(Rules { give_up: GiveUp::Restart, ..with(0) }, &[ALWAYS]);
    for _ in 0..3 {
        assert_eq!(script.crashed(1), "gave up 1 after 0: crash, 1 again, begin 1");
        script.started(1);
        script.later(3_600_001);
    }
}

#[test]
fn giving_up_by_ignore_keeps_the_child_down_and_the_others_go_on() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let ignore = Rules { strategy, give_up: GiveUp::Ignore, ..with(0) };
        let mut script = Script::up(ignore, &[ALWAYS, ALWAYS]);
        assert_eq!(script.crashed(1), "gave up 1 after 0: crash, 1 kept crash");
        assert_eq!(script.children(), "1 down, 2 up");
        assert_eq!(script.restart(1), "begin 1");
        assert_eq!(script.started(1), "done");
    }
    let ignore = Rules { strategy: Strategy::OneForAll, give_up: GiveUp::Ignore, ..with(1) };
    let mut script = Script::up(ignore, &[ALWAYS, ALWAYS]);
    script.crashed(2);
    script.ended(1);
    assert_eq!(script.failed(1), "gave up 1 after 1: crash, 1 kept crash, begin 2", "the restart goes on");
}

#[test]
fn hostile_h8_ten_thousand_crashes_at_once_are_all_restarted() {
    const CHILDREN: u64 = 10_000;
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let mut script =
            Script::up(Rules { strategy, ..with(CHILDREN as u32) }, &[ALWAYS; CHILDREN as usize]);
        for key in 1..=CHILDREN {
            script.crashed(key);
        }
        for key in 1..=CHILDREN {
            script.started(key);
        }
        assert_eq!(script.counts(), [CHILDREN as usize; 2], "{strategy:?}");
    }
}

#[test]
fn hostile_h8_a_storm_above_the_intensity_escalates_once() {
    let mut script = Script::up(rules(), &[]);
    for key in 1..=10_000 {
        script.add(key, ALWAYS);
        script.started(key);
    }
    let told: Vec<String> = (1..=10_000).map(|key| script.crashed(key)).collect();
    assert_eq!(told.iter().filter(|told| told.contains("gave up")).count(), 1);
    assert_eq!(told[2].matches("end ").count(), 9_999, "all at once");
    script.failed(1);
    assert_eq!(script.failed(2), "down shutdown");
}

#[test]
fn many_temporary_children_come_and_go() {
    let mut script = Script::up(rules(), &[]);
    for key in 1..=10_000 {
        script.add(key, NEVER);
        script.started(key);
    }
    assert_eq!(script.counts(), [10_000, 10_000]);
    for key in 1..=10_000 {
        script.terminate(key);
        script.exited(key, Exit::Killed);
    }
    assert_eq!(script.counts(), [0, 0]);
}

#[test]
fn children_are_listed_in_the_order_of_their_starts_with_their_rules() {
    let mut script = Script::up(rules(), &[ALWAYS, ON_CRASH]);
    script.add(7, NEVER);
    script.started(7);
    script.add(5, ALWAYS);
    script.started(5);
    assert_eq!(script.children(), "1 up, 2 up, 5 up, 7 up");
    let restarts: Vec<Restart> = script.machine.children().map(|(_, rules, _)| rules.restart).collect();
    assert_eq!(restarts, [Restart::Permanent, Restart::Transient, Restart::Permanent, Restart::Temporary]);
}
