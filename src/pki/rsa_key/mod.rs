//! MAS's signing key, `rsaPrivateKey`.
//!
//! MAS signs ID tokens with it and loads it when it starts (`crates/keystore/src/lib.rs`), so a file it cannot read shows
//! when Synapse already waits for MAS. [`RsaPrivateKey::parse`] accepts only what MAS accepts, and less: `RS256` needs RSA,
//! and RFC 7518 §3.3 wants 2048 bits or more.

mod problem;
mod structure;

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

pub use self::problem::{RsaKeyError, RsaKeyProblem};
use self::structure::Structure;
pub(super) use self::structure::modulus_of;
use super::{
    Fingerprint, GenerateError, SecretText,
    pem::{self, Found, Layout},
};

/// The sizes offered for a new key. MAS itself makes 2048.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RsaBits {
    /// 2048 bits, what `openssl genrsa` and MAS make.
    #[default]
    Bits2048,
    /// 3072 bits.
    Bits3072,
    /// 4096 bits; making one takes about half a second, sometimes several.
    Bits4096,
}

/// An RSA private key MAS can load and sign `RS256` with.
#[derive(Clone)]
pub struct RsaPrivateKey {
    pem: SecretText,
    canonical: SecretText,
    modulus: Vec<u8>,
    fingerprint: Fingerprint,
}

impl RsaPrivateKey {
    /// Makes a new key. Takes a twentieth of a second for 2048 bits, so not on a thread that must answer.
    pub fn generate(bits: RsaBits) -> Result<Self, GenerateError> {
        let size = match bits {
            RsaBits::Bits2048 => KeySize::Rsa2048,
            RsaBits::Bits3072 => KeySize::Rsa3072,
            RsaBits::Bits4096 => KeySize::Rsa4096,
        };
        let pair = KeyPair::generate(size).map_err(|_| GenerateError)?;
        Self::from_pair(&pair, None).ok_or(GenerateError)
    }

    /// Reads a key file or the value of a Secret: PEM, PKCS#8 or PKCS#1, one key and nothing after it.
    ///
    /// # Errors
    /// Says what is wrong with the file and how to mend it. Where the key itself is good and only its layout is not, the
    /// error carries the key: [`RsaKeyError::mended`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RsaKeyError> {
        if bytes.trim_ascii().is_empty() {
            return Err(RsaKeyProblem::Empty.into());
        }
        if let Some(structure) = Structure::of_der(bytes) {
            return Err(Self::mend(Layout::Binary, Self::from_structure(structure, bytes, None)));
        }
        let text = std::str::from_utf8(bytes);
        if let Ok(text) = text
            && let Some(document) = pem::strict(text)
        {
            return Self::from_document(&document, Some(text));
        }
        Err(Self::diagnose(&Zeroizing::new(String::from_utf8_lossy(bytes).into_owned())))
    }

    /// The text as it was read, or as it was made: what goes into the Secret.
    pub fn pem(&self) -> &SecretText {
        &self.pem
    }

    /// The same key in PKCS#8 PEM as `openssl genrsa` and MAS write it: 64 columns, LF, one line ending at the end.
    pub fn canonical_pem(&self) -> &SecretText {
        &self.canonical
    }

    /// The size of the modulus in bits.
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

    /// Names what is wrong with text that is not exactly one strict document.
    fn diagnose(text: &str) -> RsaKeyError {
        let unescaped = pem::unescape(text);
        let escaped = *unescaped != *text && !text.contains("-----\n");
        let text = if escaped { unescaped.as_str() } else { text };

        let documents = pem::lenient(text);
        let is_key = |found: &&Found<'_>| match found {
            Found::Document(document) => document.label.ends_with("PRIVATE KEY"),
            Found::NotBase64 { label } => label.ends_with("PRIVATE KEY"),
            Found::Headers { .. } | Found::CutOff => true,
        };
        let keys: Vec<_> = documents.iter().filter(is_key).collect();
        match (keys.as_slice(), documents.as_slice()) {
            ([], []) => RsaKeyProblem::NotPem.into(),
            // Not a key at all; its label says what it is.
            ([], [Found::Document(document), ..]) => {
                Self::from_document(document, None).err().unwrap_or_else(|| RsaKeyProblem::OtherLabel.into())
            }
            ([Found::Document(document)], all) => {
                let layout = match all.len() {
                    1 if escaped => Layout::EscapedNewlines,
                    1 => pem::name(text),
                    _ => Layout::OtherDocument,
                };
                Self::mend(layout, Self::from_document(document, None))
            }
            ([Found::Headers { encrypted: true }], _) => RsaKeyProblem::Encrypted.into(),
            ([Found::Headers { encrypted: false }], _) => RsaKeyProblem::Headers.into(),
            ([] | [Found::NotBase64 { .. }], _) => RsaKeyProblem::NotBase64.into(),
            ([Found::CutOff], _) => RsaKeyProblem::CutOff.into(),
            (several, _) => RsaKeyProblem::SeveralKeys { count: several.len() }.into(),
        }
    }

    /// The error for a file whose layout is wrong. A problem of the key itself weighs more than one of the layout.
    fn mend(layout: Layout, key: Result<Self, RsaKeyError>) -> RsaKeyError {
        match key {
            Ok(key) => RsaKeyError::layout(layout, key),
            Err(error) => error,
        }
    }

    /// Reads one decoded document. `text` is what is kept as [`pem`](Self::pem); without it the canonical form is.
    fn from_document(document: &pem::Document<'_>, text: Option<&str>) -> Result<Self, RsaKeyError> {
        let (structure, label_fits) = Structure::of_document(document.label, &document.der)?;
        let key = Self::from_structure(structure, &document.der, text)?;
        if label_fits { Ok(key) } else { Err(Self::mend(Layout::WrongLabel, Ok(key.into_canonical()))) }
    }

    /// Checks the numbers of a key whose structure is known.
    fn from_structure(structure: Structure<'_>, der: &[u8], text: Option<&str>) -> Result<Self, RsaKeyError> {
        let (modulus, pair) = match structure {
            Structure::Pkcs8 { modulus } => (modulus, KeyPair::from_pkcs8(der)),
            Structure::Pkcs1 { modulus } => (modulus, KeyPair::from_der(der)),
            Structure::Unusable(problem) => return Err(problem.into()),
        };
        // Before the reason aws-lc gives, which for a small key is the size but for a large one may be another.
        match bit_length(modulus) {
            bits @ ..2048 => return Err(RsaKeyProblem::TooShort { bits }.into()),
            bits @ 8193.. => return Err(RsaKeyProblem::TooLong { bits }.into()),
            _ => {}
        }
        pair.ok().and_then(|pair| Self::from_pair(&pair, text)).ok_or_else(|| RsaKeyProblem::Damaged.into())
    }

    fn from_pair(pair: &KeyPair, text: Option<&str>) -> Option<Self> {
        let canonical = SecretText::new(pem::encode("PRIVATE KEY", pair.as_der().ok()?.as_ref()));
        Some(Self {
            pem: text.map_or_else(|| canonical.clone(), SecretText::from),
            canonical,
            modulus: modulus_of(pair.public_key().as_ref())?.to_vec(),
            fingerprint: Fingerprint::of_public(pair.public_key().as_der().ok()?.as_ref()),
        })
    }

    fn into_canonical(self) -> Self {
        Self { pem: self.canonical.clone(), ..self }
    }
}

/// The number of bits of a magnitude without leading zero bytes.
pub(super) fn bit_length(magnitude: &[u8]) -> usize {
    magnitude.first().map_or(0, |first| magnitude.len() * 8 - first.leading_zeros() as usize)
}

impl fmt::Debug for RsaPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaPrivateKey({} bits, {})", self.bits(), self.fingerprint)
    }
}

#[cfg(test)]
mod tests;
