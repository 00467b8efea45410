//! MAS's `secrets.encryption`: 32 random bytes as 64 hex digits, written once and never changed. And fingerprints that only it
//! allows to compute: whoever has one of those cannot try passwords against it.

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

/// The key MAS encrypts database fields and cookies with, as the Secret's `encryptionSecret` holds it.
///
/// MAS decodes the value exactly as it stands: 64 hex digits of either case and nothing else
/// (`crates/config/src/sections/secrets.rs`). It must not change after MAS's first start.
#[derive(Clone)]
pub struct EncryptionSecret {
    hex: SecretText,
    bytes: Zeroizing<[u8; 32]>,
}

impl EncryptionSecret {
    /// Makes a new one from the system's random source: exactly 64 lower-case hex digits, no newline.
    pub fn generate() -> Result<Self, GenerateError> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(bytes.as_mut()).map_err(|_| GenerateError)?;
        Ok(Self::from_bytes(bytes))
    }

    /// Reads a value that MAS has not been started with yet: what MAS accepts, less what is obviously not random.
    pub fn parse(value: &[u8]) -> Result<Self, EncryptionSecretError> {
        let secret = Self::parse_in_use(value)?;
        match secret.weakness() {
            Some(weakness) => Err(EncryptionSecretError::Weak(weakness)),
            None => Ok(secret),
        }
    }

    /// Reads a value that MAS may already run with: all that MAS accepts. A weak one must then be kept all the same, because
    /// what it encrypted is lost with it; ask [`weakness`](Self::weakness) and warn.
    pub fn parse_in_use(value: &[u8]) -> Result<Self, EncryptionSecretError> {
        match decode_hex(value) {
            Some(bytes) => {
                let hex = std::str::from_utf8(value).expect("hex digits are text");
                Ok(Self { hex: SecretText::from(hex), bytes: Zeroizing::new(bytes) })
            }
            None => Err(EncryptionSecretError::of(value)),
        }
    }

    /// Why this value is obviously not 32 random bytes, if it is not.
    pub fn weakness(&self) -> Option<&'static str> {
        weakness(&self.bytes)
    }

    pub fn value(&self) -> &SecretText {
        &self.hex
    }

    fn expose_bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// What is shown in its place. The same for upper and lower case, as MAS reads both alike.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_random_secret(&self.bytes)
    }

    fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        let mut hex = String::with_capacity(64);
        for byte in bytes.iter() {
            let _ = write!(hex, "{byte:02x}");
        }
        Self { hex: SecretText::new(hex), bytes }
    }
}

impl fmt::Debug for EncryptionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionSecret({})", self.fingerprint())
    }
}

/// The same 32 bytes, whichever case they were written in.
impl PartialEq for EncryptionSecret {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for EncryptionSecret {}

/// Why 32 bytes are obviously not random. Each rule is one that 32 random bytes break with a probability below 10⁻¹⁷, so a true
/// random value is never refused.
fn weakness(bytes: &[u8; 32]) -> Option<&'static str> {
    let distinct = bytes.iter().collect::<BTreeSet<_>>().len();
    let step = bytes[1].wrapping_sub(bytes[0]);
    let spells = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_- ".contains(byte);
    if (1..=16).any(|period| bytes[period..] == bytes[..32 - period]) {
        Some("it is a short pattern, repeated")
    } else if bytes.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
        Some("it counts in equal steps")
    } else if bytes.iter().all(spells) {
        Some("decoded, it is text (a pass phrase, or hex or base64 that was encoded once more)")
    } else if distinct <= 12 {
        // 32 random bytes have about thirty; fewer than thirteen: 10⁻²².
        Some("it has no more than twelve different bytes")
    } else if bytes.chunk_by(|a, b| a == b).any(|run| run.len() >= 9) {
        Some("the same byte stands nine times or more in a row")
    } else {
        None
    }
}

/// Why a value cannot be the encryption secret. `Display` says what is wrong with it and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionSecretError {
    #[error("The encryption secret is empty. {MAKE}")]
    Empty,
    #[error(
        "The encryption secret has spaces, tabs or line breaks around or between its 64 hex digits, and MAS accepts none. Remove \
         them, for example with: tr -d '[:space:]' < FILE > FILE.new"
    )]
    WhiteSpace,
    /// As `openssl rand 32` and `openssl rand -base64 32` write them, or hex digits encoded once more.
    #[error(
        "The encryption secret is in another form than MAS reads, which is 64 hex digits: raw bytes, or base64 (Kubernetes encodes \
         what stands under `stringData` by itself). Bytes as hex: od -An -v -tx1 < FILE | tr -d ' \\n'; of base64: \
         base64 -d < FILE first."
    )]
    OtherEncoding,
    #[error("The encryption secret has {digits} hex digits; MAS needs exactly 64, which are 32 bytes. {MAKE}")]
    Length { digits: usize },
    /// `position` is that of the first character that is not a hex digit, counted from 1. The character itself is not told: it is
    /// part of a secret.
    #[error(
        "The encryption secret is not 64 hex digits: its character number {position} of {length} is not one of 0 to 9 and a to f. {MAKE}"
    )]
    NotHex { position: usize, length: usize },
    #[error(
        "The encryption secret is not random: {0}. MAS would take it, and whoever guesses it reads what MAS encrypts. {MAKE}"
    )]
    Weak(&'static str),
}

/// What to do where nothing can be mended; the command is the migration guide's.
const MAKE: &str = "Make a new one, unless MAS already runs with this one: leave it out and one is made, or use \
                    openssl rand 32 | od -An -v -tx1 -w64 | tr -d ' \\n'";

impl EncryptionSecretError {
    /// Names what is wrong with a value that is not 64 hex digits.
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

/// The system's random source did not answer, so no key could be made.
///
/// This is what `getrandom(2)` failing looks like from here; it does not happen on a machine that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("No key could be made: this machine's random source did not answer. Try again, or on another machine.")]
pub struct GenerateError;

impl Fingerprint {
    /// HMAC-SHA256 over `value`, keyed with the encryption secret. `purpose` keeps fingerprints of different things apart:
    /// the same bytes under two purposes have two fingerprints.
    pub fn of_guessable(purpose: &str, value: &[u8], key: &EncryptionSecret) -> Self {
        let mut mac = Keyed::new(key, "value");
        mac.field(purpose.as_bytes());
        mac.field(value);
        mac.finish()
    }
}

/// One keyed digest over everything a Secret holds: equal exactly when the keys and all their values are equal, byte for byte.
///
/// It may be stored where everybody can read it (a `ConfigMap`): without the encryption secret no value can be tried against
/// it. The encoding is canonical: keys in byte order, every key and value preceded by its length as eight bytes, so that no
/// two different contents are encoded alike. Two contents compared must be digested with the same key; if the encryption
/// secret itself differs, so do the digests. `contents` is what `data` decodes to, each key once, in any order.
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
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_bytes());
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
