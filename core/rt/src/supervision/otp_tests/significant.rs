//! Supervisors that stop with their significant children.

use super::{automatic, delayed, significant};
use crate::exit::Exit;
use crate::supervision::script::{ALWAYS, NEVER, ON_CRASH, Script, crash};
use crate::supervision::{AutoShutdown, ChildRules, Rules, Strategy};

#[test]
fn children_that_are_not_significant_never_shut_the_supervisor_down() {
    for auto in [AutoShutdown::Never, AutoShutdown::AnySignificant, AutoShutdown::AllSignificant] {
        for rules in [NEVER, ON_CRASH] {
            for exit in [Exit::Normal, Exit::Shutdown, Exit::Killed, crash()] {
                let told = Script::up(automatic(auto), &[rules]).exited(1, exit);
                assert!(!told.contains(", down"), "{told}");
            }
            let mut script = Script::up(automatic(auto), &[rules]);
            script.terminate(1);
            assert!(script.ended(1).ends_with("done"));
        }
    }
}

#[test]
fn any_significant_child_that_ends_for_good_shuts_the_supervisor_down() {
    let rows: [(ChildRules, Exit, bool); 7] = [
        (NEVER, Exit::Normal, true),
        (NEVER, Exit::Killed, true),
        (NEVER, crash(), true),
        (ON_CRASH, Exit::Normal, true),
        (ON_CRASH, Exit::Shutdown, true),
        (ON_CRASH, Exit::Killed, false),
        (ON_CRASH, crash(), false),
    ];
    for (rules, exit, is_down) in rows {
        let children = [significant(rules), significant(rules), rules];
        let mut script = Script::up(automatic(AutoShutdown::AnySignificant), &children);
        let told = script.exited(1, exit);
        assert_eq!(told.ends_with("end 3"), is_down, "{told}");
        if is_down {
            script.ended(3);
            assert_eq!(script.ended(2), "down shutdown");
        }
    }
}

#[test]
fn a_significant_child_that_is_terminated_by_request_shuts_nothing_down() {
    for auto in [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant] {
        for rules in [NEVER, ON_CRASH] {
            let mut script = Script::up(automatic(auto), &[significant(rules)]);
            script.terminate(1);
            assert!(script.ended(1).ends_with(" shutdown, done"));
        }
    }
}

#[test]
fn the_last_significant_child_that_ends_shuts_the_supervisor_down() {
    for rules in [NEVER, ON_CRASH] {
        let children = [significant(rules), significant(rules), rules];
        let mut script = Script::up(automatic(AutoShutdown::AllSignificant), &children);
        assert!(!script.exited(1, Exit::Normal).contains("end"));
        assert!(script.exited(2, Exit::Normal).ends_with("end 3"));
        assert_eq!(script.ended(3), "down shutdown");
    }
}

#[test]
fn a_significant_child_that_waits_for_its_restart_is_no_child_that_has_ended() {
    let children = [significant(ON_CRASH), significant(ON_CRASH)];
    let mut script = Script::up(automatic(AutoShutdown::AllSignificant), &children);
    script.crashed(1);
    script.failed(1);
    assert_eq!(script.exited(2, Exit::Normal), "2 kept normal");
    assert_eq!(script.due(), "begin 1");
    script.started(1);
    assert_eq!(script.exited(1, Exit::Normal), "1 kept normal, down shutdown");
}

#[test]
fn a_significant_child_that_waits_for_a_siblings_restart_is_no_child_that_has_ended() {
    let rules = Rules { auto_shutdown: AutoShutdown::AllSignificant, ..delayed(Strategy::RestForOne) };
    let mut script = Script::up(rules, &[significant(NEVER), ALWAYS, significant(ON_CRASH)]);
    script.crashed(2);
    assert_eq!(script.ended(3), "3 again in 100 ms, wait 100 ms for 2");
    assert_eq!(script.exited(1, Exit::Normal), "1 gone normal", "the third is about to come back");
    let told = script.due();
    script.obey(told, 0);
    assert_eq!(script.exited(3, Exit::Normal), "3 kept normal, end 2");
}

#[test]
fn significant_bystanders_of_a_restart_shut_nothing_down() {
    let children = [significant(ON_CRASH), ON_CRASH, significant(ON_CRASH)];
    for auto in [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant] {
        for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
            let mut script = Script::up(Rules { strategy, ..automatic(auto) }, &children);
            let told = script.exited(2, Exit::Killed);
            script.obey(told, 0);
            assert_eq!(script.counts(), [3, 3], "{strategy:?}");
        }
    }
}

#[test]
fn a_supervisor_that_shut_itself_down_counts_for_its_parent_when_it_is_significant() {
    let any = automatic(AutoShutdown::AnySignificant);
    for (child, expected) in
        [(significant(ON_CRASH), "1 kept shutdown, down shutdown"), (ON_CRASH, "1 kept shutdown")]
    {
        let mut inner = Script::up(any, &[significant(ON_CRASH)]);
        assert_eq!(inner.exited(1, Exit::Normal), "1 kept normal, down shutdown");
        assert_eq!(Script::up(any, &[child]).exited(1, Exit::Shutdown), expected);
    }
}
