//! What the owner of the manifest has to add, as text. Pure: values come in, YAML goes out; whoever asked writes it where it
//! belongs.
//!
//! Every change in here is the one that `dry-run` would make (`MasSettings::component`), so that an export and a write
//! cannot disagree. The chart passes all values through Helm's `tpl`, so a `{{` in a value of Helm's is written in a way
//! that comes out as itself.

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

/// The chart of ESS Classic that holds an ElementDeployment and its Secrets.
pub const CHART: &str = "ess-stack";

/// Whether the chart makes, or would make, a Secret of this name: `RELEASE-stack-COMPONENT`, the component in lower case.
///
/// Helm refuses to adopt a Secret that somebody else made under such a name, and the chart overwrites one that it made with
/// an empty one as soon as the values say `existingSecret`. Where the release is not known, the name for MAS counts for any.
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
    /// The MAS component as a merge patch over the one that is there, `active: false` written out.
    fn component(&self) -> Value {
        self.settings.component(self.deployment.mas(), (&self.keys.certificate, &self.keys.private_key))
    }
}

/// A secret value that has no form in the file: a Helm value is text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the value of key {0} is not UTF-8 text, so a values file cannot hold it")]
pub struct NotText(pub String);

/// Where the chart takes MAS's secret values from.
#[derive(Debug, Clone, Copy)]
pub enum HelmSecrets<'a> {
    /// A Secret that is there; no secret is in the file.
    Existing(&'a str),
    /// The values themselves: the chart makes a Secret of its own.
    Inline(&'a Values),
}

/// A values file to pass after one's own, with a second `-f`. `under` is the key below which an umbrella chart has this
/// chart's values.
pub fn helm_values(
    subject: &Subject<'_>,
    secrets: HelmSecrets<'_>,
    under: Option<&str>,
) -> Result<SecretText, NotText> {
    let mut component = subject.component();
    // The chart sets it: to `existingSecret`, or to the Secret that it makes.
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

fn comments(secrets: HelmSecrets<'_>, under: Option<&str>) -> Vec<String> {
    let mut lines = vec![
        "Pass this file after your own values, with a second -f: helm upgrade … -f VALUES -f THIS-FILE".to_owned(),
    ];
    lines.push(match under {
        Some(key) => format!("These are the values of a chart that has {CHART} below the key {key}."),
        None => {
            format!("Where {CHART} is a dependency of a chart of your own, all of it belongs below the key {CHART}.")
        }
    });
    lines.push(match secrets {
        HelmSecrets::Existing(name) => {
            format!("It holds no secret; they stay in Secret {name}, which must be there before the upgrade.")
        }
        HelmSecrets::Inline(_) => {
            "It holds secrets. The encryption secret must never change once MAS has run with it, so keep this file."
                .to_owned()
        }
    });
    lines
}

/// The change of the ElementDeployment, in two ways of applying it: as the body of a merge patch, and as a patch of kustomize.
/// There is no namespace in it, because a manifest may leave that to its kustomization. `file` is the name it will have.
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
        "Merge this into the manifest of the ElementDeployment; all the rest of it stays. It holds no secret."
            .to_owned(),
        format!("kustomize:  patches: [{{path: {file}, target: {{kind: ElementDeployment, name: {name}}}}}]"),
        format!(
            "by hand:    kubectl patch elementdeployments.matrix.element.io {name} -n {namespace} --type merge --patch-file {file}"
        ),
    ];
    document(&comments, &Node::Tree(&patch), false).to_string()
}

/// The Secret, its values in base64: exact to the byte, and nothing that substitutes variables finds any in them.
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
        "Base64 is no encryption: whoever reads this has the secrets. Seal it (SOPS, Sealed Secrets, Vault) before it goes into a"
            .to_owned(),
        "repository. The encryption secret must never change once MAS has run with it.".to_owned(),
    ];
    SecretText::from(document(&comments, &secret, false).as_str())
}

#[cfg(test)]
mod tests;
