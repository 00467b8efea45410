//! The operator's Deployment, whose name ends in `updater-controller-manager` (ESS Classic's charts), in its own namespace or in
//! the stack's.

use serde_json::Value;

use super::version::ChartRelease;

/// The Deployment's name in every release of the chart, with or without the Helm release's name as prefix.
const SUFFIX: &str = "updater-controller-manager";
const CONTAINER: &str = "manager";
const LONGEST_LABEL: usize = 63;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorDeployment {
    pub name: String,
    pub namespace: String,
    pub wanted: u64,
    pub ready: u64,
    /// The release, if the image's tag is a version.
    pub release: Option<ChartRelease>,
}

impl OperatorDeployment {
    /// A label selector for the operator. Its label contains its full name, which begins with the Helm release: those of the
    /// vendor's instructions, and `others`.
    pub fn selector<'a>(others: impl IntoIterator<Item = &'a str>) -> String {
        let mut names = vec![format!("element-{SUFFIX}")];
        for release in std::iter::once("ess-system").chain(others) {
            let name = format!("{release}-{SUFFIX}");
            if name.len() <= LONGEST_LABEL && !names.contains(&name) {
                names.push(name);
            }
        }
        format!("app.kubernetes.io/instance in ({})", names.join(","))
    }

    /// The operator that watches a namespace; without `WATCH_NAMESPACE` it watches all. Of several, one in the same namespace,
    /// else one with ready pods.
    pub fn find(deployments: &[Value], namespace: &str) -> Option<Self> {
        let mut found: Vec<Self> =
            deployments.iter().filter(|one| watches(one, namespace)).filter_map(Self::read).collect();
        found.sort_by_key(|one| (one.namespace != namespace, one.ready == 0));
        found.into_iter().next()
    }

    fn read(deployment: &Value) -> Option<Self> {
        let text = |key: &str| deployment["metadata"][key].as_str().map(str::to_owned);
        let name = text("name").filter(|name| name.ends_with(SUFFIX))?;
        Some(Self {
            name,
            namespace: text("namespace")?,
            wanted: deployment["spec"]["replicas"].as_u64().unwrap_or(1),
            ready: deployment["status"]["readyReplicas"].as_u64().unwrap_or(0),
            release: manager(deployment).and_then(|manager| ChartRelease::of_image(manager["image"].as_str()?)),
        })
    }
}

fn manager(deployment: &Value) -> Option<&Value> {
    deployment["spec"]["template"]["spec"]["containers"].as_array()?.iter().find(|one| one["name"] == CONTAINER)
}

fn watches(deployment: &Value, namespace: &str) -> bool {
    let env = manager(deployment).and_then(|manager| manager["env"].as_array()).into_iter().flatten();
    let watched = env.into_iter().find(|one| one["name"] == "WATCH_NAMESPACE").map(|one| &one["value"]);
    match watched.and_then(Value::as_str) {
        None | Some("") => true,
        Some(list) => list.split(',').any(|one| one.trim() == namespace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(name: &str, namespace: &str, ready: u64, watch: Option<&str>) -> Value {
        let env = watch.map_or(json!([]), |watch| json!([{"name": "WATCH_NAMESPACE", "value": watch}]));
        json!({"metadata": {"name": name, "namespace": namespace}, "spec": {"replicas": 1, "template": {"spec": {"containers": [
                   {"name": "kube-rbac-proxy", "image": "gcr.io/kubebuilder/kube-rbac-proxy:v0.14.1"},
                   {"name": "manager", "image": "docker.io/vectorim/ess-core-updater:2.29.0", "env": env}]}}},
               "status": {"readyReplicas": ready}})
    }

    #[test]
    fn the_operator_and_its_release_are_read_from_its_manager() {
        let all = [deployment("element-updater-controller-manager", "element-updater", 1, None)];
        let found = OperatorDeployment::find(&all, "element-onprem").unwrap();
        assert_eq!((found.wanted, found.ready), (1, 1));
        assert_eq!(found.release.map(|release| release.version).as_deref(), Some("2.29.0"));
        assert_eq!(OperatorDeployment::find(&[deployment("wordpress", "a", 1, None)], "a"), None);
        assert_eq!(OperatorDeployment::find(&[json!({"metadata": {}}), json!(null)], "a"), None);
    }

    #[test]
    fn an_operator_that_watches_other_namespaces_is_ignored() {
        let theirs = deployment("element-updater-controller-manager", "b", 1, Some("b, c"));
        assert_eq!(OperatorDeployment::find(std::slice::from_ref(&theirs), "a"), None);
        let ours = deployment("ess-system-updater-controller-manager", "a", 0, Some("a"));
        assert_eq!(OperatorDeployment::find(&[theirs, ours], "a").unwrap().namespace, "a");
        let (down, up) = (
            deployment("element-updater-controller-manager", "x", 0, None),
            deployment("element-updater-controller-manager", "y", 1, None),
        );
        assert_eq!(OperatorDeployment::find(&[down, up], "a").unwrap().namespace, "y");
    }

    #[test]
    fn the_selector_contains_all_possible_names_and_stays_valid() {
        let selector = OperatorDeployment::selector(["ess", "ess-system", &"a".repeat(53)]);
        assert_eq!(
            selector,
            "app.kubernetes.io/instance in (element-updater-controller-manager,ess-system-updater-controller-manager,\
             ess-updater-controller-manager)"
        );
    }
}
