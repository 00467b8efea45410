//! One reconcile of an object, from the write at its start to the one at its end.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams, PostParams};
use serde_json::Value;
use tokio::time::sleep;

use super::behaviour::{Available, Outcome};
use super::condition::{AnsibleResult, Status, completion};
use super::playbook::{self, Kind, Secrets};
use super::workloads::Workloads;
use super::{Key, Shared, status};
use crate::crds;

/// The result for the controller.
pub(super) enum End {
    Done,
    /// Retry after a growing pause.
    Failed,
    /// Retry after this pause.
    Again(Duration),
}

/// Reads the object, writes the start, waits for the scripted time and writes the outcome.
pub(super) async fn run(shared: &Shared, key: &Key) -> End {
    match attempt(shared, key).await {
        Ok(end) => end,
        Err(kube::Error::Api(status)) if status.code == 404 => End::Done,
        // Usually a conflict: the object was changed between reading and writing. The real operator retries as well.
        Err(_) => End::Failed,
    }
}

async fn attempt(shared: &Shared, key: &Key) -> kube::Result<End> {
    let objects = Objects { shared, api: Api::namespaced_with(shared.client.clone(), &key.0, &crds::resource()), key };
    let before = objects.read().await?;
    let kind = playbook::kind(&before.data_with_metadata());
    // Fixed before the start is visible: a change of the behaviour during a reconcile is for the next one.
    let orders = shared.orders(key, kind);
    let interrupted = shared.begin(key);
    let object = objects.write_over(before, status::started).await?;
    shared.marked(key);
    if interrupted {
        objects.write(|one, now| status::broke_down(one, "Failed to get ansible-runner stdout", now)).await?;
        return Ok(End::Failed);
    }

    let object = object.data_with_metadata();
    let dry_run_passed = shared.dry_run_passed(key).unwrap_or(playbook::reached(&object) == Some(false));
    let refusal = playbook::refusal(&object, &secrets(shared, &key.0).await?);
    let outcome = match refusal {
        Some(message) => Outcome::Fail(message),
        // The migration guide: skipping the dry run ends in an error.
        None if kind == Kind::Activation && !dry_run_passed => Outcome::fail(
            "The migration to the Matrix Authentication Service needs a dry run first: reconcile with active set to \
             false before setting it to true",
        ),
        None => {
            shared.used(key, kind, &orders);
            orders.outcome.clone()
        }
    };
    if kind == Kind::DryRun || playbook::wanted(&object).is_none() {
        shared.set_dry_run_passed(key, false);
    }
    work(&objects, &object, kind, &orders.behaviour, &outcome).await
}

async fn work(
    objects: &Objects<'_>,
    object: &Value,
    kind: Kind,
    behaviour: &super::Behaviour,
    outcome: &Outcome,
) -> kube::Result<End> {
    if behaviour.workloads {
        let with_mas = playbook::wanted(object).is_some();
        // Workloads are only displayed; their errors don't fail the reconcile.
        let _ = Workloads::new(objects.shared.client.clone(), objects.key)
            .run(kind, with_mas, outcome, behaviour.run)
            .await;
    } else {
        sleep(behaviour.run).await;
    }
    let (message, skipped) = match outcome {
        Outcome::Succeed | Outcome::FailLate(_) => {
            let changed = objects.write_custom(playbook::wanted(object), behaviour.available).await?;
            sleep(behaviour.settle).await;
            let tasks = if playbook::wanted(object).is_some() { (3, 4) } else { (2, 5) };
            if let Outcome::FailLate(message) = outcome {
                let result = objects.result(tasks.0, u32::from(changed), tasks.1 - 1, 1);
                objects.write(|one, now| status::failed(one, result, message, now)).await?;
                return Ok(End::Failed);
            }
            if kind == Kind::DryRun {
                // Before the write is visible, because the next step may follow at once.
                objects.shared.set_dry_run_passed(objects.key, true);
            }
            let result = objects.result(tasks.0, u32::from(changed), tasks.1, 0);
            objects.write(|one, now| status::succeeded(one, result, now)).await?;
            return Ok(End::Done);
        }
        Outcome::Hang => std::future::pending().await,
        Outcome::Requeue(pause) => return Ok(End::Again(*pause)),
        Outcome::BreakDown => {
            objects.write(|one, now| status::broke_down(one, "Failed to get ansible-runner stdout", now)).await?;
            return Ok(End::Failed);
        }
        Outcome::Fail(message) => (message.as_str(), 1),
        Outcome::FailCensored => ("unknown playbook failure", 2),
    };
    let result = objects.result(1, 0, skipped, 1);
    objects.write(|one, now| status::failed(one, result, message, now)).await?;
    Ok(End::Failed)
}

/// Reads and writes the object of a reconcile.
struct Objects<'a> {
    shared: &'a Shared,
    api: Api<DynamicObject>,
    key: &'a Key,
}

impl Objects<'_> {
    async fn read(&self) -> kube::Result<DynamicObject> {
        self.api.get(&self.key.1).await
    }

    /// Reads the object and changes its status by compare-and-set.
    async fn write(&self, change: impl FnOnce(&mut Status, jiff::Timestamp)) -> kube::Result<DynamicObject> {
        let object = self.read().await?;
        self.write_over(object, change).await
    }

    /// Changes the status of this version of the object, by compare-and-set.
    async fn write_over(
        &self,
        mut object: DynamicObject,
        change: impl FnOnce(&mut Status, jiff::Timestamp),
    ) -> kube::Result<DynamicObject> {
        let now = (self.shared.clock)();
        let mut status = Status::read(&object.data, now);
        change(&mut status, now);
        object.data["status"] = status.to_json();
        self.api.replace_status(&object.name_any(), &as_operator(), &object).await
    }

    /// Writes the playbook's own fields, `mas_active` and `Available`; returns whether they changed. Retries after a conflict, like
    /// Ansible's module.
    async fn write_custom(&self, mas: Option<bool>, available: Available) -> kube::Result<bool> {
        loop {
            let object = self.read().await?;
            let now = (self.shared.clock)();
            let before = Status::read(&object.data, now);
            let mut after = before.clone();
            if let Some(active) = mas {
                after.other.insert("mas_active".to_owned(), active.into());
            }
            if available != Available::Absent {
                status::available(&mut after, available == Available::True, now);
            }
            if before == after {
                return Ok(false);
            }
            match self.write_over(object, |one, _| *one = after).await {
                Err(kube::Error::Api(answer)) if answer.code == 409 => {}
                result => return result.map(|_| true),
            }
        }
    }

    fn result(&self, ok: u32, changed: u32, skipped: u32, failures: u32) -> AnsibleResult {
        AnsibleResult { ok, changed, skipped, failures, completion: completion((self.shared.clock)()) }
    }
}

/// The name in `managedFields`.
fn as_operator() -> PostParams {
    PostParams { field_manager: Some("ansible-operator".to_owned()), ..PostParams::default() }
}

async fn secrets(shared: &Shared, namespace: &str) -> kube::Result<Secrets> {
    let list = Api::<Secret>::namespaced(shared.client.clone(), namespace).list(&ListParams::default()).await?;
    Ok(list.into_iter().map(|one| (one.name_any(), one.data.unwrap_or_default().into_keys().collect())).collect())
}

/// An object as JSON for the pure part.
trait Whole {
    fn data_with_metadata(&self) -> Value;
}

impl Whole for DynamicObject {
    fn data_with_metadata(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
