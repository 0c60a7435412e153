//! Fuel: the same number for the same message, whoever counts.

use std::path::Path;

use airwasm::{ActorSpec, Budget, Code, ComponentHandle, Config, Error, RequestOptions, System};
use airwasm_tests::guest;

use crate::bombs::computed;

/// What `burner` burns for ten bytes; `03-crashes.jsonl` says it for all hosts.
const BURNT: u64 = 8_012;

fn open(fuel: bool) -> System {
    System::open(Config { fuel, ..Config::default() }).expect("a system")
}

fn ask(
    system: &System,
    burner: ComponentHandle,
    fuel: Option<u64>,
    payload: &[u8],
) -> Result<Vec<u8>, Error> {
    let budget = Budget { fuel, cpu: Some(std::time::Duration::MAX), ..Budget::default() };
    let actor = system.spawn(ActorSpec::new(burner).name("burner").budget(budget))?;
    let options = RequestOptions { timeout: Some(std::time::Duration::MAX), ..RequestOptions::default() };
    let answer = system.request(actor, payload, &options);
    // One that has crashed is gone already.
    let _ = system.stop(actor, None);
    answer
}

/// The least fuel that is enough.
fn burnt(system: &System) -> u64 {
    let burner = system.load(&guest("burner")).expect("loads");
    let (mut least, mut most) = (0, 1 << 20);
    while most - least > 1 {
        let middle = (least + most) / 2;
        match ask(system, burner, Some(middle), b"0123456789") {
            Ok(_) => most = middle,
            Err(error) => {
                let facts = ["which", "allowed", "used"].map(|fact| error.detail.get(fact).cloned());
                let [which, allowed, used] = facts.map(Option::unwrap_or_default);
                assert!(matches!(error.code, Code::BudgetExceeded | Code::StartFailed), "{error}");
                if error.code == Code::BudgetExceeded {
                    assert_eq!((which, allowed, used), ("fuel".into(), middle.into(), middle.into()));
                }
                least = middle;
            }
        }
    }
    most
}

#[test]
fn the_same_message_burns_the_same_fuel_in_every_system() {
    assert_eq!([burnt(&open(true)), burnt(&open(true))], [BURNT; 2]);
}

#[test]
fn code_that_counts_fuel_is_not_that_which_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let loaded = |fuel| {
        let config = Config { fuel, cache_dir: Some(folder.path().to_owned()), ..Config::default() };
        let system = System::open(config).expect("a system");
        ask(&system, system.load(&guest("burner")).expect("loads"), fuel.then_some(BURNT), b"0123456789")
    };
    for fuel in [true, false, true, false] {
        assert_eq!(loaded(fuel), Ok(Vec::new()));
    }
    let entries = |path: &Path| std::fs::read_dir(path).expect("there").count();
    assert_eq!(entries(folder.path()), 3, "the secret, and the code of both");
}

/// `cargo test --release --workspace --test load -- --ignored --nocapture --test-threads 1 what_fuel_costs`.
#[test]
#[ignore = "a measurement"]
fn what_fuel_costs() {
    let payload = vec![b'x'; 60_000];
    let seconds = [false, true].map(|fuel| {
        let system = open(fuel);
        let burner = system.load(&guest("burner")).expect("loads");
        let begun = computed();
        for _ in 0..100 {
            ask(&system, burner, None, &payload).expect("answers");
        }
        computed() - begun
    });
    println!("600 M turns of a tight loop: {:.2} s without fuel, {:.2} s with it", seconds[0], seconds[1]);
}
