//! `--through-cluster`: from a database's host to a pod of its Service, and there by port-forward.

use std::sync::Arc;

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Pod, Service};
use serde_json::Value;

use crate::checks::databases::Place;
use crate::cluster::{Cluster, Selection, Target, resource};
use crate::deployment::route::{self, Port};
use crate::probe::dial::{BoxConnection, Door, Way};

/// A port of a pod.
struct PodDoor {
    cluster: Cluster,
    namespace: String,
    pod: String,
    port: u16,
}

impl Door for PodDoor {
    fn open(&self) -> BoxFuture<'_, Result<BoxConnection, String>> {
        Box::pin(async {
            let connection = self.cluster.forward(&self.namespace, &self.pod, self.port).await;
            connection.map(|one| Box::new(one) as BoxConnection).map_err(|error| error.to_string())
        })
    }
}

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
    Ok(Way::Through(Arc::new(PodDoor { cluster: cluster.clone(), namespace: namespace.to_owned(), pod, port })))
}
