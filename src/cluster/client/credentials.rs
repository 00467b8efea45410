//! The user's credentials, and their renewal.
//!
//! kube gets a user with a token, a password or a certificate, never with a plugin or a token file. Otherwise it would run a
//! credential plugin (`users[].user.exec`) three times before the first request, each time blocking the executor, and put
//! its output into errors; it does not remove the trailing newline of a token file, panics on a token that is no valid header
//! value, and ignores a 401.
//!
//! Credentials may expire while a migration is followed. After a 401 the kubeconfig, the plugin and the files are read again.

use std::time::{Duration, Instant};
use std::{fs, io::IsTerminal as _, process::Stdio};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use kube::config::{AuthInfo, AuthProviderConfig, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::connection::client;
use crate::cluster::config::flags::ConnectionFlags;
use crate::cluster::config::resolve::{Resolved, resolve};
use crate::cluster::errors::{ClusterError, plain};

/// A credential counts as expired this long before its expiry.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// The pause before a plugin that returned the same credential is run again: it may open a browser each time.
const IN_VAIN: Duration = Duration::from_secs(30);
const LOG_IN: &str = "Log in again as you do for kubectl.";

#[derive(Clone)]
pub struct Access {
    pub client: kube::Client,
    issue: u32,
}

pub struct Credentials {
    /// To read the kubeconfig again; `None` in tests.
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

impl Credentials {
    /// Runs the user's plugin, if there is one, and sets up the connections.
    pub async fn begin(
        resolved: Resolved,
        flags: Option<ConnectionFlags>,
        connect: Option<Duration>,
    ) -> Result<Self, ClusterError> {
        let proof = Box::pin(prove(&resolved)).await?;
        let access = Access { client: client(&resolved, &proof.user, connect)?, issue: 0 };
        Ok(Self { flags, connect, state: Mutex::new(State { access, resolved, proof, in_vain: None }) })
    }

    /// The credentials for the next request, renewed if they have expired.
    pub async fn current(&self) -> Result<Access, ClusterError> {
        let mut state = self.state.lock().await;
        if state.proof.expires.is_some_and(|expires| Timestamp::now() + MARGIN >= expires) {
            Box::pin(self.renew(&mut state)).await?;
        }
        Ok(state.access.clone())
    }

    /// Other credentials after a 401 to a request with `refused`; `None` if there are none. If another request has renewed
    /// them in the meantime, returns those.
    pub async fn renewed(&self, refused: &Access) -> Result<Option<Access>, ClusterError> {
        let mut state = self.state.lock().await;
        if state.access.issue == refused.issue {
            if state.resolved.user.exec.is_some() && state.in_vain.is_some_and(|at| at.elapsed() < IN_VAIN) {
                return Ok(None);
            }
            Box::pin(self.renew(&mut state)).await?;
            state.in_vain = (state.access.issue == refused.issue).then(Instant::now);
        }
        Ok((state.access.issue != refused.issue).then(|| state.access.clone()))
    }

    async fn renew(&self, state: &mut State) -> Result<(), ClusterError> {
        // The kubeconfig may be unreadable while it is rewritten. Another user or server in it is ignored.
        let identity = |one: &Resolved| (one.config.cluster_url.clone(), one.context.clone(), one.user_name.clone());
        if let Some(Ok(now)) = self.flags.as_ref().map(resolve)
            && identity(&now) == identity(&state.resolved)
        {
            state.resolved = now;
        }
        let proof = prove(&state.resolved).await?;
        let same = serde_json::to_value(&proof.user).ok() == serde_json::to_value(&state.proof.user).ok();
        // A new client reads the certificate file again.
        if !same || proof.user.client_certificate.is_some() {
            let client = client(&state.resolved, &proof.user, self.connect)?;
            state.access = Access { client, issue: state.access.issue + 1 };
        }
        state.proof = proof;
        Ok(())
    }
}

/// Precedence as in client-go (`rest/transport.go`, `transport/round_trippers.go`): token file, token, plugin.
async fn prove(resolved: &Resolved) -> Result<Proof, ClusterError> {
    let mut user = resolved.user.clone();
    let (provider, exec, token_file) = (user.auth_provider.take(), user.exec.take(), user.token_file.take());
    if user.username.is_some() {
        if user.token.is_some() {
            let remedy = "Remove one of them. kubectl doesn't accept such a user either.";
            return Err(ClusterError::config("the user in the kubeconfig has both a token and a username", remedy));
        }
        user.password.get_or_insert_default();
    } else if let Some(file) = token_file {
        match (fs::read_to_string(&file).map(Zeroizing::new), &user.token) {
            (Ok(read), _) if !read.trim().is_empty() => user.token = Some(read.trim().into()),
            (_, Some(_)) => {}
            (read, None) => {
                let how = read.err().map_or("is empty".to_owned(), |error| format!("cannot be read: {}", error.kind()));
                let sentence = format!("token file {file} of the user in the kubeconfig {how}");
                return Err(ClusterError::config(sentence, "Check the path in the kubeconfig, or log in again."));
            }
        }
    } else if user.token.is_none() {
        if let Some(provider) = provider {
            user.token = Some(from_provider(&provider)?);
        } else if let Some(exec) = exec {
            return run_plugin(&exec, &resolved.cluster, user).await;
        }
    }
    if user.token.as_ref().is_some_and(|token| !can_be_sent(token)) {
        return Err(ClusterError::config("the token of the user in the kubeconfig has invalid characters", LOG_IN));
    }
    Ok(Proof { user, expires: None })
}

/// The token in the kubeconfig, which only kubectl renews.
fn from_provider(provider: &AuthProviderConfig) -> Result<SecretString, ClusterError> {
    if provider.name != "oidc" {
        let name = plain(&provider.name);
        let sentence = format!("the user in the kubeconfig logs in with auth provider {name}, which is not supported");
        let remedy =
            "Create the kubeconfig again with your cloud provider's tool. kubectl has removed this auth provider too.";
        return Err(ClusterError::config(sentence, remedy));
    }
    match provider.config.get("id-token") {
        Some(token) if !token.is_empty() => Ok(token.as_str().into()),
        _ => Err(ClusterError::config(
            "the user in the kubeconfig logs in with OpenID Connect and has no id-token",
            "Run `kubectl auth whoami`, which fetches one, or log in again.",
        )),
    }
}

struct Proof {
    /// Without plugin, auth provider and token file.
    user: AuthInfo,
    expires: Option<Timestamp>,
}

/// Runs a plugin (<https://kubernetes.io/docs/reference/config-api/client-authentication.v1/>) and adds its credential to `user`.
/// No time limit, as in kubectl: the plugin may prompt on the terminal.
async fn run_plugin(plugin: &ExecConfig, cluster: &ExecAuthCluster, user: AuthInfo) -> Result<Proof, ClusterError> {
    let Some(command) = plugin.command.as_deref().filter(|command| !command.is_empty()) else {
        let sentence = "the credential plugin in the kubeconfig has no command";
        return Err(ClusterError::config(sentence, "Add the command to users[].user.exec in the kubeconfig."));
    };
    let failed =
        |how: String, remedy: Option<&str>| ClusterError::config(format!("credential plugin {command} {how}"), remedy);
    let on_terminal = std::io::stdin().is_terminal();
    let interactive = on_terminal && plugin.interactive_mode != Some(ExecInteractiveMode::Never);
    if !on_terminal && plugin.interactive_mode == Some(ExecInteractiveMode::Always) {
        let remedy = "Log in on a terminal first, then run this command again.";
        return Err(failed("requires a terminal".to_owned(), Some(remedy)));
    }
    let mut spec = json!({ "interactive": interactive });
    if plugin.provide_cluster_info {
        spec["cluster"] = json!(cluster);
    }
    let information = json!({ "kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec });
    let pairs = plugin.env.iter().flatten();
    let mut process = Command::new(command);
    process
        .args(plugin.args.iter().flatten())
        .env("KUBERNETES_EXEC_INFO", information.to_string())
        .envs(pairs.filter_map(|one| Some((one.get("name")?, one.get("value")?))))
        .kill_on_drop(true)
        // As in kubectl, standard error is for the user; standard output is the credential.
        .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let output = async { process.spawn()?.wait_with_output().await }.await.map_err(|error| {
        let hint = plugin.install_hint.as_deref().map(plain).filter(|hint| !hint.is_empty());
        failed(format!("cannot be run: {}", error.kind()), hint.as_deref())
    })?;
    if !output.status.success() {
        let code = output.status.code();
        let how = code.map_or("was terminated by a signal".to_owned(), |code| format!("failed with exit code {code}"));
        return Err(failed(how, Some("See its message above, and log in again as you do for kubectl.")));
    }
    read(&output.stdout, user).ok_or_else(|| failed("returned no usable credential".to_owned(), Some(LOG_IN)))
}

fn read(output: &[u8], mut user: AuthInfo) -> Option<Proof> {
    // The protocol requires JSON; client-go also accepts YAML, which some plugins write.
    let credential: Value = serde_json::from_slice(output).ok().or_else(|| serde_yaml::from_slice(output).ok())?;
    let status = &credential["status"];
    let text = |key: &str| status[key].as_str().filter(|text| !text.is_empty());
    let expires: Option<Timestamp> = text("expirationTimestamp").map(str::parse).transpose().ok()?;
    let certificate = text("clientCertificateData").zip(text("clientKeyData"));
    user.token = text("token").map(|token| token.trim().into());
    if let Some((certificate, key)) = certificate {
        (user.client_certificate, user.client_key) = (None, None);
        user.client_certificate_data = Some(STANDARD.encode(certificate));
        user.client_key_data = Some(STANDARD.encode(key).into());
    }
    let usable = user.token.as_ref().map_or(certificate.is_some(), can_be_sent);
    usable.then_some(Proof { user, expires })
}

fn can_be_sent(token: &SecretString) -> bool {
    HeaderValue::try_from(token.expose_secret()).is_ok()
}

#[cfg(test)]
mod tests;
