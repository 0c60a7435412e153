//! Traps of every kind, one after the other, in one actor that is started again each time: 20,000 of them, or as many as
//! `AIRWASM_TRAPS` says. Prints what they leave behind.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use airwasm::{
    ActorHandle, ActorSpec, Backoff, Budget, Code, Config, Error, Limits, RequestOptions, SupervisorSpec,
    System, UNLIMITED,
};
use airwasm_tests::{guest, open_files, resident_bytes};

/// Letters that are sent, the last of which ends the guest; how its caller learns of that, and a word of the text.
const KINDS: [(&str, Code, &str); 31] = [
    ("b", Code::Trapped, "unreachable"),
    ("c", Code::Trapped, "memory out of bounds"),
    ("d", Code::Trapped, "undefined element"),
    ("e", Code::Trapped, "uninitialized element"),
    ("f", Code::Trapped, "indirect call type mismatch"),
    ("g", Code::Trapped, "division by zero"),
    ("h", Code::Trapped, "integer overflow"),
    ("i", Code::Trapped, "invalid conversion to integer"),
    ("j", Code::Trapped, "stack overflow"),
    ("k", Code::Trapped, "stack overflow"),
    ("l", Code::Trapped, "stack overflow"),
    ("m", Code::LimitExceeded, "memory_bytes"),
    ("n", Code::LimitExceeded, "table_elements"),
    ("o", Code::LimitExceeded, "handles"),
    ("p", Code::LimitExceeded, "handles"),
    ("q", Code::Trapped, "out of bounds"),
    ("r", Code::Trapped, "aligned"),
    ("s", Code::BudgetExceeded, "cpu_ms"),
    ("t", Code::BudgetExceeded, ""),
    ("u", Code::Trapped, "out of bounds"),
    ("v", Code::Trapped, "aligned"),
    ("w", Code::Trapped, "invalid"),
    ("x", Code::Trapped, "out of bounds"),
    ("y", Code::Trapped, "utf-8"),
    ("z", Code::Trapped, "out of bounds"),
    ("Aa", Code::BudgetExceeded, "cpu_ms"),
    ("Ba", Code::Trapped, "beyond end of memory"),
    ("Ca", Code::Trapped, "unreachable"),
    ("D", Code::Trapped, "handle"),
    ("E", Code::BudgetExceeded, "cpu_ms"),
    ("F", Code::Trapped, "memory out of bounds"),
];

/// One test at a time, for they count what the whole process holds.
static ALONE: Mutex<()> = Mutex::new(());

fn traps() -> usize {
    std::env::var("AIRWASM_TRAPS").map_or(20_000, |text| text.parse().expect("a number"))
}

/// One actor that dies over and over and is started again each time, and one beside it.
struct Dying {
    system: System,
    victim: ActorHandle,
    neighbour: ActorHandle,
    // The last field: the system is gone before the other test begins.
    _alone: MutexGuard<'static, ()>,
}

impl Dying {
    fn new(cpu: Duration) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let system = System::open(Config::default()).expect("a system");
        let load = |name| system.load(&guest(name)).expect("loads");
        let budget = Budget { cpu: Some(cpu), host_calls: Some(2_000), ..Budget::default() };
        let limits =
            Limits { memory_bytes: Some(1 << 20), table_elements: Some(10_000), ..Limits::default() };
        let spec = ActorSpec::new(load("traps")).name("victim").limits(limits).budget(budget);
        let at_once = Backoff { initial: Some(Duration::ZERO), ..Backoff::default() };
        let above = SupervisorSpec::new("above").intensity(UNLIMITED, Duration::from_millis(1));
        system.supervisor(above.backoff(at_once).child(spec)).expect("starts");
        let victim = system.lookup("victim").expect("lives");
        let neighbour = system.spawn(ActorSpec::new(load("echo"))).expect("starts");
        Self { system, victim, neighbour, _alone: alone }
    }

    fn ask(&self, letter: &str) -> airwasm::Result<Vec<u8>> {
        self.system.request(self.victim, letter.as_bytes(), &RequestOptions::default())
    }

    /// How the guest died of these letters.
    fn die(&self, letters: &str) -> Error {
        let (before, last) = letters.split_at(letters.len() - 1);
        let early = if before.is_empty() { None } else { self.ask(before).err() };
        early.unwrap_or_else(|| self.ask(last).expect_err(letters))
    }

    fn neighbour_answers(&self) {
        let answer = self.system.request(self.neighbour, b"there?", &RequestOptions::default());
        assert_eq!(answer.expect("answers"), b"there?");
    }
}

#[test]
fn each_trap_has_its_own_words_and_the_next_life_begins_with_nothing() {
    let dying = Dying::new(Duration::from_millis(300));
    for (letters, code, words) in KINDS {
        let error = dying.die(letters);
        let text = error.message.to_lowercase();
        println!("{letters}: {} {}", error.code.name(), error.message);
        assert!(error.code == code && text.contains(words), "{letters}: {error}");
        assert_eq!(error.actor.as_deref(), Some("default/victim/0"), "{letters}");
        assert!(
            dying.ask("a").expect("lives again").is_empty(),
            "{letters}: a life begins with what is left"
        );
        dying.neighbour_answers();
    }
    assert_eq!(dying.system.stats().expect("open").restarts, KINDS.len() as u64);
}

#[test]
fn hostile_b13_traps_of_every_kind_leave_nothing_behind() {
    let (dying, traps) = (Dying::new(Duration::from_millis(1)), traps());
    let warm = traps / 10;
    let (mut before, mut late, mut other) = ((0, 0), 0, 0);
    for (trap, (letters, code, _)) in KINDS.iter().cycle().take(traps).enumerate() {
        if trap == warm {
            before = (resident_bytes(), open_files());
        }
        let error = dying.die(letters);
        // Of a processor that others want too, the one millisecond may pass before the guest traps.
        let by_time = error.text("which") == "cpu_ms";
        assert!(error.code == *code || by_time, "{letters}: {error}");
        other += usize::from(error.code != *code);
        if by_time {
            let figure = |key: &str| error.detail[key].as_u64().expect("a count");
            late = late.max(figure("used") - figure("allowed"));
        }
        if trap % 1_000 == 0 {
            dying.neighbour_answers();
        }
    }
    // The last restart is done when there is an answer.
    assert!(dying.ask("a").expect("lives again").is_empty());
    dying.neighbour_answers();
    let slope = (resident_bytes() as f64 - before.0 as f64) / (traps - warm) as f64;
    println!(
        "traps={traps} kinds={} resident_bytes_per_trap={slope:.2} over_budget_ms_max={late} by_time={other}",
        KINDS.len()
    );
    assert!(slope < 1_024.0, "{slope} bytes a trap are kept");
    assert_eq!(open_files(), before.1, "descriptors");
    let stats = dying.system.stats().expect("open");
    assert_eq!((stats.actors, stats.restarts), (3, traps as u64));
    assert_eq!(stats.sent, stats.delivered + stats.rejected + stats.dropped + stats.dead_letters);
}
