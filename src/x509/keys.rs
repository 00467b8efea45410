//! Private keys: MAS's signing key, `rsaPrivateKey`, and those of TLS certificates.
//!
//! MAS signs ID tokens with `rsaPrivateKey` and loads it at its start (`crates/keystore/src/lib.rs`), when Synapse already waits
//! for MAS. [`RsaPrivateKey::parse`] uses the same crates as MAS, and accepts less: `RS256` needs RSA, and RFC 7518 §3.3
//! requires 2048 bits.

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
        KeyPair as _,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pkcs1::der::{Decode as _, asn1::Null};
use pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use rcgen::{KeyPair, PublicKeyData as _};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use crate::secrets::{Fingerprint, GenerateError, SecretText};
use crate::x509::pem::{self, KeyError, only_key};

/// Sizes of a new key. MAS's default is 2048.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RsaBits {
    #[default]
    Bits2048,
    Bits3072,
    Bits4096,
}

#[derive(Clone)]
pub struct RsaPrivateKey {
    /// The unchanged input, or PKCS#8 for a new key: the value for the Secret.
    pub pem: SecretText,
    modulus: Vec<u8>,
    /// SHA-256 of the public key, as in MAS (`PrivateKey::fingerprint`).
    pub fingerprint: Fingerprint,
}

const EC_KEY: &str = "an elliptic curve (EC) key";
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

impl RsaPrivateKey {
    /// Creates a key. Takes 50 ms for 2048 bits, so not for an async thread.
    pub fn generate(bits: RsaBits) -> Result<Self, GenerateError> {
        let size = match bits {
            RsaBits::Bits2048 => KeySize::Rsa2048,
            RsaBits::Bits3072 => KeySize::Rsa3072,
            RsaBits::Bits4096 => KeySize::Rsa4096,
        };
        let pair = RsaKeyPair::generate(size).map_err(|_| GenerateError)?;
        let der = pair.as_der().map_err(|_| GenerateError)?;
        Self::of(&pair, SecretText::new(pem::encode("PRIVATE KEY", der.as_ref()))).ok_or(GenerateError)
    }

    /// Parses a file or the value of a Secret: PEM, PKCS#8 or PKCS#1, exactly one key.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let (Ok(text), Ok((label, der))) = (std::str::from_utf8(bytes), pem_rfc7468::decode_vec(bytes)) else {
            return Err(only_key(bytes).map_or_else(|error| error, |label| of_label(&label)));
        };
        let der = Zeroizing::new(der);
        let pair = match label {
            "PRIVATE KEY" => {
                let info = PrivateKeyInfo::from_der(&der).map_err(|_| KeyError::Damaged)?;
                match info.algorithm.oid {
                    pkcs1::ALGORITHM_OID => {}
                    RSA_PSS => return Err(KeyError::OtherKind("an RSA-PSS key")),
                    EC => return Err(KeyError::OtherKind(EC_KEY)),
                    _ => return Err(KeyError::OtherKind("a key of another kind than RSA")),
                }
                if info.algorithm.parameters_any() != Ok(Null.into()) {
                    return Err(KeyError::Damaged);
                }
                check_numbers(info.private_key)?;
                RsaKeyPair::from_pkcs8(&der)
            }
            "RSA PRIVATE KEY" => {
                check_numbers(&der)?;
                RsaKeyPair::from_der(&der)
            }
            other => return Err(only_key(bytes).err().unwrap_or_else(|| of_label(other))),
        };
        pair.ok().and_then(|pair| Self::of(&pair, SecretText::from(text))).ok_or(KeyError::Damaged)
    }

    fn of(pair: &RsaKeyPair, pem: SecretText) -> Option<Self> {
        let public = pair.public_key();
        let modulus = pkcs1::RsaPublicKey::from_der(public.as_ref()).ok()?.modulus.as_bytes().to_vec();
        Some(Self { pem, modulus, fingerprint: Fingerprint::of_public(public.as_der().ok()?.as_ref()) })
    }

    pub fn bits(&self) -> usize {
        bit_length(&self.modulus)
    }

    /// The public modulus as MAS publishes it at `/oauth2/keys.json`: `n`, base64url without padding (RFC 7518 §6.3.1.1).
    /// It proves that MAS uses this key.
    pub fn modulus_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.modulus)
    }
}

/// The error for a file with this BEGIN line.
fn of_label(label: &str) -> KeyError {
    match label {
        "PRIVATE KEY" | "RSA PRIVATE KEY" => KeyError::Layout,
        "ENCRYPTED PRIVATE KEY" => KeyError::Encrypted,
        "EC PRIVATE KEY" | "EC PARAMETERS" => KeyError::OtherKind(EC_KEY),
        "DSA PRIVATE KEY" => KeyError::OtherKind("a DSA key"),
        _ => KeyError::NoKey,
    }
}

/// Checks that an `RSAPrivateKey` (RFC 8017) has two primes and a supported size. aws-lc doesn't always name the size as its
/// reason.
fn check_numbers(der: &[u8]) -> Result<(), KeyError> {
    let key = pkcs1::RsaPrivateKey::from_der(der).map_err(|_| KeyError::Damaged)?;
    match bit_length(key.modulus.as_bytes()) {
        _ if key.other_prime_infos.is_some() => Err(KeyError::OtherKind("an RSA key of more than two primes")),
        2048..=8192 => Ok(()),
        bits => Err(KeyError::Size { bits }),
    }
}

pub(super) fn bit_length(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros).map_or(0, |first| (number.len() - zeros) * 8 - first.leading_zeros() as usize)
}

impl fmt::Debug for RsaPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaPrivateKey({} bits, {})", self.bits(), self.fingerprint)
    }
}

/// Types of a new TLS key. Clients of the last ten years support P-256, which is fast to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsKeyType {
    #[default]
    P256,
    Rsa(RsaBits),
}

/// A private key for a TLS certificate or a CA.
pub struct TlsPrivateKey {
    /// PKCS#8.
    pub pem: SecretText,
    /// rcgen also keeps the DER, which `Zeroizing` overwrites.
    pair: Zeroizing<KeyPair>,
}

impl TlsPrivateKey {
    pub fn generate(kind: TlsKeyType) -> Result<Self, GenerateError> {
        let TlsKeyType::Rsa(bits) = kind else {
            return KeyPair::generate().map(Self::of).map_err(|_| GenerateError);
        };
        Self::parse(RsaPrivateKey::generate(bits)?.pem.expose().as_bytes()).map_err(|_| GenerateError)
    }

    /// Parses a PEM file with one private key: PKCS#8, PKCS#1 or SEC1. Ignores other contents.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        only_key(bytes)?;
        let key = PrivateKeyDer::pem_slice_iter(bytes).find_map(Result::ok).ok_or(KeyError::Unusable)?;
        // rcgen parses other forms too, but writes them with the label of PKCS#8.
        let pair = pkcs8(&key).and_then(|der| KeyPair::try_from(der.as_slice()).ok());
        pair.map(Self::of).ok_or(KeyError::Unusable)
    }

    fn of(pair: KeyPair) -> Self {
        Self { pem: SecretText::new(pem::encode("PRIVATE KEY", pair.serialized_der())), pair: Zeroizing::new(pair) }
    }

    /// SHA-256 of the public key, equal to that of its certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public(&self.pair.subject_public_key_info())
    }

    pub(super) fn pair(&self) -> &KeyPair {
        &self.pair
    }
}

fn pkcs8(key: &PrivateKeyDer<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let curves = [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P521_SHA512_ASN1_SIGNING];
    let der = match key {
        PrivateKeyDer::Pkcs1(key) => {
            RsaKeyPair::from_der(key.secret_pkcs1_der()).ok()?.as_der().ok()?.as_ref().to_vec()
        }
        PrivateKeyDer::Sec1(key) => {
            let of = |curve| EcdsaKeyPair::from_private_key_der(curve, key.secret_sec1_der()).ok();
            curves.into_iter().find_map(of)?.to_pkcs8v1().ok()?.as_ref().to_vec()
        }
        key => key.secret_der().to_vec(),
    };
    Some(Zeroizing::new(der))
}

impl fmt::Debug for TlsPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsPrivateKey({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests;
