use super::*;

const RULES: u64 = 1_000;

/// One rule in which `#` is its number, and what asks for the one with that number.
const KINDS: &[(&str, &str)] = &[
    ("fs.read /srv/#/**", "fs.read /srv/#/a/b"),
    ("fs.list /srv/a#", "fs.list /srv/a#"),
    ("fs.write /a/b/c/d/e/f/g/h/i/j/#/*/l/**", "fs.write /a/b/c/d/e/f/g/h/i/j/#/k/l/m/n/o/p/q/r/s/t"),
    ("net.connect a#.example:443", "net.connect a#.example:443 ; proto=tcp"),
    ("net.connect *.a#.example:*", "net.connect b.c.a#.example:443 ; proto=tcp"),
    ("net.connect a.b.c.d.e.f.g.h.i.j.k.l.m.#.example:1", "net.resolve a.b.c.d.e.f.g.h.i.j.k.l.m.#.example"),
    ("net.resolve a#.example", "net.resolve A#.Example."),
    ("http GET https://a#.example/**", "http GET https://a#.example/x"),
    ("http GET https://a.example/v1/#/*", "http GET https://a.example/v1/#/x"),
    ("http * https://*.a#.example/", "http GET https://b.a#.example/"),
    ("process.run /bin/a#", "process.run /bin/a#"),
    ("process.run /bin/git a# **", "process.run /bin/git a# --all"),
    ("env A#,B#", "env B#"),
    ("kv.read a#", "kv.read a#"),
    ("message.send a/b#/*", "message.send a/b#/0"),
    ("message.request */b#/0", "message.request a/b#/0"),
    ("message.spawn b#", "message.spawn default/b#/0"),
    ("message.publish news.a#.**", "message.publish news.a#.x"),
    ("message.subscribe news.a#", "message.subscribe news.a#"),
    ("region.read a#", "region.read a#"),
    ("custom.billing a#,b#", "custom.billing b#"),
    ("custom.b# charge", "custom.b# charge"),
];

fn capability(text: &str) -> Capability {
    Capability::parse(text).unwrap_or_else(|error| panic!("{error}")).remove(0)
}

/// The orders of all that is shown for the ask.
fn shown(index: &Index<()>, ask: &Ask) -> Vec<u64> {
    let mut shown = Vec::new();
    index.visit(ask, |order, ()| {
        shown.push(order);
        Go::On
    });
    shown
}

fn addresses(text: &str, number: u64) -> String {
    text.replace("@", &format!("{}.{}", number / 256, number % 256))
}

#[test]
fn of_a_thousand_rules_of_any_kind_the_one_is_looked_at() {
    let mut all = Index::default();
    let numbered = |text: &str, number: u64| text.replace('#', &number.to_string());
    for (kind, (rule, _)) in KINDS.iter().enumerate() {
        for number in 0..RULES {
            all.insert(&capability(&numbered(rule, number)), kind as u64 * RULES + number, &());
        }
    }
    for (kind, (rule, asked)) in KINDS.iter().enumerate() {
        for number in [0, 7, RULES - 1] {
            let ask = Ask::parse(&numbered(asked, number)).unwrap();
            let of_kind = |order: &u64| *order / RULES == kind as u64;
            let shown: Vec<u64> = shown(&all, &ask).into_iter().filter(of_kind).collect();
            assert_eq!(shown, [kind as u64 * RULES + number], "{rule}");
            assert!(capability(&numbered(rule, number)).covers(&ask), "{rule}");
        }
    }
}

#[test]
fn of_a_thousand_blocks_of_addresses_the_one_is_looked_at() {
    for (rule, asked) in [
        ("net.connect 10.@.7:443", "net.connect 10.@.7:443 ; proto=tcp"),
        ("net.connect 10.@.0/24:443", "net.connect 10.@.7:443 ; proto=tcp"),
        // Filed as the block of 24 bits around it.
        ("net.connect 10.@.128/25:443", "net.connect 10.@.200:443 ; proto=tcp"),
        ("net.listen 10.@.1:80", "net.listen 10.@.1:80 ; proto=tcp"),
        ("http GET http://10.@.1/**", "http GET http://10.@.1/x"),
    ] {
        let mut index = Index::default();
        for number in 0..RULES {
            index.insert(&capability(&addresses(rule, number)), number, &());
        }
        let shown = shown(&index, &Ask::parse(&addresses(asked, 300)).unwrap());
        assert!(shown == [300], "{rule}: {shown:?}");
    }
}

#[test]
fn what_lies_deeper_than_what_is_filed_is_found() {
    let deep = "/a".repeat(30);
    let host = format!("{}example", "a.".repeat(30));
    for (rule, ask) in [
        (format!("fs.read {deep}"), format!("fs.read {deep}")),
        (format!("fs.read {deep}/**"), format!("fs.read {deep}/b")),
        ("fs.read /**".to_owned(), "fs.read /".to_owned()),
        ("fs.read /".to_owned(), "fs.read /".to_owned()),
        (format!("net.resolve {host}"), format!("net.resolve {host}")),
        (format!("net.resolve *.{host}"), format!("net.resolve b.{host}")),
        (format!("http GET https://a.example{deep}/**"), format!("http GET https://a.example{deep}/b")),
        ("http GET https://a.example/".to_owned(), "http GET https://a.example/".to_owned()),
        (format!("message.publish a{}", ".a".repeat(30)), format!("message.publish a{}", ".a".repeat(30))),
        ("message.publish **".to_owned(), "message.publish a".to_owned()),
        ("net.connect 0.0.0.0/0:1".to_owned(), "net.connect [64:ff9b::102:304]:1 ; proto=tcp".to_owned()),
        ("net.connect [2001:db8::]/33:1".to_owned(), "net.connect [2001:db8:7::1]:1 ; proto=tcp".to_owned()),
    ] {
        let mut index = Index::default();
        index.insert(&capability(&rule), 1, &());
        let ask = Ask::parse(&ask).unwrap_or_else(|error| panic!("{error}"));
        assert!(capability(&rule).covers(&ask), "{rule} {ask:?}");
        assert_eq!(shown(&index, &ask), [1], "{rule}");
        index.remove(&capability(&rule), 1);
        assert!(shown(&index, &ask).is_empty() && index.shelves.is_empty(), "{rule}");
    }
}
