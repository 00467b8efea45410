use std::{net::SocketAddr, path::Path};

use http::Request;
use kube::client::Body;
use serde_json::json;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{
    cluster::{
        ConnectionFlags,
        kubeconfig::{self, Environment},
        stub::{Step, Stub},
        tls::stub::TlsServer,
    },
    probe::stub::proxy,
};

fn resolved(flags: &ConnectionFlags, way: &str) -> Resolved {
    let environment = Environment { var: &|_| None, service_account: Path::new("/nonexistent") };
    let mut resolved = kubeconfig::resolve(flags, &environment).expect("resolves");
    resolved.proxy = Some(way.parse().expect("an address"));
    resolved
}

async fn get(resolved: &Resolved) -> Result<(), kube::Error> {
    let client = client(resolved, Some(Duration::from_secs(5))).expect("set up");
    client.send(Request::get("/x").body(Body::empty()).expect("request")).await.map(drop)
}

async fn plain() -> SocketAddr {
    let stub = Stub::with_steps(vec![Step::json(200, &json!({}))]).await;
    stub.address.trim_start_matches("http://").parse().expect("address")
}

fn to(server: &str) -> ConnectionFlags {
    ConnectionFlags { server: Some(server.to_owned()), ..ConnectionFlags::default() }
}

#[tokio::test]
async fn a_proxy_gets_its_own_user_and_the_servers_name_with_a_port() {
    for (scheme, wanted) in [("http", "CONNECT k8s.example:80 HTTP/1.1"), ("socks5", "us er p@ss+ k8s.example:80")] {
        let (place, asked) = proxy(plain().await, None, false).await;
        let resolved = resolved(&to("http://k8s.example"), &format!("{scheme}://us%20er:p%40ss+@{place}"));
        get(&resolved).await.expect("answered");
        // It tells when the connection is gone, as it is with the client.
        let asked = timeout(Duration::from_secs(10), asked).await.expect("in time").expect("it works");
        assert!(asked.starts_with(wanted), "{asked}");
        // "us er:p@ss+" in Base64.
        assert!(scheme == "socks5" || asked.contains("Basic dXMgZXI6cEBzcys="), "{asked}");
    }
}

#[tokio::test]
async fn a_proxy_behind_tls_is_checked_against_the_servers_authority() {
    let server = TlsServer::start();
    let acceptor = TlsAcceptor::from(Arc::clone(&server.config));
    let target = server.address.trim_start_matches("https://localhost:");
    let target = SocketAddr::from(([127, 0, 0, 1], target.parse().expect("port")));
    let (place, _) = proxy(target, Some(acceptor), false).await;
    let way = format!("https://localhost:{}", place.port());
    get(&resolved(&server.flags(), &way)).await.expect("answered");
    let strangers = TlsServer::start();
    let (place, _) = proxy(target, Some(TlsAcceptor::from(Arc::clone(&strangers.config))), false).await;
    let way = format!("https://localhost:{}", place.port());
    let error = get(&resolved(&server.flags(), &way)).await.expect_err("untrusted");
    let error = crate::cluster::transport_errors::sorted(error).to_string();
    assert!(error.contains("at the proxy, its certificate"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_nobody_answers_for_is_told_as_refused() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("address");
    for scheme in ["http", "socks5"] {
        let error =
            get(&resolved(&to("http://k8s.example"), &format!("{scheme}://{nobody}"))).await.expect_err("refused");
        let error = crate::cluster::transport_errors::sorted(error).to_string();
        assert!(error.contains("at the proxy, the connection was refused"), "{scheme}: {error}");
    }
}
