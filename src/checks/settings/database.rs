//! The settings of both databases: shared databases and roles, hosts, poolers and TLS.

use std::net::IpAddr;

use super::super::finding::Finding;
use super::super::snapshot::Snapshot;
use crate::answers::postgres::{MAS_PATH, PORT, SYNAPSE_PATH, SslMode};
use crate::deployment::route::service_of;
use crate::deployment::{MAS, Postgres};
use crate::plan::{Database, MasSettings};

pub(super) fn check(snapshot: &Snapshot, settings: &MasSettings, findings: &mut Vec<Finding>) {
    let deployment = &snapshot.deployment;
    let mas = &settings.database;
    for (component, _) in deployment.components().filter(|(name, _)| *name != MAS) {
        if let Some(other) = deployment.postgres(component) {
            findings.extend(shared(mas, component, &other, deployment.namespace()));
        }
    }
    if is_the_pod(&mas.host) {
        findings.push(Finding::of("loopback", MAS_PATH, &[("host", &mas.host)]));
    }
    findings.extend(pooler(MAS_PATH, &mas.host, mas.port, "MAS"));
    findings.extend(tls(snapshot, mas));
}

/// Checks Synapse's database settings. Of these, syn2mas reads only host, port, user, password and database.
pub(super) fn synapses(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let Some(synapse) = snapshot.deployment.postgres("synapse") else { return };
    if let Some(mode) = synapse.ssl_mode.as_deref().filter(|mode| mode.starts_with("verify-")) {
        findings.push(Finding::of("synapse-tls", format!("{SYNAPSE_PATH}.sslMode"), &[("mode", mode)]));
    }
    let port = synapse.port.unwrap_or(PORT);
    findings.extend(synapse.host.as_deref().and_then(|host| pooler(SYNAPSE_PATH, host, port, "syn2mas")));
}

/// Whether two host names belong to the same server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Same,
    /// Only the cluster's DNS can answer it.
    Perhaps,
    Another,
}

/// Reports a database or a role that MAS shares with another component.
fn shared(mas: &Database, component: &str, other: &Postgres, namespace: &str) -> Vec<Finding> {
    let Some(host) = &other.host else { return Vec::new() };
    let whose = if component == "synapse" { "Synapse's".to_owned() } else { format!("{component}'s") };
    let at = &mas.host;
    let ports = (mas.port, other.port.unwrap_or(PORT));
    let (sure, why) = match same_server(at, host, namespace) {
        Server::Same if ports.0 == ports.1 => (true, String::new()),
        Server::Same => {
            (false, format!("only the ports differ ({} and {}), and one of them can be a pooler's", ports.0, ports.1))
        }
        Server::Perhaps => (false, format!("{at} and {host} can be names of one server")),
        Server::Another => return Vec::new(),
    };
    let finding = |names: [&str; 2], name: &Option<String>, ours: &String| {
        let name = name.as_ref().filter(|name| *name == ours)?;
        let values = [("name", name.as_str()), ("at", at), ("whose", &whose), ("why", &why), ("component", component)];
        Some(Finding::of(names[usize::from(!sure)], MAS_PATH, &values))
    };
    let database = finding(["same-database", "perhaps-same-database"], &other.database, &mas.name);
    let role = finding(["same-role", "perhaps-same-role"], &other.user, &mas.user);
    database.into_iter().chain(role).collect()
}

/// Compares two hosts. A Service can be written as `db`, `db.ns`, `db.ns.svc` and `db.ns.svc.cluster.local`, each with a trailing dot.
fn same_server(one: &str, other: &str, namespace: &str) -> Server {
    let normal = |host: &str| host.trim().trim_end_matches('.').to_ascii_lowercase();
    let (a, b) = (normal(one), normal(other));
    if a == b {
        return Server::Same;
    }
    match (address(&a), address(&b)) {
        (Some(a), Some(b)) => return if a == b { Server::Same } else { Server::Another },
        (None, None) => {}
        // A name and an address can belong to one server.
        _ => return Server::Perhaps,
    }
    if let (Some(a), Some(b)) = (service_of(&a, namespace), service_of(&b, namespace))
        && a == b
    {
        return Server::Same;
    }
    let (short, long) = if a.len() < b.len() { (&a, &b) } else { (&b, &a) };
    // The cluster's DNS also completes short names with search domains that are unknown here.
    let completes = !short.contains('.') && long.strip_prefix(short.as_str()).is_some_and(|rest| rest.starts_with('.'));
    let is_service = long.split('.').nth(2) == Some("svc");
    if completes && !is_service { Server::Perhaps } else { Server::Another }
}

/// Whether a host is `localhost`, a loopback address or the unspecified address.
fn is_the_pod(host: &str) -> bool {
    let host = host.trim().trim_end_matches('.').to_ascii_lowercase();
    let by_name = ["localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"].contains(&host.as_str());
    let is_own = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    by_name || host.ends_with(".localhost") || address(&host).is_some_and(|address| is_own(address.to_canonical()))
}

fn address(host: &str) -> Option<IpAddr> {
    if host == "localhost" {
        return Some(IpAddr::from([127, 0, 0, 1]));
    }
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether port or name are typical of a pooler. Transaction pooling breaks the advisory locks of syn2mas and MAS.
fn is_pooler(host: &str, port: u16) -> bool {
    let host = host.to_ascii_lowercase();
    let is_typical = |word: &str| match word {
        "pool" | "pooler" | "pooling" | "pgcat" => true,
        _ => word.contains("bouncer") || word.starts_with("pgpool"),
    };
    port == 6432 || host.split(|c: char| !c.is_ascii_alphanumeric()).any(is_typical)
}

fn pooler(place: &str, host: &str, port: u16, who: &str) -> Option<Finding> {
    is_pooler(host, port).then(|| Finding::of("pooler", place, &[("host", &format!("{host}:{port}")), ("who", who)]))
}

fn tls(snapshot: &Snapshot, mas: &Database) -> Option<Finding> {
    let default = snapshot.features.known().and_then(|features| features.default_ssl_mode.as_deref());
    let mode = mas.ssl_mode.as_deref().or(default)?;
    let shown = format!("{mode}{}", if mas.ssl_mode.is_none() { ", this release's default" } else { "" });
    let insists = SslMode::parse(mode)? >= SslMode::Require;
    let same = |host: &String| same_server(&mas.host, host, snapshot.deployment.namespace()) == Server::Same;
    let synapse = snapshot.deployment.postgres("synapse").filter(|synapse| synapse.host.as_ref().is_some_and(same));
    let theirs = synapse.and_then(|synapse| SslMode::parse(&synapse.ssl_mode?));
    let name = match theirs {
        Some(SslMode::Disable) if insists => "tls-only-mas",
        Some(theirs) if theirs >= SslMode::Require && !insists => "tls-only-synapse",
        None if !insists && is_outside(&mas.host) => "no-tls-outside",
        // Synapse connects in the same way.
        _ => return None,
    };
    let values = [("mode", shown.as_str()), ("theirs", theirs.map_or("", SslMode::word)), ("host", &mas.host)];
    Some(Finding::of(name, format!("{MAS_PATH}.sslMode"), &values))
}

/// Whether a host is neither a Service nor a loopback address.
fn is_outside(host: &str) -> bool {
    if let Some(address) = address(host) {
        return !address.is_loopback();
    }
    host.split('.').count() > 2 && host.split('.').nth(2) != Some("svc")
}

#[cfg(test)]
mod tests;
