//! Who the requests are made as, and how that is made anew when the server no longer takes it.
//!
//! kube runs a credential plugin (`users[].user.exec`) three times before the first request (once per layer that asks for
//! credentials), each time blocking the executor; they take 300 ms and more. So the plugin is run here, once.
//!
//! A migration is followed for an hour or more, and what was good at its beginning may expire. After a 401:
//!
//! | the user | what is done |
//! | --- | --- |
//! | has other credentials in the kubeconfig by now (somebody logged in again) | they are taken over |
//! | has a plugin | it is run again, as kubectl would at its next call; a new client certificate means new connections |
//! | has a token or a client certificate in a file | the file is read again |

use std::{
    path::Path,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use kube::config::{AuthInfo, ExecAuthCluster, ExecConfig};
use tokio::sync::Mutex;

use super::{
    authorization::{is_written_down, unproven, written_down},
    connection::client,
    errors::ClusterError,
    flags::ConnectionFlags,
    kubeconfig::{self, Environment, Resolved},
    plugin::{Issued, run},
};

/// A credential counts as expired this long before it is, so that it does not expire on its way.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// How long a plugin is not run again after it gave nothing new: it may open a browser each time.
const IN_VAIN: Duration = Duration::from_secs(30);

/// What a request is sent with.
#[derive(Clone)]
pub(super) struct Access {
    /// `Authorization`, where the user is no client certificate.
    pub(super) header: Option<HeaderValue>,
    /// Connections, with the client certificate if there is one.
    pub(super) client: kube::Client,
    /// Counts up with every change.
    issue: u32,
}

/// Supplies what requests are sent with.
pub(super) struct Credentials {
    /// To read the kubeconfig again; `None` where there is none, as in tests.
    flags: Option<ConnectionFlags>,
    connect: Option<Duration>,
    state: Mutex<State>,
}

struct State {
    access: Access,
    /// As the kubeconfig says.
    resolved: Resolved,
    plugin: Option<ExecConfig>,
    /// What the plugin issued last.
    issued: Option<Issued>,
    in_vain: Option<Instant>,
}

/// Applies kubectl's rules to flags, environment and files as they are now.
pub(super) fn resolve(flags: &ConnectionFlags) -> Result<Resolved, ClusterError> {
    let mut resolved = kubeconfig::resolve(flags, &surroundings())?;
    if resolved.server.scheme_str() == Some("http") {
        resolved.user = unproven(&resolved.user);
    }
    Ok(resolved)
}

/// This process's.
pub(super) fn surroundings() -> Environment<'static> {
    Environment {
        var: &|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()),
        service_account: Path::new(kubeconfig::SERVICE_ACCOUNT),
    }
}

impl Credentials {
    /// Runs the user's plugin, if there is one, and sets up the connections.
    pub(super) async fn begin(
        resolved: Resolved,
        flags: Option<ConnectionFlags>,
        connect: Option<Duration>,
    ) -> Result<Self, ClusterError> {
        let state = Box::pin(State::of(resolved, connect, 0)).await?;
        Ok(Self { flags, connect, state: Mutex::new(state) })
    }

    /// What to send the next request with; made anew when it has expired.
    pub(super) async fn current(&self) -> Result<Access, ClusterError> {
        let mut state = self.state.lock().await;
        let expires = state.issued.as_ref().and_then(|issued| issued.expires);
        if expires.is_some_and(|expires| Timestamp::now() + MARGIN >= expires) {
            Box::pin(state.run_plugin(self.connect)).await?;
        }
        state.read_token_file();
        Ok(state.access.clone())
    }

    /// After a 401 to a request that was sent with `refused`: something else, if there is a chance that it helps.
    ///
    /// When another request has renewed it in the meantime, that is given and nothing is run again.
    pub(super) async fn renewed(&self, refused: &Access) -> Result<Option<Access>, ClusterError> {
        let mut state = self.state.lock().await;
        if state.access.issue != refused.issue {
            return Ok(Some(state.access.clone()));
        }
        if let Some(resolved) = self.logged_in_again(&state.resolved) {
            *state = Box::pin(State::of(resolved, self.connect, refused.issue + 1)).await?;
        } else if state.plugin.is_some() {
            if state.in_vain.is_some_and(|at| at.elapsed() < IN_VAIN) {
                return Ok(None);
            }
            Box::pin(state.run_plugin(self.connect)).await?;
        } else if state.resolved.user.client_certificate.is_some() {
            state.access.client = client(&state.resolved, self.connect)?;
            state.access.issue += 1;
        } else {
            state.read_token_file();
        }
        let news = state.access.issue != refused.issue;
        state.in_vain = (!news).then(Instant::now);
        Ok(news.then(|| state.access.clone()))
    }

    /// The kubeconfig as it is now, if it has other credentials for the same user of the same server.
    fn logged_in_again(&self, before: &Resolved) -> Option<Resolved> {
        // While it is being rewritten it cannot be read; the next 401 comes soon.
        let now = resolve(self.flags.as_ref()?).ok()?;
        let identity = |one: &Resolved| (one.server.clone(), one.context.clone(), one.user_name.clone());
        let user = |one: &Resolved| serde_json::to_value(&one.user).ok();
        (identity(&now) == identity(before) && user(&now) != user(before)).then_some(now)
    }
}

impl State {
    async fn of(resolved: Resolved, connect: Option<Duration>, issue: u32) -> Result<Self, ClusterError> {
        // client-go prefers what is written down over a plugin.
        let mut plugin = resolved.user.exec.clone().filter(|_| !is_written_down(&resolved.user));
        if let Some(plugin) = plugin.as_mut().filter(|plugin| plugin.provide_cluster_info) {
            // Go reads Base64 with line breaks in it, and an empty text as none.
            let mut cluster = resolved.cluster.clone();
            let data = cluster.certificate_authority_data.take().filter(|data| !data.is_empty());
            cluster.certificate_authority_data =
                data.map(|data| kubeconfig::decoded(&data).map_or(data, |pem| STANDARD.encode(pem)));
            plugin.cluster = Some(ExecAuthCluster::try_from(&cluster).map_err(|error| {
                ClusterError::config(
                    "The cluster's entry in the kubeconfig cannot be given to the credential plugin.",
                    None,
                )
                .caused_by(error)
            })?);
        }
        let issued = match &plugin {
            Some(plugin) => Some(run(plugin).await?),
            None => None,
        };
        let header = match &issued {
            Some(issued) => issued.header.clone(),
            None => written_down(&resolved.user)?,
        };
        let access = Access { header, client: connections(&resolved, issued.as_ref(), connect)?, issue };
        Ok(Self { access, resolved, plugin, issued, in_vain: None })
    }

    /// What is in the file now goes; while it cannot be read, what was in it before.
    fn read_token_file(&mut self) {
        if self.plugin.is_none()
            && self.resolved.user.token_file.is_some()
            && let Ok(header) = written_down(&self.resolved.user)
            && header != self.access.header
        {
            self.access.header = header;
            self.access.issue += 1;
        }
    }

    async fn run_plugin(&mut self, connect: Option<Duration>) -> Result<(), ClusterError> {
        let Some(plugin) = &self.plugin else { return Ok(()) };
        let issued = run(plugin).await?;
        let before = self.issued.as_ref();
        if issued.differs(before) {
            if before.is_none_or(|before| before.certificate != issued.certificate) {
                self.access.client = connections(&self.resolved, Some(&issued), connect)?;
            }
            self.access.header.clone_from(&issued.header);
            self.access.issue += 1;
        }
        self.issued = Some(issued);
        Ok(())
    }
}

/// Connections with the certificate that a plugin issued, or else as the kubeconfig says.
fn connections(
    resolved: &Resolved,
    issued: Option<&Issued>,
    connect: Option<Duration>,
) -> Result<kube::Client, ClusterError> {
    let mut resolved = resolved.clone();
    if let Some((certificate, key)) = issued.and_then(|issued| issued.certificate.as_ref()) {
        set_certificate(&mut resolved.user, certificate, key);
    }
    client(&resolved, connect)
}

/// Puts a PEM pair where one of the kubeconfig would be.
fn set_certificate(user: &mut AuthInfo, certificate: &str, key: &str) {
    user.client_certificate_data = Some(STANDARD.encode(certificate));
    user.client_key_data = Some(STANDARD.encode(key).into());
    user.client_certificate = None;
    user.client_key = None;
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::cluster::plugin::tests::plugin;

    fn counting(folder: &std::path::Path, expires: &str) -> ExecConfig {
        let count = folder.join("count");
        plugin(&format!(
            r#"echo x >> {0}; n=$(wc -l < {0}); echo "{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"$GREETING-$(echo $n)\"{expires}}}}}""#,
            count.display()
        ))
    }

    async fn begin(plugin: &ExecConfig) -> Credentials {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let environment = Environment { var: &|_| None, service_account: Path::new("/nonexistent") };
        let flags = ConnectionFlags { server: Some("http://127.0.0.1:1".to_owned()), ..ConnectionFlags::default() };
        let mut resolved = kubeconfig::resolve(&flags, &environment).expect("resolves");
        resolved.user.exec = Some(plugin.clone());
        Credentials::begin(resolved, None, None).await.expect("set up")
    }

    #[tokio::test]
    async fn the_plugin_runs_once_and_again_only_when_its_token_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let credentials = begin(&counting(folder.path(), "")).await;
        let first = credentials.current().await.expect("access");
        for _ in 0..3 {
            assert_eq!(credentials.current().await.expect("access").header.expect("token"), "Bearer hello-1");
        }
        let renewed = async || credentials.renewed(&first).await.expect("runs").expect("new").header.expect("token");
        assert_eq!(renewed().await, "Bearer hello-2");
        // A second request that was refused with the old token gets the new one without another run.
        assert_eq!(renewed().await, "Bearer hello-2");
    }

    #[tokio::test]
    async fn a_token_in_a_file_is_read_for_every_request() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let environment = Environment { var: &|_| None, service_account: Path::new("/nonexistent") };
        let flags = ConnectionFlags { server: Some("http://127.0.0.1:1".to_owned()), ..ConnectionFlags::default() };
        let mut resolved = kubeconfig::resolve(&flags, &environment).expect("resolves");
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), "first").expect("written");
        resolved.user.token_file = Some(file.path().display().to_string());
        let credentials = Credentials::begin(resolved, None, None).await.expect("set up");
        let token = async || credentials.current().await.expect("access").header.expect("token");
        let before = credentials.current().await.expect("access");
        assert_eq!(token().await, "Bearer first");
        assert!(credentials.renewed(&before).await.expect("reads").is_none(), "there is nothing new");
        std::fs::write(file.path(), "second").expect("written");
        assert_eq!(
            credentials.renewed(&before).await.expect("reads").expect("new").header.expect("token"),
            "Bearer second"
        );
        std::fs::write(file.path(), "third").expect("written");
        assert_eq!(token().await, "Bearer third");
        // While it is being replaced, what was known goes on.
        std::fs::remove_file(file.path()).expect("removed");
        assert_eq!(token().await, "Bearer third");
    }

    #[tokio::test]
    async fn an_expired_token_is_renewed_before_it_is_used() {
        let folder = tempfile::tempdir().expect("folder");
        let plugin = counting(folder.path(), r#",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\""#);
        let credentials = begin(&plugin).await;
        assert_eq!(credentials.current().await.expect("access").header.expect("token"), "Bearer hello-2");
    }

    /// Each run may open a browser.
    #[tokio::test]
    async fn a_plugin_that_has_nothing_new_is_not_run_every_few_seconds() {
        let folder = tempfile::tempdir().expect("folder");
        let count = folder.path().join("count");
        let script = format!(r#"echo x >> {}; echo "{{\"status\":{{\"token\":\"same\"}}}}""#, count.display());
        let credentials = begin(&plugin(&script)).await;
        let access = credentials.current().await.expect("access");
        for _ in 0..5 {
            assert!(credentials.renewed(&access).await.expect("runs").is_none());
        }
        assert_eq!(std::fs::read_to_string(&count).expect("count").lines().count(), 2);
    }
}
