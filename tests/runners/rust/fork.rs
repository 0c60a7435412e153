//! `hostile_i12`: a forked child cannot use its parent's system, and can open its own.

#![allow(unsafe_code)]

use std::process::ExitCode;

use airwasm::{ActorSpec, Code, Config, RequestOptions, System};
use airwasm_tests::guest;

fn answers(system: &System, name: &str) -> bool {
    let component = system.load(&guest("hello")).expect("loads");
    let actor = system.spawn(ActorSpec::new(component).name(name)).expect("starts");
    system.request(actor, b"x", &RequestOptions::default()).expect("answers") == b"hello x"
}

fn in_child(system: System) -> bool {
    let refused = system.lookup("a").err().map(|error| error.code) == Some(Code::Forked);
    // Its threads are the parent's: this must not wait for them.
    drop(system);
    refused && answers(&System::open(Config::default()).expect("a system"), "c")
}

fn main() -> ExitCode {
    let system = System::open(Config::default()).expect("a system");
    assert!(answers(&system, "a"));
    // SAFETY: the child only uses what the library promises to work after a fork, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let good = in_child(system);
        // SAFETY: ends the child without the parent's destructors.
        unsafe { libc::_exit(if good { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: waits for the child that was just made.
    unsafe { libc::waitpid(child, &mut status, 0) };
    let passed = status == 0 && answers(&system, "b");
    println!("hostile_i12_fork: {} passed, {} failed", u8::from(passed), u8::from(!passed));
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
