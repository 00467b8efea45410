//! Files with generated keys and certificates, for `tls` and `prepare --tls issue`.

use std::path::PathBuf;

use serde::Serialize;

use super::new_files::{NewFile, path_in};
use crate::checks::certificate;
use crate::error::Failure;
use crate::secrets::{Fingerprint, SecretText};
use crate::session::findings;
use crate::session::inputs::read_file;
use crate::terminal::Ui;
use crate::x509::{
    CertificateAuthority, CertificateChain, HostName, IssueError, IssuedCertificate, TlsKeyType, TlsPrivateKey,
    check_certificate,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FileKind {
    /// The host's certificate, followed by its issuers.
    Certificate,
    PrivateKey,
    CaCertificate,
    CaPrivateKey,
    Request,
}

impl FileKind {
    pub fn words(self) -> &'static str {
        match self {
            Self::Certificate => "certificate and its issuers",
            Self::PrivateKey => "private key; keep it secret",
            Self::CaCertificate => "CA certificate; install it on every device",
            Self::CaPrivateKey => "private key of the CA; keep it secret and offline",
            Self::Request => "certificate signing request; send it to the CA",
        }
    }
}

/// A file; its contents are not serialized.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyFile {
    pub path: String,
    pub holds: FileKind,
    /// The fingerprint of the certificate, or of the public key.
    pub fingerprint: Fingerprint,
    #[serde(skip)]
    pem: SecretText,
}

impl KeyFile {
    pub fn new(out: &str, name: &str, holds: FileKind, fingerprint: Fingerprint, pem: &str) -> Self {
        Self { path: path_in(out, name).display().to_string(), holds, fingerprint, pem: SecretText::from(pem) }
    }

    pub fn to_write(&self) -> NewFile<'_> {
        NewFile {
            path: PathBuf::from(&self.path),
            contents: self.pem.expose().as_bytes(),
            private: matches!(self.holds, FileKind::PrivateKey | FileKind::CaPrivateKey),
        }
    }
}

/// An issued certificate and its private CA, if new. Not on disk yet.
pub struct Issued {
    pub certificate: IssuedCertificate,
    host: HostName,
    new_ca: Option<CertificateAuthority>,
}

impl Issued {
    /// Issues a certificate from `ca`, or from a new private CA for this host.
    pub fn new(host: HostName, kind: TlsKeyType, ca: Option<CertificateAuthority>, ui: &Ui) -> Result<Self, Failure> {
        let failed = |error: IssueError| Failure::failed(error.to_string());
        let now = ui.terminal.now();
        let is_new = ca.is_none();
        let ca = ca.map_or_else(|| CertificateAuthority::create(&host, kind, now), Ok).map_err(failed)?;
        let certificate = ca.issue(&host, kind, now).map_err(failed)?;
        Ok(Self { certificate, host, new_ca: is_new.then_some(ca) })
    }

    /// `HOST.crt`, `HOST.key`, and for a new CA `HOST-ca.crt` and `HOST-ca.key`.
    pub fn files(&self, out: &str) -> Vec<KeyFile> {
        let (host, IssuedCertificate { chain, key }) = (&self.host, &self.certificate);
        let (certificate, key_print) = (chain.leaf().fingerprint(), key.fingerprint());
        let mut files = vec![
            KeyFile::new(out, &format!("{host}.crt"), FileKind::Certificate, certificate, &chain.to_pem()),
            KeyFile::new(out, &format!("{host}.key"), FileKind::PrivateKey, key_print, key.pem.expose()),
        ];
        files.extend(self.ca_files(out));
        files
    }

    pub fn ca_files(&self, out: &str) -> Vec<KeyFile> {
        let Some(ca) = &self.new_ca else { return Vec::new() };
        let (host, certificate, key) = (&self.host, ca.certificate(), &ca.key);
        let (print, key_print) = (certificate.fingerprint(), key.fingerprint());
        vec![
            KeyFile::new(out, &format!("{host}-ca.crt"), FileKind::CaCertificate, print, &certificate.to_pem()),
            KeyFile::new(out, &format!("{host}-ca.key"), FileKind::CaPrivateKey, key_print, key.pem.expose()),
        ]
    }

    /// Prints the validity of the certificate, its problems, and where to install a private CA.
    pub fn explain(&self, ui: &Ui, out: &str) {
        let (host, chain) = (&self.host, &self.certificate.chain);
        let leaf = chain.leaf();
        ui.status("");
        ui.status(format!(
            "The certificate is valid for {host} until {}, issued by {}.",
            leaf.not_after(),
            leaf.issuer()
        ));
        for problem in &check_certificate(chain, Some(&self.certificate.key), host, ui.terminal.now()) {
            findings::show(ui, &certificate::of_problem(host.as_str(), problem));
        }
        match self.ca_files(out).as_slice() {
            [certificate, key] => private_ca(ui, host, &certificate.path, &key.path),
            _ => ui.status(format!(
                "Every device, Synapse and MAS must trust {}. If they already do, no action is needed.",
                leaf.issuer()
            )),
        }
    }
}

fn private_ca(ui: &Ui, host: &HostName, certificate: &str, key: &str) {
    ui.status(format!(
        "No device trusts this new CA yet. Install {certificate} before the migration; otherwise logins fail:"
    ));
    include_str!("private_ca.txt").lines().for_each(|line| ui.status(line));
    ui.status(format!(
        "Keep {key} offline: it can impersonate {host}, but no other host. Use it to issue the next certificate, so that devices \
         need no new CA: tls issue --ca-certificate {certificate} --ca-private-key {key}"
    ));
}

pub fn host(text: &str) -> Result<HostName, Failure> {
    HostName::parse(text.trim()).map_err(|error| Failure::usage(format!("--host: {error}")))
}

pub fn read_ca(certificate: Option<&str>, key: Option<&str>) -> Result<Option<CertificateAuthority>, Failure> {
    let (Some(certificate), Some(key)) = (certificate, key) else { return Ok(None) };
    let usage = |flag: &str, problem: String| Failure::usage(format!("{flag}: {problem} Nothing was changed."));
    let chain = CertificateChain::parse(read_file("--ca-certificate", certificate)?.expose())
        .map_err(|error| usage("--ca-certificate", error.to_string()))?;
    let key = TlsPrivateKey::parse(read_file("--ca-private-key", key)?.expose())
        .map_err(|error| usage("--ca-private-key", error.to_string()))?;
    CertificateAuthority::of(&chain, key).map(Some).map_err(|error| usage("--ca-certificate", error.to_string()))
}
