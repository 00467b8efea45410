use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::checks::Known;
use crate::commands::status::all::{row, table};
use crate::deployment::{ChartRelease, Deployment};
use crate::plan::{MasSettings, SecretContents};
use crate::record::{Backup, DryRun, DryRunResult, Pending, Record, Step};
use crate::terminal::{ColorChoice, Setting, Terminal, Verbosity};

const IDS: [&str; 2] = ["01JABCDEFGHJKMNPQRSTVWXYZ0", "01JBCDEFGHJKMNPQRSTVWXYZ01"];

/// The clock of [`Setting::piped`].
fn now() -> Timestamp {
    Timestamp::from_second(1_795_430_467).unwrap()
}

fn object(active: Option<bool>, mas_active: Option<bool>, failure: Option<&str>) -> Value {
    let failed = failure.is_some();
    let mut object = json!({
        "apiVersion": "matrix.element.io/v1alpha2",
        "metadata": {"name": "first-element", "namespace": "element-onprem", "uid": "u", "resourceVersion": "1",
            "annotations": {"meta.helm.sh/release-name": "ess"}},
        "spec": {"global": {"config": {"domainName": "example.com"}, "k8s": {"ingresses": {"tls": {"mode": "external"}}}},
            "components": {"synapse": {"k8s": {"ingress": {"fqdn": "matrix.example.com"}}, "config": {
                "postgresql": {"host": "pg.example.com", "database": "synapse", "user": "s"},
                "delegatedAuth": {"oidc": [{"idpId": IDS[0], "idpName": "会社の認証 🎉"}, {"idpId": IDS[1], "idpName": "Corp"}]}}}}},
        "status": {"mas_active": mas_active, "conditions": [
            {"type": "Available", "status": "True", "message": "All components are available", "lastTransitionTime": "2026-11-20T10:00:00Z"},
            {"type": "Running", "status": if failed { "False" } else { "True" }, "reason": if failed { "Running" } else { "Successful" },
                "ansibleResult": {"completion": "c1"}},
            {"type": "Successful", "status": if failed { "False" } else { "True" },
                "message": if failed { "" } else { "Last reconciliation succeeded" }, "lastTransitionTime": "2026-11-23T10:27:07Z"},
            {"type": "Failure", "status": if failed { "True" } else { "False" }, "message": failure.unwrap_or_default(),
                "reason": if failed { "Failed" } else { "" }, "ansibleResult": {"completion": "c2"}}]}});
    if let Some(active) = active {
        object["spec"]["components"]["matrixAuthenticationService"] = json!({"secretName": "first-element-mas",
            "config": {"active": active, "postgresql": {"host": "pg.example.com", "database": "mas", "user": "mas", "port": 5432}},
            "k8s": {"ingress": {"fqdn": "auth.example.com"}}});
    }
    object
}

/// A deployment whose dry run passed 14 minutes ago.
fn snapshot(object: Value, with_backup: bool) -> Snapshot {
    let deployment = Deployment::from_value(object).unwrap();
    let encryption = STANDARD.encode("9d2f3c7b1a5e48d6b0c9f8e7a6d5c4b3928170f6e5d4c3b2a19087f6e5d4c3b2");
    let secret = || SecretContents::read(json!({"data": {"encryptionSecret": encryption}}));
    let mut snapshot = Snapshot {
        features: Known::Unreadable("it was not read".to_owned()),
        secret: Known::Known(Some(secret())),
        record: Known::Known(None),
        settings: MasSettings::of(&deployment),
        chart: Some(ChartRelease { chart: "ess-stack".to_owned(), version: "2.29.0".to_owned() }),
        environment: crate::checks::Environment::default(),
        components: crate::checks::Components::default(),
        deployment,
    };
    let keys = snapshot.secret_keys();
    let mut record = Record::new(&snapshot.deployment);
    record.dry_run = snapshot.settings.as_ref().map(|_| DryRun {
        state: DryRunResult::Passed,
        spec_digest: snapshot.deployment.dry_run_digest(),
        secret_digest: secret().digest(&keys).map(|digest| format!("{digest:#}")).unwrap_or_default(),
        secret_fingerprints: secret().fingerprints(&keys),
        completion: Some("c1".to_owned()),
        at: now() - SignedDuration::from_mins(14),
        seconds: 131,
        message: None,
        failed_since: None,
        spec_outline: None,
        release: None,
    });
    record.backup = with_backup.then(|| Backup {
        statement: "nas3:/dumps/2026-11-23, both databases, taken with Synapse stopped".to_owned(),
        at: now() - SignedDuration::from_mins(4),
        by: None,
    });
    snapshot.record = Known::Known(Some(record));
    snapshot
}

fn command(command: &str) -> String {
    format!("kubectl ess-mas {command} first-element -n element-onprem")
}

/// The displayed page, with escape sequences as `^`.
fn page(setting: Setting, snapshot: &Snapshot) -> String {
    let (terminal, captured) = Terminal::captured(setting);
    let ui = Ui::new(terminal, ColorChoice::Auto, Verbosity::Normal);
    let saved = Some(PathBuf::from("/home/me/.local/state/kubectl-ess-mas/saved.json"));
    let status = Status::of(snapshot, command);
    show(&ui, snapshot, &status, &command("check"), saved, false).unwrap();
    assert_eq!(captured.stderr(), "");
    captured.stdout().replace('\u{1b}', "^")
}

fn ready() -> Snapshot {
    snapshot(object(Some(false), Some(false), None), false)
}

fn all() -> Vec<Snapshot> {
    let locked =
        "database error whilst locking Synapse table `users`: could not obtain lock on relation \"users\"\nsecond line";
    vec![
        snapshot(object(None, None, None), false),
        ready(),
        snapshot(object(Some(false), Some(false), Some(locked)), false),
        snapshot(object(Some(true), Some(false), None), true),
        snapshot(object(Some(true), Some(false), Some(locked)), true),
        snapshot(object(Some(true), Some(true), None), true),
    ]
}

fn plain(columns: usize) -> Setting {
    Setting::terminal(columns).env("NO_COLOR", "1")
}

#[test]
fn a_hundred_and_twenty_columns() {
    insta::assert_snapshot!(page(plain(120), &ready()));
}

#[test]
fn eighty_columns() {
    insta::assert_snapshot!(page(plain(80), &all()[4]));
}

#[test]
fn sixty_columns() {
    insta::assert_snapshot!(page(plain(60), &ready()));
}

#[test]
fn two_hundred_columns() {
    insta::assert_snapshot!(page(plain(200), &all()[5]));
}

#[test]
fn a_pipe() {
    insta::assert_snapshot!(page(Setting::piped(), &all()[0]));
}

#[test]
fn colours() {
    insta::assert_snapshot!(page(Setting::terminal(100), &all()[4]));
}

#[test]
fn ascii() {
    let page = page(plain(100).env("LANG", "C"), &ready());
    let foreign = |line: &&str| !line.contains('会');
    assert!(page.lines().filter(foreign).all(str::is_ascii), "{page}");
    assert!(page.contains("  * Configuration") && page.contains("  > Ready to migrate"), "{page}");
}

#[test]
fn at_every_width_uris_are_whole_and_nothing_else_is_too_long() {
    for snapshot in all() {
        let status = Status::of(&snapshot, command);
        for columns in 60..=240 {
            let page = page(plain(columns), &snapshot);
            for provider in &status.identity_providers {
                let mas = provider
                    .mas_redirect_uri
                    .clone()
                    .unwrap_or_else(|| format!("https://<host of MAS>/upstream/callback/{}", provider.idp_id));
                for uri in [provider.current_redirect_uri.clone().unwrap(), mas] {
                    let whole = page.lines().filter(|line| line.ends_with(&uri)).count();
                    assert!(whole >= 1, "{uri} is cut at {columns}\n{page}");
                }
            }
            let copied = |line: &&str| {
                ["https://", "    SELECT "].iter().any(|start| line.contains(start)) || line.starts_with("  kubectl ")
            };
            for line in page.lines().filter(|line| !copied(line)) {
                assert!(text::width(line) <= columns, "{columns}: {line:?}\n{page}");
                assert!(!line.ends_with(' '), "{columns}: {line:?}");
            }
        }
    }
}

#[test]
fn colours_add_no_information() {
    for snapshot in all() {
        let coloured = page(Setting::terminal(100), &snapshot);
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("^[") {
            bare.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        bare.push_str(rest);
        assert_eq!(bare, page(plain(100), &snapshot));
    }
}

fn recorded(snapshot: &mut Snapshot) -> &mut Record {
    match &mut snapshot.record {
        Known::Known(Some(record)) => record,
        _ => panic!("there is a record"),
    }
}

#[test]
fn a_recorded_failure_shows_cause_file_and_later_success() {
    let mut failed = ready();
    let dry_run = recorded(&mut failed).dry_run.as_mut().unwrap();
    dry_run.state = DryRunResult::Failed;
    dry_run.at = now() - SignedDuration::from_hours(12);
    dry_run.message = Some("Error: Guest support is enabled in the Synapse configuration\nmore".to_owned());
    dry_run.completion = Some("c0".to_owned());
    let shown = page(plain(120), &failed);
    for words in [
        "dry run failed",
        "The last dry run failed 12 hours ago:\n  Synapse accepts guests",
        "A later reconcile succeeded, but the dry run must still be repeated.",
        "  Saved: /home/me/.local/state/kubectl-ess-mas/saved.json",
    ] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    recorded(&mut failed).dry_run.as_mut().unwrap().message = Some("something new\nmore".to_owned());
    assert!(page(plain(120), &failed).contains("12 hours ago:\n  something new\n"));
    assert!(!page(plain(120), &ready()).contains("Saved:"), "nothing has failed");
    // A request that never arrived.
    written(&mut failed, Step::DryRun, false);
    recorded(&mut failed).pending.as_mut().unwrap().request = Some("again".to_owned());
    assert!(page(plain(120), &failed).contains("dry run failed"));
    // It is being repeated.
    let mut object = failed.deployment.object().clone();
    object["metadata"]["annotations"]["kubectl-ess-mas/rehearsal-requested"] = json!("again");
    failed.deployment = Deployment::from_value(object).unwrap();
    let shown = page(plain(120), &failed);
    assert!(shown.contains("failed 12 hours ago") && !shown.contains("dry run failed"), "{shown}");
    assert!(!shown.contains("later reconcile") && !shown.contains("after you fix the cause"), "{shown}");
    let mut object = failed.deployment.object().clone();
    object["status"]["conditions"][1]["reason"] = json!("Running");
    failed.deployment = Deployment::from_value(object).unwrap();
    let shown = page(plain(120), &failed);
    assert!(shown.contains("dry run in progress") && shown.contains("To follow the operator:"), "{shown}");
}

#[test]
fn the_phase_is_shown_before_during_and_after_a_dry_run() {
    let mut prepared = snapshot(object(None, None, None), false);
    assert!(page(plain(120), &prepared).contains("legacy authentication, MAS not set up"));
    prepared.settings = ready().settings;
    assert!(page(plain(120), &prepared).contains("prepared, dry run next"));
    let mut running = object(Some(false), Some(false), None);
    running["status"]["conditions"][1]["reason"] = json!("Running");
    let mut running = snapshot(running, false);
    recorded(&mut running).dry_run = None;
    let shown = page(plain(120), &running);
    assert!(
        shown.contains("dry run in progress") && shown.contains("To follow the operator:\n  kubectl ess-mas dry-run"),
        "{shown}"
    );
    let mut rolled_back = ready();
    recorded(&mut rolled_back).failed_since("could not obtain lock");
    let shown = page(plain(120), &rolled_back);
    assert!(shown.contains("dry run must be repeated") && shown.contains("users log in through Synapse"), "{shown}");
    // After `abort --remove`, the Secret still exists.
    let mut removed = snapshot(object(None, Some(false), None), false);
    removed.record = ready().record;
    removed.settings = ready().settings;
    let shown = page(plain(120), &removed);
    assert!(!shown.contains("Secret is gone") && shown.contains("the ElementDeployment's spec has changed"), "{shown}");
}

#[test]
fn a_failed_activation_shows_whether_users_are_locked_out() {
    let failed = page(plain(120), &all()[4]);
    assert!(failed.contains("users are locked out until a retry succeeds or you roll back"), "{failed}");
    assert!(page(plain(120), &all()[5]).contains("users log in to MAS"));
    assert!(page(plain(120), &ready()).contains("users log in through Synapse until MAS is active"));
}

/// Records a write of 20 minutes ago.
fn written(snapshot: &mut Snapshot, step: Step, active: bool) {
    let seen = Observation::of(&snapshot.deployment);
    let carried = crate::verdict::Carried::Active(active);
    recorded(snapshot).pending = Some(Pending {
        step,
        at: now() - SignedDuration::from_mins(20),
        by: None,
        baseline: crate::verdict::Baseline::of_write(&seen, carried, 2, None),
        owner: None,
        request: None,
        secret_digest: None,
        secret_fingerprints: std::collections::BTreeMap::new(),
    });
}

#[test]
fn a_change_without_reaction_is_shown_with_its_time() {
    for (step, active) in [(Step::DryRun, false), (Step::Activate, true)] {
        let mut waiting = snapshot(object(Some(active), Some(false), None), false);
        written(&mut waiting, step, active);
        let at = time_of_day(now() - SignedDuration::from_mins(20), Terminal::captured(plain(120)).0.zone());
        let shown = page(plain(200), &waiting);
        assert!(shown.contains(&format!("the operator has not reacted to the change made at {at}")), "{shown}");
        assert!(shown.contains("users log in through Synapse"), "an operator that is down stops nothing: {shown}");
        let record = waiting.record.clone();
        let mut object = waiting.deployment.object().clone();
        object["status"]["conditions"][1]["reason"] = json!("Running");
        waiting.deployment = Deployment::from_value(object).unwrap();
        waiting.record = record;
        assert!(!page(plain(200), &waiting).contains("has not reacted"));
    }
}

#[test]
fn many_deployments_fit_from_sixty_columns_on_and_are_whole_in_a_pipe() {
    let mut table = table();
    for snapshot in all() {
        table.row(row(&Status::of(&snapshot, command)));
    }
    for columns in 60..=240 {
        let (terminal, captured) = Terminal::captured(plain(columns));
        Ui::new(terminal, ColorChoice::Auto, Verbosity::Normal).table(&table, false).unwrap();
        let shown = captured.stdout();
        assert!(shown.lines().all(|line| text::width(line) <= columns), "{columns}\n{shown}");
        assert_eq!(shown.contains("SUCCESSFUL"), columns >= 108, "{columns}\n{shown}");
    }
    let (terminal, captured) = Terminal::captured(Setting::piped());
    Ui::new(terminal, ColorChoice::Auto, Verbosity::Normal).table(&table, false).unwrap();
    insta::assert_snapshot!(captured.stdout());
}
