//! Temporary PostgreSQL servers on 127.0.0.1, which end with the process that started them, however it ends. PostgreSQL
//! refuses to run as root, so for root the servers run as nobody.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ess_mas::net::tls::Roots;
use ess_mas::x509::CertificateChain;
use ess_mas_sandbox::{Supervisor, cannot_run};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_postgres::NoTls;

/// The superuser's password.
pub const ROOT: &str = "root-of-all-4410";
/// Uid and gid of nobody on the systems where the tests run.
const NOBODY: &str = "65534";

/// A server.
pub struct Server {
    pub port: u16,
    /// The CA that signed its certificate, in PEM; without one, the server has no TLS.
    pub authority: Option<String>,
    pub programs: PathBuf,
    supervisor: Supervisor,
}

/// The directory of PostgreSQL's programs: the newest of Debian's, else the one in the PATH.
pub fn programs() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("ESS_MAS_POSTGRES") {
        return Some(folder.into());
    }
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").exists())
        .collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = || std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    found.pop().map(|(_, folder)| folder).or_else(in_path)
}

fn is_root() -> bool {
    let uid = Command::new("id").arg("-u").output().unwrap();
    uid.stdout.trim_ascii() == b"0"
}

/// The command that starts a program as a user that PostgreSQL accepts.
fn as_nobody(program: &Path) -> (PathBuf, Vec<OsString>) {
    if !is_root() {
        return (program.to_owned(), Vec::new());
    }
    let words = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"].map(OsString::from);
    ("setpriv".into(), words.into_iter().chain([program.into()]).collect())
}

fn run(program: &Path, words: &[&str]) {
    let (start, mut all) = as_nobody(program);
    all.extend(words.iter().map(OsString::from));
    let done = Command::new(start).args(&all).current_dir("/").env("LC_ALL", "C").output().unwrap();
    assert!(done.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&done.stderr));
}

fn give_away(path: &Path) {
    if is_root() {
        let nobody = NOBODY.parse().unwrap();
        std::os::unix::fs::chown(path, Some(nobody), Some(nobody)).unwrap();
    }
}

impl Server {
    /// Starts a server; `None` if PostgreSQL is not installed (see [`cannot_run`]).
    pub async fn start(tls: bool, hba: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            let remedy =
                "Install PostgreSQL (Debian: postgresql), or name the folder of its programs in ESS_MAS_POSTGRES.";
            cannot_run("what is asked of PostgreSQL", remedy);
            return None;
        };
        let mut supervisor = Supervisor::start().unwrap();
        let folder = supervisor.directory().to_owned();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o711)).unwrap();
        let home = folder.join("server");
        fs::create_dir(&home).unwrap();
        give_away(&home);
        let data = home.join("data");
        let password = folder.join("password");
        fs::write(&password, ROOT).unwrap();
        give_away(&password);
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        run(
            &programs.join("initdb"),
            &[
                "-D",
                &text(&data),
                "-U",
                "root_of_all",
                "--pwfile",
                &text(&password),
                "-A",
                "scram-sha-256",
                "-E",
                "UTF8",
                "--locale",
                "C",
                "--no-sync",
            ],
        );
        fs::write(data.join("pg_hba.conf"), format!("host all root_of_all 127.0.0.1/32 scram-sha-256\n{hba}")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut settings = vec![
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", text(&home)),
            "fsync=off".to_owned(),
            "max_connections=60".to_owned(),
            "log_statement=all".to_owned(),
            "log_line_prefix=%a|".to_owned(),
        ];
        let mut authority = None;
        if tls {
            authority = Some(certificate(&data));
            settings.push("ssl=on".to_owned());
        }
        let (start, mut words) = as_nobody(&programs.join("postgres"));
        words.extend(["-D".into(), data.clone().into()]);
        for setting in settings {
            words.extend(["-c".into(), setting.into()]);
        }
        supervisor.run("postgres", &start, &words).unwrap();
        let server = Self { port, authority, programs, supervisor };
        let began = Instant::now();
        while server.connect("postgres").await.is_none() {
            assert!(began.elapsed() < Duration::from_mins(1), "{}", server.supervisor.log_tail("postgres", 20));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(server)
    }

    /// Starts PgBouncer in front of this server with these settings. `None` if it is neither installed (Debian:
    /// pgbouncer) nor named in `ESS_MAS_PGBOUNCER`.
    pub async fn pgbouncer(&mut self, name: &str, settings: &str) -> Option<u16> {
        let named = std::env::var_os("ESS_MAS_PGBOUNCER").map(PathBuf::from);
        let program = named.or_else(|| Some(PathBuf::from("/usr/sbin/pgbouncer")).filter(|path| path.exists()))?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = scram-sha-256\n{settings}\n",
            self.port
        );
        let file = self.file(&format!("{name}.ini"), &text);
        let (start, mut words) = as_nobody(&program);
        words.push(file.into());
        self.supervisor.run(name, &start, &words).unwrap();
        let began = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(began.elapsed() < Duration::from_mins(1), "{}", self.supervisor.log_tail(name, 20));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(port)
    }

    /// The CA that signed its certificate.
    pub fn roots(&self) -> Roots {
        let authority = self.authority.as_ref().expect("a server with TLS");
        let chain = CertificateChain::parse(authority.as_bytes()).unwrap();
        let der: Vec<Vec<u8>> = chain.certificates.iter().map(|one| one.der().to_vec()).collect();
        Roots::of(der.iter().map(Vec::as_slice)).unwrap()
    }

    /// A file that the server's user can read.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.supervisor.directory().join(name);
        fs::write(&path, text).unwrap();
        give_away(&path);
        path.to_str().unwrap().to_owned()
    }

    /// The settings that make PgBouncer show the server's own certificate, and accept only TLS.
    pub fn pgbouncer_tls(&self) -> String {
        let data = self.supervisor.directory().join("server/data");
        let data = data.display();
        format!(
            "client_tls_cert_file = {data}/server.crt\nclient_tls_key_file = {data}/server.key\nclient_tls_sslmode = require"
        )
    }

    /// The server's log, with every statement.
    pub fn log(&self) -> String {
        self.supervisor.log_tail("postgres", usize::MAX)
    }

    /// The superuser's session.
    pub async fn connect(&self, database: &str) -> Option<tokio_postgres::Client> {
        let mut config = tokio_postgres::Config::new();
        config.user("root_of_all").password(ROOT).dbname(database);
        config.ssl_mode(tokio_postgres::config::SslMode::Disable);
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        let (client, connection) = config.connect_raw(stream, NoTls).await.ok()?;
        tokio::spawn(connection);
        Some(client)
    }

    /// Runs statements as the superuser.
    pub async fn sql(&self, database: &str, text: &str) {
        let client = self.connect(database).await.expect("a session");
        // One by one: some are not allowed in a transaction, and several in one message form one.
        for statement in text.split(";\n").map(str::trim).filter(|one| !one.is_empty()) {
            client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
    }
}

/// A certificate for `db.example.com` in the server's directory, and the CA that signed it.
fn certificate(data: &Path) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Databases");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["db.example.com".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    fs::write(data.join("server.crt"), own.pem()).unwrap();
    fs::write(data.join("server.key"), key.serialize_pem()).unwrap();
    for name in ["server.crt", "server.key"] {
        give_away(&data.join(name));
        fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    authority.pem()
}
