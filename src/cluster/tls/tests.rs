use std::path::Path;

use super::{
    stub::{TlsServer, authority, file},
    *,
};
use crate::cluster::{connection::client, kubeconfig::Environment};

fn resolved(server: &TlsServer) -> Resolved {
    let environment = Environment { var: &|_| None, service_account: Path::new("/nonexistent") };
    crate::cluster::kubeconfig::resolve(&server.flags(), &environment).expect("resolves")
}

async fn reaches(resolved: &Resolved) -> bool {
    let client = client(resolved, None).expect("set up");
    client.send(http::Request::get("/x").body(kube::client::Body::empty()).expect("request")).await.is_ok()
}

#[tokio::test]
async fn a_pods_authority_is_renewed_while_the_program_runs() {
    let server = TlsServer::start();
    let other = file(&authority().as_ref().pem());
    let mut of_pod = resolved(&server);
    of_pod.authorities_file = Some(other.path().to_owned());
    let client = client(&of_pod, None).expect("set up");
    let get = async || {
        client.send(http::Request::get("/x").body(kube::client::Body::empty()).expect("request")).await.is_ok()
    };
    assert!(!get().await, "the file counts, and its authority signed nothing here");
    std::fs::copy(server.authority.path(), other.path()).expect("renewed");
    assert!(get().await);
    std::fs::write(other.path(), "half of a fi").expect("written");
    assert!(get().await, "what cannot be read leaves the authority of the beginning");
}

#[tokio::test]
async fn without_an_authority_that_of_the_system_decides() {
    let server = TlsServer::start();
    let mut unknown = resolved(&server);
    assert!(reaches(&unknown).await);
    unknown.authorities = None;
    assert!(!reaches(&unknown).await);
    unknown.insecure = true;
    assert!(reaches(&unknown).await);
}

#[test]
fn a_key_without_its_certificate_or_a_damaged_one_is_told_and_not_repeated() {
    let server = TlsServer::start();
    for (certificate, key) in [(None, Some("a2V5")), (Some("Y2VydA=="), None), (Some("%%canary%%"), Some("a2V5"))] {
        let mut damaged = resolved(&server);
        damaged.user.client_certificate_data = certificate.map(str::to_owned);
        damaged.user.client_key_data = key.map(|key| key.to_owned().into());
        let error = client(&damaged, None).err().expect("refused");
        assert!(error.to_string().contains("credentials and certificates"), "{error}");
        assert!(!format!("{error:?}{error}").contains("canary"), "{error:?}");
    }
}
