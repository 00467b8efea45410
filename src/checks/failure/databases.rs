//! Reaching the databases, and whether they are fit. From MAS's `crates/cli/src/commands/syn2mas.rs`, the checks of
//! `crates/syn2mas/src/mas_writer`, sqlx and PostgreSQL.

use super::text::Message;
use super::{Course, Database, Rule, Told, Weight};

const BEFORE: &str = "Nothing was migrated by this try: this comes before anything is copied.";
const POSTGRES: &str = "spec.components.matrixAuthenticationService.config.postgresql";

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "synapse-table-locked",
        weight: Weight::Decisive,
        phrases: &["could not obtain lock on relation", "whilst locking Synapse table"],
        tell: |message, at| {
            // One failure says both.
            let table = name(message, at);
            let which = if table.is_empty() { String::new() } else { format!(" on its table {table}") };
            Some(
                Told::new(
                    Course::Retry,
                    format!(
                        "Something else held a lock{which} in Synapse's database: often autovacuum, or a Synapse process that was slow to stop."
                    ),
                    "If it comes again and again, see who holds it:",
                )
                .sql(
                    Database::Synapse,
                    ["SELECT pid, usename, application_name, backend_type, state, xact_start FROM pg_stat_activity WHERE datname = current_database();".to_owned()],
                )
                .proves("Nothing was migrated: MAS only starts writing for good after this point."),
            )
        },
    },
    Rule {
        code: "mas-database-not-empty",
        weight: Weight::Decisive,
        phrases: &["MAS database is not empty: rows found in at least"],
        tell: |message, at| {
            let table = name(message, at);
            let table = if table.is_empty() { "one of its tables" } else { table };
            Some(
                Told::new(
                    Course::Mend,
                    format!(
                        "MAS's database holds rows already, at least in {table}. Somebody finished a login at MAS, or registered a \
                         user there, or an earlier try copied the accounts and something after it failed."
                    ),
                    "Find out which before you touch it. After a dry run nobody needs those rows: empty the database (drop it \
                     and make it anew). After an activation they may be the migrated accounts themselves: ask the \
                     vendor's support before you drop anything.",
                )
                .sql(
                    Database::Mas,
                    ["SELECT username, created_at FROM users ORDER BY created_at DESC LIMIT 10;".to_owned()],
                ),
            )
        },
    },
    Rule {
        code: "mas-database-is-synapses",
        weight: Weight::Decisive,
        phrases: &["relation \"users\" already exists"],
        tell: |_, _| {
            Some(
                Told::new(
                    Course::Change,
                    "MAS's database is not its own: there is a table `users` of somebody else in it, most likely Synapse's.",
                    format!("Make a database for MAS alone, and set {POSTGRES} to it."),
                )
                .proves(BEFORE),
            )
        },
    },
    Rule {
        code: "mas-database-rights",
        weight: Weight::Decisive,
        phrases: &["permission denied for schema public", "permission denied for database"],
        tell: |_, _| {
            Some(
                Told::new(
                    Course::Mend,
                    "MAS's database role may not make tables in its database. Since PostgreSQL 15 the right to connect is not enough.",
                    "Let the role own the database:",
                )
                .sql(Database::Mas, ["ALTER DATABASE \"<database>\" OWNER TO \"<role>\";".to_owned()])
                .proves(BEFORE),
            )
        },
    },
    Rule {
        code: "pg-trgm-missing",
        weight: Weight::Decisive,
        phrases: &[
            "extension \"pg_trgm\" is not available",
            "permission denied to create extension \"pg_trgm\"",
            "could not open extension control file",
        ],
        tell: |message, _| {
            let installed = !message.says("is not available") && !message.says("control file");
            let (meaning, remedy) = if installed {
                (
                    "MAS needs PostgreSQL's extension pg_trgm, and its role may not create it.",
                    "As a superuser of the server, connected to MAS's database:",
                )
            } else {
                (
                    "MAS needs PostgreSQL's extension pg_trgm, and the server does not have it.",
                    "Install PostgreSQL's contrib package on the server. Then, connected to MAS's database:",
                )
            };
            Some(
                Told::new(Course::Mend, meaning, remedy)
                    .sql(Database::Mas, ["CREATE EXTENSION IF NOT EXISTS pg_trgm;".to_owned()])
                    .proves(BEFORE),
            )
        },
    },
    Rule {
        code: "mas-database-of-other-release",
        weight: Weight::Decisive,
        phrases: &["was previously applied but"],
        tell: |message, _| {
            message.says("migration").then(|| {
                Told::new(
                    Course::Mend,
                    "MAS's database was set up by another release of MAS than the one that runs now.",
                    "Before the first activation, drop it and make it anew, empty. After an activation, ask the vendor's support.",
                )
                .proves(BEFORE)
            })
        },
    },
    Rule {
        code: "another-migration-runs",
        weight: Weight::Decisive,
        phrases: &["Failed to acquire syn2mas lock", "another syn2mas instance is already running"],
        tell: |_, _| {
            Some(
                Told::new(
                    Course::Retry,
                    "Another syn2mas works on MAS's database at the same time.",
                    "Look for a second job or pod of the migration, for example of an earlier try, and let it end.",
                )
                .proves("This try migrated nothing. What the other one does is not known from here."),
            )
        },
    },
    Rule {
        code: "not-a-mas-database",
        weight: Weight::Decisive,
        phrases: &["is this actually a MAS database?"],
        tell: |_, _| {
            Some(
                Told::new(
                    Course::Mend,
                    "A table of MAS is missing in what should be its database.",
                    format!("Check {POSTGRES}. Before the first activation the database can be dropped and made anew, empty."),
                )
                .proves(BEFORE),
            )
        },
    },
    Rule {
        code: "mas-database-half-reset",
        weight: Weight::Decisive,
        phrases: &["some, but not all, syn2mas resumption tables were found"],
        tell: |_, _| {
            Some(Told::new(
                Course::Mend,
                "MAS's database was changed by hand after a try that did not end.",
                "As long as no activation has succeeded, drop it and make it anew, empty.",
            ))
        },
    },
    Rule {
        code: "synapse-database-unreachable",
        weight: Weight::Decisive,
        phrases: &["could not connect to Synapse Postgres database"],
        tell: |message, _| {
            Some(
                Told::new(
                    Course::Mend,
                    format!("MAS's tool does not get into Synapse's database: {}.", why_not_connected(message)),
                    "It uses user, password, host, port and database of Synapse's configuration and nothing else: no sslmode, \
                     no certificates, no list of hosts. If Synapse needs those, ask the vendor's support.",
                )
                .proves(BEFORE),
            )
        },
    },
    Rule {
        code: "mas-database-unreachable",
        weight: Weight::Decisive,
        phrases: &["could not connect to the database"],
        tell: |message, _| {
            Some(
                Told::new(
                    Course::Mend,
                    format!("MAS does not get into its database: {}.", why_not_connected(message)),
                    format!(
                        "Check {POSTGRES} and the password in MAS's Secret, from within the cluster's network. \
                         A wrong setting is put right with `prepare`, then the dry run is made again."
                    ),
                )
                .proves(BEFORE),
            )
        },
    },
    Rule {
        code: "database-login-refused",
        weight: Weight::Decisive,
        phrases: &["password authentication failed for user"],
        tell: |message, at| {
            // Whose database it is, the sentences above say.
            if message.says("could not connect to Synapse Postgres database")
                || message.says("could not connect to the database")
            {
                return None;
            }
            let role = name(message, at);
            Some(Told::new(
                Course::Mend,
                format!(
                    "PostgreSQL refuses the password of role {}.",
                    if role.is_empty() { "(see the message)" } else { role }
                ),
                "Set the role's password in PostgreSQL to the one in the component's Secret, or the other way round.",
            ))
        },
    },
    Rule {
        code: "mas-schema-failed",
        weight: Weight::Vague,
        phrases: &["could not run migrations"],
        tell: |_, _| {
            Some(
                Told::new(
                    Course::Mend,
                    "MAS could not set up the tables in its database (these are the migrations of the schema, not of the accounts).",
                    format!("The lines after it say why. The database must be MAS's alone and its role must own it: {POSTGRES}."),
                )
                .proves(BEFORE),
            )
        },
    },
];

/// The name in quotation marks that follows; what is no name is left out.
fn name(message: &Message, at: usize) -> &str {
    let after = message.until(at, "'");
    let from = at + after.len() + 1;
    let name = if after.is_empty() { message.until(from, "'") } else { "" };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if name.chars().all(plain) { name } else { "" }
}

fn why_not_connected(message: &Message) -> &'static str {
    const REASONS: [(&str, &str); 10] = [
        ("Connection refused", "nothing answers at that host and port"),
        ("password authentication failed", "PostgreSQL refuses the password"),
        ("no pg_hba.conf entry", "PostgreSQL's pg_hba.conf does not let this role in from there, or not without TLS"),
        ("failed to lookup address information", "the host name is not known in the cluster"),
        ("Name or service not known", "the host name is not known in the cluster"),
        ("database does not exist", "there is no database of that name"),
        ("role does not exist", "there is no role of that name"),
        ("timed out", "nothing answers in time; a firewall may swallow it"),
        ("TLS", "TLS between them does not come about; see sslMode"),
        ("too many clients", "PostgreSQL has no connection left"),
    ];
    if let Some((_, reason)) = REASONS.iter().find(|(says, _)| message.says(says)) {
        return reason;
    }
    // PostgreSQL puts the name between.
    match (message.says("database \""), message.says("role \""), message.says("\" does not exist")) {
        (true, _, true) => "there is no database of that name",
        (_, true, true) => "there is no role of that name",
        _ => "the lines after it say why",
    }
}
