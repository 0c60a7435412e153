//! Starting and stopping all children.

use std::time::Duration;

use super::{of, significant};
use crate::exit::Exit;
use crate::supervision::script::{ALWAYS, NEVER, ON_CRASH, Script, crash, rules};
use crate::supervision::{
    AutoShutdown, Backoff, ChildKey, ChildRules, GiveUp, Input, Intensity, InvalidRules, Machine, Rules,
    Strategy,
};

#[test]
fn a_supervisor_without_children_starts_and_stops() {
    let mut script = Script::new(rules(), &[]);
    assert_eq!(script.tell(Input::Begin), "up");
    assert_eq!(script.counts(), [0, 0]);
    assert_eq!(script.stop(), "down shutdown");
    assert_eq!(script.stop(), "", "it is down already");
}

#[test]
fn static_children_are_started_one_after_the_other() {
    let mut script = Script::new(rules(), &[ALWAYS, ON_CRASH, NEVER]);
    assert_eq!(script.tell(Input::Begin), "begin 1");
    assert_eq!(script.tell(Input::Begin), "", "it has begun already");
    assert_eq!(script.started(1), "begin 2");
    assert_eq!(script.started(2), "begin 3");
    assert_eq!(script.children(), "1 up, 2 up, 3 starting");
    assert_eq!(script.started(3), "up");
    assert_eq!(script.counts(), [3, 3]);
}

#[test]
fn a_first_start_that_fails_stops_those_started_in_reverse() {
    let mut script = Script::new(rules(), &[ALWAYS, ALWAYS, ALWAYS]);
    script.tell(Input::Begin);
    script.started(1);
    script.started(2);
    assert_eq!(script.failed(3), "end 2");
    assert_eq!(script.ended(2), "end 1");
    assert_eq!(script.ended(1), "down crash", "with the cause, and never up");
    assert_eq!(script.tell(Input::Begin), "begin 1", "it may be begun again");
}

#[test]
fn a_child_that_crashes_during_the_first_start_is_restarted_after_it() {
    let mut script = Script::new(rules(), &[ALWAYS, ALWAYS]);
    script.tell(Input::Begin);
    script.started(1);
    assert_eq!(script.crashed(1), "", "the supervisor is still starting");
    assert_eq!(script.started(2), "up, 1 again, begin 1");
}

#[test]
fn a_child_that_ignores_its_start_is_kept_without_a_life() {
    let mut script = Script::new(rules(), &[ALWAYS]);
    script.tell(Input::Begin);
    assert_eq!(script.tell(Input::Ignored(ChildKey(1))), "1 kept normal, up");
    assert_eq!(script.add(2, ALWAYS), "begin 2");
    assert_eq!(script.tell(Input::Ignored(ChildKey(2))), "done, 2 kept normal");
    assert_eq!((script.children().as_str(), script.counts()), ("1 down, 2 down", [2, 0]));
    assert_eq!(script.tell(Input::Ignored(ChildKey(2))), "", "it is not starting");
    assert_eq!(script.stop(), "down shutdown");
}

#[test]
fn a_temporary_child_that_ignores_its_start_is_gone() {
    let mut script = Script::new(rules(), &[NEVER, NEVER]);
    script.tell(Input::Begin);
    assert_eq!(script.tell(Input::Ignored(ChildKey(1))), "1 gone normal, begin 2");
    script.started(2);
    assert_eq!(script.add(3, NEVER), "begin 3");
    assert_eq!(script.tell(Input::Ignored(ChildKey(3))), "done, 3 gone normal");
    assert_eq!((script.children().as_str(), script.counts()), ("2 up", [1, 1]));
}

#[test]
fn a_child_that_ignores_its_restart_is_kept() {
    let mut script = Script::up(rules(), &[ALWAYS]);
    script.crashed(1);
    assert_eq!(script.tell(Input::Ignored(ChildKey(1))), "1 kept normal");
}

#[test]
fn an_added_child_that_does_not_start_leaves_nothing() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let mut script = Script::up(of(strategy), &[ALWAYS]);
        assert_eq!(script.add(2, ALWAYS), "begin 2");
        let answer = script.failed(2);
        assert!(answer.starts_with("2 gone crash, refused: the child did not start: crashed"), "{answer}");
        assert_eq!(script.children(), "1 up");
    }
}

#[test]
fn a_requested_restart_that_fails_keeps_the_child() {
    let mut script = Script::up(rules(), &[ALWAYS]);
    script.terminate(1);
    script.ended(1);
    assert_eq!(script.restart(1), "begin 1");
    let answer = script.failed(1);
    assert!(answer.starts_with("1 kept crash, refused: the child did not start"), "{answer}");
    assert_eq!((script.children().as_str(), script.counts()), ("1 down", [1, 0]));
}

#[test]
fn rules_that_cannot_be_followed_are_refused() {
    let period = Rules { intensity: Intensity { restarts_max: 1, period: Duration::ZERO }, ..rules() };
    assert_eq!(Machine::new(period).err(), Some(InvalidRules::PeriodZero));
    let factor = Rules { backoff: Backoff { factor: 0.5, ..Backoff::default() }, ..rules() };
    assert_eq!(Machine::new(factor).err(), Some(InvalidRules::BackoffFactor));
    let mut machine = Machine::new(Rules { children_max: 2, ..rules() }).expect("valid");
    let rows = [
        (1, ALWAYS, Ok(())),
        (1, ALWAYS, Err(InvalidRules::DuplicateKey)),
        (2, significant(ON_CRASH), Err(InvalidRules::SignificantNeedsAutoShutdown)),
        (2, ChildRules { dynamic: true, ..ALWAYS }, Err(InvalidRules::StaticAndDynamic)),
        (2, ALWAYS, Ok(())),
        (3, ALWAYS, Err(InvalidRules::TooMany)),
    ];
    for (key, rules, expected) in rows {
        assert_eq!(machine.add_static(ChildKey(key), rules), expected, "{key}");
    }
    let any = Rules { auto_shutdown: AutoShutdown::AnySignificant, ..rules() };
    let mut machine = Machine::new(any).expect("valid");
    let permanent = machine.add_static(ChildKey(1), significant(ALWAYS));
    assert_eq!(permanent, Err(InvalidRules::SignificantAndPermanent));
}

#[test]
fn a_child_with_unfit_rules_or_a_taken_key_is_not_added() {
    let mut script = Script::up(Rules { children_max: 2, ..rules() }, &[ALWAYS]);
    assert_eq!(script.add(1, ALWAYS), "refused: the child is there already");
    assert_eq!(
        script.add(2, significant(NEVER)),
        "refused: a significant child where auto_shutdown is never"
    );
    assert_eq!(script.add(2, ALWAYS), "begin 2");
    assert_eq!(script.add(3, ALWAYS), "refused: too many children or unanswered requests");
    let late = script.machine.add_static(ChildKey(4), ALWAYS);
    assert_eq!(late, Err(InvalidRules::Begun));
}

#[test]
fn the_defaults_of_a_supervisor_are_otps_but_for_intensity_and_backoff() {
    let rules = Rules::default();
    assert_eq!(rules.strategy, Strategy::OneForOne);
    assert_eq!(rules.auto_shutdown, AutoShutdown::Never);
    assert_eq!(rules.give_up, GiveUp::Escalate);
    assert_eq!(rules.children_max, 10_000);
}

#[test]
fn a_stop_ends_children_in_reverse_order_and_awaits_each() {
    let mut script = Script::up(rules(), &[ALWAYS, NEVER, ON_CRASH]);
    assert_eq!(script.stop(), "end 3");
    assert_eq!(script.stop(), "", "it stops already");
    assert_eq!(script.exited(3, Exit::Killed), "end 2", "whatever they end with");
    assert_eq!(script.crashed(2), "end 1");
    assert_eq!(script.exited(1, Exit::Normal), "down shutdown");
}

#[test]
fn children_that_end_by_themselves_do_not_hold_up_a_stop() {
    for exit in [Exit::Normal, Exit::Shutdown, Exit::Killed, crash()] {
        let mut script = Script::up(rules(), &[ALWAYS, ON_CRASH, NEVER, ALWAYS]);
        assert_eq!(script.stop(), "end 4");
        assert_eq!(script.exited(2, exit.clone()), "", "noted, not restarted");
        assert_eq!(script.exited(3, exit.clone()), "");
        assert_eq!(script.exited(4, exit.clone()), "end 1");
        assert_eq!(script.exited(1, exit), "down shutdown");
    }
}

#[test]
fn dynamic_children_are_stopped_together_and_before_the_static_ones() {
    let mut script = Script::up(rules(), &[ALWAYS, ALWAYS]);
    for key in 3..6 {
        script.add(key, ALWAYS);
        script.started(key);
    }
    assert_eq!(script.stop(), "end 3, end 4, end 5");
    assert_eq!(script.crashed(4), "", "whatever they end with");
    assert_eq!(script.exited(3, Exit::Normal), "");
    assert_eq!(script.exited(5, Exit::Killed), "end 2");
    script.ended(2);
    assert_eq!(script.ended(1), "down shutdown");
    assert_eq!(script.children(), "1 down, 2 down", "dynamic ones are gone");
}

#[test]
fn dynamic_children_that_depend_on_one_another_are_stopped_in_reverse_order() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let mut script = Script::up(of(strategy), &[ALWAYS]);
        for key in 2..4 {
            script.add(key, ALWAYS);
            script.started(key);
        }
        assert_eq!(script.stop(), "end 3");
        assert_eq!(script.ended(3), "end 2");
        assert_eq!(script.ended(2), "end 1");
        assert_eq!(script.ended(1), "down shutdown");
    }
}

#[test]
fn a_stop_overtakes_a_start_a_restart_and_every_request() {
    let mut script = Script::new(rules(), &[ALWAYS, ALWAYS]);
    script.tell(Input::Begin);
    assert_eq!(script.add(3, ALWAYS), "", "deferred until it is up");
    assert_eq!(script.stop(), "refused: the supervisor stops or is down, end 1");
    assert_eq!(script.started(1), "", "the start was under way");
    assert_eq!(script.ended(1), "down shutdown");
    assert_eq!(script.add(3, ALWAYS), "refused: the supervisor stops or is down");

    let mut script = Script::up(of(Strategy::OneForAll), &[ALWAYS, ALWAYS]);
    assert_eq!(script.crashed(1), "1 again, end 2");
    assert_eq!(script.terminate(1), "");
    assert_eq!(script.stop(), "refused: the supervisor stops or is down");
    assert_eq!(script.ended(2), "down shutdown");
}
