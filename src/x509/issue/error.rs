use jiff::Timestamp;

use crate::secrets::{Fingerprint, GenerateError};

use crate::x509::CertificateProblem;

/// Why no certificate was issued. `Display` says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    #[error(transparent)]
    Generate(#[from] GenerateError),
    #[error(
        "The CA's private key ({key}) does not belong to its certificate (key {certificate}). Give the key that the first \
         certificate in the file was made with."
    )]
    KeyMismatch { certificate: Fingerprint, key: Fingerprint },
    #[error(
        "The certificate of {subject} is not that of a CA, so nothing it signs is trusted. Give the CA's certificate first in the file."
    )]
    NotACa { subject: String },
    #[error(
        "The CA's certificate is valid from {from} to {until}, which is not now. Renew it, or check the clock of this machine."
    )]
    NotValidNow { from: Timestamp, until: Timestamp },
    #[error("Nothing was issued, because clients would refuse it. {problem} {remedy}", problem = .0, remedy = .0.remedy())]
    Unusable(CertificateProblem),
    #[error(
        "The certificate could not be signed with this CA. Its certificate or key may be of a kind that is not supported; give another one."
    )]
    NotSigned,
}
