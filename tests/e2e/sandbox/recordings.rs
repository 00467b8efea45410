//! Replays recordings of a real ansible-operator (`tests/traces`) with the stand-in. The same actions must produce the
//! same sequence of objects and statuses, except for times.
//!
//! The recordings are successive parts of one deployment's history. They are replayed as one, from its creation, so
//! that the stand-in reaches the initial state of each recording itself.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ess_mas_sandbox::Result;
use ess_mas_sandbox::prelude::*;
use jiff::Timestamp;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

const NAME: &str = "recorded";
const SWITCH: &str = "example.com/behave";
/// Reconciles take at least 2 s in the recordings. Here the clock is faster, so that times still differ.
const SPEED: u32 = 5;

#[tokio::test]
async fn every_recording_is_repeated() -> Result<()> {
    let namespace = Sandbox::shared().namespace().await?;
    let client = namespace.client()?;
    let deployment = Deployment::new(NAME, namespace.name());
    namespace.create(&deployment).await?;
    client_creates_mas_secret(&deployment, &client).await?;

    let (begin, start) = (Instant::now(), Timestamp::now());
    let clock = Arc::new(move || start + begin.elapsed() * SPEED);
    let operator = Operator::with_clock(client.clone(), namespace.scope(), behaviour("ok"), clock);
    let mut replay = Replay { api: deployment.api(&client), operator };

    replay.wait_for_success(1).await?;
    for name in ["dry-run-succeeds", "activation-succeeds", "switch-back", "dry-run-fails-retries-then-fixed"] {
        replay.recording(name).await?;
    }
    replay.recording("failure-message-censored").await?;
    // Between this recording and the previous one, the real deployment was migrated and rolled back once more.
    replay.patch(json!({"spec": mas(true)})).await?;
    replay.wait_for_success(5).await?;
    replay.patch(json!({"spec": mas(false), "metadata": annotation("ok-1795427796")})).await?;
    replay.wait_for_success(6).await?;
    replay.recording("operator-down-at-patch").await?;
    Ok(())
}

#[test]
fn no_recording_is_left_out() {
    let source = include_str!("recordings.rs");
    let folder = fs::read_dir(traces()).unwrap();
    let names: Vec<_> = folder.map(|file| file.unwrap().path().file_stem().unwrap().to_owned()).collect();
    assert!(names.len() >= 6);
    for name in names {
        assert!(source.contains(&format!("\"{}\"", name.to_string_lossy())), "{name:?} is not replayed");
    }
}

async fn client_creates_mas_secret(deployment: &Deployment, client: &kube::Client) -> Result<()> {
    let secrets = Api::namespaced(client.clone(), deployment.namespace());
    secrets.create(&kube::api::PostParams::default(), &deployment.mas_secret()?).await?;
    Ok(())
}

fn traces() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traces"))
}

/// The playbook's actions in the recordings, by the value of `active`.
fn behaviour(switch: &str) -> Behaviour {
    let message = "syn2mas check failed: The Synapse configuration has an OIDC provider `google` which is not \
                   configured in MAS";
    let behaviour = Behaviour { run: Duration::from_millis(500), ..Behaviour::default() };
    match switch {
        "dryrun-fail" => behaviour.dry_run(Outcome::fail(message)),
        "censored" => behaviour.dry_run(Outcome::FailCensored),
        _ => behaviour,
    }
}

fn mas(active: bool) -> Value {
    let one = Deployment::new(NAME, "any").with_mas(active);
    json!({"components": {"matrixAuthenticationService": one.object()["spec"]["components"]["matrixAuthenticationService"]}})
}

fn annotation(switch: &str) -> Value {
    json!({"annotations": {SWITCH: switch}})
}

struct Replay {
    api: Api<DynamicObject>,
    operator: Operator,
}

impl Replay {
    async fn recording(&mut self, name: &str) -> Result<()> {
        let text = fs::read_to_string(traces().join(name).with_extension("jsonl"))?;
        let lines: Vec<Value> = text.lines().map(serde_json::from_str).collect::<std::result::Result<_, _>>()?;
        let mut follower = Follower::start(&self.api, NAME).await?;
        let (mut recorded, mut seen) = (Normal::default(), Normal::default());
        let mut version = 0;
        for (number, line) in lines.iter().enumerate() {
            if let Some(action) = line["action"].as_str() {
                self.act(action).await?;
                continue;
            }
            let object = if number == 0 { follower.last() } else { follower.next().await? };
            let written: u64 = object["metadata"]["resourceVersion"].as_str().unwrap_or_default().parse()?;
            assert!(written > version, "{name}: writes are out of order");
            version = written;
            let ours = json!({
                "generation": object["metadata"]["generation"],
                "mas": object["spec"]["components"]["matrixAuthenticationService"]["config"]["active"],
                "annotations": object["metadata"]["annotations"][SWITCH],
                "status": object["status"],
            });
            let (theirs, ours) = (recorded.event(line), seen.event(&ours));
            let both = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
            assert!(theirs == ours, "{name}, line {}: recorded\n{}\nhere\n{}", number + 1, both(&theirs), both(&ours));
        }
        assert!(follower.quiet_for(Duration::from_millis(300)).await, "{name}: more happened than was recorded");
        Ok(())
    }

    async fn act(&mut self, action: &str) -> Result<()> {
        let (stop, action) = match action.strip_prefix("operator stopped; ") {
            Some(rest) => (true, rest),
            None => (false, action),
        };
        if stop {
            self.operator.stop().await;
        }
        match action {
            "operator started" => self.operator.resume(),
            "patch: add MAS active:false" | "patch: active:false" => self.patch(json!({"spec": mas(false)})).await?,
            "patch: active:true" => self.patch(json!({"spec": mas(true)})).await?,
            other => {
                let switch = other.strip_prefix("patch: behave=").and_then(|rest| rest.split(' ').next());
                let switch = switch.ok_or_else(|| format!("the recordings have an unknown action: {other}"))?;
                self.operator.set(behaviour(switch));
                self.patch(json!({"metadata": annotation(switch)})).await?;
            }
        }
        Ok(())
    }

    async fn patch(&self, change: Value) -> Result<()> {
        self.api.patch(NAME, &PatchParams::default(), &Patch::Merge(change)).await?;
        Ok(())
    }

    /// Waits for a successful reconcile of a generation.
    async fn wait_for_success(&self, generation: u64) -> Result<()> {
        let mut follower = Follower::start(&self.api, NAME).await?;
        let ended = |object: &Value| {
            let conditions = object["status"]["conditions"].as_array();
            let running = conditions.into_iter().flatten().find(|one| one["type"] == "Running");
            running.is_some_and(|one| one["reason"] == "Successful")
        };
        follower
            .until(|object| object["metadata"]["generation"].as_u64() >= Some(generation) && !ended(object))
            .await
            .ok();
        follower.until(ended).await?;
        Ok(())
    }
}

/// Replaces times by their order of first appearance, so that equal and different times stay distinguishable, and
/// generations by their distance from the first.
#[derive(Default)]
struct Normal {
    times: HashMap<String, Vec<String>>,
    first: Option<u64>,
}

impl Normal {
    fn event(&mut self, event: &Value) -> Value {
        let mut status = event["status"].clone();
        for condition in status["conditions"].as_array_mut().into_iter().flatten() {
            let kind = condition["type"].as_str().unwrap_or_default().to_owned();
            if let Some(time) = condition.get_mut("lastTransitionTime") {
                assert!(time.as_str().is_some_and(|text| text.len() == 20 && text.ends_with('Z')), "{time}");
                *time = self.number(format!("{kind} transition"), time);
            }
            if let Some(time) = condition.pointer_mut("/ansibleResult/completion") {
                assert!(time.as_str().is_some_and(|text| text.ends_with("+00:00")), "{time}");
                *time = self.number(format!("{kind} completion"), time);
            }
        }
        let generation = event["generation"].as_u64().unwrap_or_default();
        let first = *self.first.get_or_insert(generation);
        json!({
            "generation": generation - first,
            "mas": event["mas"],
            "annotations": event["annotations"],
            "status": status,
        })
    }

    fn number(&mut self, place: String, time: &Value) -> Value {
        let text = time.as_str().unwrap_or_default().to_owned();
        let seen = self.times.entry(place).or_default();
        let number = seen.iter().position(|one| *one == text).unwrap_or_else(|| {
            seen.push(text);
            seen.len() - 1
        });
        json!(number)
    }
}
