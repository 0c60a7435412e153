//! A policy file: what it means, and what it says of itself.

use airssys_osl::policy::{Policy, PolicyBudget, PolicyLimits, Resolved, policy_schema};

const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn parse(text: &str) -> Policy {
    Policy::parse(text, "policy.yaml").unwrap_or_else(|error| panic!("{error}"))
}

/// A policy that extends others, named by their files; the first is loaded.
fn layered(files: &[(&str, &str)]) -> Result<Policy, String> {
    let read = |name: &str| match files.iter().find(|(file, _)| *file == name) {
        Some((_, text)) => Ok(text.as_bytes().to_vec()),
        None => Err(std::io::ErrorKind::NotFound.into()),
    };
    Policy::parse_with(files[0].1, files[0].0, read).map_err(|error| error.to_string())
}

#[track_caller]
fn explain(policy: &Policy, actor: &str, ask: &str) -> String {
    policy.explain(actor, None, ask).unwrap_or_else(|error| panic!("{error}")).to_string()
}

const DOCS: &str = "\
version: 1
defaults:
  limits: { memory: 64MiB, mailbox: 500 }
  budget: { cpu: 500ms, wall: 10s, output: 1MiB }
  deny: [fs.read /etc/shadow]
rules:
  - name: web tools
    actors: [tools/fetch/*, tools/search/*]
    allow:
      - fs.read,list /srv/docs/**
      - message.request db
    deny:
      - fs.read /srv/docs/private/**
    budget: { cpu: 200ms, host_calls: 5000 }
  - name: one artefact
    actors: [tools/git/*]
    component: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    allow:
      - capability: fs.read
        scope: /srv/git/**
        ttl: 60s
    limits: { processes: 1 }
tests:
  - { actor: tools/fetch/0, allow: fs.read /srv/docs/guide.md }
  - { actor: tools/fetch/0, deny: fs.read /srv/docs/private/pay.txt }
  - { actor: tools/fetch/0, deny: fs.read /etc/passwd }
  - { actor: tools/git/0, deny: fs.read /srv/git/x }
  - { actor: tools/git/0, component: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, allow: fs.read /srv/git/x }
";

#[test]
fn all_rules_that_match_add_up() {
    let policy = parse(DOCS);
    let Resolved { allow, deny, limits, budget, sealed, strict_link } = policy.resolve("tools/fetch/0", None);
    let texts: Vec<_> = allow.iter().map(|ruled| (ruled.capability.to_string(), ruled.line)).collect();
    let want =
        [("fs.read /srv/docs/**", 10), ("fs.list /srv/docs/**", 10), ("message.request default/db/0", 11)];
    assert_eq!(texts, want.map(|(text, line)| (text.to_owned(), line)));
    assert_eq!(allow[0].to_string(), "policy.yaml:10 fs.read,list /srv/docs/**");
    assert_eq!((allow[0].rule.as_deref(), deny[0].rule.as_deref()), (Some("web tools"), None));
    let denied: Vec<_> = deny.iter().map(|ruled| (&*ruled.text, ruled.line)).collect();
    assert_eq!(denied, [("fs.read /etc/shadow", 5), ("fs.read /srv/docs/private/**", 13)]);
    let want =
        PolicyLimits { memory_bytes: Some(64 << 20), mailbox_messages: Some(500), ..PolicyLimits::default() };
    assert_eq!((limits, sealed, strict_link), (want, false, false));
    let want = PolicyBudget {
        cpu_ms: Some(200),
        wall_ms: Some(10_000),
        output_bytes: Some(1 << 20),
        host_calls: Some(5_000),
    };
    assert_eq!(budget, want);
    let nobody = policy.resolve("no id at all", None);
    assert_eq!(
        (nobody.allow.len(), nobody.deny.len(), nobody.limits),
        (0, 1, limits),
        "defaults hold for all"
    );
}

#[test]
fn a_rule_for_an_artefact_holds_for_that_artefact() {
    let policy = parse(DOCS);
    let with = format!("sha256:{DIGEST}");
    for digest in [DIGEST, &with] {
        let resolved = policy.resolve("tools/git/0", Some(digest));
        assert_eq!(resolved.allow[0].to_string(), "policy.yaml:19 fs.read /srv/git/** ; ttl=60s");
        assert_eq!(resolved.limits.processes, Some(1));
    }
    for digest in [None, Some(""), Some(&DIGEST[1..])] {
        assert_eq!(policy.resolve("tools/git/0", digest).allow, []);
    }
}

#[test]
fn an_explanation_names_the_rule_that_decides() {
    let policy = parse(DOCS);
    let table = [
        ("fs.read /srv/docs/a", "allow: policy.yaml:10 fs.read,list /srv/docs/**"),
        (
            "fs.read /srv/docs/private/a",
            "deny: policy.yaml:13 fs.read /srv/docs/private/** beats policy.yaml:10 fs.read,list /srv/docs/**",
        ),
        ("fs.read /etc/shadow", "deny: policy.yaml:5 fs.read /etc/shadow"),
        (
            "fs.read \"/etc/a b\"",
            "deny: nothing allows tools/fetch/0 fs.read \"/etc/a b\"; add to the allow of policy.yaml:7 (web tools): - fs.read \"/etc/a b\"",
        ),
    ];
    for (ask, want) in table {
        assert_eq!(explain(&policy, "tools/fetch/0", ask), want);
    }
    assert_eq!(
        explain(&policy, "stranger", "fs.read \"/a b\""),
        "deny: nothing allows default/stranger/0 fs.read \"/a b\"; add to the rules of policy.yaml: - { actors: [default/stranger/0], allow: [\"fs.read \\\"/a b\\\"\"] }"
    );
    assert!(
        policy.explain("x", None, "fs.read /srv/*").unwrap_err().to_string().contains("without wildcards")
    );
    assert_eq!(policy.explain("no id", None, "clock").unwrap().hint, None);
}

#[test]
fn the_line_that_an_explanation_gives_allows_what_was_asked() {
    let actors = ["tools/fetch/0", "tools/git/7", "a", "tools/x/0"];
    let asks = ["fs.read /x", "fs.list \"/a: b #c\"", r"fs.read /\[x\]\*", "message.send b", "clock"];
    let files = [
        DOCS,
        "{}",
        "# nothing\n",
        "version: 1\n",
        "version: 1\nextends: [base.yaml]\n",
        "version: 1\nextends: [base.yaml]\nrules:\n  - actors: [tools/fetch/*]\n    allow:\n      - fs.read /srv/docs/a\n",
        "version: 1\nextends: [base.yaml]\nrules:\n  - actors: [\"*/*/*\"]\n    override: true\n    allow:\n      - random\n",
    ];
    for text in files {
        for (actor, ask) in actors.iter().flat_map(|actor| asks.iter().map(move |ask| (actor, ask))) {
            let policy = layered(&[("p.yaml", text), ("base.yaml", DOCS)]).unwrap();
            let explanation = policy.explain(actor, None, ask).unwrap();
            let hint = explanation.hint.unwrap_or_else(|| panic!("{actor} {ask}"));
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let (place, indent) = match hint.line {
                Some(line) => {
                    let allow =
                        lines[line as usize..].iter().position(|line| line.trim() == "allow:").unwrap();
                    (line as usize + allow + 1, "      ")
                }
                None => match lines.iter().position(|line| line == "rules:") {
                    Some(rules) => (rules + 1, "  "),
                    None => {
                        lines.retain(|line| line != "{}");
                        if !text.contains("version") {
                            lines.push("version: 1".into());
                        }
                        lines.push("rules:".into());
                        (lines.len(), "  ")
                    }
                },
            };
            lines.insert(place, format!("{indent}{}", hint.text));
            let changed = lines.join("\n");
            let policy = layered(&[("p.yaml", &changed), ("base.yaml", DOCS)])
                .unwrap_or_else(|error| panic!("{error}\n{changed}"));
            assert!(policy.explain(actor, None, ask).unwrap().allowed, "{actor} {ask}\n{changed}");
        }
    }
}

#[test]
fn tests_report_what_does_not_hold_and_why() {
    assert_eq!(parse(DOCS).test().to_string(), "5 passed, 0 failed");
    let wrong =
        DOCS.replace("deny: fs.read /srv/docs/private/pay.txt", "allow: fs.read /srv/docs/private/pay.txt");
    let report = parse(&wrong).test();
    assert_eq!((report.passed, report.failed.len(), report.failed[0].line), (4, 1, 25));
    assert_eq!(
        report.to_string(),
        "policy.yaml:25: tools/fetch/0, allow: fs.read /srv/docs/private/pay.txt: got deny: policy.yaml:13 fs.read /srv/docs/private/** beats policy.yaml:10 fs.read,list /srv/docs/**\n4 passed, 1 failed"
    );
}

const BASE: &str = "\
version: 1
rules:
  - actors: [tools/*/*]
    allow: [fs.read /srv/**, clock]
    deny: [fs.read /srv/private/**]
    limits: { files: 8, mailbox: 10, region_bytes: 1MiB }
";

fn child(rules: &str) -> Result<Policy, String> {
    layered(&[
        ("child.yaml", &format!("version: 1\nextends: [base.yaml]\nrules:\n{rules}")),
        ("base.yaml", BASE),
    ])
}

#[test]
fn a_file_that_extends_narrows() {
    let denies =
        child("  - { actors: [tools/a/*], deny: [fs.read /srv/x], limits: { files: 9, mailbox: 5 } }\n")
            .unwrap();
    let resolved = denies.resolve("tools/a/0", None);
    assert_eq!((resolved.allow.len(), resolved.deny.len()), (2, 2), "what is allowed stays but for the deny");
    assert_eq!((resolved.limits.files, resolved.limits.mailbox_messages), (Some(8), Some(5)));
    assert_eq!(resolved.limits.region_bytes, Some(1 << 20), "what it is silent on stays");
    let smaller = child("  - { actors: [tools/a/*], limits: { region_bytes: 64KiB } }\n").unwrap();
    assert_eq!(smaller.resolve("tools/a/0", None).limits.region_bytes, Some(64 << 10));

    let narrows = child("  - { actors: [tools/a/*], allow: [fs.read /srv/docs/**] }\n").unwrap();
    assert_eq!(narrows.sources().iter().map(|name| &**name).collect::<Vec<_>>(), ["base.yaml", "child.yaml"]);
    assert!(explain(&narrows, "tools/a/0", "fs.read /srv/docs/x").starts_with("allow: child.yaml:4"));
    assert_eq!(
        explain(&narrows, "tools/a/0", "fs.read /srv/x"),
        "deny: base.yaml:4 fs.read /srv/** is narrowed by the file that extends it; add to the allow of child.yaml:4: - fs.read /srv/x"
    );
    assert!(explain(&narrows, "tools/b/0", "fs.read /srv/x").starts_with("allow: base.yaml:4"));

    let widens =
        child("  - { actors: [tools/a/*], override: true, allow: [random, fs.read /srv/private/x] }\n")
            .unwrap();
    let allowed = |ask: &str| explain(&widens, "tools/a/0", ask).starts_with("allow");
    assert!(allowed("random") && allowed("clock"), "an override joins");
    assert!(!allowed("fs.read /srv/private/x"), "nothing lifts a deny");
}

#[test]
fn what_is_not_shown_to_narrow_is_refused_where_it_stands() {
    let table = [
        (
            "  - { actors: [tools/a/*], allow: [clock, random] }\n",
            "child.yaml:4:43: random is more than base.yaml allows",
        ),
        ("  - actors: [tools/a/*]\n    allow:\n      - fs.read /**\n", "child.yaml:6:9: fs.read /** is more"),
        ("  - { actors: [other/a/*], allow: [clock] }\n", "child.yaml:4:36: clock is more"),
        ("  - { actors: [tools/a/*, \"*/*/*\"], allow: [clock] }\n", "clock is more"),
        (
            "  - { actors: [tools/a/*], allow: [fs.read /srv/*/x, fs.list /srv/x] }\n",
            "fs.list /srv/x is more",
        ),
    ];
    for (rules, want) in table {
        let error = child(rules).unwrap_err();
        assert!(error.contains(want) && error.contains("override: true"), "{error}");
    }
    // A grandchild is held to what its parent left of its grandparent.
    let grand = |parent: &str| {
        layered(&[
            (
                "c.yaml",
                "version: 1\nextends: [b.yaml]\nrules: [{ actors: [tools/a/0], allow: [fs.read /srv/y] }]\n",
            ),
            ("b.yaml", &format!("version: 1\nextends: [base.yaml]\n{parent}")),
            ("base.yaml", BASE),
        ])
    };
    assert!(grand("").is_ok());
    assert!(grand("rules: [{ actors: [tools/b/*], allow: [fs.read /srv/x] }]\n").is_ok());
    assert!(
        grand("rules: [{ actors: [tools/*/0], allow: [fs.read /srv/x] }]\n")
            .unwrap_err()
            .contains("c.yaml:3")
    );
    assert!(grand("rules: [{ actors: [tools/*/0], override: true, allow: [random] }]\n").is_ok());
}

#[test]
fn a_seal_stays() {
    let sealed = "version: 1\nsealed: true\n";
    let open = layered(&[("c.yaml", "version: 1\nextends: [b.yaml]\n"), ("b.yaml", sealed)]).unwrap();
    assert!(open.sealed() && open.resolve("a", None).sealed);
    let error = layered(&[("c.yaml", "version: 1\nsealed: false\nextends: [b.yaml]\n"), ("b.yaml", sealed)])
        .unwrap_err();
    assert_eq!(error, "c.yaml:2:9: b.yaml is sealed, which nothing takes back: leave this out");
}

#[test]
fn a_strict_link_stays() {
    let strict = "version: 1\nlink: strict\n";
    let over = layered(&[("c.yaml", "version: 1\nextends: [b.yaml]\n"), ("b.yaml", strict)]).unwrap();
    assert!(over.resolve("a", None).strict_link);
    let lazy = layered(&[("c.yaml", "version: 1\nlink: lazy\n")]).unwrap();
    assert!(!lazy.resolve("a", None).strict_link);
    let error = layered(&[("c.yaml", "version: 1\nlink: lazy\nextends: [b.yaml]\n"), ("b.yaml", strict)])
        .unwrap_err();
    assert_eq!(error, "c.yaml:2:7: b.yaml is link: strict, which nothing takes back: leave this out");
    let error = layered(&[("c.yaml", "version: 1\nlink: stict\n")]).unwrap_err();
    assert_eq!(error, "c.yaml:2:7: `stict` is none of lazy, strict");
}

#[test]
fn the_schema_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policy.schema.json");
    if std::env::var_os("AIRSSYS_BLESS").is_some() {
        std::fs::write(&path, policy_schema()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    // As data: the order of keys depends on what other crates of a build ask of serde_json.
    let data = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert!(
        data(&committed) == data(&policy_schema()),
        "run this test with AIRSSYS_BLESS=1 and commit {}",
        path.display()
    );
}

#[test]
fn the_reference_file_holds_over_a_base_that_allows_as_much() {
    let base = "\
version: 1
rules:
  - actors: [tools/*/*]
    allow:
      - fs.read,list /srv/**
      - http GET,HEAD https://api.example.com/**
      - process.run /usr/bin/git ** ; env=LANG
      - message.request */*/*
      - kv.write * ; quota=1GiB
";
    let reference = include_str!("corpus/policy/reference.yaml");
    let policy = layered(&[("p.yaml", reference), ("base.yaml", base)]).unwrap();
    assert_eq!(policy.test().to_string(), "4 passed, 0 failed");
    let git = |ask: &str| policy.explain("tools/git/0", Some(DIGEST), ask).unwrap();
    assert!(git("process.run /usr/bin/git log --oneline -5").allowed);
    assert!(!git("process.run /usr/bin/git push").allowed);
    assert!(git("kv.write git-cache").rule.unwrap().text.contains("; quota=10MiB"));
    assert!(!policy.explain("tools/git/0", None, "kv.write git-cache").unwrap().allowed, "another artefact");
    assert_eq!(
        explain(&policy, "tools/fetch/0", "net.connect 169.254.169.254:80"),
        "deny: p.yaml:6 net.connect 169.254.0.0/16:*"
    );
    assert_eq!(
        explain(&policy, "tools/fetch/0", "http GET http://169.254.169.254/latest"),
        "deny: p.yaml:6 net.connect 169.254.0.0/16:*"
    );
    let less = base.replace("GET,HEAD", "GET");
    let error = layered(&[("p.yaml", reference), ("base.yaml", &less)]).unwrap_err();
    assert!(
        error.starts_with("p.yaml:12:9: http GET,HEAD https://api.example.com/v1/** is more than"),
        "{error}"
    );
}

#[test]
fn a_deny_is_not_led_around_by_what_the_asker_chooses() {
    let policy = parse(
        "version: 1\nrules:\n  - actors: [a]\n    allow:\n      - process.run /usr/bin/git ** ; env=LANG\n    deny:\n      - process.run /usr/bin/git push **\n",
    );
    assert!(policy.explain("a", None, "process.run /usr/bin/git log ; env=LANG").unwrap().allowed);
    assert!(!policy.explain("a", None, "process.run /usr/bin/git push x ; env=LANG").unwrap().allowed);
    let policy = parse(
        "version: 1\nrules:\n  - actors: [a]\n    allow: [http GET https://*.a.example/**]\n    deny: [net.connect x.a.example:443]\n",
    );
    assert_eq!(
        explain(&policy, "a", "http GET https://x.a.example/v1"),
        "deny: policy.yaml:5 net.connect x.a.example:443 beats policy.yaml:4 http GET https://*.a.example/**"
    );
    assert!(explain(&policy, "a", "http GET https://y.a.example/v1").starts_with("allow"));
}
