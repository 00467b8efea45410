//! What was asked of the two databases, and what they said.

use super::known::Known;

/// Where MAS's database stands in the spec, and Synapse's.
pub const MAS_PATH: &str = "spec.components.matrixAuthenticationService.config.postgresql";
pub const SYNAPSE_PATH: &str = "spec.components.synapse.config.postgresql";
/// PostgreSQL's port, where none is set.
pub const PORT: u16 = 5432;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    Mas,
    Synapse,
}

impl Application {
    pub const fn path(self) -> &'static str {
        match self {
            Self::Mas => MAS_PATH,
            Self::Synapse => SYNAPSE_PATH,
        }
    }

    /// `MAS's`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mas => "MAS's",
            Self::Synapse => "Synapse's",
        }
    }

    pub const fn program(self) -> &'static str {
        match self {
            Self::Mas => "MAS",
            Self::Synapse => "Synapse",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    Disable,
    /// Only where the server insists. MAS's library never does.
    Allow,
    Prefer,
    Require,
    /// Always, and the certificate has to lead to a known CA.
    VerifyCa,
    /// The same, and it has to be for this host.
    VerifyFull,
}

impl SslMode {
    const ALL: [(Self, &str); 6] = [
        (Self::Disable, "disable"),
        (Self::Allow, "allow"),
        (Self::Prefer, "prefer"),
        (Self::Require, "require"),
        (Self::VerifyCa, "verify-ca"),
        (Self::VerifyFull, "verify-full"),
    ];

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| *name == word).map(|(mode, _)| mode)
    }

    pub const fn word(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSettings {
    pub application: Application,
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    pub mode: SslMode,
    /// Whether `mode` stands in the spec, or is a default.
    pub mode_set: bool,
    /// Name of the Secret and the key in it that hold the password.
    pub password: (String, String),
}

impl ConnectionSettings {
    /// `mas at db:5432`.
    pub fn words(&self) -> String {
        format!("{} at {}:{}", self.database, self.host, self.port)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub state: String,
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeError {
    NotAsked(String),
    NoWay(String),
    TimedOut,
    /// What answers is no PostgreSQL server; a sentence says why that is known.
    NotPostgres(String),
    NoTls,
    Certificate(String),
    /// It wanted the password in clear over a connection that anybody could listen to; it was not sent.
    InClear,
    Refused(Refusal),
    /// It refused what `SASLprep` makes of the password; the bytes as they are were not tried. Holds its words.
    RefusedPrepared(String),
    Lost(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pooling {
    None,
    /// Somebody stands between, and a session stayed with one process of the server while others were at work.
    BySession,
    /// Somebody stands between, and a session was moved from one process of the server to another.
    ByTransaction,
    /// Somebody stands between; how sessions are pooled was not to be seen.
    Unclear(String),
}

/// What tells one database from all others, whatever names lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The cluster's system identifier, where the role may read it.
    pub system: Option<String>,
    /// When the server was started, as it writes it.
    pub started: String,
    /// The database's number on its server.
    pub oid: i64,
    pub name: String,
}

impl Identity {
    /// Whether two are the same database. Standbys share the identifier with their primary, but were started at other times.
    pub fn is(&self, other: &Self) -> bool {
        let server = match (&self.system, &other.system) {
            (Some(one), Some(another)) => one == another,
            _ => self.started == other.started,
        };
        server && self.oid == other.oid && self.name == other.name
    }
}

#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Server {
    /// `server_version_num`: 150018 is 15.18.
    pub version: Known<i64>,
    /// Whether the connection was encrypted with TLS up to the server.
    pub tls: bool,
    pub through_cluster: bool,
    /// Whether the server asked for the password; some take anybody from some addresses.
    pub asked_password: bool,
    /// Whether it accepted what `SASLprep` makes of the password, and so refuses the bytes as MAS and syn2mas send them.
    pub prepared: bool,
    /// The limits in milliseconds of a session of this role on statements and transactions, by the setting's name.
    pub timeouts: Known<Vec<(String, i64)>>,
    /// Whether it takes writes: false on a standby.
    pub standby: Known<bool>,
    pub identity: Known<Identity>,
    pub pooling: Pooling,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tables {
    /// Those of [`MAS_TABLES`] that exist, and whether there are rows in them; `Unreadable` where that could not be
    /// read.
    pub present: Vec<(&'static str, Known<bool>)>,
    /// Whether MAS's own list of schema changes is there.
    pub migrations: bool,
    pub renamed: i64,
    /// Tables that belong to a role which MAS's is no member of.
    pub of_others: i64,
    /// Tables in all, those of PostgreSQL itself not counted.
    pub all: i64,
    pub synapses: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights {
    /// The first schema of the search path that exists.
    pub schema: Option<String>,
    pub create_in_schema: bool,
    /// `CREATE` on the database, which an extension needs.
    pub create_in_database: bool,
    pub superuser: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trigram {
    pub installed: bool,
    /// The server has it to be created.
    pub available: bool,
    /// Whoever may create in the database may create it; `None` before PostgreSQL 13.
    pub trusted: Option<bool>,
}

/// Connections. PostgreSQL's -1 for "no limit" is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connections {
    pub of_role: Option<i64>,
    pub of_database: Option<i64>,
    pub of_server: i64,
    /// How many of those are for superusers only.
    pub reserved: i64,
    pub used: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MasDatabase {
    pub server: Server,
    pub tables: Known<Tables>,
    pub rights: Known<Rights>,
    pub trigram: Known<Trigram>,
    pub encoding: Known<String>,
    pub connections: Known<Connections>,
}

/// What Synapse's database said. Numbers are of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct SynapseDatabase {
    pub server: Server,
    pub is_synapses: Known<bool>,
    pub guests: Known<i64>,
    /// Addresses that are no e-mail addresses, by medium.
    pub threepids: Known<Vec<(String, i64)>>,
    /// Links to identity providers, by Synapse's name of the provider.
    pub providers: Known<Vec<(String, i64)>>,
    /// Users of another server name, or of none: those of application services apart.
    pub foreign: Known<Foreign>,
    pub orphans: Vec<(&'static str, Known<i64>)>,
    pub no_login: Known<i64>,
    /// Rows by table, as PostgreSQL estimates them; `None` where it never counted.
    pub sizes: Known<Vec<(String, Option<i64>)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Foreign {
    pub people: i64,
    /// Of application services; those are skipped.
    pub services: i64,
}
