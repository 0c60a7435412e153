//! Any bytes as capability texts, paths, host names and URLs: what must hold for all of them.

mod support;

use std::net::{IpAddr, ToSocketAddrs};

use airssys_osl::Protocol::Tcp;
use airssys_osl::{Ask, Capability, Endpoint};
use support::fuzz;

fn grant(text: &str) -> Capability {
    Capability::parse(text).unwrap_or_else(|error| panic!("{error}")).remove(0)
}

fn is_one_line(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A line for what was asked covers that, or is no line at all.
fn pasted_covers(ask: &Ask) {
    let line = ask.capability_text();
    assert!(is_one_line(&line), "{line}");
    if let Ok(pasted) = Capability::parse(&line) {
        assert_eq!(pasted.len(), 1, "{line}");
        assert_eq!(pasted[0].to_string(), line);
        assert!(pasted[0].covers(ask), "{line} | {ask:?}");
    }
}

fn fuzz_capability(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let all = match Capability::parse(&text) {
        Ok(all) => all,
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains('\n') && shown.len() < 16_384, "{shown:?}");
            return;
        }
    };
    for capability in &all {
        let printed = capability.to_string();
        assert!(is_one_line(&printed), "{printed}");
        assert_eq!(Capability::parse(&printed).as_deref(), Ok(std::slice::from_ref(capability)), "{text}");
        assert!(capability.includes(capability), "{printed}");
    }
    if let Ok(ask) = Ask::parse(&text) {
        assert!(all[0].covers(&ask) && all[0].forbids(&ask), "{text} | {ask:?}");
        pasted_covers(&ask);
    }
}

fn fuzz_path(bytes: &[u8]) {
    let path = String::from_utf8_lossy(bytes).into_owned();
    let ask = Ask::FsWrite(path.clone());
    pasted_covers(&ask);
    if grant("fs.write /data/**").covers(&ask) {
        assert!(path == "/data" || path.starts_with("/data/"), "{path:?}");
        assert!(!path[1..].split('/').any(|name| matches!(name, "" | "." | "..")) && !path.contains('\0'));
    }
}

fn fuzz_host(bytes: &[u8]) {
    let name = String::from_utf8_lossy(bytes).into_owned();
    let ask = Ask::NetConnect(Endpoint::named(&name, 443, Tcp));
    pasted_covers(&ask);
    pasted_covers(&Ask::NetResolve(name.clone()));
    let is_address = name.parse::<IpAddr>().is_ok();
    if grant("net.connect *.example.com:443 ; private=yes").covers(&ask) {
        let lower = name.trim_end_matches('.').to_ascii_lowercase();
        assert!(lower.ends_with(".example.com") && lower.len() > ".example.com".len(), "{name:?}");
        assert!(lower.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.')), "{name:?}");
    }
    let line = ask.capability_text();
    if Capability::parse(&line).is_ok() && !is_address {
        // The resolver of the machine, which knows all odd spellings, must not take it for an address.
        let digits_only = name.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b'x' | b'X'));
        let taken = digits_only
            && !name.contains(|c: char| c.is_ascii_alphabetic())
            && (name.as_str(), 443).to_socket_addrs().is_ok();
        assert!(!taken, "{name:?} is read as an address");
    }
}

/// What the most generous server would make of a path: all decoded, twice, backslashes turned,
/// parameters dropped, dot segments resolved.
fn generous(path: &str) -> String {
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..2 {
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
            match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                Some(value) if bytes[at] == b'%' => {
                    out.push(value);
                    at += 3;
                }
                _ => {
                    out.push(bytes[at]);
                    at += 1;
                }
            }
        }
        bytes = out;
    }
    let text = String::from_utf8_lossy(&bytes).replace('\\', "/");
    let mut names: Vec<&str> = Vec::new();
    for name in text.split('/').map(|name| name.split(';').next().unwrap_or("")) {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

fn fuzz_url(bytes: &[u8]) {
    let url = String::from_utf8_lossy(bytes).into_owned();
    let ask = Ask::Http { method: "GET".to_owned(), url: url.clone() };
    let line = ask.capability_text();
    assert!(is_one_line(&line), "{line}");
    if let Ok(pasted) = Capability::parse(&line) {
        // Credentials are not shown, and a request with them is covered by nothing.
        assert!(pasted[0].covers(&ask) || url.contains('@'), "{line} | {url:?}");
        assert_eq!(pasted[0].to_string(), line, "{url:?}");
    }
    if grant("http GET https://api.example.com/v1/**").covers(&ask) {
        let end = url.find(['?', '#']).unwrap_or(url.len());
        let rest = &url[..end]["https://".len()..];
        let slash = rest.find('/').unwrap_or(rest.len());
        let host = rest[..slash].to_ascii_lowercase();
        assert!(matches!(host.trim_end_matches(":443"), "api.example.com" | "api.example.com."), "{url:?}");
        let path = generous(&rest[slash..]);
        assert!(path == "/v1" || path.starts_with("/v1/"), "{url:?} is {path}");
    }
}

#[test]
fn any_bytes_as_a_capability() {
    fuzz::run("capability", fuzz_capability);
}

#[test]
fn any_bytes_as_a_path() {
    fuzz::run("path", fuzz_path);
}

#[test]
fn any_bytes_as_a_host() {
    fuzz::run("host", fuzz_host);
}

#[test]
fn any_bytes_as_a_url() {
    fuzz::run("url", fuzz_url);
}
