//! What a reader of names sees under every schedule.

use std::sync::Arc;

use loom::model::Builder;
use loom::thread;

use crate::handle::Handle;
use crate::id::ActorId;
use crate::names::Names;

fn id(text: &str) -> ActorId {
    text.parse().expect("an id")
}

fn handle(slot: u32) -> Handle {
    Handle::new(slot, 1).expect("odd")
}

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn model_a_name_in_use_is_found_while_others_come_and_go() {
    check(|| {
        let names = Arc::new(Names::default());
        assert!(names.register(&id("a"), handle(1)));
        let writer = thread::spawn({
            let names = names.clone();
            move || {
                // Those that come make a new index twice.
                assert!(names.register(&id("b"), handle(2)));
                assert!(names.register(&id("c"), handle(3)));
                names.unregister(&id("b"), handle(2));
            }
        });
        assert_eq!(names.find(&id("a")), Some(handle(1)));
        writer.join().expect("no panic");
        assert_eq!((names.find(&id("b")), names.find(&id("c"))), (None, Some(handle(3))));
    });
}

#[test]
fn model_a_name_never_finds_what_is_in_its_place_now() {
    check(|| {
        let names = Arc::new(Names::default());
        assert!(names.register(&id("a"), handle(1)));
        let writer = thread::spawn({
            let names = names.clone();
            move || {
                names.unregister(&id("a"), handle(1));
                assert!(names.register(&id("b"), handle(2)));
            }
        });
        let (gone, come) = (names.find(&id("a")), names.find(&id("b")));
        assert!([None, Some(handle(1))].contains(&gone), "{gone:?}");
        assert!([None, Some(handle(2))].contains(&come), "{come:?}");
        writer.join().expect("no panic");
        assert_eq!((names.find(&id("a")), names.find(&id("b"))), (None, Some(handle(2))));
    });
}

#[test]
fn model_of_two_that_want_a_name_one_gets_it() {
    check(|| {
        let names = Arc::new(Names::default());
        let other = thread::spawn({
            let names = names.clone();
            move || names.register(&id("a"), handle(1))
        });
        let (mine, theirs) = (names.register(&id("a"), handle(2)), other.join().expect("no panic"));
        assert!(mine != theirs);
        assert_eq!(names.find(&id("a")), Some(handle(if mine { 2 } else { 1 })));
    });
}
