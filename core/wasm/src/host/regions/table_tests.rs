use std::sync::atomic::AtomicU64;
use std::sync::{Barrier, mpsc};
use std::thread;

use super::*;
use crate::host::regions::{COPY_BYTES_MAX, Trouble};

const HELD: &dyn Fn() -> std::result::Result<(), airssys_osl::DenialKind> = &|| Ok(());

fn owner(regions: &Regions, name: &str) -> Owner {
    regions.owner(&name.parse().expect("an id"))
}

fn which(outcome: Result<Arc<Region>>) -> (Code, String) {
    let error = outcome.err().expect("refused");
    (error.code, error.text("which").to_owned())
}

#[test]
fn hostile_g13_bounds_are_exact_and_given_back() {
    let regions = Regions::default();
    let (a, b) = (owner(&regions, "a"), owner(&regions, "b"));
    regions.create("one", 60, Some((&a, 100))).expect("room");
    let over = which(regions.create("two", 41, Some((&a, 100))));
    assert_eq!(over, (Code::LimitExceeded, "region_bytes".to_owned()));
    assert_eq!(which(regions.create("two", u64::MAX, Some((&a, u64::MAX)))).1, "region_bytes");
    regions.create("two", 40, Some((&a, 100))).expect("room");
    regions.create("other", 100, Some((&b, 100))).expect("a bound of its own");
    assert_eq!(which(regions.create("host", SYSTEM_BYTES_MAX - 199, None)).1, "system_region_bytes");
    regions.create("host", SYSTEM_BYTES_MAX - 200, None).expect("room, and no memory before it is written");
    assert_eq!(regions.totals(), (4, SYSTEM_BYTES_MAX));
    regions.remove("one", Some(&a)).expect("its own");
    regions.remove("host", None).expect("there");
    regions.create("one", 60, Some((&a, 100))).expect("room again");
    assert_eq!(regions.totals(), (3, 200));
}

#[test]
fn hostile_g13_the_number_of_regions_is_bounded() {
    let regions = Regions::default();
    let actors = SYSTEM_REGIONS_MAX / ACTOR_REGIONS_MAX;
    for actor in 0..actors {
        let owner = owner(&regions, &format!("a{actor}"));
        for number in 0..ACTOR_REGIONS_MAX {
            regions.create(&format!("r{actor}.{number}"), 1, Some((&owner, 100))).expect("room");
        }
        assert_eq!(which(regions.create("more", 1, Some((&owner, 100)))).1, "regions");
    }
    assert_eq!(which(regions.create("more", 1, None)).1, "system_regions");
}

#[test]
fn names_that_no_grant_could_name_are_refused() {
    let regions = Regions::default();
    for name in ["", "*", "a b", "a ; ttl=1s", "-a", "a/b", "\"a\"", " a", "é", &"a".repeat(64)] {
        assert_eq!(which(regions.create(name, 1, None)).0, Code::InvalidArgument, "{name:?}");
    }
    assert_eq!(which(regions.create("a", 0, None)), (Code::InvalidArgument, "bytes".to_owned()));
    regions.create("a", 1, None).expect("a name");
    assert_eq!(which(regions.create("a", 1, None)).0, Code::AlreadyExists);
}

#[test]
fn hostile_g13_the_end_of_an_actor_frees_its_regions_and_it_makes_no_others() {
    let regions = Regions::default();
    let (a, again) = (owner(&regions, "a"), owner(&regions, "a"));
    let held = regions.create("mine", 10, Some((&a, 100))).expect("room");
    regions.create("next", 10, Some((&again, 100))).expect("the next of that id is another");
    a.end();
    assert_eq!(regions.totals(), (1, 10));
    assert_eq!(which(regions.create("late", 1, Some((&a, 100)))).0, Code::NotFound);
    let used = held.read(0, &mut [0], HELD);
    assert!(matches!(used, Err(Trouble::Refused(error)) if error.code == Code::NotFound));
    a.end();
    assert_eq!(regions.totals(), (1, 10));
}

#[test]
fn hostile_g13_only_its_owner_and_the_host_program_remove_a_region() {
    let regions = Regions::default();
    let (a, b) = (owner(&regions, "a"), owner(&regions, "b"));
    regions.create("r", 10, Some((&a, 100))).expect("room");
    assert_eq!(regions.remove("r", Some(&b)).expect_err("another's").code, Code::InvalidArgument);
    regions.remove("r", Some(&a)).expect("its own");
    assert_eq!(regions.remove("r", Some(&a)).expect_err("gone").code, Code::NotFound);
    regions.create("r", 10, None).expect("room");
    assert_eq!(regions.remove("r", Some(&a)).expect_err("the host's").code, Code::InvalidArgument);
    regions.remove("r", None).expect("there");
}

#[test]
fn hostile_g13_two_writers_never_leave_a_reader_with_parts_of_both() {
    let region = Regions::default().create("r", 200_000, None).expect("room");
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for letter in [b'a', b'b'] {
            let (region, start) = (&region, &start);
            scope.spawn(move || {
                start.wait();
                // It crosses the bounds of pages.
                (0..300).for_each(|_| region.write(5, &[letter; 150_000], HELD).expect("inside"));
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let mut seen = vec![0; 150_000];
                start.wait();
                for _ in 0..300 {
                    region.read(5, &mut seen, HELD).expect("inside");
                    assert!(seen.iter().all(|byte| *byte == seen[0]), "torn");
                }
            });
        }
    });
}

#[test]
fn hostile_g13_additions_of_many_are_all_counted_and_one_exchange_wins() {
    let region = Regions::default().create("r", 20, None).expect("room");
    let won = AtomicU64::new(0);
    thread::scope(|scope| {
        for number in 1..=4 {
            let (region, won) = (&region, &won);
            scope.spawn(move || {
                for _ in 0..1_000 {
                    region.update(3, HELD, |before| Some(before.wrapping_add(1))).expect("inside");
                }
                let before = region.update(12, HELD, |before| (before == 0).then_some(number));
                won.fetch_add(u64::from(before.expect("inside") == 0), Relaxed);
            });
        }
    });
    let word = |offset| region.update(offset, HELD, |_| None).expect("inside");
    assert_eq!((word(3), won.load(Relaxed)), (4_000, 1));
    assert!((1..=4).contains(&word(12)));
    assert!(matches!(region.update(13, HELD, Some), Err(Trouble::Refused(_))), "a part of it is outside");
}

#[test]
fn hostile_g13_who_uses_what_is_removed_meanwhile_is_refused_or_was_before() {
    for _ in 0..200 {
        let regions = Regions::default();
        let region = regions.create("r", 70_000, None).expect("room");
        thread::scope(|scope| {
            scope.spawn(|| {
                let wrote = (0..50).map(|_| region.write(0, &[1; 70_000], HELD).is_ok()).collect::<Vec<_>>();
                assert!(wrote.is_sorted_by(|one, next| one >= next), "nothing is done after a refusal");
            });
            regions.remove("r", None).expect("there");
        });
        assert!(region.read(0, &mut [0], HELD).is_err());
        assert_eq!(regions.totals(), (0, 0));
    }
}

#[test]
fn hostile_g13_nothing_is_written_once_the_end_of_a_right_has_settled() {
    let region = Regions::default().create("r", 8, None).expect("room");
    let (ended, began) = (AtomicBool::new(false), mpsc::channel());
    let right = || match ended.load(std::sync::atomic::Ordering::SeqCst) {
        true => Err(airssys_osl::DenialKind::Revoked),
        false => Ok(()),
    };
    thread::scope(|scope| {
        let (tell, told) = began;
        let (region, right) = (&region, &right);
        scope.spawn(move || {
            let mut number = 0_u64;
            while region.write(0, &number.to_le_bytes(), right).is_ok() {
                number += 1;
                let _ = tell.send(());
            }
        });
        told.recv().expect("it writes");
        ended.store(true, std::sync::atomic::Ordering::SeqCst);
        region.settle();
        let word = || region.update(0, HELD, |_| None).expect("inside");
        let last = word();
        (0..1_000).for_each(|_| assert_eq!(word(), last));
    });
}

#[test]
fn hostile_g13_a_step_copies_no_more_than_its_bound() {
    let region = Regions::default().create("r", 1 << 20, None).expect("room");
    let over = vec![1; COPY_BYTES_MAX + 1];
    region.write(0, &over[1..], HELD).expect("as much as may be");
    let refused = region.write(0, &over, HELD);
    assert!(matches!(refused, Err(Trouble::Refused(error)) if error.text("which") == "copy_bytes"));
    let mut into = over;
    assert!(region.read(0, &mut into, HELD).is_err());
}
