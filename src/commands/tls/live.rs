//! `tls check --live`: what answers at the host now.

use jiff::Timestamp;

use crate::checks::{Finding, certificate};
use crate::cli::TlsCheckArgs;
use crate::commands::prepare::read_file;
use crate::error::Failure;
use crate::net::dial::Resolve;
use crate::net::tls::{self, ProbeError};
use crate::net::trust::{Roots, Trust};
use crate::session::Context;
use crate::x509::{CertificateChain, HostName};

pub async fn look(context: &Context, args: &TlsCheckArgs, host: &HostName) -> Result<Vec<Finding>, Failure> {
    let (port, address) = match &args.resolve {
        None => (443, None),
        Some(text) => {
            let resolve = read_resolve(text)?;
            if resolve.host != host.as_str() {
                return Err(Failure::usage(format!("--resolve is about {}, but --host is {host}", resolve.host)));
            }
            (resolve.port, Some(resolve.address))
        }
    };
    let given = args.ca_certificate.as_deref().map(read_roots).transpose()?;
    let presented = match tls::presented(host, port, address).await {
        Ok(presented) => presented,
        Err(error) => {
            let answers = matches!(error, ProbeError::NoHandshake(..));
            return Ok(vec![certificate::endpoint(host, &error.to_string(), answers)]);
        }
    };
    let subject = format!("{host} at {}", presented.address);
    let (system, roots) = (given.is_none(), given.or_else(Roots::of_system));
    let now = context.ui.terminal().now();
    Ok(judge(&subject, &presented.certificates, host, roots.as_ref(), system, now))
}

/// What to say of certificates that a server presented. `system` says that the roots are this system's.
pub fn judge(
    subject: &str,
    certificates: &[Vec<u8>],
    host: &HostName,
    roots: Option<&Roots>,
    system: bool,
    now: Timestamp,
) -> Vec<Finding> {
    let chain = CertificateChain::from_der(certificates.iter().map(Vec::as_slice));
    let Some(chain) = chain else {
        return vec![certificate::unreadable(subject, "what it presents is not a certificate that can be read")];
    };
    let trust = roots.map(|roots| roots.judge(certificates, host, now));
    let mut findings = certificate::presented(subject, &chain, host, now, trust == Some(Trust::Trusted));
    findings.push(match trust {
        None => certificate::no_roots(subject),
        Some(Trust::Trusted) => certificate::trusted(subject, system),
        Some(Trust::UnknownIssuer) => certificate::not_trusted(subject, &chain, system),
        Some(Trust::Refused(_)) if findings.iter().any(Finding::blocks) => certificate::trust_moot(subject),
        Some(Trust::Refused(reason)) => certificate::refused(subject, &reason),
    });
    findings.sort_by_key(|finding| finding.severity);
    findings
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
    Roots::of(chain.certificates().iter().map(crate::x509::Certificate::der))
        .ok_or_else(|| usage("no certificate in the file can be used as a CA"))
}
