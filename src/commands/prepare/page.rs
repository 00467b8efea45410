//! The settings and fingerprints that `prepare` shows for confirmation, and the remaining tasks.

use super::super::shared::output::providers;
use super::preparation::Preparation;
use crate::checks::{self, DryRunStanding, Snapshot};
use crate::cluster::shell_word;
use crate::deployment::TlsMode;
use crate::error::Failure;
use crate::plan::{Database, MasSettings, SecretAction, SecretPlan, Tls};
use crate::session::status;
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{Line, Next, Style, Ui, Verbosity};

impl Preparation<'_> {
    pub fn show(&self, becomes: &str, plan: Option<&SecretPlan>) {
        let (ui, settings) = (self.ui(), self.settings);
        let database = &settings.database;
        let sslmode = database.ssl_mode.as_ref().map_or_else(String::new, |mode| format!(", sslmode {mode}"));
        ui.status("");
        ui.status(format!("MAS at {}", settings.host));
        ui.status(format!(
            "  database  {} at {}:{} as {}{sslmode}",
            database.name, database.host, database.port, database.user
        ));
        ui.status(format!("  TLS       {}", tls_words(self.snapshot, settings)));
        ui.status(format!("  Secret    {} {becomes}", settings.secret_name));
        if let Some(plan) = plan {
            secret_lines(ui, self.snapshot, plan);
        }
    }

    /// Prints the remaining tasks on stdout, so that they can be saved: those for now, then the backup before `activate`.
    /// `changed` means that something was written; `ca` is the file of a new CA.
    pub fn show_remaining_tasks(&self, changed: bool, ca: Option<&str>) -> Result<(), Failure> {
        let (ui, snapshot, settings) = (self.ui(), self.snapshot, self.settings);
        let with_providers = status::providers(snapshot);
        if !with_providers.is_empty() {
            ui.page("Redirect URIs to register at the identity providers; keep the current ones until the migration is complete:")?;
            ui.print("")?;
            providers(ui, &with_providers, false)?;
            ui.print("")?;
        }
        let mut table = Table::new([Column::new("Task"), Column::prose("Instructions")]);
        for (what, how) in list(snapshot, settings, !with_providers.is_empty(), ca) {
            table.row([Cell::from(what), Cell::from(how)]);
        }
        ui.table(&table, false)?;
        ui.print("")?;
        ui.page("SQL for the database, to run as a superuser:")?;
        for line in sql(settings) {
            ui.print(Line::new().text("  ").styled(Style::Code, line))?;
        }
        ui.print("")?;
        let then = if changed && checks::standing(snapshot) == DryRunStanding::Passed {
            "The settings changed after the last dry run. Repeat the dry run:"
        } else {
            "When these tasks are complete, start the dry run:"
        };
        ui.next(&Next::new(then).command(self.session.command("dry-run")));
        ui.print("")?;
        ui.page("Later, right before `activate`, back up both databases, one right after the other. Only these backups can undo the migration. Restoring them loses what Synapse writes after its dump:")?;
        for line in backup_commands(snapshot, settings) {
            ui.print(Line::new().text("  ").styled(Style::Code, line))?;
        }
        Ok(())
    }
}

/// Prints a line for each value, and warnings.
pub fn secret_lines(ui: &Ui, snapshot: &Snapshot, plan: &SecretPlan) {
    let keys = snapshot.secret_keys();
    for (item, before, after) in plan.fingerprints(&keys) {
        let (word, style) = match item.action {
            SecretAction::Keep => ("kept", Style::Dim),
            SecretAction::KeepOther => ("kept; differs from the given value", Style::Warn),
            SecretAction::Generate => ("generated", Style::Good),
            SecretAction::Issue => ("issued", Style::Good),
            SecretAction::Add => ("given", Style::Good),
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
        if ui.verbosity > Verbosity::Quiet {
            ui.verbatim(&line);
        }
        if item.action == SecretAction::KeepOther {
            ui.warning(format!(
                "{key}: the value in the cluster is kept and the given one is ignored; to use the given value, pass --replace {key}",
                key = item.key
            ));
        }
    }
    if let Some(weakness) = plan.after().encryption_secret(&keys).and_then(|secret| secret.weakness()) {
        let key = &keys.encryption_secret;
        let how = if snapshot.deployment.mas().is_some() {
            "it can't change because MAS is already deployed".to_owned()
        } else {
            format!("to replace it before MAS uses it, pass --replace {key}")
        };
        ui.warning(format!("{key} is not random: {weakness}; {how}"));
    }
}

fn tls_words(snapshot: &Snapshot, settings: &MasSettings) -> String {
    let global = snapshot.deployment.global_tls();
    let named = |value: &serde_json::Value| value.as_str().unwrap_or("without a name").to_owned();
    let inherited = match (&settings.tls, settings.tls_mode(&snapshot.deployment)) {
        (Tls::Certmanager { issuer }, _) => return format!("certmanager, ClusterIssuer {issuer}"),
        (Tls::Existing { secret }, _) => return format!("existing Secret {secret}"),
        (Tls::External, _) => return "external: terminates in front of the ingress".to_owned(),
        (Tls::Certfile, _) => return format!("certfile: certificate and key in Secret {}", settings.secret_name),
        (Tls::Inherit, None) => "no mode is set".to_owned(),
        (Tls::Inherit, Some(TlsMode::Certmanager)) => {
            format!("certmanager, ClusterIssuer {}", named(&global["certmanager"]["issuer"]))
        }
        (Tls::Inherit, Some(TlsMode::Existing)) => format!("existing, Secret {}", named(&global["secretName"])),
        (Tls::Inherit, Some(TlsMode::Certfile)) => {
            format!("certfile, in Secret {} or the global Secret", settings.secret_name)
        }
        (Tls::Inherit, Some(TlsMode::External)) => "external".to_owned(),
    };
    format!("inherited from spec.global.k8s.ingresses.tls: {inherited}")
}

fn list(
    snapshot: &Snapshot,
    settings: &MasSettings,
    with_providers: bool,
    ca: Option<&str>,
) -> Vec<(&'static str, String)> {
    let Database { name, host, .. } = &settings.database;
    let create = format!("Create database {name} on {host} with the SQL below. Use an empty database for MAS only.");
    let mut list = vec![
        ("Database", create),
        ("DNS", format!("Point {} to the same ingress as Synapse.", settings.host)),
        ("Certificate", certificate(snapshot, settings)),
    ];
    if let Some(file) = ca {
        let how = format!("Install {file} on every device, and where Synapse and MAS connect to {}.", settings.host);
        list.push(("Private CA", how));
    }
    if with_providers {
        list.push(("Redirect URIs", "Add the URIs marked \"add\" above at each identity provider.".to_owned()));
    }
    let synapse = snapshot.deployment.component("synapse");
    if synapse.is_some_and(|synapse| synapse["config"]["delegatedAuth"]["localPasswordDatabase"].is_object()) {
        let how = "If users can register or reset their password, configure e-mail delivery for MAS.";
        list.push(("E-mail", how.to_owned()));
    }
    list
}

fn certificate(snapshot: &Snapshot, settings: &MasSettings) -> String {
    let MasSettings { host, secret_name, .. } = settings;
    match settings.tls_mode(&snapshot.deployment) {
        None => "No TLS mode is configured; set one with --tls.".to_owned(),
        Some(TlsMode::Certmanager) => {
            format!("cert-manager issues the certificate; its ClusterIssuer must support {host}.")
        }
        Some(TlsMode::External) => format!("The proxy that terminates TLS needs a certificate for {host}."),
        Some(TlsMode::Existing) => format!("The configured Secret must contain a certificate for {host}."),
        Some(TlsMode::Certfile) => {
            format!("The certificate in Secret {secret_name} or the global Secret must be valid for {host}.")
        }
    }
}

/// The commands that dump both databases; they prompt for passwords.
fn backup_commands(snapshot: &Snapshot, settings: &MasSettings) -> Vec<String> {
    let mas = &settings.database;
    let mut commands = Vec::new();
    let synapse = snapshot.deployment.postgres("synapse").unwrap_or_default();
    if let (Some(host), Some(name), Some(user)) = (&synapse.host, &synapse.database, &synapse.user) {
        let mode = synapse.ssl_mode.as_deref();
        commands.push(dump(host, synapse.port.unwrap_or(5432), name, user, mode, "synapse.dump"));
    }
    // The API server sets the schema's default if none is given.
    let default = snapshot.features.known().and_then(|features| features.default_ssl_mode.as_deref());
    commands.push(dump(&mas.host, mas.port, &mas.name, &mas.user, mas.ssl_mode.as_deref().or(default), "mas.dump"));
    commands
}

fn dump(host: &str, port: u16, name: &str, user: &str, mode: Option<&str>, file: &str) -> String {
    let mode = mode.map_or_else(String::new, |mode| format!("PGSSLMODE={} ", shell_word(mode)));
    // libpq parses such a name as a connection string, so it is passed as part of one.
    let strange = name.contains('=') || name.contains("://") || name.starts_with('-');
    let name =
        if strange { format!("dbname='{}'", name.replace('\\', r"\\").replace('\'', r"\'")) } else { name.to_owned() };
    format!(
        "{mode}pg_dump --host={} --port={port} --username={} --format=custom --file={file} {}",
        shell_word(host),
        shell_word(user),
        shell_word(&name)
    )
}

fn sql(settings: &MasSettings) -> [String; 6] {
    let (user, name) = (quoted(&settings.database.user), quoted(&settings.database.name));
    [
        format!("CREATE ROLE {user} LOGIN;"),
        format!(
            "-- at the prompt, enter the password that you gave to prepare; Secret {} contains it",
            settings.secret_name
        ),
        format!("\\password {user}"),
        format!("CREATE DATABASE {name} OWNER {user} ENCODING 'UTF8' TEMPLATE template0;"),
        format!("\\connect {name}"),
        "CREATE EXTENSION IF NOT EXISTS pg_trgm;".to_owned(),
    ]
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_sql_identifiers_are_escaped() {
        assert_eq!(quoted("mas\"; DROP DATABASE synapse; --"), "\"mas\"\"; DROP DATABASE synapse; --\"");
    }

    #[test]
    fn special_characters_in_a_database_name_are_quoted_for_pg_dump() {
        let of = |name: &str| dump("db", 5432, name, "mas", None, "x");
        let with = |word: &str| format!("pg_dump --host=db --port=5432 --username=mas --format=custom --file=x {word}");
        assert_eq!(of("mas"), with("mas"));
        assert_eq!(of("it's; rm -rf ~"), with(r"'it'\''s; rm -rf ~'"));
        assert_eq!(of("host=evil.example.com"), with(r"'dbname='\''host=evil.example.com'\'''"));
        assert_eq!(of("postgres://evil/x"), with(r"'dbname='\''postgres://evil/x'\'''"));
        let secured = dump("db", 5432, "m", "o'mas", Some("require"), "x");
        assert!(
            secured.starts_with("PGSSLMODE=require pg_dump ") && secured.contains(r"--username='o'\''mas'"),
            "{secured}"
        );
    }
}
