//! The private key of a TLS certificate.

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    },
};
use clap::ValueEnum;
use rcgen::{KeyPair, PublicKeyData as _};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use crate::secrets::{Fingerprint, GenerateError, SecretText};
use crate::x509::pem::{self, KeyError, only_key};
use crate::x509::rsa_key::{RsaBits, RsaPrivateKey};

/// The kinds of key that are made for a TLS certificate. Every client of the last ten years takes P-256, and it is quick to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TlsKeyType {
    #[default]
    #[value(name = "p256", help = "EC on P-256")]
    P256,
    #[value(name = "rsa2048", help = "RSA, 2048 bits")]
    Rsa2048,
    #[value(name = "rsa3072", help = "RSA, 3072 bits")]
    Rsa3072,
    #[value(name = "rsa4096", help = "RSA, 4096 bits")]
    Rsa4096,
}

/// A private key that can stand behind a TLS certificate, and sign one.
pub struct TlsPrivateKey {
    pem: SecretText,
    /// rcgen keeps the DER beside the key; `Zeroizing` overwrites it.
    pair: Zeroizing<KeyPair>,
}

impl TlsPrivateKey {
    pub fn generate(kind: TlsKeyType) -> Result<Self, GenerateError> {
        let bits = match kind {
            TlsKeyType::P256 => return KeyPair::generate().map(Self::of).map_err(|_| GenerateError),
            TlsKeyType::Rsa2048 => RsaBits::Bits2048,
            TlsKeyType::Rsa3072 => RsaBits::Bits3072,
            TlsKeyType::Rsa4096 => RsaBits::Bits4096,
        };
        Self::parse(RsaPrivateKey::generate(bits)?.pem().expose().as_bytes()).map_err(|_| GenerateError)
    }

    /// Reads a PEM file that holds one private key: PKCS#8, PKCS#1 or SEC1, with anything else around it.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        only_key(bytes)?;
        let key = PrivateKeyDer::pem_slice_iter(bytes).find_map(Result::ok).ok_or(KeyError::Unusable)?;
        // rcgen takes the other forms as well, but would write them under the label of this one.
        let pair = pkcs8(&key).and_then(|der| KeyPair::try_from(der.as_slice()).ok());
        pair.map(Self::of).ok_or(KeyError::Unusable)
    }

    fn of(pair: KeyPair) -> Self {
        Self { pem: SecretText::new(pem::encode("PRIVATE KEY", pair.serialized_der())), pair: Zeroizing::new(pair) }
    }

    /// The key as PKCS#8 PEM, whatever form it was read in: what goes into a Secret or a file.
    pub fn pem(&self) -> &SecretText {
        &self.pem
    }

    /// SHA-256 over the public key, the same for a certificate of this key ([`Certificate::public_key_fingerprint`]).
    ///
    /// [`Certificate::public_key_fingerprint`]: super::Certificate::public_key_fingerprint
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public(&self.pair.subject_public_key_info())
    }

    pub(super) fn pair(&self) -> &KeyPair {
        &self.pair
    }

    /// Whether it is RSA, which wants one more key usage in its certificate.
    pub(super) fn is_rsa(&self) -> bool {
        self.pair.is_compatible(&rcgen::PKCS_RSA_SHA256)
    }
}

fn pkcs8(key: &PrivateKeyDer<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let curves = [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P521_SHA512_ASN1_SIGNING];
    let der = match key {
        PrivateKeyDer::Pkcs1(key) => {
            rsa::KeyPair::from_der(key.secret_pkcs1_der()).ok()?.as_der().ok()?.as_ref().to_vec()
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
mod tests {
    use super::*;
    use crate::x509::OtherFormat;
    use crate::x509::test_support::openssl;

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
        use KeyError as E;
        let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
        let pem = key.pem().expose();
        let parse = |bytes: &[u8]| TlsPrivateKey::parse(bytes).unwrap_err();
        assert!(matches!(parse(b"\n"), E::NoKey));
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
    fn what_servers_cannot_read_is_refused_with_what_to_do() {
        use KeyError as E;
        let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
        let pem = key.pem().expose();
        let parse = |bytes: &[u8]| TlsPrivateKey::parse(bytes).unwrap_err();
        let indented: String = pem.lines().flat_map(|line| ["  ", line, "\n"]).collect();
        for spoilt in [pem.replace('\n', "\\n"), pem.replace('\n', " "), indented] {
            assert_eq!(parse(spoilt.as_bytes()), E::Layout);
        }
        let der = openssl(&["pkey", "-outform", "DER"], pem.as_bytes());
        assert_eq!(parse(&der), E::OtherFormat(OtherFormat::Der));
        let marked = ["\u{feff}", pem].concat();
        assert_eq!(parse(marked.as_bytes()), E::OtherFormat(OtherFormat::ByteOrderMark));
    }

    #[test]
    fn debug_shows_the_fingerprint_only() {
        let key = TlsPrivateKey::generate(TlsKeyType::P256).unwrap();
        assert_eq!(format!("{key:?}"), format!("TlsPrivateKey({})", key.fingerprint()));
    }
}
