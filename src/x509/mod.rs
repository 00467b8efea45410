//! Keys, certificates and chains: how they are made, and what must be true of them.
//!
//! What cannot be right is refused when it is read into a type, with a sentence that says what is wrong and how to mend it.
//! Where a rule needs the time it is a parameter; only key generation asks the system's random source.

mod certificate;
mod host;
mod issue;
mod pem;
mod rsa_key;
#[cfg(test)]
mod test_support;
mod tls_key;

pub use certificate::{
    Certificate, CertificateChain, CertificateError, CertificateProblem, ProblemSeverity, check_certificate,
};
pub use host::{HostName, HostNameError};
pub use issue::{CertificateAuthority, CertificateRequest, IssueError, IssuedCertificate};
pub use pem::{KeyError, OtherFormat};
pub use rsa_key::{RsaBits, RsaPrivateKey};
pub use tls_key::{TlsKeyType, TlsPrivateKey};
