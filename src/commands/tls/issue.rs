//! `tls issue`: a certificate for the MAS host, from a private CA made for it or from a CA that is given.

use std::borrow::Cow;
use std::path::PathBuf;

use jiff::Timestamp;

use super::files::{NewFile, path_in, write_all};
use super::host;
use super::written::{self, Holds, Written};
use crate::checks::certificate;
use crate::cli::TlsIssueArgs;
use crate::cluster::shell_word;
use crate::error::{Exit, Failure};
use crate::session::findings;
use crate::session::inputs::read_file;
use crate::terminal::{Next, Ui};
use crate::x509::{
    CertificateAuthority, CertificateChain, HostName, IssuedCertificate, TlsKeyType, TlsPrivateKey, check_certificate,
};

/// A certificate that was issued, and the private CA if one was made for it.
pub struct Issued {
    pub certificate: IssuedCertificate,
    pub new_ca: Option<CertificateAuthority>,
}

pub fn exec(ui: &Ui, args: &TlsIssueArgs) -> Result<Exit, Failure> {
    let host = host(&args.files.host)?;
    let ca = read_ca(args.ca_certificate.as_deref(), args.ca_private_key.as_deref())?;
    let now = ui.terminal().now();
    let issued = issue(&host, args.files.key_type, ca, now)?;
    write(&issued, &host, &args.files.out, args.files.force, true)?;
    let written = files(&issued, &host, &args.files.out, true);
    written::print(ui, args.output.format, &host, Some(issued.certificate.chain.leaf().not_after()), &written)?;
    explain(ui, &host, &issued, &written, now);
    let path = |holds| path_of(&written, holds).map(shell_word).unwrap_or_default();
    ui.next(&Next::new("To use it:").command(format!(
        "kubectl ess-mas prepare --host {host} --tls certfile --certificate {} --private-key {}",
        path(Holds::Certificate),
        path(Holds::PrivateKey)
    )));
    Ok(Exit::Done)
}

/// Reads the CA that is given, if one is.
pub fn read_ca(certificate: Option<&str>, key: Option<&str>) -> Result<Option<CertificateAuthority>, Failure> {
    let (Some(certificate), Some(key)) = (certificate, key) else { return Ok(None) };
    let usage = |flag: &str, problem: String| Failure::usage(format!("{flag}: {problem} Nothing was changed."));
    let chain = CertificateChain::parse(read_file("--ca-certificate", certificate)?.expose())
        .map_err(|error| usage("--ca-certificate", error.to_string()))?;
    let key = TlsPrivateKey::parse(read_file("--ca-private-key", key)?.expose())
        .map_err(|error| usage("--ca-private-key", error.to_string()))?;
    CertificateAuthority::of(&chain, key).map(Some).map_err(|error| usage("--ca-certificate", error.to_string()))
}

/// Issues a certificate from `ca`, or from a private CA that is made for this host.
pub fn issue(
    host: &HostName,
    key_type: TlsKeyType,
    ca: Option<CertificateAuthority>,
    now: Timestamp,
) -> Result<Issued, Failure> {
    let failed = |error: crate::x509::IssueError| Failure::new(Exit::Failed, error.to_string());
    if let Some(ca) = ca {
        let certificate = ca.issue(host, key_type, now).map_err(failed)?;
        return Ok(Issued { certificate, new_ca: None });
    }
    let ca = CertificateAuthority::create(host, key_type, now).map_err(failed)?;
    let certificate = ca.issue(host, key_type, now).map_err(failed)?;
    Ok(Issued { certificate, new_ca: Some(ca) })
}

/// One file of an issued certificate: where, what, and the PEM in it.
type Pem<'a> = (Written, Cow<'a, str>);

/// The files are named after the host: `HOST.crt`, `HOST.key`, and for a new CA `HOST-ca.crt` and `HOST-ca.key`. With `leaf` false
/// the CA's only, for a certificate that goes into a Secret.
fn pem_files<'a>(issued: &'a Issued, host: &HostName, out: &str, leaf: bool) -> Vec<Pem<'a>> {
    let file = |ending: &str, holds, fingerprint, pem| {
        let path = path_in(out, &format!("{host}{ending}")).display().to_string();
        (Written { path, holds, fingerprint }, pem)
    };
    let mut all = Vec::new();
    if leaf {
        let (chain, key) = (&issued.certificate.chain, &issued.certificate.key);
        all.push(file(".crt", Holds::Certificate, chain.leaf().fingerprint(), Cow::Owned(chain.to_pem())));
        all.push(file(".key", Holds::PrivateKey, key.fingerprint(), Cow::Borrowed(key.pem().expose())));
    }
    if let Some(ca) = &issued.new_ca {
        let (certificate, key) = (ca.certificate(), ca.key());
        all.push(file("-ca.crt", Holds::CaCertificate, certificate.fingerprint(), Cow::Owned(certificate.to_pem())));
        all.push(file("-ca.key", Holds::CaPrivateKey, key.fingerprint(), Cow::Borrowed(key.pem().expose())));
    }
    all
}

/// Which files [`write`] writes.
pub fn files(issued: &Issued, host: &HostName, out: &str, leaf: bool) -> Vec<Written> {
    pem_files(issued, host, out, leaf).into_iter().map(|(file, _)| file).collect()
}

/// The files of a new CA in the current folder: path, PEM, and whether it is a key.
pub fn ca_files<'a>(issued: &'a Issued, host: &HostName) -> Vec<(PathBuf, Cow<'a, str>, bool)> {
    let all = pem_files(issued, host, ".", false).into_iter();
    all.map(|(file, pem)| (PathBuf::from(file.path), pem, file.holds == Holds::CaPrivateKey)).collect()
}

/// Writes the files, all or none.
pub fn write(issued: &Issued, host: &HostName, out: &str, force: bool, leaf: bool) -> Result<(), Failure> {
    let all = pem_files(issued, host, out, leaf);
    let new: Vec<NewFile<'_>> = all
        .iter()
        .map(|(file, pem)| NewFile {
            path: PathBuf::from(&file.path),
            contents: pem.as_bytes(),
            private: matches!(file.holds, Holds::PrivateKey | Holds::CaPrivateKey),
        })
        .collect();
    write_all(&new, force)
}

/// Says until when the certificate is good, what is to be known about it, and what a private CA means.
pub fn explain(ui: &Ui, host: &HostName, issued: &Issued, written: &[Written], now: Timestamp) {
    let leaf = issued.certificate.chain.leaf();
    ui.status("");
    ui.status(format!("Good for {host} until {}, issued by {}.", leaf.not_after(), leaf.issuer()));
    let problems = check_certificate(&issued.certificate.chain, Some(&issued.certificate.key), host, now);
    for problem in &problems {
        findings::show(ui, &certificate::of_problem(host.as_str(), problem));
    }
    match (path_of(written, Holds::CaCertificate), path_of(written, Holds::CaPrivateKey)) {
        (Some(certificate), Some(key)) => private_ca(ui, host, certificate, key),
        _ => ui.status(format!(
            "Every device, Synapse and MAS must trust {}; where they trust the CA already, nothing is to be done.",
            leaf.issuer()
        )),
    }
}

/// What it takes to use a CA that nobody knows yet.
fn private_ca(ui: &Ui, host: &HostName, certificate: &str, key: &str) {
    ui.status(format!(
        "This CA is new, so nobody trusts it yet. Install {certificate} before the migration, or logging in fails:"
    ));
    for line in [
        "  Browsers, Element Desktop: in the system's certificate store; Firefox may have one of its own.".to_owned(),
        "  iPhone, iPad: install it as a profile, then switch it on in Settings > General > About > Certificate Trust \
         Settings."
            .to_owned(),
        "  Android: install it as a CA certificate. Each app decides whether it uses such a CA, so try every Element app \
         on one device first."
            .to_owned(),
        format!("  Synapse and MAS: wherever they call {host}; ESS takes further CAs from ca.pem of the global Secret."),
    ] {
        ui.status(line);
    }
    ui.status(format!(
        "Keep {key} offline. Whoever has it can pretend to be {host}, and nobody else. It issues the next certificate, so that \
         no device needs another CA: tls issue --ca-certificate {certificate} --ca-private-key {key}"
    ));
}

fn path_of(written: &[Written], holds: Holds) -> Option<&str> {
    written.iter().find(|file| file.holds == holds).map(|file| file.path.as_str())
}
