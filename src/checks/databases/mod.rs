//! What MAS's and Synapse's databases say when they are asked: `check --databases`. Pure; what was asked and heard is in
//! [`said`].

mod login;
mod mas;
pub mod said;
mod synapse;

pub use said::{Place, SslMode, Whose};

use super::finding::{Finding, codes};
use super::snapshot::{Known, Snapshot};
use super::synapse::free_form_oidc;
use said::{MasSaid, SynapseSaid, Trouble};

/// Tables that have to be empty before a migration (syn2mas, `mas_writer`).
pub const MAS_TABLES: [&str; 8] = [
    "users",
    "user_passwords",
    "user_emails",
    "user_unsupported_third_party_ids",
    "upstream_oauth_links",
    "compat_sessions",
    "compat_access_tokens",
    "compat_refresh_tokens",
];

const MAS: &str = "spec.components.matrixAuthenticationService.config.postgresql";
const SYNAPSE: &str = "spec.components.synapse.config.postgresql";
/// PostgreSQL's port, where none is set.
const PORT: u16 = 5432;
/// What the spec's schema takes where nothing is set, in the releases whose schema is public.
const SYNAPSES_MODE: SslMode = SslMode::Require;
/// What MAS takes where it is told nothing.
const MAS_MODE: SslMode = SslMode::Prefer;
/// How many names of others are shown.
const FEW: usize = 12;
/// Rows that are copied in a second, as a cautious floor: a laptop did 1000 users with all that hangs on them in 100 ms
/// (MAS's authors), matrix.org far more.
const ROWS_PER_SECOND: i64 = 10_000;

/// What there is to know of a deployment before its databases are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// MAS's database; a sentence where it cannot be told which one it is.
    pub mas: Result<Place, String>,
    pub synapse: Result<Place, String>,
    /// The server name that users belong to.
    pub server_name: Option<String>,
    /// Synapse's names of the providers that are configured: `oidc-<idpId>`.
    pub providers: Vec<String>,
    /// Whether providers may be configured where they are not read.
    pub more_providers: bool,
    pub ldap: bool,
    pub migrated: bool,
}

impl Expected {
    /// Reads it off what was gathered.
    pub fn of(snapshot: &Snapshot) -> Self {
        let deployment = &snapshot.deployment;
        let delegated = super::synapse::delegated_auth(deployment);
        let name = |id: &str| if id.is_empty() || id == "oidc" { "oidc".to_owned() } else { format!("oidc-{id}") };
        Self {
            mas: mas_place(snapshot),
            synapse: synapse_place(snapshot),
            server_name: deployment.domain_name().map(str::to_owned),
            providers: deployment.identity_providers().iter().map(|one| name(&one.idp_id)).collect(),
            more_providers: deployment.component("synapse").is_some_and(free_form_oidc),
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
        path: MAS,
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
        path: SYNAPSE,
        host: host(postgres.host.as_deref().unwrap_or_default())?,
        port: postgres.port.unwrap_or(PORT),
        database: postgres.database.ok_or_else(|| missing("name"))?,
        user: postgres.user.ok_or_else(|| missing("user"))?,
        mode,
        mode_set,
        password: (secret.unwrap_or("synapse").to_owned(), key.unwrap_or("postgresPassword").to_owned()),
    })
}

#[derive(Debug, Clone)]
pub struct Answers {
    pub mas: Result<MasSaid, Trouble>,
    pub synapse: Result<SynapseSaid, Trouble>,
}

/// The findings, blockers first.
pub fn judge(expected: &Expected, answers: &Answers) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of_synapse = answers.synapse.as_ref().ok();
    match (&expected.mas, &answers.mas) {
        (Err(why), _) => findings.push(login::no_place(Whose::Mas, MAS, why)),
        (Ok(place), Err(trouble)) => findings.push(login::trouble(place, trouble)),
        (Ok(place), Ok(said)) => {
            login::reached(place, &said.server, &mut findings);
            mas::check(expected, place, said, of_synapse, &mut findings);
        }
    }
    match (&expected.synapse, &answers.synapse) {
        (Err(why), _) => findings.push(login::no_place(Whose::Synapse, SYNAPSE, why)),
        (Ok(place), Err(trouble)) => findings.push(login::trouble(place, trouble)),
        (Ok(place), Ok(said)) => {
            login::reached(place, &said.server, &mut findings);
            synapse::check(expected, place, said, &mut findings);
        }
    }
    findings.sort_by_key(|finding| finding.severity);
    #[cfg(test)]
    findings.iter().for_each(super::explain::assert_true);
    findings
}

fn unread(code: &'static str, place: &Place, what: &str, why: &str) -> Finding {
    Finding::unknown(code, place.path, format!("{what} could not be read: {why}"))
        .remedy(format!("Let the role {} read it, or ask who looks after the database.", place.user))
}

/// A judgement of what was read.
fn judged<T>(
    read: &Known<T>,
    code: &'static str,
    place: &Place,
    what: &str,
    judge: impl FnOnce(&T) -> Finding,
) -> Finding {
    match read {
        Known::Known(value) => judge(value),
        Known::Unreadable(why) => unread(code, place, what, why),
    }
}

/// `1 user`, `12 users`.
fn count(number: i64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", thousands(number)) }
}

/// `1 234 567`: numbers of this size are read by people.
fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Names with their numbers, a few of them.
fn list(all: &[(String, i64)]) -> String {
    let few: Vec<String> =
        all.iter().take(FEW).map(|(name, number)| format!("{name} ({})", thousands(*number))).collect();
    let more = if all.len() > FEW { format!(" and {} more", all.len() - FEW) } else { String::new() };
    few.join(", ") + &more
}

#[cfg(test)]
mod tests;
