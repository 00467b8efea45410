//! The host name of MAS.

use std::fmt;

use rustls_pki_types::DnsName;

/// A fully qualified DNS name as in certificates: lower-case ASCII, no final dot, no wildcard.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostNameError {
    /// Doesn't repeat the input: a URL or a connection string may contain a password.
    #[error("the value is a URL or a connection string; pass only the host, such as auth.example.com")]
    Url,
    #[error("{0:?} contains a port; an ingress listens on port 443, pass only the host")]
    Port(String),
    #[error("{0:?} is an IP address; identity providers and certificates need a name, such as auth.example.com")]
    Address(String),
    #[error("{0:?} has no domain; pass a fully qualified name, such as auth.example.com")]
    NotQualified(String),
    /// RFC 1123 §2.1.
    #[error("{0:?} is not a DNS name: labels of up to 63 letters, digits and hyphens between dots, 253 in total")]
    NotDns(String),
}

impl HostName {
    /// Parses a host name. Normalizes upper case, a final dot and surrounding spaces, because MAS compares its issuer exactly.
    pub fn parse(text: &str) -> Result<Self, HostNameError> {
        let given = text.trim().to_owned();
        let name = given.strip_suffix('.').unwrap_or(&given).to_ascii_lowercase();
        let is_number = |port: &str| port.chars().all(|c| c.is_ascii_digit());
        if name.contains(['/', '@', '=']) {
            Err(HostNameError::Url)
        } else if name.parse::<std::net::IpAddr>().is_ok() || name.starts_with('[') {
            Err(HostNameError::Address(given))
        } else if name.rsplit_once(':').is_some_and(|(_, port)| is_number(port)) {
            Err(HostNameError::Port(given))
        } else if name.contains('_') || name.ends_with('.') || DnsName::try_from(name.as_str()).is_err() {
            Err(HostNameError::NotDns(given))
        } else if !name.contains('.') {
            Err(HostNameError::NotQualified(given))
        } else {
            Ok(Self(name))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a DNS name of a certificate covers this host: the same name, or `*` for exactly the first label (RFC 9525 §6.3).
    /// Clients accept neither a wildcard directly under a top-level domain nor a name with a final dot.
    pub(super) fn is_covered_by(&self, pattern: &str) -> bool {
        let pattern = pattern.to_ascii_lowercase();
        match pattern.strip_prefix("*.") {
            Some(parent) => parent.contains('.') && self.0.split_once('.').is_some_and(|(_, domain)| domain == parent),
            None => self.0 == pattern,
        }
    }
}

/// Whether a DNS name satisfies a name constraint (RFC 5280 §4.2.1.10): the constraint itself or a subdomain. An empty
/// constraint allows every name; a leading dot, which some tools write, means subdomains only.
pub(super) fn is_within(name: &str, constraint: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let constraint = constraint.trim_end_matches('.').to_ascii_lowercase();
    if constraint.is_empty() || (name == constraint) {
        return true;
    }
    let parent = constraint.strip_prefix('.').unwrap_or(&constraint);
    name.strip_suffix(parent).is_some_and(|below| below.ends_with('.'))
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn normalizes_case_and_the_last_dot() {
        assert_eq!(HostName::parse("Auth.Example.COM.").unwrap().as_str(), "auth.example.com");
    }

    #[test]
    fn invalid_host_names_have_specific_errors() {
        use HostNameError as E;
        assert_eq!(HostName::parse("xn--bcher-kva.example").unwrap().as_str(), "xn--bcher-kva.example");
        let long = format!("{}.com", "a".repeat(64));
        for (text, error) in [
            ("", E::NotDns as fn(String) -> E),
            (".", E::NotDns),
            ("https://auth.example.com", |_| E::Url),
            ("auth.example.com:443", E::Port),
            ("auth.example.com/", |_| E::Url),
            ("postgres://user:canary@auth.example.com", |_| E::Url),
            ("user:canary@auth.example.com:443", |_| E::Url),
            ("host=auth.example.com password=canary", |_| E::Url),
            ("*.example.com", E::NotDns),
            ("büro.example.com", E::NotDns),
            ("192.0.2.1", E::Address),
            ("2001:db8::1", E::Address),
            ("[2001:db8::1]", E::Address),
            ("localhost", E::NotQualified),
            ("auth", E::NotQualified),
            ("auth..example.com", E::NotDns),
            ("-auth.example.com", E::NotDns),
            ("auth-.example.com", E::NotDns),
            ("auth_1.example.com", E::NotDns),
            ("a b.example.com", E::NotDns),
            (&long, E::NotDns),
        ] {
            assert_eq!(HostName::parse(text), Err(error(text.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn a_wildcard_covers_exactly_one_label() {
        let host = HostName::parse("auth.example.com").unwrap();
        for covering in ["auth.example.com", "AUTH.example.com", "*.example.com", "*.Example.com"] {
            assert!(host.is_covered_by(covering), "{covering}");
        }
        for other in [
            "example.com",
            "*.com",
            "*.*.com",
            "a*.example.com",
            "*.auth.example.com",
            "*",
            "*.",
            "",
            "uth.example.com",
            // rustls and openssl don't accept a final dot.
            "auth.example.com.",
            "*.example.com.",
        ] {
            assert!(!host.is_covered_by(other), "{other}");
        }
        assert!(!HostName::parse("a.auth.example.com").unwrap().is_covered_by("*.example.com"), "two labels");
        assert!(!HostName::parse("example.com").unwrap().is_covered_by("*.com"), "a top-level domain");
    }

    #[test]
    fn constraints_allow_the_name_and_its_subdomains() {
        assert!(is_within("auth.example.com", "auth.example.com"));
        assert!(is_within("auth.example.com", "Example.com"));
        assert!(is_within("auth.example.com", ".example.com"));
        assert!(is_within("auth.example.com", ""));
        assert!(!is_within("example.com", ".example.com"));
        assert!(!is_within("badexample.com", "example.com"));
        assert!(!is_within("example.com", "auth.example.com"));
    }

    proptest! {
        #[test]
        fn accepted_names_parse_again_unchanged(text in "[a-zA-Z0-9.-]{0,40}") {
            if let Ok(host) = HostName::parse(&text) {
                prop_assert_eq!(HostName::parse(host.as_str()), Ok(host.clone()));
                prop_assert_eq!(host.is_covered_by(&text), !text.ends_with('.'));
            }
        }
    }
}
