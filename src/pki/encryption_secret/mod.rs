//! MAS's `secrets.encryption`: 32 random bytes as 64 hex digits, written once and never changed.

use std::fmt;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Fingerprint, GenerateError, SecretText};

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
    pub fn weakness(&self) -> Option<Weakness> {
        Weakness::of(&self.bytes)
    }

    /// The 64 hex digits, in the case they came in.
    pub fn expose_hex(&self) -> &str {
        self.hex.expose()
    }

    /// The 64 hex digits as a secret that can be put into a Kubernetes Secret.
    pub fn value(&self) -> &SecretText {
        &self.hex
    }

    pub(super) fn expose_bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// What is shown in its place. The same for upper and lower case, as MAS reads both alike.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_random_secret(&self.bytes)
    }

    fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        let mut hex = String::with_capacity(64);
        for byte in bytes.iter() {
            for nibble in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is below 16"));
            }
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

/// Why 32 bytes are obviously not random.
///
/// Each rule is one that 32 random bytes break with a probability below 10⁻¹⁷, so a true random value is never refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Every byte is the same, such as all zeros.
    OneByte,
    /// A pattern of at most half the length, repeated.
    Repeats,
    /// Every byte follows from the one before by the same step, such as 00 01 02 ….
    Counts,
    /// At most twelve different bytes; 32 random bytes have about thirty (fewer than thirteen: 10⁻²²).
    FewBytes,
    /// The same byte nine times running or more (10⁻¹⁸), such as a short number padded with zeros.
    LongRun,
    /// The bytes spell letters, digits and the signs of base64: a pass phrase, or hex or base64 that was encoded as hex once
    /// more (10⁻¹⁸).
    SpellsText,
}

impl Weakness {
    fn of(bytes: &[u8; 32]) -> Option<Self> {
        let mut seen = [false; 256];
        for &byte in bytes {
            seen[usize::from(byte)] = true;
        }
        let distinct = seen.iter().filter(|seen| **seen).count();
        let step = bytes[1].wrapping_sub(bytes[0]);
        let spells = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_- ".contains(byte);
        if distinct == 1 {
            Some(Self::OneByte)
        } else if (1..=16).any(|period| bytes[period..] == bytes[..32 - period]) {
            Some(Self::Repeats)
        } else if bytes.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
            Some(Self::Counts)
        } else if bytes.iter().all(spells) {
            Some(Self::SpellsText)
        } else if distinct <= 12 {
            Some(Self::FewBytes)
        } else if bytes.chunk_by(|a, b| a == b).any(|run| run.len() >= 9) {
            Some(Self::LongRun)
        } else {
            None
        }
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneByte => "it is one byte, 32 times over",
            Self::Repeats => "it is a short pattern, repeated",
            Self::Counts => "it counts in equal steps",
            Self::FewBytes => "it has no more than twelve different bytes",
            Self::LongRun => "the same byte stands nine times or more in a row",
            Self::SpellsText => "decoded, it is text (a pass phrase, or hex or base64 that was encoded once more)",
        })
    }
}

/// Why a value cannot be the encryption secret. `Display` says what is wrong with it and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionSecretError {
    /// Nothing there.
    #[error("The encryption secret is empty. {MAKE}")]
    Empty,
    /// 64 hex digits and a line ending, as `openssl rand -hex 32` writes them.
    #[error(
        "The encryption secret has a line break after its 64 hex digits, and MAS reads the line break as part of it. Remove it, for \
         example with: tr -d '\\r\\n' < FILE > FILE.new"
    )]
    TrailingNewline {
        /// The value without the line ending.
        mended: Option<EncryptionSecret>,
    },
    /// 64 hex digits with other white space around or between them.
    #[error(
        "The encryption secret has spaces, tabs or line breaks around or between its 64 hex digits, and MAS accepts none. Remove \
         them, for example with: tr -d '[:space:]' < FILE > FILE.new"
    )]
    WhiteSpace {
        /// The value without the white space.
        mended: Option<EncryptionSecret>,
    },
    /// `0x` before the digits.
    #[error(
        "The encryption secret starts with 0x, which MAS takes for a digit that is not one. Remove the 0x; 64 hex digits must remain."
    )]
    Prefix {
        /// The value without the prefix, where 64 digits remain.
        mended: Option<EncryptionSecret>,
    },
    /// Quotation marks around the digits.
    #[error("The encryption secret has quotation marks around it, and MAS reads them as part of it. Remove them.")]
    Quoted {
        /// The value without the marks.
        mended: Option<EncryptionSecret>,
    },
    /// Base64 of the 64 digits: encoded by hand and put under `stringData`, or encoded twice and put under `data`.
    #[error(
        "The encryption secret is base64 of 64 hex digits, so it was encoded once too often. Kubernetes encodes what stands under \
         `stringData` by itself; give the 64 hex digits there."
    )]
    DoubleBase64 {
        /// The 64 digits inside.
        mended: Option<EncryptionSecret>,
    },
    /// Base64 of 32 bytes, as `openssl rand -base64 32` writes them.
    #[error(
        "The encryption secret is 32 bytes in base64, but MAS reads it as 64 hex digits. The same bytes as hex: \
         base64 -d < FILE | od -An -v -tx1 | tr -d ' \\n'"
    )]
    Base64Bytes {
        /// The same bytes as hex.
        mended: Option<EncryptionSecret>,
    },
    /// 32 bytes that are not text: the output of `openssl rand 32` without the conversion to hex.
    #[error(
        "The encryption secret is 32 bytes that are not text, but MAS reads it as 64 hex digits. The same bytes as hex: \
         od -An -v -tx1 < FILE | tr -d ' \\n'"
    )]
    RawBytes {
        /// The same bytes as hex.
        mended: Option<EncryptionSecret>,
    },
    /// Only hex digits, but not 64.
    #[error("The encryption secret has {digits} hex digits; MAS needs exactly 64, which are 32 bytes. {MAKE}")]
    Length {
        /// How many there are.
        digits: usize,
    },
    /// Something that is not a hex digit.
    #[error(
        "The encryption secret is not 64 hex digits: its character number {position} of {length} is not one of 0 to 9 and a to f. {MAKE}"
    )]
    NotHex {
        /// The first character that is not a hex digit, counted from 1. The character itself is not told: it is part of a secret.
        position: usize,
        /// How many characters (bytes, where it is not text) there are.
        length: usize,
    },
    /// Well-formed, but obviously not random.
    #[error(
        "The encryption secret is not random: {0}. MAS would take it, and whoever guesses it reads what MAS encrypts. {MAKE}"
    )]
    Weak(Weakness),
}

/// What to do where nothing can be mended; the command is the migration guide's.
const MAKE: &str = "Make a new one, unless MAS already runs with this one: leave it out and one is made, or use \
                    openssl rand 32 | od -An -v -tx1 -w64 | tr -d ' \\n'";

impl EncryptionSecretError {
    /// The value that was most likely meant, where there is exactly one. To be used only if the person agrees, and never
    /// for a value MAS already runs with.
    pub fn mended(&self) -> Option<&EncryptionSecret> {
        match self {
            Self::TrailingNewline { mended }
            | Self::WhiteSpace { mended }
            | Self::Prefix { mended }
            | Self::Quoted { mended }
            | Self::DoubleBase64 { mended }
            | Self::Base64Bytes { mended }
            | Self::RawBytes { mended } => mended.as_ref(),
            Self::Empty | Self::Length { .. } | Self::NotHex { .. } | Self::Weak(_) => None,
        }
    }

    /// Names what is wrong with a value that is not 64 hex digits.
    fn of(value: &[u8]) -> Self {
        // A mended value that is weak is not offered.
        let mend = |value: &[u8]| EncryptionSecret::parse(value).ok();
        let is_hex = |value: &[u8]| decode_hex(value).is_some();

        if value.is_empty() {
            return Self::Empty;
        }
        let Ok(text) = std::str::from_utf8(value) else {
            return match <[u8; 32]>::try_from(value) {
                Ok(bytes) => Self::RawBytes {
                    mended: Some(EncryptionSecret::from_bytes(Zeroizing::new(bytes)))
                        .filter(|s| s.weakness().is_none()),
                },
                Err(_) => Self::not_hex(value.iter().map(|byte| char::from(*byte))),
            };
        };
        let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        if line.len() < text.len() && is_hex(line.as_bytes()) {
            return Self::TrailingNewline { mended: mend(line.as_bytes()) };
        }
        let dense = Zeroizing::new(text.split_whitespace().collect::<String>());
        if dense.len() < text.len() && is_hex(dense.as_bytes()) {
            return Self::WhiteSpace { mended: mend(dense.as_bytes()) };
        }
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Self::Empty;
        }
        if let Some(digits) = trimmed.strip_prefix("0x").or_else(|| trimmed.strip_prefix("0X")) {
            return Self::Prefix { mended: mend(digits.as_bytes()) };
        }
        let quoted = ['"', '\''].into_iter().find_map(|mark| trimmed.strip_prefix(mark)?.strip_suffix(mark));
        if let Some(inner) = quoted {
            return Self::Quoted { mended: mend(inner.trim().as_bytes()) };
        }
        if trimmed.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Self::Length { digits: trimmed.len() };
        }
        if let Ok(inner) = STANDARD.decode(dense.as_bytes()).map(Zeroizing::new) {
            if is_hex(inner.trim_ascii()) {
                return Self::DoubleBase64 { mended: mend(inner.trim_ascii()) };
            }
            if let Ok(bytes) = <[u8; 32]>::try_from(inner.as_slice()) {
                let mended = Some(EncryptionSecret::from_bytes(Zeroizing::new(bytes)));
                return Self::Base64Bytes { mended: mended.filter(|secret| secret.weakness().is_none()) };
            }
        }
        Self::not_hex(text.chars())
    }

    fn not_hex(characters: impl Iterator<Item = char> + Clone) -> Self {
        let position = characters.clone().position(|c| !c.is_ascii_hexdigit()).map_or(1, |index| index + 1);
        Self::NotHex { position, length: characters.count() }
    }
}

#[cfg(test)]
mod tests;
