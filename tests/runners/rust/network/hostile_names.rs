//! Names that lead elsewhere than whoever granted them thought.

use super::World;
use super::dns_stub::{A, DnsStub, Reply, ips};
use super::servers::{self, http, ok};

/// Where no name leads without `private=yes`, and the last one never.
const INSIDE: [&str; 6] = ["127.0.0.1", "::1", "10.0.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0"];

#[test]
fn hostile_e1_a_granted_name_that_leads_inside() {
    let port = http(|_| ok("inside")).port();
    let stub = DnsStub::new(|name, _, _| {
        match name.strip_suffix(".example").and_then(|at| at.parse::<usize>().ok()) {
            Some(at) => Reply::Addresses(ips(&[INSIDE[at]])),
            None => Reply::Addresses(ips(&["0.0.0.0"])),
        }
    });
    let (net, web) =
        (format!("net.connect *.example:{port}"), format!("http GET http://*.example:{port}/**"));
    let last = [
        format!("net.connect none:{port} ; private=yes"),
        format!("http GET http://none:{port}/** ; private=yes"),
    ];
    let world = World::asking(&[&net, &web, &last[0], &last[1]], &stub);
    for host in (0..INSIDE.len()).map(|at| format!("{at}.example")).chain(["none".to_owned()]) {
        world.denied(&format!("tcp {host}:{port} hello"));
        world.denied(&format!("resolve {host}"));
        world.denied(&format!("http://{host}:{port}/"));
    }
}

#[test]
fn hostile_e2_a_name_that_leads_elsewhere_the_second_time() {
    let to = http(|_| ok("first"));
    // Whoever asks again is led to an address where nobody listens.
    let stub =
        DnsStub::new(|_, _, nth| Reply::Addresses(ips(&[if nth < 2 { "127.0.0.1" } else { "127.0.0.9" }])));
    let url = format!("http://rebind.example:{}/", to.port());
    let world = World::asking(&[&format!("http GET {url}** ; private=yes")], &stub);
    assert_eq!(world.told(&url), "first");
    assert_eq!(stub.asked().len(), 2, "it was resolved once");
    // A lookup and a connection are two calls here: only what the lookup told passes.
    let stub = DnsStub::new(|_, _, nth| {
        Reply::Addresses(ips(&[if nth < 2 { "93.184.216.34" } else { "127.0.0.1" }]))
    });
    let world = World::asking(&[&format!("net.connect rebind.example:{}", to.port())], &stub);
    assert_eq!(world.told("resolve rebind.example"), "93.184.216.34");
    world.denied("resolve rebind.example");
    world.denied(&format!("tcp {to} hello"));
}

#[test]
fn hostile_e3_an_answer_that_mixes_public_and_private() {
    let mixed = ["127.0.0.1", "93.184.216.34", "::1", "2606:2800::1", "169.254.169.254"];
    let stub = DnsStub::fixed(&mixed);
    let world = World::asking(&["net.connect example.com:*"], &stub);
    assert_eq!(world.told("resolve example.com"), "2606:2800::1\n93.184.216.34");
    for inside in ["127.0.0.1:80", "[::1]:80", "169.254.169.254:80"] {
        world.denied(&format!("tcp {inside} hello"));
    }
}

#[test]
fn a_lookup_that_fails_tells_nothing_of_the_hosts_name_servers() {
    let stub = DnsStub::new(|_, _, _| Reply::Code(2));
    let world = World::asking(&["http GET http://gone.example/**"], &stub);
    let failure = world.failure("http://gone.example/");
    assert!(failure.contains("DnsError") && !failure.contains("127.0.0.1"), "{failure}");
}

#[test]
fn hostile_e6_no_address_is_every_address() {
    let to = http(|_| ok("inside"));
    let port = to.port();
    let web = format!("http GET http://127.0.0.1:{port}/**");
    let world = World::new(&["net.connect 127.0.0.0/8:*", "net.connect [::1]:*", &web]);
    for host in ["0.0.0.0", "[::]", "0", "0x0.0.0.0"] {
        world.denied(&format!("tcp {host}:{port} hello"));
        world.denied(&format!("udp {host}:{port} hello"));
        world.denied(&format!("http://{host}:{port}/"));
    }
}

#[test]
fn hostile_e7_names_that_look_like_a_granted_one() {
    let stub =
        DnsStub::new(|_, kind, _| Reply::Addresses(if kind == A { ips(&["93.184.216.34"]) } else { vec![] }));
    let web = "http GET https://*.example.com/**";
    let world = World::asking(&["net.resolve *.example.com", web], &stub);
    for name in ["a.example.com", "a.b.example.com", "A.EXAMPLE.com", "a.example.com."] {
        assert_eq!(world.told(&format!("resolve {name}")), "93.184.216.34", "{name}");
    }
    let asked = stub.asked().len();
    for name in [
        "evilexample.com",
        "example.com",
        "example.com.evil.io",
        "a.example.com.evil.io",
        "a.example.com..",
        "a.ex\u{430}mple.com",
        "a.xn--exmple-4nf.com",
        "a.example\u{3002}com",
        "2130706433",
        "0x7f.1",
        "\u{2460}\u{2461}\u{2466}.0.0.1",
    ] {
        // Some of these are no names to the guest's own library, which is as good.
        assert!(world.ask(&format!("resolve {name}")).is_err(), "{name}");
        assert!(world.ask(&format!("https://{name}/")).is_err(), "{name}");
    }
    assert_eq!(stub.asked().len(), asked, "and nobody was asked about one of them");
}

/// Set in the process that plays the guest's host.
const ROLE: &str = "AIRWASM_HOSTILE_E15";

#[test]
fn hostile_e15_the_environment_of_the_host_changes_nothing() {
    if let Ok(text) = std::env::var(ROLE) {
        return in_a_hostile_environment(&text);
    }
    let to = http(|_| ok("straight"));
    let stub = DnsStub::fixed(&["127.0.0.1"]);
    let proxy = servers::http(|_| ok("by the proxy"));
    let url = format!("http://{proxy}");
    let name = "hostile_names::hostile_e15_the_environment_of_the_host_changes_nothing";
    let mut child = std::process::Command::new(std::env::current_exe().expect("this test"));
    child.args(["--exact", name]).env(ROLE, format!("{} {}", stub.address, to.port()));
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        child.env(variable, &url);
    }
    child
        .env("RES_OPTIONS", "ndots:15")
        .env("LOCALDOMAIN", "evil.example")
        .env("SSL_CERT_FILE", super::tls("root.pem"));
    let output = child.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert!(stub.asked().iter().all(|(name, _)| name == "granted.example"), "{:?}", stub.asked());
}

fn in_a_hostile_environment(text: &str) {
    let (server, port) = text.split_once(' ').expect("two words");
    let url = format!("http://granted.example:{port}/");
    let grant = format!("http GET {url}** ; private=yes");
    let world = World::with(&[&grant], vec![server.parse().expect("an address")]);
    assert_eq!(world.told(&url), "straight");
}
