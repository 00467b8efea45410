//! MAS's database: its own, reached directly, and as safely as Synapse's.

use std::net::IpAddr;

use super::super::finding::{Finding, codes};
use super::super::snapshot::Snapshot;
use super::MAS;
use crate::deployment::Postgres;
use crate::plan::{Database, MasSettings};

const DATABASE: &str = "spec.components.matrixAuthenticationService.config.postgresql";
const SYNAPSES: &str = "spec.components.synapse.config.postgresql";
/// PostgreSQL's port, where none is set.
const PORT: u16 = 5432;

pub(super) fn check(snapshot: &Snapshot, settings: &MasSettings, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let mas = &settings.database;
    for (component, _) in deployment.components().filter(|(name, _)| *name != MAS) {
        if let Some(other) = deployment.postgres(component) {
            findings.extend(shared(mas, component, &other, deployment.namespace()));
        }
    }
    if is_pooler(&mas.host, mas.port) {
        findings.push(pooler(DATABASE, &mas.host, mas.port, "MAS"));
    }
    findings.extend(tls(snapshot, mas));
}

/// What syn2mas makes of Synapse's own database settings; it reads host, port, user, password and database only.
pub(super) fn synapses(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let Some(synapse) = snapshot.deployment.postgres("synapse") else { return };
    if let Some(mode) = synapse.ssl_mode.as_deref().filter(|mode| mode.starts_with("verify-")) {
        findings.push(
            Finding::warning(
                codes::SYNAPSE_DATABASE_TLS,
                format!("{SYNAPSES}.sslMode"),
                format!("syn2mas does not read it: it connects to Synapse's database without checking the server's certificate ({mode}), and cannot present one of its own"),
            )
            .remedy("Make sure that the way from the cluster to this database is trusted, and that the server asks for no client certificate."),
        );
    }
    let port = synapse.port.unwrap_or(PORT);
    if let Some(host) = synapse.host.as_deref().filter(|host| is_pooler(host, port)) {
        findings.push(pooler(SYNAPSES, host, port, "syn2mas"));
    }
}

/// Whether two names are the same server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Same,
    /// One may be another name for the other; only the cluster could tell.
    Perhaps,
    Another,
}

fn shared(mas: &Database, component: &str, other: &Postgres, namespace: &str) -> Option<Finding> {
    let (host, name) = (other.host.as_ref()?, other.database.as_ref()?);
    if *name != mas.name {
        return None;
    }
    let whose = if component == "synapse" { "Synapse's".to_owned() } else { format!("{component}'s") };
    let ports = (mas.port, other.port.unwrap_or(PORT));
    let remedy = "Create a database for MAS alone; it may be on the same server.";
    match same_server(&mas.host, host, namespace) {
        Server::Same if ports.0 == ports.1 => Some(
            Finding::blocker(codes::DATABASE_SHARED, DATABASE, format!("database {name} at {} is {whose}", mas.host))
                .remedy(remedy)
                .guide(),
        ),
        Server::Same => Some(
            Finding::warning(
                codes::DATABASE_SHARED,
                DATABASE,
                format!("database {name} at {} may be {whose}: only the ports differ ({} and {}), and a pooler in front of a server has a port of its own", mas.host, ports.0, ports.1),
            )
            .remedy(remedy),
        ),
        Server::Perhaps => Some(
            Finding::warning(
                codes::DATABASE_SHARED,
                DATABASE,
                format!("database {name} at {} may be {whose}, which is {name} at {host}: the two may be names of one server", mas.host),
            )
            .remedy(remedy),
        ),
        Server::Another => None,
    }
}

/// A service may be written as `db`, `db.ns`, `db.ns.svc` and `db.ns.svc.cluster.local`, each with a final dot.
fn same_server(one: &str, other: &str, namespace: &str) -> Server {
    let normal = |host: &str| host.trim().trim_end_matches('.').to_ascii_lowercase();
    let (a, b) = (normal(one), normal(other));
    if a == b {
        return Server::Same;
    }
    match (address(&a), address(&b)) {
        (Some(a), Some(b)) => return if a == b { Server::Same } else { Server::Another },
        (None, None) => {}
        // A name and an address may well be one server.
        _ => return Server::Perhaps,
    }
    if let (Some(a), Some(b)) = (service(&a, namespace), service(&b, namespace))
        && a == b
    {
        return Server::Same;
    }
    let (short, long) = if a.len() < b.len() { (&a, &b) } else { (&b, &a) };
    // The cluster's DNS completes short names, also by domains that are not seen here.
    let completes = !short.contains('.') && long.strip_prefix(short.as_str()).is_some_and(|rest| rest.starts_with('.'));
    let is_service = long.split('.').nth(2) == Some("svc");
    if completes && !is_service { Server::Perhaps } else { Server::Another }
}

fn address(host: &str) -> Option<IpAddr> {
    if host == "localhost" {
        return Some(IpAddr::from([127, 0, 0, 1]));
    }
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Name and namespace of the Service that a host may be.
fn service<'a>(host: &'a str, namespace: &'a str) -> Option<(&'a str, &'a str)> {
    let mut labels = host.split('.');
    let name = labels.next()?;
    match (labels.next(), labels.next()) {
        (None, _) => Some((name, namespace)),
        (Some(namespace), None | Some("svc")) => Some((name, namespace)),
        _ => None,
    }
}

/// A port or a name that poolers have. Transaction pooling breaks the locks by which syn2mas and MAS keep others out.
fn is_pooler(host: &str, port: u16) -> bool {
    let host = host.to_ascii_lowercase();
    let mut words = host.split(|c: char| !c.is_ascii_alphanumeric());
    port == 6432
        || words.any(|word| {
            word.contains("bouncer")
                || word.starts_with("pgpool")
                || matches!(word, "pool" | "pooler" | "pooling" | "pgcat")
        })
}

fn pooler(place: &str, host: &str, port: u16, who: &str) -> Finding {
    Finding::warning(
        codes::DATABASE_POOLER,
        place,
        format!("{host}:{port} looks like a connection pooler; {who} needs a session of its own, so pooling by transaction breaks it"),
    )
    .remedy("Point it to the server itself, or make sure that the pooler pools by session.")
}

/// How far a mode goes; libpq's names.
fn strength(mode: &str) -> Option<u8> {
    ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
        .iter()
        .position(|name| *name == mode)
        .and_then(|position| u8::try_from(position).ok())
}

const REQUIRE: u8 = 3;

fn tls(snapshot: &Snapshot, mas: &Database) -> Option<Finding> {
    let default = snapshot.features.known().and_then(|features| features.default_ssl_mode.as_deref());
    let mode = mas.ssl_mode.as_deref().or(default)?;
    let by_default = if mas.ssl_mode.is_none() { ", this release's default" } else { "" };
    let mine = strength(mode)?;
    let subject = format!("{DATABASE}.sslMode");
    let synapse = snapshot.deployment.postgres("synapse").filter(|synapse| {
        let same = |host: &String| same_server(&mas.host, host, snapshot.deployment.namespace()) == Server::Same;
        synapse.host.as_ref().is_some_and(same)
    });
    let theirs = synapse.as_ref().and_then(|synapse| synapse.ssl_mode.as_deref());
    match theirs.and_then(strength) {
        Some(0) if mine >= REQUIRE => Some(
            Finding::warning(
                codes::DATABASE_TLS,
                subject,
                format!("MAS insists on TLS (sslmode {mode}{by_default}), but Synapse speaks to the same server without; where the server has no TLS, MAS cannot connect"),
            )
            .remedy("Turn TLS on at the server, or give MAS Synapse's mode: `kubectl ess-mas prepare --database-sslmode disable`."),
        ),
        Some(theirs_strength) if theirs_strength >= REQUIRE && mine < REQUIRE => Some(
            Finding::warning(
                codes::DATABASE_TLS,
                subject,
                format!("MAS may speak to the database unencrypted (sslmode {mode}{by_default}), where Synapse insists on TLS (sslmode {})", theirs.unwrap_or_default()),
            )
            .remedy("Use Synapse's mode for MAS: `kubectl ess-mas prepare --database-sslmode require` or stronger."),
        ),
        None if mine < REQUIRE && is_outside(&mas.host) => Some(
            Finding::warning(
                codes::DATABASE_TLS,
                subject,
                format!("MAS may speak to {} unencrypted (sslmode {mode}{by_default}), and that does not look like a server in this cluster", mas.host),
            )
            .remedy("Use `kubectl ess-mas prepare --database-sslmode require` or stronger, if the server has TLS."),
        ),
        // Whoever has Synapse so has decided about it.
        _ => None,
    }
}

/// Neither a Service's name nor an address of this machine.
fn is_outside(host: &str) -> bool {
    if let Some(address) = address(host) {
        return !address.is_loopback();
    }
    host.split('.').count() > 2 && host.split('.').nth(2) != Some("svc")
}

#[cfg(test)]
mod tests;
