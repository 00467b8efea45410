//! Who wrote the manifest, and will write it again.

use super::managers::{FIELD_MANAGER, Reach};
use super::view::Deployment;

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HelmRelease {
    pub name: String,
    pub namespace: Option<String>,
    /// 3 or 4 where `managedFields` tells: Helm 3 updates from the client, Helm 4 applies on the server.
    pub major: Option<u8>,
}

/// The manifest's owner, as labels and annotations show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Nobody is visible: the object was applied by hand.
    Nobody,
    Helm(HelmRelease),
    /// The vendor's installer (`ui.element.io/*` annotations).
    Installer,
    /// Argo CD, with the application's name where it stands.
    ArgoCd(Option<String>),
    /// Flux, with `kind/name` of the object that applies it.
    Flux(String),
}

impl Owner {
    /// Whether the API server may note this owner's writes under this field manager. Helm and what embeds it (Terraform's
    /// provider) are known by their program's name; the installer's is not known, so it is whatever is no person's tool.
    pub fn may_write_as(&self, manager: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::Helm(_) => manager.contains("helm"),
            Self::ArgoCd(_) => manager.starts_with("argocd"),
            Self::Flux(_) => ["helm", "kustomize-controller", "flux"].iter().any(|tool| manager.contains(tool)),
            Self::Installer => manager != FIELD_MANAGER && !manager.starts_with("kubectl"),
        }
    }
}

impl Deployment {
    /// The owner; a GitOps tool that renders a chart wins over Helm, because it is the one that writes next. A tool that
    /// left no label or annotation is known by the name under which the API server notes its writes.
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
                // `app.kubernetes.io/instance` alone says nothing: charts set it too. With this manager it is Argo CD's.
                name if name.starts_with("argocd-") => {
                    return Owner::ArgoCd(self.label("app.kubernetes.io/instance").map(str::to_owned));
                }
                "kustomize-controller" => return Owner::Flux("a Kustomization".to_owned()),
                "helm-controller" => return Owner::Flux("a HelmRelease".to_owned()),
                _ => {}
            }
        }
        if let Some(release) = self.helm_release() {
            return Owner::Helm(release);
        }
        let by_installer = self.annotations().any(|(key, _)| key.starts_with("ui.element.io/"));
        if by_installer { Owner::Installer } else { Owner::Nobody }
    }

    /// The Helm release that rendered it, whoever made Helm do so.
    pub fn helm_release(&self) -> Option<HelmRelease> {
        let name = self.annotation("meta.helm.sh/release-name")?.to_owned();
        let namespace = self.annotation("meta.helm.sh/release-namespace").map(str::to_owned);
        Some(HelmRelease { name, namespace, major: self.helm_major() })
    }

    fn helm_major(&self) -> Option<u8> {
        // After a change from Helm 3 to 4 both may stand there; the later one is the one in use.
        let entry = self.managers().filter(|manager| manager.name == "helm").max_by_key(|manager| manager.time)?;
        match entry.operation {
            "Apply" => Some(4),
            "Update" => Some(3),
            _ => None,
        }
    }

    /// Who wrote the switch, if it was somebody else than this program, or has written the same since. `None` where it is
    /// this program's, or not known: then whoever owns the manifest may say something else.
    pub fn switch_of_others(&self) -> Option<String> {
        self.active_written_by().map(|(manager, _)| manager).filter(|manager| manager != FIELD_MANAGER)
    }

    /// The field manager that last wrote `…config.active`, and when, as `managedFields` tells.
    pub fn active_written_by(&self) -> Option<(String, Option<String>)> {
        let latest = self.managers().filter(|one| one.reach == Reach::Active).max_by_key(|one| one.time)?;
        let time = (!latest.time.is_empty()).then(|| latest.time.to_owned());
        Some((latest.name.to_owned(), time))
    }

    /// Whether the switch, as it stands, was written by this program, on whosever behalf. A manager that changes a value
    /// takes it from all others; one that applies the same value only joins them.
    pub fn active_is_ours(&self) -> bool {
        self.reach_of(FIELD_MANAGER) == Reach::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use serde_json::json;

    fn deployment(metadata: Value) -> Deployment {
        let mut object = json!({"metadata": {"name": "a", "uid": "u", "resourceVersion": "1"}, "spec": {}});
        object["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
        Deployment::from_value(object).unwrap()
    }

    #[test]
    fn the_switch_is_ours_as_long_as_nobody_else_has_changed_it() {
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
    fn a_persons_tool_is_no_owner() {
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

    #[test]
    fn helm_versions_are_told_apart_by_the_operation() {
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
    fn the_one_who_writes_next_wins() {
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
}
