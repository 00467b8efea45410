//! The condition for an activation: a dry run that passed for the current spec and Secret contents.
//!
//! The guide: "The dry-run migration must have succeeded before the actual migration can be attempted", and "All other
//! settings should remain the same".

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Severity};
use super::snapshot::{Purpose, Snapshot};
use crate::answers::Known;
use crate::deployment::Deployment;
use crate::plan::{Plan, SecretKeys};
use crate::record::{DryRun, DryRunResult, Pending, record_name};
use crate::verdict::Observation;

/// Number of changed fields to name.
const FIELDS: usize = 6;
/// Age in days that causes a warning. The dry run doesn't cover later accounts, devices and third-party IDs.
const OLD_AFTER_DAYS: i64 = 7;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DryRunStanding {
    None,
    Passed,
    Failed(String),
    /// Passed for another spec or Secret; each entry names a change.
    Outdated(Vec<String>),
    /// Passed, but the Secret can't be read, for this reason.
    Unknown(String),
}

/// Proof of a current dry run, which the activation requires. Only [`DryRunPassed::check`] creates one.
#[derive(Debug, Clone, Copy)]
pub struct DryRunPassed(());

impl DryRunPassed {
    pub fn check(snapshot: &Snapshot) -> Option<Self> {
        (standing(snapshot) == DryRunStanding::Passed).then_some(Self(()))
    }
}

/// The record of a dry run that ended.
pub fn dry_run_record(
    snapshot: &Snapshot,
    seen: &Observation,
    pending: Option<&Pending>,
    at: jiff::Timestamp,
    seconds: u64,
    state: DryRunResult,
    message: Option<String>,
) -> DryRun {
    // The digest from before the write: a Secret that changed since may not be the one of the dry run.
    let (digest, fingerprints) = snapshot.secret_digests();
    let recorded = pending.and_then(|pending| pending.secret_digest.clone());
    DryRun {
        state,
        spec_digest: seen.spec_digest.clone(),
        spec_outline: None,
        release: snapshot.chart.clone(),
        secret_digest: recorded.or(digest).unwrap_or_default(),
        secret_fingerprints: pending.map_or(fingerprints, |pending| pending.secret_fingerprints.clone()),
        completion: match state {
            DryRunResult::Passed => seen.success_completion.clone(),
            DryRunResult::Failed => seen.failure.as_ref().and_then(|failure| failure.completion.clone()),
        },
        at,
        seconds,
        message,
        failed_since: None,
    }
}

/// Compares the recorded dry run with the current spec and Secret.
pub fn standing(snapshot: &Snapshot) -> DryRunStanding {
    let Some(dry_run) = snapshot.recorded().and_then(|record| record.dry_run.as_ref()) else {
        return DryRunStanding::None;
    };
    if dry_run.state == DryRunResult::Failed {
        return DryRunStanding::Failed(dry_run.message.clone().unwrap_or_default());
    }
    let mut changed = Vec::new();
    if let Some(message) = &dry_run.failed_since {
        let first = message.lines().next().unwrap_or_default();
        changed.push(format!("a reconcile failed ({first})"));
    }
    if snapshot.deployment.dry_run_digest() != dry_run.spec_digest {
        changed.push(changed_fields(dry_run, &snapshot.deployment));
    }
    let keys = snapshot.secret_keys();
    if prepared_since(snapshot, &keys) {
        changed.push("`prepare` changed MAS's settings; the next dry run applies them".to_owned());
    }
    match &snapshot.secret {
        Known::Unreadable(why) if changed.is_empty() => return DryRunStanding::Unknown(why.clone()),
        Known::Unreadable(_) => {}
        Known::Known(None) => changed.push("the MAS Secret was deleted".to_owned()),
        Known::Known(Some(secret)) => {
            let digest = secret.digest(&keys).map(|digest| format!("{digest:#}"));
            if digest.as_deref() != Some(&dry_run.secret_digest) {
                changed.push(changed_keys(dry_run, &secret.fingerprints(&keys), &keys));
            }
        }
    }
    if changed.is_empty() { DryRunStanding::Passed } else { DryRunStanding::Outdated(changed) }
}

/// The error message of the last dry run or activation, unless the spec has changed since.
pub fn last_failure(snapshot: &Snapshot) -> Option<&str> {
    let dry_run = snapshot.recorded()?.dry_run.as_ref()?;
    let of_dry_run = dry_run.message.as_ref().filter(|_| dry_run.state == DryRunResult::Failed);
    let stands = snapshot.deployment.dry_run_digest() == dry_run.spec_digest;
    dry_run.failed_since.as_ref().or(of_dry_run).filter(|_| stands).map(String::as_str)
}

/// Causes of failures, the check that covers each, and the remedy if the check didn't find it.
const SEEN_BY: &str = include_str!("seen_by.txt");

/// Turns an ok finding into a warning if the last failure names a cause that its check covers. `causes`: codes and meanings.
pub fn contradict<'a>(causes: impl IntoIterator<Item = (&'a str, &'a str)>, findings: &mut [Finding]) {
    for (cause, meaning) in causes {
        let of_cause = |line: &'static str| line.strip_prefix(cause)?.strip_prefix(' ')?.split_once(": ");
        let Some((check, remedy)) = SEEN_BY.lines().find_map(of_cause) else { continue };
        let ok = |one: &&mut Finding| one.code == check && one.severity == Severity::Ok;
        if let Some(found) = findings.iter_mut().find(ok) {
            let text = format!("the last failure names a cause that this check doesn't find: {meaning} ({cause})");
            *found = Finding::new(check, Severity::Warning, found.subject.clone(), text).remedy(remedy);
        }
    }
}

/// Whether `prepare` stored settings that are not in the spec. An activation would migrate without them.
fn prepared_since(snapshot: &Snapshot, keys: &SecretKeys) -> bool {
    let deployment = &snapshot.deployment;
    // The plan to compare with has `active: false`.
    deployment.active() == Some(false)
        && snapshot.settled().is_some_and(|settings| Plan::dry_run(deployment, &settings, keys, "").changes_spec())
}

/// The changed fields of the spec, if the record has an outline.
fn changed_fields(dry_run: &DryRun, now: &Deployment) -> String {
    let text = "the ElementDeployment's spec has changed";
    let outline = dry_run.spec_outline.as_ref();
    let found = outline.map(|outline| outline.differences(&now.dry_run_spec(), "spec")).unwrap_or_default();
    let shown = found.iter().take(FIELDS).cloned().collect::<Vec<_>>().join(", ");
    match found.len() {
        0 => text.to_owned(),
        1..=FIELDS => format!("{text} ({shown})"),
        all => format!("{text} ({shown} and {} more)", all - FIELDS),
    }
}

/// The changed keys of the Secret, with fingerprints. If the encryption secret has changed, fingerprints that are keyed with
/// it can't be compared.
fn changed_keys(dry_run: &DryRun, now: &BTreeMap<String, String>, keys: &SecretKeys) -> String {
    let before = &dry_run.secret_fingerprints;
    let all: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let same_encryption = before.get(&keys.encryption_secret) == now.get(&keys.encryption_secret);
    let print = |print: Option<&String>| print.map_or("none", String::as_str).to_owned();
    let changed = all.into_iter().filter_map(|key| {
        let (old, new) = (before.get(key), now.get(key));
        let keyed = [old, new].iter().all(|print| print.is_some_and(|print| print.starts_with("hmac-")));
        (old != new && (same_encryption || !keyed)).then(|| format!("{key}: {} -> {}", print(old), print(new)))
    });
    match changed.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "the MAS Secret has changed".to_owned(),
        changed => format!("the MAS Secret has changed ({changed})"),
    }
}

/// Why a current dry run may no longer predict the migration: it is some days old, or of another release.
fn age(snapshot: &Snapshot) -> Option<String> {
    let dry_run = snapshot.recorded()?.dry_run.as_ref()?;
    if !matches!(standing(snapshot), DryRunStanding::Passed | DryRunStanding::Unknown(_)) {
        return None;
    }
    let upgraded = dry_run.release.as_ref().zip(snapshot.chart.as_ref()).filter(|(then, now)| then != now);
    let days = snapshot.environment.now.map_or(0, |now| now.duration_since(dry_run.at).as_hours() / 24);
    match upgraded {
        Some((then, now)) if then.source() == now.source() => {
            Some(format!("the release was {then} and is now {now}, which may migrate differently"))
        }
        _ => (days >= OLD_AFTER_DAYS).then(|| format!("{days} days old; it doesn't cover accounts that changed since")),
    }
}

/// A dry run is refused while `active` is true.
fn again(snapshot: &Snapshot, dry_run: &'static str) -> &'static str {
    if snapshot.deployment.active() == Some(true) {
        return "Roll back first: `kubectl ess-mas abort`. Then repeat the dry run: `kubectl ess-mas dry-run`.";
    }
    dry_run
}

pub fn is_old(snapshot: &Snapshot) -> bool {
    age(snapshot).is_some()
}

pub(super) fn check(snapshot: &Snapshot, purpose: Purpose, findings: &mut Vec<Finding>) {
    if snapshot.deployment.mas_active() == Some(true) {
        return;
    }
    if let Known::Unreadable(why) = &snapshot.record {
        let name = record_name(snapshot.deployment.name());
        let values = [("why", why.as_str()), ("name", &name), ("namespace", snapshot.deployment.namespace())];
        findings.push(Finding::of("record-unread", "the record of the dry run", &values));
    }
    if !matches!(purpose, Purpose::Activate | Purpose::Check) {
        return;
    }
    let subject = "the dry run";
    if let Some(text) = age(snapshot) {
        let remedy = again(snapshot, "Repeat the dry run; users don't notice it: `kubectl ess-mas dry-run`.");
        findings.push(Finding::of("dry-run-old", subject, &[("text", &text), ("remedy", remedy)]));
    }
    let text = match standing(snapshot) {
        DryRunStanding::Passed => return findings.push(Finding::of("dry-run-passed", subject, &[])),
        // The dry run is a later step.
        DryRunStanding::None if purpose == Purpose::Check => return,
        DryRunStanding::None => "none has passed yet".to_owned(),
        DryRunStanding::Failed(message) => format!("the last one failed: {message}"),
        DryRunStanding::Outdated(changed) => format!("passed, but since then: {}", changed.join("; ")),
        DryRunStanding::Unknown(why) => format!("passed, but the current MAS Secret can't be read: {why}"),
    };
    let remedy = again(snapshot, "Start a dry run: `kubectl ess-mas dry-run`.");
    // Only the activation requires it.
    let name = if purpose == Purpose::Activate { "no-dry-run" } else { "no-dry-run-yet" };
    findings.push(Finding::of(name, subject, &[("text", &text), ("remedy", remedy)]));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{run, tests};
    use super::*;
    use crate::deployment::{ChartRelease, Features};
    use crate::plan::SecretContents;
    use crate::record::Record;
    use crate::secrets::SecretBytes;

    const KEY: &str = "9d2f3c7b1a5e48d6b0c9f8e7a6d5c4b3928170f6e5d4c3b2a19087f6e5d4c3b2";

    fn secret(encryption: &str, password: &str) -> SecretContents {
        let data = [("encryptionSecret", encryption), ("postgresPassword", password)];
        SecretContents {
            name: "chat-mas".into(),
            resource_version: "1".into(),
            data: data.into_iter().map(|(key, value)| (key.to_owned(), SecretBytes::from(value.as_bytes()))).collect(),
            immutable: false,
            manager: None,
        }
    }

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    /// A deployment whose dry run passed on 1 November, with a later change.
    fn after_dry_run(change: impl FnOnce(&mut Value)) -> Snapshot {
        let mas = json!({"config": {"active": false}, "secretName": "chat-mas"});
        let before =
            tests::snapshot(|object| object["spec"]["components"]["matrixAuthenticationService"] = mas.clone());
        let keys = SecretKeys::find(&before.deployment, &Features::default());
        let contents = secret(KEY, "one");
        let dry_run = DryRun {
            state: DryRunResult::Passed,
            spec_digest: before.deployment.dry_run_digest(),
            spec_outline: None,
            release: Some(ChartRelease { chart: "ess-stack".into(), version: "2.28.1".into() }),
            secret_digest: contents.digest(&keys).map(|digest| format!("{digest:#}")).unwrap(),
            secret_fingerprints: contents.fingerprints(&keys),
            completion: None,
            at: at("2026-11-01T00:00:00Z"),
            seconds: 60,
            message: None,
            failed_since: None,
        };
        let mut record = Record::new(&before.deployment);
        record.dry_run = Some(dry_run.of_spec(&before.deployment));
        let mut object = before.deployment.object().clone();
        change(&mut object);
        let mut now = before;
        now.deployment = Deployment::from_value(object).unwrap();
        now.record = Known::Known(Some(record));
        now.secret = Known::Known(Some(contents));
        now.environment.now = Some(at("2026-11-02T00:00:00Z"));
        now
    }

    fn changed(snapshot: &Snapshot) -> String {
        match standing(snapshot) {
            DryRunStanding::Outdated(changed) => changed.join("; "),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_unchanged_spec_keeps_the_dry_run_valid_with_either_switch() {
        assert_eq!(standing(&after_dry_run(|_| {})), DryRunStanding::Passed);
        let on = |object: &mut Value| {
            object["spec"]["components"]["matrixAuthenticationService"]["config"]["active"] = json!(true);
        };
        assert_eq!(standing(&after_dry_run(on)), DryRunStanding::Passed);
    }

    #[test]
    fn changed_fields_are_named_by_path() {
        let snapshot = after_dry_run(|object| {
            object["spec"]["global"]["config"]["verifyTls"] = json!(false);
            object["spec"]["components"]["synapse"]["k8s"]["ingress"]["fqdn"] = json!("m.example.com");
            object["spec"]["components"]["adminbot"] = json!({"config": {}});
        });
        assert_eq!(
            changed(&snapshot),
            "the ElementDeployment's spec has changed (spec.components.adminbot (added), \
             spec.components.synapse.k8s.ingress.fqdn, spec.global.config.verifyTls (added))"
        );
        let many = after_dry_run(|object| {
            for n in 0..20 {
                object["spec"]["global"][format!("field{n}")] = json!(n);
            }
        });
        assert!(changed(&many).ends_with("and 14 more)"), "{}", changed(&many));
        // Records of earlier releases have no outline.
        let mut old = after_dry_run(|object| object["spec"]["global"]["config"]["verifyTls"] = json!(false));
        if let Known::Known(Some(record)) = &mut old.record {
            record.dry_run.as_mut().unwrap().spec_outline = None;
        }
        assert_eq!(changed(&old), "the ElementDeployment's spec has changed");
    }

    #[test]
    fn changed_secret_keys_are_shown_with_fingerprints() {
        let with =
            |contents: SecretContents| Snapshot { secret: Known::Known(Some(contents)), ..after_dry_run(|_| {}) };
        let password = changed(&with(secret(KEY, "two")));
        assert!(
            password.contains("postgresPassword: hmac-sha256:") && password.contains(" -> hmac-sha256:"),
            "{password}"
        );
        assert!(!password.contains("encryptionSecret") && !password.contains("two"), "{password}");
        // Another encryption secret changes all keyed fingerprints, whatever the values.
        let key = changed(&with(secret(&KEY.replace('9', "8"), "one")));
        assert!(key.contains("encryptionSecret: sha256:") && !key.contains("postgresPassword"), "{key}");
        let mut more = secret(KEY, "one");
        more.data.insert("added".into(), SecretBytes::from(b"x".as_slice()));
        assert!(changed(&with(more)).contains("added: none -> hmac-sha256:"));
    }

    #[test]
    fn an_old_dry_run_is_a_warning() {
        let of = |snapshot: &Snapshot| {
            let found: Vec<Finding> =
                run(snapshot, Purpose::Activate).into_iter().filter(|one| one.code.starts_with("rehearsal")).collect();
            found.into_iter().map(|one| (one.code, one.severity, one.message)).collect::<Vec<_>>()
        };
        let mut snapshot = after_dry_run(|_| {});
        assert_eq!(of(&snapshot).len(), 1, "a day is not old");
        snapshot.environment.now = Some(at("2026-11-08T00:00:01Z"));
        let found = of(&snapshot);
        assert_eq!((found[0].0, found[0].1), ("rehearsal-old", Severity::Warning));
        assert!(found[0].2.contains("7 days old") && is_old(&snapshot), "{found:?}");
        // An earlier or unknown time is no reason.
        for now in [Some(at("2026-10-01T00:00:00Z")), None] {
            snapshot.environment.now = now;
            assert!(!is_old(&snapshot));
        }
        snapshot.chart = Some(ChartRelease { chart: "ess-stack".into(), version: "2.29.0".into() });
        assert!(of(&snapshot)[0].2.contains("was chart ess-stack 2.28.1 and is now chart ess-stack 2.29.0"));
        // Another source of the version is no upgrade.
        snapshot.chart = ChartRelease::of_image("mirror/updater:2.29.0");
        assert!(!is_old(&snapshot));
    }

    #[test]
    fn a_failed_or_outdated_dry_run_blocks_the_activation_and_warns_check() {
        let mut failed = after_dry_run(|_| {});
        if let Known::Known(Some(record)) = &mut failed.record {
            let dry_run = record.dry_run.as_mut().unwrap();
            (dry_run.state, dry_run.message) = (DryRunResult::Failed, Some("no".into()));
        }
        let mut hidden = after_dry_run(|_| {});
        hidden.secret = Known::Unreadable("forbidden".into());
        let outdated = after_dry_run(|object| object["spec"]["global"]["config"]["verifyTls"] = json!(false));
        for snapshot in [failed, hidden, outdated] {
            let of =
                |purpose| run(&snapshot, purpose).into_iter().find(|one| one.code == "rehearsal").unwrap().severity;
            assert_eq!((of(Purpose::Activate), of(Purpose::Check)), (Severity::Blocker, Severity::Warning));
            assert!(DryRunPassed::check(&snapshot).is_none());
        }
        assert!(DryRunPassed::check(&after_dry_run(|_| {})).is_some());
    }

    #[test]
    fn remedy_is_a_rollback_while_active_is_true() {
        let mut snapshot = after_dry_run(|object| {
            object["spec"]["components"]["matrixAuthenticationService"]["config"]["active"] = json!(true);
        });
        if let Known::Known(Some(record)) = &mut snapshot.record {
            record.dry_run.as_mut().unwrap().failed_since = Some("no".into());
        }
        let found = run(&snapshot, Purpose::Check);
        let remedy = found.iter().find(|one| one.code == "rehearsal").unwrap().remedy.as_deref().unwrap();
        assert!(remedy.starts_with("Roll back first: `kubectl ess-mas abort`."), "{remedy}");
        assert_eq!(last_failure(&snapshot), Some("no"));
    }

    #[test]
    fn a_check_that_missed_the_cause_of_the_last_failure_is_not_ok() {
        let mut snapshot = after_dry_run(|_| {});
        assert_eq!(last_failure(&snapshot), None, "it passed");
        if let Known::Known(Some(record)) = &mut snapshot.record {
            let dry_run = record.dry_run.as_mut().unwrap();
            (dry_run.state, dry_run.message) = (DryRunResult::Failed, Some("no".into()));
        }
        assert_eq!(last_failure(&snapshot), Some("no"));
        let mut found = run(&snapshot, Purpose::Check);
        let ok = |found: &[Finding]| {
            found.iter().find(|one| one.code == "synapse-settings").unwrap().severity == Severity::Ok
        };
        contradict([("synapse-table-locked", "Locked.")], &mut found);
        assert!(ok(&found), "no check covers this cause");
        contradict([("account-changes-enabled", "Users change addresses.")], &mut found);
        assert!(!ok(&found));
        let warning = found.iter().find(|one| one.code == "synapse-settings").unwrap();
        crate::checks::tests::assert_explained(warning);
        assert!(warning.message.contains("Users change addresses."), "{}", warning.message);
        assert!(warning.remedy.as_deref().unwrap().contains("allowEmailChange"));
        snapshot.deployment =
            after_dry_run(|object| object["spec"]["global"]["config"]["verifyTls"] = json!(false)).deployment;
        assert_eq!(last_failure(&snapshot), None, "the spec has changed since");
    }

    #[test]
    fn an_unreadable_record_is_unknown_and_its_remedy_deletes_it() {
        let mut snapshot = after_dry_run(|_| {});
        snapshot.record = Known::Unreadable("it is not JSON".into());
        let found = run(&snapshot, Purpose::DryRun).into_iter().find(|one| one.code == "record").unwrap();
        assert_eq!(found.severity, Severity::Unknown);
        assert!(found.remedy.unwrap().contains("kubectl delete configmap chat-kubectl-ess-mas -n n"));
    }
}
