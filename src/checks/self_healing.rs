//! Whether a GitOps tool restores its version of an object automatically. Tested with Argo CD and with
//! Flux's kustomize-controller and helm-controller; the versions are in `docs/manifest-owners.md`.

use serde_json::Value;

use crate::deployment::Deployment;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelfHealing {
    On,
    /// Off, for this reason (completes "because …"). The next sync still restores the tool's version.
    Off(String),
}

impl SelfHealing {
    /// Argo CD's `Application`: self-healing is part of automated sync, and off by default.
    pub fn of_argo_application(application: &Value) -> Self {
        let automated = &application["spec"]["syncPolicy"]["automated"];
        let skipped = &application["metadata"]["annotations"]["argocd.argoproj.io/skip-reconcile"];
        let why = if skipped == "true" {
            "the application has the annotation argocd.argoproj.io/skip-reconcile"
        } else if !automated.is_object() || automated["enabled"] == false {
            "the application does not sync automatically"
        } else if automated["selfHeal"] == true {
            return Self::On;
        } else {
            "the application syncs automatically without selfHeal"
        };
        Self::Off(why.to_owned())
    }

    /// Flux's `Kustomization` or `HelmRelease`.
    pub fn of_flux(object: &Value) -> Self {
        let spec = &object["spec"];
        if spec["suspend"] == Value::Bool(true) {
            Self::Off("Flux's object is suspended".to_owned())
        } else if object["kind"] == "HelmRelease" && spec["driftDetection"]["mode"] != "enabled" {
            Self::Off("driftDetection is not enabled".to_owned())
        } else {
            Self::On
        }
    }

    /// Flux's annotations on the object itself.
    pub fn of_flux_annotations(deployment: &Deployment) -> Option<Self> {
        let switches = [
            ("kustomize.toolkit.fluxcd.io/reconcile", "disabled"),
            ("kustomize.toolkit.fluxcd.io/ssa", "ignore"),
            ("helm.toolkit.fluxcd.io/driftDetection", "disabled"),
        ];
        let is_off =
            |key: &str, value| deployment.annotation(key).is_some_and(|found| found.eq_ignore_ascii_case(value));
        let (key, value) = switches.into_iter().find(|(key, value)| is_off(key, value))?;
        Some(Self::Off(format!("the object has the annotation {key}: {value}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn argo_cd_heals_with_self_heal_only() {
        let heals = |policy: Value| {
            SelfHealing::of_argo_application(&json!({"spec": {"syncPolicy": policy}})) == SelfHealing::On
        };
        assert!(heals(json!({"automated": {"selfHeal": true, "prune": false}})));
        for policy in [
            json!(null),
            json!({}),
            json!({"automated": null}),
            json!({"automated": {}}),
            json!({"automated": {"selfHeal": false}}),
            json!({"automated": {"selfHeal": true, "enabled": false}}),
        ] {
            assert!(!heals(policy.clone()), "{policy}");
        }
        let skipped = json!({"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}},
                             "spec": {"syncPolicy": {"automated": {"selfHeal": true}}}});
        assert_ne!(SelfHealing::of_argo_application(&skipped), SelfHealing::On);
    }

    /// Recorded from the real tools by `tests/e2e/real`.
    #[test]
    fn recorded_objects_of_gitops_tools_heal_unless_they_are_set_otherwise() {
        let (flux, argo) = (SelfHealing::of_flux, SelfHealing::of_argo_application);
        let states = ["applied", "rehearsed", "activated"].map(|state| (state, true));
        for (folder, kind, of, off) in [
            ("flux", "kustomization", flux as fn(&Value) -> SelfHealing, Some("suspended")),
            ("flux-helm", "helmrelease", flux, Some("without-drift-detection")),
            ("argo", "application", argo, Some("manual")),
            ("argo-server-side", "application", argo, None),
        ] {
            for (state, heals) in states.into_iter().chain(off.map(|state| (state, false))) {
                let file = format!("{}/tests/recordings/{folder}/{state}-{kind}.json", env!("CARGO_MANIFEST_DIR"));
                let object: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
                assert_eq!(of(&object) == SelfHealing::On, heals, "{folder} {state}");
            }
        }
    }

    #[test]
    fn flux_heals_unless_it_is_suspended_or_disabled() {
        let heals = |object: Value| SelfHealing::of_flux(&object) == SelfHealing::On;
        assert!(heals(json!({"kind": "Kustomization", "spec": {"interval": "5m"}})));
        assert!(!heals(json!({"kind": "Kustomization", "spec": {"suspend": true}})));
        assert!(heals(json!({"kind": "HelmRelease", "spec": {"driftDetection": {"mode": "enabled"}}})));
        assert!(!heals(json!({"kind": "HelmRelease", "spec": {}})));
        let annotated = |key: &str, value: &str| {
            let metadata = json!({"name": "a", "uid": "u", "resourceVersion": "1", "annotations": {key: value}});
            let deployment = Deployment::from_value(json!({"metadata": metadata, "spec": {}})).unwrap();
            SelfHealing::of_flux_annotations(&deployment).is_some()
        };
        assert!(annotated("kustomize.toolkit.fluxcd.io/reconcile", "Disabled"));
        assert!(annotated("kustomize.toolkit.fluxcd.io/ssa", "Ignore"));
        assert!(!annotated("kustomize.toolkit.fluxcd.io/reconcile", "enabled"));
        assert!(!annotated("kustomize.toolkit.fluxcd.io/ssa", "Merge"));
    }
}
