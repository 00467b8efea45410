//! The secrets as files, and the search through everything that a command outputs or leaves behind.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ess_mas::x509::{CertificateAuthority, HostName, RsaBits, RsaPrivateKey, TlsKeyType};
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::common::command::{Done, Shell, finish};
use crate::common::detector::Detector;
use crate::common::scene::Scene;

pub const PASSWORD: &str = "canary/PW+7731=%&ü:\"two words\" {{ 1_000";

pub const ENCRYPTION: &str = "d2c4a9f07b15e83664ff1ab09c3e5d7788b1f2c30d4e695a7fe1c2b3a4958607";

/// Where the private part of PKCS#8 begins: after version, algorithm, modulus and exponent, or after the header of an
/// EC key.
const RSA: usize = 300;
const EC: usize = 36;

/// The secrets, as files with mode 0600 in a shell's home.
pub struct Secrets {
    pub rsa: String,
    pub chain: String,
    pub key: String,
    pub ca: String,
    pub detector: Detector,
}

impl Secrets {
    pub fn new() -> Self {
        let rsa = RsaPrivateKey::generate(RsaBits::Bits2048).unwrap().pem.expose().to_owned();
        let now = ess_mas::terminal::Terminal::real().now();
        let host = HostName::parse("auth.example.com").unwrap();
        let authority = CertificateAuthority::create(&host, TlsKeyType::P256, now).unwrap();
        let issued = authority.issue(&host, TlsKeyType::P256, now).unwrap();
        let (chain, key) = (issued.chain.to_pem(), issued.key.pem.expose().to_owned());
        let ca = authority.key.pem.expose().to_owned();
        let mut detector = Detector::default();
        detector.add("postgresPassword", PASSWORD.as_bytes());
        detector.add("encryptionSecret", ENCRYPTION.as_bytes());
        let bytes: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&ENCRYPTION[2 * at..2 * at + 2], 16).unwrap()).collect();
        detector.add("encryptionSecret, decoded", &bytes);
        detector.add_key("rsaPrivateKey", &rsa, RSA);
        detector.add_key("privateKey", &key, EC);
        detector.add_key("the CA's key", &ca, EC);
        // Not secret itself, but there is no reason to print it.
        detector.add("certificate", chain.lines().nth(4).unwrap().as_bytes());
        Self { rsa, chain, key, ca, detector }
    }

    /// Writes them to the home directory, including common damaged forms.
    pub fn lay(&self, home: &Path) {
        let indented: String = self.rsa.lines().flat_map(|line| ["  ", line, "\n"]).collect();
        let twice = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, ENCRYPTION);
        for (name, content) in [
            ("password", PASSWORD.to_owned()),
            ("two-lines", format!("{PASSWORD}\nand another line\n")),
            ("encryption", ENCRYPTION.to_owned()),
            ("encryption-newline", format!("{ENCRYPTION}\n")),
            ("encryption-0x", format!("0x{ENCRYPTION}")),
            ("encryption-twice", twice),
            ("encryption-odd", format!("{ENCRYPTION}g")),
            ("rsa", self.rsa.clone()),
            ("rsa-indented", indented),
            ("rsa-cut", self.rsa[..self.rsa.len() / 2].to_owned()),
            ("chain", self.chain.clone()),
            ("key", self.key.clone()),
            ("ca.key", self.ca.clone()),
        ] {
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(home.join(name))
                .unwrap();
            file.write_all(content.as_bytes()).unwrap();
        }
    }
}

/// Runs commands and collects the places where a secret appears.
pub struct Watch {
    pub secrets: Arc<Secrets>,
    pub leaks: Mutex<Vec<String>>,
    pub commands: Mutex<usize>,
    /// The number of commands whose process was observed. A busy machine may miss a short one.
    pub seen: AtomicUsize,
}

/// Stops the observing thread, also if a test fails, because a runtime waits for its threads.
struct Ends(Arc<AtomicBool>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Watch {
    pub fn new(secrets: &Arc<Secrets>) -> Self {
        Self {
            secrets: Arc::clone(secrets),
            leaks: Mutex::default(),
            commands: Mutex::default(),
            seen: AtomicUsize::new(0),
        }
    }

    pub fn look(&self, what: &str, bytes: &[u8]) {
        if let Some(found) = self.secrets.detector.find(bytes) {
            self.leaks.lock().unwrap().push(format!("{what}: {found}"));
        }
    }

    /// Runs a command and observes its process.
    pub async fn run(&self, mut command: Command, line: &str, input: Option<&str>) -> Done {
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().unwrap();
        let (pid, over) = (child.id().unwrap(), Arc::new(AtomicBool::new(false)));
        let ends = Ends(Arc::clone(&over));
        let process = tokio::task::spawn_blocking({
            move || {
                let mut seen = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    for about in ["cmdline", "environ", "comm"] {
                        let bytes = std::fs::read(format!("/proc/{pid}/{about}")).unwrap_or_default();
                        if !bytes.is_empty() && !seen.contains(&(about, bytes.clone())) {
                            seen.push((about, bytes));
                        }
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                seen
            }
        });
        if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
            let _ = stdin.write_all(text.as_bytes()).await;
        }
        let done = finish(child, line.to_owned()).await;
        drop(ends);
        let seen = process.await.unwrap();
        self.seen.fetch_add(usize::from(seen.iter().any(|(about, _)| *about == "cmdline")), Ordering::Relaxed);
        for (about, bytes) in seen {
            self.look(&format!("/proc/PID/{about} of `{line}`"), &bytes);
        }
        self.look(&format!("stdout of `{line}`"), done.stdout.as_bytes());
        self.look(&format!("stderr of `{line}`"), done.stderr.as_bytes());
        *self.commands.lock().unwrap() += 1;
        done
    }

    /// Runs a command line of the plugin.
    pub async fn plugin(&self, shell: &Shell, line: &str) -> Done {
        let mut command = shell.command(line.split_whitespace());
        command.env("TMPDIR", shell.home());
        self.run(command, line, line.contains(" - ").then_some(PASSWORD)).await
    }

    /// Searches everything that remains in the namespace and on disk.
    pub async fn look_around(&self, scene: &Scene, shells: &[&Shell]) {
        let client = scene.namespace.client().unwrap();
        for (group, version, kind, plural) in [
            ("", "v1", "ConfigMap", "configmaps"),
            ("", "v1", "Secret", "secrets"),
            ("", "v1", "Event", "events"),
            ("events.k8s.io", "v1", "Event", "events"),
            ("matrix.element.io", "v1alpha2", "ElementDeployment", "elementdeployments"),
        ] {
            let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
            let api = Api::<DynamicObject>::namespaced_with(client.clone(), scene.namespace.name(), &resource);
            for object in api.list(&ListParams::default()).await.unwrap() {
                let mut object = serde_json::to_value(object).unwrap();
                // The data of a Secret may contain secrets; the rest is searched.
                object.as_object_mut().unwrap().remove("data");
                if kind == "ConfigMap" {
                    object = serde_json::to_value(api.get(object["metadata"]["name"].as_str().unwrap()).await.unwrap())
                        .unwrap();
                }
                self.look(&format!("{kind} {}", object["metadata"]["name"]), object.to_string().as_bytes());
            }
        }
        for shell in shells {
            for (path, mode, what) in self.secrets.detector.files(shell.home()) {
                let state = path.contains("/state/");
                let core = path.rsplit('/').next().is_some_and(|name| name.starts_with("core"));
                if mode != 0o600 || state || core {
                    self.leaks.lock().unwrap().push(format!("{path} (mode {mode:o}): {what}"));
                }
            }
        }
    }

    pub fn leaks(&self) -> Vec<String> {
        std::mem::take(&mut self.leaks.lock().unwrap())
    }
}
