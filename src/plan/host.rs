//! What can be the host of MAS.

/// Why a text is no host name that MAS can be reached at.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HostError {
    #[error("{0:?} is a URL; give the host alone, such as auth.example.com")]
    Url(String),
    #[error("{0:?} names a port; an ingress answers on 443, give the host alone")]
    Port(String),
    /// An address was given; certificates and redirect URIs need a name.
    #[error("{0:?} is an address; the identity providers and the certificate need a name, such as auth.example.com")]
    Address(String),
    #[error("{0:?} has no domain; a fully-qualified name is needed, such as auth.example.com")]
    NotQualified(String),
    /// A character or length that DNS does not allow.
    #[error("{0:?} is not a DNS name: letters, digits and hyphens between dots, 63 to a label and 253 in all")]
    NotDns(String),
}

/// Accepts a fully-qualified DNS name and returns it in lower case, because MAS compares its issuer to the letter.
///
/// # Errors
/// If it is a URL, has a port, is an address, or is no DNS name (RFC 1123).
pub fn check_host(text: &str) -> Result<String, HostError> {
    let host = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let given = || text.trim().to_owned();
    if host.contains("://") || host.contains('/') {
        return Err(HostError::Url(given()));
    }
    if host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[') {
        return Err(HostError::Address(given()));
    }
    if host.rsplit_once(':').is_some_and(|(_, port)| port.chars().all(|c| c.is_ascii_digit())) {
        return Err(HostError::Port(given()));
    }
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.is_empty() || host.len() > 253 || !host.split('.').all(label_ok) {
        return Err(HostError::NotDns(given()));
    }
    if !host.contains('.') {
        return Err(HostError::NotQualified(given()));
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_nothing_else() {
        assert_eq!(check_host("Auth.Example.com."), Ok("auth.example.com".into()));
        assert_eq!(check_host("xn--bcher-kva.example"), Ok("xn--bcher-kva.example".into()));
        assert!(matches!(check_host("https://auth.example.com/"), Err(HostError::Url(_))));
        assert!(matches!(check_host("auth.example.com:8443"), Err(HostError::Port(_))));
        assert!(matches!(check_host("192.0.2.1"), Err(HostError::Address(_))));
        assert!(matches!(check_host("[2001:db8::1]"), Err(HostError::Address(_))));
        assert!(matches!(check_host("2001:db8::1"), Err(HostError::Address(_))));
        assert!(matches!(check_host("auth"), Err(HostError::NotQualified(_))));
        for bad in ["", "a..b", "-a.b", "a_b.c", "ä.example", "*.example.com", "a b.c"] {
            assert!(matches!(check_host(bad), Err(HostError::NotDns(_))), "{bad}");
        }
    }
}
