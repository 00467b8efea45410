//! MAS's signing key, `rsaPrivateKey`.
//!
//! MAS signs ID tokens with it and loads it when it starts (`crates/keystore/src/lib.rs`), so a file it cannot read shows
//! when Synapse already waits for MAS. [`RsaPrivateKey::parse`] reads it with the crates that MAS reads it with, and accepts
//! less: `RS256` needs RSA, and RFC 7518 §3.3 wants 2048 bits or more.

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pkcs1::der::{Decode as _, asn1::Null};
use pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use zeroize::Zeroizing;

use crate::secrets::{Fingerprint, GenerateError, SecretText};
use crate::x509::pem::{self, OtherFormat};

/// The sizes offered for a new key. MAS itself makes 2048.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RsaBits {
    /// What `openssl genrsa` and MAS make.
    #[default]
    Bits2048,
    Bits3072,
    /// Making one takes about half a second, sometimes several.
    Bits4096,
}

/// An RSA private key MAS can load and sign `RS256` with.
#[derive(Clone)]
pub struct RsaPrivateKey {
    pem: SecretText,
    modulus: Vec<u8>,
    fingerprint: Fingerprint,
}

/// Why a file cannot be `rsaPrivateKey` as it stands. `Display` says what is wrong with it and how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RsaKeyError {
    #[error("The RSA key is empty. {MAKE}")]
    Empty,
    #[error("The RSA key is not a key file: it has no line that starts with -----BEGIN. {MAKE}")]
    NotPem,
    #[error(
        "The file is {}, but MAS reads PEM text. Convert it: {}", .0.name(), .0.key()
    )]
    OtherFormat(OtherFormat),
    /// Read by others perhaps, but not by pem-rfc7468.
    #[error(
        "MAS cannot read the RSA key: it wants lines of 64 characters at the left margin between BEGIN and END, and nothing after \
         them. Write it anew: openssl pkey -in FILE -out FILE.pem. If openssl cannot read it either, copy the whole file again, \
         or leave it out and a key is made."
    )]
    Layout,
    #[error(
        "The file holds {count} private keys; MAS reads exactly one here. Leave only the key that is meant in the file."
    )]
    SeveralKeys { count: usize },
    #[error(
        "The RSA key is protected by a pass phrase, and MAS is not given one here. Take the pass phrase off: \
         openssl pkey -in FILE -out FILE.pem"
    )]
    Encrypted,
    #[error(
        "This is {0}, not the RSA private key that MAS signs with. Give the file that holds the private key. Leave it out and a key is made."
    )]
    Public(&'static str),
    #[error(
        "This is a key in OpenSSH's own format, which MAS cannot read. Convert a copy of it: ssh-keygen -p -m PKCS8 -N '' -f COPY. \
         Better a key of its own: leave it out and one is made."
    )]
    OpenSsh,
    #[error(
        "This is {0}. MAS signs logins with RS256, which needs an RSA key; with another it starts, but logins fail. {MAKE}"
    )]
    NotRsa(&'static str),
    #[error("This is {0}, which MAS cannot load. {MAKE}")]
    OtherRsa(&'static str),
    #[error("The file holds something else than a private key: its BEGIN line says so. {MAKE}")]
    OtherLabel,
    #[error("The RSA key has {bits} bits; RS256 needs at least 2048 (RFC 7518 section 3.3). {MAKE}")]
    TooShort { bits: usize },
    #[error("The RSA key has {bits} bits; more than 8192 cannot be used. {MAKE}")]
    TooLong { bits: usize },
    #[error(
        "The RSA key is damaged: it is not of the form that its BEGIN line names, or its numbers do not belong together. {MAKE}"
    )]
    Damaged,
}

const MAKE: &str = "Leave it out and a key is made, or make one with: openssl genrsa -out FILE 2048";

impl RsaKeyError {
    /// Says why pem-rfc7468 reads no document.
    fn unreadable(bytes: &[u8]) -> Self {
        if let Some(format) = OtherFormat::of_key(bytes) {
            return Self::OtherFormat(format);
        }
        let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
        if text.contains("Proc-Type: 4,ENCRYPTED") {
            return Self::Encrypted;
        }
        let (keys, others): (Vec<_>, Vec<_>) = pem::labels(&text).partition(|label| label.ends_with("PRIVATE KEY"));
        match (keys.as_slice(), others.first()) {
            ([], None) => Self::NotPem,
            ([], Some(label)) | ([label], _) => Self::of_label(label),
            (several, _) => Self::SeveralKeys { count: several.len() },
        }
    }

    /// What a file is according to its BEGIN line, if that is not what it should be.
    fn of_label(label: &str) -> Self {
        match label {
            "PRIVATE KEY" | "RSA PRIVATE KEY" => Self::Layout,
            "ENCRYPTED PRIVATE KEY" => Self::Encrypted,
            "EC PRIVATE KEY" | "EC PARAMETERS" => Self::NotRsa(EC_KEY),
            "DSA PRIVATE KEY" => Self::NotRsa("a DSA key"),
            "OPENSSH PRIVATE KEY" => Self::OpenSsh,
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Self::Public("a public key"),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::Public("a certificate signing request"),
            label if label.ends_with("CERTIFICATE") => Self::Public("a certificate"),
            _ => Self::OtherLabel,
        }
    }
}

const EC_KEY: &str = "an elliptic curve (EC) key";
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

impl RsaPrivateKey {
    /// Makes a new key. Takes a twentieth of a second for 2048 bits, so not on a thread that must answer.
    pub fn generate(bits: RsaBits) -> Result<Self, GenerateError> {
        let size = match bits {
            RsaBits::Bits2048 => KeySize::Rsa2048,
            RsaBits::Bits3072 => KeySize::Rsa3072,
            RsaBits::Bits4096 => KeySize::Rsa4096,
        };
        let pair = KeyPair::generate(size).map_err(|_| GenerateError)?;
        let der = pair.as_der().map_err(|_| GenerateError)?;
        Self::of(&pair, SecretText::new(pem::encode("PRIVATE KEY", der.as_ref()))).ok_or(GenerateError)
    }

    /// Reads a key file or the value of a Secret: PEM, PKCS#8 or PKCS#1, one key and nothing after it.
    pub fn parse(bytes: &[u8]) -> Result<Self, RsaKeyError> {
        if bytes.trim_ascii().is_empty() {
            return Err(RsaKeyError::Empty);
        }
        let (Ok(text), Ok((label, der))) = (std::str::from_utf8(bytes), pem_rfc7468::decode_vec(bytes)) else {
            return Err(RsaKeyError::unreadable(bytes));
        };
        let der = Zeroizing::new(der);
        let pair = match label {
            "PRIVATE KEY" => {
                let info = PrivateKeyInfo::from_der(&der).map_err(|_| RsaKeyError::Damaged)?;
                match info.algorithm.oid {
                    pkcs1::ALGORITHM_OID => {}
                    RSA_PSS => return Err(RsaKeyError::OtherRsa("an RSA-PSS key")),
                    EC => return Err(RsaKeyError::NotRsa(EC_KEY)),
                    _ => return Err(RsaKeyError::NotRsa("a key of another kind than RSA")),
                }
                if info.algorithm.parameters_any() != Ok(Null.into()) {
                    return Err(RsaKeyError::Damaged);
                }
                check_numbers(info.private_key)?;
                KeyPair::from_pkcs8(&der)
            }
            "RSA PRIVATE KEY" => {
                check_numbers(&der)?;
                KeyPair::from_der(&der)
            }
            other => return Err(RsaKeyError::of_label(other)),
        };
        pair.ok().and_then(|pair| Self::of(&pair, SecretText::from(text))).ok_or(RsaKeyError::Damaged)
    }

    fn of(pair: &KeyPair, pem: SecretText) -> Option<Self> {
        let public = pair.public_key();
        let modulus = pkcs1::RsaPublicKey::from_der(public.as_ref()).ok()?.modulus.as_bytes().to_vec();
        Some(Self { pem, modulus, fingerprint: Fingerprint::of_public(public.as_der().ok()?.as_ref()) })
    }

    /// The text as it was read, or as it was made: what goes into the Secret.
    pub fn pem(&self) -> &SecretText {
        &self.pem
    }

    pub fn bits(&self) -> usize {
        bit_length(&self.modulus)
    }

    /// The public modulus as MAS publishes it at `/oauth2/keys.json`: `n`, base64url without padding (RFC 7518 §6.3.1.1).
    /// Finding it there proves that MAS runs with this key.
    pub fn modulus_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.modulus)
    }

    /// SHA-256 over the public key, the same as MAS computes (`PrivateKey::fingerprint`).
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// Whether this `RSAPrivateKey` (RFC 8017) has two primes and a size that can be used. aws-lc's own reason for a small key would
/// be its size, but for a large one may be another.
fn check_numbers(der: &[u8]) -> Result<(), RsaKeyError> {
    let key = pkcs1::RsaPrivateKey::from_der(der).map_err(|_| RsaKeyError::Damaged)?;
    match bit_length(key.modulus.as_bytes()) {
        _ if key.other_prime_infos.is_some() => Err(RsaKeyError::OtherRsa("an RSA key of more than two primes")),
        bits @ ..2048 => Err(RsaKeyError::TooShort { bits }),
        bits @ 8193.. => Err(RsaKeyError::TooLong { bits }),
        _ => Ok(()),
    }
}

/// The number of bits of a big-endian number.
pub(super) fn bit_length(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros).map_or(0, |first| (number.len() - zeros) * 8 - first.leading_zeros() as usize)
}

impl fmt::Debug for RsaPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaPrivateKey({} bits, {})", self.bits(), self.fingerprint)
    }
}

#[cfg(test)]
mod tests;
