//! Addresses that nobody is sent to by somebody else's answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why a connection to this address is refused when a server named it, and not the person: this machine itself, its
/// link, or the services of cloud providers that hand out credentials to whoever asks. Addresses of private networks are no
/// reason: companies' identity providers have them.
pub fn reserved(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => reserved_v4(address),
        IpAddr::V6(address) => reserved_v6(address),
    }
}

fn reserved_v4(address: Ipv4Addr) -> Option<&'static str> {
    // Azure, Alibaba, Oracle; those of the others are link-local.
    const METADATA: [Ipv4Addr; 3] =
        [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
    if address.is_loopback() || address.octets()[0] == 0 {
        Some("this machine itself")
    } else if address.is_link_local() {
        Some("a link-local address, where cloud providers hand out credentials")
    } else if METADATA.contains(&address) {
        Some("a cloud provider's metadata service")
    } else if address.is_multicast() || address.is_broadcast() {
        Some("no single machine")
    } else {
        None
    }
}

fn reserved_v6(address: Ipv6Addr) -> Option<&'static str> {
    let segments = address.segments();
    // IPv4 in other clothes: mapped and compatible (RFC 4291), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056).
    let last = || {
        let [.., a, b] = segments;
        let ([a, b], [c, d]) = (a.to_be_bytes(), b.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    let inner = match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, ..] => Some(last()),
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => Some(last()),
        [0x2002, a, b, ..] => {
            let ([a, b], [c, d]) = (a.to_be_bytes(), b.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    };
    if let Some(reason) = inner.and_then(reserved_v4) {
        return Some(reason);
    }
    if address.is_loopback() || address.is_unspecified() {
        Some("this machine itself")
    } else if address.is_unicast_link_local() {
        Some("a link-local address")
    } else if segments == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] || segments == [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] {
        Some("a cloud provider's metadata service")
    } else if address.is_multicast() {
        Some("no single machine")
    } else {
        None
    }
}

/// The same for a name that has not been resolved, as a proxy will do it: names that stand for such addresses.
pub fn reserved_name(host: &str) -> Option<&'static str> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = literal.parse::<IpAddr>() {
        return reserved(address);
    }
    match host.as_str() {
        "localhost" => Some("this machine itself"),
        "metadata" | "metadata.google.internal" | "instance-data" => Some("a cloud provider's metadata service"),
        _ if host.ends_with(".localhost") => Some("this machine itself"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_credentials_or_back_to_this_machine() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "169.254.169.254",
            "169.254.0.1",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "ff02::1",
            "::ffff:169.254.169.254",
            "::ffff:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "::7f00:1",
        ] {
            assert!(reserved(address.parse().unwrap()).is_some(), "{address}");
            assert!(reserved_name(address).is_some(), "{address}");
        }
        for address in [
            "10.1.2.3",
            "192.168.1.1",
            "172.16.0.1",
            "203.0.113.7",
            "2001:db8::1",
            "fd12:3456::1",
            "64:ff9b::cb00:7107",
        ] {
            assert_eq!(reserved(address.parse().unwrap()), None, "{address}");
        }
        for name in ["localhost", "LOCALHOST.", "a.localhost", "metadata.google.internal.", "[::1]"] {
            assert!(reserved_name(name).is_some(), "{name}");
        }
        assert_eq!(reserved_name("id.corp.example.com"), None);
    }
}
