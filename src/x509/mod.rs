//! Keys, certificates and chains: creation, parsing and checks.
//!
//! Parsing refuses invalid input with an error that says how to fix it. The time is a parameter. Only key generation uses
//! the system's random source.

mod chain;
mod check;
mod host;
mod issue;
mod keys;
mod path;
mod pem;
mod problem;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

pub use chain::{Certificate, CertificateChain, CertificateError};
pub use check::check_certificate;
pub use host::{HostName, HostNameError};
pub use issue::{CertificateAuthority, IssueError, IssuedCertificate, request_certificate};
pub use keys::{RsaBits, RsaPrivateKey, TlsKeyType, TlsPrivateKey};
pub use pem::{KeyError, OtherFormat};
pub use problem::{CertificateProblem, ProblemSeverity};
