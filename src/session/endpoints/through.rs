//! `--through-cluster`: finds the pod for a host and a path by the Ingress's rules, and connects by port-forward.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::networking::v1::{Ingress, IngressServiceBackend};
use tokio::sync::{Mutex, Semaphore};

use crate::checks::Finding;
use crate::checks::endpoints::Server;
use crate::cluster::{Cluster, ClusterError, Selection, Target, resource};
use crate::deployment::route::{self, Route};
use crate::net::dial::{BoxConnection, Way};

const AT_ONCE: usize = 6;
type PodPort = Result<(String, u16), String>;

pub struct Through {
    cluster: Cluster,
    namespace: String,
    ingresses: Vec<Ingress>,
    services: Vec<Service>,
    pods: Mutex<Vec<(IngressServiceBackend, PodPort)>>,
    gate: Arc<Semaphore>,
}

pub struct Found {
    pub way: Way,
    /// `its Ingress points to Service NAME, pod NAME, port PORT`.
    pub text: String,
    pub tls: bool,
}

impl Through {
    pub async fn open(cluster: &Cluster, target: &Target) -> Result<Self, ClusterError> {
        let (namespace, all) = (Some(target.namespace.as_str()), Selection::default());
        let (ingresses, services) = tokio::try_join!(
            cluster.list(&resource::<Ingress>(), namespace, all.clone(), 500).all(),
            cluster.list(&resource::<Service>(), namespace, all, 500).all()
        )?;
        Ok(Self {
            cluster: cluster.clone(),
            namespace: target.namespace.clone(),
            ingresses,
            services,
            pods: Mutex::default(),
            gate: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// The route for a request. `Ok(None)` if there is none and the host is not part of the deployment.
    pub async fn way(&self, server: Server, host: &str, path: &str) -> Result<Option<Found>, String> {
        let backend = match route::route(&self.ingresses, host, path) {
            Route::To(backend) => backend,
            Route::NoPath => return Err(format!("the Ingress of {host} has no rule for {path}")),
            Route::Pattern => {
                return Err(format!(
                    "the Ingress of {host} uses patterns of its controller, so the backend of {path} is unknown"
                ));
            }
            Route::NoHost if matches!(server, Server::Provider | Server::ServerName) => return Ok(None),
            Route::NoHost => return Err(format!("no Ingress in namespace {} has a rule for {host}", self.namespace)),
        };
        let (pod, port) = self.pod(&backend).await?;
        let text = format!("its Ingress points to Service {}, pod {pod}, port {port}", backend.name);
        let way = to_pod(&self.cluster, &self.namespace, pod, port, &self.gate);
        Ok(Some(Found { way, text, tls: matches!(port, 443 | 8443) }))
    }

    async fn pod(&self, backend: &IngressServiceBackend) -> PodPort {
        // Locked during the request, so that pods are read only once.
        let mut known = self.pods.lock().await;
        if let Some((_, found)) = known.iter().find(|(of, _)| of == backend) {
            return found.clone();
        }
        let found = self.find(backend).await;
        known.push((backend.clone(), found.clone()));
        found
    }

    async fn find(&self, backend: &IngressServiceBackend) -> PodPort {
        let name = &backend.name;
        let service = self.services.iter().find(|service| service.metadata.name.as_ref() == Some(name));
        let service = service.ok_or_else(|| format!("the Ingress points to Service {name}, which doesn't exist"))?;
        let labels = route::selector(service).ok_or_else(|| format!("Service {name} selects no pods"))?;
        let selection = Selection { labels: Some(labels), fields: None };
        let pods = self.cluster.list(&resource::<Pod>(), Some(&self.namespace), selection, 500).all().await;
        let port = backend.port.clone().unwrap_or_default();
        route::pod(service, &port, &pods.map_err(|error| error.to_string())?)
    }
}

/// Port-forwards to a port of a pod; `gate` limits their number.
pub fn to_pod(cluster: &Cluster, namespace: &str, pod: String, port: u16, gate: &Arc<Semaphore>) -> Way {
    let place = Arc::new((cluster.clone(), namespace.to_owned(), pod, Arc::clone(gate)));
    Way::Through(Arc::new(move || {
        let place = Arc::clone(&place);
        Box::pin(async move {
            let (cluster, namespace, pod, gate) = &*place;
            let _permit = gate.acquire().await.map_err(|error| error.to_string())?;
            let connection = cluster.forward(namespace, pod, port).await;
            connection.map(|one| Box::new(one) as BoxConnection).map_err(|error| error.to_string())
        })
    }))
}

pub fn findings(ways: &BTreeMap<String, Result<Vec<String>, String>>) -> Vec<Finding> {
    let findings = ways.iter().map(|(subject, way)| match way {
        Ok(texts) => Finding::of("route", subject, &[("way", &texts.join("; for other paths, "))]),
        Err(why) => Finding::of("no-route", subject, &[("why", why)]),
    });
    findings.collect()
}
