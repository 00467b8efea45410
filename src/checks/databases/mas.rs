//! MAS's database: its own, empty, and with the rights that its schema needs.

use super::count::count;
use super::expected::Expected;
use crate::answers::Known;
use crate::answers::postgres::{Connections, MasSaid, Place, Rights, SynapseSaid, Tables, Trigram};
use crate::checks::finding::{Code, Finding};
use crate::checks::settings::DATABASE_SHARED;

const MAS_DATABASE_EMPTY: Code = "mas-database-empty";
const MAS_DATABASE_RIGHTS: Code = "mas-database-rights";
const MAS_DATABASE_TRIGRAM: Code = "mas-database-pg-trgm";
const MAS_DATABASE_ENCODING: Code = "mas-database-encoding";
const MAS_DATABASE_CONNECTIONS: Code = "mas-database-connections";

/// Connections at once: syn2mas's nine beside the server's ten, and one to spare.
const NEEDED: i64 = 20;

pub(super) fn check(
    expected: &Expected,
    place: &Place,
    said: &MasSaid,
    synapse: Option<&SynapseSaid>,
    findings: &mut Vec<Finding>,
) {
    let shared = shared(expected, place, said, synapse);
    let is_shared = shared.blocks();
    findings.push(shared);
    if !expected.migrated && !is_shared {
        match &said.tables {
            Known::Known(tables) => contents(place, tables, findings),
            Known::Unreadable(why) => {
                findings.push(place.unread(MAS_DATABASE_EMPTY, "what is in MAS's database", why));
            }
        }
    }
    let rights = said.rights.known();
    findings.extend([
        place.judged(MAS_DATABASE_RIGHTS, &said.rights, "the role's rights", |rights| may(place, rights, &said.tables)),
        place.judged(MAS_DATABASE_TRIGRAM, &said.trigram, "whether pg_trgm is there", |it| trigrams(place, it, rights)),
        place.judged(MAS_DATABASE_ENCODING, &said.encoding, "the encoding", |encoding| letters(place, encoding)),
        place
            .judged(MAS_DATABASE_CONNECTIONS, &said.connections, "the limits of connections", |all| limits(place, all)),
    ]);
}

/// By what the servers say of themselves, whatever names lead to them.
fn shared(expected: &Expected, place: &Place, said: &MasSaid, synapse: Option<&SynapseSaid>) -> Finding {
    let remedy =
        "Create a database for MAS alone; it may be on the same server. `kubectl ess-mas prepare` prints the SQL.";
    let blocker = |text: String| place.blocker(DATABASE_SHARED, text).remedy(remedy).guide();
    let identities = said.server.identity.known().zip(synapse.and_then(|synapse| synapse.server.identity.known()));
    let same = identities.map(|(mas, synapse)| mas.is(synapse));
    if same == Some(true) {
        let theirs = expected.synapse.as_ref().map(Place::words).unwrap_or_default();
        let ours = place.words();
        return blocker(format!("{ours} and Synapse's {theirs} are one database: server and number are the same"));
    }
    if said.tables.known().is_some_and(|tables| tables.synapses) {
        return blocker(format!("{} holds the tables of a Synapse", place.words()));
    }
    match same {
        Some(false) => {
            place.ok(DATABASE_SHARED, "MAS's database is not Synapse's: the servers or the databases' numbers differ")
        }
        _ if said.tables.known().is_some() => place.ok(DATABASE_SHARED, "MAS's database holds no tables of a Synapse"),
        _ => place.unread(DATABASE_SHARED, "whether it is Synapse's", "neither of the two could be told apart"),
    }
}

fn contents(place: &Place, tables: &Tables, findings: &mut Vec<Finding>) {
    let code = MAS_DATABASE_EMPTY;
    let filled: Vec<&str> =
        tables.present.iter().filter(|(_, rows)| *rows == Known::Known(true)).map(|(name, _)| *name).collect();
    let unreadable = tables.present.iter().find_map(|(name, rows)| match rows {
        Known::Unreadable(why) => Some((*name, why)),
        Known::Known(_) => None,
    });
    findings.push(if !filled.is_empty() {
        let text = format!("MAS's database is not empty: there are rows in {}; the migration refuses it (`The MAS database is not empty`)", filled.join(", "));
        place.blocker(code, text).remedy("Somebody has logged in at MAS or made a user there, or a migration has happened. If nobody needs what is in it, drop the database and create it anew with the SQL that `kubectl ess-mas prepare` prints.")
    } else if !tables.migrations && !tables.present.is_empty() {
        let names: Vec<&str> = tables.present.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        let text = format!("there are tables named {names} which MAS did not make (no _sqlx_migrations); its first start fails on them");
        place.blocker(code, text).remedy("Create a database for MAS alone.")
    } else if let Some((name, why)) = unreadable {
        place.unread(code, &format!("table {name}"), why)
    } else if tables.migrations {
        place.ok(code, "MAS's tables are there and those that the migration fills are empty")
    } else if tables.all > 0 {
        let all = count(tables.all, "table", "tables");
        place
            .warning(code, format!("MAS was never here, and the database holds {all} all the same"))
            .remedy("Make sure that nobody else uses it; MAS's database is to be MAS's alone.")
    } else {
        place.ok(code, "it holds no tables yet")
    });
    if tables.renamed > 0 {
        let renamed = count(tables.renamed, "table is", "tables are");
        let text = format!(
            "{renamed} renamed to syn2mas__…: a rehearsal or a migration ended half-way. The next one begins by putting them back; until then MAS cannot show its login page"
        );
        findings.push(place.warning(code, text).remedy("Rehearse again: `kubectl ess-mas dry-run`."));
    }
}

fn may(place: &Place, rights: &Rights, tables: &Known<Tables>) -> Finding {
    let code = MAS_DATABASE_RIGHTS;
    let user = &place.user;
    let of_others = tables.known().map_or(0, |tables| tables.of_others);
    match &rights.schema {
        None => place.blocker(code, format!("role {user} finds no schema to make tables in: none of its search path is there, or may be used by it"))
            .remedy(format!("In the database, as a superuser: GRANT ALL ON SCHEMA public TO the role {user}.")),
        Some(schema) if !rights.create_in_schema => place.blocker(code, format!("role {user} may not make tables in schema {schema} (from PostgreSQL 15 on only the database's owner may): MAS's first start ends with `permission denied for schema {schema}`"))
            .remedy("Let the role own the database: ALTER DATABASE … OWNER TO …, as in the SQL that `kubectl ess-mas prepare` prints."),
        Some(_) if of_others > 0 => place.blocker(code, format!("{} to other roles than {user}, so that MAS cannot change or rename them", count(of_others, "table belongs", "tables belong")))
            .remedy(format!("As a superuser: REASSIGN OWNED BY the other role TO {user}, or drop the database and create it anew.")),
        Some(schema) => place.ok(code, format!("role {user} may make tables in schema {schema}")),
    }
}

fn trigrams(place: &Place, trigram: &Trigram, rights: Option<&Rights>) -> Finding {
    let code = MAS_DATABASE_TRIGRAM;
    let superuser = rights.is_some_and(|rights| rights.superuser);
    let create = rights.is_some_and(|rights| rights.create_in_database && rights.create_in_schema);
    let remedy = "In MAS's database, as a superuser: CREATE EXTENSION pg_trgm;";
    match trigram {
        Trigram { installed: true, .. } => place.ok(code, "the extension pg_trgm is there"),
        Trigram { available: false, .. } => {
            let text =
                "the server has no extension pg_trgm to be created, and MAS from 1.3 on does not start without it";
            place.blocker(code, text).remedy("Install PostgreSQL's contrib package on the server.")
        }
        _ if superuser => place.ok(code, "pg_trgm is not there yet; MAS's role is a superuser and creates it"),
        Trigram { trusted: Some(true), .. } if create => {
            place.ok(code, "pg_trgm is not there yet; MAS's role may create it")
        }
        _ if rights.is_none() => place
            .unknown(code, "pg_trgm is not there yet, and whether MAS's role may create it is not known")
            .remedy(remedy),
        _ => {
            let user = &place.user;
            let text = format!("pg_trgm is not there, and role {user} may not create it; MAS's first start fails");
            place.blocker(code, text).remedy(remedy)
        }
    }
}

fn letters(place: &Place, encoding: &str) -> Finding {
    let code = MAS_DATABASE_ENCODING;
    if encoding == "UTF8" {
        return place.ok(code, "the encoding is UTF8");
    }
    let text = format!("the database's encoding is {encoding}; names that it cannot hold end a migration");
    let remedy =
        "Create it with ENCODING 'UTF8' TEMPLATE template0, as in the SQL that `kubectl ess-mas prepare` prints.";
    place.warning(code, text).remedy(remedy)
}

fn limits(place: &Place, connections: &Connections) -> Finding {
    let code = MAS_DATABASE_CONNECTIONS;
    let needs = "a migration needs about 20 (9 of syn2mas beside MAS's 10)";
    for (limit, who, holds, sql) in [
        (connections.of_role, format!("role {}", place.user), "may hold", "ROLE"),
        (connections.of_database, "the database".to_owned(), "takes", "DATABASE"),
    ] {
        if let Some(limit) = limit.filter(|limit| *limit < NEEDED) {
            let text = format!("{who} {holds} {}; {needs}", count(limit, "connection", "connections"));
            return place.warning(code, text).remedy(format!("As a superuser: ALTER {sql} … CONNECTION LIMIT 30;"));
        }
    }
    let free = connections.of_server - connections.reserved - connections.used;
    if free < NEEDED {
        let left = count(free.max(0), "connection", "connections");
        return place
            .warning(code, format!("the server has {left} left of {}; {needs}", connections.of_server))
            .remedy(
                "Raise max_connections. Synapse's are free again once it is stopped, but the rehearsal runs beside it.",
            );
    }
    place.ok(code, format!("{free} of the server's {} connections are free", connections.of_server))
}
