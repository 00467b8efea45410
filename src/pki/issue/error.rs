//! Why no certificate was issued.

use jiff::Timestamp;

use crate::pki::{CertificateProblem, Fingerprint, GenerateError};

/// Why no certificate was issued. `Display` says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// No key could be made.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The key given with a CA is not that CA's.
    #[error(
        "The CA's private key ({key}) does not belong to its certificate (key {certificate}). Give the key that the first \
         certificate in the file was made with."
    )]
    KeyMismatch {
        /// The fingerprint of the certificate's public key.
        certificate: Fingerprint,
        /// The fingerprint of the private key.
        key: Fingerprint,
    },
    /// What was given as a CA is not one.
    #[error(
        "The certificate of {subject} is not that of a CA, so nothing it signs is trusted. Give the CA's certificate first in the file."
    )]
    NotACa {
        /// Whose certificate it is.
        subject: String,
    },
    /// The CA's certificate is not valid at this time.
    #[error(
        "The CA's certificate is valid from {from} to {until}, which is not now. Renew it, or check the clock of this machine."
    )]
    NotValidNow {
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// Clients would refuse what this CA can issue.
    #[error("Nothing was issued, because clients would refuse it. {problem} {remedy}", problem = .0, remedy = .0.remedy())]
    Unusable(CertificateProblem),
    /// The signature could not be made, or what was signed could not be read back.
    #[error(
        "The certificate could not be signed with this CA. Its certificate or key may be of a kind that is not supported; give another one."
    )]
    NotSigned,
}
