//! Polls a starting server for readiness, without a runtime.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::Result;

/// Polls one server on this machine.
pub(super) struct Probe {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
}

impl Probe {
    pub(super) fn new(port: u16, authority: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { address: (Ipv4Addr::LOCALHOST, port).into(), tls: Arc::new(tls) })
    }

    /// Whether `/readyz` responds with 200. Everything else, such as a refused connection, means not ready.
    pub(super) fn ready(&self) -> bool {
        self.ask().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200") || answer.starts_with(b"HTTP/1.0 200"))
    }

    fn ask(&self) -> Result<Vec<u8>> {
        let patience = Duration::from_secs(5);
        let socket = TcpStream::connect_timeout(&self.address, patience)?;
        socket.set_read_timeout(Some(patience))?;
        let session = ClientConnection::new(Arc::clone(&self.tls), ServerName::try_from("localhost")?)?;
        let mut stream = StreamOwned::new(session, socket);
        stream.write_all(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    }
}
