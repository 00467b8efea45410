//! The real programs, each as a process that ends with the test.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::real::synapse::install as synapse;

/// The ID of the provider in the spec and in Synapse.
pub const ID: &str = "01JABCDEFGHJKMNPQRSTVWXYZ0";
pub const PASSWORD: &str = "a password of the test";
/// The time limit for a start on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// A process that is killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&said));
}

/// The directory of the installed provider; installed once, and again if its sources change.
static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/real/verify/provider");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/oidc-provider");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let wanted = fs::read(from.join("package-lock.json")).unwrap();
    let marker = folder.join("installed");
    if fs::read(&marker).ok().as_ref() != Some(&wanted) {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(from.join(name), folder.join(name)).unwrap();
        }
        succeed(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder));
        fs::write(&marker, wanted).unwrap();
    }
    fs::copy(from.join("provider.mjs"), folder.join("provider.mjs")).unwrap();
    folder
});

/// An OpenID provider.
pub struct Provider {
    /// Its port.
    pub port: u16,
    _running: Running,
}

impl Provider {
    /// Starts a provider whose client has these redirect URIs.
    pub fn start(redirect_uris: &[&str]) -> Self {
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .args([json!(redirect_uris).to_string().as_str(), "https://idp.example.com"])
            .current_dir(INSTALLED.as_path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Node.js");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let running = Running(child);
        // It prints warnings before.
        let port = lines.map(|line| line.unwrap()).find_map(|line| line.strip_prefix("port ")?.parse().ok());
        Self { port: port.expect("the provider tells its port"), _running: running }
    }
}

/// Synapse with a separate database, one user and one OpenID provider.
pub struct Synapse {
    /// Its address, without TLS.
    pub port: u16,
    home: TempDir,
    running: Option<Running>,
}

impl Synapse {
    /// With its own logins.
    pub async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut synapse = Self { port, home: TempDir::new().unwrap(), running: None };
        let at_provider = |path: &str| format!("https://idp.example.com{path}");
        synapse.configure(&json!({
            "oidc_providers": [{
                "idp_id": ID, "idp_name": "Corp", "issuer": "https://idp.example.com", "client_id": "c",
                "client_secret": "a secret of the test that opens nothing", "discover": false,
                "user_profile_method": "userinfo_endpoint", "authorization_endpoint": at_provider("/auth"),
                "token_endpoint": at_provider("/token"), "userinfo_endpoint": at_provider("/me"),
                "jwks_uri": at_provider("/jwks"),
            }],
        }));
        succeed(synapse.python("synapse.app.homeserver").args(["-c", "homeserver.yaml", "--generate-keys"]));
        synapse.run().await;
        let at = format!("http://127.0.0.1:{port}");
        succeed(synapse.python("synapse._scripts.register_new_matrix_user").args([
            "-c",
            "homeserver.yaml",
            "--no-admin",
            "-u",
            "alice",
            "-p",
            PASSWORD,
            at.as_str(),
        ]));
        synapse
    }

    /// The same database, with logins at a MAS on this port.
    pub async fn migrate(&mut self, mas: u16) {
        self.running = None;
        self.configure(&json!({
            "password_config": {"enabled": false},
            "matrix_authentication_service": {
                "enabled": true, "endpoint": format!("http://127.0.0.1:{mas}/"), "secret": "a secret of the test",
            },
        }));
        self.run().await;
    }

    /// Logs in alice; returns her access token and her device.
    pub fn log_in(&self) -> (String, String) {
        let identifier = json!({"type": "m.id.user", "user": "alice"});
        let login = json!({"type": "m.login.password", "identifier": identifier, "password": PASSWORD});
        let (status, answer) =
            self.ask("POST", "/_matrix/client/v3/login", &login.to_string()).expect("Synapse answers");
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let text = |key: &str| answer[key].as_str().unwrap().to_owned();
        (text("access_token"), text("device_id"))
    }

    fn configure(&self, more: &Value) {
        let mut settings = json!({
            "server_name": "example.com",
            "public_baseurl": "https://matrix.example.com/",
            "pid_file": "synapse.pid",
            "listeners": [{
                "port": self.port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": false, "x_forwarded": true,
                "resources": [{"names": ["client"]}],
            }],
            "database": {"name": "sqlite3", "args": {"database": "synapse.db"}},
            "media_store_path": "media",
            "signing_key_path": "signing.key",
            "registration_shared_secret": "a shared secret of the test",
            "report_stats": false,
            "trusted_key_servers": [],
        });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        // JSON is valid YAML.
        fs::write(self.home.path().join("homeserver.yaml"), settings.to_string()).unwrap();
    }

    fn python(&self, module: &str) -> Command {
        let mut command = Command::new(synapse::python());
        command.args(["-W", "ignore", "-m", module]).current_dir(self.home.path());
        command
    }

    async fn run(&mut self) {
        let log = File::create(self.home.path().join("log")).unwrap();
        let mut command = self.python("synapse.app.homeserver");
        command.args(["-c", "homeserver.yaml"]).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.running = Some(Running(command.spawn().unwrap()));
        let limit = Instant::now() + PATIENCE;
        while self.ask("GET", "/_matrix/client/versions", "").is_none_or(|(status, _)| status != 200) {
            let ended = self.running.as_mut().is_none_or(|running| running.0.try_wait().unwrap().is_some());
            let log = || fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
            assert!(!ended && Instant::now() < limit, "Synapse does not start:\n{}", log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// One HTTP/1.0 request, which has the simplest response.
    fn ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        let head =
            format!("{method} {path} HTTP/1.0\r\nhost: matrix.example.com\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }
}
