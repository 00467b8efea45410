//! The private key of a TLS certificate.

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    },
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use super::{
    Fingerprint, GenerateError, RsaBits, SecretText,
    pem::{self, Found, Layout},
};

/// The kinds of key that are made for a TLS certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsKeyType {
    /// ECDSA on P-256, which every client of the last ten years takes and which is quick to make.
    #[default]
    P256,
    /// RSA.
    Rsa(RsaBits),
}

/// A private key that can stand behind a TLS certificate, and sign one.
pub struct TlsPrivateKey {
    pem: SecretText,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    P521(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why a file is not a private key for TLS. `Display` says what is wrong and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum TlsKeyError {
    /// Nothing there.
    #[error("The private key is empty. Give the PEM file with the private key of the certificate.")]
    Empty,
    /// No private key in it.
    #[error("The file holds no private key in PEM form. Give the file that has a line -----BEGIN … PRIVATE KEY-----.")]
    NoKey,
    /// More than one.
    #[error("The file holds {count} private keys. Leave only the one that belongs to the certificate.")]
    SeveralKeys {
        /// How many.
        count: usize,
    },
    /// With a pass phrase.
    #[error(
        "The private key is protected by a pass phrase, which an ingress is not given. Take it off: openssl pkey -in FILE -out FILE.pem"
    )]
    Encrypted,
    /// In a form that ingress controllers may not read, although the key is good.
    #[error(
        "The private key itself is good, but the file is not as an ingress reads it: {layout}. Let it be written anew, the key stays \
         the same; or do it yourself: openssl pkey -in FILE -out FILE.pem"
    )]
    Layout {
        /// What is wrong.
        layout: Layout,
        /// The same key as PKCS#8 PEM.
        mended: Box<TlsPrivateKey>,
    },
    /// Not base64, not DER, numbers that do not fit, or a kind of key that TLS clients do not know.
    #[error(
        "The private key cannot be used: it is damaged, an RSA key of fewer than 2048 or more than 8192 bits, or not of a kind that \
         TLS clients know (RSA; EC on P-256, P-384 or P-521; Ed25519)."
    )]
    Unusable,
}

impl TlsPrivateKey {
    /// Makes a new key.
    pub fn generate(kind: TlsKeyType) -> Result<Self, GenerateError> {
        let pair = match kind {
            TlsKeyType::P256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Pair::P256),
            TlsKeyType::Rsa(RsaBits::Bits2048) => RsaKeyPair::generate(KeySize::Rsa2048).map(Pair::Rsa),
            TlsKeyType::Rsa(RsaBits::Bits3072) => RsaKeyPair::generate(KeySize::Rsa3072).map(Pair::Rsa),
            TlsKeyType::Rsa(RsaBits::Bits4096) => RsaKeyPair::generate(KeySize::Rsa4096).map(Pair::Rsa),
        };
        pair.ok().and_then(Self::of).ok_or(GenerateError)
    }

    /// Reads a PEM file that holds one private key: PKCS#8, PKCS#1 or SEC1, with anything else around it.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlsKeyError> {
        if bytes.trim_ascii().is_empty() {
            return Err(TlsKeyError::Empty);
        }
        let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
        let unescaped = pem::unescape(&text);
        let escaped = *unescaped != *text && !text.contains("-----\n");
        let text = if escaped { &unescaped } else { &text };
        let found: Vec<_> = pem::lenient(text)
            .into_iter()
            .filter(|found| match found {
                Found::Document(document) => document.label.ends_with("PRIVATE KEY"),
                Found::NotBase64 { label } => label.ends_with("PRIVATE KEY"),
                Found::Headers { encrypted } => *encrypted,
                Found::CutOff => true,
            })
            .collect();
        match found.as_slice() {
            [] => Err(TlsKeyError::NoKey),
            [Found::Document(document)] if document.label == "ENCRYPTED PRIVATE KEY" => Err(TlsKeyError::Encrypted),
            [Found::Document(document)] => {
                let key = Self::of_der(&document.der).ok_or(TlsKeyError::Unusable)?;
                // What the TLS servers' own readers make of the file as it stands.
                let readable =
                    PrivateKeyDer::from_pem_slice(bytes).is_ok_and(|der| der.secret_der() == &**document.der);
                if readable {
                    return Ok(key);
                }
                let layout = if escaped { Layout::EscapedNewlines } else { pem::name(text) };
                Err(TlsKeyError::Layout { layout, mended: Box::new(key) })
            }
            [Found::Headers { .. }] => Err(TlsKeyError::Encrypted),
            [_] => Err(TlsKeyError::Unusable),
            several => Err(TlsKeyError::SeveralKeys { count: several.len() }),
        }
    }

    /// The key as PKCS#8 PEM, whatever form it was read in: what goes into a Secret or a file.
    pub fn pem(&self) -> &SecretText {
        &self.pem
    }

    /// SHA-256 over the public key, the same for a certificate of this key ([`Certificate::public_key_fingerprint`]).
    ///
    /// [`Certificate::public_key_fingerprint`]: super::Certificate::public_key_fingerprint
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public(&rcgen::PublicKeyData::subject_public_key_info(self))
    }

    /// The public key without its algorithm: the content of the bit string of a `SubjectPublicKeyInfo`.
    pub(super) fn public_key(&self) -> &[u8] {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref(),
            Pair::P256(pair) | Pair::P384(pair) | Pair::P521(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    /// Whether it is RSA, which wants one more key usage in its certificate.
    pub(super) fn is_rsa(&self) -> bool {
        matches!(self.pair, Pair::Rsa(_))
    }

    fn of_der(der: &[u8]) -> Option<Self> {
        let rsa = || RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).ok().map(Pair::Rsa);
        let ec = |algorithm, pair: fn(EcdsaKeyPair) -> Pair| {
            EcdsaKeyPair::from_private_key_der(algorithm, der).ok().map(pair)
        };
        rsa()
            .or_else(|| ec(&ECDSA_P256_SHA256_ASN1_SIGNING, Pair::P256))
            .or_else(|| ec(&ECDSA_P384_SHA384_ASN1_SIGNING, Pair::P384))
            .or_else(|| ec(&ECDSA_P521_SHA512_ASN1_SIGNING, Pair::P521))
            .or_else(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Pair::Ed25519))
            .and_then(Self::of)
    }

    fn of(pair: Pair) -> Option<Self> {
        let pem = match &pair {
            Pair::Rsa(pair) => pem::encode("PRIVATE KEY", pair.as_der().ok()?.as_ref()),
            Pair::P256(pair) | Pair::P384(pair) | Pair::P521(pair) => {
                pem::encode("PRIVATE KEY", pair.to_pkcs8v1().ok()?.as_ref())
            }
            Pair::Ed25519(pair) => pem::encode("PRIVATE KEY", pair.to_pkcs8v1().ok()?.as_ref()),
        };
        Some(Self { pem: SecretText::new(pem), pair })
    }
}

impl rcgen::PublicKeyData for TlsPrivateKey {
    fn der_bytes(&self) -> &[u8] {
        self.public_key()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        match self.pair {
            Pair::Rsa(_) => &rcgen::PKCS_RSA_SHA256,
            Pair::P256(_) => &rcgen::PKCS_ECDSA_P256_SHA256,
            Pair::P384(_) => &rcgen::PKCS_ECDSA_P384_SHA384,
            Pair::P521(_) => &rcgen::PKCS_ECDSA_P521_SHA512,
            Pair::Ed25519(_) => &rcgen::PKCS_ED25519,
        }
    }
}

// rcgen's own `KeyPair` keeps a copy of the key that is not overwritten; this type keeps none.
impl rcgen::SigningKey for TlsPrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
            Pair::P256(pair) | Pair::P384(pair) | Pair::P521(pair) => {
                pair.sign(&random, message).map(|signature| signature.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
        .map_err(|_| rcgen::Error::RingUnspecified)
    }
}

impl fmt::Debug for TlsPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsPrivateKey({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::test_support::openssl;

    const EC: [&str; 4] = ["genpkey", "-algorithm", "EC", "-pkeyopt"];

    #[test]
    fn every_form_that_openssl_writes_is_read_and_written_as_pkcs8() {
        let p256 = openssl(&[&EC[..], &["ec_paramgen_curve:P-256"]].concat(), b"");
        let rsa = openssl(&["genrsa", "2048"], b"");
        let keys = [
            p256.clone(),
            openssl(&["ec"], &p256),
            openssl(&["ecparam", "-name", "prime256v1", "-genkey"], b""),
            openssl(&[&EC[..], &["ec_paramgen_curve:P-384"]].concat(), b""),
            openssl(&[&EC[..], &["ec_paramgen_curve:P-521"]].concat(), b""),
            openssl(&["genpkey", "-algorithm", "ED25519"], b""),
            rsa.clone(),
            openssl(&["rsa", "-traditional"], &rsa),
        ];
        for pem in keys {
            let key = TlsPrivateKey::parse(&pem).unwrap();
            let spki = openssl(&["pkey", "-pubout", "-outform", "DER"], &pem);
            assert_eq!(key.fingerprint(), Fingerprint::of_public(&spki));
            let written = key.pem().expose().as_bytes();
            assert!(written.starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
            assert_eq!(openssl(&["pkey", "-pubout", "-outform", "DER"], written), spki);
            assert_eq!(TlsPrivateKey::parse(written).unwrap().pem(), key.pem());
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        use TlsKeyError as E;
        let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
        let pem = key.pem().expose();
        let parse = |bytes: &[u8]| TlsPrivateKey::parse(bytes).unwrap_err();
        assert!(matches!(parse(b"\n"), E::Empty));
        assert!(matches!(parse(b"hello"), E::NoKey));
        assert!(matches!(parse(&openssl(&["pkey", "-pubout"], pem.as_bytes())), E::NoKey));
        assert!(matches!(parse(format!("{pem}{pem}").as_bytes()), E::SeveralKeys { count: 2 }));
        let rsa = openssl(&["genrsa", "2048"], b"");
        for arguments in [&["pkcs8", "-topk8"][..], &["rsa", "-traditional", "-aes128"]] {
            let encrypted = openssl(&[arguments, &["-passout", "pass:x"]].concat(), &rsa);
            assert!(matches!(parse(&encrypted), E::Encrypted), "{arguments:?}");
        }
        assert!(matches!(parse(&openssl(&["genrsa", "1024"], b"")), E::Unusable));
        assert!(matches!(parse(&openssl(&[&EC[..], &["ec_paramgen_curve:secp256k1"]].concat(), b"")), E::Unusable));
        assert!(matches!(parse(&pem.as_bytes()[..100]), E::Unusable), "cut off");
    }

    #[test]
    fn a_file_that_servers_cannot_read_is_mended() {
        let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
        let pem = key.pem().expose();
        for (spoilt, expected) in
            [(pem.replace('\n', "\\n"), Layout::EscapedNewlines), (pem.replace('\n', " "), Layout::SpacesForNewlines)]
        {
            let TlsKeyError::Layout { layout, mended } = TlsPrivateKey::parse(spoilt.as_bytes()).unwrap_err() else {
                panic!("{expected:?}")
            };
            assert_eq!((layout, mended.pem()), (expected, key.pem()));
        }
    }

    #[test]
    fn debug_shows_the_fingerprint_only() {
        let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
        assert_eq!(format!("{key:?}"), format!("TlsPrivateKey({})", key.fingerprint()));
    }
}
