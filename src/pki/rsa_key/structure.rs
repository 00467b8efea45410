//! What the DER inside a key file is, decided before any arithmetic.

use super::problem::RsaKeyProblem;
use crate::pki::der::{INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, Reader, whole_sequence};

/// `rsaEncryption`, 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `id-RSASSA-PSS`, 1.2.840.113549.1.1.10.
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
/// `id-ecPublicKey`, 1.2.840.10045.2.1.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// The kinds of DER that matter here.
#[derive(Clone, Copy)]
pub(super) enum Structure<'a> {
    /// `PrivateKeyInfo` (RFC 5208) around an RSA key of two primes.
    Pkcs8 { modulus: &'a [u8] },
    /// `RSAPrivateKey` (RFC 8017) of two primes.
    Pkcs1 { modulus: &'a [u8] },
    /// Recognized, and of no use.
    Unusable(RsaKeyProblem),
}

impl<'a> Structure<'a> {
    /// The structure of a PEM document, and whether its label is the right one. Labels that cannot hold an RSA private key are
    /// taken at their word.
    pub(super) fn of_document(label: &str, der: &'a [u8]) -> Result<(Self, bool), RsaKeyProblem> {
        match label {
            "PRIVATE KEY" | "RSA PRIVATE KEY" => {
                let structure = Self::of_der(der).ok_or(RsaKeyProblem::Damaged)?;
                let fits = match structure {
                    Self::Pkcs8 { .. } => label == "PRIVATE KEY",
                    Self::Pkcs1 { .. } => label == "RSA PRIVATE KEY",
                    Self::Unusable(_) => true,
                };
                Ok((structure, fits))
            }
            "ENCRYPTED PRIVATE KEY" => Err(RsaKeyProblem::Encrypted),
            "EC PRIVATE KEY" | "EC PARAMETERS" => Err(RsaKeyProblem::NotRsa { kind: "an elliptic curve (EC) key" }),
            "DSA PRIVATE KEY" => Err(RsaKeyProblem::NotRsa { kind: "a DSA key" }),
            "OPENSSH PRIVATE KEY" => Err(RsaKeyProblem::OpenSsh),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Err(RsaKeyProblem::PublicKey),
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Err(RsaKeyProblem::Certificate),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Err(RsaKeyProblem::CertificateRequest),
            _ => Err(RsaKeyProblem::OtherLabel),
        }
    }

    /// The structure of some DER; `None` where it is not recognized as any key.
    pub(super) fn of_der(der: &'a [u8]) -> Option<Self> {
        let mut fields = whole_sequence(der)?;
        let mut after_version = fields;
        let Some(version) = after_version.unsigned() else {
            return Self::without_version(fields);
        };
        let mut probe = after_version;
        if probe.element(INTEGER).is_some() {
            return pkcs1(fields).map(|key| match key {
                Ok(modulus) => Self::Pkcs1 { modulus },
                Err(problem) => Self::Unusable(problem),
            });
        }
        if version == [1] && probe.element(OCTET_STRING).is_some() {
            return Some(Self::Unusable(RsaKeyProblem::NotRsa { kind: "an elliptic curve (EC) key" }));
        }
        fields = after_version;
        let mut algorithm = fields.sequence()?;
        let oid = algorithm.element(OBJECT_IDENTIFIER)?;
        let inner = fields.element(OCTET_STRING)?;
        if oid == RSA_PSS {
            return Some(Self::Unusable(RsaKeyProblem::Pss));
        }
        if oid != RSA {
            let kind = if oid == EC { "an elliptic curve (EC) key" } else { "a key of another kind than RSA" };
            return Some(Self::Unusable(RsaKeyProblem::NotRsa { kind }));
        }
        // Version 0, NULL parameters and no attributes: what every tool writes for RSA. Anything else is not worth finding out
        // whether each reader on the way agrees about it.
        let plain =
            version.is_empty() && algorithm.element(NULL) == Some(&[]) && algorithm.is_at_end() && fields.is_at_end();
        if !plain {
            return None;
        }
        match pkcs1(whole_sequence(inner)?)? {
            Ok(modulus) => Some(Self::Pkcs8 { modulus }),
            Err(problem) => Some(Self::Unusable(problem)),
        }
    }

    /// A `SubjectPublicKeyInfo`, an encrypted PKCS#8 key or a certificate starts with a sequence instead of a version.
    fn without_version(mut fields: Reader<'a>) -> Option<Self> {
        let mut first = fields.sequence()?;
        let starts_with_oid = first.element(OBJECT_IDENTIFIER).is_some();
        let problem = match (starts_with_oid, fields.element(OCTET_STRING).is_some()) {
            (true, true) => RsaKeyProblem::Encrypted,
            (true, false) => RsaKeyProblem::PublicKey,
            (false, _) => RsaKeyProblem::Certificate,
        };
        Some(Self::Unusable(problem))
    }
}

/// The modulus of an `RSAPrivateKey`'s fields: a version, the modulus, and seven more numbers. `RSAPublicKey` has two numbers only.
fn pkcs1(mut fields: Reader<'_>) -> Option<Result<&[u8], RsaKeyProblem>> {
    let version = fields.unsigned()?;
    let modulus = fields.unsigned()?;
    if fields.is_at_end() {
        return Some(Err(RsaKeyProblem::PublicKey));
    }
    if version == [1] {
        return Some(Err(RsaKeyProblem::MultiPrime));
    }
    let whole = version.is_empty() && (0..7).all(|_| fields.unsigned().is_some()) && fields.is_at_end();
    whole.then_some(Ok(modulus))
}

/// The modulus of an `RSAPublicKey` (RFC 8017).
pub(in crate::pki) fn modulus_of(public_key: &[u8]) -> Option<&[u8]> {
    whole_sequence(public_key)?.unsigned()
}
