//! MAS's database: its own, empty, and with the rights that its schema needs.

use super::said::{Connections, Identity, MasSaid, Place, Rights, SynapseSaid, Tables, Trigram};
use super::{Expected, Known, codes, count, unread};
use crate::checks::finding::Finding;

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
                findings.push(unread(codes::MAS_DATABASE_EMPTY, place, "what is in MAS's database", why));
            }
        }
    }
    findings.push(match &said.rights {
        Known::Known(rights) => may(place, rights, &said.tables),
        Known::Unreadable(why) => unread(codes::MAS_DATABASE_RIGHTS, place, "the role's rights", why),
    });
    findings.push(match &said.trigram {
        Known::Known(trigram) => trigrams(place, trigram, said.rights.known()),
        Known::Unreadable(why) => unread(codes::MAS_DATABASE_TRIGRAM, place, "whether pg_trgm is there", why),
    });
    findings.push(match &said.encoding {
        Known::Known(encoding) => letters(place, encoding),
        Known::Unreadable(why) => unread(codes::MAS_DATABASE_ENCODING, place, "the encoding", why),
    });
    findings.push(match &said.connections {
        Known::Known(connections) => limits(place, connections),
        Known::Unreadable(why) => unread(codes::MAS_DATABASE_CONNECTIONS, place, "the limits of connections", why),
    });
}

/// By what the servers say of themselves, whatever names lead to them.
fn shared(expected: &Expected, place: &Place, said: &MasSaid, synapse: Option<&SynapseSaid>) -> Finding {
    let remedy =
        "Create a database for MAS alone; it may be on the same server. `kubectl ess-mas prepare` prints the SQL.";
    let blocker = |text: String| Finding::blocker(codes::DATABASE_SHARED, place.path, text).remedy(remedy).guide();
    let identities = (said.server.identity.known(), synapse.and_then(|synapse| synapse.server.identity.known()));
    let same = match identities {
        (Some(mas), Some(synapse)) => Some(Identity::is(mas, synapse)),
        _ => None,
    };
    if same == Some(true) {
        let theirs = expected.synapse.as_ref().map(Place::words).unwrap_or_default();
        return blocker(format!(
            "{} and Synapse's {theirs} are one database: server and number are the same",
            place.words()
        ));
    }
    if said.tables.known().is_some_and(|tables| tables.synapses) {
        return blocker(format!("{} holds the tables of a Synapse", place.words()));
    }
    match same {
        Some(false) => Finding::ok(
            codes::DATABASE_SHARED,
            place.path,
            "MAS's database is not Synapse's: the servers or the databases' numbers differ",
        ),
        _ if said.tables.known().is_some() => {
            Finding::ok(codes::DATABASE_SHARED, place.path, "MAS's database holds no tables of a Synapse")
        }
        _ => unread(codes::DATABASE_SHARED, place, "whether it is Synapse's", "neither of the two could be told apart"),
    }
}

fn contents(place: &Place, tables: &Tables, findings: &mut Vec<Finding>) {
    let code = codes::MAS_DATABASE_EMPTY;
    let filled: Vec<&str> =
        tables.present.iter().filter(|(_, rows)| *rows == Known::Known(true)).map(|(name, _)| *name).collect();
    let unreadable = tables.present.iter().find_map(|(name, rows)| match rows {
        Known::Unreadable(why) => Some((*name, why)),
        Known::Known(_) => None,
    });
    let names: Vec<&str> = tables.present.iter().map(|(name, _)| *name).collect();
    if !filled.is_empty() {
        findings.push(
            Finding::blocker(
                code,
                place.path,
                format!("MAS's database is not empty: there are rows in {}; the migration refuses it (`The MAS database is not empty`)", filled.join(", ")),
            )
            .remedy("Somebody has logged in at MAS or made a user there, or a migration has happened. If nobody needs what is in it, drop the database and create it anew with the SQL that `kubectl ess-mas prepare` prints."),
        );
    } else if !tables.migrations && !tables.present.is_empty() {
        findings.push(
            Finding::blocker(
                code,
                place.path,
                format!("there are tables named {} which MAS did not make (no _sqlx_migrations); its first start fails on them", names.join(", ")),
            )
            .remedy("Create a database for MAS alone."),
        );
    } else if let Some((name, why)) = unreadable {
        findings.push(unread(code, place, &format!("table {name}"), why));
    } else if !tables.migrations && tables.all > 0 {
        findings.push(
            Finding::warning(
                code,
                place.path,
                format!(
                    "MAS was never here, and the database holds {} all the same",
                    count(tables.all, "table", "tables")
                ),
            )
            .remedy("Make sure that nobody else uses it; MAS's database is to be MAS's alone."),
        );
    } else {
        let text = if tables.migrations {
            "MAS's tables are there and those that the migration fills are empty"
        } else {
            "it holds no tables yet"
        };
        findings.push(Finding::ok(code, place.path, text));
    }
    if tables.renamed > 0 {
        findings.push(
            Finding::warning(
                code,
                place.path,
                format!("{} renamed to syn2mas__…: a rehearsal or a migration ended half-way. The next one begins by putting them back; until then MAS cannot show its login page", count(tables.renamed, "table is", "tables are")),
            )
            .remedy("Rehearse again: `kubectl ess-mas dry-run`."),
        );
    }
}

fn may(place: &Place, rights: &Rights, tables: &Known<Tables>) -> Finding {
    let code = codes::MAS_DATABASE_RIGHTS;
    let user = &place.user;
    let of_others = tables.known().map_or(0, |tables| tables.of_others);
    match &rights.schema {
        None => Finding::blocker(
            code,
            place.path,
            format!("role {user} finds no schema to make tables in: none of its search path is there, or may be used by it"),
        )
        .remedy(format!("In the database, as a superuser: GRANT ALL ON SCHEMA public TO the role {user}.")),
        Some(schema) if !rights.create_in_schema => Finding::blocker(
            code,
            place.path,
            format!("role {user} may not make tables in schema {schema} (from PostgreSQL 15 on only the database's owner may): MAS's first start ends with `permission denied for schema {schema}`"),
        )
        .remedy("Let the role own the database: ALTER DATABASE … OWNER TO …, as in the SQL that `kubectl ess-mas prepare` prints."),
        Some(_) if of_others > 0 => Finding::blocker(
            code,
            place.path,
            format!("{} to other roles than {user}, so that MAS cannot change or rename them", count(of_others, "table belongs", "tables belong")),
        )
        .remedy(format!("As a superuser: REASSIGN OWNED BY the other role TO {user}, or drop the database and create it anew.")),
        Some(schema) => Finding::ok(code, place.path, format!("role {user} may make tables in schema {schema}")),
    }
}

fn trigrams(place: &Place, trigram: &Trigram, rights: Option<&Rights>) -> Finding {
    let code = codes::MAS_DATABASE_TRIGRAM;
    let superuser = rights.is_some_and(|rights| rights.superuser);
    let create = rights.is_some_and(|rights| rights.create_in_database && rights.create_in_schema);
    let remedy = "In MAS's database, as a superuser: CREATE EXTENSION pg_trgm;";
    match trigram {
        Trigram { installed: true, .. } => Finding::ok(code, place.path, "the extension pg_trgm is there"),
        Trigram { available: false, .. } => Finding::blocker(
            code,
            place.path,
            "the server has no extension pg_trgm to be created, and MAS from 1.3 on does not start without it",
        )
        .remedy("Install PostgreSQL's contrib package on the server."),
        _ if superuser => {
            Finding::ok(code, place.path, "pg_trgm is not there yet; MAS's role is a superuser and creates it")
        }
        Trigram { trusted: Some(true), .. } if create => {
            Finding::ok(code, place.path, "pg_trgm is not there yet; MAS's role may create it")
        }
        _ if rights.is_none() => Finding::unknown(
            code,
            place.path,
            "pg_trgm is not there yet, and whether MAS's role may create it is not known",
        )
        .remedy(remedy),
        _ => Finding::blocker(
            code,
            place.path,
            format!("pg_trgm is not there, and role {} may not create it; MAS's first start fails", place.user),
        )
        .remedy(remedy),
    }
}

fn letters(place: &Place, encoding: &str) -> Finding {
    if encoding == "UTF8" {
        return Finding::ok(codes::MAS_DATABASE_ENCODING, place.path, "the encoding is UTF8");
    }
    Finding::warning(
        codes::MAS_DATABASE_ENCODING,
        place.path,
        format!("the database's encoding is {encoding}; names that it cannot hold end a migration"),
    )
    .remedy("Create it with ENCODING 'UTF8' TEMPLATE template0, as in the SQL that `kubectl ess-mas prepare` prints.")
}

fn limits(place: &Place, connections: &Connections) -> Finding {
    let code = codes::MAS_DATABASE_CONNECTIONS;
    let warning = |text: String, remedy: &str| Finding::warning(code, place.path, text).remedy(remedy);
    let needs = "a migration needs about 20 (9 of syn2mas beside MAS's 10)";
    let low = |limit: Option<i64>| limit.filter(|limit| *limit < NEEDED);
    if let Some(limit) = low(connections.of_role) {
        return warning(
            format!("role {} may hold {}; {needs}", place.user, count(limit, "connection", "connections")),
            "As a superuser: ALTER ROLE … CONNECTION LIMIT 30;",
        );
    }
    if let Some(limit) = low(connections.of_database) {
        return warning(
            format!("the database takes {}; {needs}", count(limit, "connection", "connections")),
            "As a superuser: ALTER DATABASE … CONNECTION LIMIT 30;",
        );
    }
    let free = connections.of_server - connections.reserved - connections.used;
    if free < NEEDED {
        return warning(
            format!(
                "the server has {} left of {}; {needs}",
                count(free.max(0), "connection", "connections"),
                connections.of_server
            ),
            "Raise max_connections. Synapse's are free again once it is stopped, but the rehearsal runs beside it.",
        );
    }
    Finding::ok(code, place.path, format!("{free} of the server's {} connections are free", connections.of_server))
}
