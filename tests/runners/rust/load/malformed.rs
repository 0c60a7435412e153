//! Bytes that are no component, or nearly one.

use airwasm::{Code, Config, System};
use airwasm_tests::guest;

fn open() -> System {
    System::open(Config::default()).expect("a system")
}

/// Numbers that look random and are the same in each run (xorshift).
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    }
}

#[test]
fn hostile_c1_what_is_no_component_is_invalid() {
    let system = open();
    for bytes in
        [&b""[..], b"\0", b"\0asm", b"\x7fELF\x02\x01\x01\0", b"PK\x03\x04", b"\x1f\x8b\x08", b"(component)"]
    {
        let error = system.load_bytes(bytes.to_vec()).expect_err("no component");
        assert_eq!(error.code, Code::InvalidComponent, "{bytes:?}: {error}");
    }
}

#[test]
fn hostile_c2_a_component_cut_at_any_byte_is_refused_or_whole_without_its_last_sections() {
    let system = open();
    for name in ["no-handler", "start-loop", "wrong-type"] {
        let whole = std::fs::read(guest(name)).expect("built");
        for length in 0..whole.len() {
            let Ok(component) = system.load_bytes(whole[..length].to_vec()) else { continue };
            // Cut between two sections it is a component of its own, and known as another.
            let other = system.inspect(component).expect("loaded").digest;
            let first = system.load_bytes(whole.clone()).expect("loads");
            assert_ne!(other, system.inspect(first).expect("loaded").digest);
        }
    }
}

#[test]
fn hostile_c3_a_component_with_flipped_bits_is_refused_or_loads() {
    let system = open();
    let mut below = numbers(0x9e37_79b9_7f4a_7c15);
    for name in ["start-loop", "echo"] {
        let whole = std::fs::read(guest(name)).expect("built");
        for _ in 0..300 {
            let mut bytes = whole.clone();
            let place = below(bytes.len());
            bytes[place] ^= 1 << below(8);
            match system.load_bytes(bytes) {
                Ok(component) => system.unload(component).expect("loaded"),
                Err(error) => assert!(
                    matches!(
                        error.code,
                        Code::InvalidComponent
                            | Code::CoreModule
                            | Code::CompileLimit
                            | Code::ProfileRequired
                    ),
                    "byte {place}: {error}"
                ),
            }
        }
    }
}

#[test]
fn hostile_c4_a_core_module_is_told_apart() {
    let error = open().load(&guest("core")).expect_err("a core module");
    assert_eq!(error.code, Code::CoreModule);
    assert!(error.text("how").contains("wasm-tools component new"));
}

#[test]
fn hostile_c12_what_is_hashed_is_what_is_compiled() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("guest.wasm");
    let (echo, hello) =
        (std::fs::read(guest("echo")).expect("built"), std::fs::read(guest("hello")).expect("built"));
    std::fs::write(&path, &echo).expect("written");
    let system = open();
    let loading = system.load_async(&path);
    std::fs::write(folder.path().join("new"), &hello).expect("written");
    std::fs::rename(folder.path().join("new"), &path).expect("replaced");
    let found = system.inspect(loading.wait().expect("one or the other")).expect("loaded");
    let of = |bytes: Vec<u8>| system.inspect(system.load_bytes(bytes).expect("loads")).expect("loaded");
    assert!([of(echo), of(hello)].contains(&found));
}
