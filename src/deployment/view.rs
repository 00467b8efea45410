//! A partial, tolerant view of one ElementDeployment object.
//!
//! The vendor's schema is closed, so the object is kept as it came and only the fields that the migration guide
//! names, or that every component shares, are read. What is absent or of another type reads as "not there".

use serde_json::Value;

use self::digest::sha256_hex;
use super::conditions::Conditions;

/// MAS, among `spec.components`.
pub const MAS: &str = "matrixAuthenticationService";

/// The object that came from the API server is no ElementDeployment.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the API server's answer is not an ElementDeployment: {missing} is missing")]
pub struct NotADeployment {
    missing: &'static str,
}

/// Where a component's ingress gets its certificate from; `spec…k8s.ingress.tls.mode` of the ElementDeployment.
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

impl TlsMode {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certmanager => "certmanager",
            Self::Certfile => "certfile",
            Self::Existing => "existing",
            Self::External => "external",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Certmanager, Self::Certfile, Self::Existing, Self::External].into_iter().find(|mode| mode.name() == name)
    }
}

/// A component's `config.postgresql`; every field as written, absent ones left to the operator's defaults.
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
    /// Wraps an object that the API server sent.
    ///
    /// # Errors
    /// If it has no name, uid, resourceVersion or `spec`: everything that is decided later rests on these.
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

    /// `metadata.uid`: tells a recreated object from the one that was there before.
    pub fn uid(&self) -> &str {
        self.metadata("uid")
    }

    /// `metadata.resourceVersion`: what a write is compared with.
    pub fn resource_version(&self) -> &str {
        self.metadata("resourceVersion")
    }

    pub fn api_version(&self) -> &str {
        self.object["apiVersion"].as_str().unwrap_or_default()
    }

    /// `metadata.generation`: the API server counts it up at every change of `spec`.
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

    /// Whether another state of it differs in nothing that a person decides on: only the status moved.
    pub fn differs_only_in_status(&self, other: &Self) -> bool {
        let decided = |object: &Value| {
            let metadata = &object["metadata"];
            let kept = ["annotations", "labels", "uid", "deletionTimestamp"].map(|key| metadata[key].clone());
            (object["spec"].clone(), kept)
        };
        decided(self.object()) == decided(other.object())
    }

    /// The whole `spec`.
    pub fn spec(&self) -> &Value {
        &self.object["spec"]
    }

    /// `spec.components.<name>`, if it is an object.
    pub fn component(&self, name: &str) -> Option<&Value> {
        Some(&self.object["spec"]["components"][name]).filter(|component| component.is_object())
    }

    pub fn components(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.object["spec"]["components"].as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    pub fn mas(&self) -> Option<&Value> {
        self.component(MAS)
    }

    /// `spec.components.synapse.config`; null where there is none.
    pub fn synapse_config(&self) -> &Value {
        &self.object["spec"]["components"]["synapse"]["config"]
    }

    /// The sections that the operator writes Synapse's ways to log in from.
    pub fn delegated_auth(&self) -> &Value {
        &self.synapse_config()["delegatedAuth"]
    }

    /// `…matrixAuthenticationService.config.active`: what the migration waits for to be turned on.
    pub fn active(&self) -> Option<bool> {
        self.mas()?["config"]["active"].as_bool()
    }

    pub fn mas_host(&self) -> Option<&str> {
        self.ingress_host(MAS)
    }

    pub fn ingress_host(&self, component: &str) -> Option<&str> {
        self.component(component)?["k8s"]["ingress"]["fqdn"].as_str().filter(|host| !host.is_empty())
    }

    /// Every `fqdn` below a component's `k8s`, with the component's name: some have more than one ingress.
    pub fn ingress_hosts(&self) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        for (component, value) in self.components() {
            collect_hosts(component, &value["k8s"], 0, &mut found);
        }
        found
    }

    /// The Secret that the MAS component names; absent when the object does not say.
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

    /// The TLS mode that a component's ingress sets itself, or else inherits from `spec.global.k8s.ingresses.tls`.
    /// The flag tells whether it was inherited.
    pub fn tls_mode(&self, component: &str) -> Option<(TlsMode, bool)> {
        let own = self.component(component).map(|c| &c["k8s"]["ingress"]["tls"]);
        if let Some(mode) = own.and_then(|tls| tls["mode"].as_str()).and_then(TlsMode::parse) {
            return Some((mode, false));
        }
        self.global_tls()["mode"].as_str().and_then(TlsMode::parse).map(|mode| (mode, true))
    }

    pub fn global_tls(&self) -> &Value {
        &self.object["spec"]["global"]["k8s"]["ingresses"]["tls"]
    }

    pub fn conditions(&self) -> Conditions {
        Conditions::read(&self.object["status"])
    }

    /// `status.mas_active`; the guide says that it turns true with the migration. Written by Ansible, so the text
    /// "true" is accepted beside the boolean.
    pub fn mas_active(&self) -> Option<bool> {
        match &self.object["status"]["mas_active"] {
            Value::Bool(active) => Some(*active),
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The whole `spec` without `…config.active`: what a rehearsal is for. The guide: "All other settings should remain
    /// the same."
    pub fn rehearsed_spec(&self) -> Value {
        let mut spec = self.spec().clone();
        if let Some(config) =
            spec.pointer_mut("/components/matrixAuthenticationService/config").and_then(Value::as_object_mut)
        {
            config.remove("active");
        }
        spec
    }

    pub fn rehearsed_digest(&self) -> String {
        sha256_hex(self.rehearsed_spec().to_string().as_bytes())
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

/// A name without the differences between `attribute_requirements` and `attributeRequirements`.
pub fn squashed(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

pub(super) mod digest {
    use std::fmt::Write;

    /// SHA-256 in lower-case hex. serde_json keeps object keys sorted (no `preserve_order`), so equal trees give
    /// equal text.
    pub(in crate::deployment) fn sha256_hex(bytes: &[u8]) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        digest.as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}
