//! What is shown and stored in place of a secret or a certificate.

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// Before the digits of SHA-256 over something public (a public key, a certificate) or over 32 random bytes, where guessing is
/// hopeless.
const SHA256: &str = "sha256:";
/// Before those of HMAC-SHA256 keyed with the encryption secret, for values a person may have chosen. Whoever has only the
/// fingerprint cannot try passwords against it.
const HMAC_SHA256: &str = "hmac-sha256:";

/// 32 bytes that stand for a key, a certificate or a secret value: the same value always has the same fingerprint, and the
/// value cannot be found from it.
///
/// `Display` gives the short form for people (`sha256:1a2b3c4d5e6f`, 48 bits); `{:#}` and serde give all 64 hex digits, and
/// only the whole is ever compared.
///
/// | of | computed as | by hand |
/// | --- | --- | --- |
/// | RSA or EC key | SHA-256 over the DER of its public key (SPKI) | `openssl pkey -in FILE -pubout -outform DER \| sha256sum` |
/// | certificate | SHA-256 over its DER | `openssl x509 -in FILE -noout -fingerprint -sha256` |
/// | encryption secret | SHA-256 with a prefix of this program's own | |
/// | password, whole Secret | HMAC-SHA256 keyed with the encryption secret | |
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    prefix: &'static str,
    bytes: [u8; 32],
}

impl Fingerprint {
    /// SHA-256 over `public`: a certificate's DER or a public key's SPKI DER. Not for secrets a person may have chosen.
    pub fn of_public(public: &[u8]) -> Self {
        Self::sha256(&[public])
    }

    /// SHA-256 over 32 random bytes, apart from every other use of SHA-256 by a prefix.
    pub(super) fn of_random_secret(secret: &[u8; 32]) -> Self {
        Self::sha256(&[b"kubectl-ess-mas encryption secret v1\0", secret])
    }

    /// Reads the whole form, `sha256:` or `hmac-sha256:` and 64 hex digits.
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

/// Exactly 64 hex digits to 32 bytes.
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
