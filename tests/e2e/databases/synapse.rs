//! Synapse's database, created by Synapse itself and filled through its API.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use ess_mas::answers::postgres::{Application, ConnectionSettings, Foreign, SslMode, SynapseDatabase};
use ess_mas::checks::Known;
use ess_mas::checks::databases::Expected;
use ess_mas::net::dial::Way;
use ess_mas::net::postgres::{Login, ask_synapse};
use ess_mas::secrets::SecretText;
use ess_mas_sandbox::Supervisor;
use serde_json::json;

use super::queries::PASSWORD;
use super::server::Server;

const SECRET: &str = "registration-shared-2210";
const CONFIGURED: &str = "oidc-01JABCDEFGHJKMNPQRSTVWXYZ0";

fn expected(port: u16) -> Expected {
    let place = ConnectionSettings {
        application: Application::Synapse,
        host: "db".to_owned(),
        port,
        database: "synapse".to_owned(),
        user: "synapse".to_owned(),
        mode: SslMode::Prefer,
        mode_set: true,
        password: ("synapse".to_owned(), "postgresPassword".to_owned()),
    };
    Expected {
        mas: Err("not asked here".to_owned()),
        synapse: Ok(place),
        server_name: Some("example.com".to_owned()),
        providers: vec![CONFIGURED.to_owned()],
        more_providers: false,
        ldap: false,
        migrated: false,
    }
}

async fn ask(expected: &Expected) -> SynapseDatabase {
    let place = expected.synapse.as_ref().unwrap();
    let way = Way::To(vec![([127, 0, 0, 1], place.port).into()]);
    let login = Login { place, password: &SecretText::from(PASSWORD), way: &way, roots: None };
    ask_synapse(&login, expected.server_name.as_deref(), &expected.providers, expected.more_providers).await.unwrap()
}

/// Synapse on that server; dropping it ends the process.
fn synapse(server: &Server) -> Supervisor {
    let python = crate::real::synapse::install::python();
    let has_driver = Command::new(&python).args(["-c", "import psycopg2"]).output().unwrap().status.success();
    if !has_driver {
        crate::real::synapse::install::run(Command::new(&python).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "psycopg2-binary",
        ]));
    }
    let mut supervisor = Supervisor::start().unwrap();
    let folder = supervisor.directory().to_owned();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = format!("http://127.0.0.1:{port}");
    let config = json!({
        "server_name": "example.com",
        "public_baseurl": base,
        "report_stats": false,
        "suppress_key_server_warning": true,
        "trusted_key_servers": [],
        "signing_key": "ed25519 a_cnDr 3vYkDcXJdEhBqJRGfsv2VKSbNXAJzXgLcMXVvqJtEMQ",
        "macaroon_secret_key": "m",
        "form_secret": "f",
        "registration_shared_secret": SECRET,
        "allow_guest_access": true,
        "media_store_path": folder,
        "pid_file": folder.join("synapse-itself.pid"),
        "rc_login": {"address": {"per_second": 100, "burst_count": 100}, "account": {"per_second": 100, "burst_count": 100}},
        "rc_registration": {"per_second": 100, "burst_count": 100},
        "database": {"name": "psycopg2", "args": {"user": "synapse", "password": PASSWORD, "dbname": "synapse",
            "host": "127.0.0.1", "port": server.port, "cp_min": 1, "cp_max": 5}},
        "listeners": [{"port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "resources": [{"names": ["client"]}]}],
    });
    let path = folder.join("homeserver.yaml");
    fs::write(&path, config.to_string()).unwrap();
    supervisor
        .run("synapse", &python, &["-m".into(), "synapse.app.homeserver".into(), "-c".into(), path.into()])
        .unwrap();
    let populate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/databases/populate.py");
    let filled = Command::new(&python).args([populate, &base, SECRET]).output().unwrap();
    let told = String::from_utf8_lossy(&filled.stderr);
    assert!(filled.status.success(), "{told}\n{}", supervisor.log_tail("synapse", 30));
    supervisor
}

#[tokio::test]
#[ignore = "installs Synapse from PyPI"]
async fn rows_that_synapse_wrote_are_counted() {
    let Some(server) = Server::start(false, "host all all 127.0.0.1/32 scram-sha-256\n").await else { return };
    let sql = format!("CREATE ROLE synapse LOGIN PASSWORD '{PASSWORD}';\nCREATE DATABASE synapse OWNER synapse;\n");
    server.sql("postgres", &sql).await;
    let expected = expected(server.port);
    assert_eq!(ask(&expected).await.is_synapses, Known::Known(false), "before Synapse was there");
    let running = synapse(&server);

    let said = ask(&expected).await;
    assert_eq!(said.is_synapses, Known::Known(true));
    assert_eq!(said.guests, Known::Known(3));
    assert_eq!(said.threepids, Known::Known(vec![("msisdn".to_owned(), 1)]));
    assert_eq!(said.providers, Known::Known(vec![(CONFIGURED.to_owned(), 1), ("oidc-gone".to_owned(), 1)]));
    assert_eq!(said.foreign, Known::Known(Foreign::default()));
    assert!(
        said.orphans.len() == 5 && said.orphans.iter().all(|(_, number)| *number == Known::Known(0)),
        "{:?}",
        said.orphans
    );
    // Dave's provider is missing, and Erin has no login. Carol has a provider, Frank is deactivated, and guests are not
    // counted.
    assert_eq!(said.no_login, Known::Known(2));
    let sizes = said.sizes.known().unwrap();
    let names: Vec<&str> = sizes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["users", "devices", "access_tokens", "refresh_tokens", "user_threepids", "user_external_ids"]);

    // Rows that Synapse does not create itself, but that old or edited databases have.
    server
        .sql(
            "synapse",
            "INSERT INTO user_external_ids VALUES ('oauth-delegated', 'x', '@bob:example.com');\n\
             INSERT INTO user_external_ids VALUES ('saml', 'y', '@gone:example.com');\n\
             INSERT INTO users (name) VALUES ('@old:other.example.com'), ('nobody'), ('@a:b:example.com');\n\
             INSERT INTO users (name, appservice_id) VALUES ('@_x_:y:example.com', 'bridge');\n\
             INSERT INTO devices (user_id, device_id, hidden) VALUES ('@gone:example.com', 'A', false), ('@gone:example.com', 'B', true);\n\
             INSERT INTO access_tokens (id, user_id, token) VALUES (990001, '@gone:example.com', 't');\n\
             INSERT INTO user_threepids VALUES ('@gone:example.com', 'email', 'g@example.com', 1, 1);\n\
             ANALYZE users;\n",
        )
        .await;
    let said = ask(&expected).await;
    let providers = said.providers.known().unwrap();
    assert!(
        ["oauth-delegated", "saml"].iter().all(|name| providers.contains(&((*name).to_owned(), 1))),
        "{providers:?}"
    );
    assert_eq!(said.foreign, Known::Known(Foreign { people: 3, services: 1 }));
    let orphans: Vec<(&str, i64)> =
        said.orphans.iter().map(|(name, number)| (*name, *number.known().unwrap())).collect();
    let one =
        [("devices", 1), ("access_tokens", 1), ("refresh_tokens", 0), ("user_threepids", 1), ("user_external_ids", 1)];
    assert_eq!(orphans, one);
    let sizes = said.sizes.known().unwrap();
    assert!(sizes[0].1.is_some_and(|rows| rows >= 10), "{sizes:?}");

    // For a role without read permissions, each query reports that separately.
    server.sql("postgres", &format!("CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}';\n")).await;
    server.sql("synapse", "GRANT SELECT ON users TO reader;\n").await;
    let mut as_reader = expected.clone();
    as_reader.synapse.as_mut().unwrap().user = "reader".to_owned();
    let said = ask(&as_reader).await;
    assert_eq!(said.guests, Known::Known(3));
    assert!(
        matches!(&said.providers, Known::Unreadable(why) if why.contains("permission denied")),
        "{:?}",
        said.providers
    );
    assert!(said.orphans.iter().all(|(_, number)| number.known().is_none()));

    // Another session locks a table: that query times out, and the others succeed.
    let holder = server.connect("synapse").await.unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE user_threepids IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let said = ask(&expected).await;
    assert!(matches!(&said.threepids, Known::Unreadable(why) if why.contains("locked")), "{:?}", said.threepids);
    assert_eq!(said.guests, Known::Known(3));
    drop(running);
}
