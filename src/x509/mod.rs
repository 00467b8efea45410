//! Keys, certificates and chains: how they are made, and what must be true of them.
//!
//! What cannot be right is refused when it is read into a type, with a sentence that says what is wrong and how to mend it.
//! Where a rule needs the time it is a parameter; only key generation asks the system's random source.

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
pub use issue::{CertificateAuthority, CertificateRequest, IssueError, IssuedCertificate};
pub use keys::{RsaBits, RsaPrivateKey, TlsKeyType, TlsPrivateKey};
pub use pem::{KeyError, OtherFormat};
