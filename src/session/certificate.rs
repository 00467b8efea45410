//! Checks the source of MAS's certificate, for `prepare` and `check`.

use futures::future::OptionFuture;
use jiff::Timestamp;

use super::connect::Session;
use crate::checks::certificate::{self, Use};
use crate::checks::tls::{self, CertificateSource, IssuerState, Offered, TypedSecret};
use crate::checks::{Finding, Severity, Snapshot, codes};
use crate::cluster::{ErrorKind, foreign};
use crate::net::tls::{Roots, Trust};
use crate::plan::{MasSettings, Tls};
use crate::x509::{Certificate, CertificateChain, HostName};

/// Checks the certificate that MAS will have with these settings, as far as the cluster shows it.
pub async fn check(
    session: &Session,
    snapshot: &Snapshot,
    settings: &MasSettings,
    offered: Offered<'_>,
) -> Vec<Finding> {
    // An invalid host is a finding of its own.
    let Ok(host) = HostName::parse(&settings.host) else { return Vec::new() };
    let now = session.now();
    let leads_to_root = |chain: &CertificateChain| {
        Roots::of_system().is_some_and(|roots| roots.judge(&chain.to_der(), &host, now) == Trust::Trusted)
    };
    let wanted = Use { host: &host, now, leads_to_root: &leads_to_root };
    match CertificateSource::of(settings, &snapshot.deployment, &snapshot.secret_keys()) {
        CertificateSource::Nowhere | CertificateSource::Elsewhere => Vec::new(),
        CertificateSource::Issuer(name) => vec![tls::issuer(&name, &issuer(session, &name).await)],
        CertificateSource::Secret(name) => tls::existing(&name, &secret(session, &name).await, wanted),
        CertificateSource::Component { own: (name, keys), global } => {
            let of_all = OptionFuture::from(global.as_ref().map(|(name, _)| secret(session, name)));
            let (own, looked) = tokio::join!(secret(session, &name), of_all);
            let global = global.as_ref().zip(looked.as_ref()).map(|((name, keys), look)| (name.as_str(), keys, look));
            tls::certfile((&name, &keys, &own), global, offered, wanted)
        }
    }
}

/// Whether a finding only says that the caller can't read the issuer that all components share, which puts nothing in doubt.
pub fn is_shared_issuer_unread(finding: &Finding, settings: &MasSettings) -> bool {
    finding.code == codes::CLUSTER_ISSUER && finding.severity == Severity::Unknown && settings.tls == Tls::Inherit
}

/// A Secret with its type, as of the last gathering.
pub async fn secret(session: &Session, name: &str) -> TypedSecret {
    session.secrets.get(&session.cluster, &session.target, name).await.0
}

async fn issuer(session: &Session, name: &str) -> IssuerState {
    if name.is_empty() {
        return IssuerState::Missing;
    }
    let kind = foreign("cert-manager.io", "v1", "ClusterIssuer", "clusterissuers");
    match session.cluster.find(&kind, None, name).await {
        Ok(Some(object)) => IssuerState::Found(object),
        Ok(None) => IssuerState::Missing,
        Err(error) if *error.kind() == ErrorKind::NoSuchApi => IssuerState::NotInstalled,
        Err(error) => IssuerState::Unreadable(error.to_string()),
    }
}

const UNPARSED: &str = "the server presents a certificate that can't be parsed";

pub struct Trusted {
    /// `None` if the system has none.
    pub roots: Option<Roots>,
    /// Whether the roots are those of this system.
    pub system: bool,
}

impl Trusted {
    pub fn judge_presented(
        &self,
        subject: &str,
        certificates: &[Vec<u8>],
        host: &HostName,
        now: Timestamp,
    ) -> Vec<Finding> {
        let chain = CertificateChain::from_der(certificates.iter().map(Vec::as_slice));
        self.judge(subject, chain.clone(), host, now, |wanted| match &chain {
            Some(chain) => certificate::of_chain(subject, chain, None, wanted),
            None => vec![Finding::of("certificate-unreadable", subject, &[("what", UNPARSED)])],
        })
    }

    /// The findings of `check` and, if there is a chain, whether its CA is trusted.
    pub fn judge(
        &self,
        subject: &str,
        chain: Option<CertificateChain>,
        host: &HostName,
        now: Timestamp,
        check: impl FnOnce(Use<'_>) -> Vec<Finding>,
    ) -> Vec<Finding> {
        let trust =
            self.roots.as_ref().zip(chain.as_ref()).map(|(roots, chain)| roots.judge(&chain.to_der(), host, now));
        let mut findings = check(Use { host, now, leads_to_root: &|_| trust == Some(Trust::Trusted) });
        findings.extend(chain.map(|chain| {
            let issuer = chain.certificates.last().map(Certificate::issuer).unwrap_or_default();
            let mut values = vec![("issuer", issuer.as_str())];
            let name = match &trust {
                None => "no-roots",
                Some(Trust::Trusted) if self.system => "trusted",
                Some(Trust::Trusted) => "trusted-by-ca",
                Some(Trust::UnknownIssuer) if self.system => "not-trusted",
                Some(Trust::UnknownIssuer) => "not-of-ca",
                // Clients refuse the certificate whether they trust its CA or not.
                Some(Trust::Refused(_)) if findings.iter().any(Finding::blocks) => "trust-moot",
                Some(Trust::Refused(reason)) => {
                    values.push(("reason", reason));
                    "trust-refused"
                }
            };
            Finding::of(name, subject, &values)
        }));
        findings.sort_by_key(|finding| finding.severity);
        findings
    }
}
