//! MAS's `secrets.encryption`: 32 random bytes as 64 hex digits, never changed after first use. Also the keyed fingerprints,
//! which can't be verified against guesses without it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::fingerprint::{Fingerprint, decode_hex};
use super::secret::SecretText;

/// The key with which MAS encrypts database fields and cookies (`encryptionSecret` in the Secret).
///
/// MAS accepts exactly 64 hex digits of either case (`crates/config/src/sections/secrets.rs`). The value must not change after
/// MAS's first start.
#[derive(Clone)]
pub struct EncryptionSecret {
    hex: SecretText,
    bytes: Zeroizing<[u8; 32]>,
}

impl EncryptionSecret {
    /// Generates 64 lower-case hex digits from the system's random source.
    pub fn generate() -> Result<Self, GenerateError> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(bytes.as_mut()).map_err(|_| GenerateError)?;
        Ok(Self::from_bytes(bytes))
    }

    fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        let mut hex = String::with_capacity(64);
        for byte in bytes.iter() {
            let _ = write!(hex, "{byte:02x}");
        }
        Self { hex: SecretText::new(hex), bytes }
    }

    /// Parses a value that MAS has not used yet; refuses weak values.
    pub fn parse(value: &[u8]) -> Result<Self, EncryptionSecretError> {
        let secret = Self::parse_in_use(value)?;
        match secret.weakness() {
            Some(weakness) => Err(EncryptionSecretError::Weak(weakness)),
            None => Ok(secret),
        }
    }

    /// Parses a value that MAS may already use; accepts weak values, because MAS can't decrypt its data without them.
    pub fn parse_in_use(value: &[u8]) -> Result<Self, EncryptionSecretError> {
        match decode_hex(value) {
            Some(bytes) => {
                let hex = std::str::from_utf8(value).expect("hex digits are text");
                Ok(Self { hex: SecretText::from(hex), bytes: Zeroizing::new(bytes) })
            }
            None => Err(EncryptionSecretError::of(value)),
        }
    }

    /// Why this value is obviously not random; `None` if it may be. Random bytes break each rule with a probability below 10⁻¹⁷.
    pub fn weakness(&self) -> Option<&'static str> {
        let distinct = self.bytes.iter().collect::<BTreeSet<_>>().len();
        let step = self.bytes[1].wrapping_sub(self.bytes[0]);
        let spells = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_- ".contains(byte);
        if (1..=16).any(|period| self.bytes[period..] == self.bytes[..32 - period]) {
            Some("it is a repeated short pattern")
        } else if self.bytes.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
            Some("its bytes increase in equal steps")
        } else if self.bytes.iter().all(spells) {
            Some("decoded, it is text (a passphrase, or hex or base64 that was encoded twice)")
        } else if distinct <= 12 {
            // Random bytes have about thirty different ones; fewer than thirteen: 10⁻²².
            Some("it has at most twelve different bytes")
        } else if self.bytes.chunk_by(|a, b| a == b).any(|run| run.len() >= 9) {
            Some("it repeats one byte nine times or more in a row")
        } else {
            None
        }
    }

    pub fn value(&self) -> &SecretText {
        &self.hex
    }

    /// The same for upper and lower case.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_random_secret(&self.bytes)
    }
}

impl fmt::Debug for EncryptionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionSecret({})", self.fingerprint())
    }
}

/// Ignores the case of the digits.
impl PartialEq for EncryptionSecret {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for EncryptionSecret {}

/// Why an encryption secret is invalid; `Display` includes the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionSecretError {
    #[error("The encryption secret is empty. {MAKE}")]
    Empty,
    #[error(
        "The encryption secret contains spaces, tabs or line breaks, which MAS doesn't accept. Remove them, for example with: \
         tr -d '[:space:]' < FILE > FILE.new"
    )]
    WhiteSpace,
    /// As printed by `openssl rand 32` and `openssl rand -base64 32`, or hex digits encoded twice.
    #[error(
        "The encryption secret is raw bytes or base64, but MAS requires 64 hex digits (Kubernetes encodes `stringData` itself). \
         To convert bytes, use: od -An -v -tx1 < FILE | tr -d ' \\n'; decode base64 first: base64 -d < FILE"
    )]
    OtherEncoding,
    #[error("The encryption secret has {digits} hex digits; MAS requires exactly 64 (32 bytes). {MAKE}")]
    Length { digits: usize },
    /// `position` of the first character that is not a hex digit, counted from 1. The character itself is secret.
    #[error(
        "The encryption secret is not 64 hex digits: character {position} of {length} is not a hex digit (0-9, a-f). {MAKE}"
    )]
    NotHex { position: usize, length: usize },
    #[error(
        "The encryption secret is not random: {0}. MAS accepts it, but an attacker who guesses it can decrypt MAS's data. {MAKE}"
    )]
    Weak(&'static str),
}

/// The remedy for an unusable value; the command is the migration guide's.
const MAKE: &str = "Unless MAS already uses this value, omit it to generate one, or use: openssl rand 32 | od -An -v -tx1 -w64 | \
                    tr -d ' \\n'";

impl EncryptionSecretError {
    /// Describes why a value is not 64 hex digits.
    fn of(value: &[u8]) -> Self {
        let is_secret = |bytes: &[u8]| bytes.len() == 32 || decode_hex(bytes.trim_ascii()).is_some();
        let Ok(text) = std::str::from_utf8(value) else {
            let characters = value.iter().map(|byte| char::from(*byte));
            return if value.len() == 32 { Self::OtherEncoding } else { Self::not_hex(characters) };
        };
        let dense = Zeroizing::new(text.split_whitespace().collect::<String>());
        let decoded = STANDARD.decode(dense.as_bytes()).map(Zeroizing::new);
        if dense.is_empty() {
            Self::Empty
        } else if decode_hex(dense.as_bytes()).is_some() {
            Self::WhiteSpace
        } else if text.trim().bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Self::Length { digits: text.trim().len() }
        } else if decoded.is_ok_and(|decoded| is_secret(&decoded)) {
            Self::OtherEncoding
        } else {
            Self::not_hex(text.chars())
        }
    }

    fn not_hex(characters: impl Iterator<Item = char> + Clone) -> Self {
        let position = characters.clone().position(|c| !c.is_ascii_hexdigit()).map_or(1, |index| index + 1);
        Self::NotHex { position, length: characters.count() }
    }
}

/// A failure of `getrandom(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Can't generate a key: the system's random source failed. Try again, or use another machine.")]
pub struct GenerateError;

impl Fingerprint {
    /// HMAC-SHA256 over `value`, keyed with the encryption secret. The same value has different fingerprints for different
    /// purposes.
    pub fn of_guessable(purpose: &str, value: &[u8], key: &EncryptionSecret) -> Self {
        let mut mac = Keyed::new(key, "value");
        mac.field(purpose.as_bytes());
        mac.field(value);
        mac.finish()
    }
}

/// A keyed digest over a Secret's decoded `data`: equal exactly if all keys and values are equal.
///
/// Safe to store in a `ConfigMap`: without the encryption secret, guesses can't be verified. The encoding is canonical: keys in
/// byte order, each key and value preceded by its length as eight bytes.
pub fn contents_digest<'a>(
    contents: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    key: &EncryptionSecret,
) -> Fingerprint {
    let sorted: BTreeMap<&str, &[u8]> = contents.into_iter().collect();
    let mut mac = Keyed::new(key, "contents");
    mac.length(sorted.len());
    for (name, value) in sorted {
        mac.field(name.as_bytes());
        mac.field(value);
    }
    mac.finish()
}

struct Keyed(hmac::Context);

impl Keyed {
    fn new(key: &EncryptionSecret, what: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.bytes.as_ref());
        let mut mac = Self(hmac::Context::with_key(&key));
        mac.field(b"kubectl-ess-mas fingerprint v1");
        mac.field(what.as_bytes());
        mac
    }

    fn length(&mut self, length: usize) {
        self.0.update(&(length as u64).to_be_bytes());
    }

    fn field(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.update(bytes);
    }

    fn finish(self) -> Fingerprint {
        Fingerprint::of_hmac(*self.0.sign().as_ref().first_chunk().expect("SHA-256 is 32 bytes"))
    }
}

#[cfg(test)]
mod tests;
