//! The expected state of both databases, read from the spec.

use crate::answers::postgres::{Application, ConnectionSettings, PORT, SslMode};
use crate::checks::snapshot::Snapshot;
use crate::checks::synapse::free_form_oidc;

/// The default in the CRD, in the releases whose schema is public.
const SYNAPSES_MODE: SslMode = SslMode::Require;
/// MAS's own default.
const MAS_MODE: SslMode = SslMode::Prefer;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// MAS's database, or a sentence why it is unknown.
    pub mas: Result<ConnectionSettings, String>,
    pub synapse: Result<ConnectionSettings, String>,
    pub server_name: Option<String>,
    /// Synapse's names of the configured providers: `oidc-<idpId>`.
    pub providers: Vec<String>,
    /// Whether free-form settings contain more providers.
    pub more_providers: bool,
    pub ldap: bool,
    pub migrated: bool,
}

impl Expected {
    pub fn of(snapshot: &Snapshot) -> Self {
        let deployment = &snapshot.deployment;
        let delegated = deployment.delegated_auth();
        let name = |id: &str| if id.is_empty() || id == "oidc" { "oidc".to_owned() } else { format!("oidc-{id}") };
        Self {
            mas: mas_place(snapshot),
            synapse: synapse_place(snapshot),
            server_name: deployment.domain_name().map(str::to_owned),
            providers: deployment.identity_providers().iter().map(|one| name(&one.idp_id)).collect(),
            more_providers: free_form_oidc(deployment.synapse_config()),
            ldap: delegated["ldap"].as_array().map_or_else(|| delegated["ldap"].is_object(), |all| !all.is_empty()),
            migrated: deployment.mas_active() == Some(true),
        }
    }

    pub fn place(&self, application: Application) -> Result<&ConnectionSettings, &str> {
        match application {
            Application::Mas => self.mas.as_ref().map_err(String::as_str),
            Application::Synapse => self.synapse.as_ref().map_err(String::as_str),
        }
    }
}

fn mode(word: Option<&str>) -> Result<Option<SslMode>, String> {
    let unknown = |word| format!("sslMode {word:?} is not a mode of PostgreSQL's clients");
    word.map(|word| SslMode::parse(word).ok_or_else(|| unknown(word))).transpose()
}

/// Checks that a host is one TCP host.
fn host(host: &str) -> Result<String, String> {
    let host = host.trim();
    match host {
        "" => Err("no host is set".to_owned()),
        _ if host.starts_with('/') => {
            Err(format!("{host} is a socket in the pod, which can't be reached from outside"))
        }
        _ if host.contains(',') => Err(format!("{host} lists several hosts")),
        _ => Ok(host.to_owned()),
    }
}

fn mas_place(snapshot: &Snapshot) -> Result<ConnectionSettings, String> {
    let settings = snapshot.settings.as_ref().ok_or("MAS is not configured yet; run `kubectl ess-mas prepare`")?;
    let database = &settings.database;
    let default = snapshot.features.known().and_then(|features| features.default_ssl_mode.as_deref());
    let set = mode(database.ssl_mode.as_deref())?;
    let effective = if set.is_some() { set } else { mode(default)? };
    Ok(ConnectionSettings {
        application: Application::Mas,
        host: host(&database.host)?,
        port: database.port,
        database: database.name.clone(),
        user: database.user.clone(),
        mode: effective.unwrap_or(MAS_MODE),
        mode_set: set.is_some(),
        password: (snapshot.secret_name(), snapshot.secret_keys().postgres_password),
    })
}

fn synapse_place(snapshot: &Snapshot) -> Result<ConnectionSettings, String> {
    let synapse = snapshot.deployment.component("synapse").ok_or("the deployment has no component synapse")?;
    let postgres = snapshot.deployment.postgres("synapse").ok_or("the spec doesn't configure Synapse's database")?;
    let missing = |what: &str| format!("the spec doesn't set the {what} of Synapse's database");
    let mode = mode(postgres.ssl_mode.as_deref())?;
    let key = synapse["config"]["postgresql"]["passwordSecretKey"].as_str().filter(|key| !key.is_empty());
    let secret = synapse["secretName"].as_str().filter(|name| !name.is_empty());
    Ok(ConnectionSettings {
        application: Application::Synapse,
        host: host(postgres.host.as_deref().unwrap_or_default())?,
        port: postgres.port.unwrap_or(PORT),
        database: postgres.database.ok_or_else(|| missing("name"))?,
        user: postgres.user.ok_or_else(|| missing("user"))?,
        mode: mode.unwrap_or(SYNAPSES_MODE),
        mode_set: mode.is_some(),
        password: (secret.unwrap_or("synapse").to_owned(), key.unwrap_or("postgresPassword").to_owned()),
    })
}
