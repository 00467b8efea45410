//! What `prepare` shows before it asks. Secrets appear as fingerprints.

use super::todo;
use crate::checks::Snapshot;
use crate::plan::{MasSettings, SecretAction, SecretPlan};
use crate::session::Session;
use crate::terminal::{Line, Style, Ui};

/// What is to become of the Secret.
pub fn will_be(plan: &SecretPlan) -> &'static str {
    if plan.creates() {
        "will be created:"
    } else if plan.writes() {
        "will be completed:"
    } else {
        "stays as it is:"
    }
}

/// Shows the settings, what becomes of the Secret, and its values as fingerprints.
pub fn show(session: &Session, snapshot: &Snapshot, settings: &MasSettings, becomes: &str, plan: Option<&SecretPlan>) {
    let ui = session.ui();
    let database = &settings.database;
    let sslmode = database.ssl_mode.as_ref().map_or_else(String::new, |mode| format!(", sslmode {mode}"));
    ui.status("");
    ui.status(format!("MAS at {}", settings.host));
    ui.status(format!(
        "  database  {} at {}:{} as {}{sslmode}",
        database.name, database.host, database.port, database.user
    ));
    ui.status(format!("  TLS       {}", todo::tls_words(snapshot, settings)));
    ui.status(format!("  Secret    {} {becomes}", settings.secret_name));
    if let Some(plan) = plan {
        secret_lines(ui, snapshot, plan);
    }
}

/// One line for each value; warns of what a person may not expect.
pub fn secret_lines(ui: &Ui, snapshot: &Snapshot, plan: &SecretPlan) {
    let keys = snapshot.secret_keys();
    for (item, before, after) in plan.fingerprints(&keys) {
        let (word, style) = match item.action {
            SecretAction::Keep => ("kept", Style::Dim),
            SecretAction::KeepOther => ("kept; the value given is another one", Style::Warn),
            SecretAction::Generate => ("made now", Style::Good),
            SecretAction::Add => ("as given", Style::Good),
            SecretAction::Replace => ("replaced", Style::Warn),
        };
        let print = match (item.action, before, after) {
            (SecretAction::Replace, Some(before), Some(after)) => format!("{before} -> {after}"),
            (_, _, after) => after.unwrap_or_default(),
        };
        let line = Line::new()
            .text(format!("    {:<18} ", item.key))
            .styled(Style::Dim, format!("{print:<26} "))
            .styled(style, word);
        if ui.verbosity() > crate::terminal::Verbosity::Quiet {
            ui.verbatim(&line);
        }
        if item.action == SecretAction::KeepOther {
            ui.warning(format!("{} is kept as it is in the cluster, although another value was given; to use that one pass --replace {}", item.key, item.key));
        }
    }
    if let Some(weakness) = plan.after().encryption_secret(&keys).and_then(|secret| secret.weakness()) {
        let key = &keys.encryption_secret;
        let how = if snapshot.deployment.mas().is_some() {
            "MAS has been deployed with it, so it stays".to_owned()
        } else {
            format!("to replace it while nothing is encrypted with it pass --replace {key}")
        };
        ui.warning(format!("{key} is not random: {weakness}; {how}"));
    }
}
