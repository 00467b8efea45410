//! Problems of a certificate, each with a stable code, a severity and a remedy.

use jiff::Timestamp;

use crate::secrets::Fingerprint;
use crate::x509::host::HostName;

/// Remedies by code.
const REMEDIES: &str = include_str!("remedies.txt");

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemSeverity {
    /// Clients refuse the certificate, or an ingress can't use it.
    Blocker,
    /// Some clients may refuse the certificate, or it is soon a blocker.
    Warning,
}

/// Sources of the rules: RFC 9525 for names, RFC 5280 for chains, and current browsers and TLS libraries for algorithms and
/// usages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    #[error("The certificate is not for {host}; it is for {}.", list(names))]
    HostMismatch { host: HostName, names: Vec<String> },
    #[error(
        "The certificate's {pattern} does not cover {host}: * matches exactly one label, before at least two others."
    )]
    WildcardScope { host: HostName, pattern: String },
    /// Clients have ignored the common name since 2017.
    #[error(
        "The certificate has {host} only as its common name, which clients ignore; its alternative names (SAN) lack the host."
    )]
    CommonNameOnly { host: HostName },
    #[error("The certificate of {subject} is valid only from {from}.")]
    NotYetValid { subject: String, from: Timestamp },
    #[error("The certificate of {subject} expired at {at}.")]
    Expired { subject: String, at: Timestamp },
    /// A root in the chain, or one of several certificates of a CA.
    #[error("The certificate of {subject} expired at {at}. Clients don't need it.")]
    NotNeeded { subject: String, at: Timestamp },
    #[error("The certificate of {subject} expires at {at}, in {}.", in_days(*days))]
    ExpiresSoon { subject: String, at: Timestamp, days: i64 },
    #[error("The certificate is valid for {days} days; Apple's systems refuse more than 825.")]
    ValidTooLong { days: i64 },
    #[error("The certificate for the host is number {number} in the file; servers use the first as their own.")]
    NotFirst { number: usize },
    #[error("The certificates in the file are not in order: each issuer must follow the certificate it signed.")]
    ChainOrder,
    #[error("The file has only the host's certificate, without that of its issuer ({issuer}).")]
    ChainIncomplete { issuer: String },
    #[error("The certificate of {subject} does not belong to the chain of the host's certificate.")]
    Unrelated { subject: String },
    #[error(
        "The certificate of {subject} names the CA {issuer} as its issuer, but the certificate of that CA in the file did not sign it."
    )]
    ChainBroken { subject: String, issuer: String },
    #[error("The private key ({key}) does not belong to the certificate (key {certificate}).")]
    KeyMismatch { certificate: Fingerprint, key: Fingerprint },
    #[error("The RSA key of {subject} has {bits} bits; clients and servers refuse fewer than 2048.")]
    KeyWeak { subject: String, bits: usize },
    #[error("Some clients refuse the key type of {subject}. All clients accept RSA, and EC on P-256 or P-384.")]
    KeyUnusual { subject: String },
    #[error("The certificate of {subject} is signed with {algorithm}, which clients refuse.")]
    SignatureWeak { subject: String, algorithm: &'static str },
    #[error("The certificate is self-signed; clients trust it only if it is installed on them.")]
    SelfSigned,
    #[error("The host's certificate is a CA certificate; strict clients refuse it for a server.")]
    IsCa,
    #[error("The certificate of {subject} has signed another one, but is not a CA certificate.")]
    IssuerNotCa { subject: String },
    #[error("The CA {subject} allows fewer subordinate CAs than the chain has.")]
    PathLength { subject: String },
    #[error("The certificate of {subject} is not for TLS servers: its extended key usage lacks serverAuth.")]
    NotForServers { subject: String },
    #[error("The certificate has no extended key usage; Apple's systems require serverAuth.")]
    UsageUnstated,
    #[error("The certificate's key usage lacks digitalSignature; TLS 1.3 and current browsers refuse it.")]
    KeyUsage,
    #[error("The CA {subject} must not issue certificates for {name}: its name constraints exclude this name.")]
    NameConstraints { subject: String, name: String },
    /// Clients must refuse it (RFC 5280 §4.2).
    #[error(
        "The certificate of {subject} has a critical extension ({oid}) that TLS clients don't support; they refuse it."
    )]
    UnknownCritical { subject: String, oid: String },
    /// Violates RFC 5280 §4.1. openssl and rustls accept it; Go's library doesn't.
    #[error(
        "The certificate of {subject} is malformed: {what}. Servers written in Go (Traefik, the NGINX ingress controller) refuse it."
    )]
    Malformed { subject: String, what: &'static str },
    #[error(
        "The file has two certificates of the CA {subject} from different issuers; some clients try only the first."
    )]
    CrossSigned { subject: String },
    #[error("The file with the certificate also has a private key.")]
    WithPrivateKey,
}

impl CertificateProblem {
    fn rule(&self) -> (ProblemSeverity, &'static str) {
        use ProblemSeverity::{Blocker, Warning};
        match self {
            Self::HostMismatch { .. } => (Blocker, "certificate-host-mismatch"),
            Self::WildcardScope { .. } => (Blocker, "certificate-wildcard-scope"),
            Self::CommonNameOnly { .. } => (Blocker, "certificate-common-name-only"),
            Self::NotYetValid { .. } => (Blocker, "certificate-not-yet-valid"),
            Self::Expired { .. } => (Blocker, "certificate-expired"),
            Self::NotNeeded { .. } => (Warning, "certificate-root-expired"),
            Self::ExpiresSoon { .. } => (Warning, "certificate-expires-soon"),
            Self::ValidTooLong { .. } => (Warning, "certificate-valid-too-long"),
            Self::NotFirst { .. } => (Blocker, "certificate-not-first"),
            Self::ChainOrder => (Warning, "certificate-chain-order"),
            Self::ChainIncomplete { .. } => (Warning, "certificate-chain-incomplete"),
            Self::Unrelated { .. } => (Warning, "certificate-unrelated"),
            Self::ChainBroken { .. } => (Blocker, "certificate-chain-broken"),
            Self::KeyMismatch { .. } => (Blocker, "certificate-key-mismatch"),
            Self::KeyWeak { .. } => (Blocker, "certificate-key-weak"),
            Self::KeyUnusual { .. } => (Warning, "certificate-key-unusual"),
            Self::SignatureWeak { .. } => (Blocker, "certificate-signature-weak"),
            Self::SelfSigned => (Warning, "certificate-self-signed"),
            Self::IsCa => (Warning, "certificate-is-ca"),
            Self::IssuerNotCa { .. } => (Blocker, "certificate-issuer-not-ca"),
            Self::PathLength { .. } => (Blocker, "certificate-path-length"),
            Self::NotForServers { .. } => (Blocker, "certificate-not-for-servers"),
            Self::UsageUnstated => (Warning, "certificate-usage-unstated"),
            Self::KeyUsage => (Blocker, "certificate-key-usage"),
            Self::NameConstraints { .. } => (Blocker, "certificate-name-constraints"),
            Self::UnknownCritical { .. } => (Blocker, "certificate-critical-extension"),
            Self::Malformed { .. } => (Warning, "certificate-malformed"),
            Self::CrossSigned { .. } => (Warning, "certificate-cross-signed"),
            Self::WithPrivateKey => (Warning, "certificate-with-private-key"),
        }
    }

    pub fn code(&self) -> &'static str {
        self.rule().1
    }

    pub fn severity(&self) -> ProblemSeverity {
        self.rule().0
    }

    pub fn remedy(&self) -> &'static str {
        let of_code = |line: &'static str| line.strip_prefix(self.code())?.strip_prefix(": ");
        REMEDIES.lines().find_map(of_code).expect("a test checks that every code has a remedy")
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "no DNS name at all".to_owned(),
        names => names.join(", "),
    }
}

fn in_days(days: i64) -> String {
    match days {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::REMEDIES;

    #[test]
    fn every_code_has_a_remedy_and_every_remedy_a_code() {
        let codes = include_str!("problem.rs").split("\"certificate-").skip(1);
        let codes: Vec<String> =
            codes.map(|rest| format!("certificate-{}", &rest[..rest.find('"').unwrap()])).collect();
        let remedies: Vec<&str> = REMEDIES.lines().map(|line| line.split_once(": ").unwrap().0).collect();
        assert_eq!(remedies, &codes[..codes.len() - 2], "except for the two in this test");
    }
}
