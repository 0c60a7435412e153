//! Restart types, and whom a restart affects.

use super::{delayed, of};
use crate::exit::Exit;
use crate::supervision::script::{ALWAYS, NEVER, ON_CRASH, Script, crash, rules};
use crate::supervision::{Input, Strategy};

#[test]
fn hostile_h1_restart_types_and_exits_are_otps_table() {
    let exits = || [Exit::Normal, Exit::Shutdown, crash(), Exit::Killed];
    let again = "1 again, begin 1";
    let rows = [
        (ALWAYS, [again; 4]),
        (ON_CRASH, ["1 kept normal", "1 kept shutdown", again, again]),
        (NEVER, ["1 gone normal", "1 gone shutdown", "1 gone crash", "1 gone killed"]),
    ];
    for (rules_of_child, expected) in rows {
        let got = exits().map(|exit| Script::up(rules(), &[rules_of_child]).exited(1, exit));
        assert_eq!(got, expected, "{rules_of_child:?}");
    }
}

#[test]
fn a_transient_child_that_ended_normally_can_be_restarted_by_request() {
    let mut script = Script::up(rules(), &[ON_CRASH]);
    script.exited(1, Exit::Normal);
    assert_eq!((script.children().as_str(), script.counts()), ("1 down", [1, 0]));
    assert_eq!(script.restart(1), "begin 1");
}

#[test]
fn specs_of_temporary_children_are_not_kept() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let mut script = Script::up(of(strategy), &[NEVER]);
        assert_eq!(script.terminate(1), "end 1");
        assert_eq!(script.ended(1), "1 gone shutdown, done");
        for (key, exit) in (2..).zip([Exit::Normal, Exit::Killed, crash()]) {
            script.add(key, NEVER);
            script.started(key);
            script.exited(key, exit);
            assert_eq!(script.children(), "");
            assert_eq!(script.restart(key), "refused: no such child");
        }
    }
}

#[test]
fn a_temporary_bystander_is_not_started_again() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let mut script = Script::up(of(strategy), &[ALWAYS, NEVER]);
        assert_eq!(script.exited(1, Exit::Normal), "1 again, end 2");
        assert_eq!(script.ended(2), "2 gone shutdown, begin 1");
        assert_eq!(script.started(1), "");
        assert_eq!(script.children(), "1 up");
    }
}

#[test]
fn one_for_one_restarts_only_the_child_that_ended() {
    let mut script = Script::up(rules(), &[ALWAYS, ALWAYS]);
    assert_eq!(script.crashed(1), "1 again, begin 1");
    script.started(1);
    assert_eq!(script.counts(), [2, 2]);
    assert_eq!(script.crashed(2), "2 again, begin 2");
    script.started(2);
    assert_eq!(script.crashed(2), "gave up 2 after 2: crash, end 1");
    assert_eq!(script.ended(1), "down shutdown");
}

#[test]
fn one_for_one_restarts_children_side_by_side() {
    let mut script = Script::up(rules(), &[ALWAYS, ALWAYS, ALWAYS]);
    assert_eq!(script.crashed(1), "1 again, begin 1");
    assert_eq!(script.crashed(3), "3 again, begin 3", "though the first is still starting");
    assert_eq!(script.terminate(2), "end 2");
    assert_eq!(script.started(3), "");
    assert_eq!(script.ended(2), "2 kept shutdown, done");
    assert_eq!(script.children(), "1 starting, 2 down, 3 up");
}

#[test]
fn one_for_all_restarts_all_in_order() {
    let mut script = Script::up(of(Strategy::OneForAll), &[ALWAYS, ALWAYS, ALWAYS]);
    assert_eq!(script.crashed(2), "2 again, end 3");
    assert_eq!(script.ended(3), "3 again, end 1");
    assert_eq!(script.ended(1), "1 again, begin 1");
    assert_eq!(script.started(1), "begin 2");
    assert_eq!(script.started(2), "begin 3");
    assert_eq!(script.started(3), "");
    assert_eq!(script.counts(), [3, 3]);
    script.crashed(3);
    script.ended(2);
    script.ended(1);
    for key in 1..4 {
        script.started(key);
    }
    assert_eq!(script.crashed(1), "gave up 1 after 2: crash, end 3");
    script.ended(3);
    assert_eq!(script.ended(2), "down shutdown");
}

#[test]
fn rest_for_one_restarts_those_started_after() {
    let mut script = Script::up(of(Strategy::RestForOne), &[ALWAYS, ALWAYS, ALWAYS]);
    assert_eq!(script.crashed(2), "2 again, end 3");
    assert_eq!(script.ended(3), "3 again, begin 2");
    assert_eq!(script.started(2), "begin 3");
    assert_eq!(script.started(3), "");
    assert_eq!(script.counts(), [3, 3]);
    assert_eq!(script.crashed(3), "3 again, begin 3", "the last has nobody after it");
    script.started(3);
    assert_eq!(script.crashed(2), "gave up 2 after 2: crash, end 3");
    assert_eq!(script.ended(3), "end 1");
    assert_eq!(script.ended(1), "down shutdown");
}

#[test]
fn a_restart_of_all_starts_what_was_down_before_as_well() {
    let mut script = Script::up(of(Strategy::OneForAll), &[ALWAYS, ON_CRASH, ALWAYS]);
    script.exited(2, Exit::Normal);
    script.terminate(3);
    script.ended(3);
    assert_eq!(script.crashed(1), "1 again, begin 1");
    assert_eq!(script.started(1), "begin 2");
    assert_eq!(script.started(2), "begin 3");
}

#[test]
fn hostile_h5_one_for_all_other_child_fails_during_the_restart() {
    let mut script = Script::up(of(Strategy::OneForAll), &[ALWAYS, ALWAYS]);
    script.crashed(1);
    assert_eq!(script.ended(2), "2 again, begin 1");
    assert_eq!(script.started(1), "begin 2");
    assert_eq!(script.failed(2), "2 again, wait 0 ms for 2");
    assert_eq!(script.children(), "1 up, 2 restarting");
    assert_eq!(script.due(), "end 1", "the first is restarted with it");
    assert_eq!(script.ended(1), "1 again, begin 1");
    assert_eq!(script.started(1), "begin 2");
    assert_eq!(script.started(2), "");
    assert_eq!(script.counts(), [2, 2]);
}

#[test]
fn hostile_h5_rest_for_one_other_child_fails_during_the_restart() {
    let mut script = Script::up(of(Strategy::RestForOne), &[ALWAYS, ALWAYS, ALWAYS]);
    script.crashed(1);
    script.ended(3);
    script.ended(2);
    script.started(1);
    assert_eq!(script.failed(2), "2 again, wait 0 ms for 2");
    assert_eq!(script.due(), "begin 2", "the first stays as it is");
    assert_eq!(script.started(2), "begin 3");
    assert_eq!(script.started(3), "");
    assert_eq!(script.counts(), [3, 3]);
}

#[test]
fn hostile_h5_a_child_that_exits_while_siblings_restart_is_restarted_after_them() {
    let mut script = Script::up(of(Strategy::OneForAll), &[ALWAYS, ALWAYS, ALWAYS]);
    assert_eq!(script.crashed(3), "3 again, end 2");
    assert_eq!(script.crashed(1), "1 again", "it would have been stopped anyway: not counted");
    assert_eq!(script.ended(2), "2 again, begin 1");
    script.started(1);
    assert_eq!(script.crashed(1), "", "the second is still starting");
    assert_eq!(script.started(2), "begin 3");
    assert_eq!(script.started(3), "1 again, end 3");
    assert_eq!(script.ended(3), "3 again, end 2");
    assert_eq!(script.ended(2), "2 again, begin 1");
}

#[test]
fn hostile_h5_a_crash_while_a_sibling_waits_takes_it_along() {
    let mut script = Script::up(delayed(Strategy::RestForOne), &[ALWAYS, ALWAYS, ALWAYS]);
    assert_eq!(script.crashed(2), "2 again in 100 ms, end 3");
    assert_eq!(script.ended(3), "3 again in 100 ms, wait 100 ms for 2");
    assert_eq!(script.crashed(1), "1 again in 100 ms, wait 100 ms for 1");
    let stale = script.tokens[0];
    assert_eq!(script.tell(Input::Due(stale)), "", "nobody waits for it any more");
    assert_eq!(script.due(), "begin 1");
    assert_eq!(script.started(1), "begin 2");
    assert_eq!(script.started(2), "begin 3");
}
