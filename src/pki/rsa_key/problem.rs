//! What can be wrong with a key file, said so that it can be mended.

use std::fmt;

use super::RsaPrivateKey;
use crate::pki::Layout;

/// What is wrong with a file given as `rsaPrivateKey`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaKeyProblem {
    /// Nothing there.
    Empty,
    /// No BEGIN line, and no key in binary form either.
    NotPem,
    /// A BEGIN line without its END line.
    CutOff,
    /// Something other than base64 between BEGIN and END.
    NotBase64,
    /// Headers between BEGIN and the base64 that MAS cannot read.
    Headers,
    /// A good key whose text MAS cannot read. [`RsaKeyError::mended`] has it as MAS reads it.
    Layout(Layout),
    /// More than one private key.
    SeveralKeys {
        /// How many.
        count: usize,
    },
    /// Protected by a pass phrase, in either of the two ways.
    Encrypted,
    /// Only the public half.
    PublicKey,
    /// A certificate.
    Certificate,
    /// A certificate signing request.
    CertificateRequest,
    /// In OpenSSH's own format.
    OpenSsh,
    /// A private key of another kind.
    NotRsa {
        /// What it is, with its article.
        kind: &'static str,
    },
    /// RSA, but restricted to PSS signatures.
    Pss,
    /// More than two primes.
    MultiPrime,
    /// A BEGIN line of something else.
    OtherLabel,
    /// Fewer than 2048 bits (RFC 7518 §3.3).
    TooShort {
        /// How many.
        bits: usize,
    },
    /// More than 8192 bits.
    TooLong {
        /// How many.
        bits: usize,
    },
    /// Not the numbers of an RSA key, or numbers that do not belong together.
    Damaged,
}

const MAKE: &str = "Leave it out and a key is made, or make one with: openssl genrsa -out FILE 2048";

impl RsaKeyProblem {
    /// What is wrong, as one sentence.
    pub fn message(&self) -> String {
        let said = match self {
            Self::Empty => "The RSA key is empty.",
            Self::NotPem => "The RSA key is not a key file: it has no line that starts with -----BEGIN.",
            Self::CutOff => "The RSA key is cut off: it has a BEGIN line, but not the END line that belongs to it.",
            Self::NotBase64 => "The RSA key is damaged: what stands between its BEGIN and END lines is not base64.",
            Self::Headers => "The RSA key has header lines after its BEGIN line, which MAS cannot read.",
            Self::Layout(layout) => {
                return format!("The RSA key itself is good, but MAS cannot read the file: {layout}.");
            }
            Self::SeveralKeys { count } => {
                return format!("The file holds {count} private keys; MAS reads exactly one here.");
            }
            Self::Encrypted => "The RSA key is protected by a pass phrase, and MAS is not given one here.",
            Self::PublicKey => "This is a public key; MAS needs the private key to sign with.",
            Self::Certificate => "This is a certificate, not the RSA key that MAS signs with.",
            Self::CertificateRequest => "This is a certificate signing request, not the RSA key that MAS signs with.",
            Self::OpenSsh => "This is a key in OpenSSH's own format, which MAS cannot read.",
            Self::NotRsa { kind } => {
                return format!(
                    "This is {kind}. MAS signs logins with RS256, which needs an RSA key; with another it starts, but logins fail."
                );
            }
            Self::Pss => "This is an RSA-PSS key, which MAS cannot load.",
            Self::MultiPrime => "This is an RSA key of more than two primes, which MAS cannot load.",
            Self::OtherLabel => "The file holds something else than a private key: its BEGIN line says so.",
            Self::TooShort { bits } => {
                return format!("The RSA key has {bits} bits; RS256 needs at least 2048 (RFC 7518 section 3.3).");
            }
            Self::TooLong { bits } => {
                return format!("The RSA key has {bits} bits; more than 8192 cannot be used.");
            }
            Self::Damaged => {
                "The RSA key is damaged: its numbers are not those of an RSA key of two primes, or do not belong together."
            }
        };
        said.to_owned()
    }

    /// How to mend it, in the imperative.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Layout(Layout::Binary) => "Convert it: openssl pkey -inform DER -in FILE -out FILE.pem",
            Self::Layout(Layout::OtherDocument) => {
                "Leave only the lines from BEGIN to END of the private key in the file, or let it be written that way."
            }
            Self::Layout(_) => {
                "Let it be written as MAS reads it, the key stays the same; or do it yourself: openssl pkey -in FILE -out FILE.pem, \
                 with each line of the key at the left margin and nothing after the END line"
            }
            Self::Headers => "Write it anew without them: openssl pkey -in FILE -out FILE.pem",
            Self::SeveralKeys { .. } => "Leave only the key that is meant in the file.",
            Self::Encrypted => "Take the pass phrase off: openssl pkey -in FILE -out FILE.pem",
            Self::PublicKey | Self::Certificate | Self::CertificateRequest => {
                "Give the file that holds the private key. Leave it out and a key is made."
            }
            Self::CutOff | Self::NotBase64 => {
                "Copy the file again as a whole, from the BEGIN line to the END line. Or leave it out and a key is made."
            }
            Self::OpenSsh => {
                "Convert a copy of it: ssh-keygen -p -m PKCS8 -N '' -f COPY. Better a key of its own: leave it out and one is made."
            }
            Self::Empty
            | Self::NotPem
            | Self::NotRsa { .. }
            | Self::Pss
            | Self::MultiPrime
            | Self::OtherLabel
            | Self::Damaged
            | Self::TooShort { .. }
            | Self::TooLong { .. } => MAKE,
        }
    }
}

/// A file that cannot be `rsaPrivateKey` as it stands. `Display` says what is wrong with it and how to mend it.
#[derive(Debug, Clone)]
pub struct RsaKeyError {
    problem: RsaKeyProblem,
    mended: Option<Box<RsaPrivateKey>>,
}

impl RsaKeyError {
    pub(super) fn layout(layout: Layout, key: RsaPrivateKey) -> Self {
        Self { problem: RsaKeyProblem::Layout(layout), mended: Some(Box::new(key.into_canonical())) }
    }

    /// What is wrong.
    pub fn problem(&self) -> RsaKeyProblem {
        self.problem
    }

    /// The very same key in the form MAS reads, where only the layout was wrong.
    pub fn mended(&self) -> Option<&RsaPrivateKey> {
        self.mended.as_deref()
    }

    /// As [`mended`](Self::mended), by value.
    pub fn into_mended(self) -> Option<RsaPrivateKey> {
        self.mended.map(|key| *key)
    }
}

impl From<RsaKeyProblem> for RsaKeyError {
    fn from(problem: RsaKeyProblem) -> Self {
        Self { problem, mended: None }
    }
}

impl fmt::Display for RsaKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.problem.message(), self.problem.remedy())
    }
}

impl std::error::Error for RsaKeyError {}
