//! Failures that the generated schedules of `tests/offline/schedules` found, reduced to the relevant events.

use serde_json::json;

use super::super::*;
use super::{Script, activation, object, see};

#[test]
fn dry_run_restarted_on_other_settings_and_restored_is_no_success() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(false);
    let carried = Carried::DryRun(write.spec_digest.clone());
    let version = Some(write.resource_version.clone());
    let mut tracker = Tracker::new(Baseline::of_write(&before, carried, write.generation, version));
    assert_eq!(see(&mut tracker, script.start()), Verdict::Pending(Awaiting::End));
    // The operator is killed and restarts without an event. It reconciles the other settings and succeeds after they
    // were restored. No later event distinguishes this from a successful dry run.
    script.seen.spec_digest = "other settings".to_owned();
    assert!(matches!(see(&mut tracker, script.write(false)), Verdict::Overtaken(_)));
}

#[test]
fn an_available_that_is_unknown_is_waited_for() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(false);
    let version = Some(write.resource_version.clone());
    let mut tracker = Tracker::new(Baseline::of_write(&before, Carried::Active(false), write.generation, version));
    see(&mut tracker, script.start());
    let ended = script.succeed("new");
    let mut shown = object(&json!({"resourceVersion": ended.resource_version, "mas": false, "status": {"conditions": [
        {"type": "Running", "status": "True", "reason": "Successful", "ansibleResult": {"completion": "new"}},
        {"type": "Successful", "status": "True", "reason": "Successful"},
        {"type": "Available", "status": "Unknown"}]}}));
    let seen = Observation { generation: ended.generation, ..Observation::of(&shown) };
    assert_eq!(see(&mut tracker, seen), Verdict::Pending(Awaiting::Available));
    // Without the condition, there is nothing to wait for.
    script.version();
    shown = object(&json!({"resourceVersion": script.seen.resource_version, "mas": false, "status": {"conditions": [
        {"type": "Running", "status": "True", "reason": "Successful", "ansibleResult": {"completion": "new"}},
        {"type": "Successful", "status": "True", "reason": "Successful"}]}}));
    let seen = Observation { generation: ended.generation, ..Observation::of(&shown) };
    assert!(matches!(see(&mut tracker, seen), Verdict::Succeeded(_)));
}

#[test]
fn after_a_lost_response_a_stale_read_is_not_a_reverted_change() {
    let mut script = Script::healthy();
    let older = script.seen.clone();
    script.version();
    let before = script.seen.clone();
    let write = script.write(true);
    let mut tracker = Tracker::new(Baseline::of_write(&before, Carried::Active(true), write.generation, None));
    for stale in [older, before] {
        let event = Event::Seen(Box::new(stale), Continuity::Gap);
        assert_eq!(tracker.observe(&event), &Verdict::Pending(Awaiting::Start));
    }
    assert_eq!(see(&mut tracker, write), Verdict::Pending(Awaiting::Start));
}

#[test]
fn failed_first_reconcile_of_the_old_spec_is_no_failure_of_the_change() {
    let mut script = Script::healthy();
    script.seen.success_completion = None;
    script.seen.successful_since = None;
    let before = script.start();
    let write = script.write(false);
    let version = Some(write.resource_version.clone());
    let mut tracker = Tracker::new(Baseline::of_write(&before, Carried::Active(false), write.generation, version));
    // The failure writes the condition `Successful` for the first time: a new time appears, but no reconcile succeeded.
    script.seen.successful_since = Some("t".to_owned());
    let event = Event::Seen(Box::new(script.fail("old", Some("f"))), Continuity::Gap);
    assert_eq!(tracker.observe(&event), &Verdict::Pending(Awaiting::Start));
}

#[test]
fn mas_active_from_an_earlier_activation_is_no_success() {
    let mut script = Script::healthy();
    script.write(true);
    let before = script.start();
    let write = script.write(true);
    let mut unsure = activation(&before, &write);
    let version = Some(write.resource_version.clone());
    let written = Baseline::of_write(&before, Carried::Active(true), write.generation, version);
    let sure = Baseline { mas_active_tells: true, ..written };
    let mut sure = Tracker::new(sure);
    script.seen.mas_active = Some(true);
    let ended = script.succeed("of which run?");
    assert_eq!(see(&mut unsure, ended.clone()), Verdict::Pending(Awaiting::Start));
    // A caller that knows that nothing was active before can accept it as the result.
    assert!(matches!(see(&mut sure, ended), Verdict::Succeeded(_)));
}

#[test]
fn found_activation_may_belong_to_the_reconcile_in_progress() {
    let mut script = Script::healthy();
    script.write(true);
    let now = script.start();
    let mut tracker = Tracker::new(Baseline::of_present(&now, Carried::Active(true)));
    script.seen.mas_active = Some(true);
    assert!(matches!(see(&mut tracker, script.succeed("new")), Verdict::Succeeded(_)));
}

#[test]
fn mas_active_with_an_old_success_is_no_success() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(true);
    let version = Some(write.resource_version.clone());
    let baseline = Baseline::of_write(&before, Carried::Active(true), write.generation, version);
    let mut tracker = Tracker::new(Baseline { mas_active_tells: true, ..baseline });
    script.version();
    script.seen.mas_active = Some(true);
    assert_eq!(see(&mut tracker, script.seen.clone()), Verdict::Pending(Awaiting::Start));
}

#[test]
fn status_restored_by_another_client_is_no_new_end() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(false);
    let version = Some(write.resource_version.clone());
    let mut tracker = Tracker::new(Baseline::of_write(&before, Carried::Active(false), write.generation, version));
    assert_eq!(see(&mut tracker, script.start()), Verdict::Pending(Awaiting::End));
    let old = before.success_completion.clone().unwrap();
    assert_eq!(see(&mut tracker, script.succeed(&old)), Verdict::Pending(Awaiting::Start));
}

#[test]
fn replayed_events_of_an_earlier_object_do_not_end_the_wait() {
    let mut script = Script::healthy();
    let mut earlier = script.seen.clone();
    earlier.uid = "earlier".to_owned();
    script.version();
    let before = script.seen.clone();
    let write = script.write(true);
    let mut tracker = activation(&before, &write);
    assert_eq!(see(&mut tracker, earlier), Verdict::Pending(Awaiting::Start));
    let deleted = |uid: Option<&str>| Event::Deleted(uid.map(str::to_owned));
    assert_eq!(tracker.observe(&deleted(Some("earlier"))), &Verdict::Pending(Awaiting::Start));
    let ours = write.uid.clone();
    assert_eq!(tracker.clone().observe(&deleted(Some(&ours))), &Verdict::Gone);
    assert_eq!(tracker.observe(&deleted(None)), &Verdict::Gone);
}

#[test]
fn successful_activation_that_was_reverted_unobserved_is_no_success() {
    let mut script = Script::healthy();
    let before = script.seen.clone();
    let write = script.write(true);
    let mut tracker = activation(&before, &write);
    see(&mut tracker, script.start());
    assert_eq!(see(&mut tracker, script.succeed("one")), Verdict::Pending(Awaiting::MasActive));
    // Unobserved: another reconcile succeeds and sets `mas_active`, then another client writes `active: false`.
    script.seen.mas_active = Some(true);
    script.succeed("two");
    let event = Event::Seen(Box::new(script.write(false)), Continuity::Gap);
    assert!(matches!(tracker.observe(&event), Verdict::Overtaken(_)));
}

#[test]
fn mas_active_of_a_killed_reconcile_is_no_success() {
    let mut script = Script::healthy();
    let before = script.start();
    let write = script.write(true);
    let version = Some(write.resource_version.clone());
    let baseline = Baseline::of_write(&before, Carried::Active(true), write.generation, version);
    let mut tracker = Tracker::new(Baseline { mas_active_tells: true, ..baseline });
    // Unobserved: a reconcile sets `mas_active` and is killed, `active: false` is written, its reconcile starts,
    // `active: true` is written again, and the reconcile of `false` succeeds.
    script.seen.mas_active = Some(true);
    script.write(false);
    script.write(true);
    let event = Event::Seen(Box::new(script.succeed("on false")), Continuity::Gap);
    assert_eq!(tracker.observe(&event), &Verdict::Pending(Awaiting::Start));
}

/// Observed with ansible-operator 1.33: the first of several failures keeps its message and its completion.
#[test]
fn operator_that_reports_only_the_first_failure_hides_the_later_ones() {
    let mut script = Script::healthy();
    let before = script.fail("first", Some("f1"));
    let write = script.write(false);
    let version = Some(write.resource_version.clone());
    let mut tracker = Tracker::new(Baseline::of_write(&before, Carried::Active(false), write.generation, version));
    assert_eq!(see(&mut tracker, script.start()), Verdict::Pending(Awaiting::End));
    let Verdict::Pending(Awaiting::Untold(report)) = see(&mut tracker, script.fail("first", Some("f1"))) else {
        panic!("{:?}", tracker.verdict())
    };
    assert_eq!(report.message, "first");
    assert_eq!(see(&mut tracker, script.start()), Verdict::Pending(Awaiting::End));
    assert!(matches!(see(&mut tracker, script.succeed("new")), Verdict::Succeeded(_)));
}
