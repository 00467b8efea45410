//! Reads files and addresses that flags name.

use std::io::Read;

use crate::connection_failure::plain;
use crate::error::Failure;
use crate::net::dial::Resolve;
use crate::net::tls::Roots;
use crate::secrets::SecretBytes;
use crate::x509::{Certificate, CertificateChain};

/// Keeps a wrong path, such as a disk image or a device, from filling the memory.
const LARGEST: u64 = 1 << 20;

/// Reads the file that a flag names; `-` is standard input. A file that can't be read, or is larger than 1 MiB, is wrong
/// usage.
pub fn read_file(flag: &str, path: &str) -> Result<SecretBytes, Failure> {
    let name = if path == "-" { "standard input" } else { path };
    let failed = |error: std::io::Error| Failure::usage(format!("{flag}: can't read {name}: {}", plain(&error)));
    let mut bytes = Vec::with_capacity(16 * 1024);
    if path == "-" {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        std::fs::File::open(path).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    let bytes = SecretBytes::new(bytes);
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::usage(format!("{flag}: {path} is larger than 1 MiB and can't be a secret value")));
    }
    Ok(bytes)
}

/// Refuses standard input (`-`) for several of these flags.
pub fn one_from_stdin(paths: &[&Option<String>]) -> Result<(), Failure> {
    let from_stdin = paths.iter().filter(|path| path.as_deref() == Some("-")).count();
    if from_stdin > 1 {
        return Err(Failure::usage("standard input holds one value; pass - to only one flag"));
    }
    Ok(())
}

/// The given roots, else those of the system, which take a while to read on some systems.
pub async fn roots_or_system(given: Option<Roots>) -> Option<Roots> {
    match given {
        Some(roots) => Some(roots),
        None => tokio::task::spawn_blocking(Roots::of_system).await.ok().flatten(),
    }
}

pub fn read_resolve<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<Vec<Resolve>, Failure> {
    let wrong = |text| Failure::usage(format!("--resolve: {text:?} is not of the form HOST:PORT:ADDRESS"));
    texts.into_iter().map(|text| Resolve::parse(text).ok_or_else(|| wrong(text))).collect()
}

pub fn read_roots(path: &str) -> Result<Roots, Failure> {
    let usage = |problem: &str| Failure::usage(format!("--ca-certificate: {problem}"));
    let chain = CertificateChain::parse(read_file("--ca-certificate", path)?.expose())
        .map_err(|error| usage(&error.to_string()))?;
    Roots::of(chain.certificates.iter().map(Certificate::der))
        .ok_or_else(|| usage("no certificate in the file can be used as a CA"))
}
