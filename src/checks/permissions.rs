//! May the caller do all that the step needs? Asked before the first write, so that nothing is left half-written.

use super::access::{self, Access, Right};
use super::finding::{Code, Finding};
use super::snapshot::{Purpose, Snapshot};
use crate::answers::Known;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::plan::SecretKeys;
use crate::record::record_name;

pub const PERMISSIONS: Code = "permissions";
pub const PERMISSION_TO_FOLLOW: Code = "permission-to-follow";

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    let Some(access) = &snapshot.environment.access else { return };
    if snapshot.deployment.mas_active() == Some(true) && purpose != Purpose::Abort {
        return;
    }
    let subject = format!("your rights in namespace {}", snapshot.deployment.namespace());
    if access.logged_out {
        let finding = Finding::blocker(PERMISSIONS, subject, "the API server no longer accepts your credentials");
        findings.push(finding.remedy("Log in again as you do for kubectl, then run the command again."));
        return;
    }
    let schema = schema(snapshot, access).filter(|_| purpose != Purpose::Abort);
    let write = Standing::of(snapshot, access, needed(snapshot, purpose).into_iter().chain(schema));
    let follow = Standing::of(snapshot, access, needed_to_follow(snapshot, purpose));
    findings.extend(write.missing(snapshot, purpose, PERMISSIONS, &subject, ""));
    let alone = " To write without following the operator, pass --wait=false.";
    findings.extend(follow.missing(snapshot, purpose, PERMISSION_TO_FOLLOW, &subject, alone));
    if !write.missing.is_empty() || !follow.missing.is_empty() {
        return;
    }
    let unknown: Vec<&Right> = write.unknown.iter().chain(&follow.unknown).collect();
    if unknown.is_empty() {
        findings.push(Finding::ok(PERMISSIONS, subject, "they are enough"));
    } else if purpose == Purpose::Look {
        // A step goes on all the same: the server's own dry run of the write tells, before anything is written.
        let (why, list) = (access.why_unknown(), list(unknown.into_iter()));
        let text = format!("whether you may do this could not be found out ({why}): {list}");
        let remedy = "Compare with the Role that is enough: `kubectl ess-mas check --rbac`.";
        findings.push(Finding::unknown(PERMISSIONS, subject, text).remedy(remedy));
    }
}

/// The published schema may have been refused; that matters where nothing else tells what the release can do.
fn schema(snapshot: &Snapshot, access: &Access) -> Option<Right> {
    let unknown = snapshot.features.known().is_none() && snapshot.deployment.active().is_none();
    access.refused.iter().find(|right| unknown && matches!(right.on, access::On::Path(_))).cloned()
}

struct Standing {
    missing: Vec<Right>,
    unknown: Vec<Right>,
}

impl Standing {
    fn of(snapshot: &Snapshot, access: &Access, rights: impl IntoIterator<Item = Right>) -> Self {
        let (mut missing, mut unknown) = (Vec::new(), Vec::new());
        for right in rights {
            match access.may(&right) {
                _ if was_used(snapshot, &right) => {}
                Some(true) => {}
                Some(false) => missing.push(right),
                None => unknown.push(right),
            }
        }
        Self { missing, unknown }
    }

    fn missing(
        &self,
        snapshot: &Snapshot,
        purpose: Purpose,
        code: &'static str,
        subject: &str,
        more: &str,
    ) -> Option<Finding> {
        let first = self.missing.first()?;
        let text = format!("you may not: {}", list(self.missing.iter()));
        // Who only looks may not be the one who takes the steps.
        let make = if purpose == Purpose::Look { Finding::warning } else { Finding::blocker };
        let how = match first.on {
            access::On::Path(_) => {
                "Ask an administrator for it; the ClusterRole system:discovery holds it, which Kubernetes gives to everyone who is logged in."
            }
            access::On::Resource { .. } => {
                "Ask an administrator for the Role that `kubectl ess-mas check --rbac` prints."
            }
        };
        let (right, namespace) = (first.words(), snapshot.deployment.namespace());
        let remedy = format!("{how} `kubectl auth can-i {right} -n {namespace}` tells when it is there.{more}");
        Some(make(code, subject, text).remedy(remedy))
    }
}

/// What was read just now may be read, whatever lists say.
fn was_used(snapshot: &Snapshot, right: &Right) -> bool {
    let read = |known: bool, plural: &str| match &right.on {
        access::On::Resource { plural: of, .. } => known && *of == plural && right.verb == "get",
        access::On::Path(_) => false,
    };
    read(snapshot.record.known().is_some(), "configmaps")
        || read(matches!(snapshot.secret, Known::Known(Some(_))), "secrets")
}

fn list<'a>(rights: impl Iterator<Item = &'a Right>) -> String {
    rights.map(Right::words).collect::<Vec<_>>().join(", ")
}

/// Every right that any step may need, whatever is there already.
pub fn of_the_whole_way(snapshot: &Snapshot) -> Vec<Right> {
    let name = snapshot.deployment.name();
    let (secret, record) = (snapshot.secret_name(), record_name(name));
    let deployment = ["get", "watch", "patch"].map(|verb| Right::deployment(verb, name));
    let secrets = ["get", "create", "patch"].map(|verb| Right::secret(verb, &secret));
    let records = ["get", "create", "update"].map(|verb| Right::config_map(verb, &record));
    deployment.into_iter().chain(secrets).chain(records).collect()
}

/// The rights that a step cannot do without, apart from following the operator.
pub fn needed(snapshot: &Snapshot, purpose: Purpose) -> Vec<Right> {
    let deployment = &snapshot.deployment;
    let (name, record) = (deployment.name(), record_name(deployment.name()));
    let patch = Right::deployment("patch", name);
    if purpose == Purpose::Abort {
        // Going back must not hang on what only serves to remember.
        return vec![Right::deployment("get", name), patch];
    }
    let secret = snapshot.secret_name();
    let mut rights =
        vec![Right::deployment("get", name), Right::secret("get", &secret), Right::config_map("get", &record)];
    // A record that is not there yet is made first, and completed when the operator has answered.
    let no_record = matches!(snapshot.record, Known::Known(None));
    if purpose != Purpose::Prepare {
        rights.push(patch);
    }
    if matches!(purpose, Purpose::Prepare | Purpose::Look) {
        rights.extend(secret_write(snapshot, &secret));
    }
    if no_record {
        rights.push(Right::config_map("create", &record));
    }
    if !(no_record && purpose == Purpose::Prepare) {
        rights.push(Right::config_map("update", &record));
    }
    rights
}

/// What `prepare` has to write to the Secret: all of it, or what is missing in it.
fn secret_write(snapshot: &Snapshot, name: &str) -> Option<Right> {
    let keys = snapshot.secret_keys();
    match &snapshot.secret {
        Known::Known(None) => Some(Right::secret("create", name)),
        Known::Known(Some(secret)) => {
            let SecretKeys { encryption_secret, rsa_private_key, postgres_password, .. } = &keys;
            let complete = [encryption_secret, rsa_private_key, postgres_password]
                .into_iter()
                .all(|key| secret.data.contains_key(key));
            (!complete).then(|| Right::secret("patch", name))
        }
        Known::Unreadable(_) => None,
    }
}

/// The rights to follow what the operator makes of a write.
pub fn needed_to_follow(snapshot: &Snapshot, purpose: Purpose) -> Vec<Right> {
    match purpose {
        Purpose::Prepare => Vec::new(),
        _ => vec![Right::deployment("watch", snapshot.deployment.name())],
    }
}

/// Names in the deployment's namespace that the Role is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFor {
    pub name: String,
    pub namespace: String,
    pub mas_secret: String,
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
    use serde_json::{Value, json};

    use super::super::access::Rules;
    use super::super::{Severity, run, tests};
    use super::*;

    fn with(rules: Value, extra: Value) -> Snapshot {
        let mut status = json!({"resourceRules": rules, "nonResourceRules": []});
        status.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let mut snapshot = tests::snapshot(|_| {});
        let rules = Known::Known(Rules::read(&status).unwrap());
        snapshot.environment.access = Some(Access { rules, ..Access::unknown("") });
        snapshot
    }

    fn rule(resource: &str, verbs: &[&str]) -> Value {
        let group = if resource == "elementdeployments" { "matrix.element.io" } else { "" };
        json!({"verbs": verbs, "apiGroups": [group], "resources": [resource]})
    }

    fn enough() -> Vec<Value> {
        vec![
            rule("elementdeployments", &["get", "watch", "patch"]),
            rule("secrets", &["get", "create", "patch"]),
            rule("configmaps", &["get", "create", "update"]),
        ]
    }

    fn told(snapshot: &Snapshot, purpose: Purpose) -> Vec<Finding> {
        run(snapshot, purpose).into_iter().filter(|finding| finding.code.starts_with("permission")).collect()
    }

    #[test]
    fn no_step_needs_more_than_the_whole_way() {
        let snapshot = tests::snapshot(|_| {});
        let whole = of_the_whole_way(&snapshot);
        for purpose in [Purpose::Look, Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort] {
            for right in needed(&snapshot, purpose).into_iter().chain(needed_to_follow(&snapshot, purpose)) {
                assert!(whole.contains(&right), "{purpose:?}: {}", right.words());
            }
        }
    }

    const PURPOSES: [Purpose; 5] =
        [Purpose::Look, Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort];

    #[test]
    fn enough_is_enough_for_every_step() {
        for purpose in PURPOSES {
            let found = told(&with(json!(enough()), json!({})), purpose);
            assert_eq!(found.iter().map(|one| one.severity).collect::<Vec<_>>(), [Severity::Ok], "{found:?}");
        }
        assert!(told(&tests::snapshot(|_| {}), Purpose::Look).is_empty(), "nobody asked");
    }

    #[test]
    fn a_missing_right_stops_the_steps_that_need_it_and_is_named() {
        for (resource, verb, stopped) in [
            ("elementdeployments", "patch", vec![Purpose::DryRun, Purpose::Activate, Purpose::Abort]),
            ("elementdeployments", "watch", vec![Purpose::DryRun, Purpose::Activate, Purpose::Abort]),
            ("secrets", "get", vec![Purpose::Prepare, Purpose::DryRun, Purpose::Activate]),
            ("secrets", "create", vec![Purpose::Prepare]),
            ("configmaps", "create", vec![Purpose::Prepare, Purpose::DryRun, Purpose::Activate]),
            ("configmaps", "update", vec![Purpose::DryRun, Purpose::Activate]),
        ] {
            let rules: Vec<Value> = enough()
                .into_iter()
                .map(|mut rule| {
                    if rule["resources"][0] == resource {
                        rule["verbs"].as_array_mut().unwrap().retain(|one| one != verb);
                    }
                    rule
                })
                .collect();
            let snapshot = with(json!(rules), json!({}));
            for purpose in PURPOSES {
                let found = told(&snapshot, purpose);
                let missing = found.iter().find(|one| one.severity != Severity::Ok);
                let wanted = match purpose {
                    Purpose::Look => Some(Severity::Warning),
                    purpose => stopped.contains(&purpose).then_some(Severity::Blocker),
                };
                assert_eq!(missing.map(|one| one.severity), wanted, "{verb} {resource} {purpose:?}: {found:?}");
                if let Some(missing) = missing {
                    assert!(missing.message.contains(&format!(" {verb} {resource}")), "{}", missing.message);
                    assert!(missing.remedy.as_ref().unwrap().contains("check --rbac"));
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_found_out_is_said_when_looking_and_stops_nothing() {
        for snapshot in [with(json!([]), json!({"incomplete": true})), {
            let mut silent = tests::snapshot(|_| {});
            silent.environment.access = Some(Access::unknown("the review is forbidden"));
            silent
        }] {
            assert_eq!(told(&snapshot, Purpose::Look)[0].severity, Severity::Unknown);
            for purpose in [Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort] {
                assert!(told(&snapshot, purpose).is_empty());
            }
        }
    }

    #[test]
    fn what_was_refused_while_reading_is_missing_whatever_the_lists_say() {
        let mut snapshot = with(json!(enough()), json!({"incomplete": true}));
        snapshot.record = Known::Unreadable("refused".into());
        let name = crate::record::record_name("chat");
        snapshot.environment.access.as_mut().unwrap().refused.push(Right::config_map("get", &name));
        let found = told(&snapshot, Purpose::Activate);
        assert_eq!(found[0].severity, Severity::Blocker);
        assert!(found[0].message.contains(&format!("get configmaps/{name}")), "{}", found[0].message);
        assert_eq!(told(&snapshot, Purpose::Abort)[0].severity, Severity::Ok, "going back does not need it");
    }

    #[test]
    fn a_schema_that_is_refused_stops_the_first_write_and_no_later_one() {
        let mut snapshot = with(json!(enough()), json!({}));
        snapshot.features = Known::Unreadable("refused".into());
        snapshot
            .environment
            .access
            .as_mut()
            .unwrap()
            .refused
            .push(Right::path("/openapi/v3/apis/matrix.element.io/v1alpha2"));
        let found = told(&snapshot, Purpose::DryRun);
        assert!(found[0].message.contains("get /openapi/v3") && found[0].blocks(), "{found:?}");
        let mas = json!({"config": {"active": false}});
        let mut object = snapshot.deployment.object().clone();
        object["spec"]["components"]["matrixAuthenticationService"] = mas;
        snapshot.deployment = crate::deployment::Deployment::from_value(object).unwrap();
        assert_eq!(told(&snapshot, Purpose::Activate)[0].severity, Severity::Ok, "the switch is in the object");
    }

    #[test]
    fn credentials_that_have_run_out_stop_everything() {
        let mut snapshot = with(json!(enough()), json!({}));
        snapshot.environment.access.as_mut().unwrap().logged_out = true;
        for purpose in PURPOSES {
            assert!(told(&snapshot, purpose)[0].blocks());
        }
    }

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
        for purpose in [Purpose::Look, Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort] {
            for right in needed(&snapshot, purpose).into_iter().chain(needed_to_follow(&snapshot, purpose)) {
                assert!(rules.allow(&right), "{purpose:?} needs {}", right.words());
            }
        }
        let get = |name| rules.allow(&Right::secret("get", name));
        assert!(get("syn") && get("chat-mas") && !get("another"));
    }
}
