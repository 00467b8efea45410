//! The objects around a deployment in a real cluster: child resources, workloads, pods with their states, jobs and
//! events. No controller creates them here, so tests do.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use super::scene::Scene;

/// Creates objects in a scene's namespace.
pub struct Neighbours<'a> {
    scene: &'a Scene,
    client: kube::Client,
}

impl<'a> Neighbours<'a> {
    /// Creates the ServiceAccount that pods require and that a controller would create.
    pub async fn of(scene: &'a Scene) -> Self {
        let neighbours = Self { scene, client: scene.namespace.client().unwrap() };
        let account = json!({"metadata": {"name": "default"}, "automountServiceAccountToken": false});
        neighbours.create("", "v1", "ServiceAccount", "serviceaccounts", account).await;
        neighbours
    }

    /// Installs a kind of child resource that the program does not know, in the vendor's API group.
    pub async fn install_child_kind(&self) {
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "quirkycomponents.matrix.element.io"},
            "spec": {
                "group": "matrix.element.io", "scope": "Namespaced",
                "names": {"kind": "QuirkyComponent", "plural": "quirkycomponents", "singular": "quirkycomponent", "listKind": "QuirkyComponentList"},
                "versions": [{"name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}}}],
            },
        });
        let crds: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let parameters = PatchParams::apply("ess-mas-tests").force();
        crds.patch("quirkycomponents.matrix.element.io", &parameters, &Patch::Apply(crd)).await.unwrap();
        // Served and listed by discovery.
        for _ in 0..600 {
            let request = http::Request::get("/apis/matrix.element.io/v1alpha1").body(Vec::new()).unwrap();
            let told = self.client.request::<Value>(request).await.unwrap_or_default();
            if told.to_string().contains("quirkycomponents") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the kind of the child is not served after 30 s");
    }

    /// Creates a child resource of the deployment.
    pub async fn child(&self, name: &str, spec: Value, status: Value) {
        let owner = self.scene.deployment.name();
        let object = json!({
            "metadata": {"name": name, "labels": {"k8s.element.io/owner-name": owner, "app.kubernetes.io/managed-by": "element-updater"}},
            "spec": spec,
        });
        self.create("matrix.element.io", "v1alpha1", "QuirkyComponent", "quirkycomponents", object).await;
        self.status("matrix.element.io", "v1alpha1", "QuirkyComponent", "quirkycomponents", name, status).await;
    }

    /// Creates a pod with one container, on a node if one is named.
    pub async fn pod(&self, name: &str, labels: Value, node: Option<&str>, container: Value, status: Value) {
        let object = json!({
            "metadata": {"name": name, "labels": labels},
            "spec": {"nodeName": node, "containers": [container]},
        });
        self.create("", "v1", "Pod", "pods", object).await;
        self.status("", "v1", "Pod", "pods", name, status).await;
    }

    /// Creates a job.
    pub async fn job(&self, name: &str, status: Value) {
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "syn2mas", "image": "example.com/mas:1.4.0"}]}});
        self.create(
            "batch",
            "v1",
            "Job",
            "jobs",
            json!({"metadata": {"name": name}, "spec": {"template": template, "backoffLimit": 0}}),
        )
        .await;
        self.status("batch", "v1", "Job", "jobs", name, status).await;
    }

    /// Creates a Deployment.
    pub async fn deployment(&self, name: &str, image: &str, env: Value) {
        let labels = json!({"app": name});
        let object = json!({"metadata": {"name": name}, "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "manager", "image": image, "env": env}]}}}});
        self.create("apps", "v1", "Deployment", "deployments", object).await;
    }

    /// Creates a warning event for a pod.
    pub async fn warning(&self, pod: &str, message: &str) {
        let namespace = self.scene.namespace.name();
        let event = json!({
            "metadata": {"name": format!("{pod}.1")}, "type": "Warning", "reason": "Failed", "message": message, "count": 3,
            "lastTimestamp": "2026-11-23T10:00:00Z", "source": {"component": "kubelet"},
            "involvedObject": {"kind": "Pod", "name": pod, "namespace": namespace, "apiVersion": "v1"},
        });
        self.create("", "v1", "Event", "events", event).await;
    }

    async fn create(&self, group: &str, version: &str, kind: &str, plural: &str, mut object: Value) {
        let api = self.api(group, version, kind, plural);
        let version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        object["apiVersion"] = version.into();
        object["kind"] = kind.into();
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap();
    }

    async fn status(&self, group: &str, version: &str, kind: &str, plural: &str, name: &str, status: Value) {
        let api = self.api(group, version, kind, plural);
        let patch = Patch::Merge(json!({ "status": status }));
        api.patch_status(name, &PatchParams::default(), &patch).await.unwrap();
    }

    fn api(&self, group: &str, version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
        Api::namespaced_with(self.client.clone(), self.scene.namespace.name(), &resource)
    }
}
