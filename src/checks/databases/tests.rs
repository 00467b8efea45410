use serde_json::{Value, json};

use super::report::*;
use super::*;
use crate::answers::postgres::*;
use crate::checks::Known;
use crate::checks::snapshot::Snapshot;
use crate::checks::{Severity, tests::snapshot as object};
use crate::deployment::Features;
use crate::plan::{Database, MasSettings, Tls};

fn snapshot(change: impl FnOnce(&mut Value), ssl_mode: Option<&str>) -> Snapshot {
    let mut snapshot = object(change);
    snapshot.settings = Some(MasSettings {
        host: "auth.example.com".into(),
        database: Database {
            host: "db".into(),
            port: 5432,
            name: "mas".into(),
            user: "mas".into(),
            ssl_mode: ssl_mode.map(str::to_owned),
        },
        tls: Tls::Inherit,
        secret_name: "chat-mas".into(),
    });
    snapshot
}

fn expected() -> Expected {
    let oidc = json!([{"idpId": "01JABCDEFGHJKMNPQRSTVWXYZ0"}]);
    let snapshot = snapshot(
        |object| object["spec"]["components"]["synapse"]["config"]["delegatedAuth"] = json!({"oidc": oidc}),
        None,
    );
    Expected::of(&snapshot)
}

fn server(name: &str, oid: i64) -> Server {
    Server {
        version: Known::Known(150_018),
        tls: true,
        through_cluster: false,
        asked_password: true,
        prepared: false,
        timeouts: Known::Known(Vec::new()),
        standby: Known::Known(false),
        identity: Known::Known(Identity { system: Some("7".into()), started: "1".into(), oid, name: name.into() }),
        pooling: Pooling::None,
    }
}

fn mas() -> MasDatabase {
    MasDatabase {
        server: server("mas", 1),
        tables: Known::Known(Tables::default()),
        permissions: Known::Known(RolePermissions {
            schema: Some("public".into()),
            create_in_schema: true,
            create_in_database: true,
            superuser: false,
        }),
        trigram: Known::Known(Trigram { installed: false, available: true, trusted: Some(true) }),
        encoding: Known::Known("UTF8".into()),
        connections: Known::Known(Connections { of_server: 100, reserved: 3, used: 10, ..Connections::default() }),
    }
}

fn synapse() -> SynapseDatabase {
    SynapseDatabase {
        server: server("synapse", 2),
        is_synapses: Known::Known(true),
        guests: Known::Known(0),
        threepids: Known::Known(Vec::new()),
        providers: Known::Known(vec![("oidc-01JABCDEFGHJKMNPQRSTVWXYZ0".into(), 12)]),
        foreign: Known::Known(Foreign::default()),
        orphans: vec![("devices", Known::Known(0)), ("access_tokens", Known::Known(0))],
        no_login: Known::Known(0),
        sizes: Known::Known(vec![("users".into(), Some(120_000)), ("devices".into(), Some(1_080_000))]),
    }
}

/// The findings that are not ok for these values.
fn open(expected: &Expected, mas: MasDatabase, synapse: SynapseDatabase) -> Vec<(&'static str, Severity)> {
    let found = judge(expected, &Probed { mas: Ok(mas), synapse: Ok(synapse) });
    let open = found.iter().filter(|finding| finding.severity != Severity::Ok);
    open.map(|finding| (finding.code, finding.severity)).collect()
}

fn of_mas(change: impl FnOnce(&mut MasDatabase)) -> Vec<(&'static str, Severity)> {
    let mut seen = mas();
    change(&mut seen);
    open(&expected(), seen, synapse())
}

fn of_synapse(change: impl FnOnce(&mut SynapseDatabase)) -> Vec<(&'static str, Severity)> {
    let mut seen = synapse();
    change(&mut seen);
    open(&expected(), mas(), seen)
}

use Severity::{Blocker, Unknown, Warning};

#[test]
fn correct_databases_have_an_ok_finding_for_every_check() {
    let found = judge(&expected(), &Probed { mas: Ok(mas()), synapse: Ok(synapse()) });
    assert!(found.iter().all(|finding| finding.severity == Severity::Ok), "{found:#?}");
    for code in [
        "database-reachable",
        "database-login",
        "database-sslmode",
        "database-timeouts",
        "mas-database-is-synapses",
        "database-pooler",
        "mas-database-version",
        "mas-database-empty",
        "mas-database-rights",
        "mas-database-pg-trgm",
        "mas-database-encoding",
        "mas-database-connections",
        "synapse-database-guests",
        "synapse-database-threepids",
        "synapse-database-providers",
        "synapse-database-delegated",
        "synapse-database-server-name",
        "synapse-database-orphans",
        "synapse-database-no-login",
        "synapse-database-size",
    ] {
        assert!(found.iter().any(|finding| finding.code == code), "{code} is missing");
    }
    let size = found.iter().find(|finding| finding.code == "synapse-database-size").unwrap();
    assert!(
        size.message.contains("users 120 000, devices 1 080 000") && size.message.contains("2 minutes"),
        "{size:?}"
    );
}

#[test]
fn missing_settings_are_not_guessed() {
    let expected = expected();
    let (mas, synapse) = (expected.mas.clone().unwrap(), expected.synapse.clone().unwrap());
    assert_eq!((mas.words().as_str(), mas.mode, mas.mode_set), ("mas at db:5432", SslMode::Prefer, false));
    assert_eq!(mas.password, ("chat-mas".into(), "postgresPassword".into()));
    assert_eq!(
        (synapse.words().as_str(), synapse.mode, synapse.user.as_str()),
        ("synapse at db:5432", SslMode::Require, "s")
    );
    assert_eq!(synapse.password, ("synapse".into(), "postgresPassword".into()));
    assert_eq!(expected.providers, ["oidc-01JABCDEFGHJKMNPQRSTVWXYZ0"]);

    let mut by_schema = snapshot(|_| {}, None);
    let default_ssl_mode = Some("verify-full".to_owned());
    by_schema.features = Known::Known(Features { mas: true, active: true, default_ssl_mode, ..Features::default() });
    assert_eq!(Expected::of(&by_schema).mas.unwrap().mode, SslMode::VerifyFull);
    let strange = Expected::of(&snapshot(|_| {}, Some("encrypt")));
    assert!(strange.mas.unwrap_err().contains("encrypt"));
    for (host, why) in [("/run/postgresql", "socket"), ("a,b", "several hosts"), ("", "no host")] {
        let named = snapshot(
            |object| object["spec"]["components"]["synapse"]["config"]["postgresql"]["host"] = json!(host),
            None,
        );
        let error = Expected::of(&named).synapse.unwrap_err();
        assert!(error.contains(why), "{host}: {error}");
    }
    assert!(Expected::of(&object(|_| {})).mas.unwrap_err().contains("prepare"));
}

#[test]
fn shared_database_is_a_blocker_whatever_its_host_name() {
    assert_eq!(of_mas(|seen| seen.server = server("synapse", 2)), [("mas-database-is-synapses", Blocker)]);
    // A server that doesn't report its identifier is identified by its start time.
    let unnamed = |oid| Server {
        identity: Known::Known(Identity { system: None, started: "1".into(), oid, name: "synapse".into() }),
        ..server("synapse", oid)
    };
    assert_eq!(of_mas(|seen| seen.server = unnamed(2)), [("mas-database-is-synapses", Blocker)]);
    assert_eq!(of_mas(|seen| seen.server = unnamed(3)), []);
    let with_tables = Tables { synapses: true, all: 200, ..Tables::default() };
    assert_eq!(of_mas(|seen| seen.tables = Known::Known(with_tables)), [("mas-database-is-synapses", Blocker)]);
    let nothing = of_mas(|seen| {
        seen.server.identity = Known::Unreadable("no".into());
        seen.tables = Known::Unreadable("no".into());
    });
    assert_eq!(nothing, [("mas-database-is-synapses", Unknown), ("mas-database-empty", Unknown)]);
}

#[test]
fn database_of_mas_must_be_empty_and_separate() {
    let with = |tables: Tables| of_mas(|seen| seen.tables = Known::Known(tables));
    let own = Tables { migrations: true, all: 40, ..Tables::default() };
    let users = |rows| vec![("users", rows)];
    assert_eq!(with(Tables { present: users(Known::Known(false)), ..own.clone() }), []);
    assert_eq!(with(Tables { present: users(Known::Known(true)), ..own.clone() }), [("mas-database-empty", Blocker)]);
    assert_eq!(
        with(Tables { present: users(Known::Unreadable("no".into())), ..own.clone() }),
        [("mas-database-empty", Unknown)]
    );
    assert_eq!(
        with(Tables { present: users(Known::Known(false)), all: 1, ..Tables::default() }),
        [("mas-database-empty", Blocker)],
        "not MAS's"
    );
    assert_eq!(with(Tables { all: 3, ..Tables::default() }), [("mas-database-empty", Warning)]);
    assert_eq!(with(Tables { renamed: 8, ..own.clone() }), [("mas-database-empty", Warning)]);
    assert_eq!(with(Tables { of_others: 2, ..own.clone() }), [("mas-database-rights", Blocker)]);
    // After the migration, the users are expected.
    let mut migrated = expected();
    migrated.migrated = true;
    let mut seen = mas();
    seen.tables = Known::Known(Tables { present: users(Known::Known(true)), ..own });
    assert_eq!(open(&migrated, seen, SynapseDatabase { guests: Known::Known(3), ..synapse() }), []);
}

#[test]
fn permissions_extension_encoding_and_limits_are_checked() {
    let permissions = |schema: Option<&str>, create_in_schema, create_in_database| {
        of_mas(|seen| {
            seen.permissions = Known::Known(RolePermissions {
                schema: schema.map(str::to_owned),
                create_in_schema,
                create_in_database,
                superuser: false,
            });
        })
    };
    assert_eq!(permissions(Some("public"), true, true), []);
    assert_eq!(
        permissions(Some("public"), false, true),
        [("mas-database-rights", Blocker), ("mas-database-pg-trgm", Blocker)]
    );
    assert_eq!(permissions(None, false, true)[0], ("mas-database-rights", Blocker));
    assert_eq!(permissions(Some("public"), true, false), [("mas-database-pg-trgm", Blocker)]);
    let trigram = |trigram: Trigram| of_mas(|seen| seen.trigram = Known::Known(trigram));
    assert_eq!(trigram(Trigram { installed: true, ..Trigram::default() }), []);
    assert_eq!(trigram(Trigram::default()), [("mas-database-pg-trgm", Blocker)]);
    for trusted in [None, Some(false)] {
        assert_eq!(
            trigram(Trigram { available: true, trusted, ..Trigram::default() }),
            [("mas-database-pg-trgm", Blocker)]
        );
    }
    assert_eq!(of_mas(|seen| seen.encoding = Known::Known("SQL_ASCII".into())), [("mas-database-encoding", Warning)]);
    let limits = |connections: Connections| of_mas(|seen| seen.connections = Known::Known(connections));
    let good = Connections { of_server: 100, reserved: 3, used: 77, ..Connections::default() };
    assert_eq!(limits(good.clone()), []);
    let warning = [("mas-database-connections", Warning)];
    assert_eq!(limits(Connections { used: 78, ..good.clone() }), warning);
    assert_eq!(limits(Connections { of_role: Some(19), ..good.clone() }), warning);
    assert_eq!(limits(Connections { of_database: Some(0), ..good.clone() }), warning);
    assert_eq!(limits(Connections { of_role: Some(20), of_database: Some(20), ..good }), []);
    assert_eq!(of_mas(|seen| seen.server.version = Known::Known(120_022)), [("mas-database-version", Warning)]);
    assert_eq!(of_mas(|seen| seen.server.standby = Known::Known(true)), [("database-login", Blocker)]);
}

#[test]
fn session_is_checked_for_tls_pooling_and_password() {
    let with = |change: fn(&mut Server)| of_mas(|seen| change(&mut seen.server));
    assert_eq!(with(|server| server.tls = false), [("database-sslmode", Warning)], "prefer");
    assert_eq!(with(|server| server.asked_password = false), [("database-login", Unknown)]);
    assert_eq!(with(|server| server.prepared = true), [("database-login", Blocker)]);
    assert_eq!(
        with(|server| server.timeouts = Known::Known(vec![("statement_timeout".into(), 1)])),
        [("database-timeouts", Warning)]
    );
    assert_eq!(with(|server| server.timeouts = Known::Unreadable("x".into())), [("database-timeouts", Unknown)]);
    assert_eq!(with(|server| server.pooling = Pooling::BySession), []);
    assert_eq!(with(|server| server.pooling = Pooling::ByTransaction), [("database-pooler", Blocker)]);
    let of_synapse = of_synapse(|seen| seen.server.pooling = Pooling::ByTransaction);
    assert_eq!(of_synapse, [("database-pooler", Warning)]);
    assert_eq!(with(|server| server.pooling = Pooling::Unclear("x".into())), [("database-pooler", Warning)]);
}

#[test]
fn each_failure_has_a_code_a_severity_and_a_remedy() {
    let refused =
        |state: &str, message: &str| ProbeError::Refused(Refusal { state: state.into(), message: message.into() });
    for (trouble, code, severity) in [
        (ProbeError::NotAsked("x".into()), "database-login", Unknown),
        (ProbeError::NoWay("x".into()), "database-reachable", Unknown),
        (ProbeError::TimedOut, "database-reachable", Unknown),
        (ProbeError::Lost("x".into()), "database-reachable", Unknown),
        (ProbeError::NotPostgres("x".into()), "database-reachable", Blocker),
        (ProbeError::NoTls, "database-sslmode", Blocker),
        (ProbeError::Certificate("x".into()), "database-sslmode", Warning),
        (ProbeError::InClear, "database-login", Unknown),
        (refused("28P01", "password authentication failed"), "database-login", Blocker),
        (refused("28000", "no pg_hba.conf entry for host"), "database-login", Unknown),
        (refused("28000", "role \"mas\" is not permitted to log in"), "database-login", Blocker),
        (refused("28000", "role \"mas\" does not exist"), "database-login", Blocker),
        (refused("3D000", "database \"mas\" does not exist"), "database-login", Blocker),
        (refused("42501", "permission denied for database"), "database-login", Blocker),
        (refused("53300", "too many connections"), "database-login", Blocker),
        (refused("57P03", "the database system is starting up"), "database-login", Unknown),
        (refused("08P01", "no such database"), "database-login", Unknown),
        (ProbeError::RefusedPrepared("password authentication failed".into()), "database-login", Unknown),
        (refused("08P01", "unsupported startup parameter: extra_float_digits"), "database-pooler", Blocker),
        (refused("08P01", "Unsupported startup parameter in options: x"), "database-pooler", Blocker),
        (refused("08P01", "transaction blocks not allowed in statement pooling mode"), "database-pooler", Blocker),
    ] {
        let answers = Probed { mas: Err(trouble.clone()), synapse: Ok(synapse()) };
        let found = judge(&expected(), &answers);
        let found: Vec<_> = found.iter().filter(|finding| finding.severity != Severity::Ok).collect();
        assert_eq!(found.len(), 1, "{trouble:?}: {found:#?}");
        assert_eq!((found[0].code, found[0].severity), (code, severity), "{trouble:?}");
        if let ProbeError::Refused(refusal) = &trouble {
            assert!(found[0].message.contains(&refusal.message), "{trouble:?}");
        }
    }
    let found = judge(&expected(), &Probed { mas: Ok(mas()), synapse: Err(ProbeError::NoWay("x".into())) });
    let remedy = found.iter().find_map(|finding| finding.remedy.as_ref()).unwrap();
    assert!(remedy.contains("kubectl ess-mas check --databases --through-cluster"), "{remedy}");
}

/// The first finding that is not ok, and its remedy.
fn first(mas: Result<MasDatabase, ProbeError>, synapse: Result<SynapseDatabase, ProbeError>) -> (String, String) {
    let found = judge(&expected(), &Probed { mas, synapse });
    (found[0].message.clone(), found[0].remedy.clone().unwrap_or_default())
}

#[test]
fn password_that_saslprep_changes_is_reported_with_a_remedy() {
    let seen = |prepared| MasDatabase { server: Server { prepared, ..server("mas", 1) }, ..mas() };
    for (text, remedy) in [
        first(Ok(seen(true)), Ok(synapse())),
        first(Err(ProbeError::RefusedPrepared("no".into())), Ok(synapse())),
        first(
            Ok(mas()),
            Ok(SynapseDatabase { server: Server { prepared: true, ..server("synapse", 2) }, ..synapse() }),
        ),
    ] {
        assert!(text.contains("SASLprep") && text.contains("MAS and syn2mas send its bytes unchanged"), "{text}");
        assert!(remedy.contains("Choose a password of ASCII letters and digits"), "{remedy}");
    }
}

#[test]
fn pooler_is_named_by_its_error_message() {
    for (words, name) in [
        ("unsupported startup parameter: extra_float_digits", "PgBouncer"),
        ("no such database: mas", "PgBouncer"),
        ("no more connections allowed (max_client_conn)", "PgBouncer"),
        ("server login has been failing, try again later (server_login_retry)", "PgBouncer"),
        ("unsupported startup parameter in options: x. More details: https://neon.tech/docs", "Neon's pooler"),
        ("No pool configured for database: \"mas\", user: \"mas\"", "pgcat"),
        ("could not get connection from the pool - AllServersDown", "pgcat"),
        (
            "This RDS Proxy has no credentials for the role mas. Check the credentials for this role and try again.",
            "Amazon RDS Proxy",
        ),
        ("Tenant or user not found", "Supavisor"),
        (
            "MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size",
            "Supavisor",
        ),
        ("odyssey: c1a2b3: route for 'mas.mas' is not found", "Odyssey"),
        ("pgpool is not accepting any new connections", "Pgpool-II"),
    ] {
        let refusal = ProbeError::Refused(Refusal { state: "08P01".into(), message: words.into() });
        let (text, remedy) = first(Err(refusal), Ok(synapse()));
        assert!(
            text.contains(&format!("{name}, a connection pooler, responds at db:5432")) && text.contains(words),
            "{text}"
        );
        for word in ["session pooling", "ignore_startup_parameters = extra_float_digits", "the direct address"] {
            assert!(remedy.contains(word), "{remedy}");
        }
    }
    let own = ProbeError::Refused(Refusal { state: "3D000".into(), message: "database \"mas\" does not exist".into() });
    let (text, _) = first(Err(own), Ok(synapse()));
    assert!(!text.contains("pooler"), "{text}");
    let of_synapse = ProbeError::Refused(Refusal {
        state: "08P01".into(),
        message: "unsupported startup parameter: extra_float_digits".into(),
    });
    let found = judge(&expected(), &Probed { mas: Ok(mas()), synapse: Err(of_synapse) });
    assert_eq!((found[0].code, found[0].severity), ("database-pooler", Warning), "Synapse itself does not send it");
}

#[test]
fn time_limits_are_reported_with_the_sql_that_removes_them() {
    let timeouts =
        Known::Known(vec![("idle_in_transaction_session_timeout".into(), 1500), ("statement_timeout".into(), 30_000)]);
    let (text, remedy) = first(
        Ok(MasDatabase { server: Server { timeouts: timeouts.clone(), ..server("mas", 1) }, ..mas() }),
        Ok(synapse()),
    );
    assert!(text.contains("idle_in_transaction_session_timeout is 1500 ms, statement_timeout is 30 s"), "{text}");
    assert!(remedy.contains("ALTER ROLE \"mas\" SET statement_timeout = 0;"), "{remedy}");
    let mut migrated = expected();
    migrated.migrated = true;
    let seen = SynapseDatabase { server: Server { timeouts, ..server("synapse", 2) }, ..synapse() };
    assert_eq!(open(&migrated, mas(), seen), []);
}

#[test]
fn rows_that_make_syn2mas_fail_are_found() {
    assert_eq!(of_synapse(|seen| seen.is_synapses = Known::Known(false)), [("synapse-database-tables", Blocker)]);
    assert_eq!(
        of_synapse(|seen| seen.is_synapses = Known::Unreadable("no".into())),
        [("synapse-database-tables", Unknown)]
    );
    assert_eq!(of_synapse(|seen| seen.guests = Known::Known(1)), [("synapse-database-guests", Warning)]);
    assert_eq!(
        of_synapse(|seen| seen.threepids = Known::Known(vec![("msisdn".into(), 4)])),
        [("synapse-database-threepids", Warning)]
    );
    assert_eq!(
        of_synapse(|seen| seen.foreign = Known::Known(Foreign { people: 1, services: 0 })),
        [("synapse-database-server-name", Blocker)]
    );
    assert_eq!(
        of_synapse(|seen| seen.foreign = Known::Known(Foreign { people: 0, services: 1 })),
        [("synapse-database-server-name", Warning)]
    );
    assert_eq!(of_synapse(|seen| seen.orphans[1].1 = Known::Known(2)), [("synapse-database-orphans", Blocker)]);
    assert_eq!(
        of_synapse(|seen| seen.orphans[0].1 = Known::Unreadable("permission denied".into())),
        [("synapse-database-orphans", Unknown)]
    );
    assert_eq!(of_synapse(|seen| seen.no_login = Known::Known(2)), [("synapse-database-no-login", Warning)]);
    let all_unread = of_synapse(|seen| {
        let no = || "no".to_owned();
        seen.guests = Known::Unreadable(no());
        seen.threepids = Known::Unreadable(no());
        seen.providers = Known::Unreadable(no());
        seen.foreign = Known::Unreadable(no());
        seen.no_login = Known::Unreadable(no());
        seen.sizes = Known::Unreadable(no());
    });
    assert!(all_unread.len() == 6 && all_unread.iter().all(|(_, severity)| *severity == Unknown), "{all_unread:?}");
}

#[test]
fn providers_in_use_are_compared_with_the_configured_ones() {
    let with = |names: &[&str]| {
        of_synapse(|seen| seen.providers = Known::Known(names.iter().map(|name| ((*name).to_owned(), 3)).collect()))
    };
    assert_eq!(with(&[]), []);
    assert_eq!(with(&["oidc-01JABCDEFGHJKMNPQRSTVWXYZ0"]), []);
    for strange in ["saml", "cas", "oidc", "oidc-gone"] {
        assert_eq!(with(&[strange]), [("synapse-database-providers", Blocker)], "{strange}");
    }
    assert_eq!(with(&["oauth-delegated"]), [("synapse-database-delegated", Blocker)]);
    // Other providers may be configured in settings that are not read; SAML's are never accepted.
    let mut free_form = expected();
    free_form.more_providers = true;
    let used = |name: &str| SynapseDatabase { providers: Known::Known(vec![(name.into(), 3)]), ..synapse() };
    assert_eq!(open(&free_form, mas(), used("oidc-gone")), [("synapse-database-providers", Unknown)]);
    assert_eq!(open(&free_form, mas(), used("saml")), [("synapse-database-providers", Blocker)]);
    let many: Vec<String> = (0..30).map(|number| format!("oidc-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let found = judge(
        &expected(),
        &Probed {
            mas: Ok(mas()),
            synapse: Ok(SynapseDatabase {
                providers: Known::Known(many.iter().map(|name| ((*name).to_owned(), 1)).collect()),
                ..synapse()
            }),
        },
    );
    let told = found.iter().find(|finding| finding.code == "synapse-database-providers").unwrap();
    assert!(told.message.contains("and 18 more"), "{told:?}");
}

#[test]
fn users_of_ldap_are_not_reported_as_locked_out() {
    let mut ldap = expected();
    ldap.ldap = true;
    let seen = SynapseDatabase { no_login: Known::Known(40), ..synapse() };
    let found = judge(&ldap, &Probed { mas: Ok(mas()), synapse: Ok(seen) });
    let told = found.iter().find(|finding| finding.code == "synapse-database-no-login").unwrap();
    assert!(told.message.contains("LDAP") && !told.message.contains("can't log in after the migration;"), "{told:?}");
}

#[test]
fn large_numbers_have_separators() {
    assert_eq!([0, 999, 1000, 1_234_567, -1000].map(thousands), ["0", "999", "1 000", "1 234 567", "-1 000"]);
    assert_eq!(count(1, "user", "users"), "1 user");
    assert_eq!(synapse::copying_seconds(0), 1);
    assert_eq!(synapse::copying_seconds(1_000_000), 100);
}

#[test]
fn every_row_of_the_table_is_used_and_every_placeholder_has_a_value() {
    let sources =
        [include_str!("login.rs"), include_str!("mas.rs"), include_str!("synapse.rs"), include_str!("report.rs")];
    crate::checks::tests::assert_complete(&report::TABLE, &sources);
}
