//! Certificates: what they say, the chain they come in, and what is wrong with it.

mod chain;
mod check;
mod path;
mod problem;

pub use self::chain::{Certificate, CertificateChain, CertificateError};
pub use self::check::check_certificate;
pub use self::problem::{CertificateProblem, ProblemSeverity};

#[cfg(test)]
mod tests;
