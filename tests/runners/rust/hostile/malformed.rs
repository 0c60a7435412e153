//! Group C where it runs: components with flipped bits that load are spawned and asked, within bounds.

use std::time::Duration;

use airwasm::{ActorSpec, Budget, Code, Limits, RequestOptions};
use airwasm_tests::guest;

use super::Bench;

/// Numbers that look random and are the same in each run (xorshift).
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    }
}

/// `AIRWASM_FLIPS` of them, or 10,000.
#[test]
fn hostile_c3_what_loads_of_flipped_bits_runs_within_its_limits() {
    let flips = std::env::var("AIRWASM_FLIPS").map_or(10_000, |text| text.parse().expect("a number"));
    let (bench, mut below) = (Bench::new(), numbers(0x2545_f491_4f6c_dd1d));
    let whole = std::fs::read(guest("traps")).expect("built");
    let budget = Budget { cpu: Some(Duration::from_millis(5)), host_calls: Some(1_000), ..Budget::default() };
    let limits = Limits { memory_bytes: Some(1 << 20), ..Limits::default() };
    let (mut loaded, mut started, mut answered) = (0, 0, 0);
    for flip in 0..flips {
        let mut bytes = whole.clone();
        for _ in 0..=below(3) {
            let place = below(bytes.len());
            bytes[place] ^= 1 << below(8);
        }
        let component = match bench.system.load_bytes(bytes) {
            Ok(component) => component,
            Err(error) => {
                let codes =
                    [Code::InvalidComponent, Code::CoreModule, Code::CompileLimit, Code::ProfileRequired];
                assert!(codes.contains(&error.code), "flip {flip}: {error}");
                continue;
            }
        };
        loaded += 1;
        let spec = ActorSpec::new(component).name("flipped").budget(budget).limits(limits);
        match bench.system.spawn(spec) {
            Ok(actor) => {
                started += 1;
                let letter = [b"abcdefghijklmnopqrstuvwxyzABCDEF"[below(32)]];
                let answer = bench.system.request(actor, &letter, &RequestOptions::default());
                answered += usize::from(answer.is_ok());
                if let Err(error) = answer {
                    assert!(
                        !matches!(error.code, Code::Internal | Code::Panic | Code::Timeout),
                        "flip {flip}: {error}"
                    );
                }
                let _ = bench.system.stop(actor, None);
            }
            Err(error) => {
                let codes = [Code::ImportMissing, Code::TypeMismatch, Code::StartFailed, Code::ExportMissing];
                assert!(codes.contains(&error.code), "flip {flip}: {} {error}", error.code.name());
            }
        }
        bench.system.unload(component).expect("loaded");
    }
    println!("flips={flips} loaded={loaded} started={started} answered={answered}");
    assert!(loaded > 0 && started > 0 && answered > 0, "nothing was tried");
    let stats = bench.system.stats().expect("open");
    assert_eq!((stats.actors, stats.components), (1, 1));
    bench.finish();
}

#[test]
fn hostile_c6_a_missing_import_is_named_and_nothing_runs() {
    let bench = Bench::new();
    let error = bench.system.spawn(bench.spec("missing-import")).expect_err("lacks an import");
    assert_eq!((error.code, error.text("import")), (Code::ImportMissing, "acme:tools/db@1.0.0"), "{error}");
    assert_eq!(bench.system.stats().expect("open").actors, 1);
    bench.finish();
}

#[test]
fn hostile_c7_an_export_of_another_type_is_told_before_anything_runs() {
    let bench = Bench::new();
    let error = bench.system.spawn(bench.spec("wrong-type")).expect_err("lies about its type");
    assert_eq!(error.code, Code::TypeMismatch, "{error}");
    assert_eq!(bench.system.stats().expect("open").actors, 1);
    bench.finish();
}
