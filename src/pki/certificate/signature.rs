//! Which algorithm signed a certificate, and whether a signature is right.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::{signature_algorithm::RsaSsaPssParams, x509::AlgorithmIdentifier};

use super::{Certificate, KeyKind};
use crate::pki::der::{Reader, whole_sequence};

/// The algorithm of a certificate's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rsa(Hash),
    RsaPss(Hash),
    Ecdsa(Hash),
    Ed25519,
    /// MD2, MD5 or SHA-1, by name.
    Weak(&'static str),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    pub(super) fn of(identifier: &AlgorithmIdentifier<'_>) -> Self {
        match identifier.algorithm.to_id_string().as_str() {
            "1.2.840.113549.1.1.2" => Self::Weak("MD2"),
            "1.2.840.113549.1.1.4" | "1.3.14.3.2.3" => Self::Weak("MD5"),
            "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => Self::Weak("SHA-1"),
            "1.2.840.113549.1.1.11" => Self::Rsa(Hash::Sha256),
            "1.2.840.113549.1.1.12" => Self::Rsa(Hash::Sha384),
            "1.2.840.113549.1.1.13" => Self::Rsa(Hash::Sha512),
            "1.2.840.113549.1.1.10" => Self::pss(identifier),
            "1.2.840.10045.4.3.2" => Self::Ecdsa(Hash::Sha256),
            "1.2.840.10045.4.3.3" => Self::Ecdsa(Hash::Sha384),
            "1.2.840.10045.4.3.4" => Self::Ecdsa(Hash::Sha512),
            "1.3.101.112" => Self::Ed25519,
            _ => Self::Other,
        }
    }

    fn pss(identifier: &AlgorithmIdentifier<'_>) -> Self {
        let parameters = identifier.parameters.as_ref().and_then(|any| RsaSsaPssParams::try_from(any).ok());
        let salt = parameters.as_ref().map(RsaSsaPssParams::salt_length);
        match parameters.map(|parameters| parameters.hash_algorithm_oid().to_id_string()).as_deref() {
            // A salt as long as the hash, as RFC 8446 §4.2.3 and the browsers want it, is all that can be verified here.
            Some("2.16.840.1.101.3.4.2.1") if salt == Some(32) => Self::RsaPss(Hash::Sha256),
            Some("2.16.840.1.101.3.4.2.2") if salt == Some(48) => Self::RsaPss(Hash::Sha384),
            Some("2.16.840.1.101.3.4.2.3") if salt == Some(64) => Self::RsaPss(Hash::Sha512),
            // SHA-1 is also what parameters that are left out mean (RFC 4055 §3.1).
            Some("1.3.14.3.2.26") | None => Self::Weak("SHA-1"),
            Some(_) => Self::Other,
        }
    }
}

/// Whether `issuer`'s key made `certificate`'s signature. `None` where the algorithm is not one this program knows.
pub(super) fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> Option<bool> {
    use KeyKind::{Ed25519, P256, P384, P521, Rsa};
    let algorithm: &dyn VerificationAlgorithm = match (certificate.signature, issuer.key.kind) {
        (Algorithm::Rsa(Hash::Sha256), Rsa { .. }) => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (Algorithm::Rsa(Hash::Sha384), Rsa { .. }) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (Algorithm::Rsa(Hash::Sha512), Rsa { .. }) => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (Algorithm::RsaPss(Hash::Sha256), Rsa { .. }) => &signature::RSA_PSS_2048_8192_SHA256,
        (Algorithm::RsaPss(Hash::Sha384), Rsa { .. }) => &signature::RSA_PSS_2048_8192_SHA384,
        (Algorithm::RsaPss(Hash::Sha512), Rsa { .. }) => &signature::RSA_PSS_2048_8192_SHA512,
        (Algorithm::Ecdsa(Hash::Sha256), P256) => &signature::ECDSA_P256_SHA256_ASN1,
        (Algorithm::Ecdsa(Hash::Sha384), P256) => &signature::ECDSA_P256_SHA384_ASN1,
        (Algorithm::Ecdsa(Hash::Sha512), P256) => &signature::ECDSA_P256_SHA512_ASN1,
        (Algorithm::Ecdsa(Hash::Sha256), P384) => &signature::ECDSA_P384_SHA256_ASN1,
        (Algorithm::Ecdsa(Hash::Sha384), P384) => &signature::ECDSA_P384_SHA384_ASN1,
        (Algorithm::Ecdsa(Hash::Sha512), P384) => &signature::ECDSA_P384_SHA512_ASN1,
        (Algorithm::Ecdsa(Hash::Sha256), P521) => &signature::ECDSA_P521_SHA256_ASN1,
        (Algorithm::Ecdsa(Hash::Sha384), P521) => &signature::ECDSA_P521_SHA384_ASN1,
        (Algorithm::Ecdsa(Hash::Sha512), P521) => &signature::ECDSA_P521_SHA512_ASN1,
        (Algorithm::Ed25519, Ed25519) => &signature::ED25519,
        // A known algorithm with a key of another kind cannot be right.
        (Algorithm::Rsa(_) | Algorithm::RsaPss(_), P256 | P384 | P521 | Ed25519)
        | (Algorithm::Ecdsa(_), Rsa { .. } | Ed25519)
        | (Algorithm::Ed25519, Rsa { .. } | P256 | P384 | P521) => return Some(false),
        (Algorithm::Weak(_) | Algorithm::Other, _) | (_, KeyKind::Other) => return None,
    };
    // Smaller RSA keys cannot be verified here; they are told apart by their own problem.
    if matches!(issuer.key.kind, Rsa { bits } if bits < 2048) {
        return None;
    }
    let (to_be_signed, signature) = signed_parts(&certificate.der)?;
    Some(UnparsedPublicKey::new(algorithm, &issuer.key.bits).verify(to_be_signed, signature).is_ok())
}

/// The bytes that were signed, header included, and the signature.
fn signed_parts(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    const BIT_STRING: u8 = 0x03;
    let mut fields = whole_sequence(certificate)?;
    let content = &certificate[certificate.len() - fields.len()..];
    let total = fields.len();
    fields.sequence()?;
    let to_be_signed = &content[..total - fields.len()];
    let _: Reader<'_> = fields.sequence()?;
    match fields.element(BIT_STRING)? {
        [0, signature @ ..] => Some((to_be_signed, signature)),
        _ => None,
    }
}
