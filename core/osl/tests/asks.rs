//! Asks and capabilities as texts and as data.

use airssys_osl::{Ask, Capabilities, Capability};

#[test]
fn an_ask_is_read_from_the_line_that_allows_it() {
    let table = [
        ("fs.read /srv/docs/guide.md", "fs.read /srv/docs/guide.md"),
        (r#"fs.write "/a b/\\*""#, r#"fs.write "/a b/\\*""#),
        ("fs.read /", "fs.read /"),
        ("net.connect 169.254.169.254:80", "net.connect 169.254.169.254:80 ; proto=tcp"),
        ("net.connect API.example.com.:443 ; proto=udp", "net.connect api.example.com:443 ; proto=udp"),
        ("net.connect [::ffff:10.0.0.1]:80", "net.connect 10.0.0.1:80 ; proto=tcp"),
        ("net.listen [::1]:0", "net.listen [::1]:0 ; proto=tcp"),
        ("net.resolve a.example", "net.resolve a.example"),
        ("net.resolve [::1]", "net.resolve [::1]"),
        ("http GET https://a.example:443/%7Ex/", "http GET https://a.example/~x/"),
        ("process.run /usr/bin/git push", "process.run /usr/bin/git push"),
        (r#"process.run /bin/echo "" ; env=TZ,LANG"#, r#"process.run /bin/echo "" ; env=LANG,TZ"#),
        ("env LANG", "env LANG"),
        ("kv.read notes", "kv.read notes"),
        ("message.spawn db", "message.spawn default/db/0"),
        ("message.publish news.tech", "message.publish news.tech"),
        ("message.subscribe news.>", "message.subscribe news.**"),
        ("region.create scratch ; max=1024KiB", "region.create scratch ; max=1MiB"),
        ("region.create scratch", "region.create scratch"),
        ("clock", "clock"),
        ("stdio", "stdio"),
        ("custom.billing charge", "custom.billing charge"),
    ];
    for (text, canonical) in table {
        let ask = Ask::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ask.capability_text(), canonical, "{text}");
        assert_eq!(Ask::parse(canonical), Ok(ask.clone()), "{text}");
        let json = serde_json::to_string(&ask).unwrap();
        assert_eq!(serde_json::from_str::<Ask>(&json).unwrap(), ask);
        assert!(Capability::parse(text).unwrap()[0].covers(&ask), "{text}");
    }
}

#[test]
fn an_ask_with_a_wildcard_or_a_list_is_refused() {
    for text in [
        "fs.read /data/*",
        "fs.read /data/**",
        "net.connect *.example.com:443",
        "net.connect 10.0.0.0/8:443",
        "net.connect a.example:*",
        "net.connect a.example:80-81",
        "net.resolve *.example",
        "http * https://a.example/",
        "http GET,PUT https://a.example/",
        "http GET https://*.example/",
        "http GET https://a.example/**",
        "process.run /bin/echo *",
        "process.run /bin/echo **",
        "process.run /bin/echo ; env=L*",
        "env LANG,TZ",
        "env A*",
        "kv.read *",
        "message.send tools/*/0",
        "message.publish news.*",
        "custom.billing charge,refund",
    ] {
        let error = Ask::parse(text).expect_err(text);
        assert!(error.reason.contains("without wildcards"), "{error}");
    }
    for (text, advice) in [
        ("fs.read,list /data", "one action"),
        ("clock ; ttl=60s", "belongs to a grant"),
        ("kv.write notes ; quota=1MiB", "belongs to a grant"),
        ("net.connect a.example:1 ; private=yes", "belongs to a grant"),
        ("fs.raed /data", "did you mean"),
    ] {
        let error = Ask::parse(text).expect_err(text);
        assert!(error.reason.contains(advice), "{error}");
    }
    let error = serde_json::from_str::<Ask>(r#""fs.read /data/*""#).unwrap_err();
    assert!(error.to_string().contains("fs.read /data/*"), "{error}");
}

#[test]
fn a_capability_is_a_text_or_an_object_of_texts() {
    let read = |json: &str| {
        serde_json::from_str::<Capabilities>(json).map(|all| all.0).map_err(|why| why.to_string())
    };
    let same = [
        (r#""fs.read,list /srv/**""#, "fs.read,list /srv/**"),
        (
            r#"{"capability": "kv.write", "scope": "git-cache", "quota": "10MiB"}"#,
            "kv.write git-cache ; quota=10MiB",
        ),
        (
            r#"{"capability": "http", "scope": "GET,HEAD https://a.example/**", "ttl": "1m"}"#,
            "http GET,HEAD https://a.example/** ; ttl=60s",
        ),
        (
            r#"{"capability": "process.run", "scope": "/bin/echo \"a b\" **", "env": "LANG,TZ"}"#,
            r#"process.run /bin/echo "a b" ** ; env=LANG,TZ"#,
        ),
        (r#"{"capability": "fs.read", "scope": "/a b ; ttl=1s"}"#, r#"fs.read "/a b ; ttl=1s""#),
        (r#"{"capability": "stdio"}"#, "stdio"),
    ];
    for (json, text) in same {
        assert_eq!(read(json), Ok(Capability::parse(text).unwrap()), "{json}");
        if json.starts_with('{') {
            assert_eq!(Capability::parse(json), Capability::parse(text), "{json}");
        }
    }
    for (json, advice) in [
        (r#"{"capability": "fs.read", "scope": "/a", "scope": "/b"}"#, "twice"),
        (r#"{"capability": "fs.read", "scope": "/a", "quota": "1MiB"}"#, "no parameter"),
        (r#"{"capability": "fs.read", "scope": ["/a"]}"#, "invalid type"),
        (r#"{"capability": "http", "scope": "GET https://a.example/ ; ttl=1s"}"#, "keys of the object"),
        (r#"{"scope": "/a"}"#, "`capability` is missing"),
        ("7", "a capability such as"),
        (r#""fs.raed /a""#, "did you mean fs.read"),
    ] {
        let error = read(json).unwrap_err();
        assert!(error.contains(advice), "{json}: {error}");
    }
    assert!(serde_json::from_str::<Capability>(r#""fs.read,list /a""#).is_err());
}
