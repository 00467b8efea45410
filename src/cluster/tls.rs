//! What a TLS server in front of the API has to show, and what it is shown.

use std::{fs, sync::Arc};

use rustls::{
    ClientConfig, Error as TlsError, InconsistentKeys, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_platform_verifier::Verifier;
use secrecy::ExposeSecret;
use tower::BoxError;
use zeroize::Zeroizing;

use super::kubeconfig::{Resolved, decoded};
use crate::probe::{Shown, lenient, verifier};

/// Nobody vouches for the server.
#[derive(Debug, thiserror::Error)]
#[error("no certificate authority can be used")]
pub(super) struct NoAuthority(#[source] BoxError);

/// For connections with the certificates of a kubeconfig's cluster and user.
pub(super) fn client_config(resolved: &Resolved) -> Result<ClientConfig, BoxError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(server(resolved, Arc::clone(&provider)).map_err(NoAuthority)?);
    let Some((certificates, key)) = identity(resolved)? else { return Ok(builder.with_no_client_auth()) };
    let pair = CertifiedKey::new(certificates, provider.key_provider.load_private_key(key)?);
    // Not every certificate that Go takes can be looked into here (those of version 1, which `openssl x509 -req` makes): it is
    // the server's to judge.
    if let Err(error @ TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch)) = pair.keys_match() {
        return Err(error.into());
    }
    Ok(builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair))))
}

/// Whose certificates are taken. The system's authorities are loaded only where they decide: that costs more than everything
/// else at start-up.
fn server(resolved: &Resolved, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, BoxError> {
    if resolved.insecure {
        return Ok(lenient(provider));
    }
    let plain_http = resolved.server.scheme_str() == Some("http")
        && resolved.proxy.as_ref().is_none_or(|proxy| proxy.scheme_str() != Some("https"));
    match (&resolved.authorities, &resolved.authorities_file) {
        (Some(known), None) => {
            let known = Authorities::of(known, Arc::clone(&provider))?;
            Ok(verifier(provider, move |shown| known.judge(shown)))
        }
        (Some(known), Some(file)) => {
            // A pod's are renewed while it runs. Connections are made rarely, so that each may look.
            let (file, known) = (file.clone(), Authorities::of(known, Arc::clone(&provider))?);
            let now = move |provider| {
                let text = fs::read(&file).ok()?;
                let read: Vec<_> = CertificateDer::pem_slice_iter(&text).filter_map(Result::ok).collect();
                Authorities::of(&read, provider).ok()
            };
            Ok(verifier(Arc::clone(&provider), move |shown: &Shown<'_>| {
                now(Arc::clone(&provider)).as_ref().unwrap_or(&known).judge(shown)
            }))
        }
        (None, _) if plain_http => {
            Ok(verifier(provider, |_| Err(TlsError::General("no TLS was to be spoken".to_owned()))))
        }
        (None, _) => Ok(Arc::new(Verifier::new(provider)?)),
    }
}

/// Those of a kubeconfig's cluster.
struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl Authorities {
    /// What cannot be used among them is passed over, as in Go.
    fn of(certificates: &[impl AsRef<[u8]>], provider: Arc<CryptoProvider>) -> Result<Self, BoxError> {
        let certificates: Vec<_> =
            certificates.iter().map(|one| CertificateDer::from(one.as_ref()).into_owned()).collect();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.iter().cloned());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build()?;
        Ok(Self { certificates, verifier })
    }

    fn judge(&self, shown: &Shown<'_>) -> Result<(), TlsError> {
        // One that is its own authority is good for its names, as in Go; webpki wants another one above it.
        if self.certificates.contains(shown.leaf) {
            shown.speaks_for_itself()
        } else {
            shown.verified_by(&self.verifier)
        }
    }
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
        // A key alone is of no use, and nobody minds.
        (None, _) => return Ok(None),
        (Some(_), None) => return Err("a client certificate and its key belong together, and one is missing".into()),
    };
    let certificates = CertificateDer::pem_slice_iter(&certificate).collect::<Result<Vec<_>, _>>()?;
    Ok(Some((certificates, PrivateKeyDer::from_pem_slice(&key)?)))
}

#[cfg(test)]
pub(super) mod stub;
#[cfg(test)]
mod tests;
