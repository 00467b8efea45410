//! What `prepare` shows before it asks, with secrets as fingerprints, and what is left to do by hand.

use super::super::shared::providers::providers;
use super::preparation::Preparation;
use crate::checks::{self, RehearsalStanding, Snapshot};
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

    /// Shows what is left to do by hand, on stdout: a person keeps it. First what is done now, then what waits for `activate`.
    /// `changed` says that something was written, `ca` names the file of a CA that was made.
    pub fn show_what_is_left(&self, changed: bool, ca: Option<&str>) -> Result<(), Failure> {
        let (ui, snapshot, settings) = (self.ui(), self.snapshot, self.settings);
        let with_providers = status::providers(snapshot);
        if !with_providers.is_empty() {
            ui.page("Redirect URIs to register at the identity providers; leave the present ones in place until the migration is done:")?;
            ui.print("")?;
            providers(ui, &with_providers, false)?;
            ui.print("")?;
        }
        let mut table = Table::new([Column::new("To do now"), Column::new("How").prose()]);
        for (what, how) in list(snapshot, settings, !with_providers.is_empty(), ca) {
            table.row([Cell::from(what), Cell::from(how)]);
        }
        ui.table(&table, false)?;
        ui.print("")?;
        ui.print("SQL for the database, to be run as a superuser of the server:")?;
        for line in sql(settings) {
            ui.print(Line::new().text("  ").styled(Style::Code, line))?;
        }
        ui.print("")?;
        let then = if changed && checks::standing(snapshot) == RehearsalStanding::Passed {
            "The dry run that has passed was of what was there before; it has to pass again:"
        } else {
            "Then, once all of that is done:"
        };
        ui.next(&Next::new(then).command(self.session.command("dry-run")));
        ui.print("")?;
        ui.page("Not now: back up both databases right before `activate`, one command right after the other. Nothing else undoes the migration. What is written in Synapse after its dump is lost where the dump has to be used:")?;
        for line in backup_commands(snapshot, settings) {
            ui.print(Line::new().text("  ").styled(Style::Code, line))?;
        }
        Ok(())
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
            SecretAction::Issue => ("issued now", Style::Good),
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
        if ui.verbosity() > Verbosity::Quiet {
            ui.verbatim(&line);
        }
        if item.action == SecretAction::KeepOther {
            ui.warning(format!(
                "{key} is kept as it is in the cluster, although another value was given; to use that one pass --replace {key}",
                key = item.key
            ));
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

fn tls_words(snapshot: &Snapshot, settings: &MasSettings) -> String {
    let global = snapshot.deployment.global_tls();
    let named = |value: &serde_json::Value| value.as_str().unwrap_or("that is not named").to_owned();
    let inherited = match (&settings.tls, settings.tls_mode(&snapshot.deployment)) {
        (Tls::Certmanager { issuer }, _) => return format!("certmanager, ClusterIssuer {issuer}"),
        (Tls::Existing { secret }, _) => return format!("existing Secret {secret}"),
        (Tls::External, _) => return "external: ends in front of the ingress".to_owned(),
        (Tls::Certfile, _) => return format!("certfile: certificate and key in Secret {}", settings.secret_name),
        (Tls::Inherit, None) => "none is set".to_owned(),
        (Tls::Inherit, Some(TlsMode::Certmanager)) => {
            format!("certmanager, ClusterIssuer {}", named(&global["certmanager"]["issuer"]))
        }
        (Tls::Inherit, Some(TlsMode::Existing)) => format!("existing, Secret {}", named(&global["secretName"])),
        (Tls::Inherit, Some(TlsMode::Certfile)) => {
            format!("certfile, in Secret {} or else the global one", settings.secret_name)
        }
        (Tls::Inherit, Some(mode)) => mode.name().to_owned(),
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
    let create = format!("Create database {name} on {host} with the SQL below. It must be empty and MAS's alone.");
    let mut list = vec![
        ("Database", create),
        ("DNS", format!("Let {} point to the same ingress as Synapse.", settings.host)),
        ("Certificate", certificate(snapshot, settings)),
    ];
    if let Some(file) = ca {
        let how = format!("Install {file} on every device, and wherever Synapse and MAS call {}.", settings.host);
        list.push(("Private CA", how));
    }
    if with_providers {
        list.push(("Redirect URIs", "Add the ones marked \"add\" above at each identity provider.".to_owned()));
    }
    let synapse = snapshot.deployment.component("synapse");
    if synapse.is_some_and(|synapse| synapse["config"]["delegatedAuth"]["localPasswordDatabase"].is_object()) {
        let how = "If people register or reset passwords themselves, configure e-mail delivery for MAS.";
        list.push(("E-mail", how.to_owned()));
    }
    list
}

fn certificate(snapshot: &Snapshot, settings: &MasSettings) -> String {
    let MasSettings { host, secret_name, .. } = settings;
    match settings.tls_mode(&snapshot.deployment) {
        None => "No TLS mode is set anywhere; choose one with --tls.".to_owned(),
        Some(TlsMode::Certmanager) => format!("cert-manager issues it for {host}; its ClusterIssuer must be able to."),
        Some(TlsMode::External) => format!("What ends TLS in front of the ingress needs a certificate for {host}."),
        Some(TlsMode::Existing) => format!("The Secret that is named must hold a certificate for {host}."),
        Some(TlsMode::Certfile) => {
            format!("The certificate in Secret {secret_name} (or in the global Secret) must be good for {host}.")
        }
    }
}

/// What dumps both databases, one right after the other. Passwords are asked for.
fn backup_commands(snapshot: &Snapshot, settings: &MasSettings) -> Vec<String> {
    let mas = &settings.database;
    let mut commands = Vec::new();
    let synapse = snapshot.deployment.postgres("synapse").unwrap_or_default();
    if let (Some(host), Some(name), Some(user)) = (&synapse.host, &synapse.database, &synapse.user) {
        let mode = synapse.ssl_mode.as_deref();
        commands.push(dump(host, synapse.port.unwrap_or(5432), name, user, mode, "synapse.dump"));
    }
    // Where none is set, the spec will have the schema's default.
    let default = snapshot.features.known().and_then(|features| features.default_ssl_mode.as_deref());
    commands.push(dump(&mas.host, mas.port, &mas.name, &mas.user, mas.ssl_mode.as_deref().or(default), "mas.dump"));
    commands
}

fn dump(host: &str, port: u16, name: &str, user: &str, mode: Option<&str>, file: &str) -> String {
    let mode = mode.map_or_else(String::new, |mode| format!("PGSSLMODE={} ", shell_word(mode)));
    // A name with such characters would be taken for a whole connection string; in one it is a name again.
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

fn sql(settings: &MasSettings) -> Vec<String> {
    let user = quoted(&settings.database.user);
    let name = quoted(&settings.database.name);
    vec![
        format!("CREATE ROLE {user} LOGIN;"),
        format!("-- the password that `prepare` was given; Secret {} has it", settings.secret_name),
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
    fn identifiers_cannot_leave_their_quotes() {
        assert_eq!(quoted("mas\"; DROP DATABASE synapse; --"), "\"mas\"\"; DROP DATABASE synapse; --\"");
    }

    #[test]
    fn a_dump_is_of_the_database_of_that_name_whatever_the_name() {
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
