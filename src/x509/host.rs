//! The name that clients reach MAS under.

use std::fmt;

use rustls_pki_types::DnsName;

/// A fully qualified DNS name in the form certificates hold it: lower-case ASCII, no dot at the end, no wildcard.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostNameError {
    /// What was typed is not repeated: a URL or a connection string may hold a password.
    #[error("this is a URL or a connection string; give the host alone, such as auth.example.com")]
    Url,
    #[error("{0:?} names a port; an ingress answers on 443, give the host alone")]
    Port(String),
    #[error("{0:?} is an address; the identity providers and the certificate need a name, such as auth.example.com")]
    Address(String),
    #[error("{0:?} has no domain; a fully-qualified name is needed, such as auth.example.com")]
    NotQualified(String),
    /// RFC 1123 §2.1.
    #[error("{0:?} is not a DNS name: letters, digits and hyphens between dots, 63 to a label and 253 in all")]
    NotDns(String),
}

impl HostName {
    /// Reads a host name; upper case, one dot at the end and spaces around it are accepted and normalized, because MAS compares
    /// its issuer to the letter.
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

    /// Whether a DNS name of a certificate covers this host: the same name, or `*` in place of exactly its first label
    /// (RFC 9525 §6.3). A wildcard directly under a top-level domain covers nothing, and neither does a name with a dot at its
    /// end: clients do not accept them.
    pub(super) fn is_covered_by(&self, pattern: &str) -> bool {
        let pattern = pattern.to_ascii_lowercase();
        match pattern.strip_prefix("*.") {
            Some(parent) => parent.contains('.') && self.0.split_once('.').is_some_and(|(_, domain)| domain == parent),
            None => self.0 == pattern,
        }
    }
}

/// Whether a DNS name lies within a name constraint (RFC 5280 §4.2.1.10): the constraint itself or below it. An empty constraint
/// holds every name; a dot at its start, which some tools write, is taken as "below it only".
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
    fn what_is_not_a_host_name_is_named() {
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
            // Once taken for the host; rustls and openssl do not.
            "auth.example.com.",
            "*.example.com.",
        ] {
            assert!(!host.is_covered_by(other), "{other}");
        }
        assert!(!HostName::parse("a.auth.example.com").unwrap().is_covered_by("*.example.com"), "two labels");
        assert!(!HostName::parse("example.com").unwrap().is_covered_by("*.com"), "a top-level domain");
    }

    #[test]
    fn constraints_hold_the_name_and_what_is_below() {
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
        fn what_is_accepted_is_accepted_again_unchanged(text in "[a-zA-Z0-9.-]{0,40}") {
            if let Ok(host) = HostName::parse(&text) {
                prop_assert_eq!(HostName::parse(host.as_str()), Ok(host.clone()));
                prop_assert_eq!(host.is_covered_by(&text), !text.ends_with('.'));
            }
        }
    }
}
