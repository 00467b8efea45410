//! `check --databases`, `prepare` and `activate --backup-file` as processes.

use std::process::Command;
use std::time::{Duration, SystemTime};

use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use super::server::Server;
use crate::common::command::Done;
use crate::common::scene::{PASSWORD, Scene};

/// The fixture's password of Synapse's role.
const SYNAPSES: &str = "synapse-database-7d40aa";
const HBA: &str = "host all all 127.0.0.1/32 scram-sha-256\n";

/// The queried part of Synapse's schema.
const SCHEMA: &str = "CREATE TABLE users (name text, password_hash text, is_guest smallint NOT NULL DEFAULT 0, \
      deactivated smallint NOT NULL DEFAULT 0, appservice_id text);\n\
    CREATE TABLE user_threepids (user_id text, medium text, address text);\n\
    CREATE TABLE user_external_ids (auth_provider text, external_id text, user_id text);\n\
    CREATE TABLE access_tokens (user_id text);\nCREATE TABLE refresh_tokens (user_id text);\n\
    CREATE TABLE devices (user_id text, hidden boolean);\nCREATE TABLE event_json (a text);\n\
    INSERT INTO users (name, password_hash) SELECT '@u' || i || ':example.com', 'h' FROM generate_series(1, 50) i;\n\
    GRANT ALL ON ALL TABLES IN SCHEMA public TO synapse;\n";

async fn server() -> Option<Server> {
    let server = Server::start(true, HBA).await?;
    let sql = format!(
        "CREATE ROLE mas LOGIN PASSWORD '{PASSWORD}';\nCREATE ROLE synapse LOGIN PASSWORD '{SYNAPSES}';\n\
         CREATE DATABASE mas OWNER mas;\nCREATE DATABASE synapse OWNER synapse;\n"
    );
    server.sql("postgres", &sql).await;
    server.sql("synapse", SCHEMA).await;
    Some(server)
}

/// A deployment whose databases are on a host that doesn't resolve.
async fn scene() -> Scene {
    Scene::changed(Behaviour::default(), |deployment| {
        deployment
            .set("/spec/components/synapse/config/postgresql/host", "pg.invalid")
            .set("/spec/components/synapse/config/postgresql/sslMode", "require")
            .set("/spec/components/synapse/config/delegatedAuth", Value::Null)
            .set("/spec/components/synapse/config/additional", "")
    })
    .await
}

async fn prepare(scene: &Scene) -> Done {
    let host = scene.deployment.mas_host();
    let line = format!(
        "prepare --host {host} --database-host pg.invalid --database-name mas --database-user mas \
         --database-password-file - --yes"
    );
    let words: Vec<&str> = line.split_whitespace().collect();
    scene.shell.run_words(&words, Some(&format!("{PASSWORD}\n"))).await.expect(0)
}

/// The findings that `--databases` adds.
fn of_databases(done: &Done) -> Vec<(String, String)> {
    let report = done.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = report["findings"].as_array().unwrap().iter().map(|one| (text(&one["code"]), text(&one["severity"])));
    all.filter(|(code, _)| code.contains("database") && code != "synapse-database" && code != "mas-database-tls")
        .collect()
}

fn open(done: &Done) -> Vec<(String, String)> {
    of_databases(done).into_iter().filter(|(_, severity)| severity != "ok").collect()
}

fn one(code: &str, severity: &str) -> (String, String) {
    (code.to_owned(), severity.to_owned())
}

#[tokio::test]
async fn databases_are_checked_with_the_specs_credentials_without_writes() {
    let Some(server) = server().await else { return };
    let scene = scene().await;
    let _ = prepare(&scene).await;
    let before = scene.versions().await;
    let line = format!("check --databases --resolve pg.invalid:{}:127.0.0.1 -o json", server.port);
    let done = scene.shell.run(&line).await;
    assert_eq!(open(&done), [], "{done}");
    assert!(of_databases(&done).len() >= 20, "{done}");
    done.says(&format!("MAS's database: logging in to mas at pg.invalid:5432 as mas (spec.components.matrixAuthenticationService.config.postgresql) with the password of Secret {}, key postgresPassword", scene.deployment.mas_secret_name()));
    done.says("Synapse's database: logging in to synapse at pg.invalid:5432 as synapse");
    done.is_silent_about(PASSWORD).is_silent_about(SYNAPSES);
    assert_eq!(scene.versions().await, before);

    // Without the flag, no connection is made.
    let without = scene.shell.run("check -o json").await;
    assert_eq!(of_databases(&without), []);

    server
        .sql(
            "synapse",
            "UPDATE users SET is_guest = 1 WHERE name = '@u1:example.com';\n\
             INSERT INTO user_threepids VALUES ('@u2:example.com', 'msisdn', '49170');\n\
             INSERT INTO user_external_ids VALUES ('saml', 'x', '@u3:example.com'), ('oauth-delegated', 'y', '@u3:example.com');\n\
             INSERT INTO users (name) VALUES ('@x:old.example.com');\nINSERT INTO access_tokens VALUES ('@gone:example.com');\n",
        )
        .await;
    server.sql("mas", "CREATE TABLE _sqlx_migrations (a int);\nCREATE TABLE users (a int);\nINSERT INTO users VALUES (1);\nGRANT SELECT ON users TO mas;\nALTER TABLE users OWNER TO mas;\nALTER TABLE _sqlx_migrations OWNER TO mas;\n").await;
    let done = scene.shell.run(&line).await.expect(10);
    assert_eq!(
        open(&done),
        [
            one("mas-database-empty", "blocker"),
            one("synapse-database-delegated", "blocker"),
            one("synapse-database-providers", "blocker"),
            one("synapse-database-server-name", "blocker"),
            one("synapse-database-orphans", "blocker"),
            one("synapse-database-guests", "warning"),
            one("synapse-database-threepids", "warning"),
            one("synapse-database-no-login", "warning"),
        ],
        "{done}"
    );
    done.shows("DELETE FROM access_tokens t WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.name = t.user_id);");
    done.is_silent_about("@u").is_silent_about("@x:").is_silent_about("49170");

    // Another password, and a database that doesn't exist.
    server.sql("postgres", "ALTER ROLE mas PASSWORD 'another one';\nALTER DATABASE synapse RENAME TO renamed;\n").await;
    let done = scene.shell.run(&line).await.expect(10);
    assert_eq!(open(&done), [one("database-login", "blocker"), one("database-login", "blocker")], "{done}");
    done.shows("password authentication failed").shows("does not exist").is_silent_about(PASSWORD);
}

#[tokio::test]
async fn shared_database_is_found_whatever_its_host_name() {
    let Some(server) = server().await else { return };
    let scene = scene().await;
    let _ = prepare(&scene).await;
    server.sql("postgres", "DROP DATABASE mas;\nALTER DATABASE synapse OWNER TO mas;\n").await;
    let mut record: Value = serde_json::from_str(&scene.record_text().await.unwrap()).unwrap();
    record["settings"]["database"]["name"] = json!("synapse");
    record["settings"]["database"]["host"] = json!("alias.invalid");
    let patch = json!({"data": {"record.json": record.to_string()}});
    let records = Api::<ConfigMap>::namespaced(scene.namespace.client().unwrap(), scene.namespace.name());
    let name = ess_mas::record::record_name(scene.deployment.name());
    records.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    let port = server.port;
    let line = format!(
        "check --databases --resolve pg.invalid:{port}:127.0.0.1 --resolve alias.invalid:{port}:127.0.0.1 -o json"
    );
    let done = scene.shell.run(&line).await.expect(10);
    assert!(open(&done).contains(&one("mas-database-is-synapses", "blocker")), "{done}");
    done.shows("are the same database: server and OID are equal");
}

#[tokio::test]
async fn unreachable_database_is_reported_with_through_cluster() {
    let scene = scene().await;
    let _ = prepare(&scene).await;
    let done = scene.shell.run("check --databases -o json").await.expect(11);
    assert_eq!(open(&done), [one("database-reachable", "unknown"), one("database-reachable", "unknown")], "{done}");
    done.shows("pg.invalid doesn't resolve").shows(&format!(
        "`kubectl ess-mas check {} -n {} --databases --through-cluster`",
        scene.deployment.name(),
        scene.namespace.name()
    ));
    let through = scene.shell.run("check --databases --through-cluster -o json").await;
    assert!(open(&through).iter().all(|finding| *finding == one("database-reachable", "unknown")), "{through}");
    through.shows("Service pg doesn't exist in namespace invalid");
    scene.shell.run("check --through-cluster").await.expect(2).says("--databases");
    scene.shell.run("check --databases --resolve x").await.expect(2).says("HOST:PORT:ADDRESS");
}

#[tokio::test]
async fn through_cluster_forwards_to_the_services_pod() {
    use k8s_openapi::api::core::v1::Service;
    use kube::api::{Api, PostParams};
    let Some(server) = server().await else { return };
    let scene = Scene::changed(Behaviour::default(), |deployment| {
        deployment
            .set("/spec/components/synapse/config/postgresql/host", "pg")
            .set("/spec/components/synapse/config/delegatedAuth", Value::Null)
            .set("/spec/components/synapse/config/additional", "")
    })
    .await;
    let host = scene.deployment.mas_host();
    let service_host = format!("pg.{}.svc.cluster.local", scene.namespace.name());
    let line = format!(
        "prepare --host {host} --database-host {service_host} --database-name mas --database-user mas --database-password-file - --yes"
    );
    let words: Vec<&str> = line.split_whitespace().collect();
    let _ = scene.shell.run_words(&words, Some(PASSWORD)).await.expect(0);
    let kubelet = Kubelet::start(&scene.namespace).await.unwrap();
    kubelet.pod(&scene.namespace, "pg-0", ("postgres", 5432), Some(server.port)).await.unwrap();
    let services = Api::<Service>::namespaced(scene.namespace.client().unwrap(), scene.namespace.name());
    let service = serde_json::from_value(json!({"metadata": {"name": "pg"}, "spec": {
        "selector": {"app": "pg-0"}, "ports": [{"port": 5432, "targetPort": "postgres"}]}}))
    .unwrap();
    services.create(&PostParams::default(), &service).await.unwrap();
    let done = scene.shell.run("check --databases --through-cluster -o json").await;
    assert_eq!(open(&done), [], "{done}");
    done.shows("responds through the cluster");
}

#[tokio::test]
async fn sql_of_prepare_creates_a_database_that_check_accepts() {
    let Some(server) = Server::start(true, HBA).await else { return };
    let scene = scene().await;
    let (user, database) = ("o'mas\";DROP_DATABASE_postgres;--", "it's-\"mine\";$1");
    let host = scene.deployment.mas_host();
    let words = [
        "prepare",
        "--host",
        &host,
        "--database-host",
        "pg.invalid",
        "--database-name",
        database,
        "--database-user",
        user,
        "--database-password-file",
        "-",
        "--yes",
    ];
    let done = scene.shell.run_words(&words, Some(PASSWORD)).await.expect(0);
    let sql: Vec<&str> = done
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("SQL for the database"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .map(str::trim)
        .filter(|line| !line.starts_with("--"))
        .collect();
    assert!(sql.len() == 5 && sql[1].starts_with("\\password"), "{sql:#?}");
    // The prompt of \password requires a terminal; the statement that it sends has the same effect.
    let mut lines: Vec<String> = sql.iter().map(|line| (*line).to_owned()).collect();
    lines[1] = format!("ALTER ROLE {} PASSWORD '{PASSWORD}';", lines[1].trim_start_matches("\\password "));
    let file = scene.shell.home().join("make.sql");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let psql = Command::new(server.programs.join("psql"))
        .args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-U", "root_of_all", "-v", "ON_ERROR_STOP=1", "-f"])
        .arg(&file)
        .arg("postgres")
        .env("PGPASSWORD", super::server::ROOT)
        .output()
        .unwrap();
    assert!(psql.status.success(), "{}\n{done}", String::from_utf8_lossy(&psql.stderr));
    let line = format!("check --databases --resolve pg.invalid:{}:127.0.0.1 -o json", server.port);
    let done = scene.shell.run(&line).await;
    // Synapse's database does not exist.
    let of_mas: Vec<_> = open(&done).into_iter().filter(|(code, _)| code.starts_with("mas-")).collect();
    assert_eq!(of_mas, [], "{done}");
    done.shows("extension pg_trgm is installed");
}

#[tokio::test]
async fn backup_file_is_checked_before_the_confirmation() {
    let Some(server) = server().await else { return };
    let scene = scene().await;
    let _ = prepare(&scene).await;
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let home = scene.shell.home().to_owned();
    let dump = |words: &[&str]| {
        let done = Command::new(server.programs.join("pg_dump"))
            .args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-U", "root_of_all"])
            .args(words)
            .current_dir(&home)
            .env("PGPASSWORD", super::server::ROOT)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    dump(&["-Fc", "-f", "synapse.dump", "synapse"]);
    dump(&["-Fp", "-f", "mas.sql", "mas"]);
    let before = scene.decided().await;
    let none = scene.activate_with(&["--backup-file", "nowhere.dump"]).await.expect(2);
    none.says("--backup-file: can't read nowhere.dump").says("nothing was changed");
    std::fs::write(home.join("letter.txt"), "Dear Sir").unwrap();
    let letter = scene.activate_with(&["--backup-file", "letter.txt"]).await.expect(10);
    letter.says("letter.txt: the file is not a dump of a PostgreSQL database");
    // MAS's database has no table users yet.
    let empty = scene.activate_with(&["--backup-file", "synapse.dump", "--backup-file", "mas.sql"]).await.expect(10);
    empty.says("mas.sql: the dump has no table users");
    let old = std::fs::File::options().write(true).open(home.join("synapse.dump")).unwrap();
    old.set_modified(SystemTime::now() - Duration::from_hours(30)).unwrap();
    let old = scene.activate_with(&["--backup-file", "synapse.dump"]).await.expect(11);
    old.says("the file was last written 30 hours ago").says("--accept backup-file");
    assert_eq!(scene.decided().await, before);
    let done = scene.activate_with(&["--backup-file", "synapse.dump", "--accept", "backup-file"]).await.expect(0);
    done.says("5 to 30 minutes (the vendor's estimate)").says("For comparison, the dry run");
}

#[tokio::test]
async fn estimate_includes_the_times_of_pods() {
    use k8s_openapi::api::core::v1::Pod;
    use kube::api::{Api, Patch, PatchParams, PostParams};
    let scene = scene().await;
    let _ = prepare(&scene).await;
    let _ = scene.shell.run("dry-run --yes").await.expect(0);
    let set = format!("{}-synapse-main", scene.deployment.name());
    let pods = Api::<Pod>::namespaced(scene.namespace.client().unwrap(), scene.namespace.name());
    let pod = serde_json::from_value(json!({"metadata": {"name": format!("{set}-0"), "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": set, "uid": "5d9e9b5c-0000-4000-8000-000000000000"}]},
        "spec": {"terminationGracePeriodSeconds": 40, "containers": [{"name": "synapse", "image": "none"}]}}))
    .unwrap();
    pods.create(&PostParams::default(), &pod).await.unwrap();
    let status = json!({"status": {"startTime": "2026-11-24T10:00:00Z", "conditions": [
        {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-24T10:00:48Z"}]}});
    pods.patch_status(&format!("{set}-0"), &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    let done = scene.activate().await;
    done.says("In this cluster, Synapse's pod may take up to 40s to stop, and took 48s to become ready.");
    done.says("Estimate for Synapse: about ").says("Other components add to it.");
}
