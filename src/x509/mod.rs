//! Keys, certificates and chains: creation, parsing and checks.
//!
//! Parsing refuses invalid input with an error that says how to fix it. The time is a parameter. Only key generation uses
//! the system's random source.

mod certificate;
mod host;
mod issue;
mod keys;
mod pem;
#[cfg(test)]
mod test_support;

pub use certificate::{
    Certificate, CertificateChain, CertificateError, CertificateProblem, ProblemSeverity, check_certificate,
};
pub use host::{HostName, HostNameError};
pub use issue::{CertificateAuthority, IssueError, IssuedCertificate, request_certificate};
pub use keys::{RsaBits, RsaPrivateKey, TlsKeyType, TlsPrivateKey};
pub use pem::{KeyError, OtherFormat};
