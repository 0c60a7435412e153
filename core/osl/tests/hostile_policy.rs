//! Policies that nobody should write: each is refused with a place and a way out.

use airssys_osl::policy::{Policy, PolicyError};

fn refusal(text: impl AsRef<[u8]>) -> PolicyError {
    let shown = String::from_utf8_lossy(text.as_ref()).into_owned();
    Policy::parse(text, "p.yaml").err().unwrap_or_else(|| panic!("{shown}"))
}

/// Loads `0`, where `extends` says what each file extends.
fn chain(extends: impl Fn(usize) -> String) -> (Result<Policy, PolicyError>, usize) {
    let mut reads = 0;
    let text = |number: usize| format!("version: 1\nextends: [{}]\n", extends(number));
    let outcome = Policy::parse_with(text(0), "0", |name| {
        reads += 1;
        name.parse().map(|number| text(number).into_bytes()).map_err(|_| std::io::ErrorKind::NotFound.into())
    });
    (outcome, reads)
}

#[test]
fn hostile_m2_files_that_extend_each_other_are_refused_with_the_circle() {
    let (outcome, _) = chain(|number| ["1", "2", "0"][number].to_owned());
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "2:2:11: files extend each other in a circle: 0 -> 1 -> 2 -> 0"
    );
    let (outcome, _) = chain(|number| ["1", "2", "./1"][number].to_owned());
    assert_eq!(outcome.unwrap_err().message, "files extend each other in a circle: 1 -> 2 -> 1");
    let (outcome, reads) = chain(|_| "0".to_owned());
    assert_eq!(outcome.unwrap_err().message, "files extend each other in a circle: 0 -> 0");
    assert_eq!(reads, 1);
}

#[test]
fn hostile_m2_a_missing_file_and_a_long_chain_are_refused() {
    let (outcome, _) = chain(|_| "base.yaml".to_owned());
    assert_eq!(outcome.unwrap_err().to_string(), "0:2:11: base.yaml: entity not found");
    let (outcome, reads) =
        chain(|number| if number < 1_000 { (number + 1).to_string() } else { String::new() });
    assert_eq!(outcome.unwrap_err().to_string(), "31:2:11: a policy is at most 32 files");
    assert_eq!(reads, 32);
    let (outcome, _) = chain(|number| if number < 31 { (number + 1).to_string() } else { String::new() });
    assert_eq!(outcome.unwrap().sources().len(), 32);
    // Each file extends the two after it: 2^31 ways down, 32 files.
    let (outcome, reads) = chain(|number| match number {
        30 => "31".into(),
        31 => String::new(),
        _ => format!("{}, {}", number + 1, number + 2),
    });
    assert_eq!((outcome.unwrap().sources().len(), reads), (32, 61));
    let same = vec!["1"; 50].join(", ");
    let (outcome, _) = chain(|number| if number == 0 { same.clone() } else { String::new() });
    assert!(outcome.unwrap_err().message.contains("extended twice"));
}

#[test]
fn hostile_m2_all_files_together_are_bounded() {
    let mut reads = 0;
    let list: Vec<String> = (1..20).map(|number| number.to_string()).collect();
    let text = format!("version: 1\nextends: [{}]\n", list.join(", "));
    let outcome = Policy::parse_with(text, "0", |_| {
        reads += 1;
        Ok(format!("version: 1\n#{}", "x".repeat(1 << 19)).into_bytes())
    });
    assert!(outcome.unwrap_err().message.contains("at most 4194304 bytes together"));
    assert_eq!(reads, 8);
}

#[test]
fn hostile_m3_an_unknown_key_is_refused_with_the_one_that_was_meant() {
    let table = [
        ("version: 1\nrulez: []\n", "p.yaml:2:1: a policy has no key `rulez`: did you mean rules?"),
        (
            "version: 1\nrules:\n  - actors: [a]\n    dney: [clock]\n",
            "p.yaml:4:5: a rule has no key `dney`: did you mean deny?",
        ),
        (
            "version: 1\ndefaults: { limit: {} }\n",
            "p.yaml:2:13: defaults has no key `limit`: did you mean limits?",
        ),
        (
            "version: 1\ndefaults: { limits: { memroy: 1MiB } }\n",
            "p.yaml:2:23: limits has no key `memroy`: did you mean memory?",
        ),
        (
            "version: 1\ndefaults: { budget: { cpu_ms: 5ms } }\n",
            "p.yaml:2:23: budget has no key `cpu_ms`: did you mean cpu?",
        ),
        ("version: 1\ntests: [{ actr: a }]\n", "p.yaml:2:11: a test has no key `actr`: did you mean actor?"),
        ("version: 1\n\"a\\nb\": 1\n", "p.yaml:2:1: a policy has no key \"a\\nb\""),
        ("vresion: 1\n", "p.yaml:1:1: a policy has no key `vresion`: did you mean version?"),
    ];
    for (text, want) in table {
        assert_eq!(refusal(text).to_string(), want);
    }
    assert_eq!(refusal(format!("version: 1\n{}: 1\n", "x".repeat(900))).suggestion, None);
}

#[test]
fn what_a_value_may_be_is_checked_where_it_stands() {
    let rule = |line: &str| format!("version: 1\nrules:\n  - actors: [a]\n    {line}\n");
    let table = [
        ("rules: []\n".to_owned(), 1, 1, "write `version: 1` first"),
        ("version: 2\n".into(), 1, 10, "this release reads version 1"),
        ("version: \"1\"\n".into(), 1, 10, "without quotes"),
        ("version: 1.0\n".into(), 1, 10, "not known"),
        ("version:\n".into(), 1, 8, "not nothing"),
        ("- a\n".into(), 1, 1, "a policy is a map"),
        ("text\n".into(), 1, 1, "not a text"),
        ("version: 1\nsealed: yes\n".into(), 2, 9, "true or false"),
        ("version: 1\nsealed: \"true\"\n".into(), 2, 9, "without quotes"),
        ("version: 1\nrules:\n".into(), 2, 6, "leave it out"),
        ("version: 1\nrules: { actors: [a] }\n".into(), 2, 8, "a list belongs here"),
        ("version: 1\nrules: [a]\n".into(), 2, 9, "a rule is a map"),
        ("version: 1\nrules: [{ allow: [clock] }]\n".into(), 2, 9, "needs the key `actors`"),
        ("version: 1\nrules: [{ actors: [] }]\n".into(), 2, 9, "for somebody"),
        ("version: 1\nrules: [{ actors: [a/b] }]\n".into(), 2, 20, "namespace/name/instance"),
        ("version: 1\nrules: [{ actors: a }]\n".into(), 2, 19, "such as [a, b]"),
        ("version: 1\nextends: [[a]]\n".into(), 2, 11, "a text belongs here"),
        ("version: 1\nextends: [x.yaml]\n".into(), 2, 11, "a text extends no files"),
        (rule("allow: [fs.raed /x]"), 4, 13, "did you mean fs.read?"),
        (rule("allow:\n      - clock\n      - fs.read x"), 6, 9, "absolute"),
        (rule("allow: [fs.read,list /x]"), 4, 13, "as in fs.read /data/**"),
        (rule("allow: [{ capability: fs.read, scope: x }]"), 4, 13, "absolute"),
        (rule("allow: [{ capability: [fs.read] }]"), 4, 27, "not a list"),
        (rule("allow: [{ scope: /x }]"), 4, 13, "`capability` is missing"),
        (rule("allow: [[clock]]"), 4, 13, "not a list"),
        (rule("allow: [~]"), 4, 13, "not nothing"),
        (rule("allow: clock"), 4, 12, "such as [a, b]"),
        (rule("component: sha256:abc"), 4, 16, "64 hexadecimal digits"),
        (rule(&format!("component: {}", "a".repeat(64))), 4, 16, "sha256:"),
        (rule("name: \"a\\nb\""), 4, 11, "one line"),
        (rule("name: \"a\\u202Eb\""), 4, 11, "one line"),
        (rule("override: 1"), 4, 15, "true or false"),
        (rule("limits: { memory: 64 }"), 4, 23, "such as 10MiB"),
        (rule("limits: { memory: 64MB }"), 4, 23, "such as 10MiB"),
        (rule("limits: { memory: 0MiB }"), 4, 23, "0 is not a bound"),
        (rule("limits: { memory: 1025GiB }"), 4, 23, "out of range"),
        (rule("limits: { mailbox: 500msgs }"), 4, 24, "no count"),
        (rule("limits: { mailbox: \"500\" }"), 4, 24, "without quotes"),
        (rule("limits: { mailbox: 1000000001 }"), 4, 24, "out of range"),
        (rule("limits: { mailbox: }"), 4, 22, "not nothing"),
        (rule("budget: { cpu: 500 }"), 4, 20, "such as 200ms"),
        (rule("budget: { cpu: 25h }"), 4, 20, "out of range"),
        (rule("budget: [cpu]"), 4, 13, "budget is a map"),
        ("version: 1\ntests: [{ actor: a }]\n".into(), 2, 9, "either `allow` or `deny`"),
        ("version: 1\ntests: [{ actor: a, allow: clock, deny: clock }]\n".into(), 2, 9, "either"),
        ("version: 1\ntests: [{ actor: \"*/*/*\", allow: clock }]\n".into(), 2, 18, "without `*`"),
        ("version: 1\ntests: [{ actor: a, allow: fs.read /** }]\n".into(), 2, 28, "without wildcards"),
    ];
    for (text, line, column, says) in table {
        let error = refusal(&text);
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
        assert!(error.message.contains(says), "{text}: {error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn hostile_m8_a_file_that_says_nothing_denies_everything() {
    for text in
        ["", "\n\n", "# a comment\n", "{}", "{} # nothing\n", "---\n", "~", "\u{feff}", "\u{feff}# x\r\n"]
    {
        let policy = Policy::parse(text, "p.yaml").unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let resolved = policy.resolve("default/a/0", None);
        assert_eq!(resolved, Policy::empty().resolve("default/a/0", None));
        assert_eq!((resolved.allow.len(), resolved.sealed), (0, false));
        assert!(!policy.explain("a", None, "clock").unwrap().allowed);
    }
    assert!(!Policy::empty().explain("a", None, "clock").unwrap().allowed);
    assert!(refusal("{rules: []}").message.contains("version"));
    assert!(refusal("[]").message.contains("is a map"));
}
