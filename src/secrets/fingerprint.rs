//! Fingerprints, shown and stored in place of secrets and certificates.

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// Prefix for SHA-256 of public values (a public key, a certificate) or of 32 random bytes, which can't be guessed.
const SHA256: &str = "sha256:";
/// Prefix for HMAC-SHA256 keyed with the encryption secret, for guessable values: without the key, guesses can't be verified.
const HMAC_SHA256: &str = "hmac-sha256:";

/// A 32-byte digest that identifies a key, a certificate or a secret value without revealing it.
///
/// `Display` prints the short form (`sha256:1a2b3c4d5e6f`, 48 bits); `{:#}` and serde print all 64 hex digits. Comparisons use
/// all bytes.
///
/// | of | computed as | with other tools |
/// | --- | --- | --- |
/// | RSA or EC key | SHA-256 over the DER of its public key (SPKI) | `openssl pkey -in FILE -pubout -outform DER \| sha256sum` |
/// | certificate | SHA-256 over its DER | `openssl x509 -in FILE -noout -fingerprint -sha256` |
/// | encryption secret | SHA-256 with a prefix specific to this program | |
/// | password, whole Secret | HMAC-SHA256 keyed with the encryption secret | |
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    prefix: &'static str,
    bytes: [u8; 32],
}

impl Fingerprint {
    /// SHA-256 over a certificate's DER or a public key's SPKI DER. Not for guessable secrets.
    pub fn of_public(public: &[u8]) -> Self {
        Self::sha256(&[public])
    }

    /// SHA-256 over 32 random bytes, with a prefix that separates it from other uses of SHA-256.
    pub(super) fn of_random_secret(secret: &[u8; 32]) -> Self {
        Self::sha256(&[b"kubectl-ess-mas encryption secret v1\0", secret])
    }

    /// Parses the long form, `sha256:` or `hmac-sha256:` and 64 hex digits.
    fn parse(text: &str) -> Option<Self> {
        let prefix = [SHA256, HMAC_SHA256].into_iter().find(|prefix| text.starts_with(prefix))?;
        Some(Self { prefix, bytes: decode_hex(&text.as_bytes()[prefix.len()..])? })
    }

    pub(super) fn of_hmac(bytes: [u8; 32]) -> Self {
        Self { prefix: HMAC_SHA256, bytes }
    }

    fn sha256(parts: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(part);
        }
        Self { prefix: SHA256, bytes: *context.finish().as_ref().first_chunk().expect("SHA-256 is 32 bytes") }
    }
}

/// Decodes exactly 64 hex digits.
pub(super) fn decode_hex(digits: &[u8]) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = digits.try_into().ok()?;
    let mut bytes = Zeroizing::new([0; 32]);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(*bytes)
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if f.alternate() { 32 } else { 6 };
        f.write_str(self.prefix)?;
        self.bytes[..shown].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self:#})")
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:#}"))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "not a fingerprint: expected sha256: or hmac-sha256: and 64 hex digits";
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| serde::de::Error::custom(expected))
    }
}
