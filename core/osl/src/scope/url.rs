//! The parts of a URL that decide: origin and path, in one normal form or not at all.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::host_name;
use crate::endpoint::{Endpoint, Protocol, in_url};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// What is asked for: one host, one port, one path without its query.
pub(crate) struct Target<'a> {
    pub scheme: Scheme,
    pub host: Host<'a>,
    pub port: u16,
    pub path: Cow<'a, str>,
}

pub(crate) enum Host<'a> {
    Name(Cow<'a, str>),
    Address(IpAddr),
}

pub(crate) const URL_BYTES_MAX: usize = 8_192;

impl<'a> Target<'a> {
    /// Reads the URL of a request; refused when two programs could read it differently.
    pub fn parse(url: &'a str) -> Result<Self, String> {
        let end = url.find(['?', '#']).unwrap_or(url.len());
        let (scheme, authority, path) = split(&url[..end])?;
        let (host, port) = host_and_port(authority, scheme)?;
        let host = host_of(host)?;
        Ok(Self { scheme, host, port, path: normal_path(path, false)? })
    }

    /// Where its connection goes, before a name is resolved.
    pub fn endpoint(&self) -> Endpoint {
        match &self.host {
            Host::Name(name) => Endpoint::named(name, self.port, Protocol::Tcp),
            Host::Address(ip) => Endpoint::address(SocketAddr::new(*ip, self.port), Protocol::Tcp),
        }
    }
}

/// Scheme, authority and raw path.
pub(crate) fn split(url: &str) -> Result<(Scheme, &str, &str), String> {
    if url.len() > URL_BYTES_MAX {
        return Err(format!("a URL has at most {URL_BYTES_MAX} bytes"));
    }
    if let Some(odd) = url.chars().find(|c| c.is_control() || c.is_whitespace() || *c == '\\') {
        return Err(format!("{odd:?} is in no URL: write it percent-encoded"));
    }
    let no_scheme = || "a URL starts with http:// or https://".to_owned();
    let (scheme, rest) = url.split_once("://").ok_or_else(no_scheme)?;
    let scheme = match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
        _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
        _ => return Err(no_scheme()),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("no credentials stand in a URL: leave out what is before the `@`".into());
    }
    Ok((scheme, authority, path))
}

/// The host as it is written, and the port, which the scheme knows where it is left out.
pub(crate) fn host_and_port(authority: &str, scheme: Scheme) -> Result<(&str, u16), String> {
    let after_brackets = authority.rfind(']').unwrap_or(0);
    let Some(colon) = authority[after_brackets..].find(':') else { return Ok((authority, scheme.port())) };
    let (host, port) = authority.split_at(after_brackets + colon);
    let digits = &port[1..];
    match digits.parse::<u16>() {
        // A zero in front is octal to some, and `+` a sign to our own parser.
        Ok(port) if digits.starts_with(|c| matches!(c, '1'..='9')) => Ok((host, port)),
        _ => Err(format!("{digits:?} is no port of a URL: write 1 to 65535, or leave the `:` out")),
    }
}

fn host_of(text: &str) -> Result<Host<'_>, String> {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let ip: Ipv6Addr = address.parse().map_err(|_| format!("{address:?} is no IPv6 address"))?;
        return Ok(Host::Address(IpAddr::V6(ip).to_canonical()));
    }
    match text.parse::<Ipv4Addr>() {
        Ok(ip) => Ok(Host::Address(ip.into())),
        Err(_) => Ok(Host::Name(host_name::canonical(text)?)),
    }
}

/// The path in its normal form: what is unreserved stands for itself, all else that needs it is encoded
/// in capitals, dot segments are resolved. An empty path is `/`. In a pattern `*` stays; in a request
/// it is `%2A`.
///
/// Refused: encoded slashes, backslashes and dot segments, once or twice over; dot segments above the
/// root; empty segments, and these and dots with a parameter behind. Servers differ about all of these.
pub(crate) fn normal_path(raw: &str, pattern: bool) -> Result<Cow<'_, str>, String> {
    if !raw.is_empty() && is_normal(raw, pattern) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut path = String::with_capacity(raw.len() + 1);
    let mut starts = Vec::new();
    let mut names = raw.strip_prefix('/').unwrap_or(raw).split('/').peekable();
    while let Some(name) = names.next() {
        let last = names.peek().is_none();
        match name {
            "" if !last => return Err("no segment of a URL's path is empty: write one `/`".into()),
            "." | ".." if pattern => {
                return Err(format!("`{name}` is in no pattern: write the path it leads to"));
            }
            "." | ".." => {
                if name == ".." {
                    path.truncate(starts.pop().ok_or("the path of the URL climbs above its root")?);
                }
                if last {
                    path.push('/');
                }
            }
            _ => {
                starts.push(path.len());
                path.push('/');
                segment(name, pattern, &mut path)?;
            }
        }
    }
    Ok(Cow::Owned(path))
}

fn is_normal(path: &str, pattern: bool) -> bool {
    let names = || path[1..].split('/');
    path.starts_with('/')
        && path.bytes().all(|b| b == b'/' || is_plain(b) || (pattern && b == b'*'))
        && !names().any(|name| name.starts_with(['.', ';']))
        && !path.contains("//")
}

/// Appends the segment in its normal form.
fn segment(raw: &str, pattern: bool, path: &mut String) -> Result<(), String> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let start = path.len();
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let value = if byte == b'%' {
            let pair = (bytes.next().and_then(hex), bytes.next().and_then(hex));
            let (Some(high), Some(low)) = pair else {
                return Err("a `%` stands only before two hexadecimal digits: write %25 for itself".into());
            };
            encoded(high << 4 | low)?
        } else {
            byte
        };
        if (is_plain(value) && (byte != b'%' || is_unreserved(value))) || (pattern && byte == b'*') {
            path.push(char::from(value));
        } else {
            path.extend([b'%', HEX[usize::from(value >> 4)], HEX[usize::from(value & 15)]].map(char::from));
        }
    }
    let out = &path[start..];
    let name = bare(out);
    if matches!(name, "." | "..") || (name.is_empty() && !raw.is_empty()) {
        return Err("a segment of a URL that is empty or dots has no parameter, and stands unencoded".into());
    }
    let is_twice = |(at, _): (usize, &str)| {
        let digits = out.as_bytes().get(at + 3..at + 5).unwrap_or_default();
        [b"2e", b"2f", b"3b", b"5c"].iter().any(|twice| digits.eq_ignore_ascii_case(*twice))
    };
    if out.match_indices("%25").any(is_twice) {
        return Err("a slash, backslash, dot or semicolon is encoded twice in the path of the URL".into());
    }
    Ok(())
}

/// A segment in its normal form without its parameters.
fn bare(segment: &str) -> &str {
    let parameter = [segment.find(';'), segment.find("%3B")].into_iter().flatten().min();
    &segment[..parameter.unwrap_or(segment.len())]
}

/// A path in its normal form without the parameters of its segments, if it has any.
pub(crate) fn without_parameters(path: &str) -> Option<String> {
    let has_some = path.contains(';') || path.contains("%3B");
    has_some.then(|| path.split('/').map(bare).collect::<Vec<_>>().join("/"))
}

/// A byte that was percent-encoded, unless it must not be.
fn encoded(value: u8) -> Result<u8, String> {
    match value {
        b'/' | b'\\' | 0..=0x1f | 0x7f => {
            Err(format!("%{value:02X} is in no path of a URL that a grant can cover"))
        }
        _ => Ok(value),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What stands in a path for itself: `pchar` of RFC 3986 without `%`, and without `*`.
fn is_plain(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'+' | b',' | b';' | b'=' | b':' | b'@')
}

impl Scheme {
    pub fn port(self) -> u16 {
        if self == Scheme::Https { 443 } else { 80 }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Scheme::Https { "https" } else { "http" })
    }
}

/// The canonical URL, without the scheme's own port.
impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        match &self.host {
            Host::Name(name) => f.write_str(name)?,
            Host::Address(ip) => f.write_str(&in_url(*ip))?,
        }
        if self.port != self.scheme.port() {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)
    }
}
