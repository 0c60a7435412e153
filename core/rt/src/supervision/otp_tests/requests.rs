//! Children added, terminated, restarted and deleted by request.

use super::{delayed, of};
use crate::supervision::script::{ALWAYS, Script, crash, rules, with};
use crate::supervision::{ChildKey, Input, Rules, Strategy};

#[test]
fn children_are_added_terminated_restarted_and_deleted_by_request() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let mut script = Script::up(of(strategy), &[ALWAYS]);
        assert_eq!(script.terminate(9), "refused: no such child");
        assert_eq!(script.restart(9), "refused: no such child");
        assert_eq!(script.delete(9), "refused: no such child");
        assert_eq!(script.restart(1), "refused: the child runs");
        assert_eq!(script.delete(1), "refused: the child runs");
        assert_eq!(script.terminate(1), "end 1");
        assert_eq!(script.ended(1), "1 kept shutdown, done");
        assert_eq!((script.children().as_str(), script.counts()), ("1 down", [1, 0]));
        assert_eq!(script.terminate(1), "done", "it is down already");
        assert_eq!(script.add(1, ALWAYS), "refused: the child is there already");
        assert_eq!(script.restart(1), "begin 1");
        assert_eq!(script.started(1), "done");
        script.terminate(1);
        script.ended(1);
        assert_eq!(script.delete(1), "1 gone shutdown, done");
        assert_eq!(script.restart(1), "refused: no such child");
        assert_eq!((script.children().as_str(), script.counts()), ("", [0, 0]));
        assert_eq!(script.add(2, ALWAYS), "begin 2");
        assert_eq!(script.started(2), "done");
        assert_eq!(script.crashed(2), "2 again, begin 2", "an added child is restarted too");
        assert_eq!(script.counts(), [1, 0]);
    }
}

#[test]
fn what_is_asked_while_a_child_ends_or_starts_is_answered_once() {
    let mut script = Script::up(rules(), &[ALWAYS]);
    assert_eq!(script.terminate(1), "end 1");
    assert_eq!(script.terminate(1), "");
    assert_eq!(script.restart(1), "refused: the child runs");
    assert_eq!(script.delete(1), "refused: the child runs");
    assert_eq!(script.ended(1), "1 kept shutdown, done, done");
    script.restart(1);
    assert_eq!(script.restart(1), "refused: the child is about to be started");
    assert_eq!(script.delete(1), "refused: the child is about to be started");
    assert_eq!(script.terminate(1), "end 1", "its start is called off");
    let answer = script.failed(1);
    assert!(answer.starts_with("1 kept crash, refused: the child did not start"), "{answer}");
    assert!(answer.ends_with(", done"), "{answer}");
}

#[test]
fn requests_and_exits_wait_for_a_request_where_siblings_are_affected() {
    let mut script = Script::up(of(Strategy::OneForAll), &[ALWAYS]);
    assert_eq!(script.add(2, ALWAYS), "begin 2");
    assert_eq!(script.crashed(1), "", "the second is still starting");
    assert_eq!(script.terminate(2), "");
    assert_eq!(script.started(2), "done, 1 again, end 2");
    assert_eq!(script.ended(2), "2 again, begin 1");
    assert_eq!(script.started(1), "begin 2");
    assert_eq!(script.started(2), "end 2");
    assert_eq!(script.ended(2), "2 kept shutdown, done");
}

#[test]
fn unanswered_requests_are_bounded() {
    let mut script = Script::new(rules(), &[ALWAYS]);
    script.tell(Input::Begin);
    for _ in 0..10_000 {
        assert_eq!(script.terminate(1), "");
    }
    assert_eq!(script.terminate(1), "refused: too many children or unanswered requests");
    let answers = script.failed(1);
    assert_eq!(answers.matches("refused: the supervisor stops or is down").count(), 10_000);
    script.tell(Input::Begin);
    script.started(1);
    assert_eq!(script.terminate(1), "end 1");
}

#[test]
fn a_child_that_fails_to_restart_can_be_terminated_and_its_supervisor_stopped() {
    let mut script = Script::up(with(8), &[ALWAYS]);
    script.crashed(1);
    assert_eq!(script.failed(1), "1 again, wait 0 ms for 1");
    assert_eq!(script.add(1, ALWAYS), "refused: the child is there already");
    assert_eq!(script.restart(1), "refused: the child is about to be started");
    assert_eq!(script.delete(1), "refused: the child is about to be started");
    assert_eq!((script.children().as_str(), script.counts()), ("1 restarting", [1, 0]));
    assert_eq!(script.terminate(1), "1 kept crash, done");
    assert_eq!(script.due(), "", "nobody waits for it any more");
    assert_eq!(script.restart(1), "begin 1");
    script.started(1);
    script.crashed(1);
    script.failed(1);
    assert_eq!(script.stop(), "down shutdown");
    assert_eq!(script.due(), "");
}

#[test]
fn those_after_a_child_that_fails_to_restart_stay_down_when_it_is_terminated() {
    let mut script = Script::up(Rules { strategy: Strategy::RestForOne, ..with(8) }, &[ALWAYS; 3]);
    script.crashed(2);
    script.ended(3);
    script.failed(2);
    assert_eq!(script.add(2, ALWAYS), "refused: the child is there already");
    assert_eq!(script.restart(2), "refused: the child is about to be started");
    assert_eq!(script.delete(2), "refused: the child is about to be started");
    assert_eq!((script.children().as_str(), script.counts()), ("1 up, 2 restarting, 3 down", [3, 1]));
    assert_eq!(script.terminate(2), "2 kept crash, 3 kept shutdown, done");
    assert_eq!(script.children(), "1 up, 2 down, 3 down");
    assert_eq!(script.restart(2), "begin 2");
    assert_eq!(script.started(2), "done");
    script.crashed(2);
    assert_eq!(script.failed(2), "2 again, wait 0 ms for 2");
    assert_eq!(script.stop(), "end 1");
    assert_eq!(script.ended(1), "down shutdown");
}

#[test]
fn a_restart_called_off_leaves_those_another_one_takes_along() {
    let mut script = Script::up(delayed(Strategy::RestForOne), &[ALWAYS; 4]);
    script.crashed(1);
    for key in [4, 3, 2] {
        script.ended(key);
    }
    script.restart(3);
    script.started(3);
    assert_eq!(script.crashed(3), "3 again in 100 ms, wait 100 ms for 3");
    assert_eq!(script.terminate(1), "1 kept crash, 2 kept shutdown, done", "the fourth waits for the third");
    assert_eq!(script.due(), "begin 3");
    assert_eq!(script.started(3), "begin 4");
}

#[test]
fn children_that_restart_are_counted_but_not_as_active() {
    let mut script = Script::up(with(20), &[]);
    for key in 1..4 {
        script.add(key, ALWAYS);
        script.started(key);
    }
    assert_eq!(script.counts(), [3, 3]);
    for key in 1..3 {
        script.crashed(key);
        script.failed(key);
    }
    assert_eq!((script.children().as_str(), script.counts()), ("1 restarting, 2 restarting, 3 up", [3, 1]));
    let tokens = script.tokens.clone();
    for (key, token) in (1..).zip(tokens) {
        script.tell(Input::Due(token));
        script.started(key);
    }
    assert_eq!(script.counts(), [3, 3]);
}

#[test]
fn reports_of_lives_it_does_not_know_do_nothing() {
    let mut script = Script::new(rules(), &[ALWAYS]);
    for input in
        [Input::Started(ChildKey(1)), Input::Exited(ChildKey(1), crash()), Input::Started(ChildKey(9))]
    {
        assert_eq!(script.tell(input), "", "not begun");
    }
    script.tell(Input::Begin);
    script.started(1);
    assert_eq!(script.started(1), "", "told twice");
    assert_eq!(script.crashed(9), "", "no such child");
    script.terminate(1);
    script.ended(1);
    assert_eq!(script.ended(1), "", "told twice");
    assert_eq!(script.failed(1), "", "late");
    assert_eq!(script.started(1), "", "late");
    assert_eq!(script.children(), "1 down");
}
