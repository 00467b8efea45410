//! One run of a credential plugin (`users[].user.exec`).
//!
//! Protocol: `client.authentication.k8s.io`, <https://kubernetes.io/docs/reference/config-api/client-authentication.v1/>.

use std::{io::IsTerminal as _, process::Stdio};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use serde_json::{Value, json};

use super::{
    credentials::{Proof, can_be_sent},
    errors::ClusterError,
};

/// Runs a plugin once, and puts what it issues in its place in `user`. It may ask on the terminal, so there is no time limit,
/// as in kubectl.
pub(super) async fn run(plugin: &ExecConfig, cluster: &ExecAuthCluster, user: AuthInfo) -> Result<Proof, ClusterError> {
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
        .env("KUBERNETES_EXEC_INFO", information(plugin, cluster, interactive).to_string())
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
    read(&output.stdout, user).ok_or_else(|| {
        ClusterError::config(
            format!("The credential plugin {command} of the kubeconfig gave no credential that can be used."),
            None,
        )
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

    async fn failed(plugin: &ExecConfig) -> ClusterError {
        run(plugin, &ExecAuthCluster::default(), AuthInfo::default()).await.err().expect("fails")
    }

    #[tokio::test]
    async fn a_failing_plugin_is_told_in_a_sentence() {
        let error = failed(&plugin("echo secret-output; exit 3")).await;
        assert_eq!(error.to_string(), "The credential plugin sh of the kubeconfig failed with exit code 3.");
        let error = failed(&ExecConfig {
            command: Some("/does/not/exist".to_owned()),
            install_hint: Some("Install it\nlike so".to_owned()),
            ..plugin("")
        })
        .await;
        assert_eq!(error.hints(), ["Install it like so"]);
        let error = failed(&plugin("echo secret-output")).await;
        assert!(!error.to_string().contains("secret-output"));
    }

    #[test]
    fn what_a_plugin_issues_is_put_in_the_place_of_what_was_there() {
        let before = || AuthInfo { client_certificate: Some("old.pem".to_owned()), ..AuthInfo::default() };
        let read = |output: &[u8]| read(output, before());
        let proof = read(br#"{"status":{"token":"abc"}}"#).expect("a token");
        assert!(proof.user.token.is_some() && proof.user.client_certificate.is_some());
        assert!(read(b"status:\n  token: abc\n").is_some());
        let pair = br#"{"status":{"clientCertificateData":"c","clientKeyData":"k","expirationTimestamp":"2030-01-01T00:00:00Z"}}"#;
        let proof = read(pair).expect("a certificate");
        assert!(proof.expires.is_some() && proof.user.client_certificate.is_none());
        assert_eq!(proof.user.client_certificate_data.as_deref(), Some("Yw=="));
        for nothing in [
            &b"{}"[..],
            br#"{"status":{"token":"a\u0007"}}"#,
            br#"{"status":{"token":"a","expirationTimestamp":"soon"}}"#,
        ] {
            assert!(read(nothing).is_none());
        }
    }

    #[test]
    fn the_cluster_is_told_only_to_a_plugin_that_asks() {
        let cluster = ExecAuthCluster { server: Some("https://k8s.example".to_owned()), ..ExecAuthCluster::default() };
        let mut asking = plugin("");
        assert!(information(&asking, &cluster, false)["spec"]["cluster"].is_null());
        asking.provide_cluster_info = true;
        assert_eq!(information(&asking, &cluster, false)["spec"]["cluster"]["server"], "https://k8s.example");
    }
}
