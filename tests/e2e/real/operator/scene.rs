//! A deployment with a real operator, and a comparison of the plugin's verdicts with the truth.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ess_mas_sandbox::prelude::*;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::process::Child;

use super::install::Telling;
use super::process::{Behaviour, RealOperator};
use super::truth::{End, Run};
use crate::common::command::{Done, Shell, finish};

/// The step for the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    DryRun,
    Activate,
    Abort,
    Remove,
}

/// A verdict that was true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Succeeded,
    Failed,
    /// Another client changed the written value.
    Overtaken,
    /// No verdict within the time-out.
    Nothing,
    /// There was nothing to do, or the step was blocked.
    Unchanged,
}

/// The part of the cluster that belongs to one test.
pub struct Scene {
    pub namespace: Namespace<'static>,
    pub deployment: Deployment,
    pub operator: RealOperator,
    pub shell: Shell,
    /// The resourceVersion of the last write of each step.
    written: Mutex<[u64; 4]>,
}

impl Scene {
    /// A deployment that the operator has reconciled, after `prepare`.
    pub async fn prepared(behaviour: Behaviour) -> Self {
        Self::with(behaviour, Telling::Each).await
    }

    /// The same with an operator that reports failures in this way.
    pub async fn with(behaviour: Behaviour, telling: Telling) -> Self {
        let namespace = Sandbox::shared().namespace().await.unwrap();
        let deployment = Deployment::new("chat-of-ours", namespace.name());
        namespace.create(&deployment).await.unwrap();
        let kubeconfig = namespace.kubeconfig().unwrap();
        let name = namespace.name().to_owned();
        // It waits for its turn, which would block the rest of this runtime.
        let operator = tokio::task::spawn_blocking(move || RealOperator::start(&kubeconfig, &name, behaviour, telling));
        let operator = operator.await.unwrap().unwrap();
        let shell = Shell::new(&namespace);
        let scene = Self { namespace, deployment, operator, shell, written: Mutex::new([0; 4]) };
        scene.until("Successful is True", |object| condition(object, "Successful") == "True").await;
        let host = scene.deployment.mas_host();
        let line = format!(
            "prepare --host {host} --database-host pg.example.com --database-name mas --database-user mas \
             --database-password-file - --yes"
        );
        let words: Vec<&str> = line.split_whitespace().collect();
        let _ = scene.shell.run_words(&words, Some("correct horse\n")).await.expect(0);
        scene
    }

    pub fn api(&self) -> Api<DynamicObject> {
        self.deployment.api(&self.namespace.client().unwrap())
    }

    pub async fn object(&self) -> Value {
        serde_json::to_value(self.api().get(self.deployment.name()).await.unwrap()).unwrap()
    }

    /// Waits for a state of the deployment.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut follower = Follower::start(&self.api(), self.deployment.name()).await.unwrap();
        let seen = tokio::time::timeout(Duration::from_mins(1), follower.until(wanted)).await;
        let Ok(seen) = seen else {
            panic!("{what} does not come to pass; the operator's log ends with\n{}", self.operator.log())
        };
        seen.unwrap().clone()
    }

    /// Waits until the playbook's log shows a new reconcile in progress.
    pub async fn run_begun_after(&self, count: usize) {
        for _ in 0..1200 {
            if self.operator.truth().unwrap().runs.len() > count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no run begins; the operator's log ends with\n{}", self.operator.log());
    }

    /// Number of reconciles.
    pub fn runs(&self) -> usize {
        self.operator.truth().unwrap().runs.len()
    }

    /// Changes the deployment as another client.
    pub async fn patch(&self, patch: Value) {
        let params = PatchParams { field_manager: Some("somebody-else".into()), ..PatchParams::default() };
        self.api().patch(self.deployment.name(), &params, &Patch::Merge(patch)).await.unwrap();
    }

    /// Makes an irrelevant change, which nevertheless starts a reconcile.
    pub async fn annotate(&self) {
        let now = format!("{:?}", std::time::SystemTime::now());
        self.patch(json!({"metadata": {"annotations": {"example.com/poke": now}}})).await;
    }

    /// Starts the plugin.
    pub fn begin(&self, step: Step, more: &[&str]) -> Child {
        let name = self.deployment.name();
        let mut words = match step {
            Step::DryRun => vec!["dry-run", "--yes"],
            Step::Activate => vec!["activate", "--confirm", name, "--backup", "on the shelf"],
            Step::Abort => vec!["abort", "--yes"],
            Step::Remove => vec!["abort", "--remove", "--yes"],
        };
        words.extend(["-o", "json"]);
        if !more.contains(&"--timeout") {
            // Below the limit after which a command of a test counts as hanging.
            words.extend(["--timeout", "55s"]);
        }
        words.extend(more);
        self.shell.command(words).spawn().expect("the plugin starts")
    }

    /// Waits until it ends and compares its verdict with the truth.
    pub async fn end(&self, step: Step, child: Child) -> Judged {
        let done = finish(child, format!("{step:?}")).await;
        self.judge(step, done).await
    }

    /// Runs a step from start to end.
    pub async fn run(&self, step: Step, more: &[&str]) -> Judged {
        self.end(step, self.begin(step, more)).await
    }

    async fn judge(&self, step: Step, done: Done) -> Judged {
        if let Some(version) = done.stderr.split("written (resourceVersion ").nth(1) {
            let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
            self.written.lock().unwrap_or_else(PoisonError::into_inner)[step as usize] = digits.parse().unwrap();
        }
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner)[step as usize];
        let truth = self.operator.truth().unwrap();
        let now = self.object().await;
        let outcome: Value =
            serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("no outcome: {error}\n{done}"));
        let message = outcome["message"].as_str().unwrap_or_default().to_owned();
        let carries = |spec: &Value| match step {
            Step::DryRun => *active(spec) == json!(false) && without_active(spec) == without_active(&now["spec"]),
            Step::Activate => *active(spec) == json!(true),
            Step::Abort => *active(spec) != json!(true),
            Step::Remove => spec.pointer("/components/matrixAuthenticationService").is_none(),
        };
        let counting: Vec<&Run> = truth.counting(written, carries).collect();
        let (said, wrong) = match (outcome["verdict"].as_str().unwrap_or_default(), done.code) {
            ("succeeded", 0) => {
                let good = |run: &&&Run| run.end == Some(End::Good) && run.reported;
                let mas = step != Step::Activate || now["status"]["mas_active"] == json!(true);
                let true_ = counting.iter().find(good).is_some() && mas;
                (Said::Succeeded, (!true_).then_some("it says that it succeeded"))
            }
            ("failed", 1) if message.contains("was changed again before the operator finished") => {
                (Said::Overtaken, None)
            }
            ("failed", 1) => {
                let true_ = counting.iter().any(|run| run.failed_with(&message));
                (Said::Failed, (!true_).then_some("it says that the operator failed"))
            }
            ("timed-out", 124) => (Said::Nothing, None),
            ("unchanged", _) => (Said::Unchanged, None),
            _ => (Said::Unchanged, Some("verdict and exit code differ")),
        };
        let wrong = wrong.map(|what| {
            let log = self.operator.log();
            format!("{step:?}: {what}, and that is not so.\nwritten: {written}\n{done}\n{truth:#?}\n{log}")
        });
        Judged { said, wrong, done }
    }
}

/// A verdict, and the false claims in it.
pub struct Judged {
    pub said: Said,
    pub wrong: Option<String>,
    pub done: Done,
}

impl Judged {
    /// Asserts that it is true, and that it is this one.
    #[track_caller]
    pub fn expect(self, said: Said) -> Done {
        if let Some(wrong) = self.wrong {
            panic!("{wrong}");
        }
        assert!(self.said == said, "{:?} where {said:?} was expected\n{}", self.said, self.done);
        self.done
    }
}

/// The status of a condition; empty if it is absent.
pub fn condition(object: &Value, kind: &str) -> String {
    let all = object["status"]["conditions"].as_array();
    let found = all.into_iter().flatten().find(|one| one["type"] == kind);
    found.and_then(|one| one["status"].as_str()).unwrap_or_default().to_owned()
}

/// `…config.active` of a spec.
pub fn active(spec: &Value) -> &Value {
    &spec["components"]["matrixAuthenticationService"]["config"]["active"]
}

fn without_active(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if let Some(config) =
        spec.pointer_mut("/components/matrixAuthenticationService/config").and_then(Value::as_object_mut)
    {
        config.remove("active");
    }
    spec
}
