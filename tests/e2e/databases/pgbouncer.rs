//! PgBouncer in front of a PostgreSQL of this test. Tested with 1.15, 1.18 and 1.24 (Debian 11, 12 and 13).

use ess_mas::answers::postgres::{ConnectionSettings, Pooling, ProbeError, Refusal, SslMode};
use ess_mas::checks::databases::{Expected, Probed, judge};
use ess_mas::checks::{Finding, Severity};

use super::queries::{PASSWORD, ask, place, server};
use super::server::ROOT;

const IGNORE: &str = "ignore_startup_parameters = extra_float_digits";

/// The finding about a pooler among the findings about MAS's database.
async fn about_pooler(place: ConnectionSettings) -> Finding {
    let mas = ask(&place, PASSWORD, None).await;
    let expected = Expected {
        mas: Ok(place),
        synapse: Err("not asked here".to_owned()),
        server_name: None,
        providers: Vec::new(),
        more_providers: false,
        ldap: false,
        migrated: false,
    };
    let answers = Probed { mas, synapse: Err(ProbeError::NotAsked("not asked here".to_owned())) };
    let found = judge(&expected, &answers);
    found.into_iter().find(|one| one.code == "database-pooler").unwrap_or_else(|| panic!("{answers:?}"))
}

#[tokio::test]
async fn pgbouncer_is_reported_with_its_pooling_mode() {
    let Some(mut server) = server(true).await else { return };
    let users = server.file("users.txt", &format!("\"mas\" \"{PASSWORD}\"\n\"root_of_all\" \"{ROOT}\"\n"));
    let login = format!("auth_file = {users}");
    let at = |port| place("db.example.com", port, "mas", "mas", SslMode::Prefer);
    let Some(session) = server.pgbouncer("session", &format!("{login}\n{IGNORE}\npool_mode = session")).await else {
        println!("SKIPPED: PgBouncer is not installed");
        return;
    };
    let said = ask(&at(session), PASSWORD, None).await.unwrap();
    assert_eq!(said.server.pooling, Pooling::BySession);
    assert!(said.tables.known().is_some() && said.server.timeouts.known().is_some());
    assert_eq!(about_pooler(at(session)).await.severity, Severity::Ok);
    assert_eq!(about_pooler(at(server.port)).await.severity, Severity::Ok, "without one");
    assert_eq!(ask(&at(server.port), PASSWORD, None).await.unwrap().server.pooling, Pooling::None);
    let wrong = ask(&at(session), "wrong", None).await;
    assert!(matches!(&wrong, Err(ProbeError::Refused(Refusal { state, .. })) if state == "28P01"), "{wrong:?}");
    let nowhere = ask(&place("db", session, "nowhere", "mas", SslMode::Prefer), PASSWORD, None).await;
    assert!(matches!(nowhere, Err(ProbeError::Refused(_))), "{nowhere:?}");

    let transaction = format!("{login}\n{IGNORE}\npool_mode = transaction");
    let transaction = server.pgbouncer("transaction", &transaction).await.unwrap();
    assert_eq!(ask(&at(transaction), PASSWORD, None).await.unwrap().server.pooling, Pooling::ByTransaction);
    let one = format!("{login}\n{IGNORE}\npool_mode = transaction\ndefault_pool_size = 1");
    let one = server.pgbouncer("one", &one).await.unwrap();
    let pooling = ask(&at(one), PASSWORD, None).await.unwrap().server.pooling;
    assert_eq!(pooling, Pooling::ByTransaction, "one process of the server for all");
    let found = about_pooler(at(transaction)).await;
    assert!(found.severity == Severity::Blocker && found.message.contains("transaction pooling"), "{found:?}");

    let statement = format!("{login}\n{IGNORE}\npool_mode = statement");
    let statement = server.pgbouncer("statement", &statement).await.unwrap();
    let found = about_pooler(at(statement)).await;
    assert!(
        found.severity == Severity::Blocker
            && found.message.contains("PgBouncer")
            && found.message.contains("statement pooling"),
        "{found:?}"
    );

    // With the default configuration it refuses MAS's startup parameters.
    let strict = server.pgbouncer("strict", &format!("{login}\npool_mode = session")).await.unwrap();
    let found = about_pooler(at(strict)).await;
    assert!(found.severity == Severity::Blocker && found.message.contains("PgBouncer"), "{found:?}");
    assert!(found.remedy.unwrap().contains("ignore_startup_parameters = extra_float_digits"));

    // It reads the role's verifier from the server.
    let root = server.file("root.txt", &format!("\"root_of_all\" \"{ROOT}\"\n"));
    let by_query = format!("auth_file = {root}\nauth_user = root_of_all\n{IGNORE}\npool_mode = session");
    let by_query = server.pgbouncer("by_query", &by_query).await.unwrap();
    let said = ask(&at(by_query), PASSWORD, None).await.unwrap();
    assert!(said.server.asked_password && said.server.pooling == Pooling::BySession, "{:?}", said.server);
}

/// As its manual recommends: over TLS on both sides, and a role without rights that may only call a function for verifiers.
#[tokio::test]
async fn pgbouncer_with_tls_and_verifiers_of_scram_is_asked_like_the_server() {
    let Some(mut server) = server(true).await else { return };
    let lookup = format!(
        "CREATE ROLE pooler LOGIN PASSWORD '{ROOT}';\nCREATE SCHEMA pgbouncer;\nGRANT USAGE ON SCHEMA pgbouncer TO pooler;\n\
         CREATE FUNCTION pgbouncer.get_auth(name text) RETURNS TABLE(usename name, passwd text) LANGUAGE sql SECURITY DEFINER \
         AS 'SELECT rolname, rolpassword FROM pg_authid WHERE rolname = $1 AND rolcanlogin';\n\
         REVOKE ALL ON FUNCTION pgbouncer.get_auth(text) FROM public;\n\
         GRANT EXECUTE ON FUNCTION pgbouncer.get_auth(text) TO pooler;\n"
    );
    server.sql("mas", &lookup).await;
    let client = server.connect("mas").await.unwrap();
    let stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'mas'";
    let stored: String = client.query_one(stored, &[]).await.unwrap().get(0);
    assert!(stored.starts_with("SCRAM-SHA-256$"), "the server stores no passwords");

    let tls = format!("{}\nserver_tls_sslmode = require\n{IGNORE}", server.pgbouncer_tls());
    let pooler = server.file("pooler.txt", &format!("\"pooler\" \"{ROOT}\"\n"));
    let by_query = format!(
        "auth_file = {pooler}\nauth_user = pooler\n\
         auth_query = SELECT usename, passwd FROM pgbouncer.get_auth($1)\n{tls}\npool_mode = session"
    );
    let Some(by_query) = server.pgbouncer("by_query_tls", &by_query).await else {
        println!("SKIPPED: PgBouncer is not installed");
        return;
    };
    let verifiers = server.file("verifiers.txt", &format!("\"mas\" \"{stored}\"\n"));
    let by_transaction = format!("auth_file = {verifiers}\n{tls}\npool_mode = transaction");
    let by_transaction = server.pgbouncer("verifiers", &by_transaction).await.unwrap();
    let roots = server.roots();
    let at = |port, host: &str, mode| place(host, port, "mas", "mas", mode);
    for (port, pooling) in [(by_query, Pooling::BySession), (by_transaction, Pooling::ByTransaction)] {
        let by_name = at(port, "db.example.com", SslMode::VerifyFull);
        let said = ask(&by_name, PASSWORD, Some(&roots)).await.unwrap();
        assert!(said.server.tls && said.server.asked_password && said.tables.known().is_some(), "{:?}", said.server);
        assert_eq!(said.server.pooling, pooling);
        let wrong = ask(&by_name, "wrong", Some(&roots)).await;
        assert!(matches!(&wrong, Err(ProbeError::Refused(Refusal { state, .. })) if state == "28P01"), "{wrong:?}");
        let other = ask(&at(port, "other.example.com", SslMode::VerifyFull), PASSWORD, Some(&roots)).await;
        assert!(matches!(&other, Err(ProbeError::Certificate(why)) if why.contains("not for other")), "{other:?}");
        let plain = ask(&at(port, "db.example.com", SslMode::Disable), PASSWORD, None).await;
        assert!(matches!(&plain, Err(ProbeError::Refused(_))), "it accepts TLS only: {plain:?}");
    }
    // Without TLS of its own, before a server that has it.
    let without = server.pgbouncer("without_tls", &format!("auth_file = {verifiers}\n{IGNORE}")).await.unwrap();
    let refused = ask(&at(without, "db.example.com", SslMode::Require), PASSWORD, None).await;
    assert_eq!(refused.map(|said| said.server.tls), Err(ProbeError::NoTls));
}
