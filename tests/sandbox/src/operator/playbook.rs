//! The updater's playbook for an `ElementDeployment`. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

/// The Secrets of a namespace: their names and keys.
pub(crate) type Secrets = BTreeMap<String, BTreeSet<String>>;

/// The updater's limit for an `ElementDeployment`'s name.
const LONGEST_NAME: usize = 25;

/// The kind of a reconcile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Plain,
    DryRun,
    Activation,
}

/// MAS's `active` in the spec, which the CRD defaults to true; `None` without the component.
pub(crate) fn wanted(object: &Value) -> Option<bool> {
    let component = object.pointer("/spec/components/matrixAuthenticationService")?;
    Some(component.pointer("/config/active").and_then(Value::as_bool).unwrap_or(true))
}

/// `status.mas_active`.
pub(crate) fn reached(object: &Value) -> Option<bool> {
    object.pointer("/status/mas_active").and_then(Value::as_bool)
}

/// Decides by the object before the start of the reconcile. A deployment with MAS active from its first reconcile on is a new
/// installation without a migration.
pub(crate) fn kind(object: &Value) -> Kind {
    let new = object.pointer("/status/conditions").is_none();
    match (wanted(object), reached(object)) {
        (None, _) | (Some(_), Some(true)) => Kind::Plain,
        (Some(false), _) => Kind::DryRun,
        (Some(true), _) if new => Kind::Plain,
        (Some(true), _) => Kind::Activation,
    }
}

/// The updater's first checks; returns the message of the condition `Failure`. The vendor's texts are only known in paraphrase.
pub(crate) fn refusal(object: &Value, secrets: &Secrets) -> Option<String> {
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if name.len() > LONGEST_NAME {
        return Some(format!("The ElementDeployment name {name} is longer than {LONGEST_NAME} characters"));
    }
    let global = object.pointer("/spec/global").unwrap_or(&Value::Null);
    let global_name = text(global, "/secretName").unwrap_or("global");
    let Some(global_keys) = secrets.get(global_name) else {
        return Some(format!("The global secret {global_name} could not be found"));
    };
    let shared = text(global, "/config/genericSharedSecretSecretKey").unwrap_or("genericSharedSecret");
    if !global_keys.contains(shared) {
        return Some(format!("The global secret {global_name} is missing the generic shared secret {shared}"));
    }
    let components = object.pointer("/spec/components").and_then(Value::as_object);
    let mut expected = BTreeSet::new();
    let mut absent = Vec::new();
    for (component, settings) in components.into_iter().flatten() {
        let references = references(settings, global, global_keys, secrets);
        let Some(secret) = text(settings, "/secretName") else { continue };
        if references.is_empty() {
            continue;
        }
        expected.insert(secret);
        let held = secrets.get(secret);
        for (property, key) in references {
            if !held.is_some_and(|held| held.contains(&key)) {
                absent.push((component.as_str(), property, format!("{secret}/{key}")));
            }
        }
    }
    let found: BTreeSet<&str> = expected.iter().copied().filter(|one| secrets.contains_key(*one)).collect();
    if found.len() < expected.len() {
        return Some(format!("Some component secrets are missing. Expected: {expected:?}. Found: {found:?}"));
    }
    if absent.is_empty() {
        return None;
    }
    let mut message = "The following secret keys do not point to any secret value:".to_owned();
    for (component, property, place) in absent {
        let _ = write!(
            message,
            "\n- component: {component}\n  secretKeyConfigurationProperty: {property}\n  absentFrom: {place}"
        );
    }
    Some(message)
}

/// The `…SecretKey` properties of a component that must be keys of its Secret, with their paths.
fn references(
    settings: &Value,
    global: &Value,
    global_keys: &BTreeSet<String>,
    secrets: &Secrets,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(settings, "", &mut found);
    let certificate = "k8s.ingress.tls.certificate.";
    let held = text(settings, "/secretName").and_then(|name| secrets.get(name));
    let certfile = text(settings, "/k8s/ingress/tls/mode") == Some("certfile");
    // Certificates missing in the component's Secret are in the global one, with the global keys' names.
    let from_global = |property: &str| {
        let key = text(global, &format!("/k8s/ingresses/tls/certificate/{property}"));
        key.is_some_and(|key| global_keys.contains(key))
    };
    found.retain(|(property, key)| match property.strip_prefix(certificate) {
        Some(last) => certfile && (held.is_some_and(|held| held.contains(key)) || !from_global(last)),
        None => true,
    });
    found
}

fn collect(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(name) if key.ends_with("SecretKey") => found.push((below(key), name.to_owned())),
                    _ => collect(value, &below(key), found),
                }
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect(value, &below(&index.to_string()), found);
            }
        }
        _ => {}
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::Deployment;

    fn secrets(deployment: &Deployment) -> Secrets {
        let with_mas = deployment.secrets().into_iter().chain([deployment.mas_secret().unwrap()]);
        let keys = |one: k8s_openapi::api::core::v1::Secret| one.string_data.unwrap().into_keys().collect();
        with_mas.map(|one| (one.metadata.name.clone().unwrap(), keys(one))).collect()
    }

    /// With the server's defaults for MAS.
    fn deployment() -> Deployment {
        Deployment::new("first-element", "ns")
            .with_mas(false)
            .set("/spec/components/matrixAuthenticationService/config/encryptionSecretSecretKey", "encryptionSecret")
            .set("/spec/components/matrixAuthenticationService/config/postgresql/passwordSecretKey", "postgresPassword")
    }

    #[test]
    fn complete_secrets_are_not_refused() {
        let deployment = deployment();
        assert_eq!(refusal(deployment.object(), &secrets(&deployment)), None);
    }

    #[test]
    fn a_missing_key_is_named_with_its_property_and_secret() {
        let deployment = deployment();
        let mut secrets = secrets(&deployment);
        secrets.get_mut("first-element-mas").unwrap().remove("encryptionSecret");
        assert_eq!(
            refusal(deployment.object(), &secrets).unwrap(),
            "The following secret keys do not point to any secret value:\n\
             - component: matrixAuthenticationService\n  \
             secretKeyConfigurationProperty: config.encryptionSecretSecretKey\n  \
             absentFrom: first-element-mas/encryptionSecret"
        );
        secrets.remove("first-element-mas");
        assert!(refusal(deployment.object(), &secrets).unwrap().starts_with("Some component secrets are missing."));
        secrets.remove("first-element-global");
        assert_eq!(
            refusal(deployment.object(), &secrets).unwrap(),
            "The global secret first-element-global could not be found"
        );
    }

    #[test]
    fn certificate_is_read_from_the_components_secret_then_from_the_global_one() {
        let tls = json!({"mode": "certfile", "certificate": {"certFileSecretKey": "c", "privateKeySecretKey": "k"}});
        let own = deployment().set("/spec/components/synapse/k8s/ingress/tls", tls.clone());
        let mut secrets = secrets(&own);
        assert!(refusal(own.object(), &secrets).unwrap().contains("k8s.ingress.tls.certificate.certFileSecretKey"));
        let both = own.clone().set("/spec/global/k8s/ingresses/tls", tls);
        secrets.get_mut("first-element-global").unwrap().extend(["c".to_owned(), "k".to_owned()]);
        assert_eq!(refusal(both.object(), &secrets), None);
        secrets.get_mut("first-element-synapse").unwrap().extend(["c".to_owned(), "k".to_owned()]);
        assert_eq!(refusal(own.object(), &secrets), None);
    }

    #[test]
    fn a_name_of_more_than_25_characters_is_refused() {
        let long = Deployment::new("a-name-of-26-characters-xx", "ns");
        assert_eq!(long.name().len(), 26);
        assert!(refusal(long.object(), &secrets(&long)).unwrap().contains("longer than 25"));
    }

    #[test]
    fn kind_of_a_reconcile_depends_on_spec_and_status() {
        let object = |active: Option<bool>, status: Value| {
            let mut one = json!({"spec": {"components": {}}, "status": status});
            if let Some(active) = active {
                one["spec"]["components"]["matrixAuthenticationService"] = json!({"config": {"active": active}});
            }
            kind(&one)
        };
        let ran = |mas: Value| json!({"conditions": [], "mas_active": mas});
        assert_eq!(object(None, ran(Value::Null)), Kind::Plain);
        assert_eq!(object(Some(false), ran(Value::Null)), Kind::DryRun);
        assert_eq!(object(Some(false), ran(json!(false))), Kind::DryRun);
        assert_eq!(object(Some(true), ran(json!(false))), Kind::Activation);
        assert_eq!(object(Some(true), ran(json!(true))), Kind::Plain);
        assert_eq!(object(Some(false), ran(json!(true))), Kind::Plain);
        assert_eq!(object(Some(true), Value::Null), Kind::Plain, "a new installation starts on MAS");
        assert_eq!(object(Some(true), ran(Value::Null)), Kind::Activation);
    }
}
