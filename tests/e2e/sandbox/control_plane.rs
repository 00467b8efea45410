//! The API server is a real one, and authenticates users.

use std::process::Command;

use ess_mas_sandbox::Result;
use ess_mas_sandbox::control_plane::ControlPlane;
use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::api::{Api, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};

async fn client_of(user: &User) -> Result<kube::Client> {
    let kubeconfig = Kubeconfig::read_from(&user.kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(kube::Client::try_from(config)?)
}

fn may_list_config_maps() -> Vec<PolicyRule> {
    vec![PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec!["configmaps".to_owned()]),
        verbs: vec!["list".to_owned()],
        ..PolicyRule::default()
    }]
}

#[tokio::test]
async fn server_reports_its_pinned_version() -> Result<()> {
    let version = Sandbox::shared().client()?.apiserver_version().await?;
    if std::env::var_os("KUBEBUILDER_ASSETS").is_none() {
        assert_eq!(
            (version.git_version.as_str(), version.major.as_str(), version.minor.as_str()),
            ("v1.36.3", "1", "36")
        );
    }
    Ok(())
}

#[tokio::test]
async fn unprivileged_users_have_only_the_permissions_of_their_rules() -> Result<()> {
    let sandbox = Sandbox::shared();
    let (own, other) = (sandbox.namespace().await?, sandbox.namespace().await?);
    assert_ne!(own.name(), other.name());
    let users =
        [own.user("alice", may_list_config_maps()).await?, own.token_user("robot", may_list_config_maps()).await?];
    for user in users {
        let client = client_of(&user).await?;
        assert_eq!(client.default_namespace(), own.name());
        Api::<ConfigMap>::default_namespaced(client.clone()).list(&ListParams::default()).await?;
        let elsewhere = Api::<ConfigMap>::namespaced(client.clone(), other.name()).list(&ListParams::default()).await;
        let secrets = Api::<k8s_openapi::api::core::v1::Secret>::default_namespaced(client);
        for refused in [elsewhere.err(), secrets.list(&ListParams::default()).await.err()] {
            assert!(matches!(refused, Some(kube::Error::Api(status)) if status.code == 403), "{user:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn rights_of_a_user_do_not_reach_the_user_of_another_test_with_the_same_name() -> Result<()> {
    let sandbox = Sandbox::shared();
    let (own, other) = (sandbox.namespace().await?, sandbox.namespace().await?);
    let alice = own.user("alice", may_list_config_maps()).await?;
    other.user("alice", may_list_config_maps()).await?;
    let elsewhere = Api::<ConfigMap>::namespaced(client_of(&alice).await?, other.name());
    assert!(elsewhere.list(&ListParams::default()).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_cluster_user_may_do_the_same_in_every_namespace() -> Result<()> {
    let sandbox = Sandbox::shared();
    let namespace = sandbox.namespace().await?;
    let auditor = sandbox.cluster_user("auditor", may_list_config_maps()).await?;
    let client = client_of(&auditor).await?;
    Api::<ConfigMap>::namespaced(client.clone(), namespace.name()).list(&ListParams::default()).await?;
    Api::<ConfigMap>::all(client.clone()).list(&ListParams::default()).await?;
    let deployments = Api::<kube::api::DynamicObject>::all_with(client, &ess_mas_sandbox::crds::resource());
    assert!(deployments.list(&ListParams::default()).await.is_err());
    Ok(())
}

#[test]
fn the_kubeconfig_is_one_that_other_tools_read() {
    let sandbox = Sandbox::shared();
    let output = Command::new(Client::Kubectl.program().unwrap())
        .args(["get", "--raw", "/readyz", "--kubeconfig"])
        .arg(sandbox.admin_kubeconfig())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn two_control_planes_get_along_and_dropping_one_removes_it() -> Result<()> {
    let shared = Sandbox::shared();
    let other = ControlPlane::start()?;
    assert_ne!(other.server(), shared.server());
    let directory = other.directory().to_owned();
    assert!(directory.join("admin.kubeconfig").is_file());
    drop(other);
    assert!(!directory.exists());
    assert!(shared.directory().exists());
    Ok(())
}
