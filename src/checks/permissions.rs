//! Whether the caller has the permissions for a step. Checked before the first write, so that no step stops halfway.

use super::access::{self, Access, GROUP, Permission};
use super::finding::Finding;
use super::snapshot::{Purpose, Snapshot};
use crate::answers::Known;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::plan::SecretKeys;
use crate::record::record_name;

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    let Some(access) = &snapshot.environment.access else { return };
    if snapshot.deployment.mas_active() == Some(true) && purpose != Purpose::Abort {
        return;
    }
    let subject = format!("your permissions in namespace {}", snapshot.deployment.namespace());
    if access.logged_out {
        return findings.push(Finding::of("logged-out", subject, &[]));
    }
    let namespace = snapshot.deployment.namespace();
    let schema = schema(snapshot, access).filter(|_| purpose != Purpose::Abort);
    let (mut unknown, before) = (Vec::new(), findings.len());
    // Another user may execute the steps.
    let names = match purpose {
        Purpose::Check => ["permission-missing-yet", "permission-to-follow-missing-yet"],
        _ => ["permission-missing", "permission-to-follow-missing"],
    };
    let write = needed(snapshot, purpose).into_iter().chain(schema).collect();
    for (name, permissions) in names.into_iter().zip([write, needed_to_follow(snapshot, purpose)]) {
        let open = permissions.into_iter().filter(|one| access.may(one) != Some(true) && !was_used(snapshot, one));
        let (missing, open): (Vec<_>, Vec<_>) = open.partition(|permission| access.may(permission) == Some(false));
        unknown.extend(open);
        let Some(first) = missing.first() else { continue };
        let how = match first.on {
            access::On::Path(_) => {
                "Ask an administrator for the ClusterRole system:discovery, which Kubernetes grants to every authenticated user."
            }
            access::On::Resource { .. } => {
                "Ask an administrator for the Role that `kubectl ess-mas check --rbac` prints."
            }
        };
        let values = [("list", &*list(&missing)), ("how", how), ("right", &first.words()), ("namespace", namespace)];
        findings.push(Finding::of(name, &subject, &values));
    }
    if findings.len() > before {
        return;
    }
    if unknown.is_empty() {
        findings.push(Finding::of("permissions", subject, &[("namespace", namespace)]));
    } else if purpose == Purpose::Check {
        // A step continues: the server-side dry run shows the same before anything is written.
        let values = [("why", access.why_unknown()), ("list", &list(&unknown))];
        findings.push(Finding::of("permissions-unknown", subject, &values));
    }
}

/// The permission to read the published schema, if it was refused and no other source shows what the release supports.
fn schema(snapshot: &Snapshot, access: &Access) -> Option<Permission> {
    let unknown = snapshot.features.known().is_none() && snapshot.deployment.active().is_none();
    access.refused.iter().find(|permission| unknown && matches!(permission.on, access::On::Path(_))).cloned()
}

/// Whether a read in this run proves the permission. The API server's list may omit it.
fn was_used(snapshot: &Snapshot, permission: &Permission) -> bool {
    let access::On::Resource { plural, .. } = permission.on else { return false };
    let was_read = match plural {
        "configmaps" => snapshot.record.known().is_some(),
        "secrets" => matches!(snapshot.secret, Known::Known(Some(_))),
        _ => false,
    };
    was_read && permission.verb == "get"
}

fn list(permissions: &[Permission]) -> String {
    permissions.iter().map(Permission::words).collect::<Vec<_>>().join(", ")
}

/// Every permission that a step of the migration may need, in any state of the cluster.
pub fn of_the_whole_way(snapshot: &Snapshot) -> Vec<Permission> {
    let name = snapshot.deployment.name();
    let (secret, record) = (snapshot.secret_name(), record_name(name));
    let deployment = ["get", "watch", "patch"].map(|verb| Permission::deployment(verb, name));
    let secrets = ["get", "create", "patch"].map(|verb| Permission::secret(verb, &secret));
    let records = ["get", "create", "update"].map(|verb| Permission::config_map(verb, &record));
    deployment.into_iter().chain(secrets).chain(records).collect()
}

/// The permissions that a step requires, without those to follow the operator.
pub fn needed(snapshot: &Snapshot, purpose: Purpose) -> Vec<Permission> {
    let (name, secret) = (snapshot.deployment.name(), snapshot.secret_name());
    let record = record_name(name);
    let prepares = purpose == Purpose::Prepare;
    // A rollback must not fail because of the record.
    let uses_record = purpose != Purpose::Abort;
    // A step creates a missing record first, and updates it with the operator's result.
    let no_record = matches!(snapshot.record, Known::Known(None));
    // `prepare` creates the Secret, or adds its missing keys.
    let writes_secret = matches!(purpose, Purpose::Prepare | Purpose::Check);
    let no_secret = matches!(snapshot.secret, Known::Known(None));
    let permissions = [
        (true, Permission::deployment("get", name)),
        (uses_record, Permission::secret("get", &secret)),
        (uses_record, Permission::config_map("get", &record)),
        (!prepares, Permission::deployment("patch", name)),
        (writes_secret && no_secret, Permission::secret("create", &secret)),
        (writes_secret && lacks_keys(snapshot), Permission::secret("patch", &secret)),
        (uses_record && no_record, Permission::config_map("create", &record)),
        (uses_record && !(no_record && prepares), Permission::config_map("update", &record)),
    ];
    permissions.into_iter().filter(|(needed, _)| *needed).map(|(_, permission)| permission).collect()
}

/// Whether the Secret exists and lacks one of the three keys that `prepare` writes.
pub(super) fn lacks_keys(snapshot: &Snapshot) -> bool {
    let SecretKeys { encryption_secret, rsa_private_key, postgres_password, .. } = snapshot.secret_keys();
    let Known::Known(Some(secret)) = &snapshot.secret else { return false };
    [encryption_secret, rsa_private_key, postgres_password].iter().any(|key| !secret.data.contains_key(key))
}

/// The permissions to follow the operator after a write.
pub fn needed_to_follow(snapshot: &Snapshot, purpose: Purpose) -> Vec<Permission> {
    match purpose {
        Purpose::Prepare => Vec::new(),
        _ => vec![Permission::deployment("watch", snapshot.deployment.name())],
    }
}

/// The Secrets that the spec names, besides MAS's own. The checks read them: the operator requires the keys that the spec
/// refers to.
pub fn other_secrets(deployment: &Deployment) -> Vec<String> {
    let spec = deployment.spec();
    let tls = deployment.mas().map_or(&Value::Null, |mas| &mas["k8s"]["ingress"]["tls"]["secretName"]);
    let named = [&spec["global"]["secretName"], &deployment.global_tls()["secretName"], tls];
    let components = deployment.components().map(|(_, component)| &component["secretName"]);
    let mut found: Vec<String> = Vec::new();
    for name in named.into_iter().chain(components).filter_map(Value::as_str).filter(|name| !name.is_empty()) {
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    found
}

/// The minimum Role. Restricted by name wherever RBAC supports it.
pub fn role(name: &str, namespace: &str, mas_secret: &str, other_secrets: &[String]) -> Value {
    let others = other_secrets.iter().map(String::as_str).filter(|name| *name != mas_secret);
    let secrets: Vec<&str> = std::iter::once(mas_secret).chain(others).collect();
    let rule = |group: &str, resource: &str, names: &[&str], verbs: &[&str]| {
        let mut rule = json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
        if !names.is_empty() {
            rule["resourceNames"] = json!(names);
        }
        rule
    };
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "kubectl-ess-mas", "namespace": namespace},
        "rules": [
            rule(GROUP, "elementdeployments", &[], &["list"]),
            rule(GROUP, "elementdeployments", &[name], &["get", "watch", "patch"]),
            rule("", "secrets", &secrets, &["get"]),
            rule("", "secrets", &[mas_secret], &["patch"]),
            rule("", "secrets", &[], &["create"]),
            rule("", "configmaps", &[&record_name(name)], &["get", "update"]),
            rule("", "configmaps", &[], &["create"]),
        ],
    })
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

    fn reported(snapshot: &Snapshot, purpose: Purpose) -> Vec<Finding> {
        run(snapshot, purpose).into_iter().filter(|finding| finding.code.starts_with("permission")).collect()
    }

    #[test]
    fn permissions_of_the_migration_include_those_of_every_step() {
        let snapshot = tests::snapshot(|_| {});
        let whole = of_the_whole_way(&snapshot);
        for purpose in [Purpose::Check, Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort] {
            for permission in needed(&snapshot, purpose).into_iter().chain(needed_to_follow(&snapshot, purpose)) {
                assert!(whole.contains(&permission), "{purpose:?}: {}", permission.words());
            }
        }
    }

    const PURPOSES: [Purpose; 5] =
        [Purpose::Check, Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort];

    #[test]
    fn required_permissions_are_ok_for_every_step() {
        for purpose in PURPOSES {
            let found = reported(&with(json!(enough()), json!({})), purpose);
            assert_eq!(found.iter().map(|one| one.severity).collect::<Vec<_>>(), [Severity::Ok], "{found:?}");
        }
        assert!(reported(&tests::snapshot(|_| {}), Purpose::Check).is_empty(), "permissions were not requested");
    }

    #[test]
    fn a_missing_permission_blocks_the_steps_that_need_it_and_is_named() {
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
                let found = reported(&snapshot, purpose);
                let missing = found.iter().find(|one| one.severity != Severity::Ok);
                let wanted = match purpose {
                    Purpose::Check => Some(Severity::Warning),
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
    fn unknown_permissions_are_reported_by_check_and_block_no_step() {
        for snapshot in [with(json!([]), json!({"incomplete": true})), {
            let mut silent = tests::snapshot(|_| {});
            silent.environment.access = Some(Access::unknown("the review is forbidden"));
            silent
        }] {
            assert_eq!(reported(&snapshot, Purpose::Check)[0].severity, Severity::Unknown);
            for purpose in [Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort] {
                assert!(reported(&snapshot, purpose).is_empty());
            }
        }
    }

    #[test]
    fn a_refused_read_is_a_missing_permission_although_the_list_is_incomplete() {
        let mut snapshot = with(json!(enough()), json!({"incomplete": true}));
        snapshot.record = Known::Unreadable("refused".into());
        let name = crate::record::record_name("chat");
        snapshot.environment.access.as_mut().unwrap().refused.push(Permission::config_map("get", &name));
        let found = reported(&snapshot, Purpose::Activate);
        assert_eq!(found[0].severity, Severity::Blocker);
        assert!(found[0].message.contains(&format!("get configmaps/{name}")), "{}", found[0].message);
        assert_eq!(reported(&snapshot, Purpose::Abort)[0].severity, Severity::Ok, "a rollback doesn't need it");
    }

    #[test]
    fn a_refused_schema_blocks_the_first_write_only() {
        let mut snapshot = with(json!(enough()), json!({}));
        snapshot.features = Known::Unreadable("refused".into());
        snapshot
            .environment
            .access
            .as_mut()
            .unwrap()
            .refused
            .push(Permission::path("/openapi/v3/apis/matrix.element.io/v1alpha2"));
        let found = reported(&snapshot, Purpose::DryRun);
        assert!(found[0].message.contains("get /openapi/v3") && found[0].blocks(), "{found:?}");
        let mas = json!({"config": {"active": false}});
        let mut object = snapshot.deployment.object().clone();
        object["spec"]["components"]["matrixAuthenticationService"] = mas;
        snapshot.deployment = crate::deployment::Deployment::from_value(object).unwrap();
        assert_eq!(reported(&snapshot, Purpose::Activate)[0].severity, Severity::Ok, "the object has the switch");
    }

    #[test]
    fn expired_credentials_block_every_step() {
        let mut snapshot = with(json!(enough()), json!({}));
        snapshot.environment.access.as_mut().unwrap().logged_out = true;
        for purpose in PURPOSES {
            assert!(reported(&snapshot, purpose)[0].blocks());
        }
    }

    #[test]
    fn the_role_has_every_permission_that_a_step_needs() {
        let snapshot = tests::snapshot(|object| object["spec"]["components"]["synapse"]["secretName"] = json!("syn"));
        let role = role("chat", "n", &snapshot.secret_name(), &other_secrets(&snapshot.deployment));
        let rules = Rules::read(&json!({"resourceRules": role["rules"]})).unwrap();
        for purpose in [Purpose::Check, Purpose::Prepare, Purpose::DryRun, Purpose::Activate, Purpose::Abort] {
            for permission in needed(&snapshot, purpose).into_iter().chain(needed_to_follow(&snapshot, purpose)) {
                assert!(rules.allow(&permission), "{purpose:?} needs {}", permission.words());
            }
        }
        let get = |name| rules.allow(&Permission::secret("get", name));
        assert!(get("syn") && get("chat-mas") && !get("another"));
    }
}
