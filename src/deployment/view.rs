//! A partial, tolerant view of one ElementDeployment object.
//!
//! The vendor's schema is not public, so the object is kept unchanged, and only fields are read that the migration guide names or
//! that all components share. A field of another type counts as absent.

use serde::Deserialize as _;
use serde_json::Value;

use super::conditions::Conditions;

pub const MAS: &str = "matrixAuthenticationService";

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the API server's response is not an ElementDeployment: {missing} is missing")]
pub struct NotADeployment {
    missing: &'static str,
}

/// The source of an Ingress's certificate: `spec…k8s.ingress.tls.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    Certmanager,
    /// Certificate and key are two keys of the component's Secret.
    Certfile,
    Existing,
    /// TLS ends in front of the ingress.
    External,
}

/// A component's `config.postgresql`; absent fields have the operator's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Postgres {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub database: Option<String>,
    pub user: Option<String>,
    pub ssl_mode: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    object: Value,
}

impl Deployment {
    /// Fails if the object has no name, uid, resourceVersion or `spec`.
    pub fn from_value(object: Value) -> Result<Self, NotADeployment> {
        for key in ["name", "uid", "resourceVersion"] {
            if object["metadata"][key].as_str().is_none_or(str::is_empty) {
                return Err(NotADeployment { missing: key });
            }
        }
        if !object["spec"].is_object() {
            return Err(NotADeployment { missing: "spec" });
        }
        Ok(Self { object })
    }

    pub fn object(&self) -> &Value {
        &self.object
    }

    fn metadata(&self, key: &str) -> &str {
        self.object["metadata"][key].as_str().unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.metadata("name")
    }

    pub fn namespace(&self) -> &str {
        self.metadata("namespace")
    }

    pub fn uid(&self) -> &str {
        self.metadata("uid")
    }

    pub fn resource_version(&self) -> &str {
        self.metadata("resourceVersion")
    }

    pub fn api_version(&self) -> &str {
        self.object["apiVersion"].as_str().unwrap_or_default()
    }

    /// `metadata.generation`: the API server increments it with every change of `spec`.
    pub fn generation(&self) -> i64 {
        self.object["metadata"]["generation"].as_i64().unwrap_or(0)
    }

    pub fn being_deleted(&self) -> bool {
        self.object["metadata"]["deletionTimestamp"].is_string()
    }

    pub fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.object["metadata"]["annotations"].as_object().into_iter().flatten();
        all.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.object["metadata"]["annotations"][key].as_str()
    }

    pub fn label(&self, key: &str) -> Option<&str> {
        self.object["metadata"]["labels"][key].as_str()
    }

    /// Whether spec, labels, annotations and uid are equal in another version of the object.
    pub fn differs_only_in_status(&self, other: &Self) -> bool {
        let decided = |object: &Value| {
            let metadata = &object["metadata"];
            let kept = ["annotations", "labels", "uid", "deletionTimestamp"].map(|key| metadata[key].clone());
            (object["spec"].clone(), kept)
        };
        decided(self.object()) == decided(other.object())
    }

    pub fn spec(&self) -> &Value {
        &self.object["spec"]
    }

    pub fn component(&self, name: &str) -> Option<&Value> {
        Some(&self.object["spec"]["components"][name]).filter(|component| component.is_object())
    }

    pub fn components(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.object["spec"]["components"].as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    pub fn mas(&self) -> Option<&Value> {
        self.component(MAS)
    }

    /// `spec.components.synapse.config`, or null.
    pub fn synapse_config(&self) -> &Value {
        &self.object["spec"]["components"]["synapse"]["config"]
    }

    /// The operator generates Synapse's login configuration from this section.
    pub fn delegated_auth(&self) -> &Value {
        &self.synapse_config()["delegatedAuth"]
    }

    /// `…matrixAuthenticationService.config.active`: true starts the migration.
    pub fn active(&self) -> Option<bool> {
        self.mas()?["config"]["active"].as_bool()
    }

    pub fn mas_host(&self) -> Option<&str> {
        self.ingress_host(MAS)
    }

    pub fn ingress_host(&self, component: &str) -> Option<&str> {
        self.component(component)?["k8s"]["ingress"]["fqdn"].as_str().filter(|host| !host.is_empty())
    }

    /// Component and host of every `fqdn` below a component's `k8s`; a component may have several Ingresses.
    pub fn ingress_hosts(&self) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        for (component, value) in self.components() {
            collect_hosts(component, &value["k8s"], 0, &mut found);
        }
        found
    }

    pub fn mas_secret_name(&self) -> Option<&str> {
        self.mas()?["secretName"].as_str().filter(|name| !name.is_empty())
    }

    pub fn domain_name(&self) -> Option<&str> {
        self.object["spec"]["global"]["config"]["domainName"].as_str()
    }

    pub fn postgres(&self, component: &str) -> Option<Postgres> {
        let postgres = &self.component(component)?["config"]["postgresql"];
        let text = |key: &str| postgres[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        postgres.is_object().then(|| Postgres {
            host: text("host"),
            port: postgres["port"].as_u64().and_then(|port| u16::try_from(port).ok()),
            database: text("database"),
            user: text("user"),
            ssl_mode: text("sslMode"),
        })
    }

    /// The TLS mode of a component's Ingress, and whether it is inherited from `spec.global.k8s.ingresses.tls`.
    pub fn tls_mode(&self, component: &str) -> Option<(TlsMode, bool)> {
        let mode = |tls: &Value| TlsMode::deserialize(&tls["mode"]).ok();
        let own = self.component(component).and_then(|component| mode(&component["k8s"]["ingress"]["tls"]));
        own.map(|own| (own, false)).or_else(|| Some((mode(self.global_tls())?, true)))
    }

    pub fn global_tls(&self) -> &Value {
        &self.object["spec"]["global"]["k8s"]["ingresses"]["tls"]
    }

    pub fn conditions(&self) -> Conditions {
        Conditions::read(&self.object["status"])
    }

    /// `status.mas_active`; by the guide, the migration sets it to true. Ansible writes it, so the text "true" is accepted as well.
    pub fn mas_active(&self) -> Option<bool> {
        match &self.object["status"]["mas_active"] {
            Value::Bool(active) => Some(*active),
            Value::String(text) => text.to_ascii_lowercase().parse().ok(),
            _ => None,
        }
    }

    /// The `spec` without `…config.active`, to which a dry run applies. The guide: "All other settings should remain the same."
    pub fn dry_run_spec(&self) -> Value {
        let mut spec = self.spec().clone();
        let config = spec.pointer_mut("/components/matrixAuthenticationService/config");
        config.and_then(Value::as_object_mut).map(|config| config.remove("active"));
        spec
    }

    pub fn dry_run_digest(&self) -> String {
        sha256_hex(self.dry_run_spec().to_string().as_bytes())
    }
}

fn collect_hosts<'a>(component: &'a str, value: &'a Value, depth: usize, found: &mut Vec<(&'a str, &'a str)>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match value.as_str() {
            Some(host) if name == "fqdn" && !host.is_empty() => found.push((component, host)),
            _ if depth < 6 => collect_hosts(component, value, depth + 1, found),
            _ => {}
        }
    }
}

/// Normalizes a name: `attribute_requirements` and `attributeRequirements` become equal.
pub fn squashed(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// SHA-256 in lower-case hex. serde_json sorts object keys (without `preserve_order`), so equal trees have equal digests.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
