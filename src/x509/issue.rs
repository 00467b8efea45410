//! Certificates for the MAS host: from a new private CA, from a given CA, or as a request to a CA.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, NameConstraints, SanType, SigningKey as _,
};
use x509_parser::asn1_rs::{Any, BitString, FromDer as _, Sequence, ToDer as _};

use crate::secrets::{Fingerprint, GenerateError};
use crate::x509::chain::{Certificate, CertificateChain};
use crate::x509::check::check_certificate;
use crate::x509::host::HostName;
use crate::x509::keys::{TlsKeyType, TlsPrivateKey};
use crate::x509::pem;
use crate::x509::problem::{CertificateProblem, ProblemSeverity};

/// Validity of a host's certificate in days, including [`SKEW`]: within the 398 days that clients accept.
const LEAF_DAYS: i64 = 397;
/// Validity of a private CA in days: ten years, because users install it on every device.
const CA_DAYS: i64 = 3650;
/// Validity starts this long before `now`, for devices with a slow clock.
const SKEW: SignedDuration = SignedDuration::from_hours(1);
/// The longest common name (X.520, `ub-common-name`).
const LONGEST_COMMON_NAME: usize = 64;

/// A CA's private key and certificate, with the given certificates of its issuers.
#[derive(Debug)]
pub struct CertificateAuthority {
    chain: Vec<Certificate>,
    pub key: TlsPrivateKey,
}

#[derive(Debug)]
pub struct IssuedCertificate {
    pub chain: CertificateChain,
    pub key: TlsPrivateKey,
}

/// `Display` names the problem and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    #[error(transparent)]
    Generate(#[from] GenerateError),
    #[error(
        "The CA's private key ({key}) does not belong to its certificate (key {certificate}). Pass the key of the first \
         certificate in the file."
    )]
    KeyMismatch { certificate: Fingerprint, key: Fingerprint },
    #[error("The certificate of {subject} is not a CA certificate. Put the CA's certificate first in the file.")]
    NotACa { subject: String },
    #[error("The CA's certificate is valid only from {from} to {until}. Renew it, or check the clock of this machine.")]
    NotValidNow { from: Timestamp, until: Timestamp },
    #[error("No certificate was issued, because clients would refuse it. {problem} {remedy}", problem = .0, remedy = .0.remedy())]
    Unusable(CertificateProblem),
    #[error(
        "This CA can't sign the certificate; its certificate or key may have an unsupported type. Pass another CA."
    )]
    NotSigned,
}

impl CertificateAuthority {
    /// Creates a private CA for TLS servers at `host` and its subdomains only: name constraints, no subordinate CA. A stolen key
    /// can impersonate only that host.
    pub fn create(host: &HostName, kind: TlsKeyType, now: Timestamp) -> Result<Self, IssueError> {
        let key = TlsPrivateKey::generate(kind)?;
        let from = now - SKEW;
        let mut params = params(from, last_second(from, CA_DAYS))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(host.as_str().to_owned())],
            // A constraint on DNS names doesn't exclude IP addresses.
            excluded_subtrees: vec![
                GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
                GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
            ],
        });
        // Part of the key's fingerprint in the name: clients confuse two CAs with the same name.
        let fingerprint = key.fingerprint().to_string();
        let id = fingerprint.strip_prefix("sha256:").unwrap_or(&fingerprint);
        let name = format!("Private CA {id} for {host}");
        let name = if name.len() <= LONGEST_COMMON_NAME { name } else { format!("Private CA {id}") };
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(key.pair()).map_err(|_| IssueError::NotSigned)?;
        let certificate = Certificate::from_der(certificate.der()).ok_or(IssueError::NotSigned)?;
        Ok(Self { chain: vec![certificate], key })
    }

    /// An existing CA: its certificate, first in the chain, and its private key.
    pub fn of(chain: &CertificateChain, key: TlsPrivateKey) -> Result<Self, IssueError> {
        let certificate = chain.leaf();
        if !certificate.belongs_to(&key) {
            let certificate = certificate.public_key_fingerprint();
            return Err(IssueError::KeyMismatch { certificate, key: key.fingerprint() });
        }
        if !certificate.is_ca() {
            return Err(IssueError::NotACa { subject: certificate.subject() });
        }
        Ok(Self { chain: chain.certificates.clone(), key })
    }

    /// The CA's certificate, which every device must trust.
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// Issues a certificate for `host` with a new key, valid from an hour before `now` for 397 days, or until the CA expires.
    /// It has passed [`check_certificate`] without a blocker.
    pub fn issue(&self, host: &HostName, kind: TlsKeyType, now: Timestamp) -> Result<IssuedCertificate, IssueError> {
        let ca = self.certificate();
        if now < ca.not_before() || now > ca.not_after() {
            return Err(IssueError::NotValidNow { from: ca.not_before(), until: ca.not_after() });
        }
        let key = TlsPrivateKey::generate(kind)?;
        let from = (now - SKEW).max(ca.not_before());
        let mut params = params(from, last_second(from, LEAF_DAYS).min(ca.not_after()))?;
        describe(&mut params, host, &key)?;
        params.use_authority_key_identifier_extension = true;
        let leaf = sign(&params, &key, self).ok_or(IssueError::NotSigned)?;
        let certificates = std::iter::once(leaf).chain(self.chain.iter().cloned()).collect();
        let issued = IssuedCertificate { chain: CertificateChain::of(certificates), key };
        let problems = check_certificate(&issued.chain, Some(&issued.key), host, now);
        match problems.into_iter().find(|problem| problem.severity() == ProblemSeverity::Blocker) {
            Some(problem) => Err(IssueError::Unusable(problem)),
            None => Ok(issued),
        }
    }
}

/// A certificate signing request in PEM, and its new key.
pub fn request_certificate(host: &HostName, kind: TlsKeyType) -> Result<(String, TlsPrivateKey), IssueError> {
    let key = TlsPrivateKey::generate(kind)?;
    let mut params = CertificateParams::default();
    describe(&mut params, host, &key)?;
    // Some CAs refuse a request with basic constraints.
    params.is_ca = IsCa::NoCa;
    let request = params.serialize_request(key.pair()).map_err(|_| IssueError::NotSigned)?;
    Ok((pem::encode("CERTIFICATE REQUEST", request.der()), key))
}

/// Empty parameters with a validity. rcgen's serial number is a digest of the public key, which is new for each certificate.
fn params(from: Timestamp, until: Timestamp) -> Result<CertificateParams, IssueError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    // x509-parser converts to rcgen's time type, which saves a dependency. Certificates have whole seconds.
    let time = |time: Timestamp| {
        let time = x509_parser::time::ASN1Time::from_timestamp(time.as_second());
        time.map(|time| time.to_datetime()).map_err(|_| IssueError::NotSigned)
    };
    params.not_before = time(from)?;
    params.not_after = time(until)?;
    Ok(params)
}

/// Sets what every server certificate for the host contains, whatever its issuer.
fn describe(params: &mut CertificateParams, host: &HostName, key: &TlsPrivateKey) -> Result<(), IssueError> {
    let name = host.as_str().try_into().map_err(|_| IssueError::NotSigned)?;
    params.subject_alt_names = vec![SanType::DnsName(name)];
    params.distinguished_name = DistinguishedName::new();
    // Clients use the alternative name, so a host that is too long for a common name needs none.
    if host.as_str().len() <= LONGEST_COMMON_NAME {
        params.distinguished_name.push(DnType::CommonName, host.as_str());
    }
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if key.pair().is_compatible(&rcgen::PKCS_RSA_SHA256) {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(())
}

/// The last second of a validity in days. It is inclusive (RFC 5280 §4.1.2.5).
fn last_second(from: Timestamp, days: i64) -> Timestamp {
    from + SignedDuration::from_hours(24 * days) - SignedDuration::from_secs(1)
}

/// A certificate for `key` with `params`, signed by `ca`; `None` if a part is not supported.
///
/// Clients compare the issuer's name byte by byte. rcgen builds names from a map with one value for each attribute, so it would
/// lose one of two organizational units or domain components, which company CAs have. So the issuer's name is replaced in
/// rcgen's certificate, and the result is signed again.
fn sign(params: &CertificateParams, key: &TlsPrivateKey, ca: &CertificateAuthority) -> Option<Certificate> {
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = DistinguishedName::new();
    if let Some(identifier) = ca.certificate().key_identifier() {
        issuer.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
    }
    let draft = params.signed_by(key.pair(), &Issuer::from_params(&issuer, ca.key.pair())).ok()?;

    // Certificate ::= SEQUENCE { toBeSigned SEQUENCE { version, serial number, algorithm, issuer, … }, algorithm, signature }
    let (_, draft) = Any::from_der(draft.der()).ok()?;
    let (rest, to_be_signed) = Any::from_der(draft.data).ok()?;
    let (signature, _) = Any::from_der(rest).ok()?;
    let algorithm = &rest[..rest.len() - signature.len()];
    let mut after = to_be_signed.data;
    for _ in 0..3 {
        after = Any::from_der(after).ok()?.0;
    }
    let before = &to_be_signed.data[..to_be_signed.data.len() - after.len()];
    let (after, _) = Any::from_der(after).ok()?;

    let to_be_signed = sequence(&[before, ca.certificate().x509().subject().as_raw(), after])?;
    let signature = BitString::new(0, &ca.key.pair().sign(&to_be_signed).ok()?).to_der_vec().ok()?;
    Certificate::from_der(&sequence(&[&to_be_signed, algorithm, &signature])?)
}

fn sequence(parts: &[&[u8]]) -> Option<Vec<u8>> {
    Sequence::new(parts.concat().into()).to_der_vec().ok()
}

#[cfg(test)]
mod tests;
