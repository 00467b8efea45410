//! Certificates as files, in Secrets and as they are served; what others (openssl) make of them; and what `prepare` does with
//! them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::plugin::{Done, Shell, finish};
use crate::scene::Scene;

const HOST: &str = "auth.example.com";

/// A shell without any cluster: what only makes files needs none.
fn nowhere() -> Shell {
    Shell::with_kubeconfig(Path::new("none.kubeconfig"))
}

/// The folder that a shell's commands run in.
fn home(shell: &Shell) -> PathBuf {
    shell.state().parent().unwrap().to_owned()
}

async fn openssl(folder: &Path, words: &str) -> String {
    let done = Command::new("openssl").args(words.split_whitespace()).current_dir(folder).output().await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "openssl {words}\n{text}");
    text
}

fn codes(done: &Done) -> Vec<String> {
    let report = done.json();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// openssl's TLS server with the files of [`HOST`] in `folder`, and its port.
async fn serve(folder: &Path) -> (Child, u16) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let words =
        format!("s_server -quiet -accept 127.0.0.1:{port} -cert {HOST}.crt -cert_chain {HOST}-ca.crt -key {HOST}.key");
    let server = Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return (server, port);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("openssl s_server does not answer");
}

#[tokio::test]
async fn an_issued_certificate_is_good_to_openssl_and_to_tls_check_and_the_keys_are_private() {
    for key_type in ["p256", "rsa2048"] {
        let shell = nowhere();
        let done = shell.run(&format!("tls issue --host {HOST} --key-type {key_type} -o json")).await.expect(0);
        let report = done.json();
        let paths: Vec<_> = report["files"].as_array().unwrap().iter().map(|file| file["path"].clone()).collect();
        assert_eq!(
            paths,
            ["auth.example.com.crt", "auth.example.com.key", "auth.example.com-ca.crt", "auth.example.com-ca.key"]
        );
        let folder = home(&shell);
        openssl(
            &folder,
            &format!("verify -purpose sslserver -verify_hostname {HOST} -CAfile {HOST}-ca.crt {HOST}.crt"),
        )
        .await;
        let key = openssl(&folder, &format!("pkey -in {HOST}.key -noout -text")).await;
        assert!(key.contains(if key_type == "p256" { "NIST CURVE: P-256" } else { "2048 bit" }), "{key}");
        #[cfg(unix)]
        for file in ["auth.example.com.key", "auth.example.com-ca.key"] {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(folder.join(file)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        // The fingerprints are those that openssl shows.
        let shown = report["files"][0]["fingerprint"].as_str().unwrap().trim_start_matches("sha256:");
        let theirs = openssl(&folder, &format!("x509 -in {HOST}.crt -noout -fingerprint -sha256")).await;
        assert_eq!(theirs.trim().rsplit('=').next().unwrap().replace(':', "").to_lowercase(), shown);
        let line = format!("tls check --host {HOST} --certificate {HOST}.crt --private-key {HOST}.key -o json");
        assert_eq!(codes(&shell.run(&line).await.expect(0)), ["certificate"]);
        done.says("Install auth.example.com-ca.crt").says("auth.example.com-ca.key offline");
        for file in [&done.stdout, &done.stderr] {
            assert!(!file.contains("PRIVATE KEY"), "a key is shown");
        }
    }
}

#[tokio::test]
async fn files_that_are_there_are_replaced_with_force_only() {
    let shell = nowhere();
    shell.run(&format!("tls issue --host {HOST}")).await.expect(0).says("until");
    let key = home(&shell).join("auth.example.com.key");
    let first = std::fs::read(&key).unwrap();
    shell.run(&format!("tls issue --host {HOST}")).await.expect(2).says("--force");
    shell.run(&format!("tls request --host {HOST}")).await.expect(2).says("auth.example.com.key");
    assert!(!home(&shell).join("auth.example.com.csr").exists(), "half of it was written");
    assert_eq!(std::fs::read(&key).unwrap(), first);
    // From the same CA: what devices trust stays as it is.
    let ca = std::fs::read(home(&shell).join("auth.example.com-ca.crt")).unwrap();
    let line = format!("tls issue --host {HOST} --force --ca-certificate {HOST}-ca.crt --ca-private-key {HOST}-ca.key");
    let _ = shell.run(&line).await.expect(0);
    assert_ne!(std::fs::read(&key).unwrap(), first);
    assert_eq!(std::fs::read(home(&shell).join("auth.example.com-ca.crt")).unwrap(), ca);
    openssl(&home(&shell), &format!("verify -CAfile {HOST}-ca.crt {HOST}.crt")).await;
}

#[tokio::test]
async fn a_request_signed_by_a_companys_ca_is_good() {
    let shell = nowhere();
    let folder = home(&shell);
    shell
        .run(&format!("tls request --host {HOST}"))
        .await
        .expect(0)
        .says("prepare --host auth.example.com --tls certfile");
    openssl(&folder, &format!("req -in {HOST}.csr -verify -noout")).await;
    openssl(&folder, "req -x509 -newkey rsa:2048 -nodes -keyout co.key -out co.crt -days 20 -subj /CN=Company -addext keyUsage=critical,keyCertSign").await;
    openssl(&folder, &format!("x509 -req -in {HOST}.csr -CA co.crt -CAkey co.key -CAcreateserial -days 90 -copy_extensions copyall -out leaf.crt")).await;
    let leaf = std::fs::read_to_string(folder.join("leaf.crt")).unwrap();
    let chain = leaf.clone() + &std::fs::read_to_string(folder.join("co.crt")).unwrap();
    std::fs::write(folder.join("chain.crt"), chain).unwrap();
    let check = |file: &str| format!("tls check --host {HOST} --certificate {file} --private-key {HOST}.key -o json");
    let done = shell.run(&check("chain.crt")).await.expect(11);
    assert_eq!(codes(&done), ["certificate-expires-soon"], "the CA has 20 days left");
    let done = shell.run(&check("leaf.crt")).await.expect(11);
    assert_eq!(codes(&done), ["certificate-chain-incomplete"]);
    let wrong = format!("tls check --host {HOST} --certificate leaf.crt --private-key co.key -o json");
    assert!(codes(&shell.run(&wrong).await.expect(10)).contains(&"certificate-key-mismatch".to_owned()));
}

#[tokio::test]
async fn what_is_served_is_judged_and_so_is_who_trusts_it() {
    let shell = nowhere();
    let _ = shell.run(&format!("tls issue --host {HOST}")).await.expect(0);
    let folder = home(&shell);
    let (_server, port) = serve(&folder).await;
    let live = format!("tls check --host {HOST} --live --resolve {HOST}:{port}:127.0.0.1 -o json");
    let done = shell.run(&format!("{live} --ca-certificate {HOST}-ca.crt")).await.expect(0);
    assert_eq!(codes(&done), ["certificate", "certificate-trust"]);
    // The system's CAs, by the variable that names them.
    for (roots, code) in [(format!("{HOST}-ca.crt"), 0), ("other.crt".to_owned(), 11)] {
        openssl(&folder, "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.crt -days 30 -subj /CN=Other")
            .await;
        let mut command = shell.command(live.split_whitespace());
        command.env("SSL_CERT_FILE", folder.join(roots));
        let done = finish(command.spawn().unwrap(), live.clone()).await.expect(code);
        assert!(codes(&done).contains(&"certificate-trust".to_owned()));
    }
    let done = shell.run(&format!("{live} --ca-certificate other.crt")).await.expect(10);
    assert_eq!(codes(&done), ["certificate-trust", "certificate"]);
    let wrong = format!("tls check --host mas.example.com --live --resolve mas.example.com:{port}:127.0.0.1 -o json");
    let done = shell.run(&format!("{wrong} --ca-certificate {HOST}-ca.crt")).await.expect(10);
    assert_eq!(codes(&done)[0], "certificate-host-mismatch");
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_not_known_and_never_fine() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let line = format!("tls check --host {HOST} --live --resolve {HOST}:{port}:127.0.0.1 -o json");
    let done = nowhere().run(&line).await.expect(11);
    assert_eq!(done.json()["findings"][0]["severity"], "unknown");
}

/// Runs `prepare` with everything that it needs, and with these words.
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
async fn a_certificate_that_is_not_for_the_host_is_not_written() {
    let scene = Scene::new(Behaviour::default()).await;
    let _ = scene.shell.run("tls issue --host other.example.com").await.expect(0);
    let files = "--tls certfile --certificate other.example.com.crt --private-key other.example.com.key";
    prepare(&scene, files).await.expect(10).says("certificate-host-mismatch");
    prepare(&scene, "--tls certfile").await.expect(2).says("needs a certificate and its private key");
    let without_mode = files.trim_start_matches("--tls certfile");
    prepare(&scene, without_mode).await.expect(2).says("go with --tls certfile");
    assert_eq!(mas_secret(&scene).await, None);
}

#[tokio::test]
async fn a_good_certificate_goes_into_the_secret_in_one_form_is_kept_and_replaced_by_name_only() {
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
    prepare(&scene, &next).await.expect(0).says("kept as it is in the cluster");
    assert_eq!(mas_secret(&scene).await.unwrap()["certificate"], chain);
    // Half of a pair would take MAS's ingress down.
    prepare(&scene, &format!("{next} --replace certificate")).await.expect(10).says("certificate-key-mismatch");
    let done = prepare(&scene, &format!("{next} --replace certificate,privateKey")).await.expect(0);
    assert!(done.stderr.contains(" -> sha256:"), "{done}");
    assert_eq!(mas_secret(&scene).await.unwrap()["certificate"], read("auth.example.com.crt"));
    // What was put there is looked at by the other commands too.
    let secret = scene.deployment.mas_secret_name();
    let look = format!("tls check --host {HOST} --secret {secret} -o json");
    assert_eq!(codes(&scene.shell.run(&look).await.expect(0)), ["certificate"]);
    assert!(codes(&scene.shell.run("check -o json").await).contains(&"certificate".to_owned()));
}

#[tokio::test]
async fn prepare_issues_a_certificate_once_and_leaves_the_ca_with_the_person() {
    let scene = Scene::new(Behaviour::default()).await;
    let folder = home(&scene.shell);
    prepare(&scene, "--tls issue --preview").await.expect(0).says("Install auth.example.com-ca.crt");
    assert!(!folder.join("auth.example.com-ca.key").exists(), "a preview wrote a file");
    prepare(&scene, "--tls issue").await.expect(0).says("auth.example.com-ca.key written.");
    let data = mas_secret(&scene).await.unwrap();
    std::fs::write(folder.join("leaf.crt"), &data["certificate"]).unwrap();
    openssl(&folder, &format!("verify -verify_hostname {HOST} -CAfile {HOST}-ca.crt leaf.crt")).await;
    assert!(!folder.join("auth.example.com.key").exists(), "the certificate's key belongs in the Secret alone");
    // Again: what is there stays, and no second CA is made.
    let ca = std::fs::read(folder.join("auth.example.com-ca.crt")).unwrap();
    let _ = prepare(&scene, "--tls issue").await.expect(0);
    assert_eq!(mas_secret(&scene).await.unwrap(), data);
    // A new one from the same CA; without naming it, the CA's files are not overwritten.
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
async fn an_inherited_certificate_is_looked_up_where_the_operator_takes_it_from() {
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
async fn an_existing_secret_has_to_be_there_and_of_the_right_type() {
    let scene = Scene::new(Behaviour::default()).await;
    prepare(&scene, "--tls existing --tls-secret wild").await.expect(0).says("Secret wild: it does not exist");
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
    prepare(&scene, "--tls existing --tls-secret opaque").await.expect(10).says("its type is Opaque");
    let _ = prepare(&scene, "--tls existing --tls-secret wild").await.expect(0);
}

/// cert-manager's definition of a ClusterIssuer as far as it is looked at. No other test looks for one on the shared server.
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
async fn a_cluster_issuer_has_to_be_there_and_ready() {
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
    prepare(&scene, certmanager).await.expect(10).says("ClusterIssuer letsencrypt: it does not exist");
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
async fn what_may_not_be_read_is_not_known_and_never_fine() {
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
    done.says("certificate-unknown").says("you may not: get secrets/chat-of-ours-mas");
    // Whoever has all other rights may take it upon themselves.
    let user = scene.namespace.user("operations", crate::rbac::role()).await.unwrap();
    let shell = Shell::with_kubeconfig(&user.kubeconfig);
    let done = prepare_in(&shell, &scene, "--tls existing --tls-secret wild").await.expect(11);
    done.says("certificate-unknown");
}

/// A certificate that clients refuse shows at the latest when everybody has been locked out, so each step looks.
#[tokio::test]
async fn a_bad_certificate_stops_the_dry_run_and_the_activation_and_a_weak_one_has_to_be_accepted() {
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
    prepare(&scene, "--tls existing --tls-secret wild").await.expect(0).says("it does not exist");
    let before = scene.versions().await;
    scene.shell.run("dry-run --yes --accept certificate-missing").await.expect(10).says("certificate-missing");
    put(read("other.example.com.crt"), read("other.example.com.key")).await;
    scene.shell.run("dry-run --yes").await.expect(10).says("certificate-host-mismatch").says("nothing was changed");
    // The leaf alone: some clients fetch what is missing, others do not.
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
    // Going back hangs on no certificate.
    let _ = scene.shell.run("abort --yes").await.expect(0);
    put(chain, read("auth.example.com.key")).await;
    let _ = scene.activate().await.expect(0);
}

/// MAS's own Secret has been read by then, and the global one is read once however often the plan is made.
#[tokio::test]
async fn looking_at_the_certificate_costs_a_step_at_most_one_request() {
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
        // The other components' Secrets are read for reasons of their own.
        let of_mas = |address: &str| address.contains("/secrets/chat-of-ours-mas") || address.contains("/secrets/wild");
        let secrets = proxy.log().iter().filter(|request| of_mas(&request.address)).count();
        let global = proxy.log().iter().filter(|request| request.address.contains("-global")).count();
        assert_eq!(global, 1, "{words}: {:?}", proxy.log());
        assert_eq!(secrets, 1 + more, "{words}: {:?}", proxy.log());
    }
}

/// The program as it waits, to be looked at from outside.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_crash_would_put_no_keys_on_a_disk() {
    use std::os::unix::fs::MetadataExt as _;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let line = format!("tls check --host {HOST} --live --resolve {HOST}:{port}:127.0.0.1");
    let mut child = nowhere().command(line.split_whitespace()).spawn().unwrap();
    // Connected: the start lies behind it.
    let _connection = tokio::task::spawn_blocking(move || silent.accept().unwrap()).await.unwrap();
    let process = PathBuf::from(format!("/proc/{}", child.id().unwrap()));
    let limits = std::fs::read_to_string(process.join("limits")).unwrap();
    let core: Vec<_> =
        limits.lines().find(|line| line.starts_with("Max core")).unwrap().split_whitespace().skip(4).take(2).collect();
    assert_eq!(core, ["0", "0"], "{limits}");
    // A process that cannot be dumped belongs to root in /proc, whoever runs it; for root this shows nothing.
    assert_eq!(std::fs::metadata(process.join("environ")).unwrap().uid(), 0);
    child.kill().await.unwrap();
}
