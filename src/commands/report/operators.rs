//! The updater and the operator: two Deployments whose names end in `-controller-manager`, in their own namespaces, in
//! `ess-system`, or in the ElementDeployment's namespace.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use serde_json::Value;

use crate::cluster::{Reason, Selection, Survey, Unread, resource, with_kind};

/// Name suffixes in the vendor's charts.
const ENDINGS: [&str; 2] = ["updater-controller-manager", "operator-controller-manager"];
/// Namespaces in the vendor's documentation.
const NAMESPACES: [&str; 3] = ["element-updater", "element-operator", "ess-system"];

#[derive(Default)]
pub struct Operators {
    pub deployments: Vec<Value>,
    pub pods: Vec<Value>,
    pub unread: Vec<Unread>,
}

/// Searches all namespaces if allowed, else the usual namespaces.
pub async fn find(survey: &Survey, own: &str) -> Operators {
    let (kind, pods) = (resource::<Deployment>(), resource::<Pod>());
    let mut operators = Operators::default();
    let mut lists = vec![survey.list(&kind, None, &Selection::default(), 2000).await];
    if matches!(&lists[0], Err(unread) if unread.why == Reason::NotAllowed) {
        for namespace in [own].into_iter().chain(NAMESPACES) {
            lists.push(survey.list(&kind, Some(namespace), &Selection::default(), 500).await);
        }
    }
    let is_operator = |one: &Value| ENDINGS.iter().any(|ending| name(one).ends_with(ending));
    for list in lists {
        match list {
            Ok(listed) => operators.deployments.extend(listed.items.into_iter().filter(is_operator)),
            Err(unread) => operators.unread.push(unread),
        }
    }
    // With both found, refused reads don't matter.
    if ENDINGS.iter().all(|ending| operators.deployments.iter().any(|one| name(one).ends_with(ending))) {
        operators.unread.clear();
    }
    for deployment in &operators.deployments {
        let labels = deployment["spec"]["selector"]["matchLabels"].as_object().into_iter().flatten();
        let labels: Vec<String> =
            labels.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
        let selection = Selection { labels: Some(labels.join(",")).filter(|text| !text.is_empty()), fields: None };
        match survey.list(&pods, deployment["metadata"]["namespace"].as_str(), &selection, 50).await {
            // Updater and operator may have the same labels; their names differ.
            Ok(listed) => {
                let ours = listed.items.into_iter().filter(|pod| name(pod).starts_with(name(deployment)));
                operators.pods.extend(ours.map(|pod| with_kind(pod, &pods)));
            }
            Err(unread) => operators.unread.push(unread),
        }
    }
    operators.deployments = operators.deployments.into_iter().map(|one| with_kind(one, &kind)).collect();
    operators
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}
