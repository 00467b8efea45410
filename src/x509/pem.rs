//! PEM text: writing it, and saying why a file is no private key, or what is wanted in another form.

use pem_rfc7468::LineEnding;
use x509_parser::asn1_rs::{Any, FromDer as _, Tag};
use zeroize::Zeroizing;

/// PEM as `openssl` and MAS write it: 64 columns, LF, one line ending at the end.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    pem_rfc7468::encode_string(label, LineEnding::LF, der).expect("a label of ASCII and less than 1 GiB of DER")
}

/// The label of each BEGIN line, wherever on its line it stands.
pub(super) fn labels(text: &str) -> impl Iterator<Item = &str> {
    text.split("-----BEGIN ").skip(1).filter_map(|rest| rest.split("-----").next())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherFormat {
    ByteOrderMark,
    Utf16,
    Pkcs7 {
        der: bool,
    },
    Pkcs12,
    /// A bare certificate or key in DER.
    Der,
}

impl OtherFormat {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Some(Self::ByteOrderMark);
        }
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Some(Self::Utf16);
        }
        if labels(&String::from_utf8_lossy(bytes)).any(|label| matches!(label, "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS"))
        {
            return Some(Self::Pkcs7 { der: false });
        }
        let (_, sequence) =
            Any::from_der(bytes).ok().filter(|(rest, any)| rest.is_empty() && any.tag() == Tag::Sequence)?;
        let (_, first) = Any::from_der(sequence.data).ok()?;
        match (first.tag(), first.data) {
            // ContentInfo begins with the kind of its content, PFX with version 3; keys have version 0 or 1.
            (Tag::Oid, _) => Some(Self::Pkcs7 { der: true }),
            (Tag::Integer, [3]) => Some(Self::Pkcs12),
            (Tag::Integer | Tag::Sequence, _) => Some(Self::Der),
            _ => None,
        }
    }

    /// The form of a file that may hold a private key.
    pub(super) fn of_key(bytes: &[u8]) -> Option<Self> {
        Self::of(bytes).filter(|format| !matches!(format, Self::Pkcs7 { .. }))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "text that begins with a byte order mark",
            Self::Utf16 => "UTF-16 text",
            Self::Pkcs7 { .. } => "PKCS#7 (.p7b)",
            Self::Pkcs12 => "PKCS#12 (.p12, .pfx)",
            Self::Der => "binary (DER)",
        }
    }

    /// The command that takes the certificates out of it.
    pub(super) fn certificates(self) -> &'static str {
        match self {
            Self::Pkcs7 { der: false } => "openssl pkcs7 -print_certs -in FILE -out FILE.pem",
            Self::Pkcs7 { der: true } => "openssl pkcs7 -inform DER -print_certs -in FILE -out FILE.pem",
            Self::Pkcs12 => "openssl pkcs12 -nokeys -in FILE -out FILE.pem",
            Self::Der => "openssl x509 -inform DER -in FILE -out FILE.pem",
            Self::ByteOrderMark | Self::Utf16 => self.as_text(),
        }
    }

    /// The command that takes the private key out of it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Pkcs12 => "openssl pkcs12 -nocerts -nodes -in FILE -out FILE.pem",
            Self::Der | Self::Pkcs7 { .. } => "openssl pkey -inform DER -in FILE -out FILE.pem",
            Self::ByteOrderMark | Self::Utf16 => self.as_text(),
        }
    }

    fn as_text(self) -> &'static str {
        if self == Self::Utf16 { "iconv -f UTF-16 -t UTF-8 FILE > FILE.pem" } else { "tail -c +4 FILE > FILE.pem" }
    }
}

/// Whether a BEGIN line of this label stands on a line of its own, as every reader wants it.
pub(super) fn has_begin_line(text: &str, label: &str) -> bool {
    let begin = format!("-----BEGIN {label}-----");
    text.lines().any(|line| line.trim_end() == begin)
}

/// `Display` says what is wrong with the file and how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("The file holds no private key in PEM form. Give the file that has a line -----BEGIN … PRIVATE KEY-----.")]
    NoKey,
    #[error("The file is {}, but a PEM text is needed. Convert it: {}", .0.name(), .0.key())]
    OtherFormat(OtherFormat),
    /// Read by others perhaps, but not by MAS or an ingress.
    #[error(
        "The private key is not laid out as PEM: lines of 64 characters at the left margin between BEGIN and END, and nothing \
         after them. Write it anew: openssl pkey -in FILE -out FILE.pem. If openssl cannot read it either, copy the whole file again."
    )]
    Layout,
    #[error(
        "The file holds {count} private keys; exactly one is read here. Leave only the key that is meant in the file."
    )]
    SeveralKeys { count: usize },
    #[error(
        "The private key is protected by a pass phrase, which nobody is given here. Take it off: openssl pkey -in FILE -out FILE.pem"
    )]
    Encrypted,
    /// MAS's key only, as the next two.
    #[error("This is {0}. MAS signs logins with RS256, which needs an RSA private key. {MAKE}")]
    OtherKind(&'static str),
    #[error(
        "The RSA key has {bits} bits; RS256 needs at least 2048 (RFC 7518 section 3.3), and more than 8192 cannot be used. {MAKE}"
    )]
    Size { bits: usize },
    #[error(
        "The RSA key is damaged: it is not of the form that its BEGIN line names, or its numbers do not belong together. {MAKE}"
    )]
    Damaged,
    /// A key for TLS only.
    #[error(
        "The private key cannot be used: it is damaged, an RSA key of fewer than 2048 or more than 8192 bits, or not of a kind that \
         TLS clients know (RSA; EC on P-256, P-384 or P-521; Ed25519)."
    )]
    Unusable,
}

const MAKE: &str = "Leave it out and a key is made, or make one with: openssl genrsa -out FILE 2048";

/// The label of the one private key in a file.
pub(super) fn only_key(bytes: &[u8]) -> Result<String, KeyError> {
    let other = |error| OtherFormat::of_key(bytes).map_or(error, KeyError::OtherFormat);
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let labels: Vec<_> = labels(&text).filter(|label| label.ends_with("PRIVATE KEY")).collect();
    match labels.as_slice() {
        _ if text.contains("Proc-Type: 4,ENCRYPTED") => Err(KeyError::Encrypted),
        [] => Err(other(KeyError::NoKey)),
        ["ENCRYPTED PRIVATE KEY"] => Err(KeyError::Encrypted),
        [label] if !has_begin_line(&text, label) => Err(other(KeyError::Layout)),
        [label] => Ok((*label).to_owned()),
        several => Err(KeyError::SeveralKeys { count: several.len() }),
    }
}
