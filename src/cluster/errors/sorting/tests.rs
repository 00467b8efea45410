use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use k8s_openapi::api::core::v1::Secret;

use super::*;
use crate::cluster::Cluster;
use crate::cluster::ConnectionFlags;
use crate::cluster::client::connection::stub::{TlsServer, authority, file};
use crate::cluster::resource;

fn wrapped(tls: TlsError) -> kube::Error {
    kube::Error::Service(Box::new(io::Error::new(io::ErrorKind::InvalidData, tls)))
}

#[test]
fn a_client_certificate_refused_after_the_handshake_proves_that_nothing_was_changed() {
    let error = sorted(wrapped(TlsError::AlertReceived(rustls::AlertDescription::CertificateExpired)));
    assert!(matches!(error.kind(), ErrorKind::TlsFailed { .. }) && error.certainly_not_processed());
}

#[test]
fn other_tls_alerts_prove_nothing() {
    let error = sorted(wrapped(TlsError::AlertReceived(rustls::AlertDescription::InternalError)));
    assert!(matches!(error.kind(), ErrorKind::ConnectionLost { .. }) && !error.certainly_not_processed());
    assert!(!sorted(wrapped(TlsError::DecryptError)).certainly_not_processed());
}

#[test]
fn a_request_on_a_lost_connection_may_have_been_processed() {
    let error = sorted(kube::Error::Service(Box::new(io::Error::from(io::ErrorKind::ConnectionReset))));
    assert!(matches!(error.kind(), ErrorKind::ConnectionLost { .. }));
    assert!(!error.certainly_not_processed());
}

async fn outcome(flags: &ConnectionFlags) -> Result<(), String> {
    let cluster = Cluster::connect(flags).await.expect("set up");
    match cluster.get(&resource::<Secret>(), Some("ess"), "x").await {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            ErrorKind::TlsFailed(reason) => Err(reason.clone()),
            other => panic!("{other:?}"),
        },
    }
}

#[tokio::test]
async fn a_trusted_server_is_accepted() {
    assert_eq!(outcome(&TlsServer::start().flags()).await, Ok(()));
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let server = TlsServer::start();
    let other = file(&authority().as_ref().pem());
    let flags = ConnectionFlags { certificate_authority: Some(other.path().display().to_string()), ..server.flags() };
    assert!(outcome(&flags).await.expect_err("untrusted").contains("the trusted CA"), "the sentence names the cause");
    let unverified = ConnectionFlags { certificate_authority: None, insecure_skip_tls_verify: true, ..server.flags() };
    assert_eq!(outcome(&unverified).await, Ok(()));
}

#[tokio::test]
async fn a_server_with_another_name_is_refused_unless_the_flag_names_it() {
    let server = TlsServer::start();
    let address = server.address.replace("localhost", "127.0.0.1");
    let flags = ConnectionFlags { server: Some(address), ..server.flags() };
    assert!(outcome(&flags).await.expect_err("another name").contains("for another name"));
    let named = ConnectionFlags { tls_server_name: Some("localhost".to_owned()), ..flags };
    assert_eq!(outcome(&named).await, Ok(()));
}

#[tokio::test]
async fn a_server_without_tls_is_reported() {
    let server = TlsServer::start();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("https://{}", listener.local_addr().expect("address"));
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            let _ = socket.read(&mut [0; 512]);
        }
    });
    let flags = ConnectionFlags { server: Some(address), ..server.flags() };
    assert!(outcome(&flags).await.expect_err("no TLS").contains("does not speak TLS"));
}
