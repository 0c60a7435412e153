//! Regions while others take them away, or write to them.

use std::thread;

use airwasm::{ActorHandle, ActorSpec, Code, Limits, RequestOptions, Result, System};
use airwasm_tests::guest;

use crate::{eventually, open, refused};

fn sharer(system: &System, name: &str, grants: &str) -> ActorHandle {
    let component = system.load(&guest("regions")).expect("loads");
    let spec = grants.lines().fold(ActorSpec::new(component).name(name), ActorSpec::grant);
    system.spawn(spec).expect("starts")
}

fn ask(system: &System, actor: ActorHandle, text: &str) -> Result<String> {
    let answer = system.request(actor, text.as_bytes(), &RequestOptions::default())?;
    Ok(String::from_utf8(answer).expect("text"))
}

fn number(system: &System) -> u64 {
    let word = system.region_read("r", 0, 8).expect("there");
    u64::from_le_bytes(word.try_into().expect("8 bytes"))
}

/// Begins to count in the region `r` and waits until some of it is done.
fn counting(system: &System, actor: ActorHandle) -> airwasm::Operation<Vec<u8>> {
    ask(system, actor, "open r read-write").expect("granted");
    let counts = system.request_async(actor, b"count r 0 90000", &RequestOptions::default());
    while number(system) == 0 {
        thread::yield_now();
    }
    counts
}

#[test]
fn hostile_g13_nothing_is_written_once_a_revoke_has_returned() {
    let system = open();
    for _ in 0..10 {
        system.region_create("r", 8).expect("room");
        let actor = sharer(&system, "g", "region.read r");
        let grant = system.grant(actor, "region.write r", None).expect("granted");
        let counts = counting(&system, actor);
        system.revoke(grant).expect("there");
        let last = number(&system);
        let outcome = counts.wait();
        assert_eq!(number(&system), last);
        match outcome {
            Ok(_) => assert_eq!(last, 90_000, "it was done before"),
            Err(error) => assert_eq!(error.code, Code::GrantRevoked, "{error}"),
        }
        system.stop(actor, None).expect("stops");
        system.region_remove("r").expect("there");
    }
}

#[test]
fn hostile_g13_a_guest_that_counts_in_what_is_removed_is_told_and_finds_no_new_one_of_that_name() {
    let system = open();
    for _ in 0..10 {
        system.region_create("r", 8).expect("room");
        let actor = sharer(&system, "g", "region.read r\nregion.write r");
        let counts = counting(&system, actor);
        system.region_remove("r").expect("there");
        system.region_create("r", 8).expect("the name is free");
        if let Err(error) = counts.wait() {
            assert!(error.message.contains("not-found"), "{error}");
        }
        assert_eq!(number(&system), 0);
        system.stop(actor, None).expect("stops");
        system.region_remove("r").expect("there");
    }
}

#[test]
fn hostile_g13_the_host_program_never_reads_parts_of_two_writes() {
    const BYTES: usize = 200_000;
    let system = open();
    system.region_create("r", BYTES as u64).expect("room");
    let actor = sharer(&system, "g", "region.write r");
    ask(&system, actor, "open r write").expect("granted");
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..200 {
                ask(&system, actor, &format!("fill r 0 {BYTES}")).expect("inside");
                system.region_write("r", 0, &[b'h'; BYTES]).expect("inside");
            }
        });
        let mut seen = vec![0; BYTES];
        for _ in 0..400 {
            system.region_read_into("r", 0, &mut seen).expect("inside");
            assert!(seen.iter().all(|byte| *byte == seen[0]), "torn");
        }
    });
}

#[test]
fn hostile_g13_the_end_of_their_actor_in_any_way_frees_its_regions() {
    let system = open();
    for end in ["stop", "kill", "crash"] {
        let actor = sharer(&system, "g", "region.create r");
        ask(&system, actor, "create r 1000").expect("room");
        assert_eq!(system.stats().expect("open").region_bytes, 1_000);
        match end {
            "stop" => system.stop(actor, None).expect("stops"),
            "kill" => system.kill(actor).expect("ends"),
            _ => drop(refused(ask(&system, actor, "crash"))),
        }
        let free = || system.region_create("r", 5);
        eventually(free);
        assert_eq!(system.regions().expect("open").len(), 1, "{end}");
        system.region_remove("r").expect("there");
        eventually(|| match system.lookup("g") {
            Err(_) => Ok(()),
            Ok(_) => Err(airwasm::Error::new(Code::AlreadyExists, "it has not left yet")),
        });
    }
}

#[test]
fn what_is_longer_than_one_step_is_read_and_written_in_several() {
    let system = open();
    let long: Vec<u8> = (0..1_000_003_u32).map(|at| (at % 251) as u8).collect();
    system.region_create("r", 2_000_000).expect("room");
    system.region_write("r", 7, &long).expect("inside");
    assert!(system.region_read("r", 7, long.len() as u64).expect("inside") == long);
    let mut into = vec![1; 2_000_000];
    system.region_read_into("r", 0, &mut into).expect("inside");
    assert!(into[7..7 + long.len()] == long && into[..7] == [0; 7]);
    let error = refused(system.region_write("r", 1_000_000, &long));
    assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, "offset"));
    assert!(system.region_read("r", 1_100_000, 900_000).expect("inside") == vec![0; 900_000]);
}

#[test]
fn a_bound_of_no_region_bytes_is_refused() {
    let system = open();
    let component = system.load(&guest("regions")).expect("loads");
    let limits = Limits { region_bytes: Some(0), ..Limits::default() };
    let error = refused(system.spawn(ActorSpec::new(component).limits(limits)));
    assert_eq!((error.code, error.text("which")), (Code::InvalidArgument, "region_bytes"));
}
