use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn knowing(values: &[&str]) -> Redactor {
    let values: Vec<SecretBytes> = values.iter().map(|value| SecretBytes::from(value.as_bytes())).collect();
    Redactor::knowing(&values)
}

fn without_values() -> Redactor {
    knowing(&[])
}

fn quoted(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn unicode_escapes(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat()
}

/// The encodings of a secret, each with a name.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let ascii = |c: char| if c.is_ascii() { c.to_string() } else { unicode_escapes(&c.to_string()) };
    vec![
        ("plain", secret.to_owned()),
        ("base64", STANDARD.encode(secret)),
        ("base64 without padding", STANDARD_NO_PAD.encode(secret)),
        ("base64 for URLs", URL_SAFE_NO_PAD.encode(secret)),
        ("base64 of a pair", STANDARD.encode(format!("mas:{secret}"))),
        ("base64 of JSON", STANDARD.encode(json!({"password": secret, "n": 1}).to_string())),
        ("JSON", quoted(secret)),
        ("JSON in JSON", quoted(&quoted(secret))),
        ("JSON as Python writes it", quoted(secret).chars().map(ascii).collect()),
        (
            "JSON as Go writes it",
            quoted(secret).replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"),
        ),
        ("URL", percent(secret)),
        ("form", percent(secret).replace("%20", "+")),
        ("hexadecimal", secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()),
        ("capital hexadecimal", secret.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()),
        ("YAML", secret.replace('\'', "''")),
    ]
}

/// Secrets of users and programs, some hard to quote.
fn secrets() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9]{8,40}",
        "[a-z]{8,16}",
        "[0-9a-f]{64}",
        "[!-~]{8,30}",
        "[!-~]{4,8} [!-~]{4,8} [!-~]{1,8}",
        "[!-~äöü€日🎉]{8,20}",
        "[!-~]{8,20}\n[!-~]{8,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_known_secret_is_redacted_in_every_encoding(secret in secrets(), before in "[ -~\n]{0,40}", after in "[ -~\n]{0,40}") {
        let redactor = knowing(&[&secret]);
        for (name, form) in forms(&secret) {
            let text = format!("{before}{form}{after}");
            let clean = redactor.text(&text);
            prop_assert!(!clean.contains(&form) && !clean.contains(&secret), "{name}: {text:?} became {clean:?}");
        }
    }

    /// As a value, within a value, and as a key.
    #[test]
    fn a_known_secret_is_redacted_in_objects(secret in secrets(), before in "[ -~]{0,20}") {
        let redactor = knowing(&[&secret]);
        for (name, form) in forms(&secret) {
            let object = json!({
                "kind": "Pod", "metadata": {"annotations": {"x": format!("{before}{form}"), form.clone(): "y"}},
                "spec": {"list": [{"deep": form.clone()}]},
            });
            let clean = redactor.object(&object);
            let texts = strings(&clean);
            prop_assert!(!texts.iter().any(|text| text.contains(&form) || text.contains(&secret)), "{name}: {clean}");
        }
    }

    /// The backslash and the secret's first letter look like an escape.
    #[test]
    fn a_quoted_secret_after_a_backslash_is_redacted(secret in r#"[nrtbf]["\\!a-zA-Z]{9,30}"#) {
        let form = serde_json::to_string(&secret).unwrap();
        let form = &form[1..form.len() - 1];
        let clean = knowing(&[&secret]).text(&format!("\\{form}"));
        prop_assert!(!clean.contains(form) && !clean.contains(&secret), "{form} became {clean}");
    }

    #[test]
    fn a_short_secret_is_redacted_as_a_separate_word(secret in "[A-Za-z0-9]{4,7}", sign in "[ =:/\"',\n]") {
        prop_assume!(!secret.chars().all(|c| c.is_ascii_digit()));
        prop_assume!(!["true", "false", "null", "none"].contains(&secret.to_ascii_lowercase().as_str()));
        let redactor = knowing(&[&secret]);
        for text in [format!("x{sign}{secret}{sign}y"), format!("postgres://u:{secret}@h/d"), STANDARD.encode(format!("u:{secret}")), secret.clone()] {
            let clean = redactor.text(&text);
            prop_assert!(!clean.contains(&secret) && clean != text, "{text:?} became {clean:?}");
        }
    }

    #[test]
    fn no_text_or_secret_causes_a_panic(text in any::<String>(), secret in any::<Vec<u8>>()) {
        let redactor = Redactor::knowing(&[SecretBytes::new(secret)]);
        let _ = redactor.text(&text);
        let _ = redactor.tree(&json!({text.clone(): [text]}));
    }

    #[test]
    fn sentences_stay_unchanged(words in prop::collection::vec("[a-z]{1,9}", 1..30)) {
        let telling = ["secret", "password", "token", "cookie", "bearer", "basic"];
        prop_assume!(!words.iter().any(|word| telling.iter().any(|one| word.contains(one))));
        let text = words.join(" ");
        prop_assert_eq!(without_values().text(&text), text);
    }
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| [vec![key.clone()], strings(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn unknown_secrets_are_redacted_by_key_or_pattern() {
    let by_place = [
        "password: hunter2",
        "  db_password: 'hunter2'",
        "\"password\": \"hunter2\",",
        "{\\\"password\\\": \\\"hunter2\\\"}",
        "{\\\\\\\"client_secret\\\\\\\": \\\\\\\"hunter2\\\\\\\"}",
        "{'macaroon_secret_key': 'hunter2', 'x': 1}",
        "registration_shared_secret: hunter2",
        "form_secret: \"it's hunter2\"",
        "pepper: 'it''s hunter2'",
        "--database-password=hunter2",
        "PGPASSWORD=hunter2 psql",
        "host=pg dbname=mas password=hunter2 sslmode=require",
        "postgres://mas:hunter2@pg.example.com/mas",
        "postgresql://mas:hun%74er2hunter2@pg/mas",
        "redis://:hunter2@redis:6379/0",
        "GET /x?access_token=hunter2&y=1",
        "GET /upstream/callback/x?code=hunter2&state=hunter2",
        "Authorization: Bearer hunter2",
        "\"Authorization\": \"Basic hunter2\"",
        "headers: {b'Authorization': [b'Bearer hunter2']}",
        "cookie: session=hunter2; b=hunter2",
        "Set-Cookie: hunter2; HttpOnly",
        "X-Synapse-Token: hunter2",
        "signing_key: |\n  ed25519 a_x hunter2\n  hunter2\nnext: 1",
        "tokens:\n  - hunter2\n  - hunter2\nnext: 1",
        "password: >-\n    hunter2\n    hunter2",
        "secrets: [hunter2, hunter2]",
        "private_key = hunter2",
        "Token:hunter2}",
        "client_secret=>hunter2",
    ];
    for text in by_place {
        let clean = without_values().text(text);
        assert!(!clean.contains("hunter2"), "{text}\nbecame {clean}");
        assert!(clean.contains(MARK), "{clean}");
    }
    assert_eq!(without_values().text("password: x\nnext: 1"), "password: [redacted]\nnext: 1");
    let by_looks = [
        "syt_YWxpY2U_hZqWkZqPzRtYxVbNmKjH_1aBcDe",
        "syr_YWxpY2U_hZqWkZqPzRtYxVbNmKjH_1aBcDe",
        "mat_AbCdEf0123456789AbCdEf0123456789_AbCdE1",
        "mct_iyapOskzFKWsCcXVlVKwfLUeCzzXgF_9OZzc2",
        "mcr_iyapOskzFKWsCcXVlVKwfLUeCzzXgF_9OZzc2",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",
        "$2b$12$KIXQ4S6Pq3Qm6k1e9jVb3uYwq0Zl7dWc5r8m2xT1yH9o0Nn3QvA1e",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2g",
        "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy",
        "9d2f3c7b1a5e48d6b0c9f8e7a6d5c4b3928170f6e5d4c3b2a19087f6e5d4c3b2",
        "3vYkDcXJdEhBqJRGfsv2VKSbNXAJzXgLcMXVvqJtEMQ",
        "MDAxY2xvY2F0aW9uIGV4YW1wbGUuY29tCjAwMTNpZGVudGlmaWVyIGtleQo",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    ];
    for secret in by_looks {
        for text in
            [secret.to_owned(), format!("x {secret}, y"), format!("{{\"a\":\"{secret}\"}}"), format!("value={secret}")]
        {
            let clean = without_values().text(&text);
            assert!(!clean.contains(&secret[secret.len() / 2..]), "{text}\nbecame {clean}");
        }
    }
}

#[test]
fn pem_blocks_are_redacted_in_every_encoding_and_without_an_end() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\nshort";
    let whole = format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----");
    for text in [
        whole.clone(),
        whole.replace('\n', "\\n"),
        whole.replace('\n', "\n      "),
        quoted(&quoted(&whole)),
        format!("-----BEGIN RSA PRIVATE KEY-----\n{body}"),
        format!("{body}\n-----END RSA PRIVATE KEY-----"),
        format!("{body}\\n-----END RSA PRIVATE KEY-----"),
    ] {
        let clean = without_values().text(&format!("before {text} after"));
        assert!(!clean.contains("MIIEvQ") && !clean.contains("MzEfYyji") && !clean.contains("short"), "{clean}");
        assert!(clean.starts_with("before"), "{clean}");
    }
    assert!(without_values().text(&format!("{whole}\nnext line")).ends_with("next line"));
}

#[test]
fn texts_that_support_needs_stay_unchanged() {
    for text in [
        "database error whilst locking Synapse table `users`: could not obtain lock on relation \"users\"",
        "user @ghost:example.com was not found for migration but a row in access_tokens was found for them",
        "Error: failed to extract localpart of FullUserId(\"@x:other.org\"): wrong server name: expected \"example.com\", got \"other.org\"",
        "INFO mas_cli::sync:201 Updating provider provider.id=01JABCDEFGHJKMNPQRSTVWXYZ0",
        "https://auth.example.com/upstream/callback/01JABCDEFGHJKMNPQRSTVWXYZ0",
        "https://matrix.example.com:443/_matrix/client/v3/profile/@alice:example.com",
        "INFO syn2mas::migration:857 3 non-refreshable access tokens migrated (0 skipped) in 0.0s",
        "index compat_refresh_tokens_access_token_fk rebuilt in 0.0s",
        "constraint compat_refresh_tokens_compat_access_token_id_fkey rebuilt in 0.0s",
        "The MAS database is not empty: rows found in at least `users`. Please drop and recreate the database, then try again.",
        "completion: 2026-11-23T09:50:05.049388+00:00",
        "lastTransitionTime: 2026-11-23T09:48:56Z",
        "uid: 6b1f2f39-5f9e-4f6e-9d6c-3a1b2c3d4e5f",
        "image: registry.example.com/ess/synapse@sha256:9d2f3c7b1a5e48d6b0c9f8e7a6d5c4b3928170f6e5d4c3b2a19087f6e5d4c3b2",
        "fingerprint hmac-sha256:ae00bd21331112675ea5a49809166bd6ca946f1805024569955d944d7b4ee9c9",
        "pod first-element-matrix-authentication-service-5d9c7b8f6-x2v9q is not ready",
        "clientSecretSecretKey: corpClientSecret",
        "passwordSecretKey: postgresPassword",
        "encryptionSecretSecretKey: encryptionSecret",
        "secretName: first-element-mas",
        "tlsSecret: first-element-tls",
        "existingSecret: first-element-tls",
        "imagePullSecret: ems-image-store",
        "absentFrom: first-element-mas/rsaPrivateKey",
        "secretKeyConfigurationProperty: config.rsaPrivateKeySecretKey",
        "Missing generic shared secret from global secret",
        "The following secret keys do not point to any secret value :",
        "Some component secret are missing",
        "Expected : a-synapse, a-mas",
        "MountVolume.SetUp failed for volume \"secret\" : secret \"first-element-mas\" not found",
        "Error: couldn't find key rsaPrivateKey in Secret element-onprem/first-element-mas",
        "FATAL: password authentication failed for user \"mas\"",
        "Back-off restarting failed container synapse in pod first-element-synapse-main-0_element-onprem(6b1f2f39-5f9e-4f6e-9d6c-3a1b2c3d4e5f)",
        "Synapse config has `enable_3pid_changes` explicitly enabled, which must be disabled or removed.",
        "Password scheme version '1' in the MAS config must use the Bcrypt algorithm",
        "PLAY RECAP localhost : ok=41 changed=3 unreachable=0 failed=1 skipped=12 rescued=0 ignored=0",
        "fatal: [localhost]: FAILED! => {\"censored\": \"the output has been hidden due to the fact that 'no_log: true' was specified\"}",
        "Basic authentication failed",
        "reverse proxy must send X-Forwarded-For/Proto",
        "Access-Control-Allow-Headers: X-Requested-With, Content-Type, Authorization, Date",
        "/apis/matrix.element.io/v1alpha2/namespaces/element-onprem/elementdeployments/first-element",
        "spec.components.matrixAuthenticationService.config.postgresql.passwordSecretKey",
        "access_tokens: 12",
        "token_endpoint: https://auth.example.com/oauth2/token",
    ] {
        assert_eq!(without_values().text(text), text);
    }
}

#[test]
fn words_around_a_known_secret_stay() {
    let redactor = knowing(&["correct-horse-7731", "hunt"]);
    assert_eq!(
        redactor.text("FATAL: login of mas with correct-horse-7731 at pg failed"),
        "FATAL: login of mas with [redacted] at pg failed"
    );
    assert_eq!(redactor.text("hunting for hunt, hunters"), "hunting for [redacted], hunters");
    assert_eq!(redactor.text("hunt hunt\nhunt"), "[redacted] [redacted]\n[redacted]");
    // Ordinary values are not redacted.
    assert_eq!(knowing(&["true", "5432", "", "a"]).text("sslmode true at 5432, a"), "sslmode true at 5432, a");
}

#[test]
fn each_line_of_a_known_secret_is_redacted() {
    let redactor = knowing(&["first line of it\nsecond line of it\n"]);
    let clean = redactor.text("log: first line of it\nlog: second line of it\n");
    assert_eq!(clean, "log: [redacted]\nlog: [redacted]\n");
}

#[test]
fn of_a_configuration_file_only_secret_values_are_redacted() {
    let file = "server_name: example.com\nenable_registration: false\nform_secret: canary-form\ndatabase:\n  args:\n    password: canary-db\n    host: pg.example.com\n";
    let text = "enable_registration: false at pg.example.com, canary-form and canary-db";
    assert_eq!(knowing(&[file]).text(text), "enable_registration: false at pg.example.com, [redacted] and [redacted]");
}

#[test]
fn long_annotations_and_managed_fields_are_removed() {
    let object = json!({
        "metadata": {"name": "a-mas", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{\"stringData\":{\"x\":\"tiny\"}}", "note": "kept",
        }, "managedFields": [{"manager": "kubectl", "operation": "Update", "time": "t", "fieldsV1": {"f:data": {}}}]},
    });
    let clean = without_values().object(&object);
    assert_eq!(clean["metadata"]["annotations"]["note"], "kept");
    assert_eq!(clean["metadata"]["managedFields"], json!([{"manager": "kubectl", "operation": "Update", "time": "t"}]));
    assert!(!clean.to_string().contains("tiny"), "{clean}");
}

#[test]
fn environment_variables_of_a_pod_keep_only_their_names() {
    let pod = json!({"kind": "Pod", "spec": {"containers": [{
        "name": "mas", "image": "mas:1", "args": ["--password", "tiny", "--config=/c", "--token=tiny"],
        "env": [{"name": "PGPASSWORD", "value": "tiny"}, {"name": "LEVEL", "value": "tiny"},
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "a-mas", "key": "encryptionSecret"}}}],
        "envFrom": [{"secretRef": {"name": "a-mas"}}],
    }], "volumes": [{"name": "s", "secret": {"secretName": "a-mas", "items": [{"key": "k", "path": "p"}]}}]}});
    let clean = without_values().object(&pod);
    assert!(!clean.to_string().contains("tiny"), "{clean}");
    let container = &clean["spec"]["containers"][0];
    assert_eq!(container["env"][1]["name"], "LEVEL");
    assert_eq!(container["env"][2]["valueFrom"]["secretKeyRef"]["name"], "a-mas");
    assert_eq!(container["envFrom"][0]["secretRef"]["name"], "a-mas");
    assert_eq!(
        clean["spec"]["volumes"][0]["secret"],
        json!({"secretName": "a-mas", "items": [{"key": "k", "path": "p"}]})
    );
}

#[test]
fn a_spec_keeps_references_and_loses_secret_values() {
    let object = json!({"kind": "ElementDeployment", "spec": {"components": {"synapse": {
        "secretName": "a-synapse",
        "config": {
            "postgresql": {"host": "pg.example.com", "passwordSecretKey": "postgresPassword"},
            "additional": "max_upload_size: 100M\nturn_shared_secret: tiny\nemail:\n  smtp_pass: x\n  smtp_password: tiny\nmodules:\n  - config:\n      bind_password: \"tiny\"\n",
            "delegatedAuth": {"ldap": {"bindPassword": "tiny", "bindPasswordSecretKey": "ldapPassword"}},
            "secretObject": {"a": "tiny", "name": "kept"}, "apiToken": ["tiny"],
        },
    }}}});
    let clean = without_values().object(&object);
    assert!(!clean.to_string().contains("tiny"), "{clean}");
    let config = &clean["spec"]["components"]["synapse"]["config"];
    assert_eq!(config["postgresql"]["passwordSecretKey"], "postgresPassword");
    assert!(
        config["additional"].as_str().unwrap().starts_with("max_upload_size: 100M\nturn_shared_secret: [redacted]\n")
    );
    assert_eq!(config["delegatedAuth"]["ldap"]["bindPasswordSecretKey"], "ldapPassword");
    assert_eq!(config["secretObject"]["name"], "kept");
}

#[test]
fn fingerprints_in_the_record_stay() {
    let digits = "ae00bd21331112675ea5a49809166bd6ca946f1805024569955d944d7b4ee9c9";
    let record = json!({"rehearsal": {"secretFingerprints": {
        "encryptionSecret": format!("sha256:{digits}"),
        "postgresPassword": format!("hmac-sha256:{digits}"),
        "rsaPrivateKey": "sha256:ae00bd213311",
    }}});
    assert_eq!(without_values().tree(&record), record);
    let near =
        json!({"encryptionSecret": digits, "postgresPassword": "sha256:hunter2", "token": "sha256:ae00bd213311x"});
    let cleaned = without_values().tree(&near);
    assert!(cleaned.as_object().unwrap().values().all(|value| value == MARK), "{cleaned}");
}

#[test]
fn names_of_secrets_and_of_their_keys_stay() {
    let certificate =
        json!({"secretName": "first-element-mas", "key": "certificate", "subject": "CN=auth.example.com"});
    assert_eq!(without_values().tree(&certificate), certificate);
    let settings = json!({"tls": {"mode": "existing", "secret": "wild"}, "secretRef": {"name": "wild"}});
    assert_eq!(without_values().tree(&settings), settings);
    assert_eq!(without_values().tree(&json!({"mode": "certfile", "secret": "wild"}))["secret"], MARK);
}

#[test]
fn secrets_in_json_are_unquoted_and_echoes_are_redacted_in_parts() {
    let config = SecretBytes::from(br#"{"auths": {"r": {"username": "u", "password": "a \"canary\" 77"}}}"#.as_slice());
    assert_eq!(Redactor::knowing([&config]).text("login with a \"canary\" 77 to r"), "login with [redacted] to r");
    let echoes = Redactor::of_echoes([&SecretBytes::from(b"correct horse battery".as_slice())]);
    assert_eq!(echoes.text("denied: rrect horse bat..."), "denied: [redacted]...");
}

#[test]
fn values_of_keys_with_other_alphabets_are_redacted() {
    for text in [
        "password_für_db: geheim12",
        "{\"tokenä\": \"geheim12\"}",
        "größe_secret\u{a0}= geheim12",
        "authorization:\u{a0}geheim12",
    ] {
        let clean = without_values().text(text);
        assert!(!clean.contains("geheim12"), "{text} became {clean}");
    }
    let clean = without_values().text("Bearer\u{a0}abc123DEF");
    assert!(!clean.contains("abc123DEF"), "{clean}");
}
