//! Keys, certificates and secret values: how they are made, and what must be true of them.
//!
//! The migration guide asks for five secret values, and each has a way to go wrong that shows only when Synapse is already
//! stopped. So every value is read into a type whose constructor holds its rules, and what is refused is refused with a
//! sentence that says what is wrong with the value and how to mend it.
//!
//! Everything here is pure: bytes come in, values and problems go out. There is no file, no network, no cluster, no terminal
//! and no clock; where a rule needs the time it is a parameter. Only key generation asks the system's random source.

mod certificate;
mod der;
mod encryption_secret;
mod fingerprint;
mod host;
mod issue;
mod pem;
mod postgres_password;
mod rsa_key;
mod secret;
#[cfg(test)]
mod test_support;
mod tls_key;

pub use certificate::{
    Certificate, CertificateChain, CertificateError, CertificateProblem, ProblemSeverity, check_certificate,
};
pub use encryption_secret::{EncryptionSecret, EncryptionSecretError, Weakness};
pub use fingerprint::{Fingerprint, FingerprintKind, ParseFingerprintError, contents_digest};
pub use host::{HostName, HostNameError};
pub use issue::{CertificateAuthority, CertificateRequest, IssueError, IssuedCertificate};
pub use pem::Layout;
pub use postgres_password::{PostgresPassword, PostgresPasswordError, RemovedNewline};
pub use rsa_key::{RsaBits, RsaKeyError, RsaKeyProblem, RsaPrivateKey};
pub use secret::{SecretBytes, SecretText};
pub use tls_key::{TlsKeyError, TlsKeyType, TlsPrivateKey};

/// The system's random source did not answer, so no key could be made.
///
/// This is what `getrandom(2)` failing looks like from here; it does not happen on a machine that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("No key could be made: this machine's random source did not answer. Try again, or on another machine.")]
pub struct GenerateError;
