//! Programs, arguments, variables, topics and regions that want more than a grant says.

use airssys_osl::{Ask, Capability};

fn grant(text: &str) -> Capability {
    Capability::parse(text).unwrap_or_else(|error| panic!("{error}")).remove(0)
}

fn run(line: &[&str]) -> Ask {
    let args = line[1..].iter().map(|arg| (*arg).to_owned()).collect();
    Ask::ProcessRun { program: line[0].to_owned(), args, env: Vec::new() }
}

#[test]
fn hostile_f1_shell_characters_are_only_characters() {
    let echo = grant(r#"process.run /bin/echo "a; rm -rf /" *"#);
    assert!(echo.covers(&run(&["/bin/echo", "a; rm -rf /", "$(id)"])));
    assert!(!echo.covers(&run(&["/bin/echo", "a", ";", "rm", "-rf", "/"])));
    let one = grant("process.run /bin/echo *");
    for arg in ["`id`", "a b", "a\nb", "&& id", "| sh", "", "*", "'", "\""] {
        assert!(one.covers(&run(&["/bin/echo", arg])), "{arg:?} is one argument");
        let ask = run(&["/bin/echo", arg]);
        let line = ask.capability_text();
        let pasted = grant(&line);
        assert!(pasted.covers(&ask) && !pasted.covers(&run(&["/bin/echo", "x"])), "{line}");
        assert_eq!(pasted.to_string(), line);
    }
}

#[test]
fn hostile_f2_arguments_are_granted_one_by_one() {
    let log = grant("process.run /usr/bin/git log --oneline **");
    assert!(log.covers(&run(&["/usr/bin/git", "log", "--oneline"])));
    assert!(log.covers(&run(&["/usr/bin/git", "log", "--oneline", "-n", "3"])));
    for refused in [
        &["/usr/bin/git"][..],
        &["/usr/bin/git", "push"],
        &["/usr/bin/git", "-c", "core.pager=id", "log", "--oneline"],
        &["/usr/bin/git", "log"],
        &["/usr/bin/git", "log", "--oneline\0x"],
        &["git", "log", "--oneline"],
        &["/usr/bin/../bin/git", "log", "--oneline"],
        &["/usr/bin/git/", "log", "--oneline"],
    ] {
        assert!(!log.covers(&run(refused)), "{refused:?}");
    }
    let exact = grant("process.run /usr/bin/tar -xf *.tar -C /tmp/out");
    assert!(exact.covers(&run(&["/usr/bin/tar", "-xf", "a.tar", "-C", "/tmp/out"])));
    assert!(!exact.covers(&run(&[
        "/usr/bin/tar",
        "-xf",
        "a.tar",
        "-C",
        "/tmp/out",
        "--checkpoint-action=exec=id"
    ])));
    assert!(!exact.covers(&run(&[
        "/usr/bin/tar",
        "--checkpoint-action=exec=id",
        "-xf",
        "a.tar",
        "-C",
        "/tmp/out"
    ])));
    let ended = grant("process.run /bin/grep -- * /srv/notes");
    assert!(
        ended.covers(&run(&["/bin/grep", "--", "-f/etc/passwd", "/srv/notes"])),
        "behind -- it is no option"
    );
    assert!(!ended.covers(&run(&["/bin/grep", "-f/etc/passwd", "--", "/srv/notes"])));
    assert!(!grant("process.run /bin/true").covers(&run(&["/bin/true", "x"])));
}

#[test]
fn hostile_f4_variables_that_steer_a_program_are_granted_by_nothing() {
    let wide = grant("process.run /bin/env ; env=*");
    let with = |name: &str| Ask::ProcessRun {
        program: "/bin/env".to_owned(),
        args: Vec::new(),
        env: vec!["LANG".to_owned(), name.to_owned()],
    };
    assert!(wide.covers(&with("TZ")));
    for name in [
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "DYLD_INSERT_LIBRARIES",
        "PYTHONPATH",
        "BASH_ENV",
        "IFS",
        "NODE_OPTIONS",
        "GIT_SSH_COMMAND",
        "A=B",
        "A\0",
        "",
        "1A",
        "\u{e9}",
    ] {
        assert!(!wide.covers(&with(name)), "{name}");
        let list = serde_json::to_string(&format!("env={name}")).unwrap();
        assert!(Capability::parse(&format!("process.run /bin/env ; {list}")).is_err(), "{name}");
    }
    assert!(!grant("process.run /bin/env").covers(&with("TZ")), "no variable unless named");
    assert!(grant("process.run /bin/env").forbids(&with("TZ")), "a ban of the program needs no variables");
}

#[test]
fn hostile_f12_arguments_without_measure_are_covered_by_nothing() {
    let any = grant("process.run /bin/echo **");
    let ask = |args: Vec<String>| Ask::ProcessRun { program: "/bin/echo".to_owned(), args, env: Vec::new() };
    assert!(!any.covers(&ask(vec!["a".repeat(2 << 20)])));
    assert!(!any.covers(&ask(vec!["a".to_owned(); 100_000])));
    assert!(!any.covers(&run(&["/bin/echo", "a\0b"])));
    let text = ask(vec!["a".repeat(2 << 20); 3]).capability_text();
    assert!(text.len() < 40_000 && Capability::parse(&text).is_err());
    // A ban that cannot look at an argument holds it for a match.
    let ban = grant("process.run /bin/echo *secret*");
    assert!(ban.forbids(&ask(vec!["a".repeat(5_000)])));
    assert!(
        !grant("process.run /bin/echo *secret*").covers(&ask(vec![format!("secret{}", "a".repeat(5_000))]))
    );
}

#[test]
fn hostile_g9_topic_patterns_reach_no_further_than_written() {
    let publish = |topic: &str| Ask::MessagePublish(topic.to_owned());
    let subscribe = |topics: &str| Ask::MessageSubscribe(topics.to_owned());
    let table = [
        ("news.*", "news.tech", true),
        ("news.*", "news", false),
        ("news.*", "news.tech.ai", false),
        ("news.**", "news.tech.ai", true),
        ("news.**", "news", false),
        ("news.**", "newsroom.x", false),
        ("news.*", "news.", false),
        ("news.*", "news.*", false),
        ("news.*", "news.**", false),
        ("news.*", "news.>", false),
        ("news.*", "news..x", false),
        ("news.*", "news.a b", false),
        ("news.*", "NEWS.x", false),
        ("**", "a.b.c", true),
        ("**", "", false),
        ("*", ".", false),
        ("news.>", "news.tech.ai", true),
    ];
    for (pattern, topic, want) in table {
        assert_eq!(
            grant(&format!("message.publish {pattern}")).covers(&publish(topic)),
            want,
            "{pattern} {topic}"
        );
    }
    let subscriptions = [
        ("news.*", "news.*", true, true),
        ("news.*", "news.tech", true, true),
        ("news.*", "news.**", false, true),
        ("news.*", "news.>", false, true),
        ("news.*", "*.tech", false, true),
        ("news.*", "**", false, true),
        ("news.**", "news.*.x", true, true),
        ("news.**", "news.**", true, true),
        ("news.**", "*.**", false, true),
        ("news.secret", "news.*", false, true),
        ("news.secret", "news.public", false, false),
        ("news.secret", "news.secret.x", false, false),
        ("news.secret", "*", false, false),
        ("news.*", "**.news", false, false),
    ];
    for (pattern, topics, covered, forbidden) in subscriptions {
        let granted = grant(&format!("message.subscribe {pattern}"));
        assert_eq!(granted.covers(&subscribe(topics)), covered, "{pattern} {topics}");
        assert_eq!(granted.forbids(&subscribe(topics)), forbidden, "{pattern} {topics}");
    }
    assert!(!grant("message.publish **").covers(&publish(&"a.".repeat(200))));
    assert!(!grant("message.subscribe **").covers(&subscribe(&vec!["a"; 33].join("."))));
}

#[test]
fn regions_quotas_and_times_only_narrow() {
    let includes = [
        ("region.create r", "region.create r ; max=1MiB", true),
        ("region.create r ; max=1MiB", "region.create r", false),
        ("region.create r ; max=1MiB", "region.create r ; max=1024KiB", true),
        ("region.create r ; max=1MiB", "region.create r ; max=2MiB", false),
        ("kv.write * ; quota=10MiB", "kv.write notes ; quota=1MiB", true),
        ("kv.write * ; quota=10MiB", "kv.write notes", false),
        ("kv.write notes", "kv.read notes", false),
        ("clock ; ttl=60s", "clock", false),
        ("clock ; ttl=60s", "clock ; ttl=30s", true),
        ("process.run /bin/a ** ; env=LANG,APP_*", "process.run /bin/a x ; env=APP_B", true),
        ("process.run /bin/a ** ; env=LANG", "process.run /bin/a x ; env=LANG,TZ", false),
        ("process.run /bin/a x", "process.run /bin/a **", false),
        ("process.run /bin/a * **", "process.run /bin/a **", false),
        ("net.connect *.x:*", "net.connect a.x:443 ; proto=udp", true),
        ("net.connect *.x:* ; proto=tcp", "net.connect a.x:443", false),
        ("net.connect *.x:*", "net.connect a.x:443 ; private=yes", false),
        ("net.connect *.x:443 ; proto=tcp", "net.resolve a.x", true),
        ("net.connect *.x:443 ; ttl=60s", "net.resolve a.x", false),
        ("net.resolve *.x", "net.connect a.x:443", false),
        ("net.connect 0.0.0.0/0:*", "net.connect 0.0.0.0:80", false),
        ("net.connect 0.0.0.0/0:*", "net.connect 10.0.0.0/8:80", true),
        ("net.connect [::ffff:10.0.0.0]/104:80", "net.connect 10.0.0.0/8:80", true),
        ("http * https://*.x/**", "http GET,PUT https://a.b.x/v1/*/", true),
        ("http GET https://a.x/**", "http GET http://a.x/**", false),
        ("http GET https://a.x/**", "http * https://a.x/**", false),
        ("http GET https://a.x/**", "http GET https://a.x:8443/**", false),
        ("http GET https://a.x/*", "http GET https://a.x/", false),
        ("fs.read /**", "fs.read /a/*b/**", true),
        ("fs.read /a/*", "fs.read /a/**", false),
        ("fs.read /a/**", "fs.list /a", false),
        ("custom.a x,y", "custom.a y", true),
        ("custom.a x", "custom.b x", false),
        ("env APP_*", "env APP_A,APP_B*", true),
        ("message.send tools/*/*", "message.send tools/a*/0", true),
        ("message.subscribe **", "message.subscribe a.*.**", true),
        ("message.subscribe a.*", "message.subscribe a.**", false),
    ];
    for (wide, narrow, want) in includes {
        assert_eq!(grant(wide).includes(&grant(narrow)), want, "{wide} | {narrow}");
    }
    let region = |bytes| Ask::RegionCreate { name: "r".to_owned(), bytes };
    let small = grant("region.create r ; max=1KiB");
    assert!(small.covers(&region(1_024)) && !small.covers(&region(1_025)));
    assert!(small.forbids(&region(1_025)), "a ban is one of the name");
    assert_eq!(grant("kv.write notes ; quota=10MiB").quota_bytes(), Some(10 << 20));
}

#[test]
fn hostile_a12_no_pattern_and_no_ask_takes_more_than_their_product() {
    // An exponential matcher would need longer than the age of the universe for the first of these.
    let stars = "*a".repeat(12);
    let url = grant(&format!("http GET https://a.example/{}/b", vec![format!("{stars}b"); 2].join("/**/")));
    let path = grant(&format!("http GET https://a.example{}/b", "/**/a".repeat(15)));
    for asked in ["a".repeat(8_100), "a/".repeat(4_000), "%61/".repeat(2_000)] {
        let ask = Ask::Http { method: "GET".to_owned(), url: format!("https://a.example/{asked}") };
        assert!(!url.covers(&ask) && !path.covers(&ask));
    }
    let program = grant(&format!("process.run /bin/a {} **", "*a".repeat(49)));
    assert!(!program.covers(&run(&["/bin/a", &format!("{}b", "a".repeat(4_095))])));
    let label = grant(&format!("kv.read {}b", "a*".repeat(31)));
    assert!(!label.covers(&Ask::KvRead("a".repeat(63))));
    let wide = grant(&format!("fs.read {}/b", "/**/a".repeat(15)));
    assert!(!wide.includes(&grant(&format!("fs.read {}", "/a".repeat(2_000)))));
    for refused in [
        format!("http GET https://a.example/{}", "*/".repeat(33)),
        format!("http GET https://a.example/*{}", "a".repeat(100)),
        format!("process.run /bin/a {}", "*a".repeat(51)),
        format!("process.run /bin/a {}", "a ".repeat(1_025)),
        format!("kv.read {}", "a".repeat(64)),
        format!("message.publish {}", vec!["a"; 33].join(".")),
        format!("env {}", (0..300).map(|n| format!("A{n}")).collect::<Vec<_>>().join(",")),
    ] {
        assert!(Capability::parse(&refused).is_err(), "{}", &refused[..60]);
    }
}
