//! Equal databases, poolers, and TLS.

use serde_json::{Value, json};

use super::super::super::finding::Severity;
use super::*;
use crate::answers::Known;
use crate::checks::Components;
use crate::deployment::{Deployment, Features};
use crate::plan::Tls;

fn snapshot(postgres: Value) -> Snapshot {
    let object = json!({
        "metadata": {"name": "chat", "namespace": "n", "uid": "u", "resourceVersion": "1"},
        "spec": {"components": {"synapse": {"config": {"postgresql": postgres}},
                                "integrator": {"config": {"postgresql": {"host": "db", "database": "integrator"}}}}}});
    Snapshot {
        deployment: Deployment::from_value(object).unwrap(),
        features: Known::Known(Features { default_ssl_mode: Some("require".into()), ..Features::default() }),
        secret: Known::Known(None),
        record: Known::Known(None),
        settings: None,
        chart: None,
        environment: crate::checks::Environment::default(),
        components: Components::default(),
    }
}

fn settings(host: &str, port: u16, name: &str, mode: Option<&str>) -> MasSettings {
    let database =
        Database { host: host.into(), port, name: name.into(), user: "mas".into(), ssl_mode: mode.map(str::to_owned) };
    MasSettings { host: "auth.example.com".into(), database, tls: Tls::External, secret_name: "s".into() }
}

fn found(postgres: Value, settings: &MasSettings) -> Vec<(&'static str, Severity)> {
    let mut findings = Vec::new();
    check(&snapshot(postgres), settings, &mut findings);
    findings.into_iter().map(|finding| (finding.code, finding.severity)).collect()
}

#[test]
fn names_of_one_server_are_recognised() {
    use Server::{Another, Perhaps, Same};
    for (one, other, wanted) in [
        ("db", "DB.", Same),
        ("db", "db.n", Same),
        ("db", "db.n.svc", Same),
        ("db", "db.n.svc.cluster.local", Same),
        ("db.n", "db.n.svc.cluster.local.", Same),
        ("db.n.svc", "db.n.svc.k8s.example.com", Same),
        ("db", "db.other.svc", Another),
        ("db.n", "db.other", Another),
        ("db", "db.example.com", Perhaps),
        ("db.example.com", "db.example.org", Another),
        ("db", "dbx.example.com", Another),
        ("pg-1.example.com", "pg-2.example.com", Another),
        ("10.0.0.5", "10.0.0.5", Same),
        ("10.0.0.5", "10.0.0.6", Another),
        ("10.0.0.5", "db.example.com", Perhaps),
        ("localhost", "127.0.0.1", Same),
        ("[2001:db8::1]", "2001:db8:0:0::1", Same),
    ] {
        assert_eq!(same_server(one, other, "n"), wanted, "{one} {other}");
        assert_eq!(same_server(other, one, "n"), wanted, "{other} {one}");
    }
}

#[test]
fn database_of_another_component_is_reported() {
    use Severity::{Blocker, Warning};
    let shared = |host: &str, port: u16, name: &str| {
        let synapse = json!({"host": "db.n.svc", "database": "synapse", "sslMode": "require"});
        found(synapse, &settings(host, port, name, None))
    };
    assert_eq!(shared("db", 5432, "mas"), []);
    assert_eq!(shared("db", 5432, "synapse"), [("mas-database-is-synapses", Blocker)]);
    assert_eq!(shared("db", 5432, "integrator"), [("mas-database-is-synapses", Blocker)]);
    assert_eq!(shared("db", 5432, "Synapse"), [], "PostgreSQL tells the case of names apart here");
    assert_eq!(shared("db", 5433, "synapse"), [("mas-database-is-synapses", Warning)]);
    assert_eq!(shared("10.1.2.3", 5432, "synapse"), [("mas-database-is-synapses", Warning)]);
    assert_eq!(shared("pg.example.com", 5432, "synapse"), [], "another server may have a database of that name");
}

#[test]
fn poolers_are_recognised_by_port_and_name() {
    for (host, port, is) in [
        ("db", 5432, false),
        ("db", 6432, true),
        ("pgbouncer.n.svc", 5432, true),
        ("pg-pooler-rw", 5432, true),
        ("pgpool2", 5432, true),
        ("pool.example.com", 5432, true),
        ("liverpool.example.com", 5432, false),
        ("spool", 5432, false),
    ] {
        assert_eq!(is_pooler(host, port), is, "{host}:{port}");
    }
    let synapse = json!({"host": "db", "database": "synapse", "sslMode": "require"});
    assert_eq!(found(synapse, &settings("db", 6432, "mas", None)), [("database-pooler", Severity::Warning)]);
}

#[test]
fn tls_to_the_database_follows_synapses() {
    let modes = |synapse: Value, host: &str, mode: Option<&str>| {
        let found =
            found(json!({"host": "db", "database": "s", "sslMode": synapse}), &settings(host, 5432, "mas", mode));
        found.iter().filter(|(code, _)| *code == "mas-database-tls").count()
    };
    // The schema's default is `require`.
    assert_eq!(modes(json!("require"), "db", None), 0);
    assert_eq!(modes(json!("disable"), "db", None), 1, "the server seems to have no TLS");
    assert_eq!(modes(json!("disable"), "db", Some("disable")), 0);
    assert_eq!(modes(json!("require"), "db", Some("prefer")), 1, "weaker than Synapse's");
    assert_eq!(modes(json!("disable"), "other", None), 0, "another server is another matter");
    assert_eq!(modes(json!("require"), "pg.example.com", Some("disable")), 1, "unencrypted, and not in this cluster");
    assert_eq!(modes(json!("require"), "other.n.svc", Some("disable")), 0);
    assert_eq!(modes(json!("require"), "other", Some("strange")), 0);
}

#[test]
fn settings_that_syn2mas_ignores_are_reported() {
    let told = |postgres: Value| {
        let mut findings = Vec::new();
        synapses(&snapshot(postgres), &mut findings);
        findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(told(json!({"host": "db", "sslMode": "require"})), [] as [&str; 0]);
    assert_eq!(told(json!({"host": "db", "sslMode": "verify-full"})), ["synapse-database-tls"]);
    assert_eq!(told(json!({"host": "db", "port": 6432})), ["database-pooler"]);
}

/// `\password "synapse"` for MAS would change Synapse's password.
#[test]
fn role_of_another_component_is_reported() {
    use Severity::{Blocker, Warning};
    let shared = |host: &str, port: u16, user: &str| {
        let synapse = json!({"host": "db.n.svc", "database": "synapse", "user": "synapse", "sslMode": "require"});
        let mut settings = settings(host, port, "mas", None);
        settings.database.user = user.into();
        found(synapse, &settings)
    };
    assert_eq!(shared("db", 5432, "mas"), []);
    for spelling in ["db", "DB.n", "db.n.svc", "db.n.svc.cluster.local."] {
        assert_eq!(shared(spelling, 5432, "synapse"), [("mas-database-role", Blocker)], "{spelling}");
    }
    assert_eq!(shared("db", 5433, "synapse"), [("mas-database-role", Warning)]);
    assert_eq!(shared("10.1.2.3", 5432, "synapse"), [("mas-database-role", Warning)]);
    assert_eq!(shared("pg.example.com", 5432, "synapse"), [], "another server may have a role of that name");
}

#[test]
fn loopback_host_is_a_blocker() {
    for (host, is) in [
        ("localhost", true),
        ("LOCALHOST.", true),
        ("pg.localhost", true),
        ("127.0.0.1", true),
        ("127.1.2.3", true),
        ("::1", true),
        ("0:0:0:0:0:0:0:1", true),
        ("::ffff:127.0.0.1", true),
        ("0.0.0.0", true),
        ("::", true),
        ("10.0.0.1", false),
        ("2001:db8::1", false),
        ("localhost.example.com", false),
        ("db", false),
    ] {
        let codes = found(json!({}), &settings(host, 5432, "mas", Some("require")));
        assert_eq!(codes.contains(&("mas-database-host", Severity::Blocker)), is, "{host}");
    }
}
