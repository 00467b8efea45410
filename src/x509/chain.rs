//! A parsed certificate and a parsed chain.

use std::fmt;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer as _,
    time::ASN1Time,
};

use crate::secrets::Fingerprint;
use crate::x509::keys::TlsPrivateKey;
use crate::x509::pem::{self, OtherFormat};

/// A certificate that x509-parser parses, with valid extensions, times and public key.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
}

impl Certificate {
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, x509) = X509Certificate::from_der(der).ok()?;
        // Each is valid and not duplicated.
        let extensions = x509.key_usage().is_ok()
            && x509.extended_key_usage().is_ok()
            && x509.basic_constraints().is_ok()
            && x509.subject_alternative_name().is_ok()
            && x509.name_constraints().is_ok();
        let times = [x509.validity().not_before, x509.validity().not_after];
        let times = times.iter().all(|time| Timestamp::from_second(time.timestamp()).is_ok());
        let whole = rest.is_empty() && extensions && times && x509.public_key().parsed().is_ok();
        whole.then(|| Self { der: der.to_vec() })
    }

    pub(super) fn x509(&self) -> X509Certificate<'_> {
        X509Certificate::from_der(&self.der).expect("it was parsed before").1
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the DER, as in `openssl x509 -fingerprint -sha256` and browsers.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public(&self.der)
    }

    /// SHA-256 of the public key, equal to the private key's fingerprint.
    pub fn public_key_fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public(self.x509().public_key().raw)
    }

    pub fn subject(&self) -> String {
        self.x509().subject().to_string()
    }

    pub fn issuer(&self) -> String {
        self.x509().issuer().to_string()
    }

    /// The DNS names of `subjectAltName`, without the common name.
    pub fn dns_names(&self) -> Vec<String> {
        dns_names(&self.x509()).into_iter().map(str::to_owned).collect()
    }

    pub fn not_before(&self) -> Timestamp {
        timestamp(self.x509().validity().not_before)
    }

    /// The last second of the validity.
    pub fn not_after(&self) -> Timestamp {
        timestamp(self.x509().validity().not_after)
    }

    pub fn is_ca(&self) -> bool {
        self.x509().is_ca()
    }

    pub fn belongs_to(&self, key: &TlsPrivateKey) -> bool {
        *self.x509().public_key().subject_public_key.data == *key.pair().public_key_raw()
    }

    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    pub(super) fn key_identifier(&self) -> Option<Vec<u8>> {
        self.x509().iter_extensions().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
            _ => None,
        })
    }
}

pub(super) fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_second(time.timestamp()).expect("it was in range when the certificate was parsed")
}

pub(super) fn dns_names<'a>(x509: &'a X509Certificate<'_>) -> Vec<&'a str> {
    let names = x509.subject_alternative_name().ok().flatten().map(|names| names.value.general_names.as_slice());
    let dns = |name: &'a GeneralName<'_>| if let GeneralName::DNSName(name) = name { Some(*name) } else { None };
    names.unwrap_or_default().iter().filter_map(dns).collect()
}

/// The certificate's name in messages: its subject, else its DNS names.
pub(super) fn name(x509: &X509Certificate<'_>) -> String {
    let subject = x509.subject().to_string();
    if subject.is_empty() { dns_names(x509).join(", ") } else { subject }
}

/// Whether subject and issuer have the same encoding.
pub(super) fn is_self_issued(x509: &X509Certificate<'_>) -> bool {
    x509.subject().as_raw() == x509.issuer().as_raw()
}

pub(super) fn is_expired(x509: &X509Certificate<'_>, now: Timestamp) -> bool {
    x509.validity().not_after.timestamp() < now.as_second()
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", name(&self.x509()), self.fingerprint())
    }
}

/// `Display` names the problem and the remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("The file has no certificate in PEM format. Pass the file with a line -----BEGIN CERTIFICATE-----.")]
    NoCertificate,
    #[error("The file is {}, not a certificate in PEM format. {}", .0.words()[0], .0.words()[1])]
    OtherFormat(OtherFormat),
    /// `number` counts from 1.
    #[error("Certificate {number} in the file is damaged. Copy the whole file again.")]
    Damaged { number: usize },
    /// The output of `openssl x509 -trustout`.
    #[error(
        "The file has a certificate in OpenSSL's own format (TRUSTED CERTIFICATE), which other servers can't read. Convert it: \
         openssl x509 -in FILE -out FILE.pem. Then append the other certificates of the file."
    )]
    Trusted,
    #[error(
        "Some TLS servers can't read the file, because its lines are indented or joined. Remove the indentation \
         (sed 's/^[[:space:]]*//' FILE > FILE.pem), or copy the whole file again."
    )]
    Layout,
}

/// One or more certificates in the input's order. In the correct order, the server's certificate is the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateChain {
    pub certificates: Vec<Certificate>,
    pub(super) holds_private_key: bool,
}

impl CertificateChain {
    /// Parses a PEM file of certificates as TLS servers do; ignores text between them.
    pub fn parse(bytes: &[u8]) -> Result<Self, CertificateError> {
        let text = zeroize::Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
        let any = |wanted: fn(&str) -> bool| pem::labels(&text).any(wanted);
        // Servers ignore it and use the next certificate.
        if any(|label| matches!(label, "TRUSTED CERTIFICATE" | "X509 CERTIFICATE")) {
            return Err(CertificateError::Trusted);
        }
        let begun = pem::labels(&text).filter(|label| *label == "CERTIFICATE").count();
        if begun == 0 {
            return Err(OtherFormat::of(bytes).map_or(CertificateError::NoCertificate, CertificateError::OtherFormat));
        }
        // A private key in the file may have headers that this parser doesn't support.
        let read: Vec<_> = CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok).collect();
        if read.len() < begun {
            let damaged = text
                .match_indices("-----BEGIN CERTIFICATE-----")
                .position(|(at, _)| CertificateDer::from_pem_slice(&text.as_bytes()[at..]).is_err());
            return Err(match damaged {
                Some(place) if pem::has_begin_line(&text, "CERTIFICATE") => {
                    CertificateError::Damaged { number: place + 1 }
                }
                _ if text.starts_with('\u{feff}') => CertificateError::OtherFormat(OtherFormat("byte-order-mark")),
                _ => CertificateError::Layout,
            });
        }
        let certificate = |(place, der): (usize, &CertificateDer<'_>)| {
            Certificate::from_der(der).ok_or(CertificateError::Damaged { number: place + 1 })
        };
        Ok(Self {
            certificates: read.iter().enumerate().map(certificate).collect::<Result<_, _>>()?,
            holds_private_key: any(|label| label.ends_with("PRIVATE KEY")),
        })
    }

    /// The certificates that a TLS server sent, in its order. `None` if there are none or one is invalid.
    pub fn from_der<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let certificates: Vec<_> = certificates.into_iter().map(Certificate::from_der).collect::<Option<_>>()?;
        (!certificates.is_empty()).then_some(Self { certificates, holds_private_key: false })
    }

    pub(super) fn of(certificates: Vec<Certificate>) -> Self {
        debug_assert!(!certificates.is_empty());
        Self { certificates, holds_private_key: false }
    }

    pub fn leaf(&self) -> &Certificate {
        &self.certificates[0]
    }

    pub fn to_der(&self) -> Vec<Vec<u8>> {
        self.certificates.iter().map(|one| one.der.clone()).collect()
    }

    /// The certificates as PEM in the input's order, without other text.
    pub fn to_pem(&self) -> String {
        self.certificates.iter().map(Certificate::to_pem).collect()
    }
}
