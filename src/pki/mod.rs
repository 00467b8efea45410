//! Keys, certificates and secret values: how they are made, and what must be true of them.
//!
//! The migration guide asks for five secret values, and each has a way to go wrong that shows only when Synapse is already
//! stopped. So every value is read into a type whose constructor holds its rules, and what is refused is refused with a
//! sentence that says what is wrong with the value and how to mend it.
//!
//! Everything here is pure: bytes come in, values and problems go out. There is no file, no network, no cluster, no terminal
//! and no clock; where a rule needs the time it is a parameter. Only key generation asks the system's random source.

mod certificate;
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
mod wipe;

pub use certificate::{
    Certificate, CertificateChain, CertificateError, CertificateProblem, ProblemSeverity, check_certificate,
};
pub use encryption_secret::{EncryptionSecret, EncryptionSecretError};
pub use fingerprint::{Fingerprint, contents_digest};
pub use host::{HostName, HostNameError};
pub use issue::{CertificateAuthority, CertificateRequest, IssueError, IssuedCertificate};
pub use pem::OtherFormat;
pub use postgres_password::{PostgresPassword, PostgresPasswordError};
pub use rsa_key::{RsaBits, RsaKeyError, RsaPrivateKey};
pub use secret::{SecretBytes, SecretText};
pub use tls_key::{TlsKeyError, TlsKeyType, TlsPrivateKey};
pub use wipe::wipe;

/// The system's random source did not answer, so no key could be made.
///
/// This is what `getrandom(2)` failing looks like from here; it does not happen on a machine that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("No key could be made: this machine's random source did not answer. Try again, or on another machine.")]
pub struct GenerateError;

/// A file's contents without one line ending at their end, as editors and `echo` leave it.
pub fn without_newline(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if line.len() < bytes.len() { line.strip_suffix(b"\r").unwrap_or(line) } else { bytes }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// The files of this module that are part of the program: all but tests.
    fn sources(directory: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if name == "tests" || name == "test_support" {
                continue;
            }
            if path.is_dir() {
                sources(&path, found);
            } else {
                let source = fs::read_to_string(&path).unwrap();
                let program = source.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path.display().to_string(), program));
            }
        }
    }

    /// Pure means: no file, network, process, environment, terminal, clock, cluster or runtime.
    #[test]
    fn nothing_here_touches_the_world() {
        let mut found = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pki"), &mut found);
        assert!(found.len() > 15, "the sources are found: {}", found.len());
        let outside = [
            "std::fs",
            "std::io",
            "std::process",
            "std::env",
            "TcpStream",
            "UdpSocket",
            "SystemTime",
            "Instant",
            "::now()",
            "println!",
            "tokio",
            "kube::",
            "k8s_openapi",
            "crate::cluster",
            "crate::terminal",
            "crate::commands",
            "dbg!",
        ];
        for (path, source) in found {
            for word in outside {
                assert!(!source.contains(word), "{path} uses {word}");
            }
        }
    }
}
