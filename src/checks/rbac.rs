//! The Role that is enough for the whole way, for one deployment: what `check --rbac` prints and the README shows.

use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::record::record_name;

/// Names in the deployment's namespace that the Role is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFor {
    pub name: String,
    pub namespace: String,
    pub mas_secret: String,
    /// Secrets that are only looked at.
    pub other_secrets: Vec<String>,
}

/// Secrets beside MAS's own that the checks look at: those that the spec names. The operator demands that each of them
/// holds what the spec refers to.
pub fn other_secrets(deployment: &Deployment) -> Vec<String> {
    let spec = deployment.spec();
    let tls = deployment.mas().map_or(&Value::Null, |mas| &mas["k8s"]["ingress"]["tls"]["secretName"]);
    let named = [&spec["global"]["secretName"], &deployment.global_tls()["secretName"], tls];
    let components = deployment.components().map(|(_, component)| &component["secretName"]);
    let mut found: Vec<String> = Vec::new();
    for name in named.into_iter().chain(components).filter_map(Value::as_str) {
        if !name.is_empty() && !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    found
}

impl RoleFor {
    /// The Role. What can be given for an object by name, is.
    pub fn role(&self) -> Value {
        let record = record_name(&self.name);
        let others = self.other_secrets.iter().filter(|name| **name != self.mas_secret);
        let secrets: Vec<&str> = std::iter::once(&self.mas_secret).chain(others).map(String::as_str).collect();
        let rule = |group: &str, resource: &str, names: &[&str], verbs: &[&str]| {
            let mut rule = json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
            if !names.is_empty() {
                rule["resourceNames"] = json!(names);
            }
            rule
        };
        let ess = "matrix.element.io";
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "kubectl-ess-mas", "namespace": self.namespace},
            "rules": [
                rule(ess, "elementdeployments", &[], &["list"]),
                rule(ess, "elementdeployments", &[&self.name], &["get", "watch", "patch"]),
                rule("", "secrets", &secrets, &["get"]),
                rule("", "secrets", &[&self.mas_secret], &["patch"]),
                rule("", "secrets", &[], &["create"]),
                rule("", "configmaps", &[&record], &["get", "update"]),
                rule("", "configmaps", &[], &["create"]),
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::access::{Rules, needed, needed_to_follow};
    use super::super::{Step, tests};
    use super::*;

    #[test]
    fn the_role_holds_every_right_that_a_step_needs() {
        let snapshot = tests::snapshot(|object| object["spec"]["components"]["synapse"]["secretName"] = json!("syn"));
        let role = RoleFor {
            name: "chat".into(),
            namespace: "n".into(),
            mas_secret: snapshot.secret_name(),
            other_secrets: other_secrets(&snapshot.deployment),
        }
        .role();
        let rules = Rules::read(&json!({"resourceRules": role["rules"]})).unwrap();
        for step in [Step::Look, Step::Prepare, Step::DryRun, Step::Activate, Step::Abort] {
            for right in needed(&snapshot, step).into_iter().chain(needed_to_follow(&snapshot, step)) {
                assert!(rules.allow(&right), "{step:?} needs {}", right.words());
            }
        }
        let get = |name| rules.allow(&super::super::access::Right::secret("get", name));
        assert!(get("syn") && get("chat-mas") && !get("another"));
    }
}
