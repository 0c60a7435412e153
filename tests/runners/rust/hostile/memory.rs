//! Group B: guests that take all they can of memory, tables, handles and logs, and that hand over wrong pointers.

use std::collections::HashSet;

use airwasm::{Code, Error, Limits};

use super::{Bench, C, built};

const SMALL: Limits = Limits {
    memory_bytes: Some(8 << 20),
    table_elements: None,
    handles: None,
    mailbox_messages: None,
    mailbox_bytes: None,
    payload_bytes: Some(64 << 10),
    cpu_percent: None,
    written_bytes: None,
    region_bytes: None,
};

#[test]
fn hostile_b1_memory_ends_at_its_limit_and_a_guest_that_copes_lives_on() {
    let bench = Bench::new();
    for name in built(C) {
        let victim = bench.victim(name, SMALL);
        let pages: usize = bench.ask(victim, "grow").expect("is refused more").parse().expect("a count");
        assert!(pages > 0 && pages <= 128, "{pages} pages are more than 8 MiB");
        assert_eq!(bench.ask(victim, "malloc 9").expect("gets NULL"), "0");
        assert_eq!(bench.system.status(victim).expect("lives").restarts, 0);
        bench.fails(victim, "die", Code::LimitExceeded, "memory_bytes");
        assert_eq!(bench.ask(victim, "malloc 1").expect("lives again"), "1");
    }
    let traps = bench.victim("traps", SMALL);
    let error = bench.fails(traps, "m", Code::LimitExceeded, "memory_bytes");
    assert!(error.detail["used"].as_u64() > error.detail["allowed"].as_u64(), "{error}");
    bench.finish();
}

#[test]
fn hostile_b3_a_table_of_a_billion_elements_is_refused() {
    let bench = Bench::new();
    let victim = bench.victim("traps", Limits::default());
    bench.fails(victim, "n", Code::LimitExceeded, "table_elements");
    bench.finish();
}

/// It names the limit, and where the guest was when it died of it.
fn out_of_handles(error: &Error) {
    assert_eq!((error.text("which"), &error.detail["allowed"]), ("handles", &1_024.into()), "{error}");
    assert_eq!(error.detail["used"], 1_025);
    assert!(!error.text("kind").is_empty() && error.detail["backtrace"].is_array(), "{:?}", error.detail);
}

#[test]
fn hostile_b4_resources_of_its_own_end_at_the_bound_of_handles() {
    let bench = Bench::new();
    let victim = bench.victim("traps", Limits::default());
    out_of_handles(&bench.fails(victim, "o", Code::LimitExceeded, "handles"));
    bench.finish();
}

#[test]
fn hostile_b5_resources_of_the_host_end_at_their_bound_and_are_closed() {
    let bench = Bench::new();
    let victim = bench.victim("traps", Limits::default());
    out_of_handles(&bench.fails(victim, "p", Code::LimitExceeded, "handles"));
    bench.write("a", "inside");
    for name in built(C) {
        let victim = bench.victim(name, Limits::default());
        bench.system.grant(victim, &format!("fs.read {}", bench.path("a")), None).expect("granted");
        let hoard = format!("hoard {}", bench.path("a"));
        let count: usize = bench.ask(victim, &hoard).expect("is refused more").parse().expect("a count");
        assert!((1..=64).contains(&count), "{count} files at once");
        let hoarding = airwasm_tests::open_files();
        assert!(hoarding > count, "they are open while the guest lives");
        bench.fails(victim, "trap", Code::Trapped, "unreachable");
        assert_eq!(bench.ask(victim, "canary").expect("lives again"), "clean");
        let left = airwasm_tests::open_files();
        assert!(
            left <= hoarding - count,
            "{left}, after {hoarding}: they are closed with the life that opened them"
        );
    }
    bench.finish();
}

#[test]
fn hostile_b6_pointers_and_lengths_that_are_outside_are_traps() {
    let bench = Bench::new();
    let victim = bench.victim("traps", Limits::default());
    for letter in ["q", "r", "u", "v", "w", "x", "z"] {
        bench.fails(victim, letter, Code::Trapped, "");
    }
    for name in built(C) {
        let victim = bench.victim(name, Limits::default());
        for words in [
            "send 0 0xffffffff 0 0 0",
            "send 0xffffffff 0xffffffff 0 0 0",
            "send 0xfffffff0 0x20 0 0 0",
            "send 4096 4 0 0xffffffff 0",
            "send 4096 4 0xffffffff 1 0",
            "send 4096 4 0 0 0xfffffff0",
            "send 4096 4 0 0 0xffffffff",
            "send 4096 4 0 0 3",
            "answer 0 0xffffffff",
            "answer 0xffffffff 1",
            "answer 0xfffffff0 0x20",
        ] {
            bench.fails(victim, words, Code::Trapped, "");
            assert_eq!(bench.ask(victim, "canary").expect("lives again"), "clean", "{words}");
        }
        for (how, words) in [("outside", "beyond end"), ("odd", "aligned"), ("trap", "unreachable")] {
            assert_eq!(bench.ask(victim, &format!("realloc {how}")).expect("arms it"), "ok");
            // Strings and bytes may lie anywhere, so an odd address is only odd.
            match bench.ask(victim, "canary") {
                Ok(_) => assert_eq!(how, "odd"),
                Err(error) => assert!(error.message.contains(words), "{how}: {error}"),
            }
            bench.fails(victim, "trap", Code::Trapped, "unreachable");
        }
    }
    assert_eq!(bench.finish(), Vec::<String>::new());
}

#[test]
fn hostile_b7_text_that_is_not_utf_8_is_a_trap() {
    let bench = Bench::new();
    let victim = bench.victim("traps", Limits::default());
    bench.fails(victim, "y", Code::Trapped, "utf-8");
    for name in built(C) {
        let victim = bench.victim(name, Limits::default());
        bench.fails(victim, "garble", Code::Trapped, "utf-8");
        bench.fails(victim, "failure", Code::Trapped, "utf-8");
        assert_eq!(bench.ask(victim, "canary").expect("lives again"), "clean");
    }
    bench.finish();
}

#[test]
fn hostile_b7_text_that_is_not_utf_16_is_a_trap_and_so_is_an_odd_address() {
    let bench = Bench::new();
    for (name, good, bad) in [("utf16", "a", ["b", "c", "d", "e"]), ("latin1", "at", ["bt", "ct", "dt", "d"])]
    {
        let victim = bench.victim(name, Limits::default());
        let error = bench.fails(victim, good, Code::Failure, "a: ");
        assert_eq!(error.text("code"), "A", "{name}");
        for letters in bad {
            bench.fails(victim, letters, Code::Trapped, "");
        }
        // One byte for each letter, where no bit says otherwise.
        if name == "latin1" {
            bench.fails(victim, "a", Code::Failure, "a: ");
        }
    }
    bench.finish();
}

#[test]
fn hostile_b12_a_flood_without_a_newline_is_told_in_bounded_pieces() {
    for name in built(C) {
        let bench = Bench::new();
        let victim = bench.victim(name, SMALL);
        let events = bench.system.events("log").expect("open");
        assert_eq!(bench.ask(victim, "flood 50000").expect("never fails"), "50000");
        let (mut bytes, mut streams) = (0, HashSet::new());
        while bytes < 49_152 {
            let event = events.next_async().wait().expect("open").expect("comes");
            let text = event.detail["text"].as_str().expect("text").len();
            assert!(text <= 4_096, "{text} bytes in one line");
            streams.insert(event.detail["stream"].as_str().expect("text").to_owned());
            bytes += text;
        }
        assert_eq!(streams, HashSet::from(["stdout".to_owned()]));
        drop(events);
        // Far more than anybody keeps, and nobody reads; then the tail is short.
        assert_eq!(bench.ask(victim, "complain 20000000").expect("never fails"), "20000000");
        let error = bench.fails(victim, "trap", Code::Trapped, "unreachable");
        assert!(error.text("stderr").len() <= 2_048, "{} bytes of last words", error.text("stderr").len());
        bench.finish();
    }
}

#[test]
fn hostile_b12_a_reply_that_is_too_long_is_refused_and_the_guest_lives_on() {
    for name in built(C) {
        let bench = Bench::new();
        let victim = bench.victim(name, SMALL);
        assert_eq!(bench.ask(victim, "reply 65536").expect("just fits").len(), 65_536);
        bench.fails(victim, "reply 65537", Code::PayloadTooLarge, "65537");
        // Too long to be looked at is a trap: the host reads no more than a few payloads.
        bench.fails(victim, "reply 2000000", Code::Trapped, "");
        assert_eq!(bench.ask(victim, "canary").expect("lives again"), "clean");
        bench.finish();
    }
}

#[test]
fn hostile_b15_nothing_of_a_life_is_found_in_the_next_one() {
    let bench = Bench::new();
    let victim = bench.victim("traps", SMALL);
    assert!(bench.ask(victim, "a").expect("lives").is_empty());
    assert_eq!(bench.ask(victim, "a").expect("lives"), "dirty");
    for letter in ["b", "j", "m"] {
        bench.fails(victim, letter, if letter == "m" { Code::LimitExceeded } else { Code::Trapped }, "");
        assert!(bench.ask(victim, "a").expect("lives again").is_empty(), "{letter}");
    }
    let other = bench.system.spawn(bench.spec("traps").name("other")).expect("starts");
    assert!(bench.ask(other, "a").expect("lives").is_empty());
    bench.finish();
}

#[test]
fn each_kind_of_trap_of_a_c_program_is_told() {
    for name in built(C) {
        let bench = Bench::new();
        for (words, said) in [
            ("trap", "unreachable"),
            ("abort", "unreachable"),
            ("exit 3", "exit with status"),
            ("outside", "memory out of bounds"),
            ("divide", "division by zero"),
            ("overflow", "integer overflow"),
            ("convert", "invalid conversion"),
            ("signature", "type mismatch"),
            ("null", "uninitialized element"),
        ] {
            let victim = bench.system.spawn(bench.spec(name)).expect("starts");
            bench.fails(victim, words, Code::Trapped, said);
        }
        bench.finish();
    }
}
