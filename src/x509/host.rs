//! The name that clients reach MAS under.

use std::fmt;

use rustls_pki_types::DnsName;

/// A fully qualified DNS name in the form certificates hold it: lower-case ASCII, no dot at the end, no wildcard.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName(String);

/// Why some text is not a host name. `Display` says what to give instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostNameError {
    #[error("The host name is empty. Give the fully qualified name, such as auth.example.com.")]
    Empty,
    #[error("This is not a host name alone. Leave out https://, the port and the path: auth.example.com.")]
    NotAlone,
    #[error("A wildcard is not a host name. Give the one name that clients reach MAS under, such as auth.example.com.")]
    Wildcard,
    #[error(
        "The host name has letters outside ASCII. Give it as DNS holds it, with labels that start with xn-- (punycode)."
    )]
    NotAscii,
    #[error("This is an IP address. Certificates for MAS are checked against a DNS name; give that.")]
    Address,
    #[error("The host name has no domain. Give the fully qualified name, such as auth.example.com.")]
    NotQualified,
    /// Something DNS host names cannot have: RFC 1123 §2.1.
    #[error(
        "This is not a valid host name: its labels are 1 to 63 letters, digits and inner hyphens, at most 253 characters in all."
    )]
    NotValid,
}

impl HostName {
    /// Reads a host name; upper case and one dot at the end are accepted and normalized.
    pub fn parse(text: &str) -> Result<Self, HostNameError> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.is_empty() {
            Err(HostNameError::Empty)
        } else if name.parse::<std::net::IpAddr>().is_ok() {
            Err(HostNameError::Address)
        } else if name.contains(['/', ':']) {
            Err(HostNameError::NotAlone)
        } else if name.contains('*') {
            Err(HostNameError::Wildcard)
        } else if !name.is_ascii() {
            Err(HostNameError::NotAscii)
        } else if name.contains('_') || name.ends_with('.') || DnsName::try_from(name.as_str()).is_err() {
            Err(HostNameError::NotValid)
        } else if !name.contains('.') {
            Err(HostNameError::NotQualified)
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
        let long = format!("{}.com", "a".repeat(64));
        let cases = [
            ("", E::Empty),
            (".", E::Empty),
            ("https://auth.example.com", E::NotAlone),
            ("auth.example.com:443", E::NotAlone),
            ("auth.example.com/", E::NotAlone),
            ("*.example.com", E::Wildcard),
            ("büro.example.com", E::NotAscii),
            ("192.0.2.1", E::Address),
            ("2001:db8::1", E::Address),
            ("localhost", E::NotQualified),
            ("auth..example.com", E::NotValid),
            ("-auth.example.com", E::NotValid),
            ("auth_1.example.com", E::NotValid),
            ("auth.example.com ", E::NotValid),
            (&long, E::NotValid),
        ];
        for (text, error) in cases {
            assert_eq!(HostName::parse(text), Err(error), "{text:?}");
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
