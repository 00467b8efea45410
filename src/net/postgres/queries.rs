//! The queries to Synapse's and MAS's databases.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::login::Login;
use super::transaction::Transaction;
use crate::answers::Known;
use crate::answers::postgres::{
    Connections, Foreign, MAS_TABLES, MasDatabase, ProbeError, RolePermissions, SynapseDatabase, Tables, Trigram,
};

const IS_SYNAPSES: &str = "SELECT to_regclass('users') IS NOT NULL AND to_regclass('user_threepids') IS NOT NULL \
    AND to_regclass('user_external_ids') IS NOT NULL AND to_regclass('access_tokens') IS NOT NULL \
    AND to_regclass('devices') IS NOT NULL";
const GUESTS: &str = "SELECT count(*) FROM users WHERE is_guest <> 0";
const THREEPIDS: &str = "SELECT medium, count(*) FROM user_threepids WHERE medium <> 'email' \
    GROUP BY medium ORDER BY 2 DESC, 1 LIMIT 50";
const PROVIDERS: &str = "SELECT auth_provider, count(*) FROM user_external_ids \
    GROUP BY auth_provider ORDER BY 2 DESC, 1 LIMIT 50";
/// The server name follows the first colon, as in syn2mas.
const FOREIGN: &str = "SELECT count(*) FILTER (WHERE appservice_id IS NULL), \
    count(*) FILTER (WHERE appservice_id IS NOT NULL) FROM users \
    WHERE left(name, 1) <> '@' OR position(':' IN name) = 0 OR substr(name, position(':' IN name) + 1) <> $1";
const NO_LOGIN: &str = "SELECT count(*) FROM users u WHERE coalesce(u.password_hash, '') = '' AND u.deactivated = 0 \
    AND u.appservice_id IS NULL AND u.is_guest = 0 AND NOT EXISTS (SELECT 1 FROM user_external_ids e \
    WHERE e.user_id = u.name AND ($2 OR e.auth_provider = ANY ($1)))";
const SIZES: &str = "SELECT c.relname::text, CASE WHEN c.reltuples < 0 OR (c.reltuples = 0 AND c.relpages = 0) THEN NULL \
    ELSE c.reltuples::int8 END FROM unnest($1) WITH ORDINALITY t(name, place) \
    JOIN pg_class c ON c.oid = to_regclass(quote_ident(t.name)) ORDER BY t.place";
/// The tables that syn2mas reads.
const TABLES: [&str; 6] =
    ["users", "devices", "access_tokens", "refresh_tokens", "user_threepids", "user_external_ids"];
/// Tables that can have rows without a user. Hidden devices are keys, and are skipped.
const OF_USERS: [(&str, &str); 5] = [
    ("devices", "AND NOT coalesce(t.hidden, false)"),
    ("access_tokens", ""),
    ("refresh_tokens", ""),
    ("user_threepids", ""),
    ("user_external_ids", ""),
];

/// Reads Synapse's database in less than a minute. `providers` are Synapse's names of the configured providers;
/// `more_providers` means that there can be others.
pub async fn ask_synapse(
    login: &Login<'_>,
    server_name: Option<&str>,
    providers: &[String],
    more_providers: bool,
) -> Result<SynapseDatabase, ProbeError> {
    let (mut transaction, server) = Transaction::begin(login).await?;
    let is_synapses = transaction.one(IS_SYNAPSES, &[], |row| row.try_get(0)).await.into();
    let unasked = || "the query was not run".to_owned();
    let mut database = SynapseDatabase {
        server,
        guests: Known::Unreadable(unasked()),
        threepids: Known::Unreadable(unasked()),
        providers: Known::Unreadable(unasked()),
        foreign: Known::Unreadable("the spec sets no server name".to_owned()),
        orphans: Vec::new(),
        no_login: Known::Unreadable(unasked()),
        sizes: Known::Unreadable(unasked()),
        is_synapses,
    };
    if database.is_synapses == Known::Known(true) {
        let names: Vec<&str> = TABLES.to_vec();
        let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
        database.sizes = transaction.all(SIZES, &[(&names, Type::TEXT_ARRAY)], read).await.into();
        database.guests = transaction.number(GUESTS, &[]).await;
        database.threepids = transaction.numbers(THREEPIDS).await;
        database.providers = transaction.numbers(PROVIDERS).await;
        if let Some(name) = server_name {
            let read = |row: &Row| Ok(Foreign { people: row.try_get(0)?, services: row.try_get(1)? });
            database.foreign = transaction.one(FOREIGN, &[(&name, Type::TEXT)], read).await.into();
        }
        for (table, also) in OF_USERS {
            let text = format!(
                "SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.name = t.user_id) {also}"
            );
            database.orphans.push((table, transaction.number(&text, &[]).await));
        }
        let bound = [(&providers as &_, Type::TEXT_ARRAY), (&more_providers as &_, Type::BOOL)];
        database.no_login = transaction.number(NO_LOGIN, &bound).await;
    }
    transaction.finish().await;
    Ok(database)
}

const PRESENT: &str = "SELECT t.name FROM unnest($1) t(name) WHERE to_regclass(quote_ident(t.name)) IS NOT NULL";
const AROUND: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL, \
    count(*) FILTER (WHERE left(c.relname::text, 9) = 'syn2mas__'), \
    count(*) FILTER (WHERE NOT pg_has_role(c.relowner, 'USAGE')), \
    count(*), \
    to_regclass('user_threepids') IS NOT NULL AND to_regclass('event_json') IS NOT NULL \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND left(n.nspname::text, 3) <> 'pg_'";
const PERMISSIONS: &str = "SELECT current_schema()::text, \
    coalesce(has_schema_privilege(current_schema()::text, 'CREATE'), false), \
    has_database_privilege(current_database()::text, 'CREATE'), \
    current_setting('is_superuser') = 'on'";
const TRIGRAM: &str = "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'), \
    EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm')";
/// The column exists since PostgreSQL 13.
const TRUSTED: &str =
    "SELECT coalesce(bool_or(trusted), false) FROM pg_available_extension_versions WHERE name = 'pg_trgm'";
const ENCODING: &str = "SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()";
const CONNECTIONS: &str = "SELECT (SELECT rolconnlimit::int8 FROM pg_roles WHERE rolname = current_user), \
    (SELECT datconnlimit::int8 FROM pg_database WHERE datname = current_database()), \
    current_setting('max_connections')::int8, \
    current_setting('superuser_reserved_connections')::int8 \
    + coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::int8, \
    (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL)";

/// Reads MAS's database in less than a minute.
pub async fn ask_mas(login: &Login<'_>) -> Result<MasDatabase, ProbeError> {
    let (mut transaction, server) = Transaction::begin(login).await?;
    let permissions = |row: &Row| {
        Ok(RolePermissions {
            schema: row.try_get(0)?,
            create_in_schema: row.try_get(1)?,
            create_in_database: row.try_get(2)?,
            superuser: row.try_get(3)?,
        })
    };
    let connections = |row: &Row| {
        let limit = |index| row.try_get::<_, Option<i64>>(index).map(|limit| limit.filter(|limit| *limit >= 0));
        Ok(Connections {
            of_role: limit(0)?,
            of_database: limit(1)?,
            of_server: row.try_get(2)?,
            reserved: row.try_get(3)?,
            used: row.try_get(4)?,
        })
    };
    let database = MasDatabase {
        tables: tables(&mut transaction).await.into(),
        permissions: transaction.one(PERMISSIONS, &[], permissions).await.into(),
        trigram: trigram(&mut transaction).await.into(),
        encoding: transaction.one(ENCODING, &[], |row| row.try_get(0)).await.into(),
        connections: transaction.one(CONNECTIONS, &[], connections).await.into(),
        server,
    };
    transaction.finish().await;
    Ok(database)
}

async fn tables(transaction: &mut Transaction<'_>) -> Result<Tables, String> {
    let read = |row: &Row| {
        Ok(Tables {
            present: Vec::new(),
            migrations: row.try_get(0)?,
            renamed: row.try_get(1)?,
            of_others: row.try_get(2)?,
            all: row.try_get(3)?,
            synapses: row.try_get(4)?,
        })
    };
    let mut tables = transaction.one(AROUND, &[], read).await?;
    let names: Vec<&str> = MAS_TABLES.to_vec();
    let present: Vec<String> = transaction.all(PRESENT, &[(&names, Type::TEXT_ARRAY)], |row| row.try_get(0)).await?;
    for name in MAS_TABLES.iter().filter(|name| present.iter().any(|one| one == *name)) {
        let filled = format!("SELECT EXISTS (SELECT 1 FROM {name})");
        tables.present.push((name, transaction.one(&filled, &[], |row| row.try_get(0)).await.into()));
    }
    Ok(tables)
}

async fn trigram(transaction: &mut Transaction<'_>) -> Result<Trigram, String> {
    let found = transaction.one(TRIGRAM, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await;
    let trusted = transaction.one(TRUSTED, &[], |row| row.try_get(0)).await.ok();
    found.map(|(installed, available)| Trigram { installed, available, trusted })
}
