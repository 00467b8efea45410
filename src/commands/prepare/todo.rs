//! What a person has to do beside this program.

use crate::checks::Snapshot;
use crate::cluster::shell_word;
use crate::deployment::TlsMode;
use crate::plan::{MasSettings, Tls};

/// The effective TLS mode, in words.
pub fn tls_words(snapshot: &Snapshot, settings: &MasSettings) -> String {
    let effective = settings.tls_mode(&snapshot.deployment);
    let global = snapshot.deployment.global_tls();
    let named = |value: &serde_json::Value| value.as_str().unwrap_or("that is not named").to_owned();
    match &settings.tls {
        Tls::Inherit => format!(
            "inherited from spec.global.k8s.ingresses.tls: {}",
            match effective {
                None => "none is set".to_owned(),
                Some(TlsMode::Certmanager) =>
                    format!("certmanager, ClusterIssuer {}", named(&global["certmanager"]["issuer"])),
                Some(TlsMode::Existing) => format!("existing, Secret {}", named(&global["secretName"])),
                Some(TlsMode::Certfile) =>
                    format!("certfile, in Secret {} or else the global one", settings.secret_name),
                Some(mode) => mode.name().to_owned(),
            }
        ),
        Tls::Certmanager { issuer } => format!("certmanager, ClusterIssuer {issuer}"),
        Tls::Existing { secret } => format!("existing Secret {secret}"),
        Tls::External => "external: ends in front of the ingress".to_owned(),
        Tls::Certfile => format!("certfile: certificate and key in Secret {}", settings.secret_name),
    }
}

/// The list, as what and how.
pub fn list(snapshot: &Snapshot, settings: &MasSettings, with_providers: bool) -> Vec<(&'static str, String)> {
    let database = &settings.database;
    let mut list = vec![
        (
            "Database",
            format!(
                "Create database {} on {} with the SQL below. It must be empty and MAS's alone.",
                database.name, database.host
            ),
        ),
        ("DNS", format!("Let {} point to the same ingress as Synapse.", settings.host)),
        ("Certificate", certificate(snapshot, settings)),
    ];
    if with_providers {
        list.push(("Redirect URIs", "Add the ones marked \"add\" above at each identity provider.".to_owned()));
    }
    if snapshot
        .deployment
        .component("synapse")
        .is_some_and(|synapse| synapse["config"]["delegatedAuth"]["localPasswordDatabase"].is_object())
    {
        list.push((
            "E-mail",
            "If people register or reset passwords themselves, configure e-mail delivery for MAS.".to_owned(),
        ));
    }
    list.push(("Backup", backup(snapshot)));
    list
}

fn certificate(snapshot: &Snapshot, settings: &MasSettings) -> String {
    let host = &settings.host;
    match settings.tls_mode(&snapshot.deployment) {
        None => "No TLS mode is set anywhere; choose one with --tls.".to_owned(),
        Some(TlsMode::Certmanager) => format!("cert-manager issues it for {host}; its ClusterIssuer must be able to."),
        Some(TlsMode::External) => format!("What ends TLS in front of the ingress needs a certificate for {host}."),
        Some(TlsMode::Existing) => format!("The Secret that is named must hold a certificate for {host}."),
        Some(TlsMode::Certfile) => format!(
            "The certificate in Secret {} (or in the global Secret) must be good for {host}.",
            settings.secret_name
        ),
    }
}

fn backup(snapshot: &Snapshot) -> String {
    let synapse = snapshot.deployment.postgres("synapse").unwrap_or_default();
    let of = match (&synapse.database, &synapse.host) {
        (Some(database), Some(host)) => format!("Synapse's database {database} on {host}"),
        _ => "Synapse's database".to_owned(),
    };
    format!(
        "Right before `activate`: back up {of} and MAS's, with the commands below. Nothing else undoes the migration."
    )
}

/// What dumps both databases, one right after the other. Passwords are asked for.
pub fn backup_commands(snapshot: &Snapshot, settings: &MasSettings) -> Vec<String> {
    let mas = &settings.database;
    let mut commands = Vec::new();
    let synapse = snapshot.deployment.postgres("synapse").unwrap_or_default();
    if let (Some(host), Some(name), Some(user)) = (&synapse.host, &synapse.database, &synapse.user) {
        let mode = synapse.ssl_mode.as_deref();
        commands.push(dump(host, synapse.port.unwrap_or(5432), name, user, mode, "synapse.dump"));
    }
    commands.push(dump(&mas.host, mas.port, &mas.name, &mas.user, mas.ssl_mode.as_deref(), "mas.dump"));
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

/// SQL that makes the role and the database.
pub fn sql(settings: &MasSettings) -> Vec<String> {
    let user = quoted(&settings.database.user);
    let name = quoted(&settings.database.name);
    vec![
        format!("CREATE ROLE {user} LOGIN;"),
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
