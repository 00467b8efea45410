//! Tests of the Secret's plan.

use super::*;
use crate::x509::{CertificateAuthority, HostName, TlsKeyType};

fn keys() -> SecretKeys {
    SecretKeys {
        encryption_secret: "encryptionSecret".into(),
        rsa_private_key: "rsaPrivateKey".into(),
        postgres_password: "postgresPassword".into(),
        certificate: "certificate".into(),
        private_key: "privateKey".into(),
    }
}

fn context<'a>(present: Option<&'a SecretContents>, keys: &'a SecretKeys, deployed: bool) -> SecretContext<'a> {
    SecretContext { name: "a-mas", present, keys, certfile: false, deployed, recorded: None, ran: deployed }
}

fn password(text: &str) -> SecretInputs {
    SecretInputs { postgres_password: PostgresPassword::parse(text.as_bytes()).ok(), ..SecretInputs::default() }
}

/// The Secret that the API server returns after the write.
fn stored(plan: &SecretPlan) -> SecretContents {
    let mut body = plan.body("n");
    body["metadata"]["resourceVersion"] = json!("5");
    SecretContents::read(body)
}

#[test]
fn missing_values_are_generated_once_and_then_kept() {
    let keys = keys();
    let first = context(None, &keys, false).plan(&password("s3cret")).unwrap();
    assert_eq!(
        first.items.iter().map(|i| i.action).collect::<Vec<_>>(),
        [SecretAction::Generate, SecretAction::Generate, SecretAction::Add]
    );
    let stored = stored(&first);
    assert_eq!(stored.data, first.after().data);
    let second = context(Some(&stored), &keys, true).plan(&password("another")).unwrap();
    assert!(!second.writes());
    assert_eq!(second.items[2].action, SecretAction::KeepOther);
    assert_eq!(second.after().digest(&keys), stored.digest(&keys));
}

#[test]
fn the_encryption_secret_is_fixed_once_mas_was_deployed() {
    let keys = keys();
    let stored = stored(&context(None, &keys, false).plan(&password("s")).unwrap());
    let mut inputs = SecretInputs::default();
    inputs.replace.insert("encryptionSecret".into());
    let error = context(Some(&stored), &keys, true).plan(&inputs).unwrap_err();
    assert!(matches!(error, SecretPlanError::EncryptionSecretIsFixed(_)));
    let replaced = context(Some(&stored), &keys, false).plan(&inputs).unwrap();
    assert_eq!(replaced.items[0].action, SecretAction::Replace);
}

#[test]
fn only_the_same_value_restores_a_lost_encryption_secret() {
    let keys = keys();
    let ours = EncryptionSecret::generate().unwrap();
    let print = ours.fingerprint().to_string();
    let given = |secret: Option<&EncryptionSecret>, replace: bool| SecretInputs {
        encryption_secret: secret.cloned(),
        replace: replace.then(|| "encryptionSecret".to_owned()).into_iter().collect(),
        ..password("s")
    };
    let holding = |value: &[u8]| {
        let mut contents = stored(&context(None, &keys, false).plan(&password("s")).unwrap());
        contents.data.insert("encryptionSecret".into(), SecretBytes::from(value));
        contents
    };
    let other = EncryptionSecret::generate().unwrap();
    let mut without = holding(b"");
    without.data.remove("encryptionSecret");
    let (empty, spoilt) = (holding(b""), holding(b"short"));
    let another = holding(other.value().expose().as_bytes());
    for (present, recorded, told) in [
        (None, Some(&print), true),
        (Some(&without), Some(&print), true),
        (Some(&empty), Some(&print), true),
        (Some(&spoilt), Some(&print), true),
        (Some(&another), Some(&print), true),
        (None, None, false),
        (Some(&without), None, false),
        (Some(&empty), None, false),
    ] {
        let context = SecretContext { recorded: recorded.map(String::as_str), ..context(present, &keys, true) };
        let refused = [given(None, false), given(None, true), given(Some(&other), false), given(Some(&other), true)];
        // Without a record any given value is accepted.
        for inputs in &refused[..if told { 4 } else { 2 }] {
            let error = context.plan(inputs).unwrap_err();
            assert!(matches!(error, SecretPlanError::EncryptionSecretIsLost { .. }), "{error}");
            assert_eq!(error.to_string().contains(&print), told, "{error}");
            assert!(!error.to_string().contains(other.value().expose()), "{error}");
        }
        let plan = context.plan(&given(Some(&ours), true)).unwrap();
        assert_eq!(plan.after().encryption_secret(&keys).as_ref(), Some(&ours));
    }
    // Overwriting the value in the Secret requires `--replace`.
    let context = SecretContext { recorded: Some(&print), ..context(Some(&another), &keys, true) };
    assert!(context.plan(&given(Some(&ours), false)).is_err());
    // MAS has been removed or was never deployed.
    assert!(SecretContext { recorded: Some(&print), ..self::context(None, &keys, false) }.plan(&password("s")).is_ok());
}

#[test]
fn replacing_a_value_writes_only_its_key_and_changes_the_digest() {
    let keys = keys();
    let stored = stored(&context(None, &keys, false).plan(&password("old")).unwrap());
    let mut inputs = password("new");
    inputs.replace.insert("postgresPassword".into());
    let plan = context(Some(&stored), &keys, true).plan(&inputs).unwrap();
    assert_ne!(plan.after().digest(&keys), stored.digest(&keys));
    let body = plan.body("n");
    assert_eq!(body["data"].as_object().unwrap().keys().collect::<Vec<_>>(), ["postgresPassword"]);
    assert_eq!(body["metadata"]["resourceVersion"], "5");
}

#[test]
fn a_password_is_never_generated() {
    let keys = keys();
    let error = context(None, &keys, false).plan(&SecretInputs::default()).unwrap_err();
    assert!(matches!(error, SecretPlanError::NoPassword));
}

#[test]
fn an_existing_value_that_mas_refuses_is_reported() {
    let keys = keys();
    let mut stored = stored(&context(None, &keys, false).plan(&password("s")).unwrap());
    let newline = [stored.data["encryptionSecret"].expose(), b"\n"].concat();
    stored.data.insert("encryptionSecret".into(), SecretBytes::new(newline));
    let error = context(Some(&stored), &keys, false).plan(&SecretInputs::default()).unwrap_err();
    assert!(error.to_string().contains("line break"), "{error}");
}

#[test]
fn certificate_and_key_are_shown_with_the_fingerprints_of_openssl() {
    let keys = keys();
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let host = HostName::parse("auth.example.com").unwrap();
    let ca = CertificateAuthority::create(&host, TlsKeyType::P256, now).unwrap();
    let issue = || {
        let issued = ca.issue(&host, TlsKeyType::P256, now).unwrap();
        let pair = (SecretBytes::from(issued.chain.to_pem().as_bytes()), issued.key.pem.to_bytes());
        (issued.chain.leaf().fingerprint().to_string(), issued.key.fingerprint().to_string(), pair)
    };
    let (old_chain, old_key, pair) = issue();
    let certfile = |present| SecretContext { certfile: true, ..context(present, &keys, false) };
    let first = certfile(None).plan(&SecretInputs { certificate: Some(pair), ..password("s") }).unwrap();
    let stored = stored(&first);
    let (new_chain, new_key, pair) = issue();
    let replace = ["certificate", "privateKey"].map(str::to_owned).into();
    let inputs = SecretInputs { certificate: Some(pair), replace, ..SecretInputs::default() };
    let plan = certfile(Some(&stored)).plan(&inputs).unwrap();
    let shown: Vec<_> = plan.fingerprints(&keys).split_off(3);
    let shown: Vec<_> = shown.into_iter().map(|(item, before, after)| (item.action, before, after)).collect();
    assert_eq!(
        shown,
        [
            (SecretAction::Replace, Some(old_chain), Some(new_chain)),
            (SecretAction::Replace, Some(old_key), Some(new_key)),
        ]
    );
}

#[test]
fn debug_output_contains_no_secret_value() {
    let keys = keys();
    let plan = context(None, &keys, false).plan(&password("hunter2hunter2")).unwrap();
    assert!(!format!("{plan:?}").contains("hunter2"));
}
