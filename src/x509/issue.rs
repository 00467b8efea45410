//! Issuing a certificate for the MAS host: from a private CA made for it, from a CA that is given, or by asking a CA.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, NameConstraints, SanType, SigningKey as _,
};
use x509_parser::asn1_rs::{Any, BitString, FromDer as _, Sequence, ToDer as _};

use crate::secrets::{Fingerprint, GenerateError};
use crate::x509::certificate::{Certificate, CertificateChain, CertificateProblem, ProblemSeverity, check_certificate};
use crate::x509::host::HostName;
use crate::x509::keys::{TlsKeyType, TlsPrivateKey};
use crate::x509::pem;

/// Days a certificate for the host is valid, an hour for clocks that are slow included: within the 398 that clients accept.
const LEAF_DAYS: i64 = 397;
/// Days a private CA is valid: ten years, since every device must be given it by hand.
const CA_DAYS: i64 = 3650;
/// How far before `now` validity begins, for devices whose clock is slow.
const SKEW: SignedDuration = SignedDuration::from_hours(1);
/// The longest common name (X.520, `ub-common-name`).
const LONGEST_COMMON_NAME: usize = 64;

/// A CA certificate (with the certificates above it, as far as they are given) and its private key.
#[derive(Debug)]
pub struct CertificateAuthority {
    chain: Vec<Certificate>,
    key: TlsPrivateKey,
}

/// A certificate for a host with its key and the certificates of its issuers.
#[derive(Debug)]
pub struct IssuedCertificate {
    pub chain: CertificateChain,
    pub key: TlsPrivateKey,
}

/// A key and the request to a CA to certify it for a host.
#[derive(Debug)]
pub struct CertificateRequest {
    pub pem: String,
    pub key: TlsPrivateKey,
}

/// Why no certificate was issued. `Display` says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    #[error(transparent)]
    Generate(#[from] GenerateError),
    #[error(
        "The CA's private key ({key}) does not belong to its certificate (key {certificate}). Give the key that the first \
         certificate in the file was made with."
    )]
    KeyMismatch { certificate: Fingerprint, key: Fingerprint },
    #[error(
        "The certificate of {subject} is not that of a CA, so nothing it signs is trusted. Give the CA's certificate first in the file."
    )]
    NotACa { subject: String },
    #[error(
        "The CA's certificate is valid from {from} to {until}, which is not now. Renew it, or check the clock of this machine."
    )]
    NotValidNow { from: Timestamp, until: Timestamp },
    #[error("Nothing was issued, because clients would refuse it. {problem} {remedy}", problem = .0, remedy = .0.remedy())]
    Unusable(CertificateProblem),
    #[error(
        "The certificate could not be signed with this CA. Its certificate or key may be of a kind that is not supported; give another one."
    )]
    NotSigned,
}

impl CertificateAuthority {
    /// Makes a private CA that can issue for `host` and the names below it, and for nothing else: name constraints, no CA
    /// below it, TLS servers only. Whoever gets its key can impersonate that host only.
    pub fn create(host: &HostName, key_type: TlsKeyType, now: Timestamp) -> Result<Self, IssueError> {
        let key = TlsPrivateKey::generate(key_type)?;
        let from = now - SKEW;
        let mut params = params(from, last_second(from, CA_DAYS))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(host.as_str().to_owned())],
            // A constraint on DNS names says nothing about addresses, so those are shut out of their own.
            excluded_subtrees: vec![
                GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
                GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
            ],
        });
        // Part of the key in the name: two CAs for the same host must not have the same name, or clients mix them up.
        let fingerprint = key.fingerprint().to_string();
        let id = fingerprint.strip_prefix("sha256:").unwrap_or(&fingerprint);
        let name = format!("Private CA {id} for {host}");
        let name = if name.len() <= LONGEST_COMMON_NAME { name } else { format!("Private CA {id}") };
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(key.pair()).map_err(|_| IssueError::NotSigned)?;
        let certificate = Certificate::from_der(certificate.der()).ok_or(IssueError::NotSigned)?;
        Ok(Self { chain: vec![certificate], key })
    }

    /// Takes a CA that exists: its certificate, first in the file, and its private key.
    pub fn of(chain: &CertificateChain, key: TlsPrivateKey) -> Result<Self, IssueError> {
        let certificate = chain.leaf();
        if !certificate.belongs_to(&key) {
            let certificate = certificate.public_key_fingerprint();
            return Err(IssueError::KeyMismatch { certificate, key: key.fingerprint() });
        }
        if !certificate.is_ca() {
            return Err(IssueError::NotACa { subject: certificate.subject() });
        }
        Ok(Self { chain: chain.certificates().to_vec(), key })
    }

    /// The CA's own certificate, which every device that is to trust it must be given.
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    pub fn key(&self) -> &TlsPrivateKey {
        &self.key
    }

    /// Issues a certificate for `host` with a new key, valid from an hour before `now` for 397 days, or less where the CA's own
    /// validity ends before. What comes out has passed [`check_certificate`] without a blocker.
    pub fn issue(
        &self,
        host: &HostName,
        key_type: TlsKeyType,
        now: Timestamp,
    ) -> Result<IssuedCertificate, IssueError> {
        let ca = self.certificate();
        if now < ca.not_before() || now > ca.not_after() {
            return Err(IssueError::NotValidNow { from: ca.not_before(), until: ca.not_after() });
        }
        let key = TlsPrivateKey::generate(key_type)?;
        let from = (now - SKEW).max(ca.not_before());
        let mut params = params(from, last_second(from, LEAF_DAYS).min(ca.not_after()))?;
        describe(&mut params, host, &key)?;
        params.use_authority_key_identifier_extension = true;
        let leaf = sign(&params, &key, ca, &self.key).ok_or(IssueError::NotSigned)?;
        let certificates = std::iter::once(leaf).chain(self.chain.iter().cloned()).collect();
        let issued = IssuedCertificate { chain: CertificateChain::of(certificates), key };
        let problems = check_certificate(&issued.chain, Some(&issued.key), host, now);
        match problems.into_iter().find(|problem| problem.severity() == ProblemSeverity::Blocker) {
            Some(problem) => Err(IssueError::Unusable(problem)),
            None => Ok(issued),
        }
    }
}

impl CertificateRequest {
    pub fn create(host: &HostName, key_type: TlsKeyType) -> Result<Self, IssueError> {
        let key = TlsPrivateKey::generate(key_type)?;
        let mut params = CertificateParams::default();
        describe(&mut params, host, &key)?;
        // Whether it becomes a CA is the CA's to say; some refuse a request that says anything about it.
        params.is_ca = IsCa::NoCa;
        let request = params.serialize_request(key.pair()).map_err(|_| IssueError::NotSigned)?;
        Ok(Self { pem: pem::encode("CERTIFICATE REQUEST", request.der()), key })
    }
}

/// Empty parameters with a validity. The serial number is rcgen's: a digest of the public key, which is new for each certificate.
fn params(from: Timestamp, until: Timestamp) -> Result<CertificateParams, IssueError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    // By way of x509-parser, which has rcgen's type of time and saves a third crate for time. Whole seconds are all a
    // certificate has.
    let time = |time: Timestamp| {
        let time = x509_parser::time::ASN1Time::from_timestamp(time.as_second());
        time.map(|time| time.to_datetime()).map_err(|_| IssueError::NotSigned)
    };
    params.not_before = time(from)?;
    params.not_after = time(until)?;
    Ok(params)
}

/// What a server certificate for the host says, whoever issues it.
fn describe(params: &mut CertificateParams, host: &HostName, key: &TlsPrivateKey) -> Result<(), IssueError> {
    let name = host.as_str().try_into().map_err(|_| IssueError::NotSigned)?;
    params.subject_alt_names = vec![SanType::DnsName(name)];
    params.distinguished_name = DistinguishedName::new();
    // A longer one cannot be a common name; clients look at the alternative name anyway.
    if host.as_str().len() <= LONGEST_COMMON_NAME {
        params.distinguished_name.push(DnType::CommonName, host.as_str());
    }
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if key.is_rsa() {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(())
}

/// The last second of so many days; it is part of the time (RFC 5280 §4.1.2.5).
fn last_second(from: Timestamp, days: i64) -> Timestamp {
    from + SignedDuration::from_hours(24 * days) - SignedDuration::from_secs(1)
}

/// A certificate for `key` as `params` describe it, signed by `ca`; `None` where something on the way is not supported.
///
/// Clients compare the issuer's name with the one in its certificate byte by byte. rcgen builds names from a map of one value
/// for each attribute, so it would lose one of two organizational units or domain components, as company CAs have. Hence rcgen
/// writes the certificate, and the issuer's name is put in before it is signed for good.
fn sign(
    params: &CertificateParams,
    key: &TlsPrivateKey,
    ca: &Certificate,
    ca_key: &TlsPrivateKey,
) -> Option<Certificate> {
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = DistinguishedName::new();
    if let Some(identifier) = ca.key_identifier() {
        issuer.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
    }
    let draft = params.signed_by(key.pair(), &Issuer::from_params(&issuer, ca_key.pair())).ok()?;

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

    let to_be_signed = sequence(&[before, ca.x509().subject().as_raw(), after])?;
    let signature = BitString::new(0, &ca_key.pair().sign(&to_be_signed).ok()?).to_der_vec().ok()?;
    Certificate::from_der(&sequence(&[&to_be_signed, algorithm, &signature])?)
}

fn sequence(parts: &[&[u8]]) -> Option<Vec<u8>> {
    Sequence::new(parts.concat().into()).to_der_vec().ok()
}

#[cfg(test)]
mod tests;
