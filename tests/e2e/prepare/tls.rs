//! Certificates that `prepare` issues, keeps and refuses, and the commands that they block.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::common::command::{Done, Shell, finish};
use crate::common::scene::Scene;
use crate::tls::{HOST, codes, crossed_chain, home, openssl};

/// Runs `prepare` with all required flags and these words.
async fn prepare(scene: &Scene, words: &str) -> Done {
    prepare_in(&scene.shell, scene, words).await
}

async fn prepare_in(shell: &Shell, scene: &Scene, words: &str) -> Done {
    let line = "prepare --database-host pg.example.com --database-name mas --database-user mas --database-password-file - \
                --yes --host";
    let host = scene.deployment.mas_host();
    let words: Vec<&str> = line.split_whitespace().chain([host.as_str()]).chain(words.split_whitespace()).collect();
    shell.run_words(&words, Some("correct horse\n")).await
}

/// A deployment whose components inherit this TLS setting.
async fn with_tls(tls: Value) -> Scene {
    Scene::changed(Behaviour::default(), |deployment| deployment.set("/spec/global/k8s/ingresses/tls", tls)).await
}

fn secrets(scene: &Scene) -> Api<Secret> {
    Api::namespaced(scene.namespace.client().unwrap(), scene.namespace.name())
}

async fn mas_secret(scene: &Scene) -> Option<std::collections::BTreeMap<String, String>> {
    let found = secrets(scene).get_opt(&scene.deployment.mas_secret_name()).await.unwrap()?;
    let data = found.data.unwrap_or_default();
    Some(data.into_iter().map(|(key, value)| (key, String::from_utf8(value.0).unwrap())).collect())
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_written() {
    let scene = Scene::new(Behaviour::default()).await;
    let _ = scene.shell.run("tls issue --host other.example.com").await.expect(0);
    let files = "--tls certfile --certificate other.example.com.crt --private-key other.example.com.key";
    prepare(&scene, files).await.expect(10).says("certificate-host-mismatch");
    prepare(&scene, "--tls certfile").await.expect(2).says("requires a certificate and its private key");
    let without_mode = files.trim_start_matches("--tls certfile");
    prepare(&scene, without_mode).await.expect(2).says("require --tls certfile");
    assert_eq!(mas_secret(&scene).await, None);
}

#[tokio::test]
async fn a_valid_certificate_is_normalized_kept_and_replaced_only_by_key() {
    let scene = Scene::new(Behaviour::default()).await;
    let folder = home(&scene.shell);
    let _ = scene.shell.run(&format!("tls issue --host {HOST}")).await.expect(0);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let (chain, key) = (read("auth.example.com.crt"), read("auth.example.com.key"));
    std::fs::write(folder.join("untidy.crt"), chain.replace('\n', "\r\n\r\n")).unwrap();
    let given = format!("--tls certfile --certificate untidy.crt --private-key {HOST}.key");
    let done = prepare(&scene, &given).await.expect(0);
    assert!(!done.stderr.contains("PRIVATE KEY") && !done.stdout.contains("PRIVATE KEY"));
    let data = mas_secret(&scene).await.unwrap();
    assert_eq!((&data["certificate"], &data["privateKey"]), (&chain, &key));

    let line = format!("tls issue --host {HOST} --force --ca-certificate {HOST}-ca.crt --ca-private-key {HOST}-ca.key");
    let _ = scene.shell.run(&line).await.expect(0);
    let next = format!("--tls certfile --certificate {HOST}.crt --private-key {HOST}.key");
    prepare(&scene, &next).await.expect(0).says("the value in the cluster is kept");
    assert_eq!(mas_secret(&scene).await.unwrap()["certificate"], chain);
    // A certificate without its key would break MAS's ingress.
    prepare(&scene, &format!("{next} --replace certificate")).await.expect(10).says("certificate-key-mismatch");
    let done = prepare(&scene, &format!("{next} --replace certificate,privateKey")).await.expect(0);
    assert!(done.stderr.contains(" -> sha256:"), "{done}");
    assert_eq!(mas_secret(&scene).await.unwrap()["certificate"], read("auth.example.com.crt"));
    // Other commands check the certificate in the Secret too.
    let secret = scene.deployment.mas_secret_name();
    let look = format!("tls check --secret {secret} -o json --ca-certificate {HOST}-ca.crt");
    assert_eq!(codes(&scene.shell.run(&look).await.expect(0)), ["certificate", "certificate-trust"]);
    let _ = scene.shell.run("tls request --out request").await.expect(0);
    assert!(folder.join(format!("request/{HOST}.csr")).exists(), "for the host on record");
    assert!(codes(&scene.shell.run("check -o json").await).contains(&"certificate".to_owned()));
}

#[tokio::test]
async fn an_expired_certificate_outside_the_chain_is_not_a_blocker() {
    let scene = Scene::new(Behaviour::default()).await;
    let folder = home(&scene.shell);
    crossed_chain(&folder);
    let files = |chain: &str| format!("--tls certfile --certificate {chain} --private-key leaf.key");
    prepare(&scene, &files("chain.crt")).await.expect(10).says("certificate-expired");
    scene.shell.file("pw", "correct horse\n");
    let host = scene.deployment.mas_host();
    let trusting = async |line: String| {
        let mut command = scene.shell.command(line.split_whitespace());
        command.env("SSL_CERT_FILE", folder.join("root.crt"));
        finish(command.spawn().unwrap(), line).await
    };
    let line = |chain: &str| {
        let database =
            "--database-host pg.example.com --database-name mas --database-user mas --database-password-file pw";
        format!("prepare --yes --host {host} {database} {}", files(chain))
    };
    trusting(line("late-chain.crt")).await.expect(10).says("certificate-expired");
    trusting(line("chain.crt")).await.expect(0).says("Remove this certificate from the file.");
    let found = codes(&trusting("check -o json".to_owned()).await);
    assert!(found.contains(&"certificate-root-expired".to_owned()), "{found:?}");
    assert!(!found.contains(&"certificate-expired".to_owned()), "{found:?}");
}

#[tokio::test]
async fn prepare_issues_a_certificate_once_and_writes_the_ca_to_files() {
    let scene = Scene::new(Behaviour::default()).await;
    let folder = home(&scene.shell);
    prepare(&scene, "--tls issue --preview").await.expect(0).says("Install auth.example.com-ca.crt");
    assert!(!folder.join("auth.example.com-ca.key").exists(), "a preview wrote a file");
    prepare(&scene, "--tls issue").await.expect(0).says("auth.example.com-ca.key written.");
    let data = mas_secret(&scene).await.unwrap();
    std::fs::write(folder.join("leaf.crt"), &data["certificate"]).unwrap();
    openssl(&folder, &format!("verify -verify_hostname {HOST} -CAfile {HOST}-ca.crt leaf.crt")).await;
    assert!(!folder.join("auth.example.com.key").exists(), "the certificate's key belongs in the Secret alone");
    // Repeating keeps the certificate and creates no second CA.
    let ca = std::fs::read(folder.join("auth.example.com-ca.crt")).unwrap();
    let repeated = prepare(&scene, "--tls issue").await.expect(0);
    repeated.says("already has a certificate, which is kept").says("--replace certificate,privateKey");
    assert_eq!(mas_secret(&scene).await.unwrap(), data);
    // Renewing requires the flags of the CA, whose files are never overwritten.
    let again = "--tls issue --replace certificate";
    prepare(&scene, again).await.expect(2).says("--ca-certificate auth.example.com-ca.crt");
    let from_ca = format!("{again} --ca-certificate {HOST}-ca.crt --ca-private-key {HOST}-ca.key");
    let _ = prepare(&scene, &from_ca).await.expect(0);
    let renewed = mas_secret(&scene).await.unwrap();
    assert!(renewed["certificate"] != data["certificate"] && renewed["privateKey"] != data["privateKey"]);
    assert_eq!(renewed["encryptionSecret"], data["encryptionSecret"]);
    assert_eq!(std::fs::read(folder.join("auth.example.com-ca.crt")).unwrap(), ca);
}

#[tokio::test]
async fn an_inherited_certificate_is_read_from_the_global_secret() {
    let names = json!({"certFileSecretKey": "allCertificate", "privateKeySecretKey": "allKey"});
    let scene = with_tls(json!({"mode": "certfile", "certificate": names})).await;
    prepare(&scene, "").await.expect(0).says("global Secret chat-of-ours-global");
    // The global Secret gets a certificate for MAS's host.
    let _ = scene.shell.run(&format!("tls issue --host {HOST}")).await.expect(0);
    let read = |name: &str| std::fs::read_to_string(home(&scene.shell).join(name)).unwrap();
    let data =
        json!({"stringData": {"allCertificate": read("auth.example.com.crt"), "allKey": read("auth.example.com.key")}});
    secrets(&scene).patch("chat-of-ours-global", &PatchParams::default(), &Patch::Merge(&data)).await.unwrap();
    let _ = prepare(&scene, "").await.expect(0);
}

#[tokio::test]
async fn an_existing_secret_must_exist_and_have_the_right_type() {
    let scene = Scene::new(Behaviour::default()).await;
    prepare(&scene, "--tls existing --tls-secret wild").await.expect(0).says("Secret wild: the Secret doesn't exist");
    let _ = scene.shell.run(&format!("tls issue --host {HOST}")).await.expect(0);
    let read = |name: &str| std::fs::read_to_string(home(&scene.shell).join(name)).unwrap();
    let make = |name: &str, kind: &str| -> Secret {
        serde_json::from_value(json!({"metadata": {"name": name}, "type": kind,
            "stringData": {"tls.crt": read("auth.example.com.crt"), "tls.key": read("auth.example.com.key")}}))
        .unwrap()
    };
    for secret in [make("opaque", "Opaque"), make("wild", "kubernetes.io/tls")] {
        secrets(&scene).create(&PostParams::default(), &secret).await.unwrap();
    }
    prepare(&scene, "--tls existing --tls-secret opaque").await.expect(10).says("the Secret's type is Opaque");
    let _ = prepare(&scene, "--tls existing --tls-secret wild").await.expect(0);
}

/// A minimal CRD of cert-manager's ClusterIssuer. No other test uses it on the shared server.
async fn install_cert_manager(client: &kube::Client) {
    let crd = json!({
        "metadata": {"name": "clusterissuers.cert-manager.io"},
        "spec": {"group": "cert-manager.io", "scope": "Cluster",
            "names": {"kind": "ClusterIssuer", "listKind": "ClusterIssuerList", "plural": "clusterissuers", "singular": "clusterissuer"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    let crd: CustomResourceDefinition = serde_json::from_value(crd).unwrap();
    Api::all(client.clone()).create(&PostParams::default(), &crd).await.unwrap();
}

fn issuers(client: kube::Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("cert-manager.io", "v1", "ClusterIssuer");
    Api::all_with(client, &ApiResource::from_gvk_with_plural(&kind, "clusterissuers"))
}

#[tokio::test]
async fn a_cluster_issuer_must_exist_and_be_ready() {
    let scene = Scene::new(Behaviour::default()).await;
    let certmanager = "--tls certmanager --issuer letsencrypt";
    let _ = prepare(&scene, certmanager).await.expect(0);
    let client = scene.namespace.client().unwrap();
    install_cert_manager(&client).await;
    let api = issuers(client);
    for _ in 0..200 {
        if api.list(&ListParams::default()).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    prepare(&scene, certmanager).await.expect(10).says("ClusterIssuer letsencrypt: the issuer doesn't exist");
    let object =
        json!({"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": {"name": "letsencrypt"}});
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
    let state = async |status: &str| {
        let conditions = json!([{"type": "Ready", "status": status, "message": "no account"}]);
        let patch = Patch::Merge(json!({"status": {"conditions": conditions}}));
        api.patch_status("letsencrypt", &PatchParams::default(), &patch).await.unwrap();
    };
    state("False").await;
    prepare(&scene, certmanager).await.expect(11).says("no account");
    let _ = prepare(&scene, &format!("{certmanager} --accept cluster-issuer")).await.expect(0);
    state("True").await;
    let _ = prepare(&scene, certmanager).await.expect(0);
}

#[tokio::test]
async fn an_unreadable_certificate_is_unknown_and_never_ok() {
    let scene = Scene::new(Behaviour::default()).await;
    let rule = PolicyRule {
        api_groups: Some(vec!["matrix.element.io".to_owned()]),
        resources: Some(vec!["elementdeployments".to_owned()]),
        verbs: vec!["get".to_owned(), "list".to_owned()],
        ..PolicyRule::default()
    };
    let user = scene.namespace.user("nobody-much", vec![rule]).await.unwrap();
    let shell = Shell::with_kubeconfig(&user.kubeconfig);
    let done = prepare_in(&shell, &scene, "--tls existing --tls-secret wild").await.expect(10);
    done.says("certificate-unknown").says("you don't have these permissions: get secrets/chat-of-ours-mas");
    // A caller with all other permissions can accept the unknown.
    let user = scene.namespace.user("operations", crate::common::roles::role()).await.unwrap();
    let shell = Shell::with_kubeconfig(&user.kubeconfig);
    let done = prepare_in(&shell, &scene, "--tls existing --tls-secret wild").await.expect(11);
    done.says("certificate-unknown");
}

#[tokio::test]
async fn an_invalid_certificate_blocks_dry_run_and_activate_and_a_weak_one_needs_acceptance() {
    let scene = Scene::new(Behaviour::default()).await;
    let folder = home(&scene.shell);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    for host in [HOST, "other.example.com"] {
        let _ = scene.shell.run(&format!("tls issue --host {host}")).await.expect(0);
    }
    let put = async |chain: String, key: String| {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "wild"}, "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": chain, "tls.key": key}});
        let params = PatchParams::apply("somebody").force();
        secrets(&scene).patch("wild", &params, &Patch::Apply(secret)).await.unwrap();
    };
    prepare(&scene, "--tls existing --tls-secret wild").await.expect(0).says("the Secret doesn't exist");
    let before = scene.versions().await;
    scene.shell.run("dry-run --yes --accept certificate-missing").await.expect(10).says("certificate-missing");
    put(read("other.example.com.crt"), read("other.example.com.key")).await;
    scene.shell.run("dry-run --yes").await.expect(10).says("certificate-host-mismatch").says("nothing was changed");
    // Without the intermediates: not all clients fetch them.
    let chain = read("auth.example.com.crt");
    let leaf = format!("{}-----END CERTIFICATE-----\n", chain.split("-----END CERTIFICATE-----").next().unwrap());
    put(leaf, read("auth.example.com.key")).await;
    scene.shell.run("dry-run --yes").await.expect(11).says("--accept certificate-chain-incomplete");
    let mut after = scene.versions().await;
    after.remove("secret/wild");
    assert_eq!(after, before);
    let _ = scene.shell.run("dry-run --yes --accept certificate-chain-incomplete").await.expect(0);
    scene.activate().await.expect(11).says("--accept certificate-chain-incomplete");
    put(read("other.example.com.crt"), read("other.example.com.key")).await;
    scene.activate().await.expect(10).says("certificate-host-mismatch");
    // `abort` doesn't check the certificate.
    let _ = scene.shell.run("abort --yes").await.expect(0);
    put(chain, read("auth.example.com.key")).await;
    let _ = scene.activate().await.expect(0);
}

/// Other checks already read MAS's Secret and the global Secret.
#[tokio::test]
async fn checking_the_certificate_takes_at_most_one_additional_request() {
    for (words, more) in [("", 0), ("--tls certfile", 0), ("--tls existing --tls-secret wild", 1)] {
        let scene = Scene::new(Behaviour::default()).await;
        let folder = home(&scene.shell);
        let _ = scene.shell.run(&format!("tls issue --host {HOST}")).await.expect(0);
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let wild: Secret = serde_json::from_value(json!({"metadata": {"name": "wild"}, "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": read("auth.example.com.crt"), "tls.key": read("auth.example.com.key")}}))
        .unwrap();
        secrets(&scene).create(&PostParams::default(), &wild).await.unwrap();
        let given = format!("--certificate {HOST}.crt --private-key {HOST}.key");
        let words = if words.contains("certfile") { format!("{words} {given}") } else { words.to_owned() };
        let _ = prepare(&scene, &words).await.expect(0);
        let proxy = Proxy::start(&scene.namespace).await.unwrap();
        proxy.pass();
        let shell = Shell::with_kubeconfig(&proxy.kubeconfig());
        let _ = shell.run("dry-run --yes --wait=false").await.expect(0);
        // Other checks read the other components' Secrets.
        let of_mas = |address: &str| address.contains("/secrets/chat-of-ours-mas") || address.contains("/secrets/wild");
        let secrets = proxy.log().iter().filter(|request| of_mas(&request.address)).count();
        let global = proxy.log().iter().filter(|request| request.address.contains("-global")).count();
        assert_eq!(global, 1, "{words}: {:?}", proxy.log());
        assert_eq!(secrets, 1 + more, "{words}: {:?}", proxy.log());
    }
}
