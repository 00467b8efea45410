//! What can be wrong with a certificate, each with a stable code, how bad it is, and what to do.

use jiff::Timestamp;

use crate::secrets::Fingerprint;
use crate::x509::host::HostName;

/// What to do about each problem, by its code.
const REMEDIES: &str = include_str!("remedies.txt");

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemSeverity {
    /// Clients will refuse it, or an ingress cannot use it.
    Blocker,
    /// Some clients may refuse it, or it is soon a blocker.
    Warning,
}

/// One problem of a certificate for a host. `Display` says what is wrong, [`remedy`](Self::remedy) what to do.
///
/// Rules: names RFC 9525, chains RFC 5280, algorithms and usages what browsers and TLS libraries refuse today.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    #[error("The certificate is not for {host}; it is for {}.", list(names))]
    HostMismatch { host: HostName, names: Vec<String> },
    /// A wildcard of the certificate looks as if it covered the host, but `*` stands for exactly one label.
    #[error(
        "The certificate's {pattern} does not cover {host}: the * stands for exactly one label, under at least two others."
    )]
    WildcardScope { host: HostName, pattern: String },
    /// The host stands in the common name only, which clients have not looked at since 2017.
    #[error(
        "The certificate has {host} as its common name only; clients look at its alternative names (SAN), where it is missing."
    )]
    CommonNameOnly { host: HostName },
    #[error("The certificate of {subject} is valid only from {from}.")]
    NotYetValid { subject: String, from: Timestamp },
    #[error("The certificate of {subject} expired at {at}.")]
    Expired { subject: String, at: Timestamp },
    /// A root that is sent along, or a certificate of a CA for which there is another one.
    #[error("The certificate of {subject} expired at {at}. Clients don't need it.")]
    NotNeeded { subject: String, at: Timestamp },
    #[error("The certificate of {subject} expires at {at}, in {}.", in_days(*days))]
    ExpiresSoon { subject: String, at: Timestamp, days: i64 },
    #[error("The certificate is valid for {days} days in all; Apple's systems refuse more than 825 from any CA.")]
    ValidTooLong { days: i64 },
    #[error("The certificate for the host is number {number} in the file; servers send the first one as their own.")]
    NotFirst { number: usize },
    #[error("The certificates in the file are not in order: each must be followed by its issuer.")]
    ChainOrder,
    #[error("The file holds the host's certificate only, without that of its issuer ({issuer}).")]
    ChainIncomplete { issuer: String },
    #[error("The certificate of {subject} does not belong to the chain of the host's certificate.")]
    Unrelated { subject: String },
    #[error(
        "The certificate of {subject} was not signed by the certificate of {issuer} in the file, although it names it as its issuer."
    )]
    ChainBroken { subject: String, issuer: String },
    #[error("The private key ({key}) does not belong to the certificate (key {certificate}).")]
    KeyMismatch { certificate: Fingerprint, key: Fingerprint },
    #[error("The RSA key of {subject} has {bits} bits; clients and servers refuse fewer than 2048.")]
    KeyWeak { subject: String, bits: usize },
    #[error(
        "The key of {subject} is of a kind that not every client accepts in a certificate (RSA and EC on P-256 or P-384 are)."
    )]
    KeyUnusual { subject: String },
    #[error("The certificate of {subject} is signed with {algorithm}, which clients refuse.")]
    SignatureWeak { subject: String, algorithm: &'static str },
    #[error("The certificate is signed by itself, so no client trusts it unless it was installed there.")]
    SelfSigned,
    #[error("The host's certificate is a CA certificate, which strict clients refuse as a server's.")]
    IsCa,
    #[error("The certificate of {subject} is used as an issuer, but is not one of a CA.")]
    IssuerNotCa { subject: String },
    #[error("The CA {subject} allows fewer other CAs below it than the chain has.")]
    PathLength { subject: String },
    #[error("The certificate of {subject} is not for TLS servers: its extended key usage does not say so.")]
    NotForServers { subject: String },
    #[error(
        "The certificate does not say that it is for TLS servers (extended key usage), which Apple's systems want."
    )]
    UsageUnstated,
    #[error(
        "The certificate's key usage does not allow digital signatures, without which TLS 1.3 and current browsers refuse it."
    )]
    KeyUsage,
    #[error("The CA {subject} must not issue certificates for {name}: its name constraints do not allow it.")]
    NameConstraints { subject: String, name: String },
    /// A critical extension that TLS clients do not know; they must refuse such a certificate (RFC 5280 §4.2).
    #[error(
        "The certificate of {subject} has a critical extension ({oid}) that TLS clients do not know, so they refuse it."
    )]
    UnknownCritical { subject: String, oid: String },
    /// Not as RFC 5280 §4.1 wants it. openssl and rustls take it; Go's library does not.
    #[error(
        "The certificate of {subject} breaks the rules of certificates: {what}. Servers written in Go (Traefik, the NGINX ingress \
         controller) refuse it."
    )]
    Malformed { subject: String, what: &'static str },
    #[error(
        "The file has two certificates of the CA {subject}, from different issuers; some clients only try the first."
    )]
    CrossSigned { subject: String },
    #[error("The file with the certificate holds a private key as well.")]
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

    /// What to do, in the imperative.
    pub fn remedy(&self) -> &'static str {
        let of_code = |line: &'static str| line.strip_prefix(self.code())?.strip_prefix(": ");
        REMEDIES.lines().find_map(of_code).expect("every code has a remedy, as a test asks")
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
        assert_eq!(remedies, &codes[..codes.len() - 2], "but for the two in this test");
    }
}
