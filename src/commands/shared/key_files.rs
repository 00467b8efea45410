//! Keys and certificates that are made here, as files: for `tls`, and for `prepare --tls issue`.

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
pub enum Holds {
    /// The host's certificate, followed by those of its issuers.
    Certificate,
    PrivateKey,
    CaCertificate,
    CaPrivateKey,
    Request,
}

impl Holds {
    pub fn words(self) -> &'static str {
        match self {
            Self::Certificate => "certificate and its issuers",
            Self::PrivateKey => "private key; keep it secret",
            Self::CaCertificate => "certificate of the CA, for every device",
            Self::CaPrivateKey => "private key of the CA; keep it secret and offline",
            Self::Request => "certificate signing request, for the CA",
        }
    }
}

/// A file, as data without what is in it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyFile {
    pub path: String,
    pub holds: Holds,
    /// Of the certificate, or of the public key that belongs to the key or the request.
    pub fingerprint: Fingerprint,
    #[serde(skip)]
    pem: SecretText,
}

impl KeyFile {
    pub fn new(out: &str, name: &str, holds: Holds, fingerprint: Fingerprint, pem: &str) -> Self {
        Self { path: path_in(out, name).display().to_string(), holds, fingerprint, pem: SecretText::from(pem) }
    }

    pub fn to_write(&self) -> NewFile<'_> {
        NewFile {
            path: PathBuf::from(&self.path),
            contents: self.pem.expose().as_bytes(),
            private: matches!(self.holds, Holds::PrivateKey | Holds::CaPrivateKey),
        }
    }
}

/// A certificate that was issued, and the private CA if one was made for it. Nothing of it is on disk yet.
pub struct Issued {
    pub certificate: IssuedCertificate,
    host: HostName,
    new_ca: Option<CertificateAuthority>,
}

impl Issued {
    /// Issues a certificate from `ca`, or from a private CA that is made for this host.
    pub fn new(
        host: HostName,
        key_type: TlsKeyType,
        ca: Option<CertificateAuthority>,
        ui: &Ui,
    ) -> Result<Self, Failure> {
        let failed = |error: IssueError| Failure::failed(error.to_string());
        let now = ui.terminal().now();
        let is_new = ca.is_none();
        let ca = ca.map_or_else(|| CertificateAuthority::create(&host, key_type, now), Ok).map_err(failed)?;
        let certificate = ca.issue(&host, key_type, now).map_err(failed)?;
        Ok(Self { certificate, host, new_ca: is_new.then_some(ca) })
    }

    /// All of it: `HOST.crt`, `HOST.key`, and for a new CA `HOST-ca.crt` and `HOST-ca.key`.
    pub fn files(&self, out: &str) -> Vec<KeyFile> {
        let (host, IssuedCertificate { chain, key }) = (&self.host, &self.certificate);
        let (certificate, key_print) = (chain.leaf().fingerprint(), key.fingerprint());
        let mut files = vec![
            KeyFile::new(out, &format!("{host}.crt"), Holds::Certificate, certificate, &chain.to_pem()),
            KeyFile::new(out, &format!("{host}.key"), Holds::PrivateKey, key_print, key.pem().expose()),
        ];
        files.extend(self.ca_files(out));
        files
    }

    /// Those of a new CA, for a certificate that goes into a Secret.
    pub fn ca_files(&self, out: &str) -> Vec<KeyFile> {
        let Some(ca) = &self.new_ca else { return Vec::new() };
        let (host, certificate, key) = (&self.host, ca.certificate(), ca.key());
        let (print, key_print) = (certificate.fingerprint(), key.fingerprint());
        vec![
            KeyFile::new(out, &format!("{host}-ca.crt"), Holds::CaCertificate, print, &certificate.to_pem()),
            KeyFile::new(out, &format!("{host}-ca.key"), Holds::CaPrivateKey, key_print, key.pem().expose()),
        ]
    }

    /// Says until when the certificate is good, what is to be known about it, and what a private CA means.
    pub fn explain(&self, ui: &Ui, out: &str) {
        let (host, chain) = (&self.host, &self.certificate.chain);
        let leaf = chain.leaf();
        ui.status("");
        ui.status(format!("Good for {host} until {}, issued by {}.", leaf.not_after(), leaf.issuer()));
        for problem in &check_certificate(chain, Some(&self.certificate.key), host, ui.terminal().now()) {
            findings::show(ui, &certificate::of_problem(host.as_str(), problem));
        }
        match self.ca_files(out).as_slice() {
            [certificate, key] => private_ca(ui, host, &certificate.path, &key.path),
            _ => ui.status(format!(
                "Every device, Synapse and MAS must trust {}; where they trust the CA already, nothing is to be done.",
                leaf.issuer()
            )),
        }
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
