//! What MAS's database is asked.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::ask::Asking;
use super::login::Login;
use crate::answers::postgres::MAS_TABLES;
use crate::answers::postgres::{Connections, MasSaid, ProbeError, Rights, Tables, Trigram};

const PRESENT: &str = "SELECT t.name FROM unnest($1) t(name) WHERE to_regclass(quote_ident(t.name)) IS NOT NULL";
const AROUND: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL, \
    count(*) FILTER (WHERE left(c.relname::text, 9) = 'syn2mas__'), \
    count(*) FILTER (WHERE NOT pg_has_role(c.relowner, 'USAGE')), \
    count(*), \
    to_regclass('user_threepids') IS NOT NULL AND to_regclass('event_json') IS NOT NULL \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND left(n.nspname::text, 3) <> 'pg_'";
const RIGHTS: &str = "SELECT current_schema()::text, \
    coalesce(has_schema_privilege(current_schema()::text, 'CREATE'), false), \
    has_database_privilege(current_database()::text, 'CREATE'), \
    current_setting('is_superuser') = 'on'";
const TRIGRAM: &str = "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'), \
    EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm')";
/// The column is of PostgreSQL 13.
const TRUSTED: &str =
    "SELECT coalesce(bool_or(trusted), false) FROM pg_available_extension_versions WHERE name = 'pg_trgm'";
const ENCODING: &str = "SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()";
const CONNECTIONS: &str = "SELECT (SELECT rolconnlimit::int8 FROM pg_roles WHERE rolname = current_user), \
    (SELECT datconnlimit::int8 FROM pg_database WHERE datname = current_database()), \
    current_setting('max_connections')::int8, \
    current_setting('superuser_reserved_connections')::int8 \
    + coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::int8, \
    (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL)";

/// Asks; takes less than a minute whatever is there.
pub async fn ask(login: &Login<'_>) -> Result<MasSaid, ProbeError> {
    let (mut asking, server) = Asking::begin(login).await?;
    let said = MasSaid {
        tables: tables(&mut asking).await.into(),
        rights: asking
            .one(RIGHTS, &[], |row| {
                Ok(Rights {
                    schema: row.try_get(0)?,
                    create_in_schema: row.try_get(1)?,
                    create_in_database: row.try_get(2)?,
                    superuser: row.try_get(3)?,
                })
            })
            .await
            .into(),
        trigram: trigram(&mut asking).await.into(),
        encoding: asking.one(ENCODING, &[], |row| row.try_get(0)).await.into(),
        connections: asking
            .one(CONNECTIONS, &[], |row| {
                let limit = |index| row.try_get::<_, Option<i64>>(index).map(|limit| limit.filter(|limit| *limit >= 0));
                Ok(Connections {
                    of_role: limit(0)?,
                    of_database: limit(1)?,
                    of_server: row.try_get(2)?,
                    reserved: row.try_get(3)?,
                    used: row.try_get(4)?,
                })
            })
            .await
            .into(),
        server,
    };
    asking.finish().await;
    Ok(said)
}

async fn tables(asking: &mut Asking<'_>) -> Result<Tables, String> {
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
    let mut tables = asking.one(AROUND, &[], read).await?;
    let names: Vec<&str> = MAS_TABLES.to_vec();
    let present: Vec<String> = asking.all(PRESENT, &[(&names, Type::TEXT_ARRAY)], |row| row.try_get(0)).await?;
    for name in MAS_TABLES.iter().filter(|name| present.iter().any(|one| one == *name)) {
        let filled = format!("SELECT EXISTS (SELECT 1 FROM {name})");
        tables.present.push((name, asking.one(&filled, &[], |row| row.try_get(0)).await.into()));
    }
    Ok(tables)
}

async fn trigram(asking: &mut Asking<'_>) -> Result<Trigram, String> {
    let found = asking.one(TRIGRAM, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await;
    let trusted = asking.one(TRUSTED, &[], |row| row.try_get(0)).await.ok();
    found.map(|(installed, available)| Trigram { installed, available, trusted })
}
