//! What `syn2mas` stumbles over while it copies, or while it finishes. From MAS's `crates/syn2mas/src/migration.rs` and
//! `mas_writer`. None of this proves where exactly it stopped.

use super::text::Message;
use super::{Course, Database, Rule, Told, Weight};

const UNTIL_THEN: &str = "Until the next try begins, MAS's own pages may fail, because its tables are set aside.";

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "row-without-account",
        weight: Weight::Decisive,
        phrases: &["was not found for migration but a row in"],
        tell: |message, at| Some(orphan(message, at)),
    },
    Rule {
        code: "account-of-another-server",
        weight: Weight::Decisive,
        phrases: &["wrong server name: expected"],
        tell: |message, _| Some(foreign(message)),
    },
    Rule {
        code: "malformed-user-id",
        weight: Weight::Decisive,
        phrases: &["user ID does not start with `@` sigil", "user ID does not have a `:` separator"],
        tell: |_, _| {
            Some(
                Told::new(
                    Course::Mend,
                    format!(
                        "A user id in Synapse's database is none: it has no @ in front or no server name. {UNTIL_THEN}"
                    ),
                    "Look at such rows, and ask the vendor's support before you remove any:",
                )
                .sql(Database::Synapse, ["SELECT name, creation_ts FROM users WHERE name NOT LIKE '@%:%';".to_owned()]),
            )
        },
    },
    Rule {
        code: "provider-without-mapping",
        weight: Weight::Decisive,
        phrases: &["missing a mapping for the auth provider with ID"],
        tell: |message, at| {
            let provider = quoted(message, at);
            let provider = if provider.is_empty() { "a provider (see the message)" } else { provider };
            Some(
                Told::new(
                    Course::Support,
                    format!("Accounts are linked to identity provider {provider}, which MAS was not given. {UNTIL_THEN}"),
                    "See that it is in spec.components.synapse.config.delegatedAuth.oidc with its old idpId; otherwise ask the \
                     vendor's support.",
                )
                .sql(
                    Database::Synapse,
                    ["SELECT auth_provider, count(*) FROM user_external_ids GROUP BY auth_provider;".to_owned()],
                ),
            )
        },
    },
    Rule {
        code: "constraints-not-restored",
        weight: Weight::Decisive,
        phrases: &["failed to recreate constraint", "failed to recreate index"],
        tell: |_, _| {
            Some(Told::new(
                Course::Mend,
                "The accounts were copied into tables set aside, and the rules of those tables could not be put back. Duplicate \
                 data in Synapse's database, a full disk or a lost connection do that.",
                "The lines after it say which. Look at PostgreSQL's log of that moment.",
            ))
        },
    },
    Rule {
        code: "disk-full",
        weight: Weight::Decisive,
        phrases: &["No space left on device", "could not extend file"],
        tell: |_, _| {
            Some(Told::new(
                Course::Mend,
                "A disk is full: PostgreSQL's, or the pod's.",
                "Make room, most likely on the database server. MAS's database grows by about what accounts, devices and \
                 tokens take in Synapse's.",
            ))
        },
    },
    Rule {
        code: "too-many-connections",
        weight: Weight::Decisive,
        phrases: &[
            "remaining connection slots are reserved",
            "too many connections for role",
            "too many connections for database",
            "sorry, too many clients already",
        ],
        tell: |_, _| {
            Some(
                Told::new(
                    Course::Mend,
                    "PostgreSQL gives out no more connections. The migration needs 9 at once, MAS itself 10 more, and Synapse has its own.",
                    "Raise max_connections, or the limit of the role or database; take a pooler out of the way. To see them:",
                )
                .sql(
                    Database::Mas,
                    ["SELECT usename, datname, count(*) FROM pg_stat_activity GROUP BY usename, datname ORDER BY 3 DESC;".to_owned()],
                ),
            )
        },
    },
    Rule {
        code: "copying-failed",
        weight: Weight::Vague,
        phrases: &["writer connection pool shut down due to error", "error when writing to MAS DB", "error in writer:"],
        tell: |_, _| {
            Some(Told::new(
                Course::Retry,
                format!("Writing into MAS's database broke off. {UNTIL_THEN}"),
                "The lines around it and PostgreSQL's log say why: duplicate data, a full disk, too few connections, a restart.",
            ))
        },
    },
    Rule {
        code: "echo-of-another-error",
        weight: Weight::Vague,
        phrases: &["error=channel closed"],
        tell: |_, _| {
            Some(Told::new(
                Course::Support,
                "\"channel closed\" only echoes another error.",
                "Look for that one in the lines after it, or in the log of the migration's pod.",
            ))
        },
    },
];

fn orphan(message: &Message, at: usize) -> Told {
    let table = table(message.until(at, "was found for them"));
    let user = message.back_to(at, "user @").split("wasnotfound").next().unwrap_or_default();
    let user = if user.is_empty() { "an account".to_owned() } else { format!("@{user}") };
    let told = Told::new(
        Course::Mend,
        format!(
            "Synapse's database has rows of {user} in {}, but no such account. {UNTIL_THEN}",
            table.unwrap_or("one of its tables")
        ),
        "Look how many there are; there may be more such accounts than the one that is named. What to remove, decide with the \
         vendor's support, and after a backup:",
    );
    match table {
        Some(table) => told.sql(
            Database::Synapse,
            [format!(
                "SELECT t.user_id, count(*) FROM {table} t LEFT JOIN users u ON u.name = t.user_id WHERE u.name IS NULL GROUP BY t.user_id;"
            )],
        ),
        None => told,
    }
}

/// The tables that `syn2mas` reads beside the accounts.
fn table(text: &str) -> Option<&'static str> {
    const TABLES: [&str; 5] = ["user_threepids", "user_external_ids", "access_tokens", "refresh_tokens", "devices"];
    TABLES.into_iter().find(|table| text.trim_matches('\'') == *table)
}

fn foreign(message: &Message) -> Told {
    let own = message.ends_of("wrong server name: expected").first().map_or("", |at| quoted(message, *at));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    let user = message.ends_of("FullUserId(").first().map_or("", |at| quoted(message, *at));
    let user = if user.is_empty() { "an account" } else { user };
    let told = Told::new(
        Course::Mend,
        format!(
            "Synapse's database holds {user}, an account of another server name. MAS's check does not see that. {UNTIL_THEN}"
        ),
        "Look at them, and ask the vendor's support before you remove any:",
    );
    if own.is_empty() || !own.chars().all(plain) {
        return told;
    }
    told.sql(Database::Synapse, [format!("SELECT name, creation_ts FROM users WHERE name NOT LIKE '@%:{own}';")])
}

/// What follows in quotation marks.
fn quoted(message: &Message, at: usize) -> &str {
    let before = message.until(at, "'");
    if before.is_empty() { message.until(at + 1, "'") } else { "" }
}
