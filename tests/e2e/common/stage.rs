//! A deployment that is reset to the same state for each case, with a proxy in front of its API server.

use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::{Value, json};

use super::command::{Done, Shell, finish};
use super::scene::{Scene, condition};

/// Maximum number of concurrent deployments for one step: most of a case is waiting.
const STAGES: usize = 5;
/// Number of cases that justify another deployment.
const CASES: usize = 8;

/// The step of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Prepare,
    DryRun,
    Activate,
    /// Rolls back an activation that fails repeatedly.
    Abort,
    /// `abort --remove`, after a dry run.
    Remove,
}

/// The state of the cluster, read without the proxy.
#[derive(Clone, Debug)]
pub struct Standing {
    pub object: Value,
    pub secret: Option<Value>,
    pub record: Option<Value>,
}

/// A scene, the proxy, and the state to restore.
pub struct Stage {
    pub step: Step,
    pub scene: Scene,
    pub proxy: Proxy,
    pub shell: Shell,
    saved: Standing,
}

/// Reconciles take a few hundredths of a second.
pub fn quick() -> Behaviour {
    Behaviour { run: Duration::from_millis(15), settle: Duration::from_millis(10), ..Behaviour::default() }
}

impl Stage {
    /// Right before the step.
    pub async fn new(step: Step) -> Self {
        let behaviour = match step {
            Step::Abort => quick().activation(Outcome::fail("database error whilst locking Synapse table `users`")),
            _ => quick(),
        };
        let scene = Scene::new(behaviour).await;
        match step {
            Step::Prepare => {}
            Step::DryRun => scene.prepare().await,
            Step::Activate | Step::Remove => scene.dry_run().await,
            Step::Abort => {
                scene.dry_run().await;
                let _ = scene.activate().await.expect(1).says("locking Synapse table");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        let proxy = Proxy::start(&scene.namespace).await.unwrap();
        let shell = Shell::with_kubeconfig(&proxy.kubeconfig());
        let mut stage =
            Self { step, scene, proxy, shell, saved: Standing { object: json!(null), secret: None, record: None } };
        stage.saved = stage.standing().await;
        stage
    }

    /// As many stages as this number of cases justifies.
    pub async fn and_more_for(self, cases: usize) -> Vec<Self> {
        let more = (cases / CASES).min(STAGES - 1);
        let more = futures::future::join_all((0..more).map(|_| Self::new(self.step))).await;
        std::iter::once(self).chain(more).collect()
    }

    /// Reads the state without the proxy while the operator is idle: after a failure, retries can follow even a
    /// successful reconcile.
    pub async fn standing(&self) -> Standing {
        let mut follower = Follower::start(&self.scene.api(), self.scene.deployment.name()).await.unwrap();
        let object = follower.until(|object| !is_running(object)).await.unwrap().clone();
        let secret = self.secrets().get_opt(&self.scene.deployment.mas_secret_name()).await.unwrap();
        let record = self.records().get_opt(&self.record_name()).await.unwrap();
        Standing {
            object,
            secret: secret.map(|secret| serde_json::to_value(secret.data).unwrap()),
            record: record.map(|map| {
                serde_json::from_str(map.data.unwrap_or_default().get("record.json").map_or("null", String::as_str))
                    .unwrap()
            }),
        }
    }

    /// Restores the initial state, and waits for the operator.
    pub async fn reset(&self) {
        self.proxy.pass();
        let mas = &self.saved.object["spec"]["components"]["matrixAuthenticationService"];
        let now = self.scene.object().await;
        if now["spec"] != self.saved.object["spec"] {
            let mut follower = Follower::start(&self.scene.api(), self.scene.deployment.name()).await.unwrap();
            self.scene.patch(json!({"spec": {"components": {"matrixAuthenticationService": mas}}})).await;
            follower.until(|object| object["spec"] == self.saved.object["spec"]).await.unwrap();
            follower.until(is_running).await.unwrap();
            let kind = if self.step == Step::Abort { "Failure" } else { "Successful" };
            follower.until(|object| condition(object, kind) == "True").await.unwrap();
            if self.step == Step::Abort {
                // The pauses between the operator's retries grow; with short ones, nearly every write would conflict
                // with a status update.
                tokio::time::sleep(Duration::from_millis(700)).await;
            }
        }
        self.put_back_record().await;
        let secret = self.scene.deployment.mas_secret_name();
        if self.saved.secret.is_none() && self.secrets().get_opt(&secret).await.unwrap().is_some() {
            self.secrets().delete(&secret, &DeleteParams::default()).await.unwrap();
        }
    }

    async fn put_back_record(&self) {
        let (records, name) = (self.records(), self.record_name());
        let now = records.get_opt(&name).await.unwrap();
        match (&self.saved.record, now) {
            (None, Some(_)) => {
                records.delete(&name, &DeleteParams::default()).await.unwrap();
            }
            (Some(saved), Some(mut map)) => {
                map.data.get_or_insert_default().insert("record.json".to_owned(), saved.to_string());
                records.replace(&name, &PostParams::default(), &map).await.unwrap();
            }
            _ => {}
        }
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.scene.namespace.client().unwrap(), self.scene.namespace.name())
    }

    fn records(&self) -> Api<ConfigMap> {
        Api::namespaced(self.scene.namespace.client().unwrap(), self.scene.namespace.name())
    }

    fn record_name(&self) -> String {
        format!("{}-kubectl-ess-mas", self.scene.deployment.name())
    }

    /// The command line of the step.
    pub fn words(&self) -> Vec<String> {
        let name = self.scene.deployment.name();
        let host = self.scene.deployment.mas_host();
        let words: Vec<&str> = match self.step {
            Step::Prepare => vec![
                "prepare",
                "--host",
                &host,
                "--database-host",
                "pg.example.com",
                "--database-name",
                "mas",
                "--database-user",
                "mas",
                "--database-password-file",
                "password",
                "--yes",
            ],
            Step::DryRun => vec!["dry-run", "--yes", "-o", "json"],
            Step::Activate => vec!["activate", "--confirm", name, "--backup", "on the shelf", "-o", "json"],
            Step::Abort => vec!["abort", "--yes", "-o", "json"],
            Step::Remove => vec!["abort", "--remove", "--yes", "-o", "json"],
        };
        words.into_iter().map(str::to_owned).collect()
    }

    /// Starts the step through the proxy.
    pub fn start(&self, more: &[&str]) -> tokio::process::Child {
        std::fs::write(self.shell.home().join("password"), "correct horse\n").unwrap();
        let words = self.words();
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.shell.command(words).spawn().expect("the plugin starts")
    }

    /// Runs the step through the proxy and waits until it ends.
    pub async fn run(&self, more: &[&str]) -> Done {
        finish(self.start(more), self.words().join(" ")).await
    }

    /// Whether the cluster has reached the state that the step intends.
    pub fn is_reached(&self, standing: &Standing) -> bool {
        let object = &standing.object;
        let mas = &object["spec"]["components"]["matrixAuthenticationService"];
        let content = condition(object, "Successful") == "True" && condition(object, "Failure") != "True";
        match self.step {
            Step::Prepare => {
                standing.secret.is_some() && standing.record.as_ref().is_some_and(|one| one["settings"].is_object())
            }
            Step::DryRun => {
                let passed = standing.record.as_ref().is_some_and(|one| one["rehearsal"]["state"] == "passed");
                content && mas["config"]["active"] == json!(false) && passed
            }
            Step::Activate => {
                content && mas["config"]["active"] == json!(true) && object["status"]["mas_active"] == json!(true)
            }
            Step::Abort => content && mas["config"]["active"] == json!(false),
            Step::Remove => content && mas.is_null(),
        }
    }

    /// The guarantees that don't hold although the same command was repeated on a working connection.
    pub fn judge_again(&self, before: &Standing, between: &Standing, after: &Standing, done: &Done) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut claim = |truth: bool, what: &str| {
            if !truth {
                wrong.push(format!("run again: {what}"));
            }
        };
        claim(done.code == 0, "it fails");
        let status = &after.object["status"];
        claim(self.is_reached(after), &format!("the goal is not reached, {status}"));
        let expected = i64::from(self.step != Step::Prepare);
        claim(Self::changes(before, after) == expected, "the spec was not written once");
        // A dry run is not requested twice. An abort is an exception: if its reconcile was not observed, it requests
        // another one.
        let asked = |one: &Standing| one.object["metadata"]["annotations"][ess_mas::plan::DRY_RUN_ANNOTATION].clone();
        let written = Self::changes(before, between) > 0;
        let may_ask = matches!(self.step, Step::Abort | Step::Remove);
        claim(!written || may_ask || asked(between) == asked(after), "a second rehearsal was asked for");
        if let Some(secret) = &between.secret {
            claim(Some(secret) == after.secret.as_ref(), "the Secret was changed");
        }
        wrong
    }

    /// Number of changes of the spec since then.
    pub fn changes(before: &Standing, after: &Standing) -> i64 {
        let generation = |one: &Standing| one.object["metadata"]["generation"].as_i64().unwrap();
        generation(after) - generation(before)
    }
}

/// Whether a reconcile is in progress. After a failure the reason remains, so only the status counts.
fn is_running(object: &Value) -> bool {
    let mut all = object["status"]["conditions"].as_array().into_iter().flatten();
    all.any(|one| one["type"] == "Running" && one["status"] == "True" && one["reason"] == "Running")
}
