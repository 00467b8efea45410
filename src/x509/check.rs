//! Checks a certificate, its key and its chain for a host at a time.

use jiff::Timestamp;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, GeneralSubtree},
    public_key::PublicKey,
    signature_algorithm::RsaSsaPssParams,
    x509::{AlgorithmIdentifier, X509Version},
};

use super::chain::{Certificate, CertificateChain, dns_names, is_expired, is_self_issued, name, timestamp};
use super::path::Path;
use super::problem::{CertificateProblem, Problems};
use crate::x509::host::{HostName, is_within};
use crate::x509::keys::{TlsPrivateKey, bit_length};

/// Days before the expiry that cause a warning. Let's Encrypt's tools renew at this point.
const SOON: i64 = 30;
/// Maximum validity in days on Apple's systems, for any issuer (support.apple.com/103769).
const LONGEST: i64 = 825;
const DAY: i64 = 24 * 60 * 60;
/// Extensions that clients support, below 2.5.29: key identifiers, key usage, alternative names, basic constraints, name
/// constraints, CRL distribution points, policies with their mappings and constraints, extended key usage.
const KNOWN_EXTENSIONS: [u8; 13] = [14, 15, 17, 18, 19, 30, 31, 32, 33, 35, 36, 37, 54];

/// All problems of `chain` and its `key` for `host` at `now`, blockers first. Without problems, current clients accept it if
/// they trust its CA.
pub fn check_certificate(
    chain: &CertificateChain,
    key: Option<&TlsPrivateKey>,
    host: &HostName,
    now: Timestamp,
) -> Vec<CertificateProblem> {
    let certificates: Vec<X509Certificate<'_>> = chain.certificates.iter().map(Certificate::x509).collect();
    let leaf_at = find_leaf(chain, key);
    let leaf = &certificates[leaf_at];
    let path = Path::of(&certificates, leaf_at, now);

    let mut problems = Problems::default();
    if let Some(key) = key
        && !chain.certificates[leaf_at].belongs_to(key)
    {
        let certificate = chain.certificates[leaf_at].public_key_fingerprint();
        problems.add("certificate-key-mismatch", &[("certificate", &certificate), ("key", &key.fingerprint())]);
    }
    check_name(leaf, host, &mut problems);
    check_leaf(leaf, &mut problems);
    for (depth, index) in path.certificates.iter().enumerate() {
        let certificate = &certificates[*index];
        check_times(certificate, depth, now, &mut problems);
        check_strength(certificate, &mut problems);
        check_form(certificate, &mut problems);
        if depth > 0 {
            check_issuer(certificate, depth, leaf, &mut problems);
        }
    }

    if leaf_at != 0 {
        problems.add("certificate-not-first", &[("number", &(leaf_at + 1))]);
    } else if path.out_of_order {
        problems.add("certificate-chain-order", &[]);
    }
    if let Some((subject, issuer)) = path.broken {
        let (subject, issuer) = (name(&certificates[subject]), name(&certificates[issuer]));
        problems.add("certificate-chain-broken", &[("subject", &subject), ("issuer", &issuer)]);
    } else if path.certificates.len() == 1 && !is_self_issued(leaf) {
        problems.add("certificate-chain-incomplete", &[("issuer", &leaf.issuer())]);
    }
    let mut outside = |index: usize, code| {
        let (one, on_path) =
            (&certificates[index], |at: &usize| certificates[*at].subject() == certificates[index].subject());
        // No client needs an expired certificate outside of the path.
        let not_needed = is_expired(one, now) && path.certificates.iter().any(on_path);
        let code = if not_needed { "certificate-root-expired" } else { code };
        problems.add(code, &[("subject", &name(one)), ("at", &timestamp(one.validity().not_after))]);
    };
    if let Some(index) = path.alternative {
        outside(index, "certificate-cross-signed");
    }
    let impostor = path.broken.map(|(_, issuer)| issuer);
    for index in path.unrelated.into_iter().filter(|index| Some(*index) != impostor) {
        outside(index, "certificate-unrelated");
    }
    if chain.holds_private_key {
        problems.add("certificate-with-private-key", &[]);
    }
    problems.0.sort_by_key(CertificateProblem::severity);
    problems.0
}

/// The server's certificate: that of the private key, else the first that is not a CA's, else the first.
fn find_leaf(chain: &CertificateChain, key: Option<&TlsPrivateKey>) -> usize {
    let position = |wanted: &dyn Fn(&Certificate) -> bool| chain.certificates.iter().position(wanted);
    let of_key = key.and_then(|key| position(&|certificate| certificate.belongs_to(key)));
    of_key.or_else(|| position(&|certificate| !certificate.is_ca())).unwrap_or(0)
}

fn check_name(leaf: &X509Certificate<'_>, host: &HostName, problems: &mut Problems) {
    let names = dns_names(leaf);
    if names.iter().any(|name| host.is_covered_by(name)) {
        return;
    }
    // A wildcard for a domain of the host, which a user may expect to cover it.
    let has_host = |domain: &str| !domain.is_empty() && !domain.ends_with('.') && is_within(host.as_str(), domain);
    let near = |pattern: &&&str| pattern.strip_prefix("*.").is_some_and(has_host);
    let common_name = leaf.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    if let Some(pattern) = names.iter().find(near) {
        problems.add("certificate-wildcard-scope", &[("pattern", pattern), ("host", host)]);
    } else if common_name.is_some_and(|name| host.is_covered_by(name)) {
        problems.add("certificate-common-name-only", &[("host", host)]);
    } else {
        let names = if names.is_empty() { "no DNS name at all".to_owned() } else { names.join(", ") };
        problems.add("certificate-host-mismatch", &[("host", host), ("names", &names)]);
    }
}

fn check_leaf(leaf: &X509Certificate<'_>, problems: &mut Problems) {
    if is_self_issued(leaf) {
        problems.add("certificate-self-signed", &[]);
    }
    if leaf.is_ca() {
        problems.add("certificate-is-ca", &[]);
    }
    if !may_serve(leaf) {
        problems.add("certificate-not-for-servers", &[("subject", &name(leaf))]);
    }
    if matches!(leaf.extended_key_usage(), Ok(None)) {
        problems.add("certificate-usage-unstated", &[]);
    }
    if leaf.key_usage().ok().flatten().is_some_and(|usage| !usage.value.digital_signature()) {
        problems.add("certificate-key-usage", &[]);
    }
    // Both ends are inclusive (RFC 5280 §4.1.2.5).
    let seconds = leaf.validity().not_after.timestamp() - leaf.validity().not_before.timestamp() + 1;
    if seconds > LONGEST * DAY {
        problems.add("certificate-valid-too-long", &[("days", &(seconds / DAY))]);
    }
}

/// Whether the extended key usage allows TLS servers or is missing. openssl and rustls don't accept `anyExtendedKeyUsage`.
fn may_serve(certificate: &X509Certificate<'_>) -> bool {
    certificate.extended_key_usage().ok().flatten().is_none_or(|usage| usage.value.server_auth)
}

fn check_times(certificate: &X509Certificate<'_>, depth: usize, now: Timestamp, problems: &mut Problems) {
    let subject = name(certificate);
    let (from, at) = (timestamp(certificate.validity().not_before), timestamp(certificate.validity().not_after));
    let left = at.as_second() - now.as_second();
    if now.as_second() < from.as_second() {
        problems.add("certificate-not-yet-valid", &[("subject", &subject), ("from", &from)]);
    } else if left < 0 && depth > 0 && is_self_issued(certificate) {
        problems.add("certificate-root-expired", &[("subject", &subject), ("at", &at)]);
    } else if left < 0 {
        problems.add("certificate-expired", &[("subject", &subject), ("at", &at)]);
    } else if left < SOON * DAY {
        let left = match left / DAY {
            0 => "less than a day".to_owned(),
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        problems.add("certificate-expires-soon", &[("subject", &subject), ("at", &at), ("left", &left)]);
    }
}

fn check_strength(certificate: &X509Certificate<'_>, problems: &mut Problems) {
    let subject = name(certificate);
    let key = certificate.public_key();
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    // P-256, P-384.
    let usual = ["1.2.840.10045.3.1.7", "1.3.132.0.34"];
    let is_usual = curve.is_some_and(|oid| usual.contains(&oid.to_id_string().as_str()));
    match key.parsed() {
        Ok(PublicKey::RSA(key)) => {
            let bits = bit_length(key.modulus);
            if bits < 2048 {
                problems.add("certificate-key-weak", &[("subject", &subject), ("bits", &bits)]);
            }
        }
        Ok(PublicKey::EC(_)) if is_usual => {}
        _ => problems.add("certificate-key-unusual", &[("subject", &subject)]),
    }
    // Clients ignore a self-signature.
    if let Some(algorithm) = weak(&certificate.signature_algorithm)
        && !is_self_issued(certificate)
    {
        problems.add("certificate-signature-weak", &[("subject", &subject), ("algorithm", &algorithm)]);
    }
}

/// The name of a hash that clients refuse in signatures.
pub(super) fn weak(algorithm: &AlgorithmIdentifier<'_>) -> Option<&'static str> {
    match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.2" => Some("MD2"),
        "1.2.840.113549.1.1.4" | "1.3.14.3.2.3" => Some("MD5"),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => Some("SHA-1"),
        // PSS, whose default is SHA-1 (RFC 4055 §3.1).
        "1.2.840.113549.1.1.10" => {
            let parameters = algorithm.parameters.as_ref().and_then(|any| RsaSsaPssParams::try_from(any).ok());
            let sha1 = |hash: RsaSsaPssParams<'_>| hash.hash_algorithm_oid().to_id_string() == "1.3.14.3.2.26";
            parameters.is_none_or(sha1).then_some("SHA-1")
        }
        _ => None,
    }
}

/// Problems of any certificate, whatever its use.
fn check_form(certificate: &X509Certificate<'_>, problems: &mut Problems) {
    let subject = name(certificate);
    let oids: Vec<String> = certificate.extensions().iter().map(|extension| extension.oid.to_id_string()).collect();
    let known = |oid: &String| {
        let last = oid.strip_prefix("2.5.29.").and_then(|last| last.parse().ok());
        last.is_some_and(|last| KNOWN_EXTENSIONS.contains(&last))
    };
    let mut all = certificate.extensions().iter().zip(&oids);
    if let Some((_, oid)) = all.find(|(extension, oid)| extension.critical && !known(oid)) {
        problems.add("certificate-critical-extension", &[("subject", &subject), ("oid", &oid)]);
    }
    if certificate.raw_serial().first().is_some_and(|byte| byte & 0x80 != 0) {
        let what = "it has a negative serial number";
        problems.add("certificate-malformed", &[("subject", &subject), ("what", &what)]);
    }
    if (1..oids.len()).any(|at| oids[..at].contains(&oids[at])) {
        problems.add("certificate-malformed", &[("subject", &subject), ("what", &"it has a duplicate extension")]);
    }
}

/// Problems of an issuer's certificate, `depth` steps above the leaf.
fn check_issuer(issuer: &X509Certificate<'_>, depth: usize, leaf: &X509Certificate<'_>, problems: &mut Problems) {
    let subject = name(issuer);
    let basic = issuer.basic_constraints().ok().flatten().map(|basic| basic.value).filter(|basic| basic.ca);
    let may_sign = issuer.key_usage().ok().flatten().is_none_or(|usage| usage.value.key_cert_sign());
    match basic {
        Some(basic) if may_sign => {
            let allowed = basic.path_len_constraint.map_or(usize::MAX, |allowed| allowed as usize);
            if depth - 1 > allowed {
                problems.add("certificate-path-length", &[("subject", &subject)]);
            }
        }
        // Roots of version 1 have no extensions, and clients trust them.
        None if issuer.version() != X509Version::V3 && is_self_issued(issuer) => {}
        _ => problems.add("certificate-issuer-not-ca", &[("subject", &subject)]),
    }
    if !may_serve(issuer) {
        problems.add("certificate-not-for-servers", &[("subject", &subject)]);
    }
    let Ok(Some(constraints)) = issuer.name_constraints() else { return };
    let permitted = dns_subtrees(constraints.value.permitted_subtrees.as_deref());
    let excluded = dns_subtrees(constraints.value.excluded_subtrees.as_deref());
    let allowed = |name: &str| {
        let domain = name.strip_prefix("*.");
        // rustls refuses a wildcard under a top-level domain as malformed, but only with constraints.
        if domain.is_some_and(|domain| !domain.contains('.')) {
            return false;
        }
        let within = |constraint: &&str| is_within(domain.unwrap_or(name), constraint);
        // A wildcard that covers an excluded name is excluded.
        let covers = |constraint: &str| {
            let parent = constraint.split_once('.').map(|(_, parent)| parent);
            domain.zip(parent).is_some_and(|(domain, parent)| parent.eq_ignore_ascii_case(domain))
        };
        (permitted.is_empty() || permitted.iter().any(within))
            && !excluded.iter().any(|constraint| within(constraint) || covers(constraint))
    };
    // One name outside the constraints makes the certificate invalid for every host.
    let refused = dns_names(leaf).into_iter().find(|name| !allowed(name));
    if let Some(name) = refused {
        problems.add("certificate-name-constraints", &[("subject", &subject), ("name", &name)]);
    }
}

fn dns_subtrees<'a>(subtrees: Option<&[GeneralSubtree<'a>]>) -> Vec<&'a str> {
    let dns = |subtree: &GeneralSubtree<'a>| {
        if let GeneralName::DNSName(name) = subtree.base { Some(name) } else { None }
    };
    subtrees.unwrap_or_default().iter().filter_map(dns).collect()
}
