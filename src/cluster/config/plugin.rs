//! One run of a credential plugin (`users[].user.exec`).
//!
//! Protocol: `client.authentication.k8s.io`, <https://kubernetes.io/docs/reference/config-api/client-authentication.v1/>.

use std::{io::IsTerminal as _, process::Stdio};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::cluster::errors::{ClusterError, plain};

pub struct Proof {
    /// Without anything to run or to look up but a client certificate.
    pub user: AuthInfo,
    pub expires: Option<Timestamp>,
}

/// Runs a plugin once, and puts what it issues in its place in `user`. It may ask on the terminal, so there is no time limit,
/// as in kubectl.
pub async fn run(plugin: &ExecConfig, cluster: &ExecAuthCluster, user: AuthInfo) -> Result<Proof, ClusterError> {
    let Some(command) = plugin.command.as_deref().filter(|command| !command.is_empty()) else {
        return Err(ClusterError::config("The kubeconfig's user has a credential plugin without a command.", None));
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
    read(&output.stdout, user).ok_or_else(|| failed("gave no credential that can be used".to_owned(), None))
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

pub fn can_be_sent(token: &SecretString) -> bool {
    HeaderValue::try_from(token.expose_secret()).is_ok()
}

#[cfg(test)]
pub mod tests;
