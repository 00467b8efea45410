//! Who the requests are made as, and how that is made anew when the server no longer takes it.
//!
//! kube is given a user with a token, a password or a certificate in it and nothing to run or to look up. It would run a
//! credential plugin (`users[].user.exec`) three times before the first request, each time blocking the executor, and put
//! its output into errors; it does not remove the line end of a token in a file, ends the program over a token that cannot
//! be sent, and does nothing about a 401.
//!
//! A migration is followed for an hour or more, and what was good at its beginning may expire. After a 401:
//!
//! | the user | what is done |
//! | --- | --- |
//! | has other credentials in the kubeconfig by now (somebody logged in again) | they are taken over |
//! | has a plugin | it is run again, as kubectl would at its next call |
//! | has a token or a client certificate in a file | the file is read again |

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use kube::config::{AuthInfo, AuthProviderConfig};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{
    connection::client,
    errors::ClusterError,
    flags::ConnectionFlags,
    kubeconfig::{self, Environment, Resolved},
    plugin,
};

/// A credential counts as expired this long before it is, so that it does not expire on its way.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// How long a plugin is not run again after it gave nothing new: it may open a browser each time.
const IN_VAIN: Duration = Duration::from_secs(30);

/// What a request is sent with.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) client: kube::Client,
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
    resolved: Resolved,
    proof: Proof,
    in_vain: Option<Instant>,
}

pub(super) struct Proof {
    /// Without anything to run or to look up but a client certificate.
    pub(super) user: AuthInfo,
    pub(super) expires: Option<Timestamp>,
}

/// Applies kubectl's rules to flags, environment and files as they are now.
pub(super) fn resolve(flags: &ConnectionFlags) -> Result<Resolved, ClusterError> {
    let mut resolved = kubeconfig::resolve(flags, &surroundings())?;
    if resolved.config.cluster_url.scheme_str() == Some("http") {
        // As in client-go, nothing that proves anything goes where everybody can read it.
        resolved.user = AuthInfo {
            impersonate: resolved.user.impersonate,
            impersonate_uid: resolved.user.impersonate_uid,
            impersonate_groups: resolved.user.impersonate_groups,
            impersonate_user_extra: resolved.user.impersonate_user_extra,
            ..AuthInfo::default()
        };
    }
    Ok(resolved)
}

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
        let proof = Box::pin(prove(&resolved)).await?;
        let access = Access { client: client(&resolved, &proof.user, connect)?, issue: 0 };
        Ok(Self { flags, connect, state: Mutex::new(State { access, resolved, proof, in_vain: None }) })
    }

    /// What to send the next request with; made anew when it has expired.
    pub(super) async fn current(&self) -> Result<Access, ClusterError> {
        let mut state = self.state.lock().await;
        let expired = state.proof.expires.is_some_and(|expires| Timestamp::now() + MARGIN >= expires);
        if expired || state.resolved.user.token_file.is_some() {
            match Box::pin(prove(&state.resolved)).await {
                Ok(proof) => drop(state.adopt(proof, self.connect, false)?),
                Err(error) if expired => return Err(error),
                // While a file is being replaced, what was in it before goes.
                Err(_) => {}
            }
        }
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
        let again = self.logged_in_again(&state.resolved);
        if again.is_none()
            && state.resolved.user.exec.is_some()
            && state.in_vain.is_some_and(|at| at.elapsed() < IN_VAIN)
        {
            return Ok(None);
        }
        // A certificate in a file is read where the connections are set up.
        let anew = again.is_some() || state.resolved.user.client_certificate.is_some();
        if let Some(again) = again {
            state.resolved = *again;
        }
        let proof = match Box::pin(prove(&state.resolved)).await {
            Ok(proof) => proof,
            Err(_) if state.resolved.user.token_file.is_some() => return Ok(None),
            Err(error) => return Err(error),
        };
        let news = state.adopt(proof, self.connect, anew)?;
        state.in_vain = (!news).then(Instant::now);
        Ok(news.then(|| state.access.clone()))
    }

    /// The kubeconfig as it is now, if it has other credentials for the same user of the same server.
    fn logged_in_again(&self, before: &Resolved) -> Option<Box<Resolved>> {
        // While it is being rewritten it cannot be read; the next 401 comes soon.
        let now = resolve(self.flags.as_ref()?).ok()?;
        let identity = |one: &Resolved| (one.config.cluster_url.clone(), one.context.clone(), one.user_name.clone());
        (identity(&now) == identity(before) && !same(&now.user, &before.user)).then(|| Box::new(now))
    }
}

impl State {
    /// True if there is something new to send requests with.
    fn adopt(&mut self, proof: Proof, connect: Option<Duration>, anew: bool) -> Result<bool, ClusterError> {
        let news = anew || !same(&proof.user, &self.proof.user);
        if news {
            let client = client(&self.resolved, &proof.user, connect)?;
            self.access = Access { client, issue: self.access.issue + 1 };
        }
        self.proof = proof;
        Ok(news)
    }
}

fn same(one: &AuthInfo, other: &AuthInfo) -> bool {
    serde_json::to_value(one).ok() == serde_json::to_value(other).ok()
}

/// As in client-go (`rest/transport.go`, `transport/round_trippers.go`): a token in a file goes before one that is written
/// down, the file is read for every request, because a pod's is renewed every hour, and both go before a plugin.
async fn prove(resolved: &Resolved) -> Result<Proof, ClusterError> {
    let mut user = resolved.user.clone();
    let (provider, exec) = (user.auth_provider.take(), user.exec.take());
    if user.username.is_some() {
        if user.token.is_some() {
            return Err(ClusterError::config(
                "The kubeconfig's user has a token, and a name with a password as well.",
                Some("Leave out one of them; kubectl takes no such user either.".to_owned()),
            ));
        }
        user.token_file = None;
        user.password.get_or_insert_default();
    } else if let Some(file) = user.token_file.take() {
        match (fs::read_to_string(&file).map(Zeroizing::new), &user.token) {
            (Ok(read), _) if !read.trim().is_empty() => user.token = Some(read.trim().into()),
            (_, Some(_)) => {}
            (read, None) => {
                let how = read.err().map_or("is empty".to_owned(), |error| format!("cannot be read: {}", error.kind()));
                let sentence = format!("The file {file} with the token of the kubeconfig's user {how}.");
                return Err(ClusterError::config(sentence, None));
            }
        }
    } else if user.token.is_none() {
        if let Some(provider) = provider {
            user.token = Some(from_provider(&provider)?);
        } else if let Some(exec) = exec {
            return plugin::run(&exec, &resolved.cluster, user).await;
        }
    }
    if user.token.as_ref().is_some_and(|token| !can_be_sent(token)) {
        return Err(ClusterError::config(
            "The token of the kubeconfig's user holds what cannot be sent.",
            Some("Log in again as you do for kubectl.".to_owned()),
        ));
    }
    Ok(Proof { user, expires: None })
}

pub(super) fn can_be_sent(token: &SecretString) -> bool {
    HeaderValue::try_from(token.expose_secret()).is_ok()
}

/// kubectl would renew it; what it renewed last is in the kubeconfig.
fn from_provider(provider: &AuthProviderConfig) -> Result<SecretString, ClusterError> {
    match provider.config.get("id-token").filter(|token| provider.name == "oidc" && !token.is_empty()) {
        Some(token) => Ok(token.as_str().into()),
        None if provider.name == "oidc" => Err(ClusterError::config(
            "The kubeconfig's user logs in with OpenID Connect and has no id-token.",
            Some("Log in again as you do for kubectl.".to_owned()),
        )),
        None => Err(ClusterError::config(
            format!(
                "The kubeconfig's user logs in with {}, which is no longer a part of kubectl either.",
                super::errors::plain(&provider.name)
            ),
            Some("Let the cluster's provider write a kubeconfig with a credential plugin.".to_owned()),
        )),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use kube::config::ExecConfig;
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::plugin::tests::plugin;

    fn resolved(user: Value) -> Resolved {
        let environment = Environment { var: &|_| None, service_account: Path::new("/nonexistent") };
        let flags = ConnectionFlags { server: Some("http://127.0.0.1:1".to_owned()), ..ConnectionFlags::default() };
        let mut resolved = kubeconfig::resolve(&flags, &environment).expect("resolves");
        resolved.user = serde_json::from_value(user).expect("a user");
        resolved
    }

    async fn proof_of(user: Value) -> Result<Option<String>, String> {
        let proof = prove(&resolved(user)).await.map_err(|error| {
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
            error.to_string()
        })?;
        let basic = proof
            .user
            .username
            .zip(proof.user.password)
            .map(|(name, password)| format!("{name}:{}", password.expose_secret()));
        Ok(proof.user.token.map(|token| token.expose_secret().to_owned()).or(basic))
    }

    /// What the next request is sent with.
    async fn token(credentials: &Credentials) -> String {
        credentials.current().await.expect("access");
        credentials.state.lock().await.proof.user.token.as_ref().expect("a token").expose_secret().to_owned()
    }

    fn counting(folder: &std::path::Path, expires: &str) -> ExecConfig {
        let count = folder.join("count");
        plugin(&format!(
            r#"echo x >> {0}; n=$(wc -l < {0}); echo "{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"$GREETING-$(echo $n)\"{expires}}}}}""#,
            count.display()
        ))
    }

    async fn begin(plugin: &ExecConfig) -> Credentials {
        let resolved = resolved(json!({ "exec": plugin }));
        Credentials::begin(resolved, None, None).await.expect("set up")
    }

    #[tokio::test]
    async fn the_plugin_runs_once_and_again_only_when_its_token_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let credentials = begin(&counting(folder.path(), "")).await;
        let first = credentials.current().await.expect("access");
        for _ in 0..3 {
            assert_eq!(token(&credentials).await, "hello-1");
        }
        // A second request that was refused with the old token gets the new one without another run.
        for _ in 0..2 {
            assert!(credentials.renewed(&first).await.expect("runs").is_some());
            assert_eq!(token(&credentials).await, "hello-2");
        }
    }

    #[tokio::test]
    async fn a_token_in_a_file_is_read_for_every_request() {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), "first").expect("written");
        let resolved = resolved(json!({ "tokenFile": file.path() }));
        let credentials = Credentials::begin(resolved, None, None).await.expect("set up");
        let token = async || token(&credentials).await;
        let before = credentials.current().await.expect("access");
        assert_eq!(token().await, "first");
        assert!(credentials.renewed(&before).await.expect("reads").is_none(), "there is nothing new");
        std::fs::write(file.path(), "second").expect("written");
        assert!(credentials.renewed(&before).await.expect("reads").is_some());
        assert_eq!(token().await, "second");
        std::fs::write(file.path(), "third").expect("written");
        assert_eq!(token().await, "third");
        // While it is being replaced, what was known goes on.
        std::fs::remove_file(file.path()).expect("removed");
        assert_eq!(token().await, "third");
    }

    #[tokio::test]
    async fn an_expired_token_is_renewed_before_it_is_used() {
        let folder = tempfile::tempdir().expect("folder");
        let plugin = counting(folder.path(), r#",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\""#);
        let credentials = begin(&plugin).await;
        assert_eq!(token(&credentials).await, "hello-2");
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

    #[tokio::test]
    async fn what_stands_in_the_kubeconfig_is_sent() {
        let some = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(proof_of(json!({})).await, Ok(None));
        assert_eq!(proof_of(json!({"token": "abc"})).await, some("abc"));
        assert_eq!(proof_of(json!({"username": "jane", "password": "p:w"})).await, some("jane:p:w"));
        assert_eq!(proof_of(json!({"username": "jane"})).await, some("jane:"));
        let oidc = json!({"auth-provider": {"name": "oidc", "config": {"id-token": "i", "refresh-token": "r"}}});
        assert_eq!(proof_of(oidc).await, some("i"));
        // `kubectl config set-credentials --token` leaves the provider where it is, and a plugin is not run then.
        let both = json!({"token": "t", "auth-provider": {"name": "oidc", "config": {"id-token": "old"}},
            "exec": {"command": "/nonexistent"}});
        assert_eq!(proof_of(both).await, some("t"));
        assert!(proof_of(json!({"token": "t", "username": "jane"})).await.is_err());
    }

    #[tokio::test]
    async fn a_token_in_a_file_goes_before_one_that_is_written_down() {
        let file = tempfile::NamedTempFile::new().expect("file");
        let both = json!({"token": "old", "tokenFile": file.path()});
        std::fs::write(file.path(), "new\n").expect("written");
        assert_eq!(proof_of(both.clone()).await, Ok(Some("new".to_owned())));
        std::fs::write(file.path(), "\n").expect("written");
        assert_eq!(proof_of(both).await, Ok(Some("old".to_owned())));
        assert!(proof_of(json!({"tokenFile": file.path()})).await.expect_err("empty").ends_with("is empty."));
        let error = proof_of(json!({"tokenFile": "/nonexistent"})).await.expect_err("absent");
        assert!(error.contains("/nonexistent") && error.contains("cannot be read"), "{error}");
    }

    #[tokio::test]
    async fn a_login_that_kubectl_no_longer_has_is_told_as_such() {
        let gcp = json!({"auth-provider": {"name": "gcp", "config": {"access-token": "canary"}}});
        assert!(proof_of(gcp).await.expect_err("refused").contains("logs in with gcp"));
        let oidc = json!({"auth-provider": {"name": "oidc"}});
        assert!(proof_of(oidc).await.expect_err("refused").contains("no id-token"));
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_not_repeated() {
        let error = proof_of(json!({"token": "canary\u{7}"})).await.expect_err("refused");
        assert!(!error.contains("canary"), "{error}");
    }
}
