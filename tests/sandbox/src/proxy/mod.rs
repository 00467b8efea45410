//! A proxy between a client and the API server that records requests and injects faults.
//!
//! It terminates TLS with a certificate of the sandbox's CA and connects with an administrator's certificate. Connections are
//! kept alive, so that a fault may affect a reused one.

mod fault;
mod relay;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

pub use fault::{Fault, Gate, Request};

use crate::{Namespace, Result};

/// Selects the fault of a request.
type Plan = Box<dyn FnMut(&Request) -> Fault + Send>;

/// A running proxy, in the runtime in which it was started. Stops when dropped.
pub struct Proxy {
    shared: Arc<Shared>,
    kubeconfig: PathBuf,
    task: JoinHandle<()>,
}

struct Shared {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    server: SocketAddr,
    state: Mutex<State>,
}

struct State {
    plan: Plan,
    log: Vec<Request>,
    /// The fault of watches of workloads, which are not counted with the others.
    looks: Fault,
    looked: Vec<Request>,
}

impl Proxy {
    /// Starts a proxy without faults for a client with this namespace.
    pub async fn start(namespace: &Namespace<'_>) -> Result<Self> {
        let control_plane = namespace.control_plane();
        let authority = control_plane.authority();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let own = authority.server()?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.certificate().as_bytes())?)?;
        // As in the API server: a client without a certificate may have a token.
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots.clone()), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()?;
        let accepting = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(certificates(&own.certificate)?, key(&own.key)?)?;
        let admin = authority.client("admin", &["system:masters"])?;
        let connecting = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(certificates(&admin.certificate)?, key(&admin.key)?)?;
        let server = control_plane.server().trim_start_matches("https://").parse()?;

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let text = control_plane.token_kubeconfig_for(
            &format!("https://{address}"),
            "through-the-proxy",
            "not-looked-at",
            Some(namespace.name()),
        )?;
        let file = format!("{}-proxy-{}.kubeconfig", namespace.name(), address.port());
        let kubeconfig = control_plane.write_file(&file, &text)?;
        let state = Mutex::new(State {
            plan: Box::new(|_| Fault::None),
            log: Vec::new(),
            looks: Fault::None,
            looked: Vec::new(),
        });
        let shared = Arc::new(Shared {
            acceptor: TlsAcceptor::from(Arc::new(accepting)),
            connector: TlsConnector::from(Arc::new(connecting)),
            server,
            state,
        });
        let task = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Ok(Self { shared, kubeconfig, task })
    }

    /// A kubeconfig with the address of the proxy.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig.clone()
    }

    /// Resets the count, and uses this plan for each further request.
    pub fn plan(&self, plan: impl FnMut(&Request) -> Fault + Send + 'static) {
        let mut state = self.shared.state();
        state.plan = Box::new(plan);
        state.log.clear();
        state.looked.clear();
    }

    /// Sets the fault of watches of workloads. Their time is not deterministic, so plan and log exclude them.
    pub fn spoil_looks(&self, fault: Fault) {
        self.shared.state().looks = fault;
    }

    /// The watches of workloads since the last [`Self::plan`].
    pub fn looks(&self) -> Vec<Request> {
        self.shared.state().looked.clone()
    }

    /// Removes all faults and resets the count.
    pub fn pass(&self) {
        self.plan(|_| Fault::None);
    }

    /// The requests since the last [`Self::plan`], in the order of their arrival.
    pub fn log(&self) -> Vec<Request> {
        self.shared.state().log.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, head: &wire::Head, certificate: Option<Vec<u8>>) -> (Request, Fault) {
        let mut words = head.first_line.split(' ').map(str::to_owned);
        let token = String::from_utf8_lossy(&head.bytes).lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("authorization").then(|| value.trim().strip_prefix("Bearer "))?.map(str::to_owned)
        });
        let mut state = self.state();
        let request = Request {
            index: state.log.len(),
            method: words.next().unwrap_or_default(),
            address: words.next().unwrap_or_default(),
            token,
            certificate,
        };
        if request.is_look() {
            state.looked.push(request.clone());
            let fault = state.looks.clone();
            return (request, fault);
        }
        state.log.push(request.clone());
        let fault = (state.plan)(&request);
        (request, fault)
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    // Closes the connections with the proxy.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((socket, _)) = accepted {
                connections.spawn(relay::serve(Arc::clone(&shared), socket));
            },
            // Failed connections are intended.
            Some(_) = connections.join_next() => {}
        }
    }
}

fn host() -> ServerName<'static> {
    ServerName::IpAddress(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST).into())
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    Ok(vec![CertificateDer::from_pem_slice(pem.as_bytes())?])
}

fn key(pem: &str) -> Result<PrivateKeyDer<'static>> {
    Ok(PrivateKeyDer::from_pem_slice(pem.as_bytes())?)
}
