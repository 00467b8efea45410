//! MAS's database: whether it is separate, empty, and has the permissions, extension, encoding and connections that MAS needs.

use super::expected::Expected;
use super::report::count;
use crate::answers::Known;
use crate::answers::postgres::{
    ConnectionSettings, Connections, MasDatabase, RolePermissions, SynapseDatabase, Tables, Trigram,
};
use crate::checks::finding::Finding;

/// Concurrent connections: nine of syn2mas, ten of MAS, and one more.
const NEEDED: i64 = 20;

pub(super) fn check(
    expected: &Expected,
    place: &ConnectionSettings,
    seen: &MasDatabase,
    synapse: Option<&SynapseDatabase>,
    findings: &mut Vec<Finding>,
) {
    let shared = shared(expected, place, seen, synapse);
    let is_shared = shared.blocks();
    findings.push(shared);
    if !expected.migrated && !is_shared {
        let what = "the contents of MAS's database";
        findings.push(place.judged("not-empty", &seen.tables, what, |tables| contents(place, tables)));
        if let Some(tables) = seen.tables.known().filter(|tables| tables.renamed > 0) {
            let renamed = count(tables.renamed, "table is", "tables are");
            findings.push(place.finding("renamed", &[("tables", &renamed)]));
        }
    }
    let permissions = seen.permissions.known();
    findings.extend([
        place.judged("create", &seen.permissions, "the role's permissions", |it| schema(place, it, &seen.tables)),
        place.judged("trgm", &seen.trigram, "whether pg_trgm is installed", |it| trigrams(place, it, permissions)),
        place.judged("encoding", &seen.encoding, "the encoding", |encoding| match encoding.as_str() {
            "UTF8" => place.finding("encoding", &[]),
            other => place.finding("other-encoding", &[("encoding", other)]),
        }),
        place.judged("connections", &seen.connections, "the connection limits", |all| limits(place, all)),
    ]);
}

/// Compares the identities that the servers report, whatever their names.
fn shared(
    expected: &Expected,
    place: &ConnectionSettings,
    seen: &MasDatabase,
    synapse: Option<&SynapseDatabase>,
) -> Finding {
    let identities = seen.server.identity.known().zip(synapse.and_then(|synapse| synapse.server.identity.known()));
    let same = identities.map(|(mas, synapse)| mas.is(synapse));
    let tables = seen.tables.known();
    let theirs = expected.synapse.as_ref().map(ConnectionSettings::words).unwrap_or_default();
    match same {
        Some(true) => place.finding("same-database", &[("theirs", &theirs)]),
        _ if tables.is_some_and(|tables| tables.synapses) => place.finding("synapses-tables", &[]),
        Some(false) => place.finding("separate", &[]),
        _ if tables.is_some() => place.finding("no-synapse-tables", &[]),
        _ => place.unread("separate", "whether MAS's database is Synapse's", "the databases can't be distinguished"),
    }
}

fn contents(place: &ConnectionSettings, tables: &Tables) -> Finding {
    let named = |wanted: fn(&Known<bool>) -> bool| {
        let names = tables.present.iter().filter(|(_, rows)| wanted(rows)).map(|(name, _)| *name);
        names.collect::<Vec<_>>().join(", ")
    };
    let filled = named(|rows| *rows == Known::Known(true));
    let unreadable = tables.present.iter().find_map(|(name, rows)| match rows {
        Known::Unreadable(why) => Some((*name, why)),
        Known::Known(_) => None,
    });
    if !filled.is_empty() {
        place.finding("not-empty", &[("tables", &filled)])
    } else if !tables.migrations && !tables.present.is_empty() {
        place.finding("tables-of-others", &[("tables", &named(|_| true))])
    } else if let Some((name, why)) = unreadable {
        place.unread("not-empty", &format!("table {name}"), why)
    } else if tables.migrations {
        place.finding("tables-empty", &[])
    } else if tables.all > 0 {
        place.finding("other-tables", &[("tables", &count(tables.all, "table", "tables"))])
    } else {
        place.finding("no-tables", &[])
    }
}

fn schema(place: &ConnectionSettings, permissions: &RolePermissions, tables: &Known<Tables>) -> Finding {
    let of_others = tables.known().map_or(0, |tables| tables.of_others);
    match &permissions.schema {
        None => place.finding("no-schema", &[]),
        Some(schema) if !permissions.create_in_schema => place.finding("no-create", &[("schema", schema)]),
        Some(_) if of_others > 0 => {
            place.finding("other-owner", &[("tables", &count(of_others, "table belongs", "tables belong"))])
        }
        Some(schema) => place.finding("create", &[("schema", schema)]),
    }
}

fn trigrams(place: &ConnectionSettings, trigram: &Trigram, permissions: Option<&RolePermissions>) -> Finding {
    let superuser = permissions.is_some_and(|permissions| permissions.superuser);
    let create = permissions.is_some_and(|permissions| permissions.create_in_database && permissions.create_in_schema);
    let name = match trigram {
        Trigram { installed: true, .. } => "trgm",
        Trigram { available: false, .. } => "trgm-unavailable",
        _ if superuser => "trgm-superuser",
        Trigram { trusted: Some(true), .. } if create => "trgm-trusted",
        _ if permissions.is_none() => "trgm-unknown",
        _ => "trgm-missing",
    };
    place.finding(name, &[])
}

fn limits(place: &ConnectionSettings, connections: &Connections) -> Finding {
    for (limit, whose, kind) in [
        (connections.of_role, format!("role {}", place.user), "ROLE"),
        (connections.of_database, "MAS's database".to_owned(), "DATABASE"),
    ] {
        if let Some(limit) = limit.filter(|limit| *limit < NEEDED) {
            let limit = count(limit, "connection", "connections");
            return place.finding("limited", &[("whose", &whose), ("limit", &limit), ("kind", kind)]);
        }
    }
    let free = connections.of_server - connections.reserved - connections.used;
    let (all, left) = (connections.of_server.to_string(), count(free.max(0), "connection", "connections"));
    if free < NEEDED {
        return place.finding("few-connections", &[("left", &left), ("all", &all)]);
    }
    place.finding("connections", &[("left", &free.to_string()), ("all", &all)])
}
