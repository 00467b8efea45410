//! Dumps of the real `pg_dump`, in all its formats.

use std::path::Path;
use std::process::Command;

use ess_mas::answers::postgres::Application;
use ess_mas::checks::backup::recognise::{Dump, DumpFormat, Users, recognise};

use super::server::{ROOT, Server};

fn dump(server: &Server, folder: &Path, program: &str, words: &[&str]) {
    let done = Command::new(server.programs.join(program))
        .args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-U", "root_of_all", "-w"])
        .args(words)
        .current_dir(folder)
        .env("PGPASSWORD", ROOT)
        .output()
        .unwrap();
    assert!(done.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn look(path: &Path) -> Dump {
    let bytes = std::fs::read(path).unwrap();
    recognise(&mut &bytes[..], Some(&bytes[bytes.len().saturating_sub(4096)..])).unwrap()
}

#[tokio::test]
async fn every_dump_format_is_recognised_with_its_contents() {
    let Some(server) = Server::start(false, "").await else { return };
    server.sql("postgres", "CREATE DATABASE synapse;\nCREATE DATABASE mas;\nCREATE DATABASE other;\n").await;
    server
        .sql(
            "synapse",
            "CREATE TABLE users (name text);\nINSERT INTO users VALUES ('@a:example.com');\nCREATE TABLE event_json (a text);\n\
             INSERT INTO event_json SELECT repeat('CREATE TABLE users (', 10) FROM generate_series(1, 20000);\n",
        )
        .await;
    server.sql("mas", "CREATE TABLE users (id int);\nCREATE TABLE compat_sessions (id int);\n").await;
    server
        .sql("other", "CREATE TABLE \"other users\" (a text);\nINSERT INTO \"other users\" VALUES ('users');\n")
        .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (format, kind) in [("p", DumpFormat::Sql), ("c", DumpFormat::Archive), ("t", DumpFormat::Archive)] {
        for (database, owner, users) in [
            ("synapse", Some(Application::Synapse), Users::WithRows),
            ("mas", Some(Application::Mas), Users::WithRows),
            ("other", None, Users::Missing),
        ] {
            let name = format!("{database}.{format}");
            dump(&server, path, "pg_dump", &["-F", format, "-f", &name, database]);
            let seen = look(&path.join(&name));
            assert_eq!((&seen.kind, seen.owner, seen.users), (&kind, owner, users), "{name}");
            assert_eq!(seen.complete, (format == "p").then_some(true), "{name}");
            if format != "p" {
                let made = seen.made.expect("archives have a date").to_zoned(jiff::tz::TimeZone::system()).unwrap();
                let age = jiff::Timestamp::now().duration_since(made.timestamp()).abs();
                assert!(age < jiff::SignedDuration::from_mins(5), "{name}: {:?}", seen.made);
            }
        }
    }
    dump(&server, path, "pg_dump", &["-F", "d", "-f", "folder", "synapse"]);
    assert_eq!(look(&path.join("folder/toc.dat")).users, Users::WithRows);
    let packed = Command::new("tar").args(["czf", "folder.tar.gz", "folder"]).current_dir(path).status().unwrap();
    assert!(packed.success());
    let packed = look(&path.join("folder.tar.gz"));
    assert_eq!((packed.users, packed.owner), (Users::WithRows, Some(Application::Synapse)));
    dump(&server, path, "pg_dump", &["-F", "p", "-Z", "5", "-f", "packed.sql.gz", "synapse"]);
    let packed = look(&path.join("packed.sql.gz"));
    assert_eq!((packed.kind, packed.users, packed.complete), (DumpFormat::Sql, Users::WithRows, Some(true)));
    dump(&server, path, "pg_dumpall", &["-f", "all.sql"]);
    let all = look(&path.join("all.sql"));
    assert_eq!((all.kind, all.users, all.complete), (DumpFormat::Sql, Users::WithRows, Some(true)));
    for format in ["p", "c"] {
        dump(&server, path, "pg_dump", &["-s", "-F", format, "-f", "schema", "synapse"]);
        assert_eq!(look(&path.join("schema")).users, Users::WithoutRows, "{format}");
        dump(&server, path, "pg_dump", &["--data-only", "-F", format, "-f", "rows", "synapse"]);
        assert_eq!(look(&path.join("rows")).users, Users::RowsOnly, "{format}");
    }
    dump(&server, path, "pg_dump", &["--exclude-table", "users", "-F", "c", "-f", "without", "synapse"]);
    assert_eq!(look(&path.join("without")).users, Users::Missing);
    // Half of a dump.
    let half = std::fs::read(path.join("synapse.p")).unwrap();
    std::fs::write(path.join("half"), &half[..half.len() / 2]).unwrap();
    assert_eq!(look(&path.join("half")).complete, Some(false));
}
