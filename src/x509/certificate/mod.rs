//! Certificates and chains: parsing and checks.

mod chain;
mod check;
mod path;
mod problem;

pub use self::chain::{Certificate, CertificateChain, CertificateError};
pub use self::check::check_certificate;
pub use self::problem::{CertificateProblem, ProblemSeverity};

#[cfg(test)]
mod tests;
