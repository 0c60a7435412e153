use std::fmt;
use std::net::IpAddr;

use super::cidr::Cidr;
use super::host_pattern::HostPattern;
use super::net_pattern;
use super::url::{self, Host, Scheme, Target};
use crate::glob::Token;
use crate::parts::{self, Part};
use crate::text::{self, Word};

/// Which requests a grant reaches: methods, one origin, and a pattern of its paths.
///
/// In the path `*` stays in one segment, which it does not leave empty, and `**` is any number of them.
/// `/v1/` and `/v1` are two paths; `/v1/**` covers both. The query never matters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HttpPattern {
    /// Sorted; none for `*`, which is all of them.
    methods: Vec<String>,
    scheme: Scheme,
    pub host: HostPattern,
    port: u16,
    path: Vec<Part>,
}

const METHODS_MAX: usize = 32;
const METHOD_BYTES_MAX: usize = 32;
const WILDCARDS_MAX: usize = 32;
/// Characters in all segments with a wildcard: times the bytes of a URL, the steps of the worst match.
const GLOB_CHARS_MAX: usize = 50;

impl HttpPattern {
    pub fn parse(words: &[Word]) -> Result<Self, String> {
        let [methods, url] = words else {
            return Err(
                "http names methods and one URL, as in http GET,HEAD https://api.example.com/v1/**".into()
            );
        };
        let methods = parse_methods(&methods.text)?;
        let url = &url.text;
        if url.contains(['?', '#']) {
            return Err("leave out the query and the fragment: they never matter".into());
        }
        if let Some(odd) = url.find(['{', '}']) {
            return Err(format!("{:?} has no meaning here: `*` is one segment of the path", &url[odd..=odd]));
        }
        let (scheme, authority, path) = url::split(url)?;
        if path.is_empty() {
            return Err(format!("a path follows the host: {url}/** is all of it, {url}/ its root"));
        }
        let (host, port) = url::host_and_port(authority, scheme)?;
        let host = HostPattern::parse(host)?;
        if matches!(&host, HostPattern::Block(block) if block.exact().is_none()) {
            return Err("a URL has one address, not a block of them".into());
        }
        Ok(Self { methods, scheme, host, port, path: parse_path(path)? })
    }

    /// Whether it covers the request. Linear in the URL but for the segments with a wildcard.
    pub fn covers(&self, method: &str, target: &Target<'_>) -> bool {
        self.meets(method, target, Cidr::covers) && self.covers_path(&target.path)
    }

    /// Whether a ban of it touches the request, with the parameters of its segments (`/admin;x`) or without them: many
    /// servers take no notice of these.
    pub fn touches(&self, method: &str, target: &Target<'_>) -> bool {
        self.meets(method, target, Cidr::touches)
            && (self.covers_path(&target.path)
                || url::without_parameters(&target.path).is_some_and(|bare| self.covers_path(&bare)))
    }

    fn covers_path(&self, path: &str) -> bool {
        parts::matches(&self.path, path[1..].split('/'))
    }

    /// Whether it is the request but for the path.
    fn meets(&self, method: &str, target: &Target<'_>, meets: impl Fn(&Cidr, IpAddr) -> bool) -> bool {
        let host = match &target.host {
            Host::Name(name) => self.host.matches_name(name),
            Host::Address(ip) => matches!(&self.host, HostPattern::Block(block) if meets(block, *ip)),
        };
        host && self.scheme == target.scheme && self.port == target.port && self.covers_method(method)
    }

    /// The segments of its path before the first wildcard.
    pub fn literal_prefix(&self) -> Vec<&str> {
        parts::literal_prefix(&self.path)
    }

    fn covers_method(&self, method: &str) -> bool {
        is_method(method) && (self.methods.is_empty() || self.methods.iter().any(|own| own == method))
    }

    /// Whether the connection of a request that it covers may go to this address.
    pub fn permits(&self, ip: IpAddr, private: bool) -> bool {
        net_pattern::permits(&self.host, ip, private)
    }

    /// Whether it covers all that the other covers; see [`parts::includes`].
    pub fn includes(&self, other: &HttpPattern) -> bool {
        let methods = self.methods.is_empty()
            || (!other.methods.is_empty()
                && other.methods.iter().all(|method| self.methods.contains(method)));
        methods
            && self.scheme == other.scheme
            && self.port == other.port
            && self.host.includes(&other.host)
            && parts::includes(&self.path, &other.path)
    }

    /// Method and URL, if neither has a wildcard.
    pub fn exact(&self) -> Option<(String, String)> {
        let [method] = self.methods.as_slice() else { return None };
        let literal = self.path.iter().all(|part| matches!(part, Part::Literal(_)));
        (literal && self.host.is_exact()).then(|| (method.clone(), self.url()))
    }

    fn url(&self) -> String {
        let port = if self.port == self.scheme.port() { String::new() } else { format!(":{}", self.port) };
        let mut url = format!("{}://{}{port}", self.scheme, self.host);
        for part in &self.path {
            url.push('/');
            segment(part, &mut url);
        }
        url
    }
}

fn parse_methods(list: &str) -> Result<Vec<String>, String> {
    if list == "*" {
        return Ok(Vec::new());
    }
    let mut methods: Vec<String> = list.split(',').map(str::to_owned).collect();
    if let Some(odd) = methods.iter().find(|method| !is_method(method)) {
        return Err(match odd.as_str() {
            "CONNECT" => "CONNECT makes a tunnel, not a request: write net.connect for that".into(),
            odd if is_method(&odd.to_ascii_uppercase()) => {
                format!("methods stand in capitals: write {}", odd.to_ascii_uppercase())
            }
            _ => format!("{odd:?} is no method: write for example GET,HEAD, or * for all"),
        });
    }
    methods.sort();
    if methods.len() > METHODS_MAX {
        return Err(format!("a list has at most {METHODS_MAX} methods"));
    }
    match methods.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(twice) => Err(format!("{} stands twice: write it once", twice[0])),
        None => Ok(methods),
    }
}

fn is_method(text: &str) -> bool {
    (1..=METHOD_BYTES_MAX).contains(&text.len())
        && text != "CONNECT"
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

fn parse_path(raw: &str) -> Result<Vec<Part>, String> {
    let path = url::normal_path(raw, true)?;
    let mut parts = path[1..].split('/').map(parse_segment).collect::<Result<Vec<_>, _>>()?;
    parts.dedup_by(|a, b| *a == Part::AnyParts && *b == Part::AnyParts);
    if parts.iter().map(Part::wildcards).sum::<usize>() > WILDCARDS_MAX {
        return Err(format!("a URL has at most {WILDCARDS_MAX} wildcards"));
    }
    if parts.iter().map(Part::glob_chars).sum::<usize>() > GLOB_CHARS_MAX {
        return Err(format!(
            "the segments with a wildcard have at most {GLOB_CHARS_MAX} characters together"
        ));
    }
    Ok(parts)
}

fn parse_segment(text: &str) -> Result<Part, String> {
    if text == "**" {
        return Ok(Part::AnyParts);
    }
    if text.contains("**") {
        return Err("`**` stands only as a whole segment, as in https://api.example.com/v1/**".into());
    }
    if !text.contains('*') {
        return Ok(Part::Literal(text.to_owned()));
    }
    Ok(Part::Glob(text.chars().map(|c| if c == '*' { Token::Run } else { Token::Char(c) }).collect()))
}

fn segment(part: &Part, url: &mut String) {
    match part {
        Part::Literal(name) => url.push_str(name),
        Part::AnyParts => url.push_str("**"),
        Part::Glob(tokens) => {
            url.extend(tokens.iter().map(|token| if let Token::Char(c) = token { *c } else { '*' }));
        }
    }
}

impl fmt::Display for HttpPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = if self.methods.is_empty() { "*".to_owned() } else { self.methods.join(",") };
        write!(f, "{methods} {}", text::word(&self.url()))
    }
}
