//! A real API server with etcd on 127.0.0.1, for the lifetime of a value.

mod kubeconfig;
pub(crate) mod pki;
mod ready;

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use self::kubeconfig::{Credential, kubeconfig};
use self::pki::Authority;
use crate::supervisor::Supervisor;
use crate::{Result, assets};

/// The time limit of a start, which takes three seconds on an idle machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running `kube-apiserver` and `etcd`, with RBAC, and with TLS from its own CA.
///
/// When the value is dropped or its process ends in any way, both are stopped and all files removed.
pub struct ControlPlane {
    server: String,
    authority: Authority,
    // A mutex because starting a process needs `&mut`.
    supervisor: Mutex<Supervisor>,
    directory: PathBuf,
    config: kube::Config,
}

impl ControlPlane {
    /// Starts a server and returns once it is ready. Blocks: from a runtime, use `spawn_blocking`.
    ///
    /// The first start on a machine builds the programs, which takes minutes; see docs/contributing.md.
    pub fn start() -> Result<Self> {
        let programs = assets::folder()?;
        // Another process may take a free port in the meantime, so this is retried.
        let mut attempt = 1;
        loop {
            match Self::try_start(&programs) {
                Err(error) if attempt < 3 && error.to_string().contains("address already in use") => attempt += 1,
                result => return result,
            }
        }
    }

    fn try_start(programs: &Path) -> Result<Self> {
        let mut supervisor = Supervisor::start()?;
        let directory = supervisor.directory().to_owned();
        let authority = Authority::new()?;
        let [store, peer, secure] = free_ports()?;
        write_identities(&directory, &authority)?;
        supervisor.run("etcd", &programs.join("etcd"), &etcd_arguments(&directory, store, peer))?;
        let arguments = api_server_arguments(&directory, store, secure);
        supervisor.run("kube-apiserver", &programs.join("kube-apiserver"), &arguments)?;
        wait_until_ready(&supervisor, &ready::Probe::new(secure, authority.certificate())?)?;

        let server = format!("https://127.0.0.1:{secure}");
        let admin = client_kubeconfig(&server, &authority, "admin", &["system:masters"], None)?;
        let config = read_config(&admin)?;
        fs::write(directory.join("admin.kubeconfig"), admin)?;
        Ok(Self { server, authority, supervisor: Mutex::new(supervisor), directory, config })
    }

    /// The address, `https://127.0.0.1:PORT`.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The PEM file of the server's CA.
    pub fn certificate_authority(&self) -> PathBuf {
        self.directory.join("ca.crt")
    }

    /// The client configuration of an administrator (group `system:masters`).
    pub fn config(&self) -> kube::Config {
        self.config.clone()
    }

    /// A client for an administrator. It belongs to the current runtime, so every test creates its own.
    pub fn client(&self) -> Result<kube::Client> {
        Ok(kube::Client::try_from(self.config())?)
    }

    /// The administrator's kubeconfig file, without a namespace.
    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.directory.join("admin.kubeconfig")
    }

    /// A kubeconfig for a user with a client certificate. RBAC decides the permissions; `namespace` is the context's.
    pub fn certificate_kubeconfig(&self, user: &str, groups: &[&str], namespace: Option<&str>) -> Result<String> {
        client_kubeconfig(&self.server, &self.authority, user, groups, namespace)
    }

    /// A kubeconfig for a user with a token.
    pub fn token_kubeconfig(&self, user: &str, token: &str, namespace: Option<&str>) -> Result<String> {
        kubeconfig(&self.server, self.authority.certificate(), user, &Credential::Token(token), namespace)
    }

    /// The same for a proxy in front of the server, at another address.
    pub(crate) fn token_kubeconfig_for(
        &self,
        server: &str,
        user: &str,
        token: &str,
        namespace: Option<&str>,
    ) -> Result<String> {
        kubeconfig(server, self.authority.certificate(), user, &Credential::Token(token), namespace)
    }

    /// The CA, for a proxy in front of the server.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Writes a file that is removed with this control plane, and returns its path.
    pub fn write_file(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.directory.join(name);
        fs::write(&path, content)?;
        Ok(path)
    }

    /// The last lines of the API server's log.
    pub fn log_tail(&self, lines: usize) -> String {
        self.supervisor.lock().map_or_else(|_| String::new(), |one| one.log_tail("kube-apiserver", lines))
    }

    /// The control plane's folder.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

fn client_kubeconfig(
    server: &str,
    authority: &Authority,
    user: &str,
    groups: &[&str],
    namespace: Option<&str>,
) -> Result<String> {
    let identity = authority.client(user, groups)?;
    let credential = Credential::Certificate { certificate: &identity.certificate, key: &identity.key };
    kubeconfig(server, authority.certificate(), user, &credential, namespace)
}

/// Reading a kubeconfig is `async` in `kube`. This uses a short-lived runtime on a new thread, because the caller may be in a runtime.
fn read_config(text: &str) -> Result<kube::Config> {
    let kubeconfig = kube::config::Kubeconfig::from_yaml(text)?;
    crate::sandbox::block_on(async move {
        Ok(kube::Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default()).await?)
    })
}

fn write_identities(directory: &Path, authority: &Authority) -> Result<()> {
    let server = authority.server()?;
    let accounts = rcgen::KeyPair::generate()?;
    for (name, content) in [
        ("ca.crt", authority.certificate()),
        ("server.crt", &server.certificate),
        ("server.key", &server.key),
        ("accounts.key", &accounts.serialize_pem()),
        ("accounts.pub", &accounts.public_key_pem()),
    ] {
        fs::write(directory.join(name), content)?;
    }
    Ok(())
}

fn wait_until_ready(supervisor: &Supervisor, probe: &ready::Probe) -> Result<()> {
    let begin = Instant::now();
    while !probe.ready() {
        for program in ["etcd", "kube-apiserver"] {
            if let Some(code) = supervisor.exit_code(program) {
                let log = supervisor.log_tail(program, 20);
                return Err(
                    format!("{program} ended with code {code} instead of starting. Its log ends with:\n{log}").into()
                );
            }
        }
        if begin.elapsed() > PATIENCE {
            let log = supervisor.log_tail("kube-apiserver", 20);
            let seconds = PATIENCE.as_secs();
            return Err(format!("kube-apiserver is not ready after {seconds} s. Its log ends with:\n{log}").into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Different ports: all are bound until all are found.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

fn etcd_arguments(directory: &Path, client: u16, peer: u16) -> Vec<OsString> {
    let client = format!("http://127.0.0.1:{client}");
    let peer = format!("http://127.0.0.1:{peer}");
    [
        ("--data-dir", directory.join("etcd").into_os_string()),
        ("--listen-client-urls", client.clone().into()),
        ("--advertise-client-urls", client.into()),
        ("--listen-peer-urls", peer.clone().into()),
        ("--initial-advertise-peer-urls", peer.clone().into()),
        ("--initial-cluster", format!("default={peer}").into()),
        // The data need not survive, so don't wait for the disk.
        ("--unsafe-no-fsync", "true".into()),
        ("--log-level", "warn".into()),
    ]
    .map(argument)
    .into()
}

fn api_server_arguments(directory: &Path, store: u16, secure: u16) -> Vec<OsString> {
    let file = |name: &str| directory.join(name).into_os_string();
    [
        ("--etcd-servers", format!("http://127.0.0.1:{store}").into()),
        ("--bind-address", "127.0.0.1".into()),
        ("--advertise-address", "127.0.0.1".into()),
        ("--secure-port", secure.to_string().into()),
        ("--cert-dir", file("certificates")),
        ("--tls-cert-file", file("server.crt")),
        ("--tls-private-key-file", file("server.key")),
        ("--client-ca-file", file("ca.crt")),
        ("--service-account-issuer", "https://kubernetes.default.svc".into()),
        ("--service-account-signing-key-file", file("accounts.key")),
        ("--service-account-key-file", file("accounts.pub")),
        ("--service-cluster-ip-range", "10.0.0.0/24".into()),
        ("--authorization-mode", "RBAC".into()),
        // This plugin waits for the default ServiceAccounts, which nothing creates here.
        ("--disable-admission-plugins", "ServiceAccount".into()),
        // No Service leads to this server.
        ("--endpoint-reconciler-type", "none".into()),
    ]
    .map(argument)
    .into()
}

fn argument((name, value): (&str, OsString)) -> OsString {
    let mut argument = OsString::from(name);
    argument.push("=");
    argument.push(value);
    argument
}
