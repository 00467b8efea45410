//! MAS's database: whether it is separate, empty, and has the permissions, extension, encoding and connections that MAS needs.

use super::expected::Expected;
use super::report::count;
use crate::answers::Known;
use crate::answers::postgres::{
    ConnectionSettings, Connections, MasDatabase, Rights, SynapseDatabase, Tables, Trigram,
};
use crate::checks::finding::{Code, Finding};
use crate::checks::settings::DATABASE_SHARED;

const MAS_DATABASE_EMPTY: Code = "mas-database-empty";
const MAS_DATABASE_RIGHTS: Code = "mas-database-rights";
const MAS_DATABASE_TRIGRAM: Code = "mas-database-pg-trgm";
const MAS_DATABASE_ENCODING: Code = "mas-database-encoding";
const MAS_DATABASE_CONNECTIONS: Code = "mas-database-connections";

/// Concurrent connections: nine of syn2mas, ten of MAS, and one more.
const NEEDED: i64 = 20;

pub(super) fn check(
    expected: &Expected,
    place: &ConnectionSettings,
    said: &MasDatabase,
    synapse: Option<&SynapseDatabase>,
    findings: &mut Vec<Finding>,
) {
    let shared = shared(expected, place, said, synapse);
    let is_shared = shared.blocks();
    findings.push(shared);
    if !expected.migrated && !is_shared {
        match &said.tables {
            Known::Known(tables) => contents(place, tables, findings),
            Known::Unreadable(why) => {
                findings.push(place.unread(MAS_DATABASE_EMPTY, "the contents of MAS's database", why));
            }
        }
    }
    let rights = said.rights.known();
    findings.extend([
        place.judged(MAS_DATABASE_RIGHTS, &said.rights, "the role's permissions", |rights| {
            permissions(place, rights, &said.tables)
        }),
        place.judged(MAS_DATABASE_TRIGRAM, &said.trigram, "whether pg_trgm is installed", |it| {
            trigrams(place, it, rights)
        }),
        place.judged(MAS_DATABASE_ENCODING, &said.encoding, "the encoding", |encoding| letters(place, encoding)),
        place.judged(MAS_DATABASE_CONNECTIONS, &said.connections, "the connection limits", |all| limits(place, all)),
    ]);
}

/// Compares the identities that the servers report, whatever their names.
fn shared(
    expected: &Expected,
    place: &ConnectionSettings,
    said: &MasDatabase,
    synapse: Option<&SynapseDatabase>,
) -> Finding {
    let remedy =
        "Create a database that only MAS uses; it can be on the same server. `kubectl ess-mas prepare` prints the SQL.";
    let blocker = |text: String| place.blocker(DATABASE_SHARED, text).remedy(remedy).guide();
    let identities = said.server.identity.known().zip(synapse.and_then(|synapse| synapse.server.identity.known()));
    let same = identities.map(|(mas, synapse)| mas.is(synapse));
    if same == Some(true) {
        let theirs = expected.synapse.as_ref().map(ConnectionSettings::words).unwrap_or_default();
        let ours = place.words();
        return blocker(format!("{ours} and Synapse's {theirs} are the same database: server and OID are equal"));
    }
    if said.tables.known().is_some_and(|tables| tables.synapses) {
        return blocker(format!("{} contains Synapse's tables", place.words()));
    }
    match same {
        Some(false) => {
            place.ok(DATABASE_SHARED, "MAS's database is separate from Synapse's: the servers or the OIDs differ")
        }
        _ if said.tables.known().is_some() => place.ok(DATABASE_SHARED, "MAS's database contains no tables of Synapse"),
        _ => {
            place.unread(DATABASE_SHARED, "whether MAS's database is Synapse's", "the databases can't be distinguished")
        }
    }
}

fn contents(place: &ConnectionSettings, tables: &Tables, findings: &mut Vec<Finding>) {
    let code = MAS_DATABASE_EMPTY;
    let filled: Vec<&str> =
        tables.present.iter().filter(|(_, rows)| *rows == Known::Known(true)).map(|(name, _)| *name).collect();
    let unreadable = tables.present.iter().find_map(|(name, rows)| match rows {
        Known::Unreadable(why) => Some((*name, why)),
        Known::Known(_) => None,
    });
    findings.push(if !filled.is_empty() {
        let text = format!("MAS's database is not empty: it has rows in {}; the migration would fail (`The MAS database is not empty`)", filled.join(", "));
        place.blocker(code, text).remedy("A user has logged in at MAS, or a migration has already run. If the data is not needed, drop the database and create it again with the SQL of `kubectl ess-mas prepare`.")
    } else if !tables.migrations && !tables.present.is_empty() {
        let names: Vec<&str> = tables.present.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        let text = format!("the tables {names} exist, but MAS didn't create them (no _sqlx_migrations), so its first start fails");
        place.blocker(code, text).remedy("Create a database that only MAS uses.")
    } else if let Some((name, why)) = unreadable {
        place.unread(code, &format!("table {name}"), why)
    } else if tables.migrations {
        place.ok(code, "MAS's tables exist, and those that the migration fills are empty")
    } else if tables.all > 0 {
        let all = count(tables.all, "table", "tables");
        place
            .warning(code, format!("MAS's database contains {all} that MAS didn't create"))
            .remedy("Make sure that only MAS uses this database.")
    } else {
        place.ok(code, "MAS's database contains no tables")
    });
    if tables.renamed > 0 {
        let renamed = count(tables.renamed, "table is", "tables are");
        let text = format!(
            "{renamed} renamed to syn2mas__…, because a dry run or a migration was interrupted; MAS can't show its login page until the next one restores them"
        );
        findings.push(place.warning(code, text).remedy("Repeat the dry run: `kubectl ess-mas dry-run`."));
    }
}

fn permissions(place: &ConnectionSettings, rights: &Rights, tables: &Known<Tables>) -> Finding {
    let code = MAS_DATABASE_RIGHTS;
    let user = &place.user;
    let of_others = tables.known().map_or(0, |tables| tables.of_others);
    match &rights.schema {
        None => place.blocker(code, format!("role {user} has no schema to create tables in: it can't use any schema of its search path"))
            .remedy(format!("In the database, as a superuser: GRANT ALL ON SCHEMA public TO the role {user}.")),
        Some(schema) if !rights.create_in_schema => place.blocker(code, format!("role {user} can't create tables in schema {schema} (since PostgreSQL 15, only the owner can): MAS's first start fails with `permission denied for schema {schema}`"))
            .remedy("Make the role the owner: ALTER DATABASE … OWNER TO …, as in the SQL that `kubectl ess-mas prepare` prints."),
        Some(_) if of_others > 0 => place.blocker(code, format!("{} to other roles than {user}, so MAS can't alter or rename them", count(of_others, "table belongs", "tables belong")))
            .remedy(format!("As a superuser: REASSIGN OWNED BY the other role TO {user}, or drop the database and create it again.")),
        Some(schema) => place.ok(code, format!("role {user} can create tables in schema {schema}")),
    }
}

fn trigrams(place: &ConnectionSettings, trigram: &Trigram, rights: Option<&Rights>) -> Finding {
    let code = MAS_DATABASE_TRIGRAM;
    let superuser = rights.is_some_and(|rights| rights.superuser);
    let create = rights.is_some_and(|rights| rights.create_in_database && rights.create_in_schema);
    let remedy = "In MAS's database, as a superuser: CREATE EXTENSION pg_trgm;";
    match trigram {
        Trigram { installed: true, .. } => place.ok(code, "extension pg_trgm is installed"),
        Trigram { available: false, .. } => {
            let text = "extension pg_trgm is not available on the server, and MAS 1.3 and later don't start without it";
            place.blocker(code, text).remedy("Install PostgreSQL's contrib package on the server.")
        }
        _ if superuser => place.ok(code, "pg_trgm is not installed yet; MAS's role, a superuser, can create it"),
        Trigram { trusted: Some(true), .. } if create => {
            place.ok(code, "extension pg_trgm is not installed yet; MAS's role can create it")
        }
        _ if rights.is_none() => place
            .unknown(code, "extension pg_trgm is not installed, and MAS's permission to create it is unknown")
            .remedy(remedy),
        _ => {
            let user = &place.user;
            let text = format!("pg_trgm is missing, and role {user} can't create it, so MAS's first start fails");
            place.blocker(code, text).remedy(remedy)
        }
    }
}

fn letters(place: &ConnectionSettings, encoding: &str) -> Finding {
    let code = MAS_DATABASE_ENCODING;
    if encoding == "UTF8" {
        return place.ok(code, "MAS's database has the encoding UTF8");
    }
    let text =
        format!("MAS's database has the encoding {encoding}; the migration fails on names with characters outside it");
    let remedy =
        "Create it with ENCODING 'UTF8' TEMPLATE template0, as in the SQL that `kubectl ess-mas prepare` prints.";
    place.warning(code, text).remedy(remedy)
}

fn limits(place: &ConnectionSettings, connections: &Connections) -> Finding {
    let code = MAS_DATABASE_CONNECTIONS;
    let needs = "a migration needs about 20 (9 for syn2mas and 10 for MAS)";
    for (limit, who, sql) in [
        (connections.of_role, format!("role {}", place.user), "ROLE"),
        (connections.of_database, "MAS's database".to_owned(), "DATABASE"),
    ] {
        if let Some(limit) = limit.filter(|limit| *limit < NEEDED) {
            let text = format!("{who} is limited to {}; {needs}", count(limit, "connection", "connections"));
            return place.warning(code, text).remedy(format!("As a superuser: ALTER {sql} … CONNECTION LIMIT 30;"));
        }
    }
    let free = connections.of_server - connections.reserved - connections.used;
    if free < NEEDED {
        let left = count(free.max(0), "connection", "connections");
        return place
            .warning(code, format!("the server has {left} free of {}; {needs}", connections.of_server))
            .remedy(
                "Raise max_connections. The activation stops Synapse, but during the dry run Synapse needs its connections too.",
            );
    }
    place.ok(code, format!("{free} of the server's {} connections are free", connections.of_server))
}
