//! Names, addresses and URLs that want more than a grant says.

use std::net::{IpAddr, SocketAddr};

use airssys_osl::Protocol::{Tcp, Udp};
use airssys_osl::{Ask, Capability, Endpoint};

fn grant(text: &str) -> Capability {
    Capability::parse(text).unwrap_or_else(|error| panic!("{error}")).remove(0)
}

fn resolved(name: &str, address: &str) -> Ask {
    let ip: IpAddr = address.parse().unwrap();
    Ask::NetConnect(Endpoint::resolved(name, SocketAddr::new(ip, 443), Tcp))
}

fn literal(address: &str) -> Ask {
    Ask::NetConnect(Endpoint::address(SocketAddr::new(address.parse().unwrap(), 443), Tcp))
}

fn named(name: &str) -> Ask {
    Ask::NetConnect(Endpoint::named(name, 443, Tcp))
}

fn get(url: &str) -> Ask {
    Ask::Http { method: "GET".to_owned(), url: url.to_owned() }
}

const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.255.0.9",
    "169.254.169.254",
    "10.0.0.1",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "::1",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
];

#[test]
fn hostile_e1_a_name_never_leads_inside_unless_the_grant_says_so() {
    let open = grant("net.connect example.com:443");
    let private = grant("net.connect example.com:443 ; private=yes");
    for address in INSIDE {
        assert!(!open.covers(&resolved("example.com", address)), "{address}");
        assert!(private.covers(&resolved("example.com", address)), "{address}");
        assert!(!open.permits_address(address.parse().unwrap()), "{address}");
        // A ban of the name holds wherever it leads.
        assert!(open.forbids(&resolved("example.com", address)), "{address}");
    }
    assert!(open.covers(&resolved("example.com", "93.184.216.34")));
    assert!(open.permits_address("93.184.216.34".parse().unwrap()));
    let http = grant("http GET https://example.com/**");
    assert!(!http.permits_address("127.0.0.1".parse().unwrap()));
    assert!(
        grant("http GET https://example.com/** ; private=yes").permits_address("127.0.0.1".parse().unwrap())
    );
}

#[test]
fn hostile_e3_each_address_of_an_answer_is_decided_alone() {
    let open = grant("net.connect example.com:443");
    let answer = ["93.184.216.34", "10.0.0.1", "2606:2800:220::1", "::1"];
    let checked: Vec<&str> =
        answer.into_iter().filter(|ip| open.covers(&resolved("example.com", ip))).collect();
    assert_eq!(checked, ["93.184.216.34", "2606:2800:220::1"]);
}

#[test]
fn hostile_e6_unspecified_and_group_addresses_are_reached_by_no_name_and_no_block() {
    let addresses = ["0.0.0.0", "::", "::ffff:0.0.0.0", "64:ff9b::"];
    let grants = [
        "net.connect example.com:443 ; private=yes",
        "net.connect *.com:* ; private=yes",
        "net.connect 0.0.0.0/0:*",
        "net.connect 0.0.0.0/31:443",
        "net.listen 0.0.0.0/0:*",
    ];
    for text in grants {
        for address in addresses {
            assert!(!grant(text).covers(&resolved("example.com", address)), "{text} {address}");
            assert!(!grant(text).covers(&literal(address)), "{text} {address}");
        }
    }
    assert!(!grant("net.connect [::]/0:443").covers(&literal("::")));
    assert!(grant("net.connect 0.0.0.0:443").covers(&literal("0.0.0.0")), "it names exactly that");
    assert!(grant("net.connect [::]:443").covers(&literal("::")));
    assert!(grant("net.connect 0.0.0.0/0:*").forbids(&literal("0.0.0.0")), "a ban takes it along");
    for group in ["224.0.0.1", "255.255.255.255", "ff02::1"] {
        assert!(!grant("net.connect example.com:443 ; private=yes").covers(&resolved("example.com", group)));
    }
}

#[test]
fn hostile_e6_a_ban_of_addresses_holds_for_each_of_their_dresses() {
    let ban = grant("net.connect 169.254.0.0/16:*");
    for address in [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
    ] {
        assert!(ban.forbids(&literal(address)), "{address}");
        assert!(ban.forbids(&resolved("innocent.example", address)), "{address}");
    }
    assert!(!ban.forbids(&literal("169.253.0.1")));
    let udp = Ask::NetConnect(Endpoint::address("169.254.169.254:53".parse().unwrap(), Udp));
    assert!(ban.forbids(&udp), "no protocol is left out unless the line says so");
}

#[test]
fn hostile_e7_a_wildcard_is_for_true_labels_below() {
    let below = grant("net.connect *.example.com:443");
    let table = [
        ("a.example.com", true),
        ("a.b.example.com", true),
        ("A.EXAMPLE.COM.", true),
        ("xn--bcher-kva.example.com", true),
        ("example.com", false),
        ("EXAMPLE.com.", false),
        ("evilexample.com", false),
        ("example.com.evil.io", false),
        (".example.com", false),
        ("a..example.com", false),
        ("a.example.com..", false),
        ("*.example.com", false),
        ("a.example.com\0", false),
        ("a.example.com ", false),
        ("-a.example.com", false),
        ("a_b.example.com", false),
        ("b\u{fc}cher.example.com", false),
        ("\u{430}.ex\u{430}mple.com", false),
        ("a.ex\u{ff41}mple.com", false),
        ("a\u{3002}example.com", false),
        ("a.example.com:443", false),
        ("user@a.example.com", false),
        ("a.example.com/", false),
    ];
    for (name, want) in table {
        assert_eq!(below.covers(&named(name)), want, "{name}");
        assert_eq!(below.covers(&Ask::NetResolve(name.to_owned())), want, "{name}");
    }
    for (pattern, same) in [("EXAMPLE.com.", "example.com"), ("*.Example.COM.", "*.example.com")] {
        assert_eq!(grant(&format!("net.resolve {pattern}")), grant(&format!("net.resolve {same}")));
    }
    let long = format!("{}.example.com", "a.".repeat(130));
    assert!(!below.covers(&named(&long)), "longer than any name");
}

#[test]
fn hostile_e7_odd_spellings_of_addresses_are_neither_names_nor_addresses() {
    let odd = [
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0X7F.0.0.1",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "127.0.0.01",
        "127.0.0.1.2",
        "1.2.3.256",
        "0",
        "0x",
        "\u{2460}\u{2461}\u{2466}.0.0.1",
        "\u{ff11}27.0.0.1",
        "127.0.0.1%lo",
        "[::1",
        "::1%lo",
        "::ffff:127.1",
        "fe80::1%25eth0",
    ];
    let wide = ["0.0.0.0/0", "127.0.0.1", "[::]/0", "*.1", "*.example"];
    for name in odd {
        for host in [name.to_owned(), format!("[{name}]"), format!("*.{name}"), format!("{name}/32")] {
            let quoted = serde_json::to_string(&format!("{host}:443")).unwrap();
            assert!(Capability::parse(&format!("net.connect {quoted}")).is_err(), "{host}");
        }
        for host in wide {
            let Ok(granted) = Capability::parse(&format!("net.connect {host}:443")) else { continue };
            assert!(!granted[0].covers(&named(name)), "{host} {name}");
            assert!(!granted[0].covers(&Ask::NetResolve(name.to_owned())), "{host} {name}");
        }
    }
    assert!(Capability::parse("net.connect *.1:443").is_err());
    // These only look odd.
    for name in ["1.example", "0x7f.example", "3com.com", "127.0.0.1.nip.io"] {
        assert!(grant(&format!("net.connect {name}:443")).covers(&named(name)), "{name}");
    }
}

/// Beyond `https://api.example.com/v1/**`, or of no clear meaning.
const URLS_REFUSED: &[&str] = &[
    "http://api.example.com/v1/a",
    "https://api.example.com:8443/v1/a",
    "https://api.example.com:/v1/a",
    "https://api.example.com:0443/v1/a",
    "https://api.example.com:443x/v1/a",
    "https://evil.io/v1/a",
    "https://api.example.com.evil.io/v1/a",
    "https://api.example.com@evil.io/v1/a",
    "https://evil.io@api.example.com/v1/a",
    "https://user:secret@api.example.com/v1/a",
    "https://api.example.com\\@evil.io/v1/a",
    "https:\\\\api.example.com/v1/a",
    "https:/api.example.com/v1/a",
    "https:api.example.com/v1/a",
    "//api.example.com/v1/a",
    "/v1/a",
    "file:///etc/passwd",
    "https://api.example.com/v1/../admin",
    "https://api.example.com/v1/..",
    "https://api.example.com/v1/%2e%2e/admin",
    "https://api.example.com/v1/.%2E/admin",
    "https://api.example.com/v1/%2e/a",
    "https://api.example.com/v1/%252e%252e/admin",
    "https://api.example.com/v1/..;/admin",
    "https://api.example.com/v1/..;x=1/admin",
    "https://api.example.com/v1/..%3b/admin",
    "https://api.example.com/v1/;x/../admin",
    "https://api.example.com/v1/%3bx/a",
    "https://api.example.com/v1/..%253b/admin",
    "https://api.example.com/v1/a%2f..%2fadmin",
    "https://api.example.com/v1/a%5cadmin",
    "https://api.example.com/v1/a%252fadmin",
    "https://api.example.com/v1/a\\..\\admin",
    "https://api.example.com/v1//a",
    "https://api.example.com//v1/a",
    "https://api.example.com/v1/a%00",
    "https://api.example.com/v1/a%0d%0aHost:x",
    "https://api.example.com/v1/a b",
    "https://api.example.com/v1/a\tb",
    "https://api.example.com/v1/a\r\nHost: evil.io",
    "https://api.example.com/v1/%",
    "https://api.example.com/v1/%4",
    "https://api.example.com/v1/%zz",
    "https://api.example.com/../v1/a",
    "https://api.example.com/V1/a",
    "https://api.example.com/v10/a",
    "https://api.example.com",
    "https://[::ffff:1.2.3.4]/v1/a",
    "https:///v1/a",
    "",
];

#[test]
fn hostile_e10_a_url_has_one_meaning_or_none() {
    let api = grant("http GET https://api.example.com/v1/**");
    let covered = [
        "https://api.example.com/v1",
        "https://api.example.com/v1/",
        "https://api.example.com/v1/a?x=/../../admin",
        "HTTPS://API.EXAMPLE.COM:443/v1/a",
        "https://api.example.com./v1/a",
        "https://api.example.com/%76%31/a",
        "https://api.example.com/x/../v1/a",
        "https://api.example.com/v1/./a#/../..",
        "https://api.example.com/v1/*",
        "https://api.example.com/v1/\u{e9}",
    ];
    for url in covered {
        assert!(api.covers(&get(url)), "{url}");
    }
    for url in URLS_REFUSED {
        assert!(!api.covers(&get(url)), "{url}");
        let _ = get(url).capability_text();
    }
    let long = format!("https://api.example.com/v1/{}", "a".repeat(9_000));
    assert!(!api.covers(&get(&long)));
    for method in ["get", "Get", "POST", "", "GET ", "GET,HEAD", "*", "CONNECT"] {
        let ask = Ask::Http { method: method.to_owned(), url: covered[0].to_owned() };
        assert!(!api.covers(&ask), "{method}");
        let any = grant("http * https://api.example.com/v1/**");
        assert_eq!(any.covers(&ask), method == "POST", "{method}");
    }
}

#[test]
fn hostile_e10_addresses_in_urls_are_granted_as_addresses() {
    let local = grant("http GET http://127.0.0.1:8080/**");
    assert!(local.covers(&get("http://127.0.0.1:8080/x")));
    assert!(local.covers(&get("http://[::ffff:127.0.0.1]:8080/x")));
    for url in [
        "http://localhost:8080/x",
        "http://127.1:8080/x",
        "http://2130706433:8080/x",
        "http://0x7f.1:8080/x",
        "http://127.0.0.01:8080/x",
        "http://0:8080/x",
        "http://0.0.0.0:8080/x",
        "http://[::]:8080/x",
    ] {
        assert!(!local.covers(&get(url)), "{url}");
    }
    let names = grant("http GET http://*.com/** ; private=yes");
    assert!(!names.covers(&get("http://127.0.0.1/")));
}

#[test]
fn hostile_e11_there_is_no_capability_for_other_sockets() {
    for text in [
        "net.unix /run/x",
        "net.raw 1.2.3.4",
        "net.connect unix:/run/x",
        "http GET file:///etc/passwd",
        "net.connect /run/docker.sock:1",
    ] {
        assert!(Capability::parse(text).is_err(), "{text}");
    }
}
