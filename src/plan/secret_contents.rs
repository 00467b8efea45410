//! The MAS Secret: the names of its keys, its contents in the cluster, and their fingerprints.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::deployment::{Deployment, Features};
use crate::field_manager::FIELD_MANAGER;
use crate::secrets::{EncryptionSecret, Fingerprint, SecretBytes, contents_digest, wipe};
use crate::x509::{CertificateChain, RsaPrivateKey, TlsPrivateKey};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKeys {
    /// 64 hex digits; MAS's `secrets.encryption`.
    pub encryption_secret: String,
    pub rsa_private_key: String,
    pub postgres_password: String,
    pub certificate: String,
    pub private_key: String,
}

impl SecretKeys {
    /// Finds the names: from the object, else the schema's default, else the guide.
    pub fn find(deployment: &Deployment, features: &Features) -> Self {
        let written = deployment.mas().map(referenced_keys).unwrap_or_default();
        let find = |is_it: &dyn Fn(&str) -> bool, guide: &str| {
            let in_object = written.iter().find(|(path, _)| is_it(path)).map(|(_, key)| key.clone());
            let in_schema =
                || features.secret_keys.iter().find(|field| is_it(&field.path)).and_then(|field| field.default.clone());
            in_object.or_else(in_schema).unwrap_or_else(|| guide.to_owned())
        };
        let field = |path: &str| path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let in_tls = |path: &str| path.contains(".tls.");
        Self {
            encryption_secret: find(&|path| field(path).starts_with("encryption"), "encryptionSecret"),
            rsa_private_key: find(&|path| field(path).starts_with("rsa"), "rsaPrivateKey"),
            postgres_password: find(&|path| path.contains("postgresql."), "postgresPassword"),
            certificate: find(&|path| in_tls(path) && field(path).starts_with("cert"), "certificate"),
            private_key: find(&|path| in_tls(path) && field(path).starts_with("privatekey"), "privateKey"),
        }
    }
}

/// Every `*SecretKey` value below a component, as `(path, key of the Secret)`. The operator requires that each is a key of
/// that component's Secret.
pub fn referenced_keys(component: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(component, "", &mut found);
    found
}

fn collect(value: &Value, prefix: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                match field.as_str() {
                    Some(key) if name.ends_with("SecretKey") && !key.is_empty() => found.push((path, key.to_owned())),
                    _ => collect(field, &path, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{prefix}[{index}]"), found);
            }
        }
        _ => {}
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretContents {
    pub name: String,
    pub resource_version: String,
    pub data: BTreeMap<String, SecretBytes>,
    /// `immutable: true`: the API server refuses every change.
    pub immutable: bool,
    /// The controller or tool that manages the Secret: `ExternalSecret mas`.
    pub manager: Option<String>,
}

impl SecretContents {
    /// Decodes the API server's response and overwrites the values in it. Values that are not base64 are left out.
    pub fn read(mut secret: Value) -> Self {
        let text = |key: &str| secret["metadata"][key].as_str().unwrap_or_default().to_owned();
        let data = secret["data"].as_object().into_iter().flatten();
        let decode = |value: &Value| STANDARD.decode(value.as_str()?).ok().map(SecretBytes::new);
        let contents = Self {
            name: text("name"),
            resource_version: text("resourceVersion"),
            data: data.filter_map(|(key, value)| Some((key.clone(), decode(value)?))).collect(),
            immutable: secret["immutable"] == json!(true),
            manager: manager(&secret["metadata"]),
        };
        wipe(&mut secret);
        contents
    }

    /// The encryption secret, if MAS accepts it.
    pub fn encryption_secret(&self, keys: &SecretKeys) -> Option<EncryptionSecret> {
        EncryptionSecret::parse_in_use(self.data.get(&keys.encryption_secret)?.expose()).ok()
    }

    /// A digest of all contents, keyed with the encryption secret; `None` without a usable one.
    pub fn digest(&self, keys: &SecretKeys) -> Option<Fingerprint> {
        let key = self.encryption_secret(keys)?;
        Some(contents_digest(self.data.iter().map(|(name, value)| (name.as_str(), value.expose())), &key))
    }

    pub fn fingerprints(&self, keys: &SecretKeys) -> BTreeMap<String, String> {
        let Some(encryption) = self.encryption_secret(keys) else { return BTreeMap::new() };
        let public = |name: &String, value: &[u8]| {
            if *name == keys.encryption_secret {
                Some(encryption.fingerprint())
            } else if *name == keys.rsa_private_key {
                RsaPrivateKey::parse(value).ok().map(|key| key.fingerprint)
            } else if *name == keys.certificate {
                CertificateChain::parse(value).ok().map(|chain| chain.leaf().fingerprint())
            } else if *name == keys.private_key {
                TlsPrivateKey::parse(value).ok().map(|key| key.fingerprint())
            } else {
                None
            }
        };
        let show = |name: &String, value: &[u8]| {
            let print = public(name, value).unwrap_or_else(|| Fingerprint::of_guessable(name, value, &encryption));
            print.to_string()
        };
        self.data.iter().map(|(name, value)| (name.clone(), show(name, value.expose()))).collect()
    }
}

/// Prefixes of labels and annotations of tools that manage Secrets.
const MANAGERS: [(&str, &str); 13] = [
    ("reconcile.external-secrets.io/", "External Secrets Operator"),
    ("external-secrets.io/", "External Secrets Operator"),
    ("sealedsecrets.bitnami.com/managed", "Sealed Secrets"),
    ("sealedsecrets.bitnami.com/patch", "Sealed Secrets"),
    ("secrets.hashicorp.com/", "Vault Secrets Operator"),
    ("operator.1password.io/", "1Password Operator"),
    ("secrets-store.csi.k8s.io/managed", "Secrets Store CSI driver"),
    ("secrets.infisical.com/", "Infisical Operator"),
    ("secrets.doppler.com/", "Doppler Operator"),
    ("argocd.argoproj.io/", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
    ("meta.helm.sh/release-name", "Helm"),
];

/// The controller in `ownerReferences`, else the tool that labels and annotations show, or `app.kubernetes.io/managed-by`.
fn manager(metadata: &Value) -> Option<String> {
    let owners = metadata["ownerReferences"].as_array().into_iter().flatten();
    let mut owners: Vec<&Value> = owners.filter(|owner| owner["kind"] != "ElementDeployment").collect();
    owners.sort_by_key(|owner| owner["controller"] != true);
    if let Some(owner) = owners.first() {
        return Some(format!("{} {}", owner["kind"].as_str()?, owner["name"].as_str().unwrap_or_default()));
    }
    let maps = ["annotations", "labels"].map(|kind| metadata[kind].as_object());
    let marks = || maps.iter().flatten().flat_map(|map| map.iter());
    let known = MANAGERS.iter().find(|(mark, _)| marks().any(|(key, _)| key.starts_with(mark)));
    let by_label = || {
        let value = metadata["labels"]["app.kubernetes.io/managed-by"].as_str()?;
        (value != FIELD_MANAGER).then(|| value.to_owned())
    };
    known.map(|(_, tool)| (*tool).to_owned()).or_else(by_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::SecretKeyField;
    use serde_json::json;

    #[test]
    fn key_names_come_from_the_object_then_the_schema_then_the_guide() {
        let deployment = Deployment::from_value(json!({
            "metadata": {"name": "a", "uid": "u", "resourceVersion": "1"},
            "spec": {"components": {"matrixAuthenticationService": {"config": {
                "postgresql": {"passwordSecretKey": "dbPassword"}}}}}}))
        .unwrap();
        let features = Features {
            secret_keys: vec![
                SecretKeyField { path: "config.rsaPrivateKeySecretKey".into(), default: Some("rsa.pem".into()) },
                SecretKeyField { path: "config.postgresql.passwordSecretKey".into(), default: Some("x".into()) },
            ],
            ..Features::default()
        };
        let keys = SecretKeys::find(&deployment, &features);
        assert_eq!(keys.postgres_password, "dbPassword");
        assert_eq!(keys.rsa_private_key, "rsa.pem");
        assert_eq!(keys.encryption_secret, "encryptionSecret");
        assert_eq!(keys.certificate, "certificate");
    }

    #[test]
    fn the_tool_that_manages_a_secret_is_detected() {
        let of = |metadata: Value| SecretContents::read(json!({"metadata": metadata})).manager;
        let external = json!({"labels": {"reconcile.external-secrets.io/managed": "true"}, "ownerReferences": [
            {"kind": "ExternalSecret", "name": "mas", "controller": true}]});
        assert_eq!(of(external).as_deref(), Some("ExternalSecret mas"));
        let sealed = json!({"ownerReferences": [{"kind": "SealedSecret", "name": "chat-mas", "controller": true}]});
        assert_eq!(of(sealed).as_deref(), Some("SealedSecret chat-mas"));
        for (kind, key, tool) in [
            ("annotations", "reconcile.external-secrets.io/data-hash", "External Secrets Operator"),
            ("annotations", "sealedsecrets.bitnami.com/managed", "Sealed Secrets"),
            ("labels", "secrets.hashicorp.com/vso-ownerRefUID", "Vault Secrets Operator"),
            ("annotations", "operator.1password.io/item-path", "1Password Operator"),
            ("annotations", "argocd.argoproj.io/tracking-id", "Argo CD"),
            ("labels", "kustomize.toolkit.fluxcd.io/name", "Flux"),
            ("annotations", "meta.helm.sh/release-name", "Helm"),
        ] {
            assert_eq!(of(json!({kind: {key: "x"}})).as_deref(), Some(tool));
        }
        let by = |name: &str| of(json!({"labels": {"app.kubernetes.io/managed-by": name, "team": "chat"}}));
        assert_eq!(by("vault").as_deref(), Some("vault"));
        assert_eq!(by("kubectl-ess-mas"), None, "our own");
        let deployment =
            json!({"ownerReferences": [{"kind": "ElementDeployment", "name": "chat", "controller": true}]});
        assert_eq!(of(deployment), None);
        assert_eq!(of(json!({"labels": {"team": "chat"}})), None);
    }

    #[test]
    fn secret_keys_in_lists_are_found() {
        let keys = referenced_keys(&json!({"upstreams": [{"clientSecretSecretKey": "s1"}], "aSecretKey": ""}));
        assert_eq!(keys, [("upstreams[0].clientSecretSecretKey".to_owned(), "s1".to_owned())]);
    }
}
