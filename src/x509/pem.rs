//! PEM: encoding, and errors for files in another format.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use pem_rfc7468::LineEnding;
use x509_parser::asn1_rs::{Any, FromDer as _, Tag};
use x509_parser::certificate::X509Certificate;
use zeroize::Zeroizing;

/// PEM in the style of `openssl` and MAS: 64 columns, LF, a final newline.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    pem_rfc7468::encode_string(label, LineEnding::LF, der).expect("a label of ASCII and less than 1 GiB of DER")
}

/// The label of each BEGIN marker, at any place of a line.
pub(super) fn labels(text: &str) -> impl Iterator<Item = &str> {
    text.split("-----BEGIN ").skip(1).filter_map(|rest| rest.split("-----").next())
}

/// The format of a file that is not the expected PEM: a key of `formats.yaml`, which has the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherFormat(pub(super) &'static str);

static WORDS: LazyLock<BTreeMap<String, [String; 3]>> = LazyLock::new(|| table!("x509/formats"));

impl OtherFormat {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            _ if bytes.trim_ascii().is_empty() => Some(Self("empty")),
            [0xef, 0xbb, 0xbf, ..] => Some(Self("byte-order-mark")),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(Self("utf16")),
            [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => Some(Self("java-key-store")),
            [b'P', b'K', 3, 4, ..] => Some(Self("zip")),
            [1..0x80, 0, 1..0x80, 0, ..] => Some(Self("utf16-le")),
            [0, 1..0x80, 0, 1..0x80, ..] => Some(Self("utf16-be")),
            _ => Self::of_der(bytes)
                .or_else(|| Self::of_text(&Zeroizing::new(String::from_utf8_lossy(bytes).into_owned()))),
        }
    }

    fn of_der(bytes: &[u8]) -> Option<Self> {
        let (_, sequence) =
            Any::from_der(bytes).ok().filter(|(rest, any)| rest.is_empty() && any.tag() == Tag::Sequence)?;
        let (rest, first) = Any::from_der(sequence.data).ok()?;
        match (first.tag(), first.data) {
            // ContentInfo starts with the type of its content, PFX with version 3; keys have version 0 or 1.
            (Tag::Oid, _) => Some(Self("pkcs7-der")),
            (Tag::Integer, [3]) => Some(Self("pkcs12")),
            (Tag::Integer, _) => Some(Self("private-key-der")),
            (Tag::Sequence, inner) => Some(match Any::from_der(rest).ok()?.1.tag() {
                Tag::BitString => Self("public-key-der"),
                Tag::OctetString => Self("encrypted-key-der"),
                // CertificationRequestInfo has version 0; certificates omit version 1.
                _ if inner.starts_with(&[2, 1, 0, 0x30]) && X509Certificate::from_der(bytes).is_err() => {
                    Self("request-der")
                }
                _ => Self("certificate-der"),
            }),
            _ => None,
        }
    }

    fn of_text(text: &str) -> Option<Self> {
        let start = text.trim_start();
        match labels(text).next() {
            Some("PKCS7" | "PKCS #7 SIGNED DATA" | "CMS") => Some(Self("pkcs7")),
            Some("OPENSSH PRIVATE KEY") => Some(Self("open-ssh-key")),
            Some(label) if label.ends_with("PRIVATE KEY") => Some(Self("private-key")),
            Some(label) if label.ends_with("PUBLIC KEY") => Some(Self("public-key")),
            Some(label) if label.ends_with("CERTIFICATE REQUEST") => Some(Self("request")),
            Some(label) if label.ends_with("CERTIFICATE") => Some(Self("certificate")),
            None if start.starts_with("<!") || start.starts_with("<html") || start.starts_with("<HTML") => {
                Some(Self("html"))
            }
            None if start.starts_with("ssh-") || start.starts_with("ecdsa-") => Some(Self("public-key")),
            None if start.starts_with("LS0tLS1CRUdJTi") => Some(Self("base64-pem")),
            None if start.starts_with("MII") => Some(Self("base64-der")),
            _ => None,
        }
    }

    /// The name, the remedy for certificates, the remedy for a private key.
    pub(super) fn words(self) -> &'static [String; 3] {
        &WORDS[self.0]
    }
}

/// Whether a BEGIN marker with this label is a complete line, which parsers require.
pub(super) fn has_begin_line(text: &str, label: &str) -> bool {
    let begin = format!("-----BEGIN {label}-----");
    text.lines().any(|line| line.trim_end() == begin)
}

/// `Display` names the problem and the remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("The file has no private key in PEM format. Pass the file with a line -----BEGIN … PRIVATE KEY-----.")]
    NoKey,
    #[error("The file is {}, not a private key in PEM format. {}", .0.words()[0], .0.words()[2])]
    OtherFormat(OtherFormat),
    /// Some programs read it, but not MAS or an ingress.
    #[error(
        "The private key has an invalid PEM layout: indented or joined lines, or text after the END line. Convert it: openssl \
         pkey -in FILE -out FILE.pem. If openssl can't read it, copy the whole file again."
    )]
    Layout,
    #[error("The file has {count} private keys. Pass a file with one private key.")]
    SeveralKeys { count: usize },
    #[error(
        "The private key has a passphrase, which MAS and servers can't enter. Remove it: openssl pkey -in FILE -out FILE.pem"
    )]
    Encrypted,
    /// For MAS's key only, like the next two.
    #[error("The file has {0}. MAS signs logins with RS256, which requires an RSA private key. {MAKE}")]
    OtherKind(&'static str),
    #[error(
        "The RSA key has {bits} bits. RS256 requires at least 2048 (RFC 7518 section 3.3), and the maximum is 8192. {MAKE}"
    )]
    Size { bits: usize },
    #[error(
        "The RSA key is damaged: its contents do not match its BEGIN line, or its numbers do not match each other. {MAKE}"
    )]
    Damaged,
    /// For TLS keys only.
    #[error(
        "The private key can't be used: it is damaged, or of a type that TLS clients don't support. Supported: RSA of 2048 to \
         8192 bits; EC on P-256, P-384 or P-521; Ed25519."
    )]
    Unusable,
}

const MAKE: &str = "Omit the key, and `prepare` creates one. Or create one: openssl genrsa -out FILE 2048";

/// The label of the only private key in a file.
pub(super) fn only_key(bytes: &[u8]) -> Result<String, KeyError> {
    let other = |error| OtherFormat::of(bytes).map_or(error, KeyError::OtherFormat);
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let labels: Vec<_> = labels(&text).filter(|label| label.ends_with("PRIVATE KEY")).collect();
    match labels.as_slice() {
        _ if text.contains("Proc-Type: 4,ENCRYPTED") => Err(KeyError::Encrypted),
        [] | ["OPENSSH PRIVATE KEY"] => Err(other(KeyError::NoKey)),
        ["ENCRYPTED PRIVATE KEY"] => Err(KeyError::Encrypted),
        [_] if text.starts_with('\u{feff}') => Err(other(KeyError::Layout)),
        [label] if !has_begin_line(&text, label) => Err(KeyError::Layout),
        [label] => Ok((*label).to_owned()),
        several => Err(KeyError::SeveralKeys { count: several.len() }),
    }
}
