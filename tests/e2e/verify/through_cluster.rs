//! `verify --through-cluster`: requests to pods through the API server.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use serde_json::json;

use crate::common::endpoints::{IDP, MAS, SYNAPSE, fill, pairs, recorded, scene_on, wrong};
use crate::common::scene::Scene;

/// Every `check` on a server reports the Ingresses of these tests, so they have a separate server.
fn server() -> &'static Sandbox {
    static SERVER: OnceLock<Sandbox> = OnceLock::new();
    SERVER.get_or_init(|| Sandbox::start(Release::Current).unwrap())
}

/// An Ingress, a Service and a pod for each of MAS and Synapse, as the operator creates them during and after the dry
/// run.
async fn behind_an_ingress(scene: &Scene, kubelet: &Kubelet, mas: Option<u16>, synapse: u16, active: bool) {
    use k8s_openapi::api::core::v1::Service;
    use k8s_openapi::api::networking::v1::Ingress;
    use kube::api::{Api, Patch, PatchParams, PostParams};

    let client = scene.namespace.client().unwrap();
    let params = PatchParams::apply("operator").force();
    if !active {
        kubelet.pod(&scene.namespace, "mas", ("web", 8080), mas).await.unwrap();
        kubelet.pod(&scene.namespace, "synapse", ("http", 8008), Some(synapse)).await.unwrap();
        for (name, target) in [("mas", "web"), ("synapse", "http")] {
            let service = serde_json::from_value(json!({"metadata": {"name": name}, "spec": {
                "selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": target}]}}))
            .unwrap();
            let services = Api::<Service>::namespaced(client.clone(), scene.namespace.name());
            services.create(&PostParams::default(), &service).await.unwrap();
        }
    }
    let path = |path: &str, service: &str| json!({"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"name": "http"}}}});
    let mut paths = vec![path("/", "synapse")];
    if active {
        paths.extend(["v3", "r0"].map(|version| path(&format!("/_matrix/client/{version}/login"), "mas")));
    }
    for (name, host, paths) in [("mas", MAS, vec![path("/", "mas")]), ("synapse", SYNAPSE, paths)] {
        let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
            "spec": {"rules": [{"host": host, "http": {"paths": paths}}]}});
        let ingresses = Api::<Ingress>::namespaced(client.clone(), scene.namespace.name());
        ingresses.patch(name, &params, &Patch::Apply(ingress)).await.unwrap();
    }
}

#[tokio::test]
async fn through_the_cluster_ingress_paths_are_followed_to_pods() {
    let scene = scene_on(server()).await;
    scene.dry_run().await;
    let kubelet = Kubelet::start(&scene.namespace).await.unwrap();
    let (mas, synapse, provider) =
        (Web::plain().await.unwrap(), Web::plain().await.unwrap(), Web::start(&[IDP]).await.unwrap());
    fill(&mas, &scene, "dry-run-done").await;
    fill(&synapse, &scene, "dry-run-done").await;
    provider.answer(IDP, "/a", Reply::page(200, "<html>"));
    behind_an_ingress(&scene, &kubelet, Some(mas.port()), synapse.port(), false).await;
    let authority = scene.shell.file("ca.pem", provider.authority());
    let line = format!("verify --through-cluster --ca-certificate {authority} -o json{}", provider.resolve(&[IDP]));
    let began = Instant::now();
    let done = scene.shell.run(&line).await.expect(0);
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    assert_eq!(wrong(&done), []);
    done.shows("its Ingress points to Service mas, pod mas, port 8080; DNS and certificates were not checked");
    assert!(mas.visits().iter().all(|visit| visit.host == MAS && visit.header("x-forwarded-proto") == Some("https")));
    assert!(!mas.visits().is_empty() && synapse.visits().len() == 3, "{:?}", synapse.visits());

    // After the migration, the paths of Synapse's Ingress route logins to MAS; a missing path r0 is reported.
    let _ = scene.activate().await.expect(0);
    fill(&mas, &scene, "active").await;
    fill(&synapse, &scene, "active").await;
    for version in ["v3", "r0"] {
        let path = format!("/_matrix/client/{version}/login");
        synapse.answer(SYNAPSE, &path, recorded(&format!("active/synapse-login-{version}")));
    }
    let wrongly = scene.shell.run(&line).await.expect(10);
    assert_eq!(wrong(&wrongly), pairs(&[("synapse-login", "blocker"), ("synapse-login", "blocker")]));
    behind_an_ingress(&scene, &kubelet, Some(mas.port()), synapse.port(), true).await;
    assert_eq!(wrong(&scene.shell.run(&line).await.expect(0)), []);
}

#[tokio::test]
async fn host_without_a_route_through_the_cluster_is_reported_and_not_contacted() {
    let scene = scene_on(server()).await;
    scene.dry_run().await;
    let done = scene.shell.run("verify --through-cluster -o json").await.expect(11);
    assert_eq!(wrong(&done), pairs(&[("outside-route", "unknown"), ("outside-route", "unknown")]));
    done.shows("has a rule for auth.example.com");
    let kubelet = Kubelet::start(&scene.namespace).await.unwrap();
    let synapse = Web::plain().await.unwrap();
    fill(&synapse, &scene, "dry-run-done").await;
    // A pod where nothing listens.
    behind_an_ingress(&scene, &kubelet, None, synapse.port(), false).await;
    let done = scene.shell.run("verify --through-cluster -o json").await.expect(11);
    assert_eq!(wrong(&done), pairs(&[("mas-reachable", "warning")]), "{done}");
    done.shows("an error occurred forwarding 8080");
}
