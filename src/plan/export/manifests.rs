//! Manifests for GitOps: the Secret, and what to change in the ElementDeployment.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::yaml::{Node, Writer};
use super::{Subject, Values};
use crate::pki::SecretText;

/// The change of the ElementDeployment, in two ways of applying it: as the body of a merge patch, and as a patch of kustomize.
/// There is no namespace in it, because a manifest may leave that to its kustomization. `file` is the name it will have.
pub fn patch(subject: &Subject<'_>, file: &str) -> String {
    let deployment = subject.deployment;
    let (name, namespace) = (deployment.name(), deployment.namespace());
    let component = subject.component();
    let order =
        ["secretName", "config", "active", "postgresql", "host", "port", "k8s", "ingress", "fqdn", "tls", "mode"];
    let document = Node::map([
        ("apiVersion", Node::Text(deployment.api_version().into())),
        ("kind", Node::Text("ElementDeployment".into())),
        ("metadata", Node::map([("name", Node::Text(name.into()))])),
        (
            "spec",
            Node::map([("components", Node::map([("matrixAuthenticationService", Node::of(&component, &order))]))]),
        ),
    ]);
    let comments = [
        "Merge this into the manifest of the ElementDeployment; all the rest of it stays. It holds no secret."
            .to_owned(),
        format!("kustomize:  patches: [{{path: {file}, target: {{kind: ElementDeployment, name: {name}}}}}]"),
        format!(
            "by hand:    kubectl patch elementdeployments.matrix.element.io {name} -n {namespace} --type merge --patch-file {file}"
        ),
    ];
    Writer::new(&comments, false).finish(&document).to_string()
}

/// The Secret, its values in base64: exact to the byte, and nothing that substitutes variables finds any in them.
pub fn secret(subject: &Subject<'_>, values: &Values) -> SecretText {
    let data =
        values.iter().map(|(key, value)| (key.into(), Node::Secret(Zeroizing::new(STANDARD.encode(value.expose())))));
    let document = Node::map([
        ("apiVersion", Node::Text("v1".into())),
        ("kind", Node::Text("Secret".into())),
        ("type", Node::Text("Opaque".into())),
        (
            "metadata",
            Node::map([
                ("name", Node::Text(subject.settings.secret_name.as_str().into())),
                ("namespace", Node::Text(subject.deployment.namespace().into())),
            ]),
        ),
        ("data", Node::Map(data.collect())),
    ]);
    let comments = [
        "Base64 is no encryption: whoever reads this has the secrets. Seal it (SOPS, Sealed Secrets, Vault) before it goes into a"
            .to_owned(),
        "repository. The encryption secret must never change once MAS has run with it.".to_owned(),
    ];
    SecretText::from(Writer::new(&comments, false).finish(&document).as_str())
}
