//! The part of a kubelet that a port-forward needs: a node that the API server connects to, ready pods, and the WebSocket protocol
//! `v4.channel.k8s.io`. Forwards to a port of this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt, StreamExt};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, Patch, PatchParams, PostParams};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::control_plane::pki::Authority;
use crate::{Namespace, Result};

/// Pod's port and local port.
type Ports = Arc<Mutex<BTreeMap<(String, u16), u16>>>;

/// A kubelet with its own node. Stops when dropped; the node remains.
pub struct Kubelet {
    node: String,
    ports: Ports,
    task: JoinHandle<()>,
}

impl Kubelet {
    /// Starts it and registers its node.
    pub async fn start(namespace: &Namespace<'_>) -> Result<Self> {
        let own = Authority::new()?.for_hosts(&["kubelet"])?;
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(own.certificate.as_bytes())?],
                PrivateKeyDer::from_pem_slice(own.key.as_bytes())?,
            )?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let ports = Ports::default();
        let shared = Arc::clone(&ports);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, ports) = (acceptor.clone(), Arc::clone(&shared));
                connections.spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = serve(stream, &ports).await;
                    }
                });
            }
        });
        let node = format!("{}-node", namespace.name());
        let nodes = Api::<Node>::all(namespace.client()?);
        let object = serde_json::from_value(json!({"metadata": {"name": node}}))?;
        nodes.create(&PostParams::default(), &object).await?;
        let status = json!({"status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}});
        nodes.patch_status(&node, &PatchParams::default(), &Patch::Merge(status)).await?;
        Ok(Self { node, ports, task })
    }

    /// A ready pod with one named port that is forwarded to a local port; with `to: None` to none.
    pub async fn pod(&self, namespace: &Namespace<'_>, name: &str, port: (&str, u16), to: Option<u16>) -> Result<()> {
        let pods = Api::<Pod>::namespaced(namespace.client()?, namespace.name());
        let object = serde_json::from_value(json!({
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"nodeName": self.node, "containers": [
                {"name": "main", "image": "none", "ports": [{"name": port.0, "containerPort": port.1}]}]}}))?;
        pods.create(&PostParams::default(), &object).await?;
        let status = json!({"status": {"phase": "Running", "podIP": "127.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}]}});
        pods.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await?;
        if let Some(to) = to {
            self.ports.lock().unwrap_or_else(PoisonError::into_inner).insert((name.to_owned(), port.1), to);
        }
        Ok(())
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `GET /portForward/NAMESPACE/POD?port=8080` (or `ports=`), as the API server sends it.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, ports: &Ports) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pod = path.split('/').nth(3).unwrap_or_default().to_owned();
    let port: u16 = query.split('&').find_map(|pair| pair.split_once('=')?.1.parse().ok()).unwrap_or_default();
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).next()
    };
    // The supported protocol among those that the client offers.
    let protocol = header("sec-websocket-protocol")
        .and_then(|offered| offered.split(", ").find(|one| *one == "v4.channel.k8s.io").map(str::to_owned));
    let (Some(key), Some(protocol)) = (header("sec-websocket-key"), protocol) else {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await?;
        return Ok(());
    };
    let digest = digest::digest(
        &digest::SHA1_FOR_LEGACY_USE_ONLY,
        format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes(),
    );
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\
         Sec-WebSocket-Protocol: {protocol}\r\n\r\n",
        STANDARD.encode(digest)
    );
    stream.write_all(answer.as_bytes()).await?;
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let [low, high] = port.to_le_bytes();
    for channel in [0, 1] {
        socket.send(Message::binary(vec![channel, low, high])).await?;
    }
    let to = ports.lock().unwrap_or_else(PoisonError::into_inner).get(&(pod.clone(), port)).copied();
    let onward = match to {
        Some(to) => TcpStream::connect(("127.0.0.1", to)).await.map_err(|error| error.to_string()),
        None => Err("connection refused".to_owned()),
    };
    let mut onward = match onward {
        Ok(onward) => onward,
        Err(why) => {
            let mut text = vec![1];
            text.extend_from_slice(format!("an error occurred forwarding {port}: {why}").as_bytes());
            socket.send(Message::binary(text)).await?;
            socket.close(None).await?;
            return Ok(());
        }
    };
    let mut buffer = vec![0; 4096];
    loop {
        tokio::select! {
            read = onward.read(&mut buffer) => match read? {
                0 => break,
                count => {
                    let mut bytes = vec![0];
                    bytes.extend_from_slice(&buffer[..count]);
                    socket.send(Message::binary(bytes)).await?;
                }
            },
            message = socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) if bytes.first() == Some(&0) => onward.write_all(&bytes[1..]).await?,
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    socket.close(None).await?;
    Ok(())
}
