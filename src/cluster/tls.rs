//! What a TLS server in front of the API has to show, and what it is shown.

use std::{fs, sync::Arc};

use rustls::{
    ClientConfig, Error as TlsError, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;
use secrecy::ExposeSecret;
use tower::BoxError;
use zeroize::Zeroizing;

use super::kubeconfig::{Resolved, decoded};
use crate::probe::{Shown, verifier};

/// For connections with the certificates of a kubeconfig's cluster and user.
pub(super) fn client_config(resolved: &Resolved) -> Result<ClientConfig, BoxError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(server(resolved, provider)?);
    Ok(match identity(resolved)? {
        Some((certificates, key)) => builder.with_client_auth_cert(certificates, key)?,
        None => builder.with_no_client_auth(),
    })
}

/// Whose certificates are taken. The system's authorities are loaded only where they decide: that costs more than everything
/// else at start-up.
fn server(resolved: &Resolved, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, BoxError> {
    if resolved.insecure {
        return Ok(verifier(provider, |_| Ok(())));
    }
    let plain_http = resolved.server.scheme_str() == Some("http")
        && resolved.proxy.as_ref().is_none_or(|proxy| proxy.scheme_str() != Some("https"));
    match (&resolved.authorities, &resolved.authorities_file) {
        (Some(known), None) => Ok(roots(known, provider)?),
        (Some(known), Some(file)) => {
            // A pod's are renewed while it runs. Connections are made rarely, so that each may look.
            let (file, known) = (file.clone(), roots(known, Arc::clone(&provider))?);
            let now = move |provider| {
                let read =
                    CertificateDer::pem_slice_iter(&fs::read(&file).ok()?).collect::<Result<Vec<_>, _>>().ok()?;
                roots(&read, provider).ok()
            };
            Ok(verifier(Arc::clone(&provider), move |shown: &Shown<'_>| {
                let now = now(Arc::clone(&provider));
                shown.verified_by(now.as_ref().unwrap_or(&known))
            }))
        }
        (None, _) if plain_http => {
            Ok(verifier(provider, |_| Err(TlsError::General("no TLS was to be spoken".to_owned()))))
        }
        (None, _) => Ok(Arc::new(Verifier::new(provider)?)),
    }
}

fn roots(
    certificates: &[impl AsRef<[u8]>],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, BoxError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store.add(CertificateDer::from(certificate.as_ref()).into_owned())?;
    }
    Ok(WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build()?)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The client certificate and its key. As in kubectl, what stands in the kubeconfig itself is preferred over files.
fn identity(resolved: &Resolved) -> Result<Option<Identity>, BoxError> {
    let user = &resolved.user;
    let data = |text: Option<&str>, file: Option<&String>| -> Result<Option<Zeroizing<Vec<u8>>>, BoxError> {
        match (text.filter(|text| !text.is_empty()), file.filter(|file| !file.is_empty())) {
            (Some(text), _) => Ok(Some(decoded(text).ok_or("it is not Base64")?.into())),
            (None, Some(file)) => Ok(Some(fs::read(file)?.into())),
            (None, None) => Ok(None),
        }
    };
    let certificate = data(user.client_certificate_data.as_deref(), user.client_certificate.as_ref())?;
    let key = data(user.client_key_data.as_ref().map(ExposeSecret::expose_secret), user.client_key.as_ref())?;
    let (certificate, key) = match (certificate, key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return Ok(None),
        _ => return Err("a client certificate and its key belong together, and one is missing".into()),
    };
    let certificates = CertificateDer::pem_slice_iter(&certificate).collect::<Result<Vec<_>, _>>()?;
    Ok(Some((certificates, PrivateKeyDer::from_pem_slice(&key)?)))
}

#[cfg(test)]
pub(super) mod stub;
#[cfg(test)]
mod tests;
