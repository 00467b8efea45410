//! The writers of the object's fields and the manifest owner, from `metadata.managedFields`, the annotation of `kubectl apply`,
//! and the labels and annotations of other tools.

use serde_json::Value;

use super::view::Deployment;
use crate::field_manager::FIELD_MANAGER;

/// The annotation in which client-side `kubectl apply` and similar tools store the applied manifest.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether a writer's fields include MAS or `active`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnedFields {
    Nothing,
    Mas,
    Active,
}

impl OwnedFields {
    fn of(mas: &Value, active: &Value) -> Self {
        match (mas, active) {
            (Value::Null, _) => Self::Nothing,
            (_, Value::Null) => Self::Mas,
            _ => Self::Active,
        }
    }
}

/// One entry of `metadata.managedFields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manager<'a> {
    pub name: &'a str,
    /// `Apply` for server-side apply, which detects conflicts with other managers; otherwise `Update`.
    pub operation: &'a str,
    /// The time of its last change in the API server's format, comparable as text.
    pub time: &'a str,
    /// Whether it wrote fields of `spec`.
    pub spec: bool,
    pub reach: OwnedFields,
}

/// A manifest that was applied and may be applied again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// By client-side `kubectl apply` or a similar tool, from its annotation.
    Client {
        reach: OwnedFields,
        active: Option<bool>,
    },
    Server {
        manager: String,
        reach: OwnedFields,
    },
}

impl Deployment {
    /// The field managers, except those of subresources such as the status.
    pub fn managers(&self) -> impl Iterator<Item = Manager<'_>> {
        let entries = self.object()["metadata"]["managedFields"].as_array().into_iter().flatten();
        entries.filter(|entry| entry["subresource"].as_str().unwrap_or_default().is_empty()).filter_map(|entry| {
            let spec = &entry["fieldsV1"]["f:spec"];
            let mas = &spec["f:components"]["f:matrixAuthenticationService"];
            Some(Manager {
                name: entry["manager"].as_str()?,
                operation: entry["operation"].as_str().unwrap_or_default(),
                time: entry["time"].as_str().unwrap_or_default(),
                spec: !spec.is_null(),
                reach: OwnedFields::of(mas, &mas["f:config"]["f:active"]),
            })
        })
    }

    pub fn reach_of(&self, name: &str) -> OwnedFields {
        let of_them = self.managers().filter(|manager| manager.name == name).map(|manager| manager.reach);
        of_them.max().unwrap_or(OwnedFields::Nothing)
    }

    /// Manifests that may be applied again: by client-side apply, and by each manager of server-side apply except this program.
    pub fn applied(&self) -> Vec<Applied> {
        let file = self.annotation(LAST_APPLIED).and_then(|text| serde_json::from_str::<Value>(text).ok());
        let by_client = file.map(|file| {
            let mas = &file["spec"]["components"]["matrixAuthenticationService"];
            let active = &mas["config"]["active"];
            let reach = OwnedFields::of(mas, if active.is_boolean() { active } else { &Value::Null });
            Applied::Client { reach, active: active.as_bool() }
        });
        let others = self.managers().filter(|one| one.operation == "Apply" && one.spec && one.name != FIELD_MANAGER);
        let by_server = others.map(|one| Applied::Server { manager: one.name.to_owned(), reach: one.reach });
        by_client.into_iter().chain(by_server).collect()
    }

    pub fn spec_written_by(&self) -> Option<&str> {
        self.managers().filter(|manager| manager.spec).max_by_key(|manager| manager.time).map(|manager| manager.name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HelmRelease {
    pub name: String,
    pub namespace: Option<String>,
    /// 3 or 4 from `managedFields`: Helm 3 updates from the client, Helm 4 uses server-side apply.
    pub major: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// No owner found: the object was applied by hand.
    Nobody,
    Helm(HelmRelease),
    /// The vendor's installer (`ui.element.io/*` annotations).
    Installer,
    /// Argo CD, with the Application's name.
    ArgoCd(Option<String>),
    /// Flux, with `kind/name` of the object that applies the manifest.
    Flux(String),
    /// Another tool that may revert changes: its name, the name of the applied package, and the Helm release that the tool
    /// installs.
    Tool(&'static str, Option<String>, Option<HelmRelease>),
}

/// Prefixes of the labels and annotations of tools, most specific first.
const MARKS: [(&str, &str); 10] = [
    ("fleet.cattle.io/", FLEET),
    ("configmanagement.gke.io/", "Google Config Sync"),
    ("configsync.gke.io/", "Google Config Sync"),
    ("projectsveltos.io/", "Sveltos"),
    ("kapp.k14s.io/", "kapp"),
    ("crossplane.io/", "Crossplane"),
    ("work.open-cluster-management.io/", "Open Cluster Management"),
    ("work.karmada.io/", "Karmada"),
    ("app.oam.dev/", "KubeVela"),
    ("objectset.rio.cattle.io/", FLEET),
];
const FLEET: &str = "Rancher Fleet";
/// Keys whose value is the name of the applied package.
const NAMES: [&str; 4] = [
    "fleet.cattle.io/bundle-id",
    "fleet.cattle.io/bundle-name",
    "configsync.gke.io/declaring-package",
    "objectset.rio.cattle.io/id",
];

impl Owner {
    /// Whether this owner may write as this field manager. Helm and tools that embed it (Terraform's provider) have `helm` in
    /// the name; the installer's name is unknown, so every manager counts except kubectl and this program.
    pub fn may_write_as(&self, manager: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::Helm(_) => manager.contains("helm"),
            Self::ArgoCd(_) => manager.starts_with("argocd"),
            Self::Flux(_) => ["helm", "kustomize-controller", "flux"].iter().any(|tool| manager.contains(tool)),
            Self::Installer | Self::Tool(..) => manager != FIELD_MANAGER && !manager.starts_with("kubectl"),
        }
    }
}

impl Deployment {
    /// The owner. A GitOps tool that renders a chart takes precedence over Helm, because it writes next. A tool without label or
    /// annotation is recognized by its field manager.
    pub fn owner(&self) -> Owner {
        if let Some(name) = self.label("helm.toolkit.fluxcd.io/name") {
            return Owner::Flux(format!("HelmRelease/{name}"));
        }
        if let Some(name) = self.label("kustomize.toolkit.fluxcd.io/name") {
            return Owner::Flux(format!("Kustomization/{name}"));
        }
        if let Some(id) = self.annotation("argocd.argoproj.io/tracking-id") {
            return Owner::ArgoCd(id.split(':').next().filter(|app| !app.is_empty()).map(str::to_owned));
        }
        if let Some(app) = self.label("argocd.argoproj.io/instance") {
            return Owner::ArgoCd(Some(app.to_owned()));
        }
        for manager in self.managers().filter(|manager| manager.spec) {
            match manager.name {
                // Charts set `app.kubernetes.io/instance` too. With this manager it is Argo CD's.
                name if name.starts_with("argocd-") => {
                    return Owner::ArgoCd(self.label("app.kubernetes.io/instance").map(str::to_owned));
                }
                "kustomize-controller" => return Owner::Flux("a Kustomization".to_owned()),
                "helm-controller" => return Owner::Flux("a HelmRelease".to_owned()),
                "fleetagent" | "fleet-agent" => return self.applied_by(FLEET),
                _ => {}
            }
        }
        let marks = |prefix: &str| self.marks().any(|(key, _)| key.starts_with(prefix));
        // Manifests that k3s applies from its own folder have the same prefix.
        let by_k3s = self.annotation("objectset.rio.cattle.io/owner-gvk").is_some_and(|kind| kind.contains("k3s"));
        if let Some((_, tool)) = MARKS.iter().find(|(prefix, _)| marks(prefix)) {
            return self.applied_by(if by_k3s { "k3s" } else { tool });
        }
        if let Some(release) = self.helm_release() {
            return Owner::Helm(release);
        }
        let by_installer = self.annotations().any(|(key, _)| key.starts_with("ui.element.io/"));
        if by_installer { Owner::Installer } else { Owner::Nobody }
    }

    fn marks(&self) -> impl Iterator<Item = (&str, &str)> {
        let labels = self.object()["metadata"]["labels"].as_object().into_iter().flatten();
        self.annotations().chain(labels.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))))
    }

    fn applied_by(&self, tool: &'static str) -> Owner {
        let name = NAMES.iter().find_map(|name| self.marks().find(|(key, _)| key == name));
        Owner::Tool(tool, name.map(|(_, value)| value.to_owned()), self.helm_release())
    }

    /// The Helm release that rendered it, also if another tool runs Helm.
    pub fn helm_release(&self) -> Option<HelmRelease> {
        let name = self.annotation("meta.helm.sh/release-name")?.to_owned();
        let namespace = self.annotation("meta.helm.sh/release-namespace").map(str::to_owned);
        Some(HelmRelease { name, namespace, major: self.helm_major() })
    }

    fn helm_major(&self) -> Option<u8> {
        // After an upgrade from Helm 3 to 4 both may be present; the later one is in use.
        let entry = self.managers().filter(|manager| manager.name == "helm").max_by_key(|manager| manager.time)?;
        match entry.operation {
            "Apply" => Some(4),
            "Update" => Some(3),
            _ => None,
        }
    }

    /// The last field manager of `…config.active`, unless it is this program or unknown.
    pub fn switch_of_others(&self) -> Option<String> {
        self.active_written_by().map(|(manager, _)| manager).filter(|manager| manager != FIELD_MANAGER)
    }

    /// The field manager that last wrote `…config.active`, and the time.
    pub fn active_written_by(&self) -> Option<(String, Option<String>)> {
        let latest = self.managers().filter(|one| one.reach == OwnedFields::Active).max_by_key(|one| one.time)?;
        let time = (!latest.time.is_empty()).then(|| latest.time.to_owned());
        Some((latest.name.to_owned(), time))
    }

    /// Whether this program wrote the current value of `…config.active`. A manager that changes a value becomes its only
    /// manager; one that applies the same value is added.
    pub fn active_is_ours(&self) -> bool {
        self.reach_of(FIELD_MANAGER) == OwnedFields::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(metadata: Value) -> Deployment {
        let mut object = json!({"metadata": {"name": "a", "uid": "u", "resourceVersion": "1"}, "spec": {}});
        object["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
        Deployment::from_value(object).unwrap()
    }

    #[test]
    fn tools_that_revert_changes_are_recognized_and_precede_helm() {
        let release =
            |name: &str| Some(HelmRelease { name: name.into(), namespace: Some("element-onprem".into()), major: None });
        let fleet = json!({
            "labels": {"app.kubernetes.io/managed-by": "Helm", "objectset.rio.cattle.io/hash": "2f0c5b0d7a"},
            "annotations": {"meta.helm.sh/release-name": "ess-prod", "meta.helm.sh/release-namespace": "element-onprem",
                "objectset.rio.cattle.io/id": "default-ess-prod", "fleet.cattle.io/bundle-id": "ess-prod"}});
        let owner = deployment(fleet).owner();
        assert_eq!(owner, Owner::Tool("Rancher Fleet", Some("ess-prod".into()), release("ess-prod")));
        assert!(owner.may_write_as("fleetagent") && !owner.may_write_as("kubectl-edit"));
        let marked = |place: &str, key: &str, value: &str| deployment(json!({ place: {key: value} })).owner();
        for (place, key, tool) in [
            ("labels", "fleet.cattle.io/bundle-name", "Rancher Fleet"),
            ("labels", "objectset.rio.cattle.io/hash", "Rancher Fleet"),
            ("annotations", "configmanagement.gke.io/managed", "Google Config Sync"),
            ("annotations", "configsync.gke.io/resource-id", "Google Config Sync"),
            ("labels", "kapp.k14s.io/app", "kapp"),
            ("annotations", "projectsveltos.io/hash", "Sveltos"),
            ("annotations", "work.karmada.io/name", "Karmada"),
            ("labels", "app.oam.dev/name", "KubeVela"),
        ] {
            assert!(matches!(marked(place, key, "x"), Owner::Tool(found, _, None) if found == tool), "{key}");
        }
        let by_k3s = marked("annotations", "objectset.rio.cattle.io/owner-gvk", "k3s.cattle.io/v1, Kind=Addon");
        assert_eq!(by_k3s, Owner::Tool("k3s", None, None));
        let agent = deployment(json!({"managedFields": [entry("fleetagent", "Update", "1", json!({}))]}));
        assert_eq!(agent.owner(), Owner::Tool("Rancher Fleet", None, None));
    }

    fn entry(manager: &str, operation: &str, time: &str, mas: Value) -> Value {
        json!({"manager": manager, "operation": operation, "time": time,
               "fieldsV1": {"f:spec": {"f:components": {"f:matrixAuthenticationService": mas}}}})
    }

    #[test]
    fn active_is_ours_until_another_manager_changes_it() {
        let with = |managers: &[&str]| {
            let fields: Vec<Value> = managers
                .iter()
                .map(|manager| {
                    let switch = json!({"f:active": {}});
                    json!({"manager": manager, "fieldsV1": {"f:spec": {"f:components":
                        {"f:matrixAuthenticationService": {"f:config": switch}}}}})
                })
                .collect();
            deployment(json!({"managedFields": fields})).active_is_ours()
        };
        assert!(with(&[FIELD_MANAGER]));
        assert!(with(&["argocd-controller", FIELD_MANAGER]), "it applied the same value");
        assert!(!with(&["kubectl-patch"]));
        assert!(!with(&[]));
    }

    #[test]
    fn kubectl_is_no_owner() {
        let helm = Owner::Helm(HelmRelease { name: "ess".into(), namespace: None, major: None });
        let (argo, flux) = (Owner::ArgoCd(None), Owner::Flux("Kustomization/ess".into()));
        for owner in [&helm, &argo, &flux, &Owner::Installer, &Owner::Nobody] {
            for manager in ["kubectl-edit", "kubectl-patch", FIELD_MANAGER] {
                assert!(!owner.may_write_as(manager), "{owner:?} {manager}");
            }
        }
        assert!(helm.may_write_as("helm") && helm.may_write_as("terraform-provider-helm_v2.17.0_x5"));
        assert!(argo.may_write_as("argocd-controller") && flux.may_write_as("kustomize-controller"));
        assert!(Owner::Installer.may_write_as("OpenAPI-Generator"));
    }

    /// Recorded from the real tools by `tests/e2e/real`.
    #[test]
    fn what_real_gitops_tools_wrote_is_recognized() {
        let flux = |object: &str| Owner::Flux(object.to_owned());
        let argo = |application: &str| Owner::ArgoCd(Some(application.to_owned()));
        for (tool, manager, owner) in [
            ("flux", "kustomize-controller", flux("Kustomization/chat-prod")),
            ("flux-helm", "helm-controller", flux("HelmRelease/chat-prod")),
            ("argo", "argocd-controller", argo("chat-prod")),
            ("argo-server-side", "argocd-controller", argo("chat-server-side")),
        ] {
            let states = [
                ("applied", OwnedFields::Nothing),
                ("rehearsed", OwnedFields::Active),
                ("activated", OwnedFields::Active),
            ];
            for (state, reach) in states {
                let file = format!("{}/tests/recordings/{tool}/{state}-deployment.json", env!("CARGO_MANIFEST_DIR"));
                let object = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
                let recorded = Deployment::from_value(object).unwrap();
                assert_eq!(recorded.owner(), owner, "{state}");
                assert_eq!(recorded.reach_of(manager), reach, "{tool} {state}");
                let by = recorded.switch_of_others().filter(|by| owner.may_write_as(by));
                assert_eq!(by.is_some(), reach == OwnedFields::Active, "{tool} {state}");
            }
        }
    }

    #[test]
    fn the_operation_shows_the_version_of_helm() {
        let with = |operation: &str| {
            deployment(
                json!({"annotations": {"meta.helm.sh/release-name": "ess", "meta.helm.sh/release-namespace": "n"},
                "managedFields": [{"manager": "helm", "operation": operation}]}),
            )
            .owner()
        };
        let helm =
            |major| Owner::Helm(HelmRelease { name: "ess".into(), namespace: Some("n".into()), major: Some(major) });
        assert_eq!(with("Update"), helm(3));
        assert_eq!(with("Apply"), helm(4));
    }

    #[test]
    fn the_tool_that_writes_next_is_the_owner() {
        let helm_by_argo = deployment(json!({"annotations": {"meta.helm.sh/release-name": "ess",
            "argocd.argoproj.io/tracking-id": "chat:matrix.element.io/ElementDeployment:n/a"}}));
        assert_eq!(helm_by_argo.owner(), Owner::ArgoCd(Some("chat".into())));
        let flux = deployment(json!({"labels": {"helm.toolkit.fluxcd.io/name": "ess"},
            "annotations": {"meta.helm.sh/release-name": "ess"}}));
        assert_eq!(flux.owner(), Owner::Flux("HelmRelease/ess".into()));
        assert_eq!(flux.helm_release().map(|release| release.name).as_deref(), Some("ess"));
        let spec = |manager: &str| json!({"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {"f:global": {}}}});
        let silent = deployment(json!({"managedFields": [spec("argocd-controller")],
            "labels": {"app.kubernetes.io/instance": "chat"}}));
        assert_eq!(silent.owner(), Owner::ArgoCd(Some("chat".into())));
        let chart = deployment(json!({"labels": {"app.kubernetes.io/instance": "chat"}}));
        assert_eq!(chart.owner(), Owner::Nobody, "a chart's own label");
        let installer = deployment(json!({"annotations": {"ui.element.io/layer": "x"}}));
        assert_eq!(installer.owner(), Owner::Installer);
        assert_eq!(deployment(json!({})).owner(), Owner::Nobody);
    }

    #[test]
    fn each_managers_fields_are_read() {
        let status = json!({"manager": "ansible-operator", "operation": "Update", "subresource": "status",
                            "fieldsV1": {"f:status": {}}});
        let labels = json!({"manager": "someone", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {}}}});
        let deployment = deployment(json!({"managedFields": [
            entry("helm", "Apply", "2026-11-23T10:00:00Z", json!({"f:config": {"f:active": {}}})),
            entry("k9s", "Update", "2026-11-23T11:00:00Z", json!({"f:secretName": {}})), status, labels, null, {"manager": 7}]}));
        assert_eq!(deployment.reach_of("helm"), OwnedFields::Active);
        assert_eq!(deployment.reach_of("k9s"), OwnedFields::Mas);
        assert_eq!(deployment.reach_of("ansible-operator"), OwnedFields::Nothing);
        assert_eq!(deployment.spec_written_by(), Some("k9s"));
        assert_eq!(deployment.managers().map(|manager| manager.name).collect::<Vec<_>>(), ["helm", "k9s", "someone"]);
    }

    #[test]
    fn the_manifest_of_kubectl_apply_is_read() {
        let with = |file: &str| deployment(json!({"annotations": {LAST_APPLIED: file}})).applied();
        let mas = |config: &str| format!(r#"{{"spec":{{"components":{{"matrixAuthenticationService":{config}}}}}}}"#);
        let client = |reach, active| vec![Applied::Client { reach, active }];
        assert_eq!(with(r#"{"spec":{}}"#), client(OwnedFields::Nothing, None));
        assert_eq!(with(&mas(r#"{"secretName":"x"}"#)), client(OwnedFields::Mas, None));
        assert_eq!(with(&mas(r#"{"config":{"active":false}}"#)), client(OwnedFields::Active, Some(false)));
        assert!(with("not JSON").is_empty());
    }

    #[test]
    fn managers_of_server_side_apply_are_listed_without_this_program() {
        let deployment = deployment(json!({"managedFields": [
            entry("terraform", "Apply", "1", json!({"f:config": {"f:active": {}}})),
            entry(FIELD_MANAGER, "Apply", "2", json!({"f:config": {"f:active": {}}})),
            entry("kubectl-edit", "Update", "3", json!({}))]}));
        assert_eq!(deployment.applied(), [Applied::Server { manager: "terraform".into(), reach: OwnedFields::Active }]);
    }
}
