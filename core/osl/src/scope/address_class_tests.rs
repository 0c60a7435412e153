use super::AddressClass::{
    Broadcast, Documentation, LinkLocal, Loopback, Multicast, Private, Public, Reserved, Shared, Unspecified,
};
use super::*;

/// Both ends of each block, and who stands beside them.
const TABLE: &[(&str, AddressClass)] = &[
    ("0.0.0.0", Unspecified),
    ("0.0.0.1", Reserved),
    ("1.0.0.0", Public),
    ("9.255.255.255", Public),
    ("10.0.0.0", Private),
    ("10.255.255.255", Private),
    ("11.0.0.0", Public),
    ("100.63.255.255", Public),
    ("100.64.0.0", Shared),
    ("100.127.255.255", Shared),
    ("100.128.0.0", Public),
    ("126.255.255.255", Public),
    ("127.0.0.0", Loopback),
    ("127.255.255.255", Loopback),
    ("128.0.0.0", Public),
    ("168.63.129.16", Private),
    ("168.63.129.17", Public),
    ("169.253.255.255", Public),
    ("169.254.169.254", LinkLocal),
    ("169.255.0.0", Public),
    ("172.15.255.255", Public),
    ("172.16.0.0", Private),
    ("172.31.255.255", Private),
    ("172.32.0.0", Public),
    ("192.0.0.1", Reserved),
    ("192.0.1.1", Public),
    ("192.0.2.1", Documentation),
    ("192.88.99.1", Reserved),
    ("192.167.255.255", Public),
    ("192.168.0.0", Private),
    ("192.168.255.255", Private),
    ("198.17.255.255", Public),
    ("198.18.0.0", Reserved),
    ("198.19.255.255", Reserved),
    ("198.51.100.1", Documentation),
    ("203.0.113.1", Documentation),
    ("223.255.255.255", Public),
    ("224.0.0.1", Multicast),
    ("239.255.255.255", Multicast),
    ("240.0.0.1", Reserved),
    ("255.255.255.254", Reserved),
    ("255.255.255.255", Broadcast),
    ("::", Unspecified),
    ("::1", Loopback),
    ("::2", Reserved),
    ("::127.0.0.1", Loopback),
    ("::8.8.8.8", Public),
    ("::ffff:127.0.0.1", Loopback),
    ("::ffff:0.0.0.0", Unspecified),
    ("::ffff:169.254.169.254", LinkLocal),
    ("::ffff:8.8.8.8", Public),
    ("64:ff9b::127.0.0.1", Loopback),
    ("64:ff9b::169.254.169.254", LinkLocal),
    ("64:ff9b::8.8.8.8", Public),
    ("64:ff9b:1::8.8.8.8", Private),
    ("64:ff9b:2::", Reserved),
    ("100::1", Reserved),
    ("2001::1", Reserved),
    ("2001:1ff::", Reserved),
    ("2001:200::", Public),
    ("2001:db7:ffff::", Public),
    ("2001:db8::1", Documentation),
    ("2001:db9::", Public),
    ("2002:7f00:1::", Loopback),
    ("2002:a00:1::1", Private),
    ("2002:808:808::1", Public),
    ("2606:4700::1111", Public),
    ("3fff:fff::", Documentation),
    ("3fff:1000::", Public),
    ("4000::", Reserved),
    ("5f00::1", Reserved),
    ("fbff::1", Reserved),
    ("fc00::", Private),
    ("fd00:ec2::254", Private),
    ("fe00::1", Reserved),
    ("fe80::1", LinkLocal),
    ("febf::1", LinkLocal),
    ("fec0::1", Private),
    ("ff02::1", Multicast),
];

#[test]
fn hostile_e1_each_address_has_its_class_whatever_it_is_dressed_as() {
    for (text, want) in TABLE {
        let ip: IpAddr = text.parse().unwrap();
        assert_eq!(class(ip), *want, "{text}");
        assert_eq!(class(canonical(ip)), *want, "{text}");
    }
}

#[test]
fn only_public_addresses_and_with_private_ones_own_are_reached_by_name() {
    for class in [Loopback, Private, LinkLocal, Shared] {
        assert!(!class.is_reachable_by_name(false) && class.is_reachable_by_name(true), "{class:?}");
    }
    for class in [Unspecified, Multicast, Broadcast, Documentation, Reserved] {
        assert!(!class.is_reachable_by_name(true), "{class:?}");
    }
    assert!(Public.is_reachable_by_name(false));
}
