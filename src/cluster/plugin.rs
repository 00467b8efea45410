//! One run of a credential plugin (`users[].user.exec`).
//!
//! Protocol: `client.authentication.k8s.io`, <https://kubernetes.io/docs/reference/config-api/client-authentication.v1/>.

use std::{io::IsTerminal as _, process::Stdio};

use http::HeaderValue;
use jiff::Timestamp;
use kube::config::{ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use serde_json::{Value, json};

use super::errors::ClusterError;

/// What a plugin answered.
#[derive(PartialEq, Eq)]
pub(super) struct Issued {
    pub(super) header: Option<HeaderValue>,
    /// PEM certificate chain and key for TLS.
    pub(super) certificate: Option<(String, String)>,
    pub(super) expires: Option<Timestamp>,
}

impl Issued {
    pub(super) fn differs(&self, other: Option<&Self>) -> bool {
        other.is_none_or(|other| (&self.header, &self.certificate) != (&other.header, &other.certificate))
    }
}

/// Runs a plugin once. It may ask on the terminal, so there is no time limit, as in kubectl.
pub(super) async fn run(plugin: &ExecConfig) -> Result<Issued, ClusterError> {
    let command = plugin.command.as_deref().filter(|command| !command.is_empty()).ok_or_else(|| {
        ClusterError::config("The kubeconfig's user has a credential plugin without a command.", None)
    })?;
    let on_terminal = std::io::stdin().is_terminal();
    let interactive = match plugin.interactive_mode {
        Some(ExecInteractiveMode::Never) => false,
        Some(ExecInteractiveMode::Always) if !on_terminal => {
            return Err(ClusterError::config(
                format!("The credential plugin {command} wants to ask on a terminal, and there is none."),
                Some("Log in with it on a terminal first.".to_owned()),
            ));
        }
        _ => on_terminal,
    };
    let mut process = tokio::process::Command::new(command);
    process
        .args(plugin.args.iter().flatten())
        .env("KUBERNETES_EXEC_INFO", information(plugin, interactive)?)
        .kill_on_drop(true);
    for variable in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            process.env(name, value);
        }
    }
    // What the plugin says on standard error is for the person, as with kubectl; standard output is the credential.
    process
        .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let output = match process.spawn() {
        Ok(child) => child.wait_with_output().await,
        Err(error) => Err(error),
    }
    .map_err(|error| {
        let hint = plugin.install_hint.as_deref().map(super::errors::plain).filter(|hint| !hint.is_empty());
        ClusterError::config(
            format!("The credential plugin {command} of the kubeconfig cannot be run: {}.", error.kind()),
            hint,
        )
    })?;
    if !output.status.success() {
        let how = output
            .status
            .code()
            .map_or_else(|| "was ended by a signal".to_owned(), |code| format!("failed with exit code {code}"));
        return Err(ClusterError::config(
            format!("The credential plugin {command} of the kubeconfig {how}."),
            Some("Its own message should stand above; log in again as you do for kubectl.".to_owned()),
        ));
    }
    read(&output.stdout).ok_or_else(|| {
        ClusterError::config(
            format!("The credential plugin {command} of the kubeconfig gave no credential that can be used."),
            None,
        )
    })
}

fn information(plugin: &ExecConfig, interactive: bool) -> Result<String, ClusterError> {
    let mut spec = json!({ "interactive": interactive });
    if plugin.provide_cluster_info {
        let cluster: Option<&ExecAuthCluster> = plugin.cluster.as_ref();
        spec["cluster"] = serde_json::to_value(cluster).map_err(|_| {
            ClusterError::config(
                "The cluster's entry in the kubeconfig cannot be given to the credential plugin.",
                None,
            )
        })?;
    }
    Ok(json!({ "kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec }).to_string())
}

fn read(output: &[u8]) -> Option<Issued> {
    // JSON by the protocol; client-go also takes YAML, which some plugins rely on.
    let credential: Value = serde_json::from_slice(output).ok().or_else(|| serde_yaml::from_slice(output).ok())?;
    let status = &credential["status"];
    let text = |key: &str| status[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let header = match text("token") {
        Some(token) => {
            let mut header = HeaderValue::try_from(format!("Bearer {}", token.trim())).ok()?;
            header.set_sensitive(true);
            Some(header)
        }
        None => None,
    };
    let expires = match text("expirationTimestamp") {
        Some(time) => Some(time.parse().ok()?),
        None => None,
    };
    let certificate = text("clientCertificateData").zip(text("clientKeyData"));
    (header.is_some() || certificate.is_some()).then_some(Issued { header, certificate, expires })
}

#[cfg(all(test, unix))]
pub(super) mod tests {
    use super::*;

    pub(in crate::cluster) fn plugin(script: &str) -> ExecConfig {
        serde_json::from_value(
            json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
            "env": [{"name": "GREETING", "value": "hello"}], "interactiveMode": "Never"}),
        )
        .expect("plugin")
    }

    #[tokio::test]
    async fn a_failing_plugin_is_told_in_a_sentence() {
        let error = run(&plugin("echo secret-output; exit 3")).await.err().expect("fails");
        assert_eq!(error.to_string(), "The credential plugin sh of the kubeconfig failed with exit code 3.");
        let error = run(&ExecConfig {
            command: Some("/does/not/exist".to_owned()),
            install_hint: Some("Install it\nlike so".to_owned()),
            ..plugin("")
        })
        .await
        .err()
        .expect("fails");
        assert_eq!(error.hints(), ["Install it like so"]);
        let error = run(&plugin("echo secret-output")).await.err().expect("fails");
        assert!(!error.to_string().contains("secret-output"));
    }

    #[test]
    fn the_header_is_marked_as_sensitive() {
        let issued = read(br#"{"status":{"token":"abc"}}"#).expect("token");
        assert!(issued.header.expect("token").is_sensitive());
        assert!(read(b"status:\n  token: abc\n").is_some());
        assert!(read(b"{}").is_none());
    }
}
