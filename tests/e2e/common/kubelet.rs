//! A stand-in for a kubelet: the API server requests logs from it, and it returns the texts of the test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, Patch, PatchParams, PostParams};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A node whose logs are texts.
pub struct Kubelet {
    /// The name of the node.
    pub node: String,
    logs: Logs,
}

/// By `namespace/pod/container`, with `?previous` for the previous instance.
type Logs = Arc<Mutex<BTreeMap<String, String>>>;

impl Kubelet {
    /// Registers a node of this name and responds for it as long as the test's runtime exists.
    pub async fn start(client: &kube::Client, node: &str) -> Self {
        let identity = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der()));
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![identity.cert.der().clone()], key)
                .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let logs = Logs::default();
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), Arc::clone(&logs)));
        let nodes: Api<Node> = Api::all(client.clone());
        let wanted = serde_json::from_value(json!({"metadata": {"name": node}})).unwrap();
        nodes.create(&PostParams::default(), &wanted).await.unwrap();
        let status = json!({"status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }});
        nodes.patch_status(node, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
        Self { node: node.to_owned(), logs }
    }

    /// Sets the log of `namespace/pod/container`.
    pub fn says(&self, of: &str, text: &str) {
        self.logs.lock().unwrap().insert(of.to_owned(), text.to_owned());
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, logs: Logs) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, logs) = (acceptor.clone(), Arc::clone(&logs));
        tokio::spawn(async move { answer(stream, acceptor, logs).await });
    }
}

/// `GET /containerLogs/NAMESPACE/POD/CONTAINER?previous=true`; one request per connection.
async fn answer(stream: TcpStream, acceptor: TlsAcceptor, logs: Logs) -> Option<()> {
    let mut stream = acceptor.accept(stream).await.ok()?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut of = path.trim_start_matches("/containerLogs/").to_owned();
    if query.contains("previous=true") {
        of.push_str("?previous");
    }
    let text = logs.lock().unwrap().get(&of).cloned();
    let (code, body) = match text {
        Some(text) => ("200 OK", text),
        None => ("404 Not Found", format!("there is no log of {of}")),
    };
    let answer = format!(
        "HTTP/1.1 {code}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}
