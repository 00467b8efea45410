//! Writes the Secret, then the record: a record without its Secret would be wrong.

use std::cell::RefCell;

use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;

use super::page::secret_lines;
use super::preparation::Preparation;
use crate::checks::Known;
use crate::cluster::{ErrorKind, Write, WriteOutcome, resource};
use crate::error::Failure;
use crate::plan::{SecretInputs, SecretPlan};
use crate::record::{Record, record_name};
use crate::secrets::wipe;

impl Preparation<'_> {
    /// Makes a server-side dry run of both writes, so that neither is made if one would be refused.
    pub async fn server_dry_run(&self, plan: &SecretPlan) -> Result<(), Failure> {
        let mut record = match &self.snapshot.record {
            Known::Known(Some(record)) => record.clone(),
            Known::Known(None) => Record::new(&self.snapshot.deployment),
            Known::Unreadable(why) => {
                return Err(Failure::failed(format!("the record can't be read: {why}; nothing was changed")));
            }
        };
        record.settings = Some(self.settings.clone());
        let secret = plan.writes().then(|| self.secret_request(plan));
        for write in secret.into_iter().chain([self.session.record_request(&record)]) {
            match self.session.cluster.dry_run(&write).await {
                Ok(written) => written.warnings.iter().for_each(|warning| self.ui().warning(warning)),
                // The write handles a concurrent change.
                Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict { .. }) => {}
                Err(error) => return Err(Failure::from(error).advise("Nothing was changed.")),
            }
        }
        Ok(())
    }

    pub async fn write(&self, plan: SecretPlan, inputs: &SecretInputs) -> Result<(), Failure> {
        if plan.writes() {
            self.write_secret(plan, inputs).await?;
        }
        let by = self.session.cluster.who_am_i().await;
        let now = self.ui().terminal.now();
        let settings = self.settings;
        // Another `prepare` may have written the record since it was read; its settings are not overwritten.
        let others = RefCell::new(None);
        self.session
            .change_record(|record| {
                let theirs = record.settings.as_ref().filter(|theirs| Some(*theirs) != self.recorded());
                *others.borrow_mut() =
                    theirs.map(|theirs| (theirs == settings, record.history.last().map(|last| last.words(now))));
                if theirs.is_some_and(|theirs| theirs != settings) {
                    return;
                }
                record.settings = Some(settings.clone());
                record.chart.clone_from(&self.snapshot.chart);
                let what = format!("prepare: MAS at {}, Secret {}", settings.host, settings.secret_name);
                record.note(now, by.as_deref(), what);
            })
            .await?;
        if let Some((same, last)) = others.into_inner() {
            let last = last.unwrap_or_else(|| "by another prepare".to_owned());
            if !same {
                let text = format!("the record was written concurrently with other settings, which are kept ({last})");
                let again = self.session.command("prepare");
                return Err(Failure::failed(text).then("To show the current settings and decide again:", again));
            }
            self.ui().status(format!("The record was written concurrently with the same settings ({last})."));
        }
        let name = record_name(&self.session.target.name);
        self.ui().status(format!("ConfigMap {name} contains the settings."));
        Ok(())
    }

    fn secret_request(&self, plan: &SecretPlan) -> Write {
        let namespace = &self.session.target.namespace;
        Write::patch(resource::<Secret>(), namespace, &plan.name, plan.body(namespace))
    }

    async fn write_secret(&self, mut plan: SecretPlan, inputs: &SecretInputs) -> Result<(), Failure> {
        let ui = self.ui();
        // After a concurrent change of the Secret its values are kept, so plan again.
        for _ in 0..3 {
            let write = self.secret_request(&plan);
            let body = &write.body;
            let ours = |found: &Value| {
                body["data"].as_object().into_iter().flatten().all(|(key, value)| found["data"][key] == *value)
            };
            match self.session.cluster.write(&write, ours).await {
                WriteOutcome::Applied(mut written) => {
                    wipe(&mut written.object);
                    let verb = if plan.creates() { "created" } else { "updated" };
                    ui.status(format!("Secret {} {verb}.", plan.name));
                    return Ok(());
                }
                WriteOutcome::Conflict { error, now } => {
                    let by = now.as_ref().map_or_else(String::new, last_written);
                    ui.status(format!("Secret {} changed concurrently{by}; reading it again.", plan.name));
                    let Known::Known(present) = self.session.read_secret(&plan.name).await else {
                        return Err(error.into());
                    };
                    plan = self.plan_on(present.as_ref(), inputs)?;
                    secret_lines(ui, self.snapshot, &plan);
                    if !plan.writes() {
                        return Ok(());
                    }
                }
                WriteOutcome::NotApplied(error) => {
                    return Err(Failure::from(error).advise(format!("Secret {} was not written.", plan.name)));
                }
                WriteOutcome::Unknown(error) => {
                    return Err(Failure::from(error).advise(format!(
                        "Couldn't determine whether Secret {} was written. Run the command again; existing values are kept.",
                        plan.name
                    )));
                }
            }
        }
        Err(Failure::failed(format!("Secret {} was not written: gave up after repeated update conflicts", plan.name)))
    }
}

/// ` (field manager kubectl, 2026-11-23T02:00:09Z)`; empty if unknown.
fn last_written(object: &Value) -> String {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let latest = entries.max_by_key(|entry| entry["time"].as_str().unwrap_or_default());
    let parts = latest.and_then(|latest| Some((latest["manager"].as_str()?, latest["time"].as_str()?)));
    parts.map_or_else(String::new, |(manager, time)| format!(" (field manager {manager}, {time})"))
}
