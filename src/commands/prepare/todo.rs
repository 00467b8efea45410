//! What a person has to do beside this program.

use crate::checks::Snapshot;
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
        "Right before `activate`: back up {of} and MAS's, both at the same point in time. Nothing else undoes the migration."
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

/// An SQL identifier.
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
}
