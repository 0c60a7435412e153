//! The resolver against a name server of our own.

mod support;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use airssys_osl::{DnsResolver, Resolve, ResolveError};
use support::dns_stub::{A, AAAA, DnsStub, Reply, ips};
use support::net::{past, soon};

fn resolve(stub: &DnsStub, name: &str) -> Result<Vec<std::net::IpAddr>, ResolveError> {
    DnsResolver::new(vec![stub.address]).resolve(name, soon())
}

#[test]
fn both_families_are_asked_for_and_told_in_turn() {
    let stub = DnsStub::fixed(&["2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::2"]);
    let found = resolve(&stub, "host.example").unwrap();
    assert_eq!(found, ips(&["192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2", "192.0.2.3"]));
    let mut asked = stub.asked();
    asked.sort();
    assert_eq!(asked, [("host.example".to_owned(), A), ("host.example".to_owned(), AAAA)]);
}

#[test]
fn an_alias_is_followed_within_the_answer() {
    let stub = DnsStub::new(|_, _, _| Reply::Alias("other.example".into(), ips(&["192.0.2.1"])));
    assert_eq!(resolve(&stub, "host.example").unwrap(), ips(&["192.0.2.1"]));
    assert!(stub.asked().iter().all(|(name, _)| name == "host.example"));
}

#[test]
fn forged_answers_are_passed_over() {
    let stub = DnsStub::new(|_, _, _| Reply::Forged("192.0.2.66".parse().unwrap(), ips(&["192.0.2.1"])));
    assert_eq!(resolve(&stub, "host.example").unwrap(), ips(&["192.0.2.1"]));
}

#[test]
fn what_does_not_fit_is_asked_for_over_tcp() {
    let many: Vec<String> = (1..=100).map(|last| format!("192.0.2.{last}")).collect();
    let many = ips(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let told = many.clone();
    let stub = DnsStub::new(move |_, _, _| Reply::Truncated(told.clone()));
    assert_eq!(resolve(&stub, "host.example").unwrap(), many);
}

#[test]
fn a_name_that_is_not_is_told_from_a_server_that_cannot_say() {
    let not_found = Err(ResolveError::NotFound("host.example".into()));
    assert_eq!(resolve(&DnsStub::new(|_, _, _| Reply::Code(3)), "host.example"), not_found);
    assert_eq!(resolve(&DnsStub::fixed(&[]), "host.example"), not_found);
    let broken = DnsStub::new(|_, _, _| Reply::Code(2));
    let said = resolve(&broken, "host.example").unwrap_err().to_string();
    assert_eq!(said, format!("the name server {}: answered with code 2", broken.address));
    assert_eq!(broken.asked().len(), 4, "two rounds of two questions");
}

#[test]
fn the_next_server_is_asked_when_one_cannot_say() {
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let broken = DnsStub::new(|_, _, _| Reply::Code(2));
    let good = DnsStub::fixed(&["192.0.2.1"]);
    let resolver = DnsResolver::new(vec![gone, broken.address, good.address]);
    assert_eq!(resolver.resolve("host.example", soon()).unwrap(), ips(&["192.0.2.1"]));
}

#[test]
fn one_family_that_fails_does_not_hide_the_other() {
    let stub = DnsStub::new(|_, kind, _| match kind {
        A => Reply::Addresses(ips(&["192.0.2.1"])),
        _ => Reply::Code(2),
    });
    assert_eq!(resolve(&stub, "host.example").unwrap(), ips(&["192.0.2.1"]));
    let empty = DnsStub::new(|_, kind, _| if kind == A { Reply::Addresses(vec![]) } else { Reply::Code(2) });
    assert!(matches!(resolve(&empty, "host.example"), Err(ResolveError::NoAnswer(_))));
}

#[test]
fn silence_ends_at_the_deadline() {
    let stub = DnsStub::new(|_, _, _| Reply::Silence);
    let resolver = DnsResolver::new(vec![stub.address]);
    assert_eq!(resolver.resolve("host.example", past()), Err(ResolveError::Timeout));
    assert!(stub.asked().is_empty());
    let short = Instant::now() + Duration::from_millis(20);
    assert_eq!(resolver.resolve("host.example", short), Err(ResolveError::Timeout));
}

#[test]
fn the_loopback_has_its_name_without_being_asked_for() {
    let resolver = DnsResolver::new(vec![]);
    assert_eq!(resolver.resolve("localhost", past()).unwrap(), ips(&["127.0.0.1", "::1"]));
    assert_eq!(resolver.resolve("a.localhost", past()).unwrap(), ips(&["127.0.0.1", "::1"]));
    let said = resolver.resolve("host.example", soon()).unwrap_err().to_string();
    assert_eq!(said, "there are no name servers to ask");
}

#[test]
fn the_list_of_servers_is_read_at_each_lookup() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("resolv.conf");
    let resolver = DnsResolver::listed(list.clone());
    let said = resolver.resolve("host.example", soon()).unwrap_err().to_string();
    assert!(said.starts_with("the list of name servers: "), "{said}");
    std::fs::write(&list, "search example\n").unwrap();
    let said = resolver.resolve("host.example", soon()).unwrap_err().to_string();
    assert_eq!(said, "there are no name servers to ask");
}
