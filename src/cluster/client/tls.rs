//! TLS to the API server. kube's own (`ConfigExt::rustls_client_config`) also runs plugins and providers, and so links a
//! megabyte of `JSONPath`, regular expressions and YAML for a provider that kubectl has removed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use kube::client::RustlsTlsError;
use kube::config::{AuthInfo, KubeconfigError, LoadDataError};
use kube::{Config, Error};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, Error as TlsError, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::net::tls::{Mode, Verifier};

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
            let (any, _) = Verifier::client(None, Mode::Nothing, None).map_err(|why| Error::Service(why.into()))?;
            builder.dangerous().with_custom_certificate_verifier(any)
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

/// The user's client certificate and key. As in kubectl, a key without a certificate is not used.
fn identity(user: &AuthInfo) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, Error> {
    let key_data = user.client_key_data.as_ref().map(ExposeSecret::expose_secret);
    let certificate = match load(user.client_certificate_data.as_deref(), user.client_certificate.as_deref()) {
        Err(LoadDataError::NoBase64DataOrFile) => return Ok(None),
        loaded => loaded.map_err(KubeconfigError::LoadClientCertificate).map_err(Error::InferKubeconfig)?,
    };
    let key = load(key_data, user.client_key.as_deref());
    let key = key.map_err(KubeconfigError::LoadClientKey).map_err(Error::InferKubeconfig)?;
    let invalid = |error| Error::RustlsTls(RustlsTlsError::InvalidIdentityPem(error));
    let chain = CertificateDer::pem_slice_iter(&certificate).collect::<Result<_, _>>().map_err(invalid)?;
    Ok(Some((chain, PrivateKeyDer::from_pem_slice(&key).map_err(invalid)?)))
}

/// Data takes precedence over a file, as in client-go.
fn load(data: Option<&str>, file: Option<&str>) -> Result<Zeroizing<Vec<u8>>, LoadDataError> {
    match (data, file) {
        (Some(data), _) => STANDARD.decode(data).map_err(LoadDataError::DecodeBase64),
        (None, Some(file)) => std::fs::read(file).map_err(|error| LoadDataError::ReadFile(error, file.into())),
        (None, None) => Err(LoadDataError::NoBase64DataOrFile),
    }
    .map(Zeroizing::new)
}
