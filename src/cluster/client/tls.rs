//! TLS to the API server. kube's own (`ConfigExt::rustls_client_config`) also runs plugins and providers, and so links a
//! megabyte of `JSONPath`, regular expressions and YAML for a provider that kubectl has removed.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use kube::client::RustlsTlsError;
use kube::config::{AuthInfo, KubeconfigError, LoadDataError};
use kube::{Config, Error};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt as _;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

/// Adds TLS to a connector, for servers with `https`.
pub fn over<H>(config: &Config, connector: H) -> Result<HttpsConnector<H>, Error> {
    let mut builder = HttpsConnectorBuilder::new().with_tls_config(client_config(config)?).https_or_http();
    if let Some(name) = config.tls_server_name.clone() {
        let name = ServerName::try_from(name).map_err(RustlsTlsError::InvalidServerName).map_err(Error::RustlsTls)?;
        builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    Ok(builder.enable_http1().wrap_connector(connector))
}

fn client_config(config: &Config) -> Result<ClientConfig, Error> {
    let no_roots = |error: TlsError| Error::RustlsTls(RustlsTlsError::AddRootCertificate(Box::new(error)));
    let builder = ClientConfig::builder();
    let builder = match &config.root_cert {
        _ if config.accept_invalid_certs => {
            let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(algorithms)))
        }
        Some(certificates) => {
            let mut roots = RootCertStore::empty();
            for der in certificates {
                roots.add(CertificateDer::from(der.clone())).map_err(no_roots)?;
            }
            builder.with_root_certificates(roots)
        }
        None => builder.with_platform_verifier().map_err(no_roots)?,
    };
    let Some((chain, key)) = identity(&config.auth_info)? else { return Ok(builder.with_no_client_auth()) };
    let unusable = |error| Error::RustlsTls(RustlsTlsError::InvalidPrivateKey(error));
    builder.with_client_auth_cert(chain, key).map_err(unusable)
}

/// The user's client certificate and key.
fn identity(user: &AuthInfo) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, Error> {
    let key_data = user.client_key_data.as_ref().map(ExposeSecret::expose_secret);
    let certificate = load(user.client_certificate_data.as_deref(), user.client_certificate.as_deref())
        .map_err(KubeconfigError::LoadClientCertificate)
        .map_err(Error::InferKubeconfig)?;
    let key = load(key_data, user.client_key.as_deref())
        .map_err(KubeconfigError::LoadClientKey)
        .map_err(Error::InferKubeconfig)?;
    let missing = LoadDataError::NoBase64DataOrFile;
    let (certificate, key) = match (certificate, key) {
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(Error::InferKubeconfig(KubeconfigError::LoadClientKey(missing))),
        (None, Some(_)) => return Err(Error::InferKubeconfig(KubeconfigError::LoadClientCertificate(missing))),
        (Some(certificate), Some(key)) => (certificate, key),
    };
    let invalid = |error| Error::RustlsTls(RustlsTlsError::InvalidIdentityPem(error));
    let chain = CertificateDer::pem_slice_iter(&certificate).collect::<Result<_, _>>().map_err(invalid)?;
    Ok(Some((chain, PrivateKeyDer::from_pem_slice(&key).map_err(invalid)?)))
}

/// Data takes precedence over a file, as in client-go.
fn load(data: Option<&str>, file: Option<&str>) -> Result<Option<Zeroizing<Vec<u8>>>, LoadDataError> {
    let read = |file: &str| std::fs::read(file).map_err(|error| LoadDataError::ReadFile(error, PathBuf::from(file)));
    match (data, file) {
        (Some(data), _) => STANDARD.decode(data).map_err(LoadDataError::DecodeBase64).map(Some),
        (None, Some(file)) => read(file).map(Some),
        (None, None) => Ok(None),
    }
    .map(|read| read.map(Zeroizing::new))
}

/// Accepts each certificate whose key the server has, for `--insecure-skip-tls-verify`.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
