//! Is this certificate, with this key and this chain, good for that host at that time?

use jiff::Timestamp;

use super::{Certificate, CertificateChain, CertificateProblem, KeyKind, path::Path, signature::Algorithm};
use crate::pki::{Fingerprint, HostName, TlsPrivateKey, host::is_within};

/// A certificate that ends in fewer days than this is worth a warning; Let's Encrypt's tools renew at this point too.
const SOON: i64 = 30;
/// What Apple's systems allow at most, whoever issued it (support.apple.com/103769).
const LONGEST: i64 = 825;
const DAY: i64 = 24 * 60 * 60;

/// Everything that is wrong with `chain` (and `key`, where it is known) for `host` at `now`, blockers first. Nothing found means
/// that current clients accept it if they trust its CA; whether they do is not known here.
pub fn check_certificate(
    chain: &CertificateChain,
    key: Option<&TlsPrivateKey>,
    host: &HostName,
    now: Timestamp,
) -> Vec<CertificateProblem> {
    let certificates = chain.certificates();
    let leaf_at = find_leaf(certificates, key);
    let leaf = &certificates[leaf_at];
    let path = Path::of(certificates, leaf_at);
    let on_path: Vec<&Certificate> = path.certificates.iter().map(|index| &certificates[*index]).collect();

    let mut problems = Vec::new();
    check_key(leaf, key, &mut problems);
    check_name(leaf, host, &mut problems);
    check_leaf(leaf, &mut problems);
    for (depth, certificate) in on_path.iter().enumerate() {
        check_times(certificate, depth, now, &mut problems);
        check_strength(certificate, &mut problems);
        check_form(certificate, &mut problems);
        if depth > 0 {
            check_issuer(certificate, depth, leaf, &mut problems);
        }
    }

    if leaf_at != 0 {
        problems.push(CertificateProblem::NotFirst { number: leaf_at + 1 });
    } else if path.out_of_order {
        problems.push(CertificateProblem::ChainOrder);
    }
    if let Some((subject, issuer)) = path.broken {
        problems.push(CertificateProblem::ChainBroken {
            subject: certificates[subject].name(),
            issuer: certificates[issuer].name(),
        });
    } else if on_path.len() == 1 && !leaf.is_self_issued() {
        problems.push(CertificateProblem::ChainIncomplete { issuer: leaf.issuer().to_owned() });
    }
    if let Some(other) = path.alternative {
        problems.push(CertificateProblem::CrossSigned { subject: certificates[other].name() });
    }
    let impostor = path.broken.map(|(_, issuer)| issuer);
    problems.extend(
        path.unrelated
            .iter()
            .filter(|index| Some(**index) != impostor)
            .map(|index| CertificateProblem::Unrelated { subject: certificates[*index].name() }),
    );
    if chain.holds_private_key {
        problems.push(CertificateProblem::WithPrivateKey);
    }
    problems.sort_by_key(CertificateProblem::severity);
    problems
}

/// The server's own certificate: the one of the private key; without a key the first that is not a CA's; else the first.
fn find_leaf(certificates: &[Certificate], key: Option<&TlsPrivateKey>) -> usize {
    let belongs = |certificate: &Certificate| key.is_some_and(|key| certificate.belongs_to(key));
    let first = certificates.iter().position(belongs);
    first.or_else(|| certificates.iter().position(|certificate| !certificate.is_ca())).unwrap_or(0)
}

fn check_key(leaf: &Certificate, key: Option<&TlsPrivateKey>, problems: &mut Vec<CertificateProblem>) {
    if let Some(key) = key
        && !leaf.belongs_to(key)
    {
        let certificate: Fingerprint = leaf.public_key_fingerprint();
        problems.push(CertificateProblem::KeyMismatch { certificate, key: key.fingerprint() });
    }
}

fn check_name(leaf: &Certificate, host: &HostName, problems: &mut Vec<CertificateProblem>) {
    if leaf.dns_names.iter().any(|name| host.is_covered_by(name)) {
        return;
    }
    let host = host.clone();
    // A wildcard whose domain the host lies in, or is: what a person may have expected to cover it.
    let near = |pattern: &&String| {
        pattern
            .strip_prefix("*.")
            .is_some_and(|domain| !domain.is_empty() && !domain.ends_with('.') && is_within(host.as_str(), domain))
    };
    let named = leaf.common_name.as_deref().is_some_and(|name| host.is_covered_by(name));
    problems.push(if let Some(pattern) = leaf.dns_names.iter().find(near) {
        CertificateProblem::WildcardScope { pattern: pattern.clone(), host }
    } else if named {
        CertificateProblem::CommonNameOnly { host }
    } else {
        CertificateProblem::HostMismatch { host, names: leaf.dns_names.clone() }
    });
}

/// What concerns the server's own certificate only.
fn check_leaf(leaf: &Certificate, problems: &mut Vec<CertificateProblem>) {
    if leaf.is_self_issued() {
        problems.push(CertificateProblem::SelfSigned);
    }
    if leaf.is_ca() {
        problems.push(CertificateProblem::IsCa);
    }
    if !leaf.usages.server_auth {
        problems.push(CertificateProblem::NotForServers { subject: leaf.name() });
    }
    if !leaf.usages.extended {
        problems.push(CertificateProblem::UsageUnstated);
    }
    if !leaf.usages.digital_signature {
        problems.push(CertificateProblem::KeyUsage);
    }
    // Both ends are part of the time (RFC 5280 §4.1.2.5), hence the second more.
    let seconds = leaf.not_after.as_second() - leaf.not_before.as_second() + 1;
    if seconds > LONGEST * DAY {
        problems.push(CertificateProblem::ValidTooLong { days: seconds / DAY });
    }
}

fn check_times(certificate: &Certificate, depth: usize, now: Timestamp, problems: &mut Vec<CertificateProblem>) {
    let subject = certificate.name();
    let at = certificate.not_after;
    let left = at.as_second() - now.as_second();
    let is_root = depth > 0 && certificate.is_self_issued();
    if now.as_second() < certificate.not_before.as_second() {
        problems.push(CertificateProblem::NotYetValid { subject, from: certificate.not_before });
    } else if left < 0 && is_root {
        problems.push(CertificateProblem::RootExpired { subject, at });
    } else if left < 0 {
        problems.push(CertificateProblem::Expired { subject, at });
    } else if left < SOON * DAY {
        problems.push(CertificateProblem::ExpiresSoon { subject, at, days: left / DAY });
    }
}

fn check_strength(certificate: &Certificate, problems: &mut Vec<CertificateProblem>) {
    let subject = certificate.name();
    match certificate.key.kind {
        KeyKind::Rsa { bits } if bits < 2048 => {
            problems.push(CertificateProblem::KeyWeak { subject: subject.clone(), bits });
        }
        KeyKind::P521 | KeyKind::Ed25519 | KeyKind::Other => {
            problems.push(CertificateProblem::KeyUnusual { subject: subject.clone() });
        }
        KeyKind::Rsa { .. } | KeyKind::P256 | KeyKind::P384 => {}
    }
    // Nobody relies on the signature of a certificate on itself.
    if let Algorithm::Weak(algorithm) = certificate.signature
        && !certificate.is_self_issued()
    {
        problems.push(CertificateProblem::SignatureWeak { subject, algorithm });
    }
}

/// What a certificate may not be like, whatever it is used for. Nobody judges a root that comes along: clients have their own.
fn check_form(certificate: &Certificate, problems: &mut Vec<CertificateProblem>) {
    let (subject, oddities) = (certificate.name(), &certificate.oddities);
    if let Some(oid) = &oddities.unknown_critical {
        problems.push(CertificateProblem::UnknownCritical { subject: subject.clone(), oid: oid.clone() });
    }
    if oddities.negative_serial {
        problems
            .push(CertificateProblem::Malformed { subject: subject.clone(), what: "its serial number is negative" });
    }
    if oddities.repeated.is_some() {
        problems.push(CertificateProblem::Malformed { subject, what: "one of its extensions stands there twice" });
    }
}

/// What concerns the certificate of an issuer, `depth` steps above the leaf.
fn check_issuer(issuer: &Certificate, depth: usize, leaf: &Certificate, problems: &mut Vec<CertificateProblem>) {
    let subject = issuer.name();
    match issuer.ca {
        Some(rights) if rights.may_sign => {
            let below = depth - 1;
            if rights.path_length.is_some_and(|allowed| below > usize::try_from(allowed).unwrap_or(usize::MAX)) {
                problems.push(CertificateProblem::PathLength { subject: subject.clone() });
            }
        }
        // Roots of the last century have no extensions at all, and are trusted as they are.
        None if issuer.oddities.old_version && issuer.is_self_issued() => {}
        _ => problems.push(CertificateProblem::IssuerNotCa { subject: subject.clone() }),
    }
    if !issuer.usages.server_auth {
        problems.push(CertificateProblem::NotForServers { subject: subject.clone() });
    }
    if let Some(constraints) = &issuer.constraints {
        let allowed = |name: &str| {
            let domain = name.strip_prefix("*.");
            // rustls refuses a wildcard under a top-level domain as malformed, but only where constraints make it look.
            if domain.is_some_and(|domain| !domain.contains('.')) {
                return false;
            }
            let within = |constraint: &String| is_within(domain.unwrap_or(name), constraint);
            // A wildcard that could stand for a name that is shut out is shut out with it.
            let covers = |constraint: &String| {
                domain.is_some_and(|domain| {
                    constraint.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(domain))
                })
            };
            (constraints.permitted.is_empty() || constraints.permitted.iter().any(within))
                && !constraints.excluded.iter().any(|constraint| within(constraint) || covers(constraint))
        };
        // One name that is not allowed spoils the certificate, whichever host is asked for.
        let refused = leaf.dns_names.iter().find(|name| !allowed(name));
        problems.extend(refused.map(|name| CertificateProblem::NameConstraints { subject, name: name.clone() }));
    }
}
