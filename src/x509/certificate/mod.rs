//! Certificates: what they say, the chain they come in, and what is wrong with it.

mod chain;
mod check;
mod path;
mod problem;
mod single;

pub use self::chain::{CertificateChain, CertificateError};
pub use self::check::check_certificate;
pub use self::problem::{CertificateProblem, ProblemSeverity};
pub use self::single::Certificate;

#[cfg(test)]
mod tests;
