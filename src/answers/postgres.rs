//! Settings and contents of MAS's and Synapse's databases.

use super::Known;

/// Paths of the databases' settings in the spec.
pub const MAS_PATH: &str = "spec.components.matrixAuthenticationService.config.postgresql";
pub const SYNAPSE_PATH: &str = "spec.components.synapse.config.postgresql";
/// PostgreSQL's default port.
pub const PORT: u16 = 5432;

/// Tables that must be empty before a migration (syn2mas, `mas_writer`).
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
    pub fn word(self) -> String {
        format!("{}'s", self.program())
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
    /// TLS only if the server requires it. MAS's library never retries with TLS.
    Allow,
    Prefer,
    Require,
    /// TLS with a certificate of a trusted CA.
    VerifyCa,
    /// The same, with this host in the certificate.
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
    /// Whether the spec sets `mode`.
    pub mode_set: bool,
    /// Secret and key of the password.
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
    NotPostgres(String),
    NoTls,
    Certificate(String),
    /// The server requested the password in plain text over an unencrypted connection; it was not sent.
    InClear,
    Refused(Refusal),
    /// The server rejected the password after `SASLprep`; the original bytes were not tried.
    RefusedPrepared(String),
    Lost(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pooling {
    None,
    /// A session kept its server process while another session was active.
    BySession,
    /// A session changed its server process between transactions.
    ByTransaction,
    /// A pooler with an unknown mode.
    Unclear(String),
}

/// Identifies a database, whatever its host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The cluster's system identifier, if the role can read it.
    pub system: Option<String>,
    /// Start time of the server, as it reports it.
    pub started: String,
    pub oid: i64,
    pub name: String,
}

impl Identity {
    /// Whether two identities are the same database. A standby has the identifier of its primary, but another start time.
    pub fn is(&self, other: &Self) -> bool {
        let server = match (&self.system, &other.system) {
            (Some(one), Some(another)) => one == another,
            _ => self.started == other.started,
        };
        server && self.oid == other.oid && self.name == other.name
    }
}

#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
pub struct Server {
    /// `server_version_num`: 150018 is 15.18.
    pub version: Known<i64>,
    pub tls: bool,
    pub through_cluster: bool,
    /// Whether the server requested the password; `trust` in `pg_hba.conf` doesn't.
    pub asked_password: bool,
    /// Whether the server accepted the password only after `SASLprep`, and so rejects the bytes that MAS and syn2mas send.
    pub prepared: bool,
    /// Time limits for statements and transactions of this role in milliseconds, by setting.
    pub timeouts: Known<Vec<(String, i64)>>,
    pub standby: Known<bool>,
    pub identity: Known<Identity>,
    pub pooling: Pooling,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tables {
    /// Those of [`MAS_TABLES`] that exist, and whether they have rows.
    pub present: Vec<(&'static str, Known<bool>)>,
    /// Whether MAS's table of schema migrations exists.
    pub migrations: bool,
    pub renamed: i64,
    /// Number of tables whose owner is a role that MAS's role is not a member of.
    pub of_others: i64,
    /// Number of tables, without PostgreSQL's own.
    pub all: i64,
    pub synapses: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RolePermissions {
    /// The first existing schema of the search path.
    pub schema: Option<String>,
    pub create_in_schema: bool,
    /// `CREATE` on the database, which extensions require.
    pub create_in_database: bool,
    pub superuser: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trigram {
    pub installed: bool,
    /// Whether `CREATE EXTENSION` is possible on this server.
    pub available: bool,
    /// Whether roles with `CREATE` on the database can create it; `None` before PostgreSQL 13.
    pub trusted: Option<bool>,
}

/// Connection limits; `None` is no limit (PostgreSQL's -1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connections {
    pub of_role: Option<i64>,
    pub of_database: Option<i64>,
    pub of_server: i64,
    /// Connections of `of_server` that only superusers can use.
    pub reserved: i64,
    pub used: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MasDatabase {
    pub server: Server,
    pub tables: Known<Tables>,
    pub permissions: Known<RolePermissions>,
    pub trigram: Known<Trigram>,
    pub encoding: Known<String>,
    pub connections: Known<Connections>,
}

/// Contents of Synapse's database, as numbers of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct SynapseDatabase {
    pub server: Server,
    pub is_synapses: Known<bool>,
    pub guests: Known<i64>,
    /// Addresses other than e-mail, by medium.
    pub threepids: Known<Vec<(String, i64)>>,
    /// Links to identity providers, by Synapse's name of the provider.
    pub providers: Known<Vec<(String, i64)>>,
    /// Users of another server name, or of none.
    pub foreign: Known<Foreign>,
    pub orphans: Vec<(&'static str, Known<i64>)>,
    pub no_login: Known<i64>,
    /// PostgreSQL's estimate of rows by table; `None` without an estimate.
    pub sizes: Known<Vec<(String, Option<i64>)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Foreign {
    pub people: i64,
    /// Users of application services, which syn2mas skips.
    pub services: i64,
}
