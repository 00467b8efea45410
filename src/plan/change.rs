//! A write to the ElementDeployment.

use serde_json::{Value, json};

use super::secret_contents::SecretKeys;
use super::settings::MasSettings;
use crate::deployment::Deployment;
use crate::verdict::{Carried, Observation};

/// Annotation of a write that requests a dry run; it starts a reconcile even if the spec doesn't change. Its value is unique,
/// which identifies the write.
pub const DRY_RUN_ANNOTATION: &str = "kubectl-ess-mas/rehearsal-requested";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Adds or updates the MAS component with `active: false`. The text is the annotation's value.
    AddMas(Box<MasSettings>, String),
    /// Requests a dry run of an unchanged spec. The text is the annotation's value.
    RequestDryRun(String),
    /// Requests a reconcile of a spec that is already rolled back. The text is the annotation's value.
    RequestReconcile(String),
    Activate,
    Deactivate,
    Remove,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub change: Change,
    /// The JSON merge patch (RFC 7386), with the resourceVersion as its precondition.
    pub patch: Value,
    pub before: Deployment,
}

impl Plan {
    /// Adds or updates the MAS component, or requests another dry run if the component already has these settings. `request`
    /// is the annotation's value.
    pub fn dry_run(before: &Deployment, settings: &MasSettings, keys: &SecretKeys, request: &str) -> Self {
        let component = settings.component(before.mas(), (&keys.certificate, &keys.private_key));
        let mut patch = json!({"spec": {"components": {"matrixAuthenticationService": component}}});
        if merge(before.object(), &patch)["spec"] == *before.spec() {
            return Self::request_dry_run(before, request);
        }
        patch["metadata"]["annotations"][DRY_RUN_ANNOTATION] = json!(request);
        Self::new(before, Change::AddMas(Box::new(settings.clone()), request.to_owned()), patch)
    }

    pub fn request_dry_run(before: &Deployment, request: &str) -> Self {
        Self::new(before, Change::RequestDryRun(request.to_owned()), annotation(request))
    }

    pub fn reconcile(before: &Deployment, request: &str) -> Self {
        Self::new(before, Change::RequestReconcile(request.to_owned()), annotation(request))
    }

    pub fn activate(before: &Deployment) -> Self {
        Self::new(before, Change::Activate, switch(true))
    }

    pub fn deactivate(before: &Deployment) -> Self {
        Self::new(before, Change::Deactivate, switch(false))
    }

    pub fn remove(before: &Deployment) -> Self {
        let mut patch = json!({"spec": {"components": {"matrixAuthenticationService": null}}});
        if before.annotation(DRY_RUN_ANNOTATION).is_some() {
            patch["metadata"]["annotations"] = json!({DRY_RUN_ANNOTATION: null});
        }
        Self::new(before, Change::Remove, patch)
    }

    fn new(before: &Deployment, change: Change, mut patch: Value) -> Self {
        // Compare-and-set: the API server refuses the patch if the object changed since it was shown.
        patch["metadata"]["resourceVersion"] = json!(before.resource_version());
        Self { change, patch, before: before.clone() }
    }

    /// Whether the write changes the spec, which increments `metadata.generation`.
    pub fn changes_spec(&self) -> bool {
        self.patch.get("spec").is_some()
    }

    /// What identifies an object that contains the change; `after` is the API server's response to the write.
    pub fn carried(&self, after: &Observation) -> Carried {
        match self.change {
            Change::AddMas(..) | Change::RequestDryRun(_) => Carried::DryRun(after.spec_digest.clone()),
            Change::Activate => Carried::Active(true),
            Change::RequestReconcile(_) if !after.has_mas => Carried::Removed,
            Change::Deactivate | Change::RequestReconcile(_) => Carried::Active(false),
            Change::Remove => Carried::Removed,
        }
    }

    /// Whether an object, read back after a lost response, contains this write.
    pub fn is_in(&self, object: &Value) -> bool {
        let mut wanted = self.patch.clone();
        wanted["metadata"].as_object_mut().map(|metadata| metadata.remove("resourceVersion"));
        merge(object, &wanted) == *object
    }

    /// Differences between the object and the server's response that this change doesn't explain, such as changes by defaults
    /// or webhooks. Paths from the object's root.
    pub fn unexplained(&self, answer: &Value) -> Vec<String> {
        let relevant = |object: &Value| {
            let metadata = &object["metadata"];
            let relevant = json!({"spec": object["spec"], "metadata": {
                "annotations": metadata["annotations"], "labels": metadata["labels"], "finalizers": metadata["finalizers"]}});
            // API servers may prune null fields; merging as a patch removes them.
            merge(&json!({}), &relevant)
        };
        let found = json_patch::diff(&relevant(&merge(self.before.object(), &self.patch)), &relevant(answer));
        let path =
            |pointer: &str| pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
        found.iter().map(|difference| path(difference.path().as_str())).collect()
    }
}

fn annotation(request: &str) -> Value {
    json!({"metadata": {"annotations": {DRY_RUN_ANNOTATION: request}}})
}

fn switch(active: bool) -> Value {
    json!({"spec": {"components": {"matrixAuthenticationService": {"config": {"active": active}}}}})
}

/// RFC 7386.
fn merge(target: &Value, patch: &Value) -> Value {
    let mut merged = target.clone();
    json_patch::merge(&mut merged, patch);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Features;
    use crate::plan::settings::{Database, Tls};

    fn deployment(components: &Value) -> Deployment {
        Deployment::from_value(json!({
            "metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "7", "generation": 1},
            "spec": {"global": {"config": {"domainName": "example.com"}}, "components": components}}))
        .unwrap()
    }

    fn settings(tls: Tls) -> MasSettings {
        MasSettings {
            host: "auth.example.com".into(),
            database: Database {
                host: "pg".into(),
                port: 5432,
                name: "mas".into(),
                user: "mas".into(),
                ssl_mode: None,
            },
            tls,
            secret_name: "a-mas".into(),
        }
    }

    fn dry_run(before: &Deployment, tls: Tls) -> Plan {
        let keys = SecretKeys::find(before, &Features::default());
        Plan::dry_run(before, &settings(tls), &keys, "t")
    }

    #[test]
    fn the_guides_fields_are_written_with_active_false() {
        let plan = dry_run(&deployment(&json!({})), Tls::Inherit);
        assert_eq!(plan.patch["metadata"]["resourceVersion"], "7");
        assert_eq!(
            plan.patch["spec"]["components"]["matrixAuthenticationService"],
            json!({"secretName": "a-mas",
                   "config": {"active": false, "postgresql": {"host": "pg", "port": 5432, "database": "mas", "user": "mas"}},
                   "k8s": {"ingress": {"fqdn": "auth.example.com"}}})
        );
    }

    #[test]
    fn leaving_a_tls_mode_removes_its_settings() {
        let before = deployment(&json!({"matrixAuthenticationService": {"k8s": {"ingress": {
            "tls": {"mode": "certmanager", "certmanager": {"issuer": "le"}}}}}}));
        let plan = dry_run(&before, Tls::External);
        let tls = &plan.patch["spec"]["components"]["matrixAuthenticationService"]["k8s"]["ingress"]["tls"];
        assert_eq!(*tls, json!({"mode": "external", "certmanager": null}));
    }

    #[test]
    fn a_dry_run_of_an_unchanged_spec_writes_only_the_annotation() {
        let first = dry_run(&deployment(&json!({})), Tls::Inherit);
        let applied = Deployment::from_value(merge(first.before.object(), &first.patch)).unwrap();
        let second = dry_run(&applied, Tls::Inherit);
        assert_eq!(second.change, Change::RequestDryRun("t".into()));
        assert!(!second.changes_spec());
    }

    #[test]
    fn unexplained_changes_in_the_response_are_listed() {
        let before = deployment(&json!({"matrixAuthenticationService": {"config": {"active": false}}}));
        let plan = Plan::activate(&before);
        let mut answer = merge(before.object(), &plan.patch);
        assert!(plan.unexplained(&answer).is_empty());
        answer["spec"]["components"]["synapse"] = json!({"config": {"workers": 3}});
        answer["metadata"]["annotations"] = json!({"x": "y"});
        assert_eq!(plan.unexplained(&answer), ["metadata.annotations", "spec.components.synapse"]);
    }

    #[test]
    fn a_null_pruned_by_the_api_server_is_not_a_difference() {
        let mas = json!({"config": {"active": false}});
        let before = deployment(&json!({"matrixAuthenticationService": mas, "synapse": {"additional": null}}));
        let plan = Plan::activate(&before);
        let mut answer = merge(before.object(), &plan.patch);
        answer["spec"]["components"]["synapse"] = json!({});
        assert!(plan.unexplained(&answer).is_empty(), "{:?}", plan.unexplained(&answer));
    }

    #[test]
    fn a_write_is_recognized_when_read_back() {
        let before = deployment(&json!({"matrixAuthenticationService": {"config": {"active": false}}}));
        let plan = Plan::activate(&before);
        let mut after = merge(before.object(), &plan.patch);
        after["metadata"]["resourceVersion"] = json!("9");
        assert!(plan.is_in(&after));
        assert!(!plan.is_in(before.object()));
        let remove = Plan::remove(&before);
        assert!(!remove.is_in(before.object()));
        assert!(remove.is_in(deployment(&json!({})).object()));
    }
}
