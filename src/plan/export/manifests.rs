//! Manifests for GitOps: the Secret, and what to change in the ElementDeployment.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use zeroize::Zeroizing;

use super::subject::{Subject, Values};
use super::yaml::{Node, document};
use crate::secrets::{SecretBytes, SecretText};

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
