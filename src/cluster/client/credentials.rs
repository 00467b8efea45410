//! Who the requests are made as, and how that is made anew when the server no longer takes it.
//!
//! kube is given a user with a token, a password or a certificate in it and nothing to run or to look up. It would run a
//! credential plugin (`users[].user.exec`) three times before the first request, each time blocking the executor, and put
//! its output into errors; it does not remove the line end of a token in a file, ends the program over a token that cannot
//! be sent, and does nothing about a 401.
//!
//! A migration is followed for an hour or more, and what was good at its beginning may expire. After a 401 everything is
//! looked up again: the kubeconfig (somebody may have logged in again), the plugin, the files.

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

/// A credential counts as expired this long before it is, so that it does not expire on its way.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// How long a plugin is not run again after it gave nothing new: it may open a browser each time.
const IN_VAIN: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct Access {
    pub client: kube::Client,
    issue: u32,
}

pub struct Credentials {
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

    /// What to send the next request with; made anew when it has expired.
    pub async fn current(&self) -> Result<Access, ClusterError> {
        let mut state = self.state.lock().await;
        if state.proof.expires.is_some_and(|expires| Timestamp::now() + MARGIN >= expires) {
            Box::pin(self.renew(&mut state)).await?;
        }
        Ok(state.access.clone())
    }

    /// After a 401 to a request that was sent with `refused`: something else, if there is a chance that it helps.
    ///
    /// When another request has renewed it in the meantime, that is given and nothing is run again.
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
        // While the kubeconfig is being rewritten it cannot be read, and another user or server in it is nobody's wish.
        let identity = |one: &Resolved| (one.config.cluster_url.clone(), one.context.clone(), one.user_name.clone());
        if let Some(Ok(now)) = self.flags.as_ref().map(resolve)
            && identity(&now) == identity(&state.resolved)
        {
            state.resolved = now;
        }
        let proof = prove(&state.resolved).await?;
        let same = serde_json::to_value(&proof.user).ok() == serde_json::to_value(&state.proof.user).ok();
        // A certificate in a file is read where the connections are set up.
        if !same || proof.user.client_certificate.is_some() {
            let client = client(&state.resolved, &proof.user, self.connect)?;
            state.access = Access { client, issue: state.access.issue + 1 };
        }
        state.proof = proof;
        Ok(())
    }
}

/// As in client-go (`rest/transport.go`, `transport/round_trippers.go`): a token in a file goes before one that is written
/// down, and both go before a plugin.
async fn prove(resolved: &Resolved) -> Result<Proof, ClusterError> {
    let mut user = resolved.user.clone();
    let (provider, exec, token_file) = (user.auth_provider.take(), user.exec.take(), user.token_file.take());
    if user.username.is_some() {
        if user.token.is_some() {
            let sentence = "The kubeconfig's user has a token, and a name with a password as well.";
            return Err(ClusterError::config(
                sentence,
                Some("Leave out one of them; kubectl takes no such user either."),
            ));
        }
        user.password.get_or_insert_default();
    } else if let Some(file) = token_file {
        match (fs::read_to_string(&file).map(Zeroizing::new), &user.token) {
            (Ok(read), _) if !read.trim().is_empty() => user.token = Some(read.trim().into()),
            (_, Some(_)) => {}
            (read, None) => {
                let how = read.err().map_or("is empty".to_owned(), |error| format!("cannot be read: {}", error.kind()));
                let sentence = format!("The file {file} with the token of the kubeconfig's user {how}.");
                return Err(ClusterError::config(sentence, Some("Check the path in the kubeconfig, or log in again.")));
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
        let sentence = "The token of the kubeconfig's user holds what cannot be sent.";
        return Err(ClusterError::config(sentence, Some("Log in again as you do for kubectl.")));
    }
    Ok(Proof { user, expires: None })
}

/// kubectl would renew it; what it renewed last is in the kubeconfig.
fn from_provider(provider: &AuthProviderConfig) -> Result<SecretString, ClusterError> {
    if provider.name != "oidc" {
        let name = plain(&provider.name);
        return Err(ClusterError::config(
            format!("The kubeconfig's user logs in with {name}, which is no longer a part of kubectl either."),
            Some("Let the cluster's provider write a kubeconfig with a credential plugin."),
        ));
    }
    provider.config.get("id-token").filter(|token| !token.is_empty()).map(|token| token.as_str().into()).ok_or_else(
        || {
            ClusterError::config(
                "The kubeconfig's user logs in with OpenID Connect and has no id-token.",
                Some("Run any `kubectl` command, which fetches one, or log in again."),
            )
        },
    )
}

struct Proof {
    /// Without anything to run or to look up but a client certificate.
    user: AuthInfo,
    expires: Option<Timestamp>,
}

/// Runs a plugin once (<https://kubernetes.io/docs/reference/config-api/client-authentication.v1/>), and puts what it issues in its place in `user`. It may ask on the terminal, so there is no time limit,
/// as in kubectl.
async fn run_plugin(plugin: &ExecConfig, cluster: &ExecAuthCluster, user: AuthInfo) -> Result<Proof, ClusterError> {
    let Some(command) = plugin.command.as_deref().filter(|command| !command.is_empty()) else {
        let sentence = "The kubeconfig's user has a credential plugin without a command.";
        return Err(ClusterError::config(sentence, Some("Add the command to users[].user.exec in the kubeconfig.")));
    };
    let failed = |how: String, remedy: Option<&str>| {
        ClusterError::config(format!("The credential plugin {command} of the kubeconfig {how}."), remedy)
    };
    let on_terminal = std::io::stdin().is_terminal();
    let interactive = on_terminal && plugin.interactive_mode != Some(ExecInteractiveMode::Never);
    if !on_terminal && plugin.interactive_mode == Some(ExecInteractiveMode::Always) {
        let sentence = format!("The credential plugin {command} wants to ask on a terminal, and there is none.");
        return Err(ClusterError::config(sentence, Some("Log in with it on a terminal first.")));
    }
    let pairs = plugin.env.iter().flatten();
    let mut process = Command::new(command);
    process
        .args(plugin.args.iter().flatten())
        .env("KUBERNETES_EXEC_INFO", information(plugin, cluster, interactive).to_string())
        .envs(pairs.filter_map(|one| Some((one.get("name")?, one.get("value")?))))
        .kill_on_drop(true)
        // What the plugin says on standard error is for the person, as with kubectl; standard output is the credential.
        .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let output = async { process.spawn()?.wait_with_output().await }.await.map_err(|error| {
        let hint = plugin.install_hint.as_deref().map(plain).filter(|hint| !hint.is_empty());
        failed(format!("cannot be run: {}", error.kind()), hint.as_deref())
    })?;
    if !output.status.success() {
        let how = match output.status.code() {
            Some(code) => format!("failed with exit code {code}"),
            None => "was ended by a signal".to_owned(),
        };
        let remedy = "Its own message should stand above; log in again as you do for kubectl.";
        return Err(failed(how, Some(remedy)));
    }
    read(&output.stdout, user).ok_or_else(|| {
        failed("gave no credential that can be used".to_owned(), Some("Log in again as you do for kubectl."))
    })
}

fn information(plugin: &ExecConfig, cluster: &ExecAuthCluster, interactive: bool) -> Value {
    let mut spec = json!({ "interactive": interactive });
    if plugin.provide_cluster_info {
        spec["cluster"] = json!(cluster);
    }
    json!({ "kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec })
}

fn read(output: &[u8], mut user: AuthInfo) -> Option<Proof> {
    // JSON by the protocol; client-go also takes YAML, which some plugins rely on.
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
