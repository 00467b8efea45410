//! Findings about the certificate for MAS's host. [`x509`](crate::x509) has the rules.

use jiff::Timestamp;

use super::finding::{Finding, Severity};
use crate::answers::Known;
use crate::plan::SecretContents;
use crate::secrets::SecretBytes;
use crate::x509::{
    CertificateChain, CertificateError, CertificateProblem, HostName, KeyError, ProblemSeverity, TlsPrivateKey,
    check_certificate,
};

/// The keys of a Secret that hold a certificate and its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub certificate: String,
    pub private_key: String,
}

impl Stored {
    /// The keys of type `kubernetes.io/tls` (Kubernetes: Secret types).
    pub fn kubernetes() -> Self {
        Self { certificate: "tls.crt".to_owned(), private_key: "tls.key".to_owned() }
    }

    /// The keys that the migration guide uses for TLS mode `certfile`.
    pub fn guide() -> Self {
        Self { certificate: "certificate".to_owned(), private_key: "privateKey".to_owned() }
    }

    /// The guide's keys if the Secret has them, else those of `kubernetes.io/tls`.
    pub fn find(secret: &SecretContents) -> Self {
        let guide = Self::guide();
        if secret.data.contains_key(&guide.certificate) { guide } else { Self::kubernetes() }
    }
}

/// The requirements for a certificate.
#[derive(Clone, Copy)]
pub struct Use<'a> {
    pub host: &'a HostName,
    pub now: Timestamp,
    /// Whether a chain leads to a trusted root at this time. Called only if a finding depends on it.
    pub leads_to_root: &'a dyn Fn(&CertificateChain) -> bool,
}

pub fn stored(subject: &str, secret: Known<Option<&SecretContents>>, keys: &Stored, wanted: Use<'_>) -> Vec<Finding> {
    match secret {
        Known::Unreadable(why) => vec![Finding::of("certificate-unknown", subject, &[("why", &why)])],
        Known::Known(None) => vec![missing(subject, "the Secret doesn't exist")],
        Known::Known(Some(secret)) => {
            let (chain, key) = (secret.data.get(&keys.certificate), secret.data.get(&keys.private_key));
            pair(subject, keys, chain, key, wanted)
        }
    }
}

/// The same for the current or future values of two keys.
pub(super) fn pair(
    subject: &str,
    keys: &Stored,
    chain: Option<&SecretBytes>,
    key: Option<&SecretBytes>,
    wanted: Use<'_>,
) -> Vec<Finding> {
    match (chain, key) {
        (Some(chain), Some(key)) => certificate(subject, chain.expose(), Some(key.expose()), wanted),
        (None, _) => vec![missing(subject, &format!("the Secret has no key {}", keys.certificate))],
        (_, None) => vec![missing(subject, &format!("the Secret has no key {}", keys.private_key))],
    }
}

fn missing(subject: &str, what: &str) -> Finding {
    Finding::of("certificate-missing", subject, &[("what", what)])
}

/// Checks a certificate in PEM, and its key if it is known: a finding for each problem, or one ok finding. `subject` names the
/// source.
pub fn certificate(subject: &str, certificate: &[u8], key: Option<&[u8]>, wanted: Use<'_>) -> Vec<Finding> {
    let refused = |name, error: String| Finding::of(name, subject, &[("what", &error)]);
    let chain = CertificateChain::parse(certificate).map_err(|error| match error {
        CertificateError::Layout | CertificateError::Trusted => refused("certificate-layout", error.to_string()),
        error => refused("certificate-unreadable", error.to_string()),
    });
    let key = key.map(TlsPrivateKey::parse).transpose().map_err(|error| match error {
        KeyError::Layout => refused("certificate-layout", error.to_string()),
        error => refused("certificate-key-unreadable", error.to_string()),
    });
    let unread = [chain.as_ref().err(), key.as_ref().err()];
    let mut findings: Vec<Finding> = unread.into_iter().flatten().cloned().collect();
    if let Ok(chain) = chain {
        let is_first = findings.is_empty();
        let found = of_chain(subject, &chain, key.ok().flatten().as_ref(), wanted);
        findings.extend(found.into_iter().filter(|finding| is_first || finding.severity != Severity::Ok));
    }
    findings
}

/// The same for a parsed chain. If it leads to a trusted root, an expired certificate in it is not needed (a cross-signed root,
/// for example), and a missing issuer is the root.
pub fn of_chain(
    subject: &str,
    chain: &CertificateChain,
    key: Option<&TlsPrivateKey>,
    Use { host, now, leads_to_root }: Use<'_>,
) -> Vec<Finding> {
    const INCOMPLETE: &str = "certificate-chain-incomplete";
    const EXPIRED: &str = "certificate-expired";
    let mut problems = check_certificate(chain, key, host, now);
    if problems.iter().any(|problem| [INCOMPLETE, EXPIRED].contains(&problem.code)) && leads_to_root(chain) {
        problems.retain(|problem| problem.code != INCOMPLETE);
        for problem in problems.iter_mut().filter(|problem| problem.code == EXPIRED) {
            problem.code = "certificate-root-expired";
        }
    }
    if problems.is_empty() {
        return vec![good(subject, chain, host)];
    }
    problems.iter().map(|problem| of_problem(subject, problem)).collect()
}

pub fn of_problem(subject: &str, problem: &CertificateProblem) -> Finding {
    let severity = match problem.severity() {
        ProblemSeverity::Blocker => Severity::Blocker,
        ProblemSeverity::Warning => Severity::Warning,
    };
    Finding::new(problem.code, severity, subject, problem.to_string()).remedy(problem.remedy())
}

fn good(subject: &str, chain: &CertificateChain, host: &HostName) -> Finding {
    let leaf = chain.leaf();
    let (until, issuer, print) = (leaf.not_after().to_string(), leaf.issuer(), leaf.fingerprint().to_string());
    let values = [("host", host.as_str()), ("until", &until), ("issuer", &issuer), ("print", &print)];
    Finding::of("certificate", subject, &values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::{CertificateAuthority, TlsKeyType};

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn host(name: &str) -> HostName {
        HostName::parse(name).unwrap()
    }

    /// A chain and its key, in PEM.
    fn issued(name: &str) -> (String, String) {
        let ca = CertificateAuthority::create(&host(name), TlsKeyType::P256, now()).unwrap();
        let issued = ca.issue(&host(name), TlsKeyType::P256, now()).unwrap();
        (issued.chain.to_pem(), issued.key.pem.expose().to_owned())
    }

    fn found(chain: &str, key: Option<&str>, name: &str) -> Vec<(&'static str, Severity)> {
        let wanted = Use { host: &host(name), now: now(), leads_to_root: &|_| false };
        let findings = certificate("x", chain.as_bytes(), key.map(str::as_bytes), wanted);
        findings.iter().map(|finding| (finding.code, finding.severity)).collect()
    }

    #[test]
    fn a_valid_certificate_is_ok() {
        let (chain, key) = issued("auth.example.com");
        assert_eq!(found(&chain, Some(&key), "auth.example.com"), [("certificate", Severity::Ok)]);
    }

    #[test]
    fn problems_keep_their_code_and_severity() {
        let (chain, _) = issued("auth.example.com");
        let (_, other_key) = issued("auth.example.com");
        assert_eq!(
            found(&chain, Some(&other_key), "mas.example.com"),
            [("certificate-key-mismatch", Severity::Blocker), ("certificate-host-mismatch", Severity::Blocker)]
        );
        let leaf = format!("{}-----END CERTIFICATE-----\n", chain.split("-----END CERTIFICATE-----").next().unwrap());
        assert_eq!(found(&leaf, None, "auth.example.com"), [("certificate-chain-incomplete", Severity::Warning)]);
    }

    #[test]
    fn an_unreadable_certificate_or_key_is_a_blocker() {
        let (chain, key) = issued("auth.example.com");
        assert_eq!(found("", Some(&key), "auth.example.com"), [("certificate-unreadable", Severity::Blocker)]);
        assert_eq!(
            found(&chain, Some("no key"), "auth.example.com"),
            [("certificate-key-unreadable", Severity::Blocker)]
        );
    }

    #[test]
    fn an_invalid_layout_has_a_separate_code() {
        let (chain, key) = issued("auth.example.com");
        let indent = |pem: &str| pem.lines().flat_map(|line| ["   ", line, "\n"]).collect::<String>();
        let layout = [("certificate-layout", Severity::Blocker)];
        assert_eq!(found(&indent(&chain), Some(&key), "auth.example.com"), layout);
        assert_eq!(found(&chain, Some(&indent(&key)), "auth.example.com"), layout);
    }

    /// Let's Encrypt's chain of 2021: the root has an expired cross-signature of an older root.
    #[test]
    fn an_expired_certificate_that_no_client_needs_is_a_warning() {
        let (chain, _) = issued("auth.example.com");
        let chain = CertificateChain::parse(chain.as_bytes()).unwrap();
        let later = chain.leaf().not_after() + jiff::SignedDuration::from_hours(1);
        let codes = |leads_to_root| {
            let wanted = Use { host: &host("auth.example.com"), now: later, leads_to_root: &|_| leads_to_root };
            let findings = of_chain("x", &chain, None, wanted);
            findings.iter().map(|finding| (finding.code, finding.severity)).collect::<Vec<_>>()
        };
        assert_eq!(codes(false), [("certificate-expired", Severity::Blocker)]);
        assert_eq!(codes(true), [("certificate-root-expired", Severity::Warning)]);
    }
}
