//! `prepare`: the Secret, the settings, and its guarantees.

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::json;

use crate::common::scene::{PASSWORD, Scene};

#[tokio::test]
async fn generated_secrets_are_valid_for_mas_and_are_kept() {
    let scene = Scene::new(Behaviour::default()).await;
    let before = scene.object().await;
    let done = scene.prepare_with(&[], &format!("{PASSWORD}\n")).await.expect(0);
    done.says("trailing newline").shows("https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0");
    done.shows("https://matrix.example.com/_synapse/client/oidc/callback").shows("CREATE DATABASE \"mas\"");
    let secret = scene.mas_secret().await;
    assert_eq!(secret.keys().collect::<Vec<_>>(), ["encryptionSecret", "postgresPassword", "rsaPrivateKey"]);
    assert_eq!(secret["encryptionSecret"].len(), 64);
    assert!(secret["encryptionSecret"].iter().all(u8::is_ascii_hexdigit));
    let pem = std::str::from_utf8(&secret["rsaPrivateKey"]).unwrap();
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(pem).unwrap();
    assert!(key.n().bits() >= 2048);
    assert_eq!(secret["postgresPassword"], PASSWORD.as_bytes());
    // The ElementDeployment is unchanged, including its resourceVersion.
    assert_eq!(scene.object().await["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);

    let versions = scene.versions().await;
    let again = scene.prepare_with(&[], "another password\n").await.expect(0);
    again.says("kept").says("--replace postgresPassword");
    assert_eq!(scene.mas_secret().await, secret);
    assert_eq!(scene.versions().await, versions, "the same settings again write nothing");
}

#[tokio::test]
async fn no_secret_value_is_shown_from_prepare_to_activate() {
    let scene = Scene::new(Behaviour::default().activation(Outcome::fail("a lock"))).await;
    let mut outputs = vec![scene.prepare_with(&["-vvv"], &format!("{PASSWORD}\n")).await.expect(0)];
    let secret = scene.mas_secret().await;
    for (line, code) in [
        ("prepare --preview -vvv --replace rsaPrivateKey", 0),
        ("dry-run --preview -vvv", 0),
        ("dry-run --yes -vvv", 0),
        // The hosts of the example don't resolve.
        ("check -vvv", 11),
        ("check -o json -vvv", 11),
        ("status -o yaml -vvv", 0),
        ("activate --confirm chat-of-ours --backup shelf -vvv -o json", 1),
        ("abort --yes -vvv", 0),
    ] {
        outputs.push(scene.shell.run(line).await.expect(code));
    }
    let mut texts: Vec<String> = outputs.iter().flat_map(|one| [one.stdout.clone(), one.stderr.clone()]).collect();
    texts.push(scene.record_text().await.unwrap());
    texts.push(scene.object().await.to_string());
    for file in scene.shell.failure_files() {
        texts.push(std::fs::read_to_string(file).unwrap());
    }
    let mut values: Vec<String> = scene.deployment.secret_values();
    values.push(PASSWORD.to_owned());
    values.push(String::from_utf8(secret["encryptionSecret"].clone()).unwrap());
    // A line from the middle of the key.
    let pem = String::from_utf8(secret["rsaPrivateKey"].clone()).unwrap();
    values.push(pem.lines().nth(10).unwrap().to_owned());
    for value in values {
        let forms = [value.clone(), base64(value.as_bytes())];
        for text in &texts {
            assert!(!forms.iter().any(|form| text.contains(form.as_str())), "{value:?} is in\n{text}");
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    let text = serde_json::to_value(k8s_openapi::ByteString(bytes.to_vec())).unwrap();
    text.as_str().unwrap().trim_end_matches('=').to_owned()
}

#[tokio::test]
async fn missing_keys_are_added_to_an_existing_secret() {
    let scene = Scene::new(Behaviour::default()).await;
    let value = "3f9ac1d27be4560819f0e2d4c6b8a7935d1e0f2c4b6a89786543210fedcba987";
    let there: Secret = serde_json::from_value(json!({
        "metadata": {"name": "vault-made", "labels": {"team": "chat"}},
        "stringData": {"encryptionSecret": value, "other": "thing"},
    }))
    .unwrap();
    scene.secrets().create(&PostParams::default(), &there).await.unwrap();
    scene.prepare_with(&["--secret-name", "vault-made"], "pw\n").await.expect(0).says("kept").says("updated");
    let secret = scene.secrets().get("vault-made").await.unwrap();
    let data = secret.data.unwrap();
    assert_eq!(data["encryptionSecret"].0, value.as_bytes());
    assert_eq!(data["other"].0, b"thing");
    assert_eq!(data["postgresPassword"].0, b"pw");
    assert!(data.contains_key("rsaPrivateKey"));
    assert_eq!(secret.metadata.labels.unwrap()["team"], "chat");
    assert!(scene.secrets().get_opt("chat-of-ours-mas").await.unwrap().is_none());
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let object = scene.object().await;
    assert_eq!(object["spec"]["components"]["matrixAuthenticationService"]["secretName"], "vault-made");
}

#[tokio::test]
async fn bad_input_is_wrong_usage_and_changes_nothing() {
    let scene = Scene::new(Behaviour::default()).await;
    let file = |name: &str, content: &str| scene.shell.file(name, content);
    let short = file("short", "abcd");
    let ec = file("ec", &rcgen::KeyPair::generate().unwrap().serialize_pem());
    let text = file("text", "not a key");
    let empty = file("empty", "");
    let lines = file("lines", "two\nlines\n");
    let mark = file("mark", "\u{feff}canary\r\n");
    let before = scene.versions().await;
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["--host", "https://auth.example.com"], "is a URL"),
        (vec!["--host", "https://user:canary@auth.example.com/"], "is a URL"),
        (vec!["--database-host", "pg.example.com:5432"], "--database-port"),
        (vec!["--database-host", "postgres://user:canary@pg.example.com/mas"], "--database-name"),
        (vec!["--database-host", "[2001:db8::1]"], "without brackets"),
        (vec!["--database-host", "pg canary"], "Enter only the host"),
        (vec!["--host", "auth.example.com:8443"], "contains a port"),
        (vec!["--host", "192.0.2.1"], "is an IP address"),
        (vec!["--host", "auth"], "has no domain"),
        (vec!["--host", "a_b.example.com"], "is not a DNS name"),
        (vec!["--database-name", "two words"], "--database-name"),
        (vec!["--database-port", "0"], "--database-port"),
        (vec!["--database-port", "70000"], "--database-port"),
        (vec!["--secret-name", "Not_A_Name"], "--secret-name"),
        (vec!["--encryption-secret-file", &short], "--encryption-secret-file"),
        (vec!["--rsa-private-key-file", &ec], "--rsa-private-key-file"),
        (vec!["--rsa-private-key-file", &text], "--rsa-private-key-file"),
        (vec!["--rsa-private-key-file", "absent.pem"], "can't read absent.pem"),
        (vec!["--rsa-private-key-file", "-"], "pass - to only one flag"),
        (vec!["--database-password-file", &empty], "--database-password-file"),
        (vec!["--database-password-file", &lines], "--database-password-file"),
        (vec!["--database-password-file", &mark], "byte order mark"),
        (vec!["--tls", "certmanager"], "--issuer"),
        (vec!["--tls", "existing"], "--tls-secret"),
        (vec!["--tls", "external", "--issuer", "le"], "--issuer requires"),
        (vec!["--tls", "certfile"], "--certificate"),
        (vec!["--tls", "sideways"], "sideways"),
        (vec!["--replace", "encryptionKey"], "encryptionKey"),
    ];
    for (more, why) in cases {
        let (flag, mut words) = (more[0], vec!["prepare", "--yes"]);
        for pair in [
            ["--host", "auth.example.com"],
            ["--database-host", "pg.example.com"],
            ["--database-name", "mas"],
            ["--database-user", "mas"],
            ["--database-password-file", "-"],
        ] {
            if pair[0] != flag {
                words.extend(pair);
            }
        }
        words.extend(&more);
        let done = scene.shell.run_words(&words, Some("pw\n")).await.expect(2);
        done.says(why);
        assert!(!done.stderr.contains("Error {") && !done.stderr.contains("os error"), "{done}");
        done.is_silent_about("canary");
        assert_eq!(scene.versions().await, before, "{done}");
    }
    let done = scene.shell.run("prepare --yes").await.expect(2);
    done.says("--host").says("--database-host").says("--database-name").says("--database-user");
    assert_eq!(scene.versions().await, before);
}

#[tokio::test]
async fn prepare_preview_writes_nothing() {
    let scene = Scene::new(Behaviour::default()).await;
    let before = scene.versions().await;
    let done = scene.prepare_with(&["--preview"], "canary-preview\n").await.expect(0);
    done.says("will be created").says("nothing was written").is_silent_about("canary-preview");
    assert_eq!(scene.versions().await, before);
    // Without a terminal, --yes is required.
    let words = scene.prepare_words();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "--yes").collect();
    scene.shell.run_words(&words, Some("pw\n")).await.expect(2).says("--yes");
    assert_eq!(scene.versions().await, before);
}

#[tokio::test]
async fn an_encryption_secret_cannot_be_replaced_once_mas_has_been_deployed() {
    let scene = Scene::new(Behaviour::default()).await;
    let value = "3f9ac1d27be4560819f0e2d4c6b8a7935d1e0f2c4b6a89786543210fedcba987";
    let other = scene.shell.file("other", value);
    let replace = ["--replace", "encryptionSecret", "--encryption-secret-file", &other];
    scene.prepare().await;
    scene.prepare_with(&replace, "pw").await.expect(0).says("replaced");
    assert_eq!(scene.mas_secret().await["encryptionSecret"], value.as_bytes());
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let before = scene.versions().await;
    scene.prepare_with(&replace, "pw").await.expect(2).says("cannot be replaced").says("nothing was changed");
    assert_eq!(scene.versions().await, before);
    // Another key can be replaced, which invalidates the dry run.
    scene.prepare_with(&["--replace", "postgresPassword"], "new one").await.expect(0).says("replaced");
    assert_eq!(scene.mas_secret().await["postgresPassword"], b"new one");
    scene.activate().await.expect(10).says("postgresPassword");
}

#[tokio::test]
async fn the_api_server_accepts_every_tls_mode() {
    let scene = Scene::new(Behaviour::default()).await;
    let _ = scene.shell.run("tls issue --host auth.example.com").await.expect(0);
    let (certificate, private_key) = ("auth.example.com.crt", "auth.example.com.key");
    let read = |name: &str| std::fs::read_to_string(scene.shell.home().join(name)).unwrap();
    let tls: Secret = serde_json::from_value(json!({"metadata": {"name": "auth-tls"}, "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": read(certificate), "tls.key": read(private_key)}}))
    .unwrap();
    scene.secrets().create(&PostParams::default(), &tls).await.unwrap();
    let modes: [(&[&str], serde_json::Value); 5] = [
        (&["--tls", "external"], json!({"mode": "external"})),
        (&["--tls", "certmanager", "--issuer", "le"], json!({"mode": "certmanager", "certmanager": {"issuer": "le"}})),
        (&["--tls", "existing", "--tls-secret", "auth-tls"], json!({"mode": "existing", "secretName": "auth-tls"})),
        (
            &["--tls", "certfile", "--certificate", certificate, "--private-key", private_key],
            json!({"mode": "certfile",
                   "certificate": {"certFileSecretKey": "certificate", "privateKeySecretKey": "privateKey"}}),
        ),
        (&["--tls", "external"], json!({"mode": "external"})),
    ];
    for (more, expected) in modes {
        let _ = scene.prepare_with(more, "pw\n").await.expect(0);
        let _ = scene.shell.run("dry-run --yes").await.expect(0);
        let object = scene.object().await;
        assert_eq!(object["spec"]["components"]["matrixAuthenticationService"]["k8s"]["ingress"]["tls"], expected);
    }
    let secret = scene.mas_secret().await;
    assert!(secret["certificate"].starts_with(b"-----BEGIN CERTIFICATE-----"));
    assert!(secret["privateKey"].starts_with(b"-----BEGIN PRIVATE KEY-----"));
}

#[tokio::test]
async fn concurrent_prepares_end_up_with_one_encryption_secret() {
    let scene = Scene::new(Behaviour::default()).await;
    let one = || scene.prepare_with(&[], "the same password\n");
    let all = tokio::join!(one(), one(), one());
    for done in [all.0, all.1, all.2] {
        let _ = done.expect(0);
    }
    let secret = scene.mas_secret().await;
    let _ = scene.prepare_with(&[], "the same password\n").await.expect(0);
    assert_eq!(scene.mas_secret().await, secret);
}

#[tokio::test]
async fn an_unusable_secret_is_reported_and_not_changed() {
    let scene = Scene::new(Behaviour::default()).await;
    for (name, data, immutable, why) in [
        ("spoilt", json!({"encryptionSecret": "canary-too-short"}), false, "encryptionSecret"),
        ("frozen", json!({"postgresPassword": "canary-frozen"}), true, "immutable"),
    ] {
        let there = json!({"metadata": {"name": name}, "stringData": data, "immutable": immutable});
        let there: Secret = serde_json::from_value(there).unwrap();
        scene.secrets().create(&PostParams::default(), &there).await.unwrap();
        let before = scene.versions().await;
        let done = scene.prepare_with(&["--secret-name", name], "pw").await.expect(1);
        done.says(why).says("nothing was changed").is_silent_about("canary");
        assert_eq!(scene.versions().await, before);
    }
}

#[tokio::test]
async fn a_lost_encryption_secret_must_be_restored_and_is_never_regenerated() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let name = scene.deployment.mas_secret_name();
    let ours = scene.mas_secret().await["encryptionSecret"].clone();
    let print = ess_mas::secrets::EncryptionSecret::parse(&ours).unwrap().fingerprint().to_string();
    let other = "3f9ac1d27be4560819f0e2d4c6b8a7935d1e0f2c4b6a89786543210fedcba987";
    scene.shell.file("ours", std::str::from_utf8(&ours).unwrap());
    scene.shell.file("other", other);
    scene.secrets().delete(&name, &kube::api::DeleteParams::default()).await.unwrap();
    let before = scene.versions().await;
    for more in [&[][..], &["--encryption-secret-file", "other"], &["--secret-name", "another"], &["--preview"]] {
        let done = scene.prepare_with(more, "pw").await.expect(10);
        done.says(&print).says("Restore").says("nothing was changed").is_silent_about(other);
        assert_eq!(scene.versions().await, before);
    }
    let check = scene.shell.run("check -o json").await.expect(10);
    check.shows("encryption-secret-lost").shows(&print).is_silent_about("the Secret doesn't exist");
    scene.shell.run("dry-run --yes").await.expect(10).says("encryption-secret-lost");
    // A controller writes another value.
    let reset = json!({"metadata": {"name": name}, "stringData": {"encryptionSecret": other}});
    let reset: Secret = serde_json::from_value(reset).unwrap();
    scene.secrets().create(&PostParams::default(), &reset).await.unwrap();
    scene.prepare_with(&[], "pw").await.expect(10).says(&print).says("--replace encryptionSecret");
    scene.shell.run("dry-run --yes").await.expect(10).says(&print);
    let back = ["--encryption-secret-file", "ours", "--replace", "encryptionSecret"];
    scene.prepare_with(&back, "pw").await.expect(0).says("replaced");
    assert_eq!(scene.mas_secret().await["encryptionSecret"], ours);
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
}

#[tokio::test]
async fn writing_to_a_secret_that_a_controller_manages_needs_acceptance() {
    let scene = Scene::new(Behaviour::default()).await;
    let case: serde_json::Value = serde_json::from_str(include_str!("../../texts/external-secret-owned.json")).unwrap();
    let mut there = case.clone();
    there["metadata"] = json!({"name": scene.deployment.mas_secret_name(), "labels": case["metadata"]["labels"],
        "annotations": case["metadata"]["annotations"], "ownerReferences": case["metadata"]["ownerReferences"]});
    let there: Secret = serde_json::from_value(there).unwrap();
    scene.secrets().create(&PostParams::default(), &there).await.unwrap();
    let before = scene.versions().await;
    scene.shell.run("check -o json").await.shows("mas-secret-managed").shows("ExternalSecret mas");
    scene.prepare_with(&[], "pw").await.expect(11).says("ExternalSecret mas").says("--accept mas-secret-managed");
    assert_eq!(scene.versions().await, before);
    let _ = scene.prepare_with(&["--accept", "mas-secret-managed"], "pw").await.expect(0);
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
}

#[tokio::test]
async fn a_password_that_saslprep_changes_causes_a_warning() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.prepare_with(&[], "pass\u{a0}word").await.expect(0).says("SASLprep").says("ASCII letters and digits");
    assert_eq!(scene.mas_secret().await["postgresPassword"], "pass\u{a0}word".as_bytes());
}

#[tokio::test]
async fn a_new_secret_name_keeps_the_encryption_secret_of_a_deployed_mas() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let before = scene.versions().await;
    let done = scene.prepare_with(&["--secret-name", "another"], "pw").await.expect(2);
    done.says("cannot change").says("chat-of-ours-mas").says("othing was changed");
    assert_eq!(scene.versions().await, before);
    // Another Secret with the same encryption secret is accepted.
    let copy = json!({"metadata": {"name": "another"}, "data": {
        "encryptionSecret": k8s_openapi::ByteString(scene.mas_secret().await["encryptionSecret"].clone())}});
    let copy: Secret = serde_json::from_value(copy).unwrap();
    scene.secrets().create(&PostParams::default(), &copy).await.unwrap();
    let _ = scene.prepare_with(&["--secret-name", "another"], "pw").await.expect(0);
    // The checks use the new Secret, not the deployed one.
    let drop_key = Patch::Merge(json!({"data": {"rsaPrivateKey": null}}));
    scene.secrets().patch("another", &PatchParams::default(), &drop_key).await.unwrap();
    scene.shell.run("dry-run --yes").await.expect(10).says("Secret another").says("rsaPrivateKey");
    let _ = scene.prepare_with(&["--secret-name", "another"], "pw").await.expect(0);
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}

#[tokio::test]
async fn repeating_prepare_keeps_the_dry_run_valid() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let before = scene.versions().await;
    scene.shell.run("prepare --yes").await.expect(0).says("kept").shows("upstream/callback");
    assert_eq!(scene.versions().await, before);
    let _ = scene.activate().await.expect(0);
}

/// Vaults may write the same values periodically.
#[tokio::test]
async fn rewriting_the_secret_with_identical_values_keeps_the_dry_run_valid() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let name = scene.deployment.mas_secret_name();
    let mut secret = scene.secrets().get(&name).await.unwrap();
    secret.metadata.managed_fields = None;
    secret.metadata.labels = Some([("vault".to_owned(), "yes".to_owned())].into());
    let written = scene.secrets().replace(&name, &PostParams::default(), &secret).await.unwrap();
    assert_ne!(written.metadata.resource_version, secret.metadata.resource_version);
    // Even if the Secret is recreated.
    scene.secrets().delete(&name, &kube::api::DeleteParams::default()).await.unwrap();
    secret.metadata = kube::api::ObjectMeta { name: Some(name), ..kube::api::ObjectMeta::default() };
    scene.secrets().create(&PostParams::default(), &secret).await.unwrap();
    let check = scene.shell.run("check -o json").await;
    check.shows("the dry run passed for the current spec and Secret");
    assert_eq!(check.open_findings(), Vec::<String>::new(), "{check}");
    let _ = scene.activate().await.expect(0);
}

#[tokio::test]
async fn a_replaced_value_is_shown_as_fingerprints_and_needs_a_new_dry_run() {
    let scene = Scene::new(Behaviour::default()).await;
    scene.dry_run().await;
    let done = scene.prepare_with(&["--replace", "rsaPrivateKey"], "pw").await.expect(0);
    done.says(" -> sha256:").says("Repeat the dry run");
    scene.activate().await.expect(10).says("rsaPrivateKey");
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let _ = scene.activate().await.expect(0);
}

#[tokio::test]
async fn a_guessable_encryption_secret_must_be_accepted() {
    let scene = Scene::new(Behaviour::default()).await;
    let zeros: Secret = serde_json::from_value(json!({
        "metadata": {"name": scene.deployment.mas_secret_name()}, "stringData": {"encryptionSecret": "0".repeat(64)}}))
    .unwrap();
    scene.secrets().create(&PostParams::default(), &zeros).await.unwrap();
    scene.prepare_with(&[], "pw").await.expect(0).says("is not random").says("--replace encryptionSecret");
    scene.shell.run("dry-run --yes").await.expect(11).says("--accept encryption-secret-weak");
    let _ = scene.prepare_with(&["--replace", "encryptionSecret"], "pw").await.expect(0);
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
}
