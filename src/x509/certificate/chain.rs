//! One certificate and what it says, and the chain that certificates come in.

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

/// A certificate that x509-parser reads, with all that is asked of it here.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
}

impl Certificate {
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, x509) = X509Certificate::from_der(der).ok()?;
        // None of these stands there twice, and each can be read.
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

    pub(in crate::x509) fn x509(&self) -> X509Certificate<'_> {
        X509Certificate::from_der(&self.der).expect("it could be read when it was made").1
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 over the DER, what `openssl x509 -fingerprint -sha256` and browsers show.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public(&self.der)
    }

    /// SHA-256 over the public key, the same as its private key's fingerprint.
    pub fn public_key_fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public(self.x509().public_key().raw)
    }

    pub fn subject(&self) -> String {
        self.x509().subject().to_string()
    }

    pub fn issuer(&self) -> String {
        self.x509().issuer().to_string()
    }

    /// The DNS names it is good for (`subjectAltName`); the common name does not count.
    pub fn dns_names(&self) -> Vec<String> {
        dns_names(&self.x509()).into_iter().map(str::to_owned).collect()
    }

    pub fn not_before(&self) -> Timestamp {
        timestamp(self.x509().validity().not_before)
    }

    /// Until when it is valid, that second included.
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

    pub(in crate::x509) fn key_identifier(&self) -> Option<Vec<u8>> {
        self.x509().iter_extensions().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
            _ => None,
        })
    }
}

pub(super) fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_second(time.timestamp()).expect("it was in range when the certificate was read")
}

pub(super) fn dns_names<'a>(x509: &'a X509Certificate<'_>) -> Vec<&'a str> {
    let names = x509.subject_alternative_name().ok().flatten().map(|names| names.value.general_names.as_slice());
    let dns = |name: &'a GeneralName<'_>| if let GeneralName::DNSName(name) = name { Some(*name) } else { None };
    names.unwrap_or_default().iter().filter_map(dns).collect()
}

/// How the certificate is called in a sentence.
pub(super) fn name(x509: &X509Certificate<'_>) -> String {
    let subject = x509.subject().to_string();
    if subject.is_empty() { dns_names(x509).join(", ") } else { subject }
}

/// Whether it names itself as its issuer. Names are compared by their exact encoding.
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

/// Why a file is not a certificate or a chain. `Display` says what is wrong and how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("The file holds no certificate in PEM form. Give the file that has a line -----BEGIN CERTIFICATE-----.")]
    NoCertificate,
    #[error("The file is {}, not a certificate in PEM form. {}", .0.name(), .0.certificates())]
    OtherFormat(OtherFormat),
    /// `number` counts from 1.
    #[error("Certificate {number} in the file is damaged: it cannot be read. Copy the file again as a whole.")]
    Damaged { number: usize },
    /// What `openssl x509 -trustout` writes.
    #[error(
        "The file holds a certificate in OpenSSL's own form (TRUSTED CERTIFICATE), which other servers do not read. Convert it: \
         openssl x509 -in FILE -out FILE.pem, and append the other certificates of the file, if there are any."
    )]
    Trusted,
    #[error(
        "Not every TLS server can read the file: lines of it are indented or joined. Take away what stands before each line \
         (sed 's/^[[:space:]]*//' FILE > FILE.pem), or copy the whole file again."
    )]
    Layout,
}

/// One or more certificates in the order they were given, the server's own first if the order is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateChain {
    certificates: Vec<Certificate>,
    pub(super) holds_private_key: bool,
}

impl CertificateChain {
    /// Reads a PEM file of certificates as TLS servers do; text between them is passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, CertificateError> {
        let text = zeroize::Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
        let any = |wanted: fn(&str) -> bool| pem::labels(&text).any(wanted);
        // Servers pass over it, and would take the next one for their own.
        if any(|label| matches!(label, "TRUSTED CERTIFICATE" | "X509 CERTIFICATE")) {
            return Err(CertificateError::Trusted);
        }
        let begun = pem::labels(&text).filter(|label| *label == "CERTIFICATE").count();
        if begun == 0 {
            return Err(OtherFormat::of(bytes).map_or(CertificateError::NoCertificate, CertificateError::OtherFormat));
        }
        // A private key among them may have headers that this reader does not know; that spoils the key only.
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

    /// Takes the certificates a TLS server sent, in its order. `None` where there are none or one cannot be read.
    pub fn from_der<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let certificates: Vec<_> = certificates.into_iter().map(Certificate::from_der).collect::<Option<_>>()?;
        (!certificates.is_empty()).then_some(Self { certificates, holds_private_key: false })
    }

    pub(in crate::x509) fn of(certificates: Vec<Certificate>) -> Self {
        debug_assert!(!certificates.is_empty());
        Self { certificates, holds_private_key: false }
    }

    pub fn leaf(&self) -> &Certificate {
        &self.certificates[0]
    }

    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    pub fn to_der(&self) -> Vec<Vec<u8>> {
        self.certificates.iter().map(|one| one.der.clone()).collect()
    }

    /// All of them as PEM in the order they were given, and nothing else: what goes into a Secret.
    pub fn to_pem(&self) -> String {
        self.certificates.iter().map(Certificate::to_pem).collect()
    }
}
