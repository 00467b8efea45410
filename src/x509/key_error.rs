//! Why a file is not a private key that can be used.

use zeroize::Zeroizing;

use super::pem::{self, OtherFormat};

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
    let labels: Vec<_> = pem::labels(&text).filter(|label| label.ends_with("PRIVATE KEY")).collect();
    match labels.as_slice() {
        _ if text.contains("Proc-Type: 4,ENCRYPTED") => Err(KeyError::Encrypted),
        [] => Err(other(KeyError::NoKey)),
        ["ENCRYPTED PRIVATE KEY"] => Err(KeyError::Encrypted),
        [label] if !pem::has_begin_line(&text, label) => Err(other(KeyError::Layout)),
        [label] => Ok((*label).to_owned()),
        several => Err(KeyError::SeveralKeys { count: several.len() }),
    }
}
