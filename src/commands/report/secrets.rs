//! The deployment's Secrets: names and lengths of their keys and contents of their certificates for the report, and their
//! values for the redactor.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::cluster::{Reason, Selection, Survey, resource};
use crate::deployment::Deployment;
use crate::diagnosis::around::OWNER_LABEL;
use crate::plan::SecretContents;
use crate::secrets::SecretBytes;
use crate::x509::CertificateChain;

use super::contents::Missing;

#[derive(Default)]
pub struct Secrets {
    pub shown: Vec<Value>,
    pub certificates: Vec<Value>,
    /// For the redactor.
    pub values: Vec<SecretBytes>,
    pub missing: Vec<Missing>,
}

/// Keys with public values.
const PUBLIC: [&str; 3] = ["tls.crt", "ca.crt", "certificate"];

/// Reads the Secrets that the spec names, and those that the operator created, if they can be listed.
pub async fn read(survey: &Survey, deployment: &Deployment, also: Option<&str>) -> Secrets {
    let kind = resource::<Secret>();
    let mut names = BTreeSet::new();
    named(deployment.spec(), &mut names);
    names.extend(also.map(str::to_owned));
    let mut secrets = Secrets::default();
    let selection = Selection { labels: Some(format!("{OWNER_LABEL}={}", deployment.name())), fields: None };
    match survey.list(&kind, Some(deployment.namespace()), &selection, 100).await {
        Ok(listed) => {
            for secret in listed.items {
                names.remove(secret["metadata"]["name"].as_str().unwrap_or_default());
                secrets.take(secret);
            }
        }
        Err(unread) => secrets.missing.push(unread.into()),
    }
    for name in names {
        match survey.get(&kind, deployment.namespace(), &name).await {
            Ok(secret) => secrets.take(secret),
            // Schemas have default names of Secrets that don't exist for many components.
            Err(unread) if unread.why == Reason::NotThere => secrets.shown.push(json!({"name": name, "there": false})),
            Err(unread) => secrets.missing.push(unread.into()),
        }
    }
    secrets
}

/// Collects the values of all fields `…secretName`.
fn named(tree: &Value, names: &mut BTreeSet<String>) {
    match tree {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str().filter(|name| !name.is_empty()) {
                    Some(name) if key.ends_with("ecretName") => {
                        names.insert(name.to_owned());
                    }
                    _ => named(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, names)),
        _ => {}
    }
}

impl Secrets {
    fn take(&mut self, secret: Value) {
        let metadata = &secret["metadata"];
        let mut shown = json!({
            "name": metadata["name"], "type": secret["type"], "labels": metadata["labels"],
            "created": metadata["creationTimestamp"],
        });
        let contents = SecretContents::read(secret);
        let length = |(key, value): (&String, &SecretBytes)| (key.clone(), json!(format!("{} bytes", value.len())));
        shown["keys"] = contents.data.iter().map(length).collect();
        self.shown.push(shown);
        for (key, value) in contents.data {
            if let Ok(chain) = CertificateChain::parse(value.expose()) {
                self.certificates.extend(chain.certificates.iter().enumerate().map(|(place, certificate)| {
                    json!({
                        "secretName": contents.name, "key": key, "place": place, "subject": certificate.subject(),
                        "issuer": certificate.issuer(), "dnsNames": certificate.dns_names(),
                        "notBefore": certificate.not_before(), "notAfter": certificate.not_after(),
                        "ca": certificate.is_ca(), "fingerprint": certificate.fingerprint(),
                    })
                }));
            }
            if !PUBLIC.contains(&key.as_str()) {
                self.values.push(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names_in_the_spec_are_collected() {
        let spec = json!({
            "global": {"secretName": "g"},
            "components": {"synapse": {"secretName": "s", "config": {"postgresql": {"passwordSecretKey": "postgresPassword"}},
                "k8s": {"ingress": {"tls": {"mode": "existing", "secretName": "tls"}}, "common": [{"imagePullSecretName": "pull"}]}},
                "empty": {"secretName": ""}},
        });
        let mut names = BTreeSet::new();
        named(&spec, &mut names);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["g", "pull", "s", "tls"]);
    }

    #[test]
    fn certificates_keep_the_names_of_secrets_in_the_report() {
        use crate::x509::{CertificateAuthority, HostName, TlsKeyType};
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let (host, now) = (HostName::parse("auth.example.com").unwrap(), "2026-11-23T12:00:00Z".parse().unwrap());
        let ca = CertificateAuthority::create(&host, TlsKeyType::P256, now).unwrap();
        let issued = ca.issue(&host, TlsKeyType::P256, now).unwrap();
        let (chain, key) = (STANDARD.encode(issued.chain.to_pem()), STANDARD.encode(issued.key.pem.expose()));
        let mut secrets = Secrets::default();
        for name in ["first-element-mas", "wildcard-tls-secret", "letsencrypt-token-auth-example-com"] {
            for (certificate, private_key) in [("tls.crt", "tls.key"), ("certificate", "privateKey")] {
                secrets.take(json!({"metadata": {"name": name}, "data": {certificate: chain, private_key: key}}));
            }
        }
        let redactor = crate::redact::Redactor::knowing(&secrets.values);
        assert_eq!(secrets.certificates.len(), 12, "leaf and CA of each");
        for certificate in &secrets.certificates {
            assert_eq!(redactor.tree(certificate), *certificate);
        }
    }

    #[test]
    fn only_names_and_lengths_of_a_secrets_keys_are_shown() {
        let secret = json!({
            "metadata": {"name": "a-mas", "annotations": {"x": "tiny"}, "labels": {"l": "1"}}, "type": "Opaque",
            "data": {"rsaPrivateKey": "MDEyMzQ1Njc4OQ==", "password": "dGlueQ=="},
        });
        let mut secrets = Secrets::default();
        secrets.take(secret);
        let shown = &secrets.shown[0];
        assert_eq!(shown["keys"], json!({"rsaPrivateKey": "10 bytes", "password": "4 bytes"}));
        assert_eq!(shown["name"], "a-mas");
        assert!(!format!("{shown}").contains("tiny") && secrets.values.len() == 2);
    }
}
