use super::*;

fn texts(line: &str) -> Vec<String> {
    Capability::parse(line).unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn canonical_forms() {
    assert_eq!(texts("fs.list,read   /srv/**"), ["fs.read /srv/**", "fs.list /srv/**"]);
    assert_eq!(texts("message.request db;ttl=1m"), ["message.request default/db/0 ; ttl=60s"]);
    assert_eq!(texts(" clock "), ["clock"]);
    assert_eq!(texts("random ; ttl=1500ms"), ["random ; ttl=1500ms"]);
    assert_eq!(texts(r#"fs.read "/My Docs/*""#), [r#"fs.read "/My Docs/*""#]);
    assert_eq!(texts(r#"fs.read "/plain""#), ["fs.read /plain"]);
    assert_eq!(texts("fs.read \"/\u{dc}\""), [r#"fs.read "/\u00dc""#]);
    assert_eq!(texts("fs.read /a/**/**/b"), ["fs.read /a/**/b"]);
    assert_eq!(Capability::parse("fs.read /a ; ttl=60s").unwrap()[0].ttl(), Some(Duration::from_secs(60)));
    assert_eq!(Capability::parse("fs.read /a").unwrap()[0].name(), "fs.read");
}

/// A line, and a part of what is said of it.
const REFUSED: &[(&str, &str)] = &[
    ("", "nothing is named"),
    ("; ttl=5s", "nothing is named"),
    ("fs.raed /x", "did you mean fs.read"),
    ("clok", "did you mean clock"),
    ("fs /x", "did you mean"),
    ("Fs.read /x", "did you mean fs.read"),
    ("unheard.of x", "there is no capability"),
    ("fs.wrte /x", "did you mean fs.write"),
    ("fs.read,writ /x", "did you mean fs.write"),
    ("net.connect a.example", "a port follows"),
    ("net.connect a.example:0", "port 0"),
    ("net.connect a.example:70000", "range such as"),
    ("net.connect a.example:0443", "is no port"),
    ("net.connect a.example:90-80", "80-90"),
    ("net.connect *:443", "0.0.0.0/0"),
    ("net.connect a*.example:443", "in front of a whole name"),
    ("net.connect 2001:db8::1:443", "brackets"),
    ("net.connect 10.0.0.1/8:443", "write 10.0.0.0/8"),
    ("net.connect 10.0.0.0/33:443", "0 to 32"),
    ("net.connect [2001:db8::/32]:443", "IPv6 address"),
    ("net.connect \"b\u{fc}cher.example:443\"", "xn--"),
    ("net.connect a_b.example:443", "host name"),
    ("net.connect 127.1:443", "odd spelling"),
    ("net.connect a.example:443 ; proto=sctp", "tcp or udp"),
    ("net.connect a.example:443 ; prot=udp", "did you mean proto"),
    ("net.connect a.example:443 ; private", "as in ; private=yes"),
    ("net.connect a.example:443 ; private=no", "or left out"),
    ("net.connect 10.0.0.1:443 ; private=yes", "leads to itself"),
    ("net.listen localhost:80", "on an address"),
    ("net.listen 127.0.0.1:80 ; private=yes", "there are proto, ttl"),
    ("http GET", "methods and one URL"),
    ("http https://a.example/", "methods and one URL"),
    ("http GET https://a.example", "https://a.example/**"),
    ("http get https://a.example/", "write GET"),
    ("http CONNECT https://a.example/", "net.connect"),
    ("http GET,GET https://a.example/", "twice"),
    ("http GET ftp://a.example/", "http:// or https://"),
    ("http GET https://u:p@a.example/", "credentials"),
    ("http GET https://a.example/x?y=1", "leave out the query"),
    ("http GET https://a.example/{id}", "one segment"),
    ("http GET https://a.example/a**", "whole segment"),
    ("http GET https://a.example/%2e%2e/x", "stands unencoded"),
    ("http GET https://a.example/a/../b", "leads to"),
    ("process.run git push", "absolute"),
    ("process.run /usr/bin/*", "one exact path"),
    ("process.run /usr/bin/git ** push", "only at the end"),
    ("process.run /usr/bin/git a[b]", "no meaning"),
    ("process.run /usr/bin/git ; env=LD_PRELOAD", "run other code"),
    ("process.run /usr/bin/git ; env=LANG,LANG", "twice"),
    ("process.run /usr/bin/git ; env=LANG,", "missing"),
    ("env A*B", "at the end"),
    ("env A-B", "no name of a variable"),
    ("env", "as in env LANG,TZ"),
    ("kv.read a/b", "is no name"),
    ("kv.write notes ; quota=10", "write a number with"),
    ("kv.write notes ; quta=10MiB", "did you mean quota"),
    ("kv.read notes ; quota=10MiB", "the only one is ttl"),
    ("message.publish news.**.x", "only at the end"),
    ("message.publish news..x", "no part"),
    ("message.publish n*s", "whole part"),
    ("region.read a*", "is no name"),
    ("region.create a ; max=0B", "zero"),
    ("custom billing", "has a name"),
    ("custom.billing", "as in custom.billing charge"),
    ("custom.billing charge,charge", "twice"),
    ("custom. charge", "is no name"),
    ("fs.read", "as in fs.read /data/**"),
    ("fs.read,read /x", "twice"),
    ("fs.read, /x", "did you mean"),
    ("fs.read /a /b", "a line for each"),
    ("clock now", "write clock alone"),
    ("message.send", "as in message.send"),
    ("message.send a/b", "namespace/name/instance"),
    ("fs.read x", "absolute"),
    ("fs.read /x ;", "nothing follows"),
    ("fs.read /x ; ttl=60", "write a number with"),
    ("fs.read /x ; ttl=1s ttl=2s", "twice"),
    ("fs.read /x ; quota=1", "the only one is ttl"),
    ("\"fs.read\" /x", "without quotes"),
    ("fs.read /x\n- fs.read /y", "quoted word"),
    ("fs.read '/x'", "quoted word"),
];

#[test]
fn refusals_say_what_to_write() {
    for (line, advice) in REFUSED {
        let error = Capability::parse(line).expect_err(line);
        assert!(error.reason.contains(advice), "{line}: {error}");
        assert_eq!(error.text, *line);
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    assert!(Capability::parse(&format!("fs.read /{}", " ".repeat(40_000))).is_err());
}

/// A small seeded generator: the same texts in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn text(&mut self, alphabet: &[char], length_max: usize) -> String {
        let length = 1 + self.below(length_max);
        (0..length).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

const ODD: &[char] = &[
    'a',
    'b',
    '.',
    '-',
    ' ',
    ';',
    '"',
    '\'',
    '\\',
    '*',
    '?',
    '[',
    '{',
    ':',
    '#',
    '\n',
    '\r',
    '\t',
    'é',
    '\u{1f600}',
    '\u{202e}',
    '\u{85}',
    ',',
    '=',
];

#[test]
fn what_is_printed_parses_to_the_same() {
    let mut seeded = Seeded(7);
    let mut parsed = 0;
    for _ in 0..20_000 {
        let mut path = String::new();
        for _ in 0..1 + seeded.below(3) {
            path = format!("{path}/{}", seeded.text(ODD, 4));
        }
        let line = format!("fs.read {} ; ttl={}ms", text::word(&path), 1 + seeded.below(5_000));
        let Ok(capabilities) = Capability::parse(&line) else { continue };
        parsed += 1;
        let printed = capabilities[0].to_string();
        assert_eq!(Capability::parse(&printed).as_ref(), Ok(&capabilities), "{line}");
        assert!(printed.bytes().all(|b| (b' '..=b'~').contains(&b)), "{printed}");
    }
    assert!(parsed > 5_000, "only {parsed} texts were patterns");
}

#[test]
fn hostile_d12_pasting_what_was_asked_allows_that_and_nothing_else() {
    let mut seeded = Seeded(11);
    for _ in 0..20_000 {
        let name = seeded.text(ODD, 6);
        if matches!(name.as_str(), "." | "..") {
            continue;
        }
        let ask = Ask::FsRead(format!("/{name}"));
        let line = ask.capability_text();
        let granted = Capability::parse(&line).unwrap_or_else(|e| panic!("{e}"));
        assert!(granted[0].covers(&ask), "{line}");
        assert_eq!(granted[0].to_string(), line);
        let other = Ask::FsRead(format!("/{}", seeded.text(ODD, 6)));
        assert!(!granted[0].covers(&other) || other == ask, "{line} covers {other:?}");
    }
}

#[test]
fn the_object_form_has_the_same_parts() {
    let parse = |text: &str| {
        Capability::parse(text).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let object = r#"{"capability": "fs.read,list", "scope": "/a b/**", "ttl": "60s"}"#;
    assert_eq!(parse(object), parse(r#"fs.read,list "/a b/**" ; ttl=60s"#));
    assert_eq!(parse(r#"{"capability": "clock"}"#), parse("clock"));
    for wrong in [
        "{",
        "{}",
        r#"{"scope": "/a"}"#,
        r#"{"capability": "fs.read", "scope": 1}"#,
        r#"{"capability": "fs.read", "scope": "/a", "quota": "1"}"#,
        r#"{"capability": "fs.read /a"}"#,
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
