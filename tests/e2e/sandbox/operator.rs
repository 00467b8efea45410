//! The stand-in operator in situations that were observed with a real operator but not recorded, and in those that the
//! plugin's tests script.

use std::time::{Duration, Instant};

use ess_mas_sandbox::Result;
use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

const NAME: &str = "first-element";

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|one| one["type"] == kind).unwrap_or(&Value::Null)
}

fn runs(object: &Value) -> bool {
    condition(object, "Running")["reason"] == "Running" && condition(object, "Running")["status"] == "True"
}

fn succeeded(object: &Value) -> bool {
    condition(object, "Running")["reason"] == "Successful" && condition(object, "Successful")["status"] == "True"
}

/// The write at the end of a failed reconcile, before the retry changes the status.
fn failed(object: &Value) -> bool {
    condition(object, "Failure")["status"] == "True" && condition(object, "Running")["status"] == "False"
}

struct Scene {
    api: Api<DynamicObject>,
    client: kube::Client,
    namespace: Namespace<'static>,
    operator: Operator,
    follower: Follower,
}

impl Scene {
    /// A deployment whose first reconcile succeeded with the default behaviour, before this behaviour applies.
    async fn new(deployment: impl FnOnce(Deployment) -> Deployment, behaviour: Behaviour) -> Result<Self> {
        let namespace = Sandbox::shared().namespace().await?;
        let client = namespace.client()?;
        let deployment = deployment(Deployment::new(NAME, namespace.name()));
        namespace.create(&deployment).await?;
        let api = deployment.api(&client);
        let mut follower = Follower::start(&api, NAME).await?;
        let operator = Operator::start(client.clone(), namespace.scope(), Behaviour::default());
        follower.until(succeeded).await?;
        operator.set(behaviour);
        Ok(Self { api, client, namespace, operator, follower })
    }

    async fn patch(&mut self, change: Value) -> Result<()> {
        let written = self.api.patch(NAME, &PatchParams::default(), &Patch::Merge(change)).await?;
        let version = written.metadata.resource_version;
        self.follower.until(|object| object["metadata"]["resourceVersion"].as_str() == version.as_deref()).await?;
        Ok(())
    }

    async fn set_active(&mut self, active: bool) -> Result<()> {
        let one = Deployment::new(NAME, self.namespace.name()).with_mas(active);
        let mas = &one.object()["spec"]["components"]["matrixAuthenticationService"];
        self.patch(json!({"spec": {"components": {"matrixAuthenticationService": mas}}})).await
    }

    async fn next(&mut self, wanted: fn(&Value) -> bool) -> Result<Value> {
        self.follower.next().await?;
        Ok(self.follower.until(wanted).await?.clone())
    }

    async fn quiet(&mut self) -> bool {
        self.follower.quiet_for(Duration::from_millis(500)).await
    }
}

fn with_mas(deployment: Deployment) -> Deployment {
    deployment.with_mas(false)
}

#[tokio::test]
async fn activation_without_a_dry_run_fails_and_migrates_nothing() -> Result<()> {
    let mut scene = Scene::new(|one| one, Behaviour::default()).await?;
    let secrets = Api::<Secret>::namespaced(scene.client.clone(), scene.namespace.name());
    let secret = Deployment::new(NAME, scene.namespace.name()).mas_secret()?;
    secrets.create(&kube::api::PostParams::default(), &secret).await?;
    scene.set_active(true).await?;
    let end = scene.next(failed).await?;
    assert!(condition(&end, "Failure")["message"].as_str().is_some_and(|text| text.contains("dry run first")));
    assert!(end["status"].get("mas_active").is_none());
    Ok(())
}

/// The result of a failed dry run must be stored before its end is written. Otherwise, an operator that is stopped in
/// between uses an older result.
#[tokio::test]
async fn activation_fails_after_a_failed_dry_run_and_succeeds_after_a_passed_one() -> Result<()> {
    let script = Script::times(1, &Outcome::fail("syn2mas check failed: guests")).then(Outcome::Succeed);
    let mut scene = Scene::new(with_mas, Behaviour::default().dry_run(script.clone())).await?;
    scene.patch(json!({"metadata": {"annotations": {"again": "1"}}})).await?;
    assert_eq!(condition(&scene.next(failed).await?, "Failure")["message"], "syn2mas check failed: guests");
    scene.operator.stop().await;
    scene.operator.set(Behaviour::default());
    scene.set_active(true).await?;
    scene.operator.resume();
    scene.next(runs).await?;
    let end = scene.next(|one| failed(one) && condition(one, "Failure").get("ansibleResult").is_some()).await?;
    assert!(condition(&end, "Failure")["message"].as_str().is_some_and(|text| text.contains("dry run first")));

    scene.set_active(false).await?;
    scene.next(|one| succeeded(one) && one["status"]["mas_active"] == false).await?;
    scene.set_active(true).await?;
    scene.next(|one| succeeded(one) && one["status"]["mas_active"] == true).await?;
    Ok(())
}

#[tokio::test]
async fn an_activation_by_switch_fails_until_it_is_switched_back() -> Result<()> {
    let script = Script::times(1, &Outcome::fail("locked")).then(Outcome::Succeed).by_switch();
    let mut scene = Scene::new(with_mas, Behaviour::default().activation(script)).await?;
    scene.set_active(true).await?;
    for _ in 0..3 {
        scene.next(failed).await?;
    }
    scene.set_active(false).await?;
    scene.next(|one| succeeded(one) && one["status"]["mas_active"] == false).await?;
    scene.set_active(true).await?;
    scene.next(|one| succeeded(one) && one["status"]["mas_active"] == true).await?;
    Ok(())
}

#[tokio::test]
async fn operator_killed_during_a_reconcile_reports_a_failure_without_result_after_its_restart() -> Result<()> {
    let mut scene = Scene::new(with_mas, Behaviour::default()).await?;
    scene.set_active(true).await?;
    scene.operator.kill_in_mid_run().await;
    if !runs(scene.follower.last()) {
        scene.next(runs).await?;
    }
    assert!(scene.quiet().await, "a dead operator wrote something");
    scene.operator.resume();
    let hiccup = scene.follower.next().await?.clone();
    assert!(failed(&hiccup));
    let failure = condition(&hiccup, "Failure");
    assert_eq!(failure["message"], "Failed to get ansible-runner stdout");
    assert_eq!((failure["reason"].as_str(), failure.get("ansibleResult")), (Some("Failed"), None));
    assert!(runs(scene.follower.next().await?));
    scene.next(|one| succeeded(one) && one["status"]["mas_active"] == true).await?;
    assert!(scene.quiet().await);
    Ok(())
}

#[tokio::test]
async fn write_during_a_reconcile_of_the_old_spec_is_reconciled_after_it() -> Result<()> {
    let mut scene = Scene::new(with_mas, Behaviour::default().lasting(Duration::from_secs(1))).await?;
    scene.patch(json!({"metadata": {"annotations": {"again": "1"}}})).await?;
    scene.next(runs).await?;
    scene.set_active(true).await?;
    let old = scene.next(succeeded).await?;
    assert_eq!(old["metadata"]["generation"], 2, "the end of the old run carries the new generation");
    assert_eq!(old["status"]["mas_active"], false);
    assert!(runs(scene.follower.next().await?));
    let new = scene.next(succeeded).await?;
    assert_eq!(new["status"]["mas_active"], true);
    assert!(scene.quiet().await);
    Ok(())
}

#[tokio::test]
async fn annotation_starts_a_reconcile_but_a_secret_or_an_empty_patch_does_not() -> Result<()> {
    let mut scene = Scene::new(with_mas, Behaviour::default()).await?;
    let secrets = Api::<Secret>::namespaced(scene.client.clone(), scene.namespace.name());
    let change = Patch::Merge(json!({"stringData": {"new": "value"}}));
    secrets.patch(&format!("{NAME}-mas"), &PatchParams::default(), &change).await?;
    scene.set_active(false).await?;
    assert!(scene.quiet().await);
    scene.patch(json!({"metadata": {"labels": {"a": "b"}}})).await?;
    assert!(scene.quiet().await, "a label is no annotation");
    scene.patch(json!({"metadata": {"annotations": {"a": "b"}}})).await?;
    scene.next(runs).await?;
    Ok(())
}

#[tokio::test]
async fn a_key_that_the_secret_lacks_is_named_and_adding_it_is_found_by_a_retry() -> Result<()> {
    let mut scene = Scene::new(with_mas, Behaviour::default()).await?;
    let secrets = Api::<Secret>::namespaced(scene.client.clone(), scene.namespace.name());
    let name = format!("{NAME}-mas");
    let remove = Patch::Merge(json!({"data": {"rsaPrivateKey": null}}));
    secrets.patch(&name, &PatchParams::default(), &remove).await?;
    scene.set_active(true).await?;
    let message = condition(&scene.next(failed).await?, "Failure")["message"].clone();
    let message = message.as_str().unwrap_or_default();
    assert!(message.starts_with("The following secret keys do not point to any secret value"), "{message}");
    assert!(message.contains(&format!("absentFrom: {name}/rsaPrivateKey")), "{message}");
    let add = Patch::Merge(json!({"stringData": {"rsaPrivateKey": "x"}}));
    secrets.patch(&name, &PatchParams::default(), &add).await?;
    scene.next(|one| succeeded(one) && one["status"]["mas_active"] == true).await?;
    Ok(())
}

#[tokio::test]
async fn reconcile_can_fail_after_mas_active_is_true() -> Result<()> {
    let late = Behaviour::default().activation(Outcome::FailLate("element-web did not come up".to_owned()));
    let mut scene = Scene::new(with_mas, late).await?;
    scene.set_active(true).await?;
    let middle = scene.next(|one| one["status"]["mas_active"] == true).await?;
    assert!(runs(&middle));
    let end = scene.follower.next().await?;
    assert!(failed(end));
    assert_eq!(condition(end, "Failure")["message"], "element-web did not come up");
    Ok(())
}

#[tokio::test]
async fn requeued_reconcile_stays_running_until_a_later_one_ends() -> Result<()> {
    let (run, pause) = (Duration::from_millis(100), Duration::from_millis(300));
    let script = Script::times(2, &Outcome::Requeue(pause)).then(Outcome::Succeed);
    let mut scene = Scene::new(with_mas, Behaviour::default().lasting(run).activation(script)).await?;
    scene.set_active(true).await?;
    assert!(runs(scene.follower.next().await?));
    let begin = Instant::now();
    let next = scene.follower.next().await?;
    assert!(runs(next) && next["status"]["mas_active"] == true, "the first two runs may not write anything");
    assert!(begin.elapsed() >= pause * 2);
    assert!(succeeded(scene.follower.next().await?));
    Ok(())
}

#[tokio::test]
async fn hanging_reconcile_stays_running() -> Result<()> {
    let hanging = Behaviour::default().lasting(Duration::from_millis(50)).activation(Outcome::Hang);
    let mut scene = Scene::new(with_mas, hanging).await?;
    scene.set_active(true).await?;
    scene.next(runs).await?;
    assert!(scene.quiet().await);
    Ok(())
}

#[tokio::test]
async fn a_breakdown_has_no_result_and_a_censored_failure_no_message_of_its_own() -> Result<()> {
    let script = Script::times(1, &Outcome::BreakDown).then(Outcome::FailCensored);
    let mut scene = Scene::new(with_mas, Behaviour::default().activation(script)).await?;
    scene.set_active(true).await?;
    let first = scene.next(failed).await?;
    assert!(condition(&first, "Failure").get("ansibleResult").is_none());
    let second = scene.next(failed).await?;
    assert_eq!(condition(&second, "Failure")["message"], "unknown playbook failure");
    assert_eq!(condition(&second, "Failure")["ansibleResult"]["failures"], 1);
    assert_ne!(second["status"]["mas_active"], true);
    Ok(())
}

#[tokio::test]
async fn available_can_be_false_or_never_there() -> Result<()> {
    let namespace = Sandbox::shared().namespace().await?;
    let client = namespace.client()?;
    for (name, available, status) in
        [("unavailable", Available::False, json!("False")), ("silent", Available::Absent, Value::Null)]
    {
        let deployment = Deployment::new(name, namespace.name());
        namespace.create(&deployment).await?;
        let mut follower = Follower::start(&deployment.api(&client), name).await?;
        let behaviour = Behaviour::default().available(available);
        let _operator = Operator::start(client.clone(), namespace.scope(), behaviour);
        let end = follower.until(succeeded).await?;
        assert_eq!(condition(end, "Available")["status"], status);
    }
    Ok(())
}

#[tokio::test]
async fn a_slow_operator_shows_no_sign_for_a_while_and_pauses_grow_between_retries() -> Result<()> {
    let reaction = Duration::from_millis(800);
    let behaviour = Behaviour::default()
        .lasting(Duration::from_millis(10))
        .reacting_after(reaction)
        .activation(Outcome::fail("no"));
    let mut scene = Scene::new(with_mas, behaviour).await?;
    let begin = Instant::now();
    scene.set_active(true).await?;
    scene.next(runs).await?;
    assert!(begin.elapsed() >= reaction);
    let mut pauses = Vec::new();
    for _ in 0..7 {
        scene.next(failed).await?;
        let end = Instant::now();
        scene.next(runs).await?;
        pauses.push(end.elapsed());
    }
    assert!(pauses[6] >= Duration::from_millis(320) - Duration::from_millis(50), "{pauses:?}");
    assert!(pauses[6] > pauses[4] && pauses[5] > pauses[2], "{pauses:?}");
    Ok(())
}

#[tokio::test]
async fn a_deployment_that_starts_on_mas_migrates_nothing() -> Result<()> {
    let failing = Behaviour::default().activation(Outcome::fail("not a migration"));
    let namespace = Sandbox::shared().namespace().await?;
    let client = namespace.client()?;
    let deployment = Deployment::new(NAME, namespace.name()).with_mas(true);
    namespace.create(&deployment).await?;
    let mut follower = Follower::start(&deployment.api(&client), NAME).await?;
    let _operator = Operator::start(client, namespace.scope(), failing);
    assert_eq!(follower.until(succeeded).await?["status"]["mas_active"], true);
    Ok(())
}
