//! What is to be expected of the two databases, read from the spec.

use crate::answers::postgres::{PORT, Place, SslMode, Whose};
use crate::checks::snapshot::Snapshot;
use crate::checks::synapse::free_form_oidc;

/// What the spec's schema takes where nothing is set, in the releases whose schema is public.
const SYNAPSES_MODE: SslMode = SslMode::Require;
/// What MAS takes where it is told nothing.
const MAS_MODE: SslMode = SslMode::Prefer;

/// What there is to know of a deployment before its databases are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// MAS's database; a sentence where it cannot be told which one it is.
    pub mas: Result<Place, String>,
    pub synapse: Result<Place, String>,
    pub server_name: Option<String>,
    /// Synapse's names of the providers that are configured: `oidc-<idpId>`.
    pub providers: Vec<String>,
    /// Whether providers may be configured where they are not read.
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

    pub fn place(&self, whose: Whose) -> Result<&Place, &str> {
        match whose {
            Whose::Mas => self.mas.as_ref().map_err(String::as_str),
            Whose::Synapse => self.synapse.as_ref().map_err(String::as_str),
        }
    }
}

fn mode(word: Option<&str>, default: SslMode) -> Result<(SslMode, bool), String> {
    match word {
        None => Ok((default, false)),
        Some(word) => SslMode::parse(word)
            .map(|mode| (mode, true))
            .ok_or_else(|| format!("sslMode {word:?} is none that PostgreSQL's clients know")),
    }
}

/// A host that a TCP connection can be made to.
fn host(host: &str) -> Result<String, String> {
    let host = host.trim();
    match host {
        "" => Err("no host is set".to_owned()),
        _ if host.starts_with('/') => Err(format!("{host} is a socket of the pod's own, which nobody else can reach")),
        _ if host.contains(',') => Err(format!("{host} are several hosts, and which one is used is up to the client")),
        _ => Ok(host.to_owned()),
    }
}

fn mas_place(snapshot: &Snapshot) -> Result<Place, String> {
    let settings =
        snapshot.settings.as_ref().ok_or("MAS's settings are not settled yet; `kubectl ess-mas prepare` does it")?;
    let database = &settings.database;
    let default = snapshot.features.known().and_then(|features| features.default_ssl_mode.as_deref());
    let (mode, mode_set) = match &database.ssl_mode {
        Some(word) => mode(Some(word), MAS_MODE)?,
        None => (mode(default, MAS_MODE)?.0, false),
    };
    Ok(Place {
        whose: Whose::Mas,
        host: host(&database.host)?,
        port: database.port,
        database: database.name.clone(),
        user: database.user.clone(),
        mode,
        mode_set,
        password: (snapshot.secret_name(), snapshot.secret_keys().postgres_password),
    })
}

fn synapse_place(snapshot: &Snapshot) -> Result<Place, String> {
    let synapse = snapshot.deployment.component("synapse").ok_or("there is no component synapse")?;
    let postgres = snapshot.deployment.postgres("synapse").ok_or("the spec does not name Synapse's database")?;
    let missing = |what: &str| format!("the spec does not name the {what} of Synapse's database");
    let (mode, mode_set) = mode(postgres.ssl_mode.as_deref(), SYNAPSES_MODE)?;
    let key = synapse["config"]["postgresql"]["passwordSecretKey"].as_str().filter(|key| !key.is_empty());
    let secret = synapse["secretName"].as_str().filter(|name| !name.is_empty());
    Ok(Place {
        whose: Whose::Synapse,
        host: host(postgres.host.as_deref().unwrap_or_default())?,
        port: postgres.port.unwrap_or(PORT),
        database: postgres.database.ok_or_else(|| missing("name"))?,
        user: postgres.user.ok_or_else(|| missing("user"))?,
        mode,
        mode_set,
        password: (secret.unwrap_or("synapse").to_owned(), key.unwrap_or("postgresPassword").to_owned()),
    })
}
