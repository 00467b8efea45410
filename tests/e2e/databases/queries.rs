//! MAS's database, as different roles see it.

use ess_mas::answers::postgres::{Application, ConnectionSettings, MasDatabase, Pooling, ProbeError, Refusal, SslMode};
use ess_mas::checks::Known;
use ess_mas::net::dial::Way;
use ess_mas::net::postgres::{Login, ask_mas};
use ess_mas::net::tls::Roots;
use ess_mas::secrets::SecretText;

use super::server::Server;

pub const PASSWORD: &str = "correct-horse-0815";
const HBA: &str = "host all trusted 127.0.0.1/32 trust\nhost all in_clear 127.0.0.1/32 password\n\
    host all by_md5 127.0.0.1/32 md5\nhostnossl all tls_only 127.0.0.1/32 reject\nhost all unwelcome 127.0.0.1/32 reject\n\
    host all all 127.0.0.1/32 scram-sha-256\n";

pub fn place(host: &str, port: u16, database: &str, user: &str, mode: SslMode) -> ConnectionSettings {
    ConnectionSettings {
        application: Application::Mas,
        host: host.to_owned(),
        port,
        database: database.to_owned(),
        user: user.to_owned(),
        mode,
        mode_set: true,
        password: ("chat-mas".to_owned(), "postgresPassword".to_owned()),
    }
}

pub async fn ask(place: &ConnectionSettings, password: &str, roots: Option<&Roots>) -> Result<MasDatabase, ProbeError> {
    let way = Way::To(vec![([127, 0, 0, 1], place.port).into()]);
    ask_mas(&Login { place, password: &SecretText::from(password), way: &way, roots }).await
}

pub async fn server(tls: bool) -> Option<Server> {
    let server = Server::start(tls, HBA).await?;
    let mut sql = String::new();
    for role in ["mas", "trusted", "in_clear", "tls_only", "unwelcome", "by_md5", "\"o'mas\"\"; DROP TABLE users; --\""]
    {
        sql.extend(["CREATE ROLE ", role, " LOGIN PASSWORD '", PASSWORD, "';\n"]);
    }
    sql += "CREATE DATABASE mas OWNER mas;\nCREATE DATABASE \"it's \"\"mine\"\" $1\" OWNER mas;\n";
    server.sql("postgres", &sql).await;
    Some(server)
}

#[tokio::test]
async fn new_database_of_mas_is_ok_and_not_written_to() {
    let Some(server) = server(false).await else { return };
    let at = place("db.example.com", server.port, "mas", "mas", SslMode::Disable);
    let said = ask(&at, PASSWORD, None).await.unwrap();
    assert!(said.server.asked_password && !said.server.tls);
    assert_eq!(said.server.pooling, Pooling::None);
    assert_eq!(said.server.standby, Known::Known(false));
    assert_eq!(said.encoding, Known::Known("UTF8".to_owned()));
    let rights = said.permissions.known().unwrap();
    assert_eq!(rights.schema.as_deref(), Some("public"));
    assert!(rights.create_in_schema && rights.create_in_database && !rights.superuser);
    let tables = said.tables.known().unwrap();
    assert!(tables.present.is_empty() && tables.all == 0 && !tables.migrations && !tables.synapses, "{tables:?}");
    let connections = said.connections.known().unwrap();
    assert_eq!((connections.of_role, connections.of_database, connections.of_server), (None, None, 60));
    assert!(connections.used >= 1 && connections.reserved >= 1, "{connections:?}");
    let identity = said.server.identity.known().unwrap();
    assert!(identity.system.is_some() && identity.name == "mas", "{identity:?}");
    let other = ask(&place("other.name", server.port, "mas", "mas", SslMode::Disable), PASSWORD, None).await.unwrap();
    assert!(identity.is(other.server.identity.known().unwrap()));

    // Every statement of the program in the server's log reads, or begins and ends a read-only transaction.
    let log = server.log();
    let ours: Vec<&str> = log.lines().filter_map(|line| line.strip_prefix("kubectl-ess-mas|LOG:  ")).collect();
    let statements: Vec<&str> = ours.iter().filter_map(|line| Some(line.split_once(": ")?.1)).collect();
    assert!(
        statements.iter().filter(|one| **one == "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").count() == 2,
        "{ours:#?}"
    );
    assert!(statements.len() > 20, "{ours:#?}");
    let reads = |one: &&&str| {
        let words = [
            "BEGIN READ ONLY; SELECT",
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            "SELECT ",
            "SET LOCAL ",
            "SAVEPOINT ",
            "ROLLBACK",
        ];
        words.iter().any(|word| one.starts_with(word))
    };
    let others: Vec<&&str> = statements.iter().filter(|one| !reads(one)).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[tokio::test]
async fn functions_that_write_are_blocked() {
    let Some(server) = server(false).await else { return };
    // The program reads a view that writes on each access.
    server
        .sql(
            "mas",
            "CREATE TABLE trace (a int);\nGRANT ALL ON trace TO mas;\n\
             CREATE FUNCTION writes() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO trace VALUES (1) RETURNING a';\n\
             CREATE VIEW users AS SELECT 1 AS id WHERE writes() > 0;\nGRANT SELECT ON users TO mas;\n",
        )
        .await;
    let said = ask(&place("db", server.port, "mas", "mas", SslMode::Disable), PASSWORD, None).await.unwrap();
    let tables = said.tables.known().unwrap();
    let (name, unread) = &tables.present[0];
    let refused =
        matches!(unread, Known::Unreadable(why) if why.contains("cannot execute INSERT in a read-only transaction"));
    assert!(*name == "users" && refused, "{unread:?}");
    let client = server.connect("mas").await.unwrap();
    let rows: i64 = client.query_one("SELECT count(*) FROM trace", &[]).await.unwrap().get(0);
    assert_eq!(rows, 0);
    // For other clients, the same view writes.
    let _ = client.query("SELECT * FROM users", &[]).await.unwrap();
    let rows: i64 = client.query_one("SELECT count(*) FROM trace", &[]).await.unwrap().get(0);
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn names_with_quotes_are_not_interpreted_as_sql() {
    let Some(server) = server(false).await else { return };
    let user = "o'mas\"; DROP TABLE users; --";
    let database = "it's \"mine\" $1";
    let said = ask(&place("db", server.port, database, user, SslMode::Disable), PASSWORD, None).await.unwrap();
    assert_eq!(said.server.identity.known().unwrap().name, database);
    // Not the owner: since PostgreSQL 15, it has no permissions in schema public.
    let rights = said.permissions.known().unwrap();
    let version = *said.server.version.known().unwrap();
    assert_eq!(rights.create_in_schema, version < 150_000);
    assert!(!rights.create_in_database);
}

#[tokio::test]
async fn rows_tables_and_limits_are_read() {
    let Some(server) = server(false).await else { return };
    server
        .sql(
            "mas",
            "CREATE TABLE users (id int);\nINSERT INTO users VALUES (1);\nCREATE TABLE user_emails (id int);\n\
             CREATE TABLE syn2mas__compat_sessions (id int);\nCREATE TABLE _sqlx_migrations (id int);\n\
             GRANT SELECT ON users TO mas;\nALTER ROLE mas CONNECTION LIMIT 5;\n\
             ALTER DATABASE mas CONNECTION LIMIT 7;\nCREATE EXTENSION pg_trgm;\n",
        )
        .await;
    let said = ask(&place("db", server.port, "mas", "mas", SslMode::Disable), PASSWORD, None).await.unwrap();
    let tables = said.tables.known().unwrap();
    assert_eq!(tables.present[0], ("users", Known::Known(true)));
    // An unreadable value is reported with the server's message, and the other values are still read.
    let (name, unread) = &tables.present[1];
    assert!(
        *name == "user_emails" && matches!(unread, Known::Unreadable(why) if why.contains("permission denied")),
        "{unread:?}"
    );
    assert_eq!((tables.renamed, tables.of_others, tables.migrations), (1, 4, true));
    let connections = said.connections.known().unwrap();
    assert_eq!((connections.of_role, connections.of_database), (Some(5), Some(7)));
    assert!(said.trigram.known().unwrap().installed);
}

#[tokio::test]
async fn refusals_of_a_login_are_distinguished() {
    let Some(server) = server(true).await else { return };
    let state = async |database: &str, user: &str, password: &str, mode| match ask(
        &place("db.example.com", server.port, database, user, mode),
        password,
        None,
    )
    .await
    {
        Err(ProbeError::Refused(Refusal { state, message })) => {
            assert!(!message.contains(password), "{message}");
            state
        }
        other => format!("{other:?}"),
    };
    assert_eq!(state("mas", "mas", "wrong", SslMode::Disable).await, "28P01");
    assert_eq!(state("nowhere", "mas", PASSWORD, SslMode::Disable).await, "3D000");
    assert_eq!(state("mas", "unwelcome", PASSWORD, SslMode::Disable).await, "28000");
    assert_eq!(state("mas", "tls_only", PASSWORD, SslMode::Disable).await, "28000");
    assert_eq!(state("mas", "tls_only", PASSWORD, SslMode::Allow).await, "28000", "MAS's library never tries TLS then");
    server.sql("postgres", "REVOKE CONNECT ON DATABASE mas FROM public;\nALTER ROLE mas NOLOGIN;\n").await;
    assert_eq!(state("mas", "tls_only", PASSWORD, SslMode::Prefer).await, "42501");
    assert_eq!(state("mas", "mas", PASSWORD, SslMode::Prefer).await, "28000");
}

#[tokio::test]
async fn password_is_not_sent_in_plain_text_and_a_login_without_one_is_noticed() {
    let Some(server) = server(true).await else { return };
    let clear = ask(&place("db", server.port, "mas", "in_clear", SslMode::Disable), PASSWORD, None).await;
    assert_eq!(clear.unwrap_err(), ProbeError::InClear);
    let over_tls = ask(&place("db", server.port, "mas", "in_clear", SslMode::Require), PASSWORD, None).await.unwrap();
    assert!(over_tls.server.tls && over_tls.server.asked_password);
    let trusted = ask(&place("db", server.port, "mas", "trusted", SslMode::Disable), "anything", None).await.unwrap();
    assert!(!trusted.server.asked_password);
}

#[tokio::test]
async fn password_that_saslprep_changes_is_never_ok_with_scram() {
    let Some(server) = server(false).await else { return };
    let (no_break_space, ligature, composed) = ("pass\u{a0}word-1234", "\u{fb01}sh-0815", "caf\u{e9}-0815");
    let login =
        async |password: &str| ask(&place("db", server.port, "mas", "mas", SslMode::Disable), password, None).await;
    for (password, prepared) in [(no_break_space, true), (ligature, true), (composed, false), (PASSWORD, false)] {
        server.sql("postgres", &format!("ALTER ROLE mas PASSWORD '{password}';\n")).await;
        assert_eq!(login(password).await.unwrap().server.prepared, prepared, "{password:?}");
    }
    assert!(
        matches!(login(no_break_space).await, Err(ProbeError::RefusedPrepared(why)) if why.contains("authentication failed"))
    );
    // With MD5, every client sends the same response.
    let md5 = format!("SET password_encryption = 'md5';\nALTER ROLE by_md5 PASSWORD '{no_break_space}';\n");
    server.sql("postgres", &md5).await;
    let said = ask(&place("db", server.port, "mas", "by_md5", SslMode::Disable), no_break_space, None).await.unwrap();
    assert!(said.server.asked_password && !said.server.prepared);
}

#[tokio::test]
async fn time_limits_of_role_database_and_server_are_read() {
    let Some(server) = server(false).await else { return };
    let limits = async || {
        let said = ask(&place("db", server.port, "mas", "mas", SslMode::Disable), PASSWORD, None).await.unwrap();
        said.server.timeouts.known().unwrap().clone()
    };
    let statement = |limit| vec![("statement_timeout".to_owned(), limit)];
    assert_eq!(limits().await, []);
    for (set, limit) in [
        ("ALTER SYSTEM SET statement_timeout = '1h';\nSELECT pg_reload_conf()", 3_600_000),
        ("ALTER DATABASE mas SET statement_timeout = '30s'", 30_000),
        ("ALTER ROLE mas SET statement_timeout = 2500", 2500),
        ("ALTER ROLE mas IN DATABASE mas SET statement_timeout = '2min'", 120_000),
    ] {
        server.sql("postgres", &format!("{set};\n")).await;
        let began = std::time::Instant::now();
        // The server reloads its file with a delay.
        while limits().await != statement(limit) {
            assert!(began.elapsed() < std::time::Duration::from_secs(10), "{set}: {:?}", limits().await);
        }
    }
    server.sql("postgres", "ALTER ROLE mas IN DATABASE mas SET statement_timeout = 0;\nALTER ROLE mas SET idle_in_transaction_session_timeout = '5s';\n").await;
    assert_eq!(limits().await, [("idle_in_transaction_session_timeout".to_owned(), 5000)]);
}

#[tokio::test]
async fn sslmode_behaves_as_in_postgresqls_clients() {
    let (Some(server), Some(without)) = (server(true).await, server(false).await) else { return };
    let roots = server.roots();
    let tls = async |host: &str, mode: SslMode, roots: Option<&Roots>, port: u16| {
        ask(&place(host, port, "mas", "mas", mode), PASSWORD, roots).await.map(|said| said.server.tls)
    };
    let (good, plain) = (server.port, without.port);
    assert_eq!(tls("db.example.com", SslMode::Disable, None, good).await, Ok(false));
    assert_eq!(tls("db.example.com", SslMode::Prefer, None, good).await, Ok(true));
    assert_eq!(tls("db.example.com", SslMode::Prefer, None, plain).await, Ok(false));
    assert_eq!(tls("db.example.com", SslMode::Require, None, good).await, Ok(true), "with any server");
    assert_eq!(tls("db.example.com", SslMode::Require, None, plain).await, Err(ProbeError::NoTls));
    assert_eq!(tls("db.example.com", SslMode::VerifyFull, Some(&roots), good).await, Ok(true));
    assert_eq!(tls("other.example.com", SslMode::VerifyCa, Some(&roots), good).await, Ok(true), "with any name");
    let refused = async |host: &str, mode, roots| match tls(host, mode, roots, good).await {
        Err(ProbeError::Certificate(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(
        refused("other.example.com", SslMode::VerifyFull, Some(&roots)).await.contains("not for other.example.com")
    );
    assert!(refused("db.example.com", SslMode::VerifyCa, None).await.contains("no CA certificates"));
    let strange = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
    let strange = Roots::of([strange.cert.der().as_ref()]).unwrap();
    assert!(refused("db.example.com", SslMode::VerifyCa, Some(&strange)).await.contains("doesn't trust"));
}
