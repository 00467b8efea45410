//! The certificates that a TLS server presents. Only the handshake is made; no HTTP and nothing secret is sent.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::dial::{addresses, connect};
use super::trust::{Need, Verifier};
use crate::connection_failure::plain;
use crate::x509::HostName;

/// How long everything may take: finding the address, connecting, the handshake.
pub const LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    pub address: SocketAddr,
    /// The certificates in DER, in the server's order, its own first.
    pub certificates: Vec<Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("{0}")]
    NotReached(String),
    /// Something answers, but does not complete a handshake.
    #[error("{0} answers, but not with TLS as clients of today speak it: {1}")]
    NoHandshake(SocketAddr, String),
}

/// Connects to the host, or to where `resolve` says, and returns the certificates that the server presents for that name,
/// whatever they are.
pub async fn presented(host: &HostName, port: u16, resolve: Option<IpAddr>) -> Result<Presented, ProbeError> {
    let deadline = Instant::now() + LIMIT;
    let too_slow =
        |place: String| ProbeError::NotReached(format!("no answer from {place} within {} seconds", LIMIT.as_secs()));
    let connecting = async {
        let addresses = match resolve {
            Some(address) => vec![SocketAddr::new(address, port)],
            None => addresses(host.as_str(), port).await?,
        };
        let stream = connect(&addresses).await?;
        let address = stream.peer_addr().map_err(|error| plain(&error))?;
        Ok((address, stream))
    };
    let (address, stream) = match timeout_at(deadline, connecting).await {
        Ok(connected) => connected.map_err(ProbeError::NotReached)?,
        Err(_) => return Err(too_slow(resolve.map_or(host.to_string(), |ip| SocketAddr::new(ip, port).to_string()))),
    };
    let no_handshake = |reason: String| ProbeError::NoHandshake(address, reason);
    let (verifier, config) = Verifier::client(None, Need::Nothing, None).map_err(no_handshake)?;
    let name = ServerName::try_from(host.to_string()).map_err(|error| no_handshake(error.to_string()))?;
    let outcome = timeout_at(deadline, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
    match (verifier.shown(), outcome) {
        // A server that wants a client certificate has shown its own before it refuses.
        (certificates, _) if !certificates.is_empty() => Ok(Presented { address, certificates }),
        (_, Ok(Ok(_))) => Err(no_handshake("it presents no certificate".to_owned())),
        (_, Ok(Err(error))) => Err(no_handshake(plain(&error))),
        (_, Err(_)) => Err(too_slow(address.to_string())),
    }
}

#[cfg(test)]
mod tests;
