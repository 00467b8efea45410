//! The exact exports. `tests/e2e/prepare/export_values.rs` parses them with Helm, kubectl and `PyYAML`.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::deployment::Deployment;
use crate::plan::{Database, MasSettings, SecretKeys, Tls};
use crate::secrets::SecretBytes;

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIB\nab==\n-----END PRIVATE KEY-----\n";

fn deployment(mas: Value) -> Deployment {
    let components = if mas.is_null() { json!({}) } else { json!({"matrixAuthenticationService": mas}) };
    Deployment::from_value(json!({
        "apiVersion": "matrix.element.io/v1alpha2",
        "metadata": {"name": "ess", "namespace": "chat", "uid": "u", "resourceVersion": "7"},
        "spec": {"components": components}}))
    .unwrap()
}

fn settings(tls: Tls) -> MasSettings {
    MasSettings {
        host: "auth.example.com".into(),
        database: Database { host: "pg".into(), port: 5432, name: "0777".into(), user: "yes".into(), ssl_mode: None },
        tls,
        secret_name: "ess-mas".into(),
    }
}

fn keys() -> SecretKeys {
    SecretKeys {
        encryption_secret: "encryptionSecret".into(),
        rsa_private_key: "rsaPrivateKey".into(),
        postgres_password: "postgresPassword".into(),
        certificate: "certificate".into(),
        private_key: "privateKey".into(),
    }
}

fn values(password: &str) -> Values {
    let value = |text: &str| SecretBytes::from(text.as_bytes());
    [("encryptionSecret", "12e4"), ("postgresPassword", password), ("rsaPrivateKey", PEM)]
        .map(|(key, text)| (key.to_owned(), value(text)))
        .into()
}

fn with<T>(mas: Value, tls: Tls, export: impl FnOnce(&Subject<'_>) -> T) -> T {
    let (deployment, settings, keys) = (deployment(mas), settings(tls), keys());
    export(&Subject { deployment: &deployment, settings: &settings, keys: &keys })
}

#[test]
fn helm_values_reference_the_secret_without_its_values() {
    let text = with(json!(null), Tls::Inherit, |subject| helm_values(subject, HelmSecrets::Existing("ess-mas"), None))
        .unwrap();
    insta::assert_snapshot!(text.expose(), @r#"
    # Pass this file after your own values: helm upgrade … -f VALUES -f THIS-FILE
    # If your own chart depends on ess-stack, move everything below the key ess-stack.
    # This file contains no secrets. Secret ess-mas must exist before the upgrade.
    secrets:
      matrixAuthenticationService:
        existingSecret: ess-mas
    components:
      matrixAuthenticationService:
        config:
          active: false
          postgresql:
            database: "0777"
            host: pg
            port: 5432
            user: "yes"
        k8s:
          ingress:
            fqdn: auth.example.com
    "#);
}

#[test]
fn inline_values_have_the_guides_structure_below_an_umbrella_charts_key() {
    let values = values("{{{ a: b #c }}");
    let text = with(json!(null), Tls::Certfile, |subject| {
        helm_values(subject, HelmSecrets::Inline(&values), Some("chat")).unwrap()
    });
    insta::assert_snapshot!(text.expose(), @r#"
    # Pass this file after your own values: helm upgrade … -f VALUES -f THIS-FILE
    # The values are below the key chat, as your umbrella chart expects for ess-stack.
    # This file contains secrets. Keep it: the encryption secret must never change once MAS uses it.
    chat:
      secrets:
        matrixAuthenticationService:
          content:
            encryptionSecret: "12e4"
            postgresPassword: "{{`{{`}}{ a: b #c }}"
            rsaPrivateKey: |
              -----BEGIN PRIVATE KEY-----
              MIIB
              ab==
              -----END PRIVATE KEY-----
      components:
        matrixAuthenticationService:
          config:
            active: false
            postgresql:
              database: "0777"
              host: pg
              port: 5432
              user: "yes"
          k8s:
            ingress:
              fqdn: auth.example.com
              tls:
                certificate:
                  certFileSecretKey: certificate
                  privateKeySecretKey: privateKey
                mode: certfile
    "#);
}

#[test]
fn manifests_are_a_patch_without_a_secret_and_a_secret() {
    let mas = json!({"k8s": {"ingress": {"tls": {"mode": "certmanager", "certmanager": {"issuer": "le"}}}}});
    let (patch, secret) =
        with(mas, Tls::External, |subject| (patch(subject, "mas.yaml"), secret(subject, &values("yes"))));
    insta::assert_snapshot!(patch, @r#"
    # Merge this patch into the manifest of the ElementDeployment. It contains no secrets.
    # kustomize:  patches: [{path: mas.yaml, target: {kind: ElementDeployment, name: ess}}]
    # by hand:    kubectl patch elementdeployments.matrix.element.io ess -n chat --type merge --patch-file mas.yaml
    apiVersion: matrix.element.io/v1alpha2
    kind: ElementDeployment
    metadata:
      name: ess
    spec:
      components:
        matrixAuthenticationService:
          config:
            active: false
            postgresql:
              database: "0777"
              host: pg
              port: 5432
              user: "yes"
          k8s:
            ingress:
              fqdn: auth.example.com
              tls:
                certmanager: null
                mode: external
          secretName: ess-mas
    "#);
    insta::assert_snapshot!(secret.expose(), @r#"
    # Base64 is not encryption. Encrypt this file (SOPS, Sealed Secrets, Vault) before you commit it.
    # The encryption secret must never change once MAS uses it.
    apiVersion: v1
    kind: Secret
    type: Opaque
    metadata:
      name: ess-mas
      namespace: chat
    data:
      encryptionSecret: MTJlNA==
      postgresPassword: eWVz
      rsaPrivateKey: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUIKYWI9PQotLS0tLUVORCBQUklWQVRFIEtFWS0tLS0tCg==
    "#);
}

#[test]
fn a_key_that_yaml_would_parse_as_another_type_is_quoted() {
    let mut odd = values("p");
    for key in ["y", "on", "1_000", "0777", "null"] {
        odd.insert(key.to_owned(), SecretBytes::from(&b"v"[..]));
    }
    let text =
        with(json!(null), Tls::Inherit, |subject| helm_values(subject, HelmSecrets::Inline(&odd), None)).unwrap();
    for key in ["y", "on", "1_000", "0777", "null"] {
        assert!(text.expose().contains(&format!("      \"{key}\": v\n")), "{key} in {}", text.expose());
    }
}

#[test]
fn a_binary_value_is_refused_with_its_key() {
    let mut binary = values("p");
    binary.insert("keytab".to_owned(), SecretBytes::from(&[0xff, 0xfe][..]));
    let refused = with(json!(null), Tls::Inherit, |subject| helm_values(subject, HelmSecrets::Inline(&binary), None));
    assert_eq!(refused.unwrap_err(), NotText("keytab".into()));
}

/// The result of Helm's `tpl` for text that contains only our escapes.
fn rendered(text: &str) -> String {
    text.replace("{{`{{`}}", "\u{0}").replace('\u{0}', "{{")
}

proptest! {
    #[test]
    fn any_password_survives_yaml_and_the_template(password in "\\PC{0,12}[{}`\"\\\\ #:\u{85}\u{2028}\u{feff}]{0,6}\\PC{0,6}") {
        let values = values(&password);
        let text = with(json!(null), Tls::Inherit, |subject| {
            helm_values(subject, HelmSecrets::Inline(&values), None).unwrap()
        });
        let tree: Value = serde_yaml::from_str(text.expose()).unwrap();
        let content = &tree["secrets"]["matrixAuthenticationService"]["content"];
        prop_assert_eq!(rendered(content["postgresPassword"].as_str().unwrap()), password.as_str());
        prop_assert_eq!(content["rsaPrivateKey"].as_str().unwrap(), PEM);
        prop_assert_eq!(&tree["components"]["matrixAuthenticationService"]["config"]["active"], &json!(false));
    }
}

#[test]
fn names_of_the_charts_secrets_are_recognized() {
    for (name, release, chart) in [
        ("ess-stack-matrixauthenticationservice", Some("ess"), true),
        ("ess-stack-synapse", Some("ess"), true),
        ("ess-stack-synapse", Some("other"), false),
        ("ess-stack-synapse", None, false),
        ("chat-stack-matrixauthenticationservice", Some("ess"), true),
        ("chat-stack-matrixauthenticationservice", None, true),
        ("ess-stack-", Some("ess"), false),
        ("ess-mas", Some("ess"), false),
        ("my-stack-mas", None, false),
    ] {
        assert_eq!(is_chart_secret(name, release), chart, "{name} {release:?}");
    }
}
