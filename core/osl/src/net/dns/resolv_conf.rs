//! Which name servers the host's `resolv.conf` names. Its options and search domains are not taken: they
//! would make another name of what was granted.

use std::net::{IpAddr, SocketAddr};

/// As many as other resolvers take.
const SERVERS_MAX: usize = 3;

/// The servers in their order. One with a zone, as in `fe80::1%eth0`, is left out.
pub(crate) fn servers(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let ip: IpAddr = words.next().filter(|word| *word == "nameserver").and(words.next())?.parse().ok()?;
        Some(SocketAddr::new(ip, 53))
    };
    text.lines().filter_map(address).take(SERVERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_name_servers_are_taken() {
        let text = "# nameserver 192.0.2.9\nsearch evil.example\noptions ndots:9 timeout:99\n\
            nameserver 192.0.2.1\n nameserver\t2001:db8::1 # second\nnameserver\nnameserver x\n\
            nameserver fe80::1%eth0\nnameservers 192.0.2.8\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n";
        let found = servers(text);
        assert_eq!(
            found,
            [
                "192.0.2.1:53".parse().unwrap(),
                "[2001:db8::1]:53".parse().unwrap(),
                "192.0.2.2:53".parse::<SocketAddr>().unwrap(),
            ]
        );
        assert!(servers("").is_empty());
    }
}
