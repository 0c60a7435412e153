use std::fmt;
use std::net::IpAddr;

use super::cidr::Cidr;
use super::host_name;

/// Which hosts a grant reaches: by name, or by address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostPattern {
    /// Exactly this name.
    Name(String),
    /// `*.example.com`: one or more labels before this name, never the name itself.
    Below(String),
    Block(Cidr),
}

impl HostPattern {
    /// Reads `api.example.com`, `*.example.com`, `10.0.0.0/8`, `[2001:db8::]/32`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix('[') {
            let (address, after) = rest.split_once(']').ok_or("the `[` of an address has no `]`")?;
            let prefix = match after {
                "" => None,
                _ => Some(
                    after
                        .strip_prefix('/')
                        .ok_or("only the bits of a block follow the `]`, as in [2001:db8::]/32")?,
                ),
            };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(format!(
                    "{address:?} is no IPv6 address: write for example [2001:db8::]/32 or [::1]"
                ));
            }
            return Ok(Self::Block(Cidr::parse(address, prefix)?));
        }
        if text.contains(':') {
            return Err("an IPv6 address stands in brackets, as in [2001:db8::1]:443".into());
        }
        if let Some((address, prefix)) = text.split_once('/') {
            return Ok(Self::Block(Cidr::parse(address, Some(prefix))?));
        }
        if text.parse::<IpAddr>().is_ok() {
            return Ok(Self::Block(Cidr::parse(text, None)?));
        }
        if let Some(name) = text.strip_prefix("*.") {
            return Ok(Self::Below(host_name::canonical(name)?.into_owned()));
        }
        if text.contains('*') {
            return Err("`*` stands only in front of a whole name, as in *.example.com; addresses are written 0.0.0.0/0 and [::]/0".into());
        }
        Ok(Self::Name(host_name::canonical(text)?.into_owned()))
    }

    /// Whether it covers the name, which must be one: case and one last dot do not matter.
    pub fn matches_name(&self, name: &str) -> bool {
        let Ok(name) = host_name::canonical(name) else { return false };
        match self {
            Self::Name(exact) => *exact == name,
            Self::Below(parent) => is_below(&name, parent),
            Self::Block(_) => false,
        }
    }

    /// Whether the text may be resolved: a name that it covers, or an address that it covers, for which
    /// nobody is asked.
    pub fn resolves(&self, text: &str) -> bool {
        match (self, text.parse::<IpAddr>()) {
            (Self::Block(block), Ok(ip)) => block.covers(ip.to_canonical()),
            (_, Ok(_)) => false,
            (names, Err(_)) => names.matches_name(text),
        }
    }

    /// Whether it covers all that the other covers; exact for names.
    pub fn includes(&self, other: &HostPattern) -> bool {
        match (self, other) {
            (Self::Below(wide), Self::Name(name)) => is_below(name, wide),
            (Self::Below(wide), Self::Below(narrow)) => wide == narrow || is_below(narrow, wide),
            (Self::Block(wide), Self::Block(narrow)) => wide.includes(narrow),
            _ => self == other,
        }
    }

    /// Whether it is one name or one address.
    pub fn is_exact(&self) -> bool {
        match self {
            Self::Name(_) => true,
            Self::Below(_) => false,
            Self::Block(block) => block.exact().is_some(),
        }
    }
}

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|front| front.ends_with('.'))
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Block(block) => write!(f, "{block}"),
        }
    }
}
