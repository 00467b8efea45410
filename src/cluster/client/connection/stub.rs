//! A TLS server for tests.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    server::ResolvesServerCert,
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::cluster::ConnectionFlags;

/// A server with a certificate for `localhost`, and its CA.
pub struct TlsServer {
    pub address: String,
    pub config: Arc<rustls::ServerConfig>,
    pub authority: tempfile::NamedTempFile,
    kubeconfig: tempfile::NamedTempFile,
}

pub fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("authority")
}

pub fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("file");
    std::fs::write(file.path(), text).expect("written");
    file
}

impl TlsServer {
    pub fn start() -> Self {
        // All tests install the same provider.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let authority = authority();
        let key = KeyPair::generate().expect("key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("name");
        let certificate = params.signed_by(&key, &authority).expect("certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).expect("a key");
        let shown = CertifiedKey::new(vec![certificate.der().clone()], signing);
        Self { authority: file(&authority.as_ref().pem()), ..Self::with(Arc::new(SingleCertAndKey::from(shown))) }
    }

    /// With a certificate of another CA.
    pub fn with(shown: Arc<dyn ResolvesServerCert>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let config = Arc::new(rustls::ServerConfig::builder().with_no_client_auth().with_cert_resolver(shown));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("address").port();
        let served = Arc::clone(&config);
        std::thread::spawn(move || {
            while let Ok((mut socket, _)) = listener.accept() {
                let mut connection = rustls::ServerConnection::new(Arc::clone(&served)).expect("connection");
                let mut stream = rustls::Stream::new(&mut connection, &mut socket);
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok() {
                    let body = r#"{"kind":"Secret","metadata":{"name":"x"}}"#;
                    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                    let _ = stream.flush();
                }
            }
        });
        Self {
            address: format!("https://localhost:{port}"),
            config,
            authority: file(&authority().as_ref().pem()),
            kubeconfig: file("{}"),
        }
    }

    pub fn flags(&self) -> ConnectionFlags {
        let path = |file: &tempfile::NamedTempFile| Some(file.path().display().to_string());
        ConnectionFlags {
            server: Some(self.address.clone()),
            kubeconfig: path(&self.kubeconfig),
            certificate_authority: path(&self.authority),
            ..ConnectionFlags::default()
        }
    }
}
