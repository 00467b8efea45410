//! The visible workloads: Synapse's StatefulSets, the migration's Job, Pods.
//!
//! No controller and no kubelet updates these objects, so their status is written here. Names and labels are the public ones of ESS
//! Classic's operator; the durations are invented.

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Key;
use super::behaviour::Outcome;
use super::playbook::Kind;

/// Synapse's processes with their number of pods.
const PROCESSES: [(&str, u32); 4] = [("main", 1), ("federation-sender", 1), ("generic-worker", 2), ("sync-worker", 1)];
/// Pods of other components.
const OTHERS: [&str; 4] = ["element-web", "synapse-haproxy", "synapse-redis", "well-known-delegation"];
const MAS: &str = "matrix-authentication-service";

/// The workloads of one deployment.
pub(super) struct Workloads<'a> {
    client: kube::Client,
    namespace: &'a str,
    name: &'a str,
}

impl<'a> Workloads<'a> {
    pub(super) fn new(client: kube::Client, key: &'a Key) -> Self {
        Self { client, namespace: &key.0, name: &key.1 }
    }

    /// The changes by a reconcile, during its whole duration. `with_mas`: the spec has the component.
    pub(super) async fn run(&self, kind: Kind, with_mas: bool, outcome: &Outcome, span: Duration) -> kube::Result<()> {
        let part = |percent: u32| span * percent / 100;
        let fails = matches!(outcome, Outcome::Fail(_) | Outcome::FailCensored);
        match kind {
            Kind::Activation => {
                sleep(part(5)).await;
                self.scale_down(part(20)).await?;
                self.migrate("syn2mas", fails, part(40)).await?;
                if !fails {
                    self.scale_up(part(25)).await?;
                }
                sleep(part(10)).await;
            }
            Kind::DryRun => {
                // The rollback after a failed migration.
                self.scale_up(part(25)).await?;
                self.pod(MAS, None, false).await?;
                sleep(part(15)).await;
                self.ready(MAS).await?;
                sleep(part(10)).await;
                self.migrate("syn2mas-dry-run", fails, part(40)).await?;
                sleep(part(10)).await;
            }
            Kind::Plain => {
                if !with_mas {
                    self.remove::<Pod>(MAS).await?;
                }
                self.scale_up(part(80)).await?;
                sleep(part(20)).await;
            }
        }
        Ok(())
    }

    /// Stops Synapse, pod by pod.
    async fn scale_down(&self, span: Duration) -> kube::Result<()> {
        for (process, _) in PROCESSES {
            self.set(process, 0, None).await?;
        }
        for (process, count) in PROCESSES {
            for left in (0..count).rev() {
                sleep(span / pods()).await;
                self.remove::<Pod>(&format!("synapse-{process}-{left}")).await?;
                self.set(process, 0, Some(left)).await?;
            }
        }
        Ok(())
    }

    /// Starts the missing pods except those of MAS, one by one.
    async fn scale_up(&self, span: Duration) -> kube::Result<()> {
        for other in OTHERS {
            self.pod(other, None, true).await?;
        }
        for (process, count) in PROCESSES {
            if self.there(process).await? < count {
                self.set(process, count, Some(0)).await?;
            }
        }
        for (process, count) in PROCESSES {
            for number in self.there(process).await?..count {
                let name = format!("synapse-{process}-{number}");
                self.pod(&name, Some(process), false).await?;
                sleep(span / pods()).await;
                self.ready(&name).await?;
                self.set(process, count, Some(number + 1)).await?;
            }
        }
        Ok(())
    }

    async fn migrate(&self, job: &str, fails: bool, span: Duration) -> kube::Result<()> {
        self.remove::<Job>(job).await?;
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": job, "image": "syn2mas"}]}});
        self.create::<Job>(job, json!({"spec": {"template": template}})).await?;
        self.status::<Job>(job, json!({"active": 1, "startTime": now()})).await?;
        sleep(span).await;
        let (condition, before) = if fails { ("Failed", "FailureTarget") } else { ("Complete", "SuccessCriteriaMet") };
        let now = now();
        let ended =
            |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": now, "lastProbeTime": now});
        let conditions = [ended(before), ended(condition)];
        let mut status = json!({"active": 0, "conditions": conditions, "uncountedTerminatedPods": {}});
        if fails {
            status["failed"] = json!(1);
        } else {
            status["succeeded"] = json!(1);
            status["completionTime"] = json!(now);
        }
        match self.status::<Job>(job, status.clone()).await {
            // Kubernetes 1.30 doesn't know SuccessCriteriaMet of such a Job; later releases require it.
            Err(kube::Error::Api(refused)) if refused.code == 422 => {
                status["conditions"] = json!([ended(condition)]);
                self.status::<Job>(job, status).await
            }
            done => done,
        }
    }

    /// The number of pods of a process, by its StatefulSet.
    async fn there(&self, process: &str) -> kube::Result<u32> {
        let found = self.api::<StatefulSet>().get_opt(&self.named(&format!("synapse-{process}"))).await?;
        let there = found.and_then(|set| set.status).map_or(0, |status| status.replicas);
        Ok(u32::try_from(there).unwrap_or(0))
    }

    async fn set(&self, process: &str, wanted: u32, there: Option<u32>) -> kube::Result<()> {
        let name = format!("synapse-{process}");
        let labels = json!({"app.kubernetes.io/instance": self.named(&name)});
        let template =
            json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "synapse", "image": "synapse"}]}});
        let spec = json!({
            "replicas": wanted, "selector": {"matchLabels": labels}, "serviceName": "synapse", "template": template,
        });
        let sets = self.api::<StatefulSet>();
        if sets.get_opt(&self.named(&name)).await?.is_none() {
            self.create::<StatefulSet>(&name, json!({"spec": spec})).await?;
        } else {
            let patch = Patch::Merge(json!({"spec": {"replicas": wanted}}));
            sets.patch(&self.named(&name), &PatchParams::default(), &patch).await?;
        }
        match there {
            Some(count) => self.status::<StatefulSet>(&name, json!({"replicas": count, "readyReplicas": count})).await,
            None => Ok(()),
        }
    }

    /// Creates a pod, if it does not exist.
    async fn pod(&self, name: &str, process: Option<&str>, ready: bool) -> kube::Result<()> {
        let pods = self.api::<Pod>();
        if pods.get_opt(&self.named(name)).await?.is_some() {
            return Ok(());
        }
        let mut body = json!({"spec": {"containers": [{"name": "main", "image": name}]}});
        if let Some(process) = process {
            let set = self.named(&format!("synapse-{process}"));
            let uid = self.api::<StatefulSet>().get(&set).await?.metadata.uid;
            body["metadata"]["ownerReferences"] =
                json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": set, "uid": uid, "controller": true}]);
        }
        self.create::<Pod>(name, body).await?;
        if ready { self.ready(name).await } else { Ok(()) }
    }

    async fn ready(&self, name: &str) -> kube::Result<()> {
        let conditions = json!([{"type": "Ready", "status": "True"}]);
        self.status::<Pod>(name, json!({"phase": "Running", "conditions": conditions})).await
    }

    async fn create<K: Workload>(&self, name: &str, mut body: Value) -> kube::Result<()> {
        body["metadata"]["name"] = json!(self.named(name));
        body["metadata"]["labels"] = json!({
            "app.kubernetes.io/instance": self.named(name),
            "app.kubernetes.io/managed-by": "element-operator",
            "app.kubernetes.io/part-of": "matrix-stack",
            "k8s.element.io/owner-name": self.name,
        });
        let object = serde_json::from_value(body).map_err(kube::Error::SerdeError)?;
        self.api::<K>().create(&PostParams::default(), &object).await?;
        Ok(())
    }

    async fn status<K: Workload>(&self, name: &str, status: Value) -> kube::Result<()> {
        let patch = Patch::Merge(json!({"status": status}));
        self.api::<K>().patch_status(&self.named(name), &PatchParams::default(), &patch).await?;
        Ok(())
    }

    async fn remove<K: Workload>(&self, name: &str) -> kube::Result<()> {
        let now = DeleteParams::background().grace_period(0);
        match self.api::<K>().delete(&self.named(name), &now).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Deletes all of them; there is no garbage collection.
    pub(super) async fn delete_all(&self) -> kube::Result<()> {
        let ours = ListParams::default().labels(&format!("k8s.element.io/owner-name={}", self.name));
        let now = DeleteParams::background().grace_period(0);
        self.api::<StatefulSet>().delete_collection(&now, &ours).await?;
        self.api::<Job>().delete_collection(&now, &ours).await?;
        self.api::<Pod>().delete_collection(&now, &ours).await?;
        Ok(())
    }

    fn api<K: Workload>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), self.namespace)
    }

    fn named(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }
}

/// Whole seconds, as in the API server.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The number of Synapse's pods.
fn pods() -> u32 {
    PROCESSES.iter().map(|(_, count)| count).sum()
}

/// The common metadata of these objects.
trait Workload:
    kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
    + Clone
    + std::fmt::Debug
    + DeserializeOwned
    + serde::Serialize
{
}

impl Workload for StatefulSet {}
impl Workload for Job {}
impl Workload for Pod {}
