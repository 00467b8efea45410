//! The chain that certificates come in.

use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::single::Certificate;
use crate::x509::pem::{self, OtherFormat};

/// Why a file is not a certificate or a chain. `Display` says what is wrong and how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("The file holds no certificate in PEM form. Give the file that has a line -----BEGIN CERTIFICATE-----.")]
    NoCertificate,
    #[error("The file is {}, which TLS servers do not read. Convert it: {}", .0.name(), .0.certificates())]
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
                _ => OtherFormat::of(bytes).map_or(CertificateError::Layout, CertificateError::OtherFormat),
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

    /// All of them as PEM in the order they were given, and nothing else: what goes into a Secret.
    pub fn to_pem(&self) -> String {
        self.certificates.iter().map(Certificate::to_pem).collect()
    }
}
