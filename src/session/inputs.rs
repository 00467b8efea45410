//! Files and addresses that a flag names.

use std::io::Read;

use crate::error::Failure;
use crate::net::dial::Resolve;
use crate::net::trust::Roots;
use crate::secrets::SecretBytes;
use crate::x509::{Certificate, CertificateChain};

/// A secret file is small; this keeps a wrong path (a disk image, a device) from filling the memory.
const LARGEST: u64 = 1 << 20;

/// Reads the file that a flag names; `-` is standard input. One that cannot be read, or is larger than any key or chain of
/// certificates, is wrong usage.
pub fn read_file(flag: &str, path: &str) -> Result<SecretBytes, Failure> {
    let failed = |error: std::io::Error| {
        let reason = error.to_string();
        let reason = reason.split(" (os error").next().unwrap_or_default().to_owned();
        let name = if path == "-" { "standard input" } else { path };
        Failure::usage(format!("{flag}: {name} cannot be read: {reason}"))
    };
    let mut bytes = Vec::with_capacity(16 * 1024);
    if path == "-" {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        std::fs::File::open(path).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    let bytes = SecretBytes::new(bytes);
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::usage(format!("{flag}: {path} is larger than 1 MiB, so it is not a secret value")));
    }
    Ok(bytes)
}

/// Reads a value of `--resolve`.
pub fn read_resolve(text: &str) -> Result<Resolve, Failure> {
    let wrong = || Failure::usage(format!("--resolve: {text:?} is not of the form HOST:PORT:ADDRESS"));
    Resolve::parse(text).ok_or_else(wrong)
}

/// Reads the file of `--ca-certificate`.
pub fn read_roots(path: &str) -> Result<Roots, Failure> {
    let usage = |problem: &str| Failure::usage(format!("--ca-certificate: {problem}"));
    let chain = CertificateChain::parse(read_file("--ca-certificate", path)?.expose())
        .map_err(|error| usage(&error.to_string()))?;
    Roots::of(chain.certificates().iter().map(Certificate::der))
        .ok_or_else(|| usage("no certificate in the file can be used as a CA"))
}
