//! `--through-cluster`: from a database's host to a pod of its Service, and there by port-forward.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::checks::databases::Place;
use crate::cluster::{Cluster, Selection, Target, resource};
use crate::deployment::route::{self, Port};
use crate::net::dial::Way;
use crate::session::endpoints::through::to_pod;

/// A session, and the second one that a pooler is recognised by.
const AT_ONCE: usize = 2;

/// The way; a sentence where there is none.
pub async fn way(cluster: &Cluster, target: &Target, place: &Place) -> Result<Way, String> {
    let host = &place.host;
    let (name, namespace) = route::service_of(host, &target.namespace).ok_or_else(|| {
        format!("{host} is no name of a Service in the cluster, and a port-forward leads nowhere else; try without --through-cluster")
    })?;
    let named = Selection { labels: None, fields: Some(format!("metadata.name={name}")) };
    let services = cluster.list::<Value>(&resource::<Service>(), Some(namespace), named, 1).all().await;
    let services = services.map_err(|error| error.to_string())?;
    let service = services.first().ok_or_else(|| format!("there is no Service {name} in namespace {namespace}"))?;
    let labels = route::selector(service)
        .ok_or_else(|| format!("Service {name} in {namespace} selects no pods, so it leads out of the cluster; try without --through-cluster"))?;
    let labelled = Selection { labels: Some(labels), fields: None };
    let pods = cluster.list::<Value>(&resource::<Pod>(), Some(namespace), labelled, 500).all().await;
    let pods = pods.map_err(|error| error.to_string())?;
    let (pod, port) = route::pod(service, &Port::Number(place.port), &pods)?;
    Ok(to_pod(cluster, namespace, pod, port, &Arc::new(Semaphore::new(AT_ONCE))))
}
