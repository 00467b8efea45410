//! The tracker on the recorded histories, event by event, and in situations that were observed but not recorded.

use serde_json::{Value, json};

use super::*;
use crate::deployment::Deployment;

mod found;

fn object(line: &Value) -> Deployment {
    let components = match &line["mas"] {
        Value::Null => json!({}),
        active => json!({"matrixAuthenticationService": {"config": {"active": active}}}),
    };
    Deployment::from_value(json!({
        "metadata": {"name": "a", "namespace": "n", "uid": "u",
                     "resourceVersion": line["resourceVersion"], "generation": line["generation"]},
        "spec": {"components": components},
        "status": line["status"],
    }))
    .unwrap()
}

/// A recorded history: the state before the first action, and every event since.
struct History {
    before: Observation,
    events: Vec<Observation>,
}

impl History {
    fn read(text: &str) -> Self {
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let action = lines.iter().position(|line| line["action"].is_string()).unwrap();
        let observe = |line: &Value| Observation::of(&object(line));
        Self {
            before: observe(&lines[action - 1]),
            events: lines[action..].iter().filter(|line| line["type"].is_string()).map(observe).collect(),
        }
    }

    fn tracker(&self, carried: Carried) -> Tracker {
        let write = &self.events[0];
        let version = Some(write.resource_version.clone());
        Tracker::new(Baseline::of_write(&self.before, carried, write.generation, version))
    }

    /// The 0-based event at which the verdict becomes final, and the verdict.
    fn run(&self, carried: Carried) -> Option<(usize, Verdict)> {
        let mut tracker = self.tracker(carried);
        self.events.iter().enumerate().find_map(|(index, seen)| {
            let event = Event::Seen(Box::new(seen.clone()), Continuity::Continuous);
            let verdict = tracker.observe(&event);
            verdict.is_final().then(|| (index, verdict.clone()))
        })
    }

    fn dry_run(&self) -> Carried {
        Carried::DryRun(self.events[0].spec_digest.clone())
    }
}

macro_rules! history {
    ($name:literal) => {
        History::read(include_str!(concat!("../../tests/traces/", $name, ".jsonl")))
    };
}

#[test]
fn dry_run_succeeds_at_the_end_and_not_before() {
    let history = history!("dry-run-succeeds");
    let (at, verdict) = history.run(history.dry_run()).unwrap();
    assert_eq!(at, 3, "events: the write, the start, mas_active, the end");
    assert!(matches!(verdict, Verdict::Succeeded(_)), "{verdict:?}");
}

#[test]
fn activation_succeeds_at_the_end_although_mas_active_turns_true_before() {
    let history = history!("activation-succeeds");
    let (at, verdict) = history.run(Carried::Active(true)).unwrap();
    assert_eq!(at, 3);
    assert!(matches!(verdict, Verdict::Succeeded(seen) if seen.mas_active == Some(true)));
}

#[test]
fn switching_back_succeeds() {
    let history = history!("switch-back");
    let (at, verdict) = history.run(Carried::Active(false)).unwrap();
    assert_eq!(at, history.events.len() - 1);
    assert!(matches!(verdict, Verdict::Succeeded(_)), "{verdict:?}");
}

#[test]
fn a_failed_dry_run_is_reported_at_the_first_failure() {
    let history = history!("dry-run-fails-retries-then-fixed");
    let (at, verdict) = history.run(history.dry_run()).unwrap();
    assert_eq!(at, 2);
    let Verdict::Failed(report) = verdict else { panic!("{verdict:?}") };
    assert!(report.message.starts_with("syn2mas check failed: The Synapse configuration"));
    assert_eq!(report.completion.as_deref(), Some("2026-11-23T09:50:10.217104+00:00"));
}

#[test]
fn failure_missed_by_the_watch_is_distinguished_from_the_retry() {
    let history = history!("dry-run-fails-retries-then-fixed");
    let mut tracker = history.tracker(history.dry_run());
    // Only the retry is visible: a reconcile in progress, with a failure that did not exist at the write.
    let verdict = tracker.observe(&Event::Seen(Box::new(history.events[3].clone()), Continuity::Gap));
    assert!(matches!(verdict, Verdict::Failed(_)), "{verdict:?}");
}

#[test]
fn a_censored_failure_is_a_failure() {
    let history = history!("failure-message-censored");
    let (_, verdict) = history.run(history.dry_run()).unwrap();
    assert!(matches!(verdict, Verdict::Failed(report) if report.message == "unknown playbook failure"));
}

#[test]
fn no_verdict_is_reported_while_the_operator_is_down() {
    let history = history!("operator-down-at-patch");
    let mut tracker = history.tracker(Carried::Active(true));
    let write = Event::Seen(Box::new(history.events[0].clone()), Continuity::Continuous);
    assert_eq!(tracker.observe(&write), &Verdict::Pending(Awaiting::Start));
    let again = Event::Seen(Box::new(history.events[0].clone()), Continuity::Gap);
    assert_eq!(tracker.observe(&again), &Verdict::Pending(Awaiting::Start));
    let (at, verdict) = history.run(Carried::Active(true)).unwrap();
    assert_eq!(at, history.events.len() - 1);
    assert!(matches!(verdict, Verdict::Succeeded(_)));
}

/// An invented history of statuses, in the form of the recordings.
#[derive(Clone)]
struct Script {
    seen: Observation,
}

impl Script {
    fn healthy() -> Self {
        let history = history!("dry-run-succeeds");
        Self { seen: history.before }
    }

    fn version(&mut self) {
        let next: u64 = self.seen.resource_version.parse::<u64>().unwrap() + 1;
        self.seen.resource_version = next.to_string();
    }

    fn write(&mut self, active: bool) -> Observation {
        self.version();
        self.seen.generation += 1;
        self.seen.active = Some(active);
        self.seen.has_mas = true;
        self.seen.clone()
    }

    fn start(&mut self) -> Observation {
        self.version();
        self.seen.run = crate::deployment::Run::Running;
        self.seen.successful = Some(false);
        self.seen.success_completion = None;
        self.seen.clone()
    }

    fn succeed(&mut self, completion: &str) -> Observation {
        self.version();
        self.seen.run = crate::deployment::Run::Succeeded;
        self.seen.successful = Some(true);
        self.seen.success_completion = Some(completion.to_owned());
        self.seen.successful_since = Some(completion.to_owned());
        self.seen.failure = None;
        self.seen.clone()
    }

    fn fail(&mut self, message: &str, completion: Option<&str>) -> Observation {
        self.version();
        self.seen.run = crate::deployment::Run::Failed;
        self.seen.successful = Some(false);
        self.seen.success_completion = None;
        self.seen.failure = Some(crate::deployment::FailureReport {
            message: message.to_owned(),
            completion: completion.map(str::to_owned),
        });
        self.seen.clone()
    }
}

fn activation(before: &Observation, write: &Observation) -> Tracker {
    let version = Some(write.resource_version.clone());
    Tracker::new(Baseline::of_write(before, Carried::Active(true), write.generation, version))
}

fn see(tracker: &mut Tracker, seen: Observation) -> Verdict {
    tracker.observe(&Event::Seen(Box::new(seen), Continuity::Continuous)).clone()
}

#[test]
fn end_of_a_reconcile_of_the_old_spec_is_no_success() {
    let mut script = Script::healthy();
    let before = script.start();
    let write = script.write(true);
    let mut tracker = activation(&before, &write);
    assert_eq!(see(&mut tracker, write), Verdict::Pending(Awaiting::EarlierRun));
    assert_eq!(see(&mut tracker, script.succeed("old")), Verdict::Pending(Awaiting::Start));
    assert_eq!(see(&mut tracker, script.start()), Verdict::Pending(Awaiting::End));
    script.seen.mas_active = Some(true);
    assert!(matches!(see(&mut tracker, script.succeed("new")), Verdict::Succeeded(_)));
}

#[test]
fn operator_killed_during_a_reconcile_yields_no_verdict() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(true);
    let mut tracker = activation(&before, &write);
    see(&mut tracker, script.start());
    let hiccup = see(&mut tracker, script.fail("Failed to get ansible-runner stdout", None));
    assert!(matches!(hiccup, Verdict::Pending(Awaiting::NextRun(_))), "{hiccup:?}");
    assert_eq!(see(&mut tracker, script.start()), Verdict::Pending(Awaiting::End));
    script.seen.mas_active = Some(true);
    assert!(matches!(see(&mut tracker, script.succeed("new")), Verdict::Succeeded(_)));
}

#[test]
fn reconcile_that_fails_after_mas_active_is_true_is_a_failure() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(true);
    let mut tracker = activation(&before, &write);
    see(&mut tracker, script.start());
    script.seen.mas_active = Some(true);
    script.version();
    assert_eq!(see(&mut tracker, script.seen.clone()), Verdict::Pending(Awaiting::End));
    assert!(matches!(see(&mut tracker, script.fail("late", Some("f"))), Verdict::Failed(_)));
}

#[test]
fn success_without_mas_active_is_no_activation() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(true);
    let mut tracker = activation(&before, &write);
    see(&mut tracker, script.start());
    assert_eq!(see(&mut tracker, script.succeed("new")), Verdict::Pending(Awaiting::MasActive));
}

#[test]
fn success_with_available_false_waits_for_available() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(true);
    let mut tracker = activation(&before, &write);
    see(&mut tracker, script.start());
    script.seen.mas_active = Some(true);
    script.seen.available = Some(false);
    assert_eq!(see(&mut tracker, script.succeed("new")), Verdict::Pending(Awaiting::Available));
    script.version();
    script.seen.available = Some(true);
    assert!(matches!(see(&mut tracker, script.seen.clone()), Verdict::Succeeded(_)));
}

#[test]
fn old_failure_in_the_status_of_a_retry_is_not_reported_again() {
    let mut script = Script::healthy();
    script.fail("old", Some("f0"));
    let before = script.start();
    let write = script.write(false);
    let version = Some(write.resource_version.clone());
    let mut tracker = Tracker::new(Baseline::of_write(&before, Carried::Active(false), write.generation, version));
    see(&mut tracker, write);
    assert_eq!(see(&mut tracker, script.fail("old", Some("f1"))), Verdict::Pending(Awaiting::Start));
    assert_eq!(see(&mut tracker, script.start()), Verdict::Pending(Awaiting::End));
    assert!(matches!(see(&mut tracker, script.succeed("new")), Verdict::Succeeded(_)));
}

#[test]
fn change_reverted_by_another_client_is_reported_immediately() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(true);
    let mut tracker = activation(&before, &write);
    assert!(matches!(see(&mut tracker, script.write(false)), Verdict::Overtaken(_)));
}

#[test]
fn an_object_recreated_under_the_same_name_is_not_ours() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(true);
    let mut tracker = activation(&before, &write);
    script.seen.uid = "another".to_owned();
    assert_eq!(see(&mut tracker, script.succeed("new")), Verdict::Gone);
}

#[test]
fn after_a_gap_success_needs_two_ends_if_a_reconcile_was_in_progress_at_the_write() {
    let mut script = Script::healthy();
    let before = script.start();
    let write = script.write(false);
    let carried = Carried::DryRun(write.spec_digest.clone());
    let version = Some(write.resource_version.clone());
    let mut tracker = Tracker::new(Baseline::of_write(&before, carried, write.generation, version));
    let event = Event::Seen(Box::new(script.succeed("one")), Continuity::Gap);
    assert_eq!(tracker.observe(&event), &Verdict::Pending(Awaiting::Start));
    assert_eq!(see(&mut tracker, script.start()), Verdict::Pending(Awaiting::End));
    assert!(matches!(see(&mut tracker, script.succeed("two")), Verdict::Succeeded(_)));
}

#[test]
fn after_a_gap_one_new_end_is_enough_if_the_operator_was_idle_at_the_write() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(false);
    let carried = Carried::DryRun(write.spec_digest.clone());
    let version = Some(write.resource_version.clone());
    let mut tracker = Tracker::new(Baseline::of_write(&before, carried, write.generation, version));
    let event = Event::Seen(Box::new(script.succeed("one")), Continuity::Gap);
    assert!(matches!(tracker.observe(&event), Verdict::Succeeded(_)));
}

#[test]
fn repeated_events_are_not_mistaken_for_a_new_reconcile() {
    let mut script = Script::healthy();
    let running = script.start();
    let write = script.write(true);
    let mut tracker = activation(&running, &write);
    let ended = script.succeed("old");
    see(&mut tracker, ended.clone());
    see(&mut tracker, running);
    assert_eq!(see(&mut tracker, ended), Verdict::Pending(Awaiting::Start));
}

#[test]
fn a_baseline_survives_the_record() {
    let script = Script::healthy();
    let baseline = Baseline::of_present(&script.seen, Carried::DryRun("d".into()));
    let text = serde_json::to_string(&baseline).unwrap();
    assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), baseline);
    // Earlier releases wrote these, and read what this one writes.
    for (carried, text) in [
        (Carried::DryRun("d".into()), r#"{"rehearsal":"d"}"#),
        (Carried::Active(true), r#"{"active":true}"#),
        (Carried::Removed, r#""removed""#),
    ] {
        assert_eq!(serde_json::to_string(&carried).unwrap(), text);
        assert_eq!(serde_json::from_str::<Carried>(text).unwrap(), carried);
    }
}
