//! The change for the manifest owner, as YAML. Pure.
//!
//! Exports contain the change that `dry-run` makes (`MasSettings::component`). The chart passes all values through Helm's
//! `tpl`, so `{{` in Helm values is escaped.

mod yaml;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::secret_contents::SecretKeys;
use super::settings::MasSettings;
use crate::deployment::Deployment;
use crate::secrets::{SecretBytes, SecretText};
use yaml::{Node, document};

/// The chart of ESS Classic with the ElementDeployment and its Secrets.
pub const CHART: &str = "ess-stack";

/// Whether the chart creates Secrets of this name: `RELEASE-stack-COMPONENT`, the component in lower case.
///
/// Helm refuses to adopt a Secret of such a name, and the chart empties its own Secret if the values contain
/// `existingSecret`. Without a known release, the name for MAS matches with any release.
pub fn is_chart_secret(name: &str, release: Option<&str>) -> bool {
    let of_release = release.and_then(|release| name.strip_prefix(release)?.strip_prefix("-stack-"));
    of_release.is_some_and(|component| !component.is_empty()) || name.ends_with("-stack-matrixauthenticationservice")
}

pub type Values = BTreeMap<String, SecretBytes>;

#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub deployment: &'a Deployment,
    pub settings: &'a MasSettings,
    pub keys: &'a SecretKeys,
}

impl Subject<'_> {
    fn component(&self) -> Value {
        self.settings.component(self.deployment.mas(), (&self.keys.certificate, &self.keys.private_key))
    }
}

/// A secret value that is not text, as Helm values must be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the value of key {0} is not UTF-8 text, which a values file requires")]
pub struct NotText(pub String);

#[derive(Debug, Clone, Copy)]
pub enum HelmSecrets<'a> {
    Existing(&'a str),
    /// Values from which the chart creates a Secret.
    Inline(&'a Values),
}

/// A values file for a second `-f`. `under` is the key of this chart's values in an umbrella chart.
pub fn helm_values(
    subject: &Subject<'_>,
    secrets: HelmSecrets<'_>,
    under: Option<&str>,
) -> Result<SecretText, NotText> {
    let mut component = subject.component();
    // The chart sets it to `existingSecret` or to the Secret that it creates.
    component.as_object_mut().map(|fields| fields.remove("secretName"));
    let content = match secrets {
        HelmSecrets::Existing(name) => Node::under("existingSecret", Node::Text(name)),
        HelmSecrets::Inline(values) => {
            let mut entries = Vec::new();
            for (key, value) in values {
                let text = std::str::from_utf8(value.expose()).map_err(|_| NotText(key.clone()))?;
                entries.push((key.as_str(), Node::Text(text)));
            }
            Node::under("content", Node::Map(entries))
        }
    };
    let values = Node::Map(vec![
        ("secrets", Node::under("matrixAuthenticationService", content)),
        ("components", Node::under("matrixAuthenticationService", Node::Tree(&component))),
    ]);
    let values = match under {
        Some(key) => Node::under(key, values),
        None => values,
    };
    let text = document(&comments(secrets, under), &values, true);
    Ok(SecretText::from(text.as_str()))
}

fn comments(secrets: HelmSecrets<'_>, under: Option<&str>) -> [String; 3] {
    [
        "Pass this file after your own values: helm upgrade … -f VALUES -f THIS-FILE".to_owned(),
        match under {
            Some(key) => format!("The values are below the key {key}, as your umbrella chart expects for {CHART}."),
            None => format!("If your own chart depends on {CHART}, move everything below the key {CHART}."),
        },
        match secrets {
            HelmSecrets::Existing(name) => {
                format!("This file contains no secrets. Secret {name} must exist before the upgrade.")
            }
            HelmSecrets::Inline(_) => {
                "This file contains secrets. Keep it: the encryption secret must never change once MAS uses it."
                    .to_owned()
            }
        },
    ]
}

/// The change of the ElementDeployment as a merge patch, which kustomize can apply too. It has no namespace, which a
/// kustomization may set. `file` is the file's name in the comments.
pub fn patch(subject: &Subject<'_>, file: &str) -> String {
    let deployment = subject.deployment;
    let (name, namespace) = (deployment.name(), deployment.namespace());
    let component = subject.component();
    let patch = json!({
        "apiVersion": deployment.api_version(),
        "kind": "ElementDeployment",
        "metadata": {"name": name},
        "spec": {"components": {"matrixAuthenticationService": component}},
    });
    let comments = [
        "Merge this patch into the manifest of the ElementDeployment. It contains no secrets.".to_owned(),
        format!("kustomize:  patches: [{{path: {file}, target: {{kind: ElementDeployment, name: {name}}}}}]"),
        format!(
            "by hand:    kubectl patch elementdeployments.matrix.element.io {name} -n {namespace} --type merge --patch-file {file}"
        ),
    ];
    document(&comments, &Node::Tree(&patch), false).to_string()
}

/// The Secret, with base64 values, which no variable substitution can change.
pub fn secret(subject: &Subject<'_>, values: &Values) -> SecretText {
    let encode = |(key, value): (&String, &SecretBytes)| (key.clone(), Zeroizing::new(STANDARD.encode(value.expose())));
    let encoded: Vec<_> = values.iter().map(encode).collect();
    let metadata = json!({"name": subject.settings.secret_name, "namespace": subject.deployment.namespace()});
    let secret = Node::Map(vec![
        ("apiVersion", Node::Text("v1")),
        ("kind", Node::Text("Secret")),
        ("type", Node::Text("Opaque")),
        ("metadata", Node::Tree(&metadata)),
        ("data", Node::Map(encoded.iter().map(|(key, text)| (key.as_str(), Node::Text(text))).collect())),
    ]);
    let comments = [
        "Base64 is not encryption. Encrypt this file (SOPS, Sealed Secrets, Vault) before you commit it.".to_owned(),
        "The encryption secret must never change once MAS uses it.".to_owned(),
    ];
    SecretText::from(document(&comments, &secret, false).as_str())
}

#[cfg(test)]
mod tests;
