//! Certificates: what they say, and the chain they come in.

mod check;
mod path;
mod problem;
mod signature;

use std::fmt;

use jiff::Timestamp;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _};

use self::signature::Algorithm;
pub use self::{
    check::check_certificate,
    problem::{CertificateProblem, ProblemSeverity},
};
use super::{
    Fingerprint, TlsPrivateKey,
    der::{INTEGER, OBJECT_IDENTIFIER, Reader},
    pem::{self, Found},
    rsa_key::{bit_length, modulus_of},
};

/// A certificate with what this program asks of it.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    subject: Name,
    issuer: Name,
    dns_names: Vec<String>,
    common_name: Option<String>,
    not_before: Timestamp,
    not_after: Timestamp,
    key: PublicKey,
    signature: Algorithm,
    ca: Option<CertificateAuthorityRights>,
    usages: Usages,
    key_identifier: Option<Vec<u8>>,
    constraints: Option<NameConstraints>,
    oddities: Oddities,
}

/// A distinguished name: its exact encoding, which is what names are compared by, and how it reads.
#[derive(Clone, PartialEq, Eq)]
struct Name {
    der: Vec<u8>,
    text: String,
}

/// A public key as a certificate holds it.
#[derive(Clone, PartialEq, Eq)]
struct PublicKey {
    /// The whole `SubjectPublicKeyInfo`.
    spki: Vec<u8>,
    /// The content of its bit string.
    bits: Vec<u8>,
    kind: KeyKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Rsa { bits: usize },
    P256,
    P384,
    P521,
    Ed25519,
    Other,
}

/// What a certificate whose basic constraints say CA may do.
#[derive(Clone, Copy, PartialEq, Eq)]
struct CertificateAuthorityRights {
    path_length: Option<u32>,
    /// `keyCertSign`, or no key usage extension at all.
    may_sign: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Usages {
    /// Has an extended key usage extension.
    extended: bool,
    /// It allows TLS servers, or is not there. `anyExtendedKeyUsage` does not count: neither openssl nor rustls accepts it.
    server_auth: bool,
    /// The key usage extension allows digital signatures, or is not there.
    digital_signature: bool,
}

/// What is not as the rules of certificates have it (RFC 5280 §4), though the rest can be read.
#[derive(Clone, Default, PartialEq, Eq)]
struct Oddities {
    /// The identifier of a critical extension that TLS clients do not know: they must refuse the certificate.
    unknown_critical: Option<String>,
    /// The serial number is negative.
    negative_serial: bool,
    /// The identifier of an extension that stands there twice.
    repeated: Option<String>,
    /// Version 1 or 2, which know no extensions.
    old_version: bool,
}

/// The DNS names that a CA is restricted to.
#[derive(Clone)]
struct NameConstraints {
    permitted: Vec<String>,
    excluded: Vec<String>,
}

/// Why a file is not a certificate or a chain. `Display` says what is wrong and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Nothing there.
    #[error("The certificate is empty. Give the PEM file with the certificate, followed by its intermediates.")]
    Empty,
    /// No certificate in it.
    #[error(
        "The file holds no certificate in PEM form. Give the file that has a line -----BEGIN CERTIFICATE-----; a certificate in \
         binary form is converted with: openssl x509 -inform DER -in FILE -out FILE.pem"
    )]
    NoCertificate,
    /// A request instead of a certificate.
    #[error("This is a certificate signing request. Send it to the CA, and give the certificate that comes back.")]
    Request,
    /// A certificate cannot be read.
    #[error("Certificate {number} in the file is damaged: it cannot be read. Copy the file again as a whole.")]
    Damaged {
        /// Which one, counted from 1.
        number: usize,
    },
    /// Laid out so that TLS servers do not find every certificate in it.
    #[error(
        "The certificates themselves are good, but not every TLS server can read the file: its lines are indented, broken in the wrong \
         places or joined. Write it anew: openssl x509 -in FILE -out FILE.pem, for each certificate in it, or let it be written anew."
    )]
    Layout {
        /// The same certificates, which [`CertificateChain::to_pem`] writes as every server reads them.
        mended: CertificateChain,
    },
}

impl Certificate {
    /// Reads one certificate in DER, as a TLS server sends it.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, x509) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let time = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
        let key_usage = x509.key_usage().ok()?.map(|usage| usage.value);
        let extended = x509.extended_key_usage().ok()?.map(|usage| usage.value);
        let basic = x509.basic_constraints().ok()?.map(|basic| basic.value);
        let names = x509.subject_alternative_name().ok()?;
        let names = names.iter().flat_map(|names| &names.value.general_names);
        let constraints = x509.name_constraints().ok()?.map(|constraints| NameConstraints {
            permitted: dns_subtrees(constraints.value.permitted_subtrees.as_deref()),
            excluded: dns_subtrees(constraints.value.excluded_subtrees.as_deref()),
        });
        let key_identifier = x509.iter_extensions().find_map(|extension| match extension.parsed_extension() {
            x509_parser::extensions::ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
            _ => None,
        });
        Some(Self {
            der: der.to_vec(),
            subject: Name::of(x509.subject()),
            issuer: Name::of(x509.issuer()),
            dns_names: names
                .filter_map(|name| match name {
                    GeneralName::DNSName(name) => Some((*name).to_owned()),
                    _ => None,
                })
                .collect(),
            common_name: x509
                .subject()
                .iter_common_name()
                .next()
                .and_then(|name| name.as_str().ok())
                .map(str::to_owned),
            not_before: time(x509.validity().not_before)?,
            not_after: time(x509.validity().not_after)?,
            key: PublicKey::of(x509.public_key())?,
            signature: Algorithm::of(&x509.signature_algorithm),
            ca: basic.filter(|basic| basic.ca).map(|basic| CertificateAuthorityRights {
                path_length: basic.path_len_constraint,
                may_sign: key_usage.is_none_or(x509_parser::extensions::KeyUsage::key_cert_sign),
            }),
            usages: Usages {
                extended: extended.is_some(),
                server_auth: extended.is_none_or(|usage| usage.server_auth),
                digital_signature: key_usage.is_none_or(x509_parser::extensions::KeyUsage::digital_signature),
            },
            key_identifier,
            constraints,
            oddities: Oddities::of(&x509),
        })
    }

    /// Its DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 over the DER, what `openssl x509 -fingerprint -sha256` and browsers show.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public(&self.der)
    }

    /// SHA-256 over the public key, the same as its private key's fingerprint.
    pub fn public_key_fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public(&self.key.spki)
    }

    /// Whom it is for, as text.
    pub fn subject(&self) -> &str {
        &self.subject.text
    }

    /// Who signed it, as text.
    pub fn issuer(&self) -> &str {
        &self.issuer.text
    }

    /// The DNS names it is good for (`subjectAltName`); the common name does not count.
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// From when it is valid.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Until when it is valid, that second included.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether its basic constraints make it a CA.
    pub fn is_ca(&self) -> bool {
        self.ca.is_some()
    }

    /// Whether it names itself as its issuer.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether this is the certificate of that private key.
    pub fn belongs_to(&self, key: &TlsPrivateKey) -> bool {
        self.key.bits == key.public_key()
    }

    /// As PEM: 64 columns, LF.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    pub(super) fn subject_der(&self) -> &[u8] {
        &self.subject.der
    }

    pub(super) fn key_identifier(&self) -> Option<&[u8]> {
        self.key_identifier.as_deref()
    }

    /// How the certificate is called in a sentence.
    fn name(&self) -> String {
        if self.subject.text.is_empty() { self.dns_names.join(", ") } else { self.subject.text.clone() }
    }
}

/// The same certificate, byte for byte.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.name(), self.fingerprint())
    }
}

impl Oddities {
    /// Extensions that clients act upon: key identifiers, key usage, alternative names, basic constraints, name constraints, CRL
    /// distribution points, policies and what belongs to them, extended key usage.
    const KNOWN: [&str; 13] = [
        "2.5.29.14",
        "2.5.29.15",
        "2.5.29.17",
        "2.5.29.18",
        "2.5.29.19",
        "2.5.29.30",
        "2.5.29.31",
        "2.5.29.32",
        "2.5.29.33",
        "2.5.29.35",
        "2.5.29.36",
        "2.5.29.37",
        "2.5.29.54",
    ];

    fn of(x509: &X509Certificate<'_>) -> Self {
        let mut seen = Vec::new();
        let mut found = Self {
            negative_serial: x509.raw_serial().first().is_some_and(|byte| byte & 0x80 != 0),
            old_version: x509.version() != x509_parser::x509::X509Version::V3,
            ..Self::default()
        };
        for extension in x509.extensions() {
            let oid = extension.oid.to_id_string();
            if extension.critical && !Self::KNOWN.contains(&oid.as_str()) {
                found.unknown_critical.get_or_insert_with(|| oid.clone());
            }
            if seen.contains(&oid) {
                found.repeated.get_or_insert_with(|| oid.clone());
            }
            seen.push(oid);
        }
        found
    }
}

impl Name {
    fn of(name: &x509_parser::x509::X509Name<'_>) -> Self {
        Self { der: name.as_raw().to_vec(), text: name.to_string() }
    }
}

impl PublicKey {
    fn of(spki: &x509_parser::x509::SubjectPublicKeyInfo<'_>) -> Option<Self> {
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
        const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
        const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
        let bits = spki.subject_public_key.data.to_vec();
        let curve = spki.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        let kind = match (spki.algorithm.algorithm.as_bytes(), curve.as_ref().map(x509_parser::asn1_rs::Oid::as_bytes))
        {
            (RSA, _) => KeyKind::Rsa { bits: bit_length(modulus_of(&bits)?) },
            (EC, Some(P256)) => KeyKind::P256,
            (EC, Some(P384)) => KeyKind::P384,
            (EC, Some(P521)) => KeyKind::P521,
            (ED25519, _) => KeyKind::Ed25519,
            _ => KeyKind::Other,
        };
        Some(Self { spki: spki.raw.to_vec(), bits, kind })
    }
}

fn dns_subtrees(subtrees: Option<&[x509_parser::extensions::GeneralSubtree<'_>]>) -> Vec<String> {
    let dns = |subtree: &x509_parser::extensions::GeneralSubtree<'_>| match subtree.base {
        GeneralName::DNSName(name) => Some(name.to_owned()),
        _ => None,
    };
    subtrees.unwrap_or_default().iter().filter_map(dns).collect()
}

/// One or more certificates in the order they were given, the server's own first if the order is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateChain {
    certificates: Vec<Certificate>,
    holds_private_key: bool,
}

impl CertificateChain {
    /// Reads a PEM file of certificates; text between them is passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.trim_ascii().is_empty() {
            return Err(CertificateError::Empty);
        }
        let text = zeroize::Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
        let unescaped = pem::unescape(&text);
        let escaped = *unescaped != *text && !text.contains("-----\n");
        let found = pem::lenient(if escaped { &unescaped } else { &text });
        let label_of = |found: &Found<'_>| match found {
            Found::Document(document) => document.label.to_owned(),
            Found::NotBase64 { label } => (*label).to_owned(),
            Found::Headers { .. } | Found::CutOff => String::new(),
        };
        let labels: Vec<_> = found.iter().map(label_of).collect();
        let is_certificate =
            |label: &str| matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" | "");
        let mut certificates = Vec::new();
        for (found, _) in found.iter().zip(&labels).filter(|(_, label)| is_certificate(label)) {
            let number = certificates.len() + 1;
            let certificate = match found {
                Found::Document(document) => Certificate::from_der(&document.der),
                // A key with headers beside the certificates is not a certificate that is damaged.
                Found::Headers { encrypted: true } => continue,
                _ => None,
            };
            certificates.push(certificate.ok_or(CertificateError::Damaged { number })?);
        }
        if certificates.is_empty() {
            let request = labels.iter().any(|label| label.ends_with("CERTIFICATE REQUEST"));
            return Err(if request { CertificateError::Request } else { CertificateError::NoCertificate });
        }
        let holds_private_key = labels.iter().any(|label| label.ends_with("PRIVATE KEY"));
        let chain = Self { certificates, holds_private_key };
        let read_by_servers = read_by_servers(bytes);
        if chain.certificates.iter().map(Certificate::der).eq(read_by_servers.iter().map(Vec::as_slice)) {
            Ok(chain)
        } else {
            Err(CertificateError::Layout { mended: chain })
        }
    }

    /// Takes the certificates a TLS server sent, in its order. `None` where there are none or one cannot be read.
    pub fn from_der<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let certificates: Vec<_> = certificates.into_iter().map(Certificate::from_der).collect::<Option<_>>()?;
        (!certificates.is_empty()).then_some(Self { certificates, holds_private_key: false })
    }

    pub(super) fn of(certificates: Vec<Certificate>) -> Self {
        debug_assert!(!certificates.is_empty());
        Self { certificates, holds_private_key: false }
    }

    /// The first certificate, which a server presents as its own.
    pub fn leaf(&self) -> &Certificate {
        &self.certificates[0]
    }

    /// All of them, in the order they were given.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// All of them as PEM in the order they were given, and nothing else: what goes into a Secret.
    pub fn to_pem(&self) -> String {
        self.certificates.iter().map(Certificate::to_pem).collect()
    }
}

/// The certificates that the PEM reader of a TLS server finds in a file; the same code as in kube and rustls.
fn read_by_servers(bytes: &[u8]) -> Vec<Vec<u8>> {
    use rustls_pki_types::{CertificateDer, pem::PemObject as _};
    CertificateDer::pem_slice_iter(bytes).map_while(Result::ok).map(|der| der.to_vec()).collect()
}

/// The fields of a certificate that is to be signed, each with its header: version, serial number, algorithm, issuer, and the rest.
/// Only what `issue` needs to put another issuer's name in.
pub(super) fn split_at_issuer(to_be_signed: &[u8]) -> Option<(&[u8], &[u8])> {
    const VERSION: u8 = 0xa0;
    let mut rest = Reader::new(to_be_signed);
    rest.element(VERSION)?;
    rest.element(INTEGER)?;
    let mut algorithm = rest.sequence()?;
    algorithm.element(OBJECT_IDENTIFIER)?;
    let before = to_be_signed.len() - rest.len();
    rest.sequence()?;
    let after = to_be_signed.len() - rest.len();
    Some((&to_be_signed[..before], &to_be_signed[after..]))
}

#[cfg(test)]
mod tests;
